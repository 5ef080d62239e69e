//! What a deletion needs from the rows around it: whether an exact one makes an
//! observed one superfluous, and who asked for it. Pure.

use std::collections::BTreeSet;

use super::Entry;
use crate::domain::{Deleter, Instant, Name, Record};

/// Who asked for an exact deletion was told so near to it: its event and the
/// call are timed by different services.
pub(super) const NEAR_MS: i64 = 5_000;
/// Below a deletion its deleters can lie, below these another deletion that is
/// nearer to them, and below that the nearest deleter of that one.
pub(super) const WINDOW_MS: i64 = 3 * NEAR_MS;

/// What a look at the index told of an observed deletion.
#[derive(Debug)]
pub(super) enum Verdict {
    /// An exact one lies in its interval.
    Hidden,
    /// It stands, asked for by whom this record tells.
    Stands(Option<Box<Record>>),
}

/// Records held back, newest first, from the first whose story is not whole on.
#[derive(Debug, Default)]
pub(super) struct Deletions {
    held: Vec<Held>,
    /// Deleters that a look at the index found before their turn had come.
    told: BTreeSet<(Name, String)>,
}

#[derive(Debug)]
struct Held {
    record: Record,
    deleter: Option<Deleter>,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Not known yet.
    Open,
    /// An entry of its own.
    Shown,
    /// Told by another entry.
    Gone,
}

impl Deletions {
    /// Takes records, newest first.
    pub(super) fn admit(&mut self, records: Vec<Record>) {
        for record in records {
            let is_deleter = record.deleter().is_some();
            if is_deleter && self.told.remove(&key(&record)) {
                continue;
            }
            let is_plain = !is_deleter && !record.is_deletion();
            self.held.push(Held {
                record,
                deleter: None,
                fate: if is_plain { Fate::Shown } else { Fate::Open },
            });
        }
    }

    /// How many are held back.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Gives out what is decided; on the last page that is everything.
    pub(super) fn ready(&mut self, last: bool) -> Vec<Entry> {
        let oldest = self.held.last().map(|held| held.record.at);
        let open: Vec<usize> = self.open().collect();
        let is_waiting = |i: &usize| oldest.is_some_and(|oldest| oldest >= self.needed(*i, &open));
        let waiting = open.iter().copied().find(|i| !last && is_waiting(i));
        let end = waiting.unwrap_or(self.held.len());
        for i in open.iter().copied().take_while(|i| *i < end) {
            self.settle(i, &open);
        }
        let rest = self.held.split_off(end);
        let decided = std::mem::replace(&mut self.held, rest);
        let shown = decided.into_iter().filter(|held| held.fate != Fate::Gone);
        shown
            .map(|held| Entry {
                record: held.record,
                deleter: held.deleter,
            })
            .collect()
    }

    /// The first observed deletion that is not decided, if its interval begins
    /// where `wanted` says.
    pub(super) fn open_interval(&self, wanted: impl Fn(Instant) -> bool) -> Option<Record> {
        let open = self.open().map(|i| &self.held[i].record);
        open.into_iter()
            .find(|record| record.observed_after().is_some_and(&wanted))
            .cloned()
    }

    /// Decides on an observed deletion by what the index told.
    pub(super) fn settle_observed(&mut self, observed: &Record, verdict: Verdict) {
        let entry = key(observed);
        let of = |held: &&mut Held| held.fate == Fate::Open && key(&held.record) == entry;
        let Some(held) = self.held.iter_mut().find(of) else {
            return;
        };
        let Verdict::Stands(by) = verdict else {
            held.fate = Fate::Gone;
            return;
        };
        held.fate = Fate::Shown;
        let Some(by) = by else { return };
        held.deleter = by.deleter().cloned();
        let by = key(&by);
        let mut all = self.held.iter_mut();
        match all.find(|held| key(&held.record) == by) {
            Some(held) => held.fate = Fate::Gone,
            None => {
                self.told.insert(by);
            }
        }
    }

    fn open(&self) -> impl Iterator<Item = usize> {
        let open = self.held.iter().enumerate();
        open.filter(|(_, held)| held.fate == Fate::Open)
            .map(|(i, _)| i)
    }

