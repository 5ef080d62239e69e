//! The index: the same facts as the journal, laid out for questions.

mod audit;
mod create;
mod rebuilding;
mod rows;
mod runs;
mod together;
mod write;

pub use audit::{AuditRow, HeadRow, head_field};
pub use rebuilding::Unfinished;
pub use together::{About, Ends};

use std::collections::BTreeMap;
use std::error::Error;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures_util::{StreamExt, TryStreamExt, stream};

use self::rows::{Item, read_coverage, read_head, read_record, text};
use super::error::{ErrorKind, StoreError};
use super::patience::patiently;
use crate::domain::record::Operation;
use crate::domain::stored::{FIRST_FORMAT, FORMAT};
use crate::domain::{Coverage, Instant, Name, Pointer, Record, Target, keys};

/// Every instant's text begins with a digit; labels and tags stand below.
const FIRST_INSTANT: &str = "0";
/// Above every instant.
const LAST_INSTANT: &str = ":";
/// How many rows are read at once on the way to the next of a kind.
const ROWS_ON_THE_WAY: i32 = 50;
/// How many rows the first look at a name reads: more than a hundred retained
/// versions with the deletions between them.
const FIRST_ROWS: i32 = 300;
/// How many names are looked at where one that has a value will do.
const SOME_ROWS: i32 = 100;
/// How many rows are read by their keys at once.
const ITEMS_AT_ONCE: usize = 16;

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
    /// The newest change of tags.
    pub tags: Option<TagHead>,
    /// Whether a label was ever seen to move.
    pub labelled: bool,
}

/// The newest change of a name's tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagHead {
    /// The record.
    pub record: Record,
    /// Its entry, which cannot be told from a record whose tags are left out.
    pub(crate) entry: String,
    /// Its tags are left out of `record`: [`Index::tag_change`] reads them.
    pub trimmed: bool,
}

/// Heads by name.
pub type Heads = BTreeMap<Name, Head>;

/// What one call tells of one name, newest first.
#[derive(Clone, Debug)]
pub struct Recent {
    /// The records that decide its state.
    pub records: Vec<Record>,
    /// Whether there are no older ones.
    pub complete: bool,
    /// Its changes of tags: all of them, or none where the answer had no room
    /// for all; then [`Index::recent_tags`] reads the newest.
    pub tags: Option<Vec<Record>>,
}

