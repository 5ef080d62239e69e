//! Rebuild: the index, made from the journal alone.
//!
//! Order: the mark that the index is not finished, records, runs, coverage,
//! and the mark is taken off. Until then readers refuse the index: half of it
//! could take for absent what is only not read yet. Captures go on meanwhile.
//!
//! Everything is written so that the order does not matter and twice is once:
//! a rebuild that dies is run again.

pub(crate) mod coverage;
pub(crate) mod runs;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::domain::journal::{self, RECORD_BYTES_MAX};
use crate::domain::stored::StoredError;
use crate::domain::{Record, keys};
use crate::store::{ErrorKind, Listed, StoreError, Stores, Unfinished};

/// Days of the journal that are read at once.
const DAYS_AT_ONCE: usize = 4;
/// Chunks of one day that are read and written at once.
const CHUNKS_AT_ONCE: usize = 2;
/// Objects of one chunk that are read at once.
const READS_AT_ONCE: usize = 8;
/// Most records of a chunk...
const CHUNK_RECORDS: usize = 100;
/// ...and about the most bytes: memory is bounded by both.
const CHUNK_BYTES: u64 = 2 << 20;
/// How far it is is noted after so many records, at the end of a day.
const NOTE_EVERY: usize = 500;

/// What a rebuild tells while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// So many more records are in the index.
    Records(usize),
    /// All of a day of the journal is.
    Day(&'a str),
    /// An object that cannot be what it should be, and why.
    Unreadable(&'a str, &'a str),
}

/// Hears what a rebuild tells.
pub type Progress<'a> = &'a (dyn Fn(Told<'_>) + Sync);

/// What a rebuild found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RebuildReport {
    /// Records that were indexed.
    pub records: usize,
    /// Runs that were indexed.
    pub runs: usize,
    /// Paths that have coverage.
    pub covered: usize,
    /// Objects that cannot be what they should be.
    pub unreadable: usize,
    /// Whether the index has everything now, and can be asked.
    pub finished: bool,
}

/// What there is to rebuild from, and how far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Objects of the journal.
    pub records: usize,
    /// Days on which there are any.
    pub days: usize,
    /// Changes of coverage.
    pub coverage_facts: usize,
    /// Facts of runs, two for each that finished.
    pub run_facts: usize,
    /// Whether the table is there.
    pub table: bool,
    /// A rebuild of the table that did not finish.
    pub unfinished: Option<Unfinished>,
}

/// Tells what there is to rebuild from. Changes nothing and reads no object.
pub async fn survey(stores: &Stores) -> Result<Survey, StoreError> {
    let table = stores.index.exists().await?;
    let unfinished = if table {
        stores.index.unfinished_rebuild().await?
    } else {
        None
    };
    let days = stores.bucket.days(keys::JOURNAL_PREFIX).await?.days;
    let (records, coverage_facts, run_facts) = tokio::try_join!(
        count(stores, keys::JOURNAL_PREFIX),
        count(stores, keys::COVERAGE_FACTS),
        count(stores, keys::RUN_FACTS),
    )?;
    Ok(Survey {
        records,
        days: days.len(),
        coverage_facts,
        run_facts,
        table,
        unfinished,
    })
}

/// How a rebuild goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RebuildOptions {
    /// Finish even though objects cannot be read; no path is covered then.
    pub leave_out_unreadable: bool,
    /// Captures, seeds and imports write to another table meanwhile: a day that was read is then
    /// not done, since they may date records back to it.
    pub is_written_elsewhere: bool,
}

/// Makes the index from the journal, into a table that is new, empty, half
/// rebuilt or in need of repair.
///
/// Objects that cannot be read are told, and the rest goes on; the index then
/// stays marked as unfinished, unless they are to be left out: then no path is
/// covered, since what is not known to have existed may stand in them. One of a
/// newer format, and a store that fails, end it; it can be run again.
pub async fn rebuild(
    stores: &Stores,
    options: RebuildOptions,
    progress: Progress<'_>,
) -> Result<RebuildReport, StoreError> {
    let leave_out_unreadable = options.leave_out_unreadable;
    let unfinished = stores.index.begin_rebuild(stores.now()).await?;
    let mut report = RebuildReport::default();
    let up_to = unfinished
        .up_to
        .as_deref()
        .filter(|_| !options.is_written_elsewhere);
    records(stores, up_to, progress, &mut report).await?;
    runs::rebuild(stores, progress, &mut report).await?;
    let unreadable_facts = coverage::check(stores, progress).await?;
    report.unreadable += unreadable_facts;
    if report.unreadable == 0 {
        report.covered = coverage::rebuild(stores).await?;
    } else if leave_out_unreadable {
        coverage::forget(stores).await?;
    } else {
        return Ok(report);
    }
    stores.index.finish_rebuild().await?;
    report.finished = true;
    Ok(report)
}

async fn count(stores: &Stores, prefix: &str) -> Result<usize, StoreError> {
    let (mut count, mut start) = (0, None);
    loop {
        let (page, next) = stores.bucket.list(prefix, start).await?;
        count += page.iter().filter(|object| is_object(object)).count();
        start = next;
        if start.is_none() {
            return Ok(count);
        }
    }
}

/// Not what a console leaves when it makes a folder.
pub(crate) fn is_object(listed: &Listed) -> bool {
    !(listed.bytes == 0 && listed.key.ends_with('/'))
}

