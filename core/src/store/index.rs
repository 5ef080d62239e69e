//! The index: the same facts as the journal, laid out for questions.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, PutRequest, TransactWriteItem, Update, WriteRequest,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{ErrorKind, StoreError};
use super::patience::patiently;
use crate::domain::coverage::Interval;
use crate::domain::record::Operation;
use crate::domain::run::Run;
use crate::domain::stored::{FORMAT, StoredRecord};
use crate::domain::{Coverage, Instant, Name, Path, Record, Target, keys};

/// Every instant's text begins with a digit; labels and tags stand below.
const FIRST_INSTANT: &str = "0";
/// Above every instant.
const LAST_INSTANT: &str = ":";
/// How many rows the first look at a name reads: more than a hundred retained
/// versions with the deletions between them.
const FIRST_ROWS: i32 = 300;
/// A transaction that conflicts with another writer's is tried again this often.
const MOST_CONFLICTS: u32 = 12;

/// Most rows that one batch writes.
const BATCH: usize = 25;

type Item = HashMap<String, AttributeValue>;

/// The table.
#[derive(Clone, Debug)]
pub struct Index {
    client: Client,
    table: String,
}

/// The newest record that decides the state of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The record.
    pub record: Record,
    /// Tags and policies are left out of `record`: read the own row for them.
    pub trimmed: bool,
}

/// Heads by name.
pub type Heads = BTreeMap<Name, Head>;

/// Records of one name, newest first.
#[derive(Clone, Debug)]
pub struct Recent {
    /// The records.
    pub records: Vec<Record>,
    /// Whether there are no older ones.
    pub complete: bool,
}

