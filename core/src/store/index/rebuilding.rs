//! Writing the whole index anew: the same rows as captures write, many at a
//! time, and the mark that it is not finished.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::rows::{Item, keyed, string, text};
use super::write::{BATCH, head_fields, held, rows_of};
use super::{Index, StoreError, patiently};
use crate::domain::run::Run;
use crate::domain::stored::{FIRST_FORMAT, FORMAT, StoredRecord};
use crate::domain::{Instant, Record, keys};

/// How many batches, and then heads, are written at once.
const WRITES_AT_ONCE: usize = 8;
/// In the format row while the index is rebuilt: since when.
const SINCE: &str = "rebuilding";
/// In the format row while the index is rebuilt: the last finished day.
const UP_TO: &str = "rebuiltUpTo";

/// A rebuild that has not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// When it began.
    pub since: Instant,
    /// The prefix of the last day of the journal of which everything, and of
    /// every day before, is in the index.
    pub up_to: Option<String>,
}

impl Index {
    /// The rebuild of this index that has not finished, if there is one.
    pub async fn unfinished_rebuild(&self) -> Result<Option<Unfinished>, StoreError> {
        Ok(self.format_row().await?.as_ref().and_then(unfinished))
    }

    /// Marks the index as being rebuilt, or goes on with a rebuild that was not
    /// finished. Refuses a table of a newer format.
    pub async fn begin_rebuild(&self, now: Instant) -> Result<Unfinished, StoreError> {
        if let Some(unfinished) = self.unfinished_rebuild().await? {
            return Ok(unfinished);
        }
        let set = "SET #f = if_not_exists(#f, :f), #r = if_not_exists(#r, :now)";
        let number = |format: u32| AttributeValue::N(format.to_string());
        self.change_format_row("attribute_not_exists(#f) OR #f <= :known", set, |call| {
            call.expression_attribute_names("#f", "format")
                .expression_attribute_values(":f", number(FIRST_FORMAT))
                .expression_attribute_values(":known", number(FORMAT))
                .expression_attribute_values(":now", text(&now.to_string()))
        })
        .await?;
        // Another may have begun it in the same moment, or a newer program the table.
        let begun = self.unfinished_rebuild().await?;
        Ok(begun.unwrap_or(Unfinished {
            since: now,
            up_to: None,
        }))
    }

    /// Notes that every day of the journal up to `day` is in the index.
    pub async fn note_rebuilt(&self, day: &str) -> Result<(), StoreError> {
        self.change_format_row("attribute_exists(#r)", "SET #u = :day", |call| {
            call.expression_attribute_names("#u", UP_TO)
                .expression_attribute_values(":day", text(day))
        })
        .await
    }

    /// From now on the index has everything.
    pub async fn finish_rebuild(&self) -> Result<(), StoreError> {
        self.change_format_row("attribute_exists(#r)", "REMOVE #r, #u", |call| {
            call.expression_attribute_names("#u", UP_TO)
        })
        .await
    }

    /// Where the condition fails another rebuild has finished meanwhile: then
    /// there is nothing to be noted.
    async fn change_format_row(
        &self,
        condition: &str,
        change: &str,
        with: impl Fn(UpdateItem) -> UpdateItem,
    ) -> Result<(), StoreError> {
        let answer = patiently(|| async {
            let call = self
                .client
                .update_item()
                .table_name(&self.table)
                .key("scope", text(keys::META))
                .key("entry", text("format"))
                .update_expression(change)
                .condition_expression(condition)
                .expression_attribute_names("#r", SINCE);
            let answer = with(call).send().await;
            answer.map_err(|e| self.error("dynamodb:UpdateItem", "write the format of", e))
        })
        .await;
        unless_refused_by_condition(answer)
    }

