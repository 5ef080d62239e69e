//! Recency: up to when the record is known to be whole, and how fast changes come in.

use crate::domain::{Coverage, Instant, Path, Record, Target};
use crate::history::{History, Span};
use crate::store::{StoreError, Stores};

/// How recent the record is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recency {
    /// When the last finished reconciliation of everything started.
    pub reconciled: Option<Instant>,
    /// Since when a name without a record is known not to exist; none where that is not known now.
    pub covered_since: Option<Instant>,
    /// The newest change on record.
    pub last_change: Option<Record>,
}

/// Tells how recent the record of everything is: two queries, and no value.
pub async fn recency(stores: &Stores) -> Result<Recency, StoreError> {
    let everything = Target::Path {
        path: Path::root(),
        recursive: true,
    };
    let one = Span {
        wanted: Some(1),
        ..Span::default()
    };
    let mut history = History::new(stores, &everything, &one);
    let (coverage, newest) = tokio::try_join!(stores.index.coverage(), history.next())?;
    let last_change = newest
        .into_iter()
        .flatten()
        .next()
        .map(|entry| entry.record);
    Ok(Recency {
        last_change,
        ..of_coverage(&coverage)
    })
}

fn of_coverage(coverage: &Coverage) -> Recency {
    let intervals = coverage.of(&Path::root());
    Recency {
        reconciled: intervals.iter().map(|one| one.confirmed).max(),
        covered_since: intervals
            .iter()
            .find(|one| one.to.is_none())
            .map(|one| one.from),
        last_change: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::coverage::Interval;

    fn at(second: i64) -> Instant {
        Instant::from_millis(second * 1_000)
    }

    #[test]
    fn the_open_interval_tells_since_when_and_the_newest_until_when() {
        let closed = Interval {
            from: at(1),
            to: Some(at(2)),
            confirmed: at(2),
        };
        let open = Interval {
            from: at(5),
            to: None,
            confirmed: at(9),
        };
        let told = of_coverage(&Coverage::new([(Path::root(), vec![closed.clone(), open])]));
        assert_eq!(
            (told.reconciled, told.covered_since),
            (Some(at(9)), Some(at(5)))
        );
        let told = of_coverage(&Coverage::new([(Path::root(), vec![closed])]));
        assert_eq!((told.reconciled, told.covered_since), (Some(at(2)), None));
    }

    #[test]
    fn what_is_known_of_a_path_says_nothing_of_everything() {
        let open = Interval {
            from: at(5),
            to: None,
            confirmed: at(9),
        };
        let app = Path::parse("/app/").unwrap();
        assert_eq!(
            of_coverage(&Coverage::new([(app, vec![open])])),
            Recency::default()
        );
    }
}