impl Index {
    pub(super) fn new(config: &SdkConfig, table: String) -> Self {
        Self {
            client: Client::new(config),
            table,
        }
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Makes sure that the table is an index of a format this program knows.
    /// A table without a format row is a new one.
    pub async fn check_format(&self) -> Result<(), StoreError> {
        self.stored_format().await.map(|_| ())
    }

    /// Writes the format row of a new table; refuses one of another format.
    pub async fn claim_format(&self) -> Result<(), StoreError> {
        if self.stored_format().await?.is_some() {
            return Ok(());
        }
        let answer = patiently(|| async {
            let call = self
                .client
                .put_item()
                .table_name(&self.table)
                .item("scope", text(keys::META))
                .item("entry", text("format"))
                .item("format", AttributeValue::N(FORMAT.to_string()))
                .condition_expression("attribute_not_exists(#s)")
                .expression_attribute_names("#s", "scope");
            call.send()
                .await
                .map_err(|e| self.error("write the format of", e))
        })
        .await;
        match answer {
            Err(e) if e.code() != Some("ConditionalCheckFailedException") => Err(e),
            _ => Ok(()),
        }
    }

    async fn stored_format(&self) -> Result<Option<u32>, StoreError> {
        let Some(item) = self.item(keys::META, "format").await? else {
            return Ok(None);
        };
        let format = item.get("format").and_then(|v| v.as_n().ok());
        match format.and_then(|n| n.parse::<u32>().ok()) {
            Some(format) if format <= FORMAT => Ok(Some(format)),
            found => Err(StoreError::new(
                format!("read the table {}", self.table),
                ErrorKind::Format,
                match found {
                    Some(format) => format!(
                        "it is of format {format}; this program reads up to format {FORMAT}"
                    ),
                    None => "its format row makes no sense".into(),
                },
            )),
        }
    }

    /// The heads of `target`, strongly consistent.
    pub async fn heads(&self, target: &Target) -> Result<Heads, StoreError> {
        let items = match target {
            Target::Name(name) => {
                let item = self.item(keys::NAMES, name.as_str()).await?;
                item.into_iter().collect()
            }
            Target::Path { path, .. } => {
                let query = self
                    .query(keys::NAMES)
                    .key_condition_expression("#s = :s AND begins_with(#e, :p)")
                    .expression_attribute_values(":p", text(path.as_str()));
                self.all(query).await?
            }
        };
        let mut heads = Heads::new();
        for item in items {
            if let Some(head) = read_head(item)?
                && target.contains(&head.record.name)
            {
                heads.insert(head.record.name.clone(), head);
            }
        }
        Ok(heads)
    }

    /// The newest state-deciding record of `name` at or before `at`.
    pub async fn newest_until(
        &self,
        name: &Name,
        at: Instant,
    ) -> Result<Option<Record>, StoreError> {
        let query = self.records(name, FIRST_INSTANT, &keys::just_after(at));
        let items = self.page(query.scan_index_forward(false).limit(1)).await?;
        items.0.into_iter().next().map(read_record).transpose()
    }

    /// The oldest state-deciding record of `name`.
    pub async fn oldest(&self, name: &Name) -> Result<Option<Record>, StoreError> {
        let query = self.records(name, FIRST_INSTANT, LAST_INSTANT);
        let items = self.page(query.limit(1)).await?;
        items.0.into_iter().next().map(read_record).transpose()
    }

    /// The newest state-deciding records of `name`, newest first: one call,
    /// enough for every version that may still be retained.
    pub async fn recent(&self, name: &Name) -> Result<Recent, StoreError> {
        let query = self.records(name, FIRST_INSTANT, LAST_INSTANT);
        let query = query.scan_index_forward(false).limit(FIRST_ROWS);
        let (items, next) = self.page(query).await?;
        let records = items
            .into_iter()
            .map(read_record)
            .collect::<Result<_, _>>()?;
        Ok(Recent {
            records,
            complete: next.is_none(),
        })
    }

    /// The state-deciding records of `name` from `from` to `to`, both
    /// included, oldest first; all pages.
    pub async fn between(
        &self,
        name: &Name,
        from: Instant,
        to: Instant,
    ) -> Result<Vec<Record>, StoreError> {
        let query = self.records(name, &from.to_string(), &keys::just_after(to));
        let items = self.all(query).await?;
        items.into_iter().map(read_record).collect()
    }

    /// The whole record of a head that was trimmed.
    pub async fn own_row(&self, record: &Record) -> Result<Option<Record>, StoreError> {
        let item = self
            .item(record.name.as_str(), &keys::own_entry(record))
            .await?;
        item.map(read_record).transpose()
    }

    /// One page of everything that happened under `target`, newest first, and
    /// where the next page begins. Slim records for a path.
    pub async fn changes(
        &self,
        target: &Target,
        since: Instant,
        until: Instant,
        start: Option<Cursor>,
    ) -> Result<(Vec<Record>, Option<Cursor>), StoreError> {
        let query = self
            .query(target.as_str())
            .key_condition_expression("#s = :s AND #e BETWEEN :a AND :z")
            .expression_attribute_values(":a", text(&since.to_string()))
            .expression_attribute_values(":z", text(&keys::just_after(until)))
            .scan_index_forward(false)
            .set_exclusive_start_key(start.map(|c| c.0));
        let (items, next) = self.page(query).await?;
        let mut records = Vec::with_capacity(items.len());
        for item in items {
            let record = read_record(item)?;
            if target.contains(&record.name) {
                records.push(record);
            }
        }
        Ok((records, next.map(Cursor)))
    }

    /// Labels and tags of one name, newest first.
    pub async fn label_and_tag_changes(
        &self,
        name: &Name,
        since: Instant,
        until: Instant,
    ) -> Result<Vec<Record>, StoreError> {
        let (from, to) = (format!("+{since}"), format!("+{}", keys::just_after(until)));
        let query = self.records(name, &from, &to).scan_index_forward(false);
        let items = self.all(query).await?;
        items.into_iter().map(read_record).collect()
    }

    /// Writes all rows of a record in one transaction; the head only where it
    /// is older. The same record again changes nothing.
    pub async fn put(&self, record: &Record) -> Result<(), StoreError> {
        let stored = StoredRecord::from(record);
        let mut rows = vec![self.row(record.name.as_str(), &keys::own_entry(record), &stored)?];
        for path in record.name.paths_above() {
            let entry = keys::path_entry(record);
            rows.push(self.row(path.as_str(), &entry, &stored.slim())?);
        }
        let head = self.head(record, &stored)?;
        let mut with_head = true;
        for conflict in 0..MOST_CONFLICTS {
            let mut items = rows.clone();
            items.extend(with_head.then(|| head.clone()));
            match self.transact(items).await? {
                Transacted::Done => return Ok(()),
                Transacted::HeadIsNewer => with_head = false,
                Transacted::Conflict => {
                    let wait_ms = 20u64 << conflict.min(6);
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                }
            }
        }
        Err(StoreError::new(
            format!("index a change of {}", record.name),
            ErrorKind::Throttled,
            "other writers kept changing the same rows",
        ))
    }

    /// The coverage of every path.
    pub async fn coverage(&self) -> Result<Coverage, StoreError> {
        let query = self
            .query(keys::META)
            .key_condition_expression("#s = :s AND begins_with(#e, :p)")
            .expression_attribute_values(":p", text("coverage#"));
        let mut paths = Vec::new();
        for item in self.all(query).await? {
            let path = string(&item, "path").and_then(|p| Path::parse(p).ok());
            let intervals = item.get("intervals").cloned();
            let (Some(path), Some(intervals)) = (path, intervals) else {
                return Err(misshapen("a coverage row lacks its path or intervals"));
            };
            let intervals: Vec<Interval> = serde_dynamo::from_attribute_value(intervals)
                .map_err(|e| misshapen(&e.to_string()))?;
            paths.push((path, intervals));
        }
        Ok(Coverage::new(paths))
    }

    /// Writes the coverage of a path.
    pub async fn put_coverage(
        &self,
        path: &Path,
        intervals: &[Interval],
    ) -> Result<(), StoreError> {
        let intervals: AttributeValue =
            serde_dynamo::to_attribute_value(intervals).map_err(|e| misshapen(&e.to_string()))?;
        patiently(|| async {
            let call = self
                .client
                .put_item()
                .table_name(&self.table)
                .item("scope", text(keys::META))
                .item("entry", text(&keys::coverage_entry(path)))
                .item("path", text(path.as_str()))
                .item("intervals", intervals.clone());
            call.send()
                .await
                .map_err(|e| self.error("write coverage to", e))
        })
        .await?;
        Ok(())
    }

    /// Writes a run: one row for each name, then one for the run itself.
    pub async fn put_run(&self, run: &Run) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(run.names.len());
        for name in &run.names {
            let entry = keys::run_name_entry(run.started, &run.id, &name.name);
            rows.push(keyed(keys::META, &entry, name)?);
        }
        for rows in rows.chunks(BATCH) {
            self.put_batch(rows.to_vec()).await?;
        }
        let summary = Run {
            names: Vec::new(),
            ..run.clone()
        };
        let entry = keys::run_entry(run.started, &run.id);
        self.put_batch(vec![keyed(keys::META, &entry, &summary)?])
            .await
    }