impl Index {
    pub(super) fn new(config: &SdkConfig, table: String) -> Self {
        Self {
            client: crate::told_client!(aws_sdk_dynamodb, config),
            table,
        }
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Makes sure that the table is an index of a format this program knows,
    /// and that it has everything: one that is being rebuilt is refused. A
    /// table without a format row is a new one.
    pub async fn check_format(&self) -> Result<(), StoreError> {
        self.refuse_unfinished(self.item(keys::META, "format").await?)
    }

    /// Refuses an index whose format row is this one, unless it is of a format
    /// that this program knows and has everything.
    fn refuse_unfinished(&self, format: Option<Item>) -> Result<(), StoreError> {
        match self
            .known_format(format)?
            .as_ref()
            .and_then(rebuilding::unfinished)
        {
            None => Ok(()),
            Some(unfinished) => Err(StoreError::new(
                format!("read the table {}", self.table),
                ErrorKind::Unfinished,
                format!("it is being rebuilt, since {}", unfinished.since),
            )),
        }
    }

    /// Writes the format row of a new table; refuses one of another format.
    ///
    /// One that is being rebuilt is no other: captures go on meanwhile.
    pub async fn claim_format(&self) -> Result<(), StoreError> {
        if self.format_row().await?.is_some() {
            return Ok(());
        }
        let answer = patiently(|| async {
            let call = self
                .client
                .put_item()
                .table_name(&self.table)
                .item("scope", text(keys::META))
                .item("entry", text("format"))
                .item("format", AttributeValue::N(FIRST_FORMAT.to_string()))
                .condition_expression("attribute_not_exists(#s)")
                .expression_attribute_names("#s", "scope");
            call.send()
                .await
                .map_err(|e| self.error("dynamodb:PutItem", "write the format of", e))
        })
        .await;
        match answer {
            Err(e) if e.code() != Some("ConditionalCheckFailedException") => Err(e),
            _ => Ok(()),
        }
    }

    /// The format row, if it is of a format this program knows.
    async fn format_row(&self) -> Result<Option<Item>, StoreError> {
        self.known_format(self.item(keys::META, "format").await?)
    }

    /// The format row; an error where it is of a format that this program does
    /// not know.
    fn known_format(&self, row: Option<Item>) -> Result<Option<Item>, StoreError> {
        let Some(item) = row else {
            return Ok(None);
        };
        let format = item.get("format").and_then(|v| v.as_n().ok());
        match format.and_then(|n| n.parse::<u32>().ok()) {
            Some(format) if format <= FORMAT => Ok(Some(item)),
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
        let mut heads = Heads::new();
        let mut insert = |item: Item| {
            if let Some(head) = read_head(item)?
                && target.contains(&head.record.name)
            {
                heads.insert(head.record.name.clone(), head);
            }
            Ok(())
        };
        match target {
            Target::Name(name) => {
                let item = self.item(keys::NAMES, name.as_str()).await?;
                item.map_or(Ok(()), insert)?;
            }
            Target::Path { path, .. } => {
                let query = self
                    .query(keys::NAMES)
                    .key_condition_expression("#s = :s AND begins_with(#e, :p)")
                    .expression_attribute_values(":p", text(path.as_str()));
                self.each(query, &mut insert).await?;
            }
        }
        Ok(heads)
    }

    /// The heads of `names`, strongly consistent: a call for each.
    pub async fn heads_of(&self, names: &[Name]) -> Result<Heads, StoreError> {
        let items: Vec<Option<Item>> = stream::iter(names)
            .map(|name| self.item(keys::NAMES, name.as_str()))
            .buffered(ITEMS_AT_ONCE)
            .try_collect()
            .await?;
        let mut heads = Heads::new();
        for item in items.into_iter().flatten() {
            if let Some(head) = read_head(item)? {
                heads.insert(head.record.name.clone(), head);
            }
        }
        Ok(heads)
    }

    /// Where one of the newest values is kept; none where the first names tell
    /// of none. All values of an index are kept in one bucket.
    pub async fn some_pointer(&self) -> Result<Option<Pointer>, StoreError> {
        let query = self
            .query(keys::NAMES)
            .key_condition_expression("#s = :s AND begins_with(#e, :p)")
            .expression_attribute_values(":p", text("/"))
            .limit(SOME_ROWS);
        for item in self.page(query).await?.0 {
            let head = read_head(item)?;
            let written = head.as_ref().and_then(|head| head.record.present());
            if let Some(pointer) = written.and_then(|written| written.value.pointer()) {
                return Ok(Some(pointer.clone()));
            }
        }
        Ok(None)
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

    /// The newest state-deciding records of `name`, newest first, enough for
    /// every version that may still be retained; and its changes of tags, which
    /// stand below them, where there are not too many rows: one call.
    pub async fn recent(&self, name: &Name) -> Result<Recent, StoreError> {
        let query = self.records(name, &format!("+{FIRST_INSTANT}"), LAST_INSTANT);
        let query = query.scan_index_forward(false).limit(FIRST_ROWS);
        let (items, next) = self.page(query).await?;
        let read: Result<Vec<Record>, _> = items.into_iter().map(read_record).collect();
        let (records, beside): (Vec<_>, Vec<_>) =
            read?.into_iter().partition(Record::decides_state);
        let complete = next.is_none() || !beside.is_empty();
        let tags = next.is_none().then(|| only_tags(beside));
        Ok(Recent {
            records,
            complete,
            tags,
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

    /// The record of `name` with this [`Record::entry`]; none where there is none.
    pub async fn record_at(&self, name: &Name, entry: &str) -> Result<Option<Record>, StoreError> {
        let own = keys::parse_own_entry(entry).map(|(at, suffix)| keys::own_entry_of(at, suffix));
        let Some(own) = own else { return Ok(None) };
        let item = self.item(name.as_str(), &own).await?;
        item.map(read_record).transpose()
    }

    /// The whole record of the newest change of tags.
    pub async fn tag_change(&self, head: &TagHead) -> Result<Option<Record>, StoreError> {
        if !head.trimmed {
            return Ok(Some(head.record.clone()));
        }
        let entry = format!("+{}", head.entry);
        let item = self.item(head.record.name.as_str(), &entry).await?;
        item.map(read_record).transpose()
    }

    /// One page of everything that happened under `target` from one instant to
    /// another, both included, newest first, and where the next page begins: as
    /// many rows as `rows` says, else as many as one answer holds. Slim records
    /// for a path; of a name only what decides its state.
    pub async fn changes(
        &self,
        target: &Target,
        (since, until): (Instant, Instant),
        start: Option<Cursor>,
        rows: Option<usize>,
    ) -> Result<(Vec<Record>, Option<Cursor>), StoreError> {
        let query = self
            .query(target.as_str())
            .key_condition_expression("#s = :s AND #e BETWEEN :a AND :z")
            .expression_attribute_values(":a", text(&since.to_string()))
            .expression_attribute_values(":z", text(&keys::just_after(until)));
        let (items, next) = self.newest_first(query, start, rows).await?;
        let mut records = Vec::with_capacity(items.len());
        for item in items {
            let record = read_record(item)?;
            if target.contains(&record.name) {
                records.push(record);
            }
        }
        Ok((records, next.map(Cursor)))
    }

    /// As [`Index::changes`] of a name, what does not decide its state.
    pub async fn changes_beside(
        &self,
        name: &Name,
        (since, until): (Instant, Instant),
        start: Option<Cursor>,
        rows: Option<usize>,
    ) -> Result<(Vec<Record>, Option<Cursor>), StoreError> {
        let (from, to) = (format!("+{since}"), format!("+{}", keys::just_after(until)));
        let query = self.records(name, &from, &to);
        let (items, next) = self.newest_first(query, start, rows).await?;
        let records: Result<_, _> = items.into_iter().map(read_record).collect();
        Ok((records?, next.map(Cursor)))
    }

    async fn newest_first(
        &self,
        query: QueryFluentBuilder,
        start: Option<Cursor>,
        rows: Option<usize>,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let query = query
            .scan_index_forward(false)
            .set_exclusive_start_key(start.map(|c| c.0))
            .set_limit(rows.map(|rows| i32::try_from(rows).unwrap_or(i32::MAX)));
        self.page(query).await
    }

    /// The newest state-deciding records of `name` up to `record`, itself
    /// included, newest first: one call.
    pub async fn up_to(&self, record: &Record, rows: i32) -> Result<Vec<Record>, StoreError> {
        let query = self.records(&record.name, FIRST_INSTANT, &record.entry());
        let items = self
            .page(query.scan_index_forward(false).limit(rows))
            .await?;
        items.0.into_iter().map(read_record).collect()
    }

    /// What does not decide the state of one name, newest first.
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

    /// The newest changes of tags of `name`, newest first: one call.
    pub async fn recent_tags(&self, name: &Name) -> Result<Vec<Record>, StoreError> {
        let (from, to) = (format!("+{FIRST_INSTANT}"), format!("+{LAST_INSTANT}"));
        let query = self.records(name, &from, &to);
        let query = query.scan_index_forward(false).limit(FIRST_ROWS);
        let (items, _) = self.page(query).await?;
        let records: Result<Vec<Record>, _> = items.into_iter().map(read_record).collect();
        Ok(only_tags(records?))
    }

    /// The newest change of tags of `name` at or before `at`.
    pub async fn newest_tags_until(
        &self,
        name: &Name,
        at: Instant,
    ) -> Result<Option<Record>, StoreError> {
        let (from, to) = (
            format!("+{FIRST_INSTANT}"),
            format!("+{}", keys::just_after(at)),
        );
        let query = self.records(name, &from, &to).scan_index_forward(false);
        let query = query.limit(ROWS_ON_THE_WAY);
        let mut start = None;
        loop {
            let page = query.clone().set_exclusive_start_key(start);
            let (items, next) = self.page(page).await?;
            for item in items {
                let record = read_record(item)?;
                if record.operation() == Operation::Tags {
                    return Ok(Some(record));
                }
            }
            start = next;
            if start.is_none() {
                return Ok(None);
            }
        }
    }

    /// Records nearest to `at`, without any at it: the last ones before it,
    /// newest first, and the first ones after it, oldest first. Two calls.
    pub async fn around(
        &self,
        name: &Name,
        at: Instant,
    ) -> Result<(Vec<Record>, Vec<Record>), StoreError> {
        let before = self.records(name, FIRST_INSTANT, &at.to_string());
        let before = before.scan_index_forward(false).limit(ROWS_ON_THE_WAY);
        let after = self.records(name, &keys::just_after(at), LAST_INSTANT);
        let after = after.limit(ROWS_ON_THE_WAY);
        let ((before, _), (after, _)) = tokio::try_join!(self.page(before), self.page(after))?;
        let read = |items: Vec<Item>| -> Result<Vec<Record>, StoreError> {
            items.into_iter().map(read_record).collect()
        };
        Ok((read(before)?, read(after)?))
    }

    /// The coverage of every path.
    pub async fn coverage(&self) -> Result<Coverage, StoreError> {
        let query = self
            .query(keys::META)
            .key_condition_expression("#s = :s AND begins_with(#e, :p)")
            .expression_attribute_values(":p", text("coverage#"));
        let paths: Result<Vec<_>, _> = self
            .all(query)
            .await?
            .into_iter()
            .map(read_coverage)
            .collect();
        Ok(Coverage::new(paths?))
    }

    fn error<E>(
        &self,
        action: &'static str,
        attempted: &str,
        error: SdkError<E, HttpResponse>,
    ) -> StoreError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        StoreError::of(
            action,
            format!("{attempted} the table {}", self.table),
            error,
        )
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
            call.send()
                .await
                .map_err(|e| self.error("dynamodb:GetItem", "read", e))
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

    /// The next rows, and the key of those after them. A page with nothing on it and a key is not the
    /// end: the one after it is asked for.
    async fn page(
        &self,
        mut query: QueryFluentBuilder,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        loop {
            let answer = patiently(|| async {
                let answer = query.clone().send().await;
                answer.map_err(|e| self.error("dynamodb:Query", "query", e))
            })
            .await?;
            let next = answer.last_evaluated_key.filter(|k| !k.is_empty());
            let items = answer.items.unwrap_or_default();
            if next.is_none() || !items.is_empty() {
                return Ok((items, next));
            }
            query = query.set_exclusive_start_key(next);
        }
    }

    async fn all(&self, query: QueryFluentBuilder) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        self.each(query, |item| {
            items.push(item);
            Ok(())
        })
        .await?;
        Ok(items)
    }

    /// Does something with each row of all pages, a page after the other: as they
    /// are answered rows take several times the room of what is read from them.
    async fn each(
        &self,
        query: QueryFluentBuilder,
        mut with: impl FnMut(Item) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut start = None;
        loop {
            let (page, next) = self
                .page(query.clone().set_exclusive_start_key(start))
                .await?;
            page.into_iter().try_for_each(&mut with)?;
            start = next;
            if start.is_none() {
                return Ok(());
            }
        }
    }
}

/// Where a page of [`Index::changes`] begins.
#[derive(Clone, Debug)]
pub struct Cursor(Item);

/// Those of `records` that are changes of tags.
fn only_tags(records: Vec<Record>) -> Vec<Record> {
    let tagged = |r: &Record| r.operation() == Operation::Tags;
    records.into_iter().filter(tagged).collect()
}
