//! Which labels a version had at an instant.

use std::collections::BTreeSet;

use super::instant::Instant;
use super::record::{Change, Record};

/// The labels of one version as they were seen at an instant: all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenLabels {
    /// When.
    pub at: Instant,
    /// The labels.
    pub labels: Vec<String>,
}

/// What is known of one label and one version at one instant.
struct Known {
    at: Instant,
    /// Whether the version had it right before; as from then on, if it was only seen.
    before: bool,
    /// Whether the version had it from then on.
    from_then: bool,
}

/// Returns the labels that `version` had at `at`, in order.
///
/// The last thing known of a label at or before `at` decides; where there is
/// none, the first thing known after it. `moves` are those since the version
/// was written. That a label was taken off nobody announces: it shows when the
/// version is looked at.
pub fn labels_at(at: Instant, version: u64, seen: &[SeenLabels], moves: &[Record]) -> Vec<String> {
    let moved = moves.iter().filter_map(|record| match &record.change {
        Change::Labelled { label, .. } => Some(label),
        Change::Written(_)
        | Change::StillThere(_)
        | Change::Deleted { .. }
        | Change::Tagged { .. }
        | Change::DeletedBy(_) => None,
    });
    let seen_ones = seen.iter().flat_map(|s| &s.labels);
    let all: BTreeSet<&String> = seen_ones.chain(moved).collect();
    let had = |label: &&&String| had_at(at, &known_of(label, version, seen, moves));
    all.iter()
        .filter(had)
        .map(|label| (*label).clone())
        .collect()
}

fn known_of(label: &str, version: u64, seen: &[SeenLabels], moves: &[Record]) -> Vec<Known> {
    let looks = seen.iter().map(|s| {
        let on = s.labels.iter().any(|l| l == label);
        Known {
            at: s.at,
            before: on,
            from_then: on,
        }
    });
    let moves = moves.iter().filter_map(|record| match &record.change {
        Change::Labelled { label: l, from, to } if l == label => Some(Known {
            at: record.at,
            before: *from == Some(version),
            from_then: *to == version,
        }),
        Change::Labelled { .. }
        | Change::Written(_)
        | Change::StillThere(_)
        | Change::Deleted { .. }
        | Change::Tagged { .. }
        | Change::DeletedBy(_) => None,
    });
    looks.chain(moves).collect()
}

fn had_at(at: Instant, known: &[Known]) -> bool {
    let last = known.iter().filter(|k| k.at <= at).max_by_key(|k| k.at);
    let next = known.iter().filter(|k| k.at > at).min_by_key(|k| k.at);
    match (last, next) {
        (Some(last), _) => last.from_then,
        (None, Some(next)) => next.before,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Name, Source};

    fn at(ms: i64) -> Instant {
        Instant::from_millis(ms)
    }

    fn moved(ms: i64, label: &str, from: Option<u64>, to: u64) -> Record {
        Record {
            name: Name::parse("/app/db").unwrap(),
            at: at(ms),
            change: Change::Labelled {
                label: label.into(),
                from,
                to,
            },
            source: Source::Event,
            event: None,
            recorded_at: at(ms),
        }
    }

    fn seen(ms: i64, labels: &[&str]) -> SeenLabels {
        SeenLabels {
            at: at(ms),
            labels: labels.iter().map(|&l| l.to_owned()).collect(),
        }
    }

    #[test]
    fn a_label_is_on_the_version_it_was_moved_to_last() {
        let moves = [moved(10, "prod", None, 2), moved(20, "prod", Some(2), 3)];
        let on_2 = |ms| labels_at(at(ms), 2, &[], &moves);
        assert!(on_2(9).is_empty());
        assert_eq!(on_2(10), ["prod"]);
        assert_eq!(on_2(19), ["prod"]);
        assert!(on_2(20).is_empty());
        assert_eq!(labels_at(at(20), 3, &[], &moves), ["prod"]);
    }

    #[test]
    fn before_anything_is_known_the_next_thing_known_tells() {
        // It was on 2 before an event told that it moved to 3.
        let moves = [moved(20, "prod", Some(2), 3)];
        assert_eq!(labels_at(at(5), 2, &[], &moves), ["prod"]);
        assert!(labels_at(at(5), 3, &[seen(30, &["prod"])], &moves).is_empty());
        assert_eq!(labels_at(at(5), 3, &[seen(30, &["a"])], &[]), ["a"]);
    }

    #[test]
    fn a_label_that_was_taken_off_shows_at_the_next_look() {
        let moves = [moved(10, "prod", None, 2)];
        let looks = [seen(12, &["prod", "b"]), seen(30, &["b"])];
        assert_eq!(labels_at(at(29), 2, &looks, &moves), ["b", "prod"]);
        assert_eq!(labels_at(at(30), 2, &looks, &moves), ["b"]);
    }
}