    /// Puts up to [`BATCH`] rows; what the table had no time for comes again.
    async fn put_batch(&self, rows: Vec<Item>) -> Result<(), StoreError> {
        let left = tokio::sync::Mutex::new(rows);
        patiently(|| async {
            let mut left = left.lock().await;
            let requests = left
                .iter()
                .map(put_request)
                .collect::<Result<Vec<_>, _>>()?;
            let call = self.client.batch_write_item();
            let answer = call.request_items(&self.table, requests).send().await;
            let answer = answer.map_err(|e| self.error("write a run to", e))?;
            let again = answer.unprocessed_items.unwrap_or_default();
            let again = again.into_values().flatten();
            *left = again
                .filter_map(|w| w.put_request.map(|p| p.item))
                .collect();
            if left.is_empty() {
                return Ok(());
            }
            let told = format!("{} rows are left", left.len());
            Err(StoreError::new("write a run", ErrorKind::Throttled, told))
        })
        .await
    }

    fn error<E, R>(
        &self,
        attempted: &str,
        error: aws_smithy_runtime_api::client::result::SdkError<E, R>,
    ) -> StoreError
    where
        E: aws_smithy_types::error::metadata::ProvideErrorMetadata
            + std::error::Error
            + Send
            + Sync
            + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        StoreError::of(format!("{attempted} the table {}", self.table), error)
    }

    async fn item(&self, scope: &str, entry: &str) -> Result<Option<Item>, StoreError> {
        let answer = patiently(|| async {
            let call = self
                .client
                .get_item()
                .table_name(&self.table)
                .key("scope", text(scope))
                .key("entry", text(entry))
                .consistent_read(true);
            call.send().await.map_err(|e| self.error("read", e))
        })
        .await?;
        Ok(answer.item)
    }

    /// A strongly consistent query of one partition, its condition yet to be
    /// completed.
    fn query(&self, scope: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .expression_attribute_names("#s", "scope")
            .expression_attribute_names("#e", "entry")
            .expression_attribute_values(":s", text(scope))
    }

    /// The rows of a name from one sort key to another.
    fn records(&self, name: &Name, from: &str, to: &str) -> QueryFluentBuilder {
        self.query(name.as_str())
            .key_condition_expression("#s = :s AND #e BETWEEN :a AND :z")
            .expression_attribute_values(":a", text(from))
            .expression_attribute_values(":z", text(to))
    }

    async fn page(
        &self,
        query: QueryFluentBuilder,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let answer = patiently(|| async {
            let answer = query.clone().send().await;
            answer.map_err(|e| self.error("query", e))
        })
        .await?;
        let next = answer.last_evaluated_key.filter(|k| !k.is_empty());
        Ok((answer.items.unwrap_or_default(), next))
    }

    async fn all(&self, query: QueryFluentBuilder) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let (page, next) = self
                .page(query.clone().set_exclusive_start_key(start))
                .await?;
            items.extend(page);
            start = next;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    fn row(
        &self,
        scope: &str,
        entry: &str,
        stored: &StoredRecord,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(keyed(scope, entry, stored)?))
            .build()
            .map_err(|e| misshapen(&e.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The change of the head: only if what it holds sorts lower.
    fn head(
        &self,
        record: &Record,
        stored: &StoredRecord,
    ) -> Result<TransactWriteItem, StoreError> {
        let (key, value) = match record.operation() {
            Operation::LabelParameterVersion => ("labelHead", "labelRecord"),
            Operation::Tags => ("tagHead", "tagRecord"),
            Operation::Create | Operation::Update | Operation::Delete | Operation::StillThere => {
                ("head", "record")
            }
        };
        let held: AttributeValue = serde_dynamo::to_attribute_value(stored.for_head())
            .map_err(|e| misshapen(&e.to_string()))?;
        let update = Update::builder()
            .table_name(&self.table)
            .key("scope", text(keys::NAMES))
            .key("entry", text(record.name.as_str()))
            .update_expression("SET #k = :k, #v = :v")
            .condition_expression("attribute_not_exists(#k) OR #k < :k")
            .expression_attribute_names("#k", key)
            .expression_attribute_names("#v", value)
            .expression_attribute_values(":k", text(&record.entry()))
            .expression_attribute_values(":v", held)
            .build()
            .map_err(|e| misshapen(&e.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Transacted, StoreError> {
        let last = items.len().saturating_sub(1);
        let answer = patiently(|| async {
            let call = self.client.transact_write_items();
            let answer = call.set_transact_items(Some(items.clone())).send().await;
            match answer {
                Ok(_) => Ok(Transacted::Done),
                Err(error) => match cancelled(error.as_service_error(), last) {
                    Some(outcome) => Ok(outcome),
                    None => Err(self.error("write a change to", error)),
                },
            }
        });
        answer.await
    }
}

/// Where a page of [`Index::changes`] begins.
#[derive(Clone, Debug)]
pub struct Cursor(Item);

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transacted {
    Done,
    HeadIsNewer,
    Conflict,
}

/// What a cancelled transaction means; none where it is an error.
fn cancelled(error: Option<&TransactWriteItemsError>, head: usize) -> Option<Transacted> {
    let error = error?;
    if error.is_transaction_in_progress_exception() {
        return Some(Transacted::Conflict);
    }
    let TransactWriteItemsError::TransactionCanceledException(exception) = error else {
        return None;
    };
    let reasons: Vec<&str> = exception
        .cancellation_reasons()
        .iter()
        .map(|r| r.code().unwrap_or("None"))
        .collect();
    let retriable = |code: &&str| {
        matches!(
            *code,
            "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"
        )
    };
    if reasons.iter().any(retriable) {
        return Some(Transacted::Conflict);
    }
    let failed: Vec<usize> = (0..reasons.len())
        .filter(|i| reasons[*i] != "None")
        .collect();
    let head_only = failed == [head] && reasons[head] == "ConditionalCheckFailed";
    head_only.then_some(Transacted::HeadIsNewer)
}

fn put_request(item: &Item) -> Result<WriteRequest, StoreError> {
    let put = PutRequest::builder().set_item(Some(item.clone())).build();
    let put = put.map_err(|e| misshapen(&e.to_string()))?;
    Ok(WriteRequest::builder().put_request(put).build())
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn string<'a>(item: &'a Item, field: &str) -> Option<&'a str> {
    item.get(field)
        .and_then(|v| v.as_s().ok())
        .map(String::as_str)
}

fn misshapen(told: &str) -> StoreError {
    StoreError::new("read or write a row of the index", ErrorKind::Format, told)
}

fn keyed<T: Serialize>(scope: &str, entry: &str, row: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(row).map_err(|e| misshapen(&e.to_string()))?;
    item.insert("scope".into(), text(scope));
    item.insert("entry".into(), text(entry));
    Ok(item)
}

fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|e| misshapen(&e.to_string()))
}

fn read_record(item: Item) -> Result<Record, StoreError> {
    let stored: StoredRecord = from_item(item)?;
    Ok(stored.try_into()?)
}

/// The head of a names row; none where only labels or tags were seen.
fn read_head(mut item: Item) -> Result<Option<Head>, StoreError> {
    let Some(held) = item.remove("record") else {
        return Ok(None);
    };
    let stored: StoredRecord =
        serde_dynamo::from_attribute_value(held).map_err(|e| misshapen(&e.to_string()))?;
    let trimmed = stored.trimmed == Some(true);
    let record = stored.try_into()?;
    Ok(Some(Head { record, trimmed }))
}
