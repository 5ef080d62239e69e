//! History: every change under a name or path, from the index alone.
//!
//! Memory does not grow with the history: pages go out as they come in, but
//! for what cannot be told yet (`history/deletions.rs`).

mod deletions;
mod feed;
mod kin;

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use self::deletions::{Deletions, NEAR_MS, Verdict, WINDOW_MS};
use self::feed::Feed;
use crate::domain::{Deleter, Instant, Name, Record, Target};
use crate::store::{StoreError, Stores};

/// So many rows more than are wanted are asked for: some stand for nothing of
/// their own.
const SPARE_ROWS: usize = 16;
/// Most rows held back for one whose story is not whole yet; then the index is
/// asked for the rest of that.
const HELD_MAX: usize = 5_000;
/// So many observed deletions are looked up at once.
const AT_ONCE: usize = 16;

/// Which part of a history.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// From this instant on.
    pub since: Option<Instant>,
    /// Up to this instant.
    pub until: Option<Instant>,
    /// How many entries will be taken at most, so that no more are read; none
    /// where that depends on what they tell.
    pub wanted: Option<usize>,
}

/// One entry of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub record: Record,
    /// Of a deletion: who asked for it, where `CloudTrail` told.
    pub deleter: Option<Deleter>,
}

impl Entry {
    /// Who wrote the version or asked for the deletion, where that was told.
    pub fn by(&self) -> Option<&str> {
        let deleter = self.deleter.as_ref().or_else(|| self.record.deleter());
        let by = deleter.map(|deleter| deleter.by.as_deref());
        by.unwrap_or_else(|| self.record.present()?.modified_by.as_deref())
    }

    /// Where the call came from that asked for the deletion.
    pub fn from(&self) -> Option<&str> {
        let deleter = self.deleter.as_ref().or_else(|| self.record.deleter())?;
        deleter.from.as_deref()
    }
}

/// Every change of a target in a span (both ends included), newest first, as
/// the pages arrive.
///
/// An observed deletion is left out where an exact one lies in its interval, and
/// an imported version where a captured one lies in its second. Who asked for a
/// deletion stands with it; only where there is none it is an entry of its own.
/// Records of a path are slim: no description, tags and the like.
#[derive(Debug)]
pub struct History<'a> {
    stores: &'a Stores,
    since: Instant,
    until: Instant,
    feed: Feed<'a>,
    held_max: usize,
    told: Told,
    deletions: Deletions,
    stage: Stage,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There may be more rows.
    Reading,
    /// All rows are read.
    Read,
    /// Everything was given out.
    Told,
}

impl<'a> History<'a> {
    /// The history of `target`; nothing is read yet.
    pub fn new(stores: &'a Stores, target: &'a Target, span: &Span) -> Self {
        let since = span.since.unwrap_or(Instant::EARLIEST);
        let until = span.until.unwrap_or(Instant::LATEST);
        let rows = span.wanted.map(|wanted| wanted.saturating_add(SPARE_ROWS));
        // What belongs to an entry may lie a little outside of the span.
        let read = (since.plus_millis(-WINDOW_MS), until.plus_millis(NEAR_MS));
        Self {
            stores,
            since,
            until,
            feed: Feed::new(&stores.index, target, read, rows),
            held_max: rows.unwrap_or(HELD_MAX).min(HELD_MAX),
            told: Told::default(),
            deletions: Deletions::default(),
            stage: Stage::Reading,
        }
    }

    /// The next entries; none after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>, StoreError> {
        while self.stage != Stage::Told {
            let mut ready = self.advance().await?;
            ready.retain(|entry| entry.record.at >= self.since && entry.record.at <= self.until);
            if !ready.is_empty() {
                return Ok(Some(ready));
            }
        }
        Ok(None)
    }

    async fn advance(&mut self) -> Result<Vec<Entry>, StoreError> {
        let unclear = self.unclear();
        if !unclear.is_empty() {
            let looks = stream::iter(&unclear).map(|observed| look_up(self.stores, observed));
            let verdicts: Vec<Verdict> = looks.buffered(AT_ONCE).try_collect().await?;
            for (observed, verdict) in unclear.iter().zip(verdicts) {
                self.deletions.settle_observed(observed, verdict);
            }
        } else if self.stage == Stage::Read {
            self.stage = Stage::Told;
            return Ok(self.deletions.ready(true));
        } else {
            match self.feed.next().await? {
                None => self.stage = Stage::Read,
                Some(mut records) => {
                    records.retain(|record| self.told.admits(record));
                    self.deletions.admit(records);
                }
            }
        }
        // Whether nothing more comes makes no difference to what is decided already.
        Ok(self.deletions.ready(false))
    }

    /// Observed deletions that cannot wait for the rows of their intervals: too
    /// many others wait with the first, or they began before the first row that
    /// is read. No more than are looked up at once.
    fn unclear(&self) -> Vec<Record> {
        match self.stage {
            Stage::Reading if self.deletions.held() >= self.held_max => {
                self.deletions.open_intervals(AT_ONCE, |_| true)
            }
            Stage::Read => {
                let since = self.since;
                self.deletions.open_intervals(AT_ONCE, |from| from < since)
            }
            Stage::Reading | Stage::Told => Vec::new(),
        }
    }
}

/// What the index has of the interval of an observed deletion: two queries.
async fn look_up(stores: &Stores, observed: &Record) -> Result<Verdict, StoreError> {
    let Some(from) = observed.observed_after() else {
        return Ok(Verdict::Stands(None));
    };
    let span = (from, observed.at.second_end());
    let (is_told, by) = tokio::try_join!(
        has_exact_deletion(stores, &observed.name, span),
        newest_deleter(stores, &observed.name, span),
    )?;
    Ok(if is_told {
        Verdict::Hidden
    } else {
        Verdict::Stands(by.map(Box::new))
    })
}

async fn has_exact_deletion(
    stores: &Stores,
    name: &Name,
    span: (Instant, Instant),
) -> Result<bool, StoreError> {
    let of = Target::Name(name.clone());
    let mut start = None;
    loop {
        let (records, next) = stores.index.changes(&of, span, start, None).await?;
        if records.iter().any(Record::is_exact_deletion) {
            return Ok(true);
        }
        start = next;
        if start.is_none() {
            return Ok(false);
        }
    }
}

async fn newest_deleter(
    stores: &Stores,
    name: &Name,
    span: (Instant, Instant),
) -> Result<Option<Record>, StoreError> {
    let mut start = None;
    loop {
        let beside = stores.index.changes_beside(name, span, start, None);
        let (records, next) = beside.await?;
        let by = records.into_iter().find(|r| r.deleter().is_some());
        start = next;
        if by.is_some() || start.is_none() {
            return Ok(by);
        }
    }
}

/// The names of which a captured version lies in the second that was reached.
#[derive(Debug, Default)]
struct Told {
    second: Option<Instant>,
    captured: BTreeSet<Name>,
}

impl Told {
    /// Takes records newest first; false for an imported version that a captured
    /// one of the same second tells with its milliseconds: in its second the
    /// imported one is the oldest.
    fn admits(&mut self, record: &Record) -> bool {
        let second = Some(record.at.second_start());
        if self.second != second {
            self.second = second;
            self.captured.clear();
        }
        if record.numbered().is_some() {
            self.captured.insert(record.name.clone());
        }
        !(record.is_imported_version() && self.captured.contains(&record.name))
    }
}