/// Every record, day by day; those up to `up_to` are in the index already.
async fn records(
    stores: &Stores,
    up_to: Option<&str>,
    progress: Progress<'_>,
    report: &mut RebuildReport,
) -> Result<(), StoreError> {
    let found = stores.bucket.days(keys::JOURNAL_PREFIX).await?;
    for stray in &found.strays {
        progress(Told::Unreadable(
            stray,
            "it lies under no day of the journal",
        ));
    }
    report.unreadable += found.strays.len();
    let left = found.days.into_iter();
    let left = left.filter(|day| up_to.is_none_or(|up_to| day.as_str() > up_to));
    let mut days = stream::iter(left)
        .map(|day| async move {
            let read = one_day(stores, &day, progress).await;
            (day, read)
        })
        .buffered(DAYS_AT_ONCE);
    let mut since_noted = 0;
    while let Some((day, read)) = days.next().await {
        let read = read?;
        report.records += read.records;
        report.unreadable += read.unreadable;
        progress(Told::Day(&day));
        since_noted += read.records;
        // A day with an unreadable object is read again, and told again.
        if report.unreadable == 0 && since_noted >= NOTE_EVERY {
            stores.index.note_rebuilt(&day).await?;
            since_noted = 0;
        }
    }
    Ok(())
}

/// What came of some objects.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    records: usize,
    unreadable: usize,
}

impl Read {
    fn and(self, other: Self) -> Self {
        Self {
            records: self.records + other.records,
            unreadable: self.unreadable + other.unreadable,
        }
    }
}

async fn one_day(stores: &Stores, day: &str, progress: Progress<'_>) -> Result<Read, StoreError> {
    let (mut all, mut start) = (Read::default(), None);
    loop {
        let (page, next) = stores.bucket.list(day, start).await?;
        let chunks = stream::iter(chunks(page));
        let read = chunks
            .map(|chunk| one_chunk(stores, chunk, progress))
            .buffer_unordered(CHUNKS_AT_ONCE)
            .try_fold(Read::default(), async |all, read| Ok(all.and(read)));
        all = all.and(read.await?);
        start = next;
        if start.is_none() {
            return Ok(all);
        }
    }
}

/// Cuts a page so that neither many objects nor long ones fill the memory.
fn chunks(page: Vec<Listed>) -> Vec<Vec<Listed>> {
    let mut chunks: Vec<Vec<Listed>> = Vec::new();
    let mut bytes = 0;
    for object in page.into_iter().filter(is_object) {
        let full = |chunk: &Vec<Listed>| chunk.len() >= CHUNK_RECORDS;
        if chunks.last().is_none_or(full) || bytes + object.bytes > CHUNK_BYTES {
            chunks.push(Vec::new());
            bytes = 0;
        }
        bytes += object.bytes;
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(object);
        }
    }
    chunks
}

async fn one_chunk(
    stores: &Stores,
    chunk: Vec<Listed>,
    progress: Progress<'_>,
) -> Result<Read, StoreError> {
    let mut reads = stream::iter(chunk)
        .map(|object| async move {
            let read = one_object(stores, &object, RECORD_BYTES_MAX, journal::record_at);
            (read.await, object.key)
        })
        .buffer_unordered(READS_AT_ONCE);
    let mut records: Vec<Record> = Vec::new();
    let mut unreadable = 0;
    while let Some((read, key)) = reads.next().await {
        match read? {
            Ok(record) => records.push(record),
            Err(why) => {
                progress(Told::Unreadable(&key, &why));
                unreadable += 1;
            }
        }
    }
    drop(reads);
    stores.index.put_all(&records).await?;
    progress(Told::Records(records.len()));
    Ok(Read {
        records: records.len(),
        unreadable,
    })
}

/// What an object holds, or why it cannot be what it should be. An error where
/// going on would be no use: a store that fails, or a newer format.
pub(crate) async fn one_object<T>(
    stores: &Stores,
    object: &Listed,
    bytes_max: u64,
    parse: impl Fn(&str, &[u8]) -> Result<T, StoredError>,
) -> Result<Result<T, String>, StoreError> {
    let body = match stores.bucket.listed(object, bytes_max).await {
        Ok(body) => body,
        Err(e) if matches!(e.kind(), ErrorKind::Format | ErrorKind::Missing) => {
            return Ok(Err(e.to_string()));
        }
        Err(error) => return Err(error),
    };
    readable(&object.key, parse(&object.key, &body))
}

/// What was read at a key, or why it cannot be what it should be; a newer
/// format is an error.
pub(crate) fn readable<T>(
    key: &str,
    read: Result<T, StoredError>,
) -> Result<Result<T, String>, StoreError> {
    match read {
        Ok(held) => Ok(Ok(held)),
        Err(newer @ StoredError::NewerFormat(_)) => Err(StoreError::new(
            format!("read {key}"),
            ErrorKind::Format,
            newer.to_string(),
        )),
        Err(error) => Ok(Err(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(lengths: &[u64]) -> Vec<Listed> {
        let objects = lengths.iter().zip(0..);
        objects
            .map(|(&bytes, n)| Listed {
                key: format!("{n}"),
                bytes,
            })
            .collect()
    }

    #[test]
    fn chunks_are_short_in_objects_and_in_bytes() {
        let many = chunks(listed(&[700; 1_000]));
        assert_eq!(many.iter().map(Vec::len).sum::<usize>(), 1_000);
        assert!(many.iter().all(|chunk| chunk.len() == CHUNK_RECORDS));
        let long = chunks(listed(&[
            CHUNK_BYTES / 2,
            CHUNK_BYTES / 2,
            1,
            CHUNK_BYTES * 9,
            1,
        ]));
        let lengths: Vec<usize> = long.iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 1, 1, 1]);
        assert!(chunks(Vec::new()).is_empty());
    }
}
