//! Coverage: when a name without a record is known not to have existed.

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

    fn above(&self, name: &Name) -> impl Iterator<Item = &Interval> {
        self.0
            .iter()
            .filter(|(path, _)| path.contains(name))
            .flat_map(|(_, intervals)| intervals)
    }
}

/// The intervals of a path after a reconciliation that started at `started`
/// has finished: begun where there was none, extended where one is open.
///
/// A `surprise` is a change that no event had told: the open interval then
/// ends at the reconciliation before, and another begins at `started`.
#[must_use]
pub fn after_reconciliation(
    before: &[Interval],
    started: Instant,
    surprise: bool,
) -> Vec<Interval> {
    let mut after = before.to_vec();
    if surprise && let Some(open) = after.last_mut().filter(|i| i.to.is_none()) {
        open.to = Some(open.confirmed);
    }
    match after.last_mut().filter(|i| i.to.is_none()) {
        Some(open) => open.confirmed = open.confirmed.max(started),
        None => after.push(Interval {
            from: started,
            to: None,
            confirmed: started,
        }),
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn a_name_is_covered_by_any_path_above_it_and_only_inside_the_interval() {
        let path = Path::parse("/app/").unwrap();
        let coverage = Coverage::new([(path.clone(), after_reconciliation(&[], at(10), false))]);
        let inside = Name::parse("/app/prod/db").unwrap();
        let beside = Name::parse("/app2/db").unwrap();
        assert!(coverage.covers(&inside, at(10)));
        assert!(!coverage.covers(&inside, at(9)));
        assert!(!coverage.covers(&beside, at(10)));
        assert_eq!(coverage.next_covered(&path, at(3)), Some(at(10)));
        assert!(!coverage.covers_path(&Path::root(), at(10)));
    }

    #[test]
    fn a_second_reconciliation_extends_the_open_interval() {
        let once = after_reconciliation(&[], at(10), false);
        let twice = after_reconciliation(&once, at(20), false);
        assert_eq!(twice.len(), 1);
        assert_eq!((twice[0].from, twice[0].confirmed), (at(10), at(20)));
    }

    #[test]
    fn a_surprise_leaves_no_false_certainty() {
        let once = after_reconciliation(&[], at(10), false);
        let twice = after_reconciliation(&once, at(20), false);
        let thrice = after_reconciliation(&twice, at(30), true);
        let path = Path::parse("/app/").unwrap();
        let coverage = Coverage::new([(path, thrice)]);
        let name = Name::parse("/app/db").unwrap();
        assert!(coverage.covers(&name, at(20)));
        assert!(!coverage.covers(&name, at(21)));
        assert!(!coverage.covers(&name, at(29)));
        assert!(coverage.covers(&name, at(30)));
    }
}
