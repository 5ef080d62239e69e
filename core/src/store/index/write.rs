//! Writing to the index.

use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};

use super::rows::{Item, keyed, misshapen, text};
use super::{ErrorKind, Index, StoreError, patiently};
use crate::domain::coverage::Interval;
use crate::domain::record::Operation;
use crate::domain::run::Run;
use crate::domain::stored::StoredRecord;
use crate::domain::{Path, Record, keys};

/// A transaction that conflicts with another writer's is tried again this often.
const MOST_CONFLICTS: u32 = 12;
/// Most rows that one transaction writes: a hundred are allowed, but of 4 MB together, and
/// a row can hold all tags of a name.
pub(super) const BATCH: usize = 25;

impl Index {
    /// Writes all rows of a record in one transaction; the head only where it
    /// is older. The same record again changes nothing.
    pub async fn put(&self, record: &Record) -> Result<(), StoreError> {
        let stored = StoredRecord::from(record);
        let rows = rows_of(record, &stored)?;
        let rows: Vec<TransactWriteItem> = rows
            .into_iter()
            .map(|row| self.put_in_transaction(row))
            .collect::<Result<_, _>>()?;
        let head = self.head(record, &stored)?;
        self.raise_format(stored.format).await?;
        let what = || format!("index a change of {}", record.name);
        self.transact_at_last(rows, head, what).await
    }

    /// Writes rows in one transaction, and again as long as other writers are in its way; the head
    /// only where it is older.
    async fn transact_at_last(
        &self,
        rows: Vec<TransactWriteItem>,
        mut head: Option<TransactWriteItem>,
        what: impl Fn() -> String,
    ) -> Result<(), StoreError> {
        for conflict in 0..MOST_CONFLICTS {
            let items = rows.iter().cloned().chain(head.clone()).collect();
            match self.transact(items).await? {
                Transacted::Done => return Ok(()),
                Transacted::HeadIsNewer => head = None,
                Transacted::Conflict | Transacted::Throttled => {
                    let wait_ms = 20u64 << conflict.min(6);
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                }
            }
        }
        Err(StoreError::new(
            what(),
            ErrorKind::Throttled,
            "other writers kept changing the same rows",
        ))
    }

    /// Writes the coverage of a path, if it still is as `before`; false where
    /// another writer changed it meanwhile.
    pub async fn put_coverage(
        &self,
        path: &Path,
        before: &[Interval],
        after: &[Interval],
    ) -> Result<bool, StoreError> {
        let list = |intervals: &[Interval]| -> Result<AttributeValue, StoreError> {
            serde_dynamo::to_attribute_value(intervals).map_err(|e| misshapen(&e.to_string()))
        };
        let (before, after) = (list(before)?, list(after)?);
        let answer = patiently(|| async {
            let call = self
                .client
                .put_item()
                .table_name(&self.table)
                .item("scope", text(keys::META))
                .item("entry", text(&keys::coverage_entry(path)))
                .item("path", text(path.as_str()))
                .item("intervals", after.clone())
                .condition_expression("attribute_not_exists(#i) OR #i = :before")
                .expression_attribute_names("#i", "intervals")
                .expression_attribute_values(":before", before.clone());
            let answer = call.send().await;
            answer.map_err(|e| self.error("dynamodb:PutItem", "write coverage to", e))
        })
        .await;
        match answer {
            Ok(_) => Ok(true),
            Err(e) if e.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes a run: one row for each name, then one for the run itself.
    pub async fn put_run(&self, run: &Run) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(run.names.len());
        for name in &run.names {
            let entry = keys::run_name_entry(run.started, &run.id, &name.name);
            rows.push(keyed(keys::META, &entry, name)?);
        }
        for batch in rows.chunks(BATCH) {
            self.put_batch(batch.to_vec()).await?;
        }
        let entry = keys::run_entry(run.started, &run.id);
        self.put_batch(vec![keyed(keys::META, &entry, &run.summary())?])
            .await
    }

    /// Puts up to [`BATCH`] rows in one transaction, which takes no more than `dynamodb:PutItem`:
    /// the right to write in a batch is also that to delete in one.
    pub(super) async fn put_batch(&self, rows: Vec<Item>) -> Result<(), StoreError> {
        let puts = rows.into_iter().map(|row| self.put_in_transaction(row));
        let puts = puts.collect::<Result<Vec<_>, _>>()?;
        self.transact_at_last(puts, None, || "write rows to the index".to_owned())
            .await
    }

    fn put_in_transaction(&self, row: Item) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(row))
            .build()
            .map_err(|e| misshapen(&e.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The change of the head, where the record is of a kind that has one: only
    /// if what it holds sorts lower.
    fn head(
        &self,
        record: &Record,
        stored: &StoredRecord,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some((key, value)) = head_fields(record) else {
            return Ok(None);
        };
        let held = held(stored)?;
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
        Ok(Some(TransactWriteItem::builder().update(update).build()))
    }

    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Transacted, StoreError> {
        let last = items.len().saturating_sub(1);
        let answer = patiently(|| async {
            let call = self.client.transact_write_items();
            let answer = call.set_transact_items(Some(items.clone())).send().await;
            let Err(error) = answer else {
                return Ok(Transacted::Done);
            };
            match cancelled(error.as_service_error(), last) {
                Some(Transacted::Throttled) => Err(StoreError::new(
                    format!("write a change to the table {}", self.table),
                    ErrorKind::Throttled,
                    "it has no capacity left",
                )),
                Some(outcome) => Ok(outcome),
                None => Err(self.error("dynamodb:PutItem", "write a change to", error)),
            }
        });
        answer.await
    }
}

/// All rows of a record but its head.
pub(super) fn rows_of(record: &Record, stored: &StoredRecord) -> Result<Vec<Item>, StoreError> {
    let own = keys::own_entry(record);
    let mut rows = vec![keyed(record.name.as_str(), &own, stored)?];
    let (entry, slim) = (keys::path_entry(record), stored.slim());
    for path in record.name.paths_above() {
        rows.push(keyed(path.as_str(), &entry, &slim)?);
    }
    Ok(rows)
}

/// Where in the head of its name a record stands: its entry, and itself; none
/// for who asked for a deletion, which no question is answered by.
pub(super) fn head_fields(record: &Record) -> Option<(&'static str, &'static str)> {
    match record.operation() {
        Operation::LabelParameterVersion => Some(("labelHead", "labelRecord")),
        Operation::Tags => Some(("tagHead", "tagRecord")),
        Operation::Create | Operation::Update | Operation::Delete | Operation::StillThere => {
            Some(("head", "record"))
        }
        Operation::DeletedBy => None,
    }
}

/// The record as its head holds it.
pub(super) fn held(stored: &StoredRecord) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(stored.for_head()).map_err(|e| misshapen(&e.to_string()))
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transacted {
    Done,
    HeadIsNewer,
    Conflict,
    Throttled,
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
    let throttled =
        |code: &&str| matches!(*code, "ThrottlingError" | "ProvisionedThroughputExceeded");
    if reasons.iter().any(throttled) {
        return Some(Transacted::Throttled);
    }
    if reasons.contains(&"TransactionConflict") {
        return Some(Transacted::Conflict);
    }
    let failed: Vec<usize> = (0..reasons.len())
        .filter(|i| reasons[*i] != "None")
        .collect();
    let head_only = failed == [head] && reasons[head] == "ConditionalCheckFailed";
    head_only.then_some(Transacted::HeadIsNewer)
}
