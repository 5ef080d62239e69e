//! Coverage: when a name without a record is known not to have existed.

pub mod facts;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::instant::Instant;
use super::name::{Name, Path};

/// A stretch of time in which a name under the path that has no record did
/// not exist. Both ends belong to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interval {
    /// Its first instant: the start of the reconciliation that began it.
    pub from: Instant,
    /// Its last instant; none while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Instant>,
    /// Start of the last finished reconciliation that lies in it.
    pub confirmed: Instant,
}

impl Interval {
    fn contains(&self, at: Instant) -> bool {
        self.from <= at && self.to.is_none_or(|to| at <= to)
    }
}

/// A path with all its intervals, oldest first.
pub type Covered = (Path, Vec<Interval>);

/// The coverage of every path that was ever reconciled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<Path, Vec<Interval>>);

impl Coverage {
    /// Coverage from the intervals of each path.
    pub fn new(paths: impl IntoIterator<Item = (Path, Vec<Interval>)>) -> Self {
        Self(paths.into_iter().collect())
    }

    /// The intervals of exactly this path, oldest first.
    pub fn of(&self, path: &Path) -> &[Interval] {
        self.0.get(path).map_or(&[], Vec::as_slice)
    }

    /// The paths that were ever reconciled.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys()
    }

    /// Whether `name` is covered at `at`, by any path above it.
    pub fn covers(&self, name: &Name, at: Instant) -> bool {
        self.above(name).any(|interval| interval.contains(at))
    }

    /// Whether everything under `path` is covered at `at`.
    pub fn covers_path(&self, path: &Path, at: Instant) -> bool {
        let above = self.0.iter().filter(|(own, _)| own.covers(path));
        above.flat_map(|(_, i)| i).any(|i| i.contains(at))
    }

    /// The first covered instant at or after `at` for everything under `path`.
    pub fn next_covered(&self, path: &Path, at: Instant) -> Option<Instant> {
        let above = self.0.iter().filter(|(own, _)| own.covers(path));
        above
            .flat_map(|(_, i)| i)
            .filter(|i| i.to.is_none_or(|to| at <= to))
            .map(|i| i.from.max(at))
            .min()
    }

    /// Whether an interval that speaks of everything under `path` was ended or
    /// begun at or after `at`.
    pub fn changed_since(&self, path: &Path, at: Instant) -> bool {
        let above = self.0.iter().filter(|(own, _)| own.covers(path));
        above
            .flat_map(|(_, i)| i)
            .any(|i| i.from > at || i.to.is_some_and(|to| to >= at))
    }

    fn above(&self, name: &Name) -> impl Iterator<Item = &Interval> {
        self.0
            .iter()
            .filter(|(path, _)| path.contains(name))
            .flat_map(|(_, intervals)| intervals)
    }
}

/// The intervals of `path` after a reconciliation of it that started at
/// `started` has finished: begun where there was none, going on where one is
/// open.
#[must_use]
pub fn after_reconciliation(before: &Coverage, path: &Path, started: Instant) -> Covered {
    let mut intervals = before.of(path).to_vec();
    match intervals.last_mut().filter(|i| i.to.is_none()) {
        Some(open) => open.confirmed = open.confirmed.max(started),
        None => intervals.push(Interval {
            from: started,
            to: None,
            confirmed: started,
        }),
    }
    (path.clone(), intervals)
}

/// What a surprise under `path`, a change that no event had told, does to the
/// coverage: the paths whose intervals end, with all their intervals after.
///
/// Other events may have been lost with it, so every open interval that speaks
/// of names under `path`, its own and those of paths above and below it, ends
/// at the last reconciliation that confirmed it.
#[must_use]
pub fn after_surprise(before: &Coverage, path: &Path) -> Vec<Covered> {
    let related = before
        .0
        .iter()
        .filter(|(p, _)| p.covers(path) || path.covers(p));
    related
        .map(|(p, intervals)| (p.clone(), closed(intervals)))
        .collect()
}

fn closed(intervals: &[Interval]) -> Vec<Interval> {
    let close = |i: &Interval| Interval {
        to: i.to.or(Some(i.confirmed)),
        ..i.clone()
    };
    intervals.iter().map(close).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Instant {
        Instant::from_millis(ms)
    }

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn reconciled(mut coverage: Coverage, of: &str, started: i64, surprise: bool) -> Coverage {
        if surprise {
            coverage.0.extend(after_surprise(&coverage, &path(of)));
        }
        let (path, intervals) = after_reconciliation(&coverage, &path(of), at(started));
        coverage.0.insert(path, intervals);
        coverage
    }

    #[test]
    fn a_name_is_covered_by_any_path_above_it_and_only_inside_the_interval() {
        let coverage = reconciled(Coverage::default(), "/app/", 10, false);
        let inside = name("/app/prod/db");
        assert!(coverage.covers(&inside, at(10)));
        assert!(!coverage.covers(&inside, at(9)));
        assert!(!coverage.covers(&name("/app2/db"), at(10)));
        assert_eq!(coverage.next_covered(&path("/app/"), at(3)), Some(at(10)));
        assert!(!coverage.covers_path(&Path::root(), at(10)));
    }

    #[test]
    fn a_second_reconciliation_extends_the_open_interval() {
        let once = reconciled(Coverage::default(), "/app/", 10, false);
        let twice = reconciled(once, "/app/", 20, false);
        let intervals = twice.of(&path("/app/"));
        assert_eq!(intervals.len(), 1);
        assert_eq!(
            (intervals[0].from, intervals[0].confirmed),
            (at(10), at(20))
        );
    }

    #[test]
    fn a_surprise_leaves_no_false_certainty() {
        let once = reconciled(Coverage::default(), "/app/", 10, false);
        let twice = reconciled(once, "/app/", 20, false);
        let thrice = reconciled(twice, "/app/", 30, true);
        let db = name("/app/db");
        assert!(thrice.covers(&db, at(20)));
        assert!(!thrice.covers(&db, at(21)));
        assert!(!thrice.covers(&db, at(29)));
        assert!(thrice.covers(&db, at(30)));
    }

    #[test]
    fn a_surprise_under_a_path_ends_what_the_paths_above_and_below_claim() {
        let root = reconciled(Coverage::default(), "/", 10, false);
        let below = reconciled(root, "/app/prod/", 12, false);
        let beside = reconciled(below, "/other/", 14, false);
        let after = reconciled(beside, "/app/", 30, true);
        let db = name("/app/prod/db");
        assert!(after.covers(&db, at(10)) && after.covers(&db, at(12)));
        assert!(!after.covers(&db, at(20)));
        assert!(after.covers(&db, at(30)));
        assert!(after.covers(&name("/other/x"), at(20)));
        assert!(!after.covers(&name("/elsewhere"), at(20)));
    }

    #[test]
    fn what_was_ended_or_begun_since_is_told_for_all_paths_above() {
        let at = |ms: i64| Instant::from_millis(ms);
        let interval = |from, to| Interval {
            from: at(from),
            to,
            confirmed: at(from),
        };
        let path = |text: &str| Path::parse(text).unwrap();
        let ended = interval(10, Some(at(20)));
        let coverage = Coverage::new([(path("/"), vec![ended, interval(30, None)])]);
        let app = path("/app/");
        assert!(coverage.changed_since(&app, at(20)));
        assert!(coverage.changed_since(&app, at(29)));
        assert!(!coverage.changed_since(&app, at(30)));
        let below = Coverage::new([(path("/app/x/"), vec![interval(30, None)])]);
        assert!(
            !below.changed_since(&app, at(20)),
            "says nothing of all of it"
        );
    }
}
