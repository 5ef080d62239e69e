//! Rows of different partitions in one call, and rows of many names in few.
//!
//! Rows whose keys are known are read in a transaction: it takes no more than
//! `dynamodb:GetItem`, always answers in full, and is strongly consistent.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError;
use aws_sdk_dynamodb::types::{Get, TransactGetItem};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::rows::{Item, misshapen, read_coverage, read_head, read_record, string, text};
use super::{ErrorKind, FIRST_INSTANT, Head, Index, LAST_INSTANT, StoreError, patiently};
use crate::domain::{Coverage, Instant, Name, Path, Record, keys};

/// Most rows of one transaction: a hundred are allowed, but of 4 MB together, and a row
/// can hold all tags of a name.
const ROWS_TOGETHER: usize = 25;
/// How many such transactions are under way at once.
const READS_AT_ONCE: usize = 4;
/// How many of the oldest rows of a name are read where what was newest at an instant is
/// looked for among them.
const OLDEST_ROWS: i32 = 300;
/// A page of a path's rows must tell of this many names that were not told of before, else
/// asking for each name is cheaper.
const NAMES_A_PAGE: usize = 50;

/// What one call tells of one name.
#[derive(Clone, Debug)]
pub struct About {
    /// The coverage of the paths above it.
    pub coverage: Coverage,
    /// Its head.
    pub head: Option<Head>,
    /// The record that was asked for by its key, where there is one.
    pub record: Option<Record>,
}

/// What is oldest of a name, and what was newest at an instant.
#[derive(Clone, Debug)]
pub struct Ends {
    /// The oldest state-deciding record.
    pub oldest: Option<Record>,
    /// The newest one at or before the instant.
    pub newest_until: Option<Record>,
}

impl Index {
    /// The coverage of the paths above `name`, its head, and its record with the
    /// sort key `own_entry`: one call. Refuses what [`Index::check_format`] refuses.
    pub async fn about(&self, name: &Name, own_entry: Option<&str>) -> Result<About, StoreError> {
        let mut wanted = vec![
            (keys::META.to_owned(), "format".to_owned()),
            (keys::NAMES.to_owned(), name.to_string()),
        ];
        let paths = name.paths_above();
        wanted.extend(paths.map(|path| (keys::META.to_owned(), keys::coverage_entry(&path))));
        wanted.extend(own_entry.map(|entry| (name.to_string(), entry.to_owned())));
        let mut rows = self.rows_together(&wanted).await?;
        let record = rows.pop_if(|_| own_entry.is_some()).flatten();
        let mut rows = rows.into_iter();
        let (format, head) = (rows.next().flatten(), rows.next().flatten());
        self.refuse_unfinished(format)?;
        let covered: Result<Vec<_>, _> = rows.flatten().map(read_coverage).collect();
        Ok(About {
            coverage: Coverage::new(covered?),
            head: head.map(read_head).transpose()?.flatten(),
            record: record.map(read_record).transpose()?,
        })
    }

    /// The coverage of every path, of an index that [`Index::check_format`] does
    /// not refuse: one call.
    pub async fn checked_coverage(&self) -> Result<Coverage, StoreError> {
        let query = self
            .query(keys::META)
            .key_condition_expression("#s = :s AND #e BETWEEN :a AND :z")
            .expression_attribute_values(":a", text("coverage#"))
            .expression_attribute_values(":z", text("format"));
        let (mut format, mut covered) = (None, Vec::new());
        self.each(query, |item| {
            if string(&item, "entry") == Some("format") {
                format = Some(item);
            } else if item.contains_key("path") {
                covered.push(read_coverage(item)?);
            }
            Ok(())
        })
        .await?;
        self.refuse_unfinished(format)?;
        Ok(Coverage::new(covered))
    }

    /// What is oldest of `name`, and what was newest at `at`: one call where at most 300
    /// records tell of it until then, else two.
    pub async fn ends(&self, name: &Name, at: Instant) -> Result<Ends, StoreError> {
        let query = self.records(name, FIRST_INSTANT, LAST_INSTANT);
        let (items, next) = self.page(query.limit(OLDEST_ROWS)).await?;
        let mut records = Vec::with_capacity(items.len());
        for item in items {
            records.push(read_record(item)?);
        }
        let seen = next.is_none() || records.last().is_some_and(|r: &Record| r.at > at);
        let newest_until = if seen {
            records.iter().rfind(|r| r.at <= at).cloned()
        } else {
            self.newest_until(name, at).await?
        };
        Ok(Ends {
            oldest: records.into_iter().next(),
            newest_until,
        })
    }

