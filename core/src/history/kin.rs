//! The deletions and deleters of one name among the records held back, and
//! which of them belong together. Pure.
//!
//! A page can hold thousands of them, and of one name too: every question is
//! answered by a search in what is sorted, not by a look at all of them.

use std::collections::BTreeMap;

use super::deletions::NEAR_MS;
use crate::domain::{Instant, Record};

/// What is not decided yet of one name, newest first; and all exact deletions.
#[derive(Debug, Default)]
pub(super) struct Kin {
    exact: Vec<Instant>,
    open_exact: Vec<Place>,
    deleters: Vec<Place>,
    /// Observed deletions.
    observed: Vec<Interval>,
    /// Those in whose interval no exact one lies.
    standing: Vec<Interval>,
    /// The deleters of each deletion, newest first.
    deleters_of: BTreeMap<usize, Vec<usize>>,
    /// The deletion of each deleter.
    deletion_of: BTreeMap<usize, usize>,
}

/// Where a record stands among those held back.
#[derive(Clone, Copy, Debug)]
struct Place {
    index: usize,
    at: Instant,
}

/// An observed deletion.
#[derive(Clone, Copy, Debug)]
struct Interval {
    place: Place,
    from: Instant,
    /// The earliest beginning of this one and all newer ones.
    earliest: Instant,
}

impl Kin {
    /// Takes a record, newest first; what it is of is decided if not `is_open`.
    pub(super) fn add(&mut self, index: usize, record: &Record, is_open: bool) {
        let place = Place {
            index,
            at: record.at,
        };
        if record.is_exact_deletion() {
            self.exact.push(record.at);
        }
        if !is_open {
            return;
        }
        if record.deleter().is_some() {
            self.deleters.push(place);
        } else if let Some(from) = record.observed_after() {
            push(&mut self.observed, place, from);
        } else if record.is_exact_deletion() {
            self.open_exact.push(place);
        }
    }

    /// Joins each deleter with its deletion; after the last was added.
    ///
    /// It holds for as long as nothing is added: a deletion that is decided
    /// takes all of its deleters with it, and to the others it was nothing.
    pub(super) fn join(&mut self) {
        for interval in &self.observed {
            if !self.has_exact(interval.from, interval.place.at) {
                push(&mut self.standing, interval.place, interval.from);
            }
        }
        for deleter in &self.deleters {
            if let Some(deletion) = self.nearest(deleter.at) {
                self.deletion_of.insert(deleter.index, deletion.index);
                let deleters = self.deleters_of.entry(deletion.index).or_default();
                deleters.push(deleter.index);
            }
        }
    }

    /// The deletion that a deleter asked for: the nearest exact one, else the
    /// observed one in whose interval it lies.
    pub(super) fn deletion_of(&self, deleter: usize) -> Option<usize> {
        self.deletion_of.get(&deleter).copied()
    }

    /// The deleters of a deletion, newest first.
    pub(super) fn deleters_of(&self, deletion: usize) -> &[usize] {
        self.deleters_of.get(&deletion).map_or(&[], Vec::as_slice)
    }

    /// Whether an exact deletion lies in the interval of an observed one, to
    /// the end of whose second it counts.
    pub(super) fn hides(&self, observed: &Record) -> bool {
        let Some(from) = observed.observed_after() else {
            return false;
        };
        self.has_exact(from, observed.at)
    }

    /// The earliest beginning of the intervals that have to be known before a
    /// record is decided, but for its own: those in which it lies itself, of a
    /// deleter, and those in which its deleters may lie, of a deletion.
    pub(super) fn around(&self, record: &Record) -> Option<Instant> {
        if record.deleter().is_some() {
            return self.earliest_around(record.at);
        }
        let (from, to) = match record.observed_after() {
            Some(from) => (from, record.at.second_end()),
            None => near(record.at),
        };
        let deleters = between(&self.deleters, from, to, |place| place.at);
        let around = deleters.iter().filter_map(|d| self.earliest_around(d.at));
        around.min()
    }

    fn nearest(&self, deleter: Instant) -> Option<Place> {
        let distance = |place: &&Place| (place.at.millis() - deleter.millis()).abs();
        let (from, to) = near(deleter);
        let near = between(&self.open_exact, from, to, |place| place.at);
        let exact = near.iter().min_by_key(distance).copied();
        exact.or_else(|| {
            let later = &self.standing[..reaching(&self.standing, deleter)];
            let around = later.iter().rev();
            // Above one whose `earliest` is later no interval goes down so far.
            let around = around.take_while(|i| steps(1) && i.earliest <= deleter);
            let mut around = around.filter(|interval| interval.from <= deleter);
            let lowest = around.next()?.place;
            let same = around.take_while(|interval| interval.place.at == lowest.at);
            Some(same.last().map_or(lowest, |interval| interval.place))
        })
    }

    fn earliest_around(&self, deleter: Instant) -> Option<Instant> {
        let last = reaching(&self.observed, deleter).checked_sub(1)?;
        let earliest = self.observed.get(last)?.earliest;
        (earliest <= deleter).then_some(earliest)
    }

    fn has_exact(&self, from: Instant, at: Instant) -> bool {
        let to = at.second_end();
        let first = self.exact.partition_point(|at| steps(1) && *at > to);
        self.exact.get(first).is_some_and(|at| *at >= from)
    }
}

fn push(intervals: &mut Vec<Interval>, place: Place, from: Instant) {
    let newer = intervals.last().map_or(from, |last| last.earliest);
    intervals.push(Interval {
        place,
        from,
        earliest: newer.min(from),
    });
}

/// How many of the observed deletions were not before a deleter, whose
/// time is told to the second.
fn reaching(observed: &[Interval], deleter: Instant) -> usize {
    let second = deleter.second_start();
    observed.partition_point(|interval| steps(1) && interval.place.at >= second)
}

fn near(at: Instant) -> (Instant, Instant) {
    (at.plus_millis(-NEAR_MS), at.plus_millis(NEAR_MS))
}

/// Those from one instant to another, both included, of a list newest first.
fn between<T>(list: &[T], from: Instant, to: Instant, at: impl Fn(&T) -> Instant) -> &[T] {
    let start = list.partition_point(|t| steps(1) && at(t) > to);
    let rest = &list[start..];
    let end = rest.partition_point(|t| steps(1) && at(t) >= from);
    let found = &rest[..end];
    steps(found.len());
    found
}

/// Counts what was looked at, for the tests; always true.
#[cfg(not(test))]
fn steps(_: usize) -> bool {
    true
}

#[cfg(test)]
fn steps(count: usize) -> bool {
    STEPS.set(STEPS.get() + count);
    true
}

#[cfg(test)]
thread_local! {
    pub(super) static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}
