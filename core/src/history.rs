//! History: every change under a name or path, from the index alone.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::domain::{Change, Instant, Name, Record, Target};
use crate::store::{StoreError, Stores};

/// Hands every record of `target` from `since` to `until` (both included) to
/// `page`, newest first, as the pages arrive, until it breaks off.
///
/// An observed deletion is left out where an exact one lies in its interval, and
/// an imported version where a captured one lies in its second.
/// Records of a path are slim: no description, tags and the like.
pub async fn history(
    stores: &Stores,
    target: &Target,
    since: Option<Instant>,
    until: Option<Instant>,
    page: &mut (dyn FnMut(Vec<Record>) -> ControlFlow<()> + Send),
) -> Result<(), StoreError> {
    let since = since.unwrap_or(Instant::EARLIEST);
    let until = until.unwrap_or(Instant::LATEST);
    let mut beside = match target {
        // A name's labels and tags stand in a range of their own.
        Target::Name(name) => {
            let index = &stores.index;
            index.label_and_tag_changes(name, since, until).await?
        }
        Target::Path { .. } => Vec::new(),
    };
    let mut held = Held::default();
    let mut told = Told::default();
    let mut start = None;
    loop {
        let (records, next) = stores.index.changes(target, since, until, start).await?;
        let last = next.is_none();
        let mut records = merge(records, &mut beside, last);
        records.retain(|record| told.admits(record));
        let ready = held.admit(records, last);
        if !ready.is_empty() && page(ready).is_break() {
            return Ok(());
        }
        start = next;
        if last {
            return Ok(());
        }
    }
}

/// Puts those of `beside` that belong among `records` into their places, both
/// newest first; on the last page all that are left.
fn merge(records: Vec<Record>, beside: &mut Vec<Record>, last: bool) -> Vec<Record> {
    let oldest = records.last().map(|r| r.at);
    let cut = beside
        .iter()
        .position(|r| !last && oldest.is_none_or(|oldest| r.at < oldest))
        .unwrap_or(beside.len());
    let mut merged: Vec<Record> = beside.drain(..cut).chain(records).collect();
    merged.sort_by(|a, b| {
        b.at.cmp(&a.at)
            .then_with(|| b.name.cmp(&a.name))
            .then_with(|| b.entry().cmp(&a.entry()))
    });
    merged
}

/// The names of which a captured version lies in the second that was reached.
#[derive(Default)]
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

/// Records held back until it is known whether an exact deletion lies in the
/// interval of an observed one before them.
#[derive(Default)]
struct Held(Vec<Record>);

impl Held {
    /// Takes records newest first and gives out those that are decided.
    fn admit(&mut self, records: Vec<Record>, last: bool) -> Vec<Record> {
        self.0.extend(records);
        let oldest = self.0.last().map(|r| r.at);
        let open = self.0.iter().position(|r| {
            !last && interval(r).is_some_and(|from| oldest.is_none_or(|oldest| oldest >= from))
        });
        let rest = open.map_or(Vec::new(), |at| self.0.split_off(at));
        let decided = std::mem::replace(&mut self.0, rest);
        let hidden: Vec<bool> = decided
            .iter()
            .map(|r| {
                let all = decided.iter().chain(&self.0);
                interval(r).is_some_and(|from| all.into_iter().any(|d| is_exact_in(d, r, from)))
            })
            .collect();
        decided
            .into_iter()
            .zip(hidden)
            .filter_map(|(record, hidden)| (!hidden).then_some(record))
            .collect()
    }
}

/// Where the interval of an observed deletion begins.
fn interval(record: &Record) -> Option<Instant> {
    match record.change {
        Change::Deleted { not_before, .. } => not_before,
        Change::Written(_)
        | Change::StillThere(_)
        | Change::Labelled { .. }
        | Change::Tagged { .. } => None,
    }
}

/// Whether `record` is an exact deletion of the same name in the interval of
/// the observed one, to the end of whose second it counts.
fn is_exact_in(record: &Record, observed: &Record, from: Instant) -> bool {
    record.name == observed.name
        && matches!(
            record.change,
            Change::Deleted {
                not_before: None,
                ..
            }
        )
        && record.at >= from
        && record.at <= observed.at.second_end()
}