    /// Writes all rows of many records, as [`Index::put`] writes those of one,
    /// then the head of each name where it is older. No two may be the same.
    ///
    /// Not one transaction for each record: a rebuild that dies in between is not finished, and
    /// goes on.
    pub async fn put_all(&self, records: &[Record]) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        let mut newest: BTreeMap<_, (String, &Record)> = BTreeMap::new();
        let mut format = FIRST_FORMAT;
        for record in records {
            let stored = StoredRecord::from(record);
            rows.extend(rows_of(record, &stored)?);
            format = format.max(stored.format);
            let Some(fields) = head_fields(record) else {
                continue;
            };
            let (entry, of) = (record.entry(), (&record.name, fields));
            let known = newest.get(&of).map(|(entry, _)| entry);
            if known.is_none_or(|known| *known < entry) {
                newest.insert(of, (entry, record));
            }
        }
        self.raise_format(format).await?;
        let batches = rows.chunks(BATCH).map(|batch| Ok(batch.to_vec()));
        stream::iter(batches)
            .try_for_each_concurrent(WRITES_AT_ONCE, |batch| self.put_batch(batch))
            .await?;
        stream::iter(newest.into_values().map(Ok))
            .try_for_each_concurrent(WRITES_AT_ONCE, |(_, record)| self.put_head(record))
            .await
    }

    /// Before a record of `format` comes into the index, its format row says so:
    /// older programs then refuse the whole of it instead of stumbling over one
    /// row. An index without such records stays of the first format.
    pub(super) async fn raise_format(&self, format: u32) -> Result<(), StoreError> {
        if format <= FIRST_FORMAT {
            return Ok(());
        }
        let answer = patiently(|| async {
            let call = self
                .client
                .update_item()
                .table_name(&self.table)
                .key("scope", text(keys::META))
                .key("entry", text("format"))
                .update_expression("SET #f = :f")
                .condition_expression("attribute_not_exists(#f) OR #f < :f")
                .expression_attribute_names("#f", "format")
                .expression_attribute_values(":f", AttributeValue::N(format.to_string()));
            let answer = call.send().await;
            answer.map_err(|e| self.error("dynamodb:UpdateItem", "write the format of", e))
        })
        .await;
        unless_refused_by_condition(answer)
    }

    /// Writes the head of a name, unless it is newer. One with the same entry
    /// is written again: the journal's record counts.
    async fn put_head(&self, record: &Record) -> Result<(), StoreError> {
        let Some((key, value)) = head_fields(record) else {
            return Ok(());
        };
        let held = held(&StoredRecord::from(record))?;
        let answer = patiently(|| async {
            let call = self
                .client
                .update_item()
                .table_name(&self.table)
                .key("scope", text(keys::NAMES))
                .key("entry", text(record.name.as_str()))
                .update_expression("SET #k = :k, #v = :v")
                .condition_expression("attribute_not_exists(#k) OR #k <= :k")
                .expression_attribute_names("#k", key)
                .expression_attribute_names("#v", value)
                .expression_attribute_values(":k", text(&record.entry()))
                .expression_attribute_values(":v", held.clone());
            let answer = call.send().await;
            answer.map_err(|e| self.error("dynamodb:UpdateItem", "write a head to", e))
        })
        .await;
        unless_refused_by_condition(answer)
    }

    /// Writes a run that may be under way: rows that are there already may say
    /// more, and stay.
    pub async fn put_run_if_new(&self, run: &Run) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(run.names.len() + 1);
        for name in &run.names {
            let entry = keys::run_name_entry(run.started, &run.id, &name.name);
            rows.push(keyed(keys::META, &entry, name)?);
        }
        let entry = keys::run_entry(run.started, &run.id);
        rows.push(keyed(keys::META, &entry, &run.summary())?);
        let puts = stream::iter(rows).map(|row| async move {
            let answer = patiently(|| async {
                let call = self.client.put_item().table_name(&self.table);
                let call = call.set_item(Some(row.clone()));
                let call = call.condition_expression("attribute_not_exists(#s)");
                let call = call.expression_attribute_names("#s", "scope");
                let answer = call.send().await;
                answer.map_err(|e| self.error("dynamodb:PutItem", "write a run to", e))
            });
            unless_refused_by_condition(answer.await)
        });
        puts.buffer_unordered(WRITES_AT_ONCE).try_collect().await
    }
}

/// The rebuild that a format row says has not finished.
pub(super) fn unfinished(format: &Item) -> Option<Unfinished> {
    string(format, SINCE).map(|since| Unfinished {
        // A mark that cannot be read is a mark all the same.
        since: since.parse().unwrap_or(Instant::EARLIEST),
        up_to: string(format, UP_TO).map(str::to_owned),
    })
}

/// A condition that fails means that there is nothing to be written.
fn unless_refused_by_condition<T>(answer: Result<T, StoreError>) -> Result<(), StoreError> {
    match answer {
        Err(e) if e.code() != Some("ConditionalCheckFailedException") => Err(e),
        _ => Ok(()),
    }
}

type UpdateItem = aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
