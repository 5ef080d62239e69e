//! What a deletion needs from the rows around it: whether an exact one makes an
//! observed one superfluous, and who asked for it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Entry;
use super::kin::Kin;
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
        let kin = AllKin::of(&self.held);
        let oldest = self.held.last().map(|held| held.record.at);
        let is_waiting = |i: usize| oldest.is_some_and(|oldest| oldest >= self.needed(i, &kin));
        let waiting = self.open().find(|i| !last && is_waiting(*i));
        let end = waiting.unwrap_or(self.held.len());
        for i in 0..end {
            self.settle(i, &kin);
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

    /// The first observed deletions, so many at most, that are not decided and
    /// whose intervals begin where `wanted` says.
    pub(super) fn open_intervals(
        &self,
        most: usize,
        wanted: impl Fn(Instant) -> bool,
    ) -> Vec<Record> {
        let open = self.open().map(|i| &self.held[i].record);
        open.filter(|record| record.observed_after().is_some_and(&wanted))
            .take(most)
            .cloned()
            .collect()
    }

    /// Decides on an observed deletion by what the index told.
    pub(super) fn settle_observed(&mut self, observed: &Record, verdict: Verdict) {
        let of = |held: &&mut Held| held.fate == Fate::Open && is_same(&held.record, observed);
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
        let mut all = self.held.iter_mut();
        match all.find(|held| is_same(&held.record, &by)) {
            Some(held) => held.fate = Fate::Gone,
            None => {
                self.told.insert(key(&by));
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
    fn needed(&self, i: usize, kin: &AllKin) -> Instant {
        let record = &self.held[i].record;
        let own = record.observed_after().unwrap_or(record.at).min(record.at);
        let around = kin.of_index(i).and_then(|kin| kin.around(record));
        let needed = around.map_or(own, |from| own.min(from));
        needed.plus_millis(-WINDOW_MS)
    }

    fn settle(&mut self, i: usize, kin: &AllKin) {
        if self.held[i].fate != Fate::Open {
            return;
        }
        let Some(kin) = kin.of_index(i) else { return };
        if self.held[i].record.is_deletion() {
            self.settle_deletion(i, kin);
        } else if let Some(deletion) = kin.deletion_of(i) {
            self.settle_deletion(deletion, kin);
        } else {
            self.held[i].fate = Fate::Shown;
        }
    }

    /// The nearest of those who are told to have asked for it stands with it;
    /// the others stand alone.
    fn settle_deletion(&mut self, deletion: usize, kin: &Kin) {
        if kin.hides(&self.held[deletion].record) {
            self.held[deletion].fate = Fate::Gone;
            return;
        }
        let deleters = kin.deleters_of(deletion);
        let nearest = deleters.iter().min_by_key(|i| self.distance(**i, deletion));
        let nearest = nearest.copied();
        self.held[deletion].fate = Fate::Shown;
        for i in deleters.iter().copied() {
            let is_nearest = Some(i) == nearest;
            self.held[i].fate = if is_nearest { Fate::Gone } else { Fate::Shown };
            if is_nearest {
                self.held[deletion].deleter = self.held[i].record.deleter().cloned();
            }
        }
    }

    fn distance(&self, a: usize, b: usize) -> i64 {
        (self.held[a].record.at.millis() - self.held[b].record.at.millis()).abs()
    }
}

/// The kin of each name among the records held back.
#[derive(Debug)]
struct AllKin {
    kin: Vec<Kin>,
    /// Whose kin each record is among; none of plain ones.
    whose: Vec<Option<usize>>,
}

impl AllKin {
    fn of(held: &[Held]) -> Self {
        let mut names: BTreeMap<&Name, usize> = BTreeMap::new();
        let mut kin: Vec<Kin> = Vec::new();
        let mut whose = vec![None; held.len()];
        for (i, held) in held.iter().enumerate() {
            if !held.record.is_deletion() && held.record.deleter().is_none() {
                continue;
            }
            let of = *names.entry(&held.record.name).or_insert_with(|| {
                kin.push(Kin::default());
                kin.len() - 1
            });
            whose[i] = Some(of);
            kin[of].add(i, &held.record, held.fate == Fate::Open);
        }
        kin.iter_mut().for_each(Kin::join);
        Self { kin, whose }
    }

    fn of_index(&self, i: usize) -> Option<&Kin> {
        self.kin.get(self.whose.get(i).copied().flatten()?)
    }
}

/// Whether two are one record: the keys alone would be written for each.
fn is_same(a: &Record, b: &Record) -> bool {
    a.at == b.at && a.name == b.name && a.suffix() == b.suffix()
}

fn key(record: &Record) -> (Name, String) {
    (record.name.clone(), record.entry())
}

#[cfg(test)]
#[path = "deletions_tests.rs"]
mod tests;