    /// Down to which instant all must be known before this one is decided: its
    /// own interval, and those that its deleters lie in too, since one of these
    /// deletions may turn out to be superfluous.
    fn needed(&self, i: usize, open: &[usize]) -> Instant {
        let record = &self.held[i].record;
        let own = record.observed_after().unwrap_or(record.at).min(record.at);
        let deleters = open.iter().filter(|j| **j == i || self.may_belong(**j, i));
        let around = deleters.flat_map(|j| open.iter().filter(|d| self.is_within(*j, **d)));
        let intervals = around.filter_map(|d| self.held[*d].record.observed_after());
        let needed = intervals.min().map_or(own, |from| own.min(from));
        needed.plus_millis(-WINDOW_MS)
    }

    /// Whether a deleter may turn out to be that of a deletion.
    fn may_belong(&self, deleter: usize, deletion: usize) -> bool {
        let (by, of) = (&self.held[deleter].record, &self.held[deletion].record);
        let near = of.is_exact_deletion() && self.distance(deleter, deletion) <= NEAR_MS;
        let is_near = near && by.deleter().is_some() && by.name == of.name;
        is_near || self.is_within(deleter, deletion)
    }

    fn settle(&mut self, i: usize, open: &[usize]) {
        if self.held[i].fate != Fate::Open {
            return;
        }
        if self.held[i].record.is_deletion() {
            self.settle_deletion(i, open);
        } else if let Some(deletion) = self.deletion_of(i, open) {
            self.settle_deletion(deletion, open);
        } else {
            self.held[i].fate = Fate::Shown;
        }
    }

    /// The nearest of those who are told to have asked for it stands with it;
    /// the others stand alone.
    fn settle_deletion(&mut self, deletion: usize, open: &[usize]) {
        if self.is_hidden(deletion) {
            self.held[deletion].fate = Fate::Gone;
            return;
        }
        let of = |i: &usize| self.deletion_of(*i, open) == Some(deletion);
        let mut deleters: Vec<usize> = open.iter().copied().filter(of).collect();
        deleters.sort_by_key(|i| self.distance(*i, deletion));
        self.held[deletion].fate = Fate::Shown;
        for (n, i) in deleters.into_iter().enumerate() {
            self.held[i].fate = if n == 0 { Fate::Gone } else { Fate::Shown };
            if n == 0 {
                self.held[deletion].deleter = self.held[i].record.deleter().cloned();
            }
        }
    }

    /// The deletion that a deleter asked for: the nearest exact one, else the
    /// observed one in whose interval it lies.
    fn deletion_of(&self, i: usize, open: &[usize]) -> Option<usize> {
        let held = &self.held[i];
        if held.fate != Fate::Open || held.record.deleter().is_none() {
            return None;
        }
        let of_name = |d: &&usize| {
            let other = &self.held[**d];
            other.fate == Fate::Open && other.record.name == held.record.name
        };
        let near = |d: &&usize| {
            let exact = self.held[**d].record.is_exact_deletion();
            exact && self.distance(i, **d) <= NEAR_MS
        };
        let same = || open.iter().filter(of_name);
        let exact = same().filter(near).min_by_key(|d| self.distance(i, **d));
        exact.copied().or_else(|| {
            let around = same().filter(|d| self.is_within(i, **d) && !self.is_hidden(**d));
            around.min_by_key(|d| self.held[**d].record.at).copied()
        })
    }

    /// Whether a deleter lies in the interval of an observed deletion.
    fn is_within(&self, deleter: usize, deletion: usize) -> bool {
        let (deleter, deletion) = (&self.held[deleter].record, &self.held[deletion].record);
        deleter.deleter().is_some()
            && deleter.name == deletion.name
            && deletion
                .observed_after()
                .is_some_and(|from| deleter.at >= from && deleter.at.second_start() <= deletion.at)
    }

    /// Whether an exact deletion of the same name lies in the interval of an
    /// observed one, to the end of whose second it counts.
    fn is_hidden(&self, i: usize) -> bool {
        let observed = &self.held[i].record;
        let Some(from) = observed.observed_after() else {
            return false;
        };
        self.held.iter().map(|held| &held.record).any(|record| {
            record.is_exact_deletion()
                && record.name == observed.name
                && record.at >= from
                && record.at <= observed.at.second_end()
        })
    }

    fn distance(&self, a: usize, b: usize) -> i64 {
        (self.held[a].record.at.millis() - self.held[b].record.at.millis()).abs()
    }
}

fn key(record: &Record) -> (Name, String) {
    (record.name.clone(), record.entry())
}

#[cfg(test)]
#[path = "deletions_tests.rs"]
mod tests;
