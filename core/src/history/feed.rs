//! The records of a name or path from one instant to another, newest first,
//! page by page.

use std::collections::VecDeque;

use futures_util::future::try_join_all;

use crate::domain::{Instant, Record, Target};
use crate::store::{Cursor, Index, StoreError};

/// Where few rows are wanted and did not suffice, each page is so many times
/// as long as the one before.
const GROWTH: usize = 4;

/// Records in order, from one range of the index or two: a name's labels, tags
/// and deleters stand in a range of their own.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    index: &'a Index,
    target: &'a Target,
    span: (Instant, Instant),
    ranges: Vec<Range>,
}

#[derive(Debug)]
struct Range {
    beside: bool,
    /// Read, and not given out yet.
    records: VecDeque<Record>,
    start: Option<Cursor>,
    is_read: bool,
    /// Rows of the next page; none: as many as an answer holds.
    rows: Option<usize>,
}

impl<'a> Feed<'a> {
    /// `rows` is how many the first page is to have; none where nobody knows.
    pub(super) fn new(
        index: &'a Index,
        target: &'a Target,
        span: (Instant, Instant),
        rows: Option<usize>,
    ) -> Self {
        let range = |beside| Range {
            beside,
            records: VecDeque::new(),
            start: None,
            is_read: false,
            rows: match target {
                Target::Name(_)
                | Target::Path {
                    recursive: true, ..
                } => rows,
                // Most rows may be of deeper levels.
                Target::Path { .. } => None,
            },
        };
        let ranges = match target {
            Target::Name(_) => vec![range(false), range(true)],
            Target::Path { .. } => vec![range(false)],
        };
        Self {
            index,
            target,
            span,
            ranges,
        }
    }

    /// The next records; none after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Record>>, StoreError> {
        let (index, target, span) = (self.index, self.target, self.span);
        let reads = self.ranges.iter_mut().map(|range| async move {
            while range.records.is_empty() && !range.is_read {
                range.read(index, target, span).await?;
            }
            Ok::<_, StoreError>(())
        });
        try_join_all(reads).await?;
        Ok(Some(self.ready()).filter(|ready| !ready.is_empty()))
    }

    /// All that no range can add to any more, in order.
    fn ready(&mut self) -> Vec<Record> {
        let unread = self.ranges.iter().filter(|r| !r.is_read);
        let reached = unread.filter_map(|r| r.records.back().map(order)).max();
        let is_ready = |record: &Record| {
            let reached = reached.as_ref();
            reached.is_none_or(|reached| order(record) >= *reached)
        };
        let mut ready = Vec::new();
        for range in &mut self.ranges {
            let count = range.records.partition_point(is_ready);
            ready.extend(range.records.drain(..count));
        }
        if self.ranges.len() > 1 {
            ready.sort_by_cached_key(|record| std::cmp::Reverse(order(record)));
        }
        ready
    }
}

impl Range {
    async fn read(
        &mut self,
        index: &Index,
        target: &Target,
        span: (Instant, Instant),
    ) -> Result<(), StoreError> {
        let (start, rows) = (self.start.take(), self.rows);
        let (records, next) = match target {
            Target::Name(name) if self.beside => {
                index.changes_beside(name, span, start, rows).await?
            }
            Target::Name(_) | Target::Path { .. } => {
                index.changes(target, span, start, rows).await?
            }
        };
        self.records.extend(records);
        self.is_read = next.is_none();
        self.start = next;
        self.rows = rows.map(|rows| rows.saturating_mul(GROWTH));
        Ok(())
    }
}

/// Later is greater.
fn order(record: &Record) -> (Instant, String, String) {
    (record.at, record.name.to_string(), record.suffix())
}