    /// For those of `names` that lie under `path`, the newest state-deciding record at or
    /// before `at`, as far as the newest rows of the path tell: pages are read as long as
    /// each tells of many names. Who is not in the answer must be asked for alone.
    ///
    /// Nothing is asked for fewer than fifty names. Takes less than a call a name, but for
    /// one page that may tell of none.
    pub async fn newest_under(
        &self,
        path: &Path,
        names: &[&Name],
        at: Instant,
    ) -> Result<BTreeMap<Name, Record>, StoreError> {
        let mut wanted: BTreeSet<&str> = names.iter().map(|name| name.as_str()).collect();
        if wanted.len() < NAMES_A_PAGE {
            return Ok(BTreeMap::new());
        }
        let mut found = Vec::with_capacity(wanted.len());
        let query = self
            .query(path.as_str())
            .key_condition_expression("#s = :s AND #e BETWEEN :a AND :z")
            .expression_attribute_values(":a", text(FIRST_INSTANT))
            .expression_attribute_values(":z", text(&keys::just_after(at)))
            .projection_expression("#e")
            .scan_index_forward(false);
        let mut start = None;
        loop {
            let (items, next) = self
                .page(query.clone().set_exclusive_start_key(start))
                .await?;
            let known = found.len();
            for item in items {
                let told = string(&item, "entry").and_then(keys::parse_path_entry);
                let Some((at, name, suffix)) = told else {
                    return Err(misshapen("a row of a path has another sort key"));
                };
                let own = keys::own_entry_of(at, suffix);
                if !own.starts_with('+') && wanted.remove(name.as_str()) {
                    found.push((name.to_string(), own));
                }
            }
            start = next;
            let pays = found.len() - known >= NAMES_A_PAGE;
            if start.is_none() || wanted.len() < NAMES_A_PAGE || !pays {
                break;
            }
        }
        // As they are answered rows take several times the room of their records.
        let read = async |some| -> Result<Vec<Record>, StoreError> {
            let rows = self.rows_together(some).await?;
            rows.into_iter().flatten().map(read_record).collect()
        };
        let mut answers = stream::iter(found.chunks(ROWS_TOGETHER))
            .map(read)
            .buffered(READS_AT_ONCE);
        let mut records = BTreeMap::new();
        while let Some(some) = answers.try_next().await? {
            records.extend(some.into_iter().map(|record| (record.name.clone(), record)));
        }
        Ok(records)
    }

    /// The rows with these keys, in their order, as they all stand at one moment: up to
    /// [`ROWS_TOGETHER`].
    async fn rows_together(
        &self,
        wanted: &[(String, String)],
    ) -> Result<Vec<Option<Item>>, StoreError> {
        let gets: Result<Vec<_>, _> = wanted.iter().map(|key| self.get(key)).collect();
        let gets = gets?;
        let answer = patiently(|| async {
            let call = self.client.transact_get_items();
            let answer = call.set_transact_items(Some(gets.clone())).send().await;
            answer.map_err(|error| {
                if error.as_service_error().is_some_and(is_in_the_way) {
                    let told = "another writer is changing the same rows";
                    let attempted = format!("read the table {}", self.table);
                    return StoreError::new(attempted, ErrorKind::Throttled, told);
                }
                self.error("dynamodb:GetItem", "read", error)
            })
        })
        .await?;
        let rows = answer.responses.unwrap_or_default();
        if rows.len() != wanted.len() {
            return Err(misshapen("not every row that was asked for is told of"));
        }
        let filled = |item: Item| Some(item).filter(|item| !item.is_empty());
        Ok(rows
            .into_iter()
            .map(|row| row.item.and_then(filled))
            .collect())
    }

    fn get(&self, (scope, entry): &(String, String)) -> Result<TransactGetItem, StoreError> {
        let get = Get::builder()
            .table_name(&self.table)
            .key("scope", text(scope))
            .key("entry", text(entry))
            .build()
            .map_err(|e| misshapen(&e.to_string()))?;
        Ok(TransactGetItem::builder().get(get).build())
    }
}

/// Whether another writer held one of the rows for a moment, or there was no capacity.
fn is_in_the_way(error: &TransactGetItemsError) -> bool {
    let TransactGetItemsError::TransactionCanceledException(cancelled) = error else {
        return false;
    };
    let mut reasons = cancelled.cancellation_reasons().iter();
    reasons.any(|reason| {
        matches!(
            reason.code(),
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
        )
    })
}
