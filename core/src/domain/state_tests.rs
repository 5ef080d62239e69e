//! Rules of the state at an instant, each by name.

use super::*;
use crate::domain::Name;
use crate::domain::record::Source;

fn at(ms: i64) -> Instant {
    Instant::from_millis(1_700_000_000_000 + ms)
}

fn name() -> Name {
    Name::parse("/app/db").unwrap()
}

fn record(ms: i64, change: Change) -> Record {
    Record {
        name: name(),
        at: at(ms),
        change,
        source: Source::Event,
        event: None,
        recorded_at: at(ms),
    }
}

fn attributes() -> Attributes {
    Attributes {
        parameter_type: "String".into(),
        ..Attributes::default()
    }
}

fn version(number: u64, ms: i64) -> Record {
    record(
        ms,
        Change::Written(Written {
            version: Some(number),
            creates: number == 1,
            discriminator: String::new(),
            attributes: attributes(),
            modified_by: None,
            value: ValueState::Stored(Pointer {
                bucket: "b".into(),
                key: "/app/db".into(),
                version_id: number.to_string(),
            }),
        }),
    )
}

fn deletion(ms: i64, not_before: Option<i64>) -> Record {
    record(
        ms,
        Change::Deleted {
            not_before: not_before.map(at),
            parameter_type: None,
        },
    )
}

fn live(number: u64, ms: i64) -> Live {
    Live {
        name: name(),
        version: number,
        modified: at(ms),
        modified_by: None,
        attributes: attributes(),
    }
}

fn retained(number: u64, ms: i64) -> Retained {
    Retained {
        version: number,
        modified: at(ms),
        modified_by: None,
        attributes: attributes(),
        value: RetainedValue::Read(Value::new("x")),
    }
}

#[test]
fn delete_at_the_asked_instant_counts() {
    let head = deletion(1_999, None);
    let state = state_at(
        at(1_999),
        &Evidence {
            head: Some(&head),
            before: Some(&head),
            ..Evidence::default()
        },
    );
    assert_eq!(
        state,
        State::Absent {
            since: Some(at(1_999))
        }
    );
}

#[test]
fn a_live_version_from_before_is_the_state_whatever_the_index_says() {
    let head = deletion(5_000, None);
    let now = live(3, 4_000);
    let state = state_at(
        at(6_000),
        &Evidence {
            live: Some(&now),
            head: Some(&head),
            before: Some(&head),
            ..Evidence::default()
        },
    );
    assert_eq!(state.found().unwrap().value, FoundValue::Live);
}

#[test]
fn absent_before_version_1_only_where_covered() {
    let head = version(1, 5_000);
    let now = live(1, 5_000);
    let ask = |covered| {
        let evidence = Evidence {
            live: Some(&now),
            head: Some(&head),
            oldest: Some(&head),
            covered,
            ..Evidence::default()
        };
        state_at(at(4_000), &evidence)
    };
    assert_eq!(ask(true), State::Absent { since: None });
    assert_eq!(
        ask(false),
        State::Unknown {
            known_from: Some(at(5_000))
        }
    );
}

#[test]
fn an_old_parameter_first_seen_at_version_7_is_unknown_before_covered_or_not() {
    let now = live(7, 5_000);
    let versions = [retained(7, 5_000)];
    let evidence = Evidence {
        live: Some(&now),
        retained: &versions,
        covered: true,
        ..Evidence::default()
    };
    assert_eq!(
        state_at(at(4_000), &evidence),
        State::Unknown {
            known_from: Some(at(5_000))
        }
    );
}

#[test]
fn what_is_retained_counts_as_records() {
    let now = live(2, 9_000);
    let versions = [retained(1, 5_000), retained(2, 9_000)];
    let evidence = Evidence {
        live: Some(&now),
        retained: &versions,
        covered: true,
        ..Evidence::default()
    };
    let state = state_at(at(6_000), &evidence);
    assert_eq!(state.found().unwrap().version, Some(1));
    assert_eq!(
        state_at(at(4_000), &evidence),
        State::Absent { since: None }
    );
}

#[test]
fn gone_while_the_head_is_a_version_is_present_and_inexact() {
    let head = version(4, 2_000);
    let evidence = Evidence {
        head: Some(&head),
        before: Some(&head),
        covered: true,
        ..Evidence::default()
    };
    let state = state_at(at(3_000), &evidence);
    assert!(state.found().unwrap().inexact);
}

#[test]
fn inside_the_interval_of_an_observed_deletion_it_is_present_and_inexact() {
    let before = version(4, 2_000);
    let head = deletion(9_000, Some(2_000));
    let evidence = Evidence {
        head: Some(&head),
        before: Some(&before),
        covered: true,
        ..Evidence::default()
    };
    assert!(state_at(at(5_000), &evidence).found().unwrap().inexact);
}

#[test]
fn a_younger_parameter_of_the_same_name_makes_the_older_inexact() {
    let before = version(4, 2_000);
    let now = live(1, 90_000);
    let versions = [retained(1, 90_000)];
    let evidence = Evidence {
        live: Some(&now),
        head: Some(&before),
        before: Some(&before),
        retained: &versions,
        covered: true,
        ..Evidence::default()
    };
    let state = state_at(at(5_000), &evidence);
    assert_eq!(state.found().unwrap().version, Some(4));
    assert!(state.found().unwrap().inexact);
}

#[test]
fn nothing_known_is_absent_only_where_covered() {
    let covered = Evidence {
        covered: true,
        ..Evidence::default()
    };
    assert_eq!(state_at(at(0), &covered), State::Absent { since: None });
    assert_eq!(
        state_at(at(0), &Evidence::default()),
        State::Unknown { known_from: None }
    );
}

#[test]
fn a_live_version_matches_its_record_by_number_and_time() {
    assert!(is_recorded_as(&live(2, 500), Some(&version(2, 500))));
    assert!(!is_recorded_as(&live(2, 501), Some(&version(2, 500))));
    assert!(!is_recorded_as(&live(3, 500), Some(&version(2, 500))));
    assert!(!is_recorded_as(&live(3, 500), Some(&deletion(999, None))));
    assert!(!is_recorded_as(&live(3, 500), None));
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    let pairs = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    pairs.collect()
}

fn tagged(ms: i64, pairs: &[(&str, &str)]) -> Record {
    let tags = tags(pairs);
    record(ms, Change::Tagged { tags })
}

/// Version 1, which had the tag `a` when it was looked at.
fn tagged_version(ms: i64) -> Record {
    let mut record = version(1, ms);
    if let Change::Written(written) = &mut record.change {
        written.attributes.tags = Some(tags(&[("a", "1")]));
    }
    record
}

#[test]
fn tags_are_those_of_the_version_or_of_a_change_since() {
    let head = tagged_version(1_000);
    let ask = |ms, change: Option<&Record>| {
        let evidence = Evidence {
            head: Some(&head),
            before: Some(&head),
            tags: change,
            ..Evidence::default()
        };
        let state = state_at(at(ms), &evidence);
        state.found().unwrap().attributes.tags.clone().unwrap()
    };
    assert_eq!(ask(5_000, None), tags(&[("a", "1")]));
    let since = tagged(3_000, &[]);
    assert_eq!(ask(5_000, Some(&since)), tags(&[]));
    // One that is older than the version may be of an earlier parameter.
    let earlier = tagged(500, &[("b", "2")]);
    assert_eq!(ask(5_000, Some(&earlier)), tags(&[("a", "1")]));
}

#[test]
fn the_tags_of_what_lives_unchanged_are_those_on_record() {
    let head = tagged_version(1_000);
    let now = live(1, 1_000);
    let ask = |head: &Record, change: Option<&Record>| {
        let evidence = Evidence {
            live: Some(&now),
            head: Some(head),
            tags: change,
            ..Evidence::default()
        };
        let state = state_at(at(5_000), &evidence);
        state.found().unwrap().attributes.tags.clone()
    };
    assert_eq!(ask(&head, None), Some(tags(&[("a", "1")])));
    let since = tagged(3_000, &[("b", "2")]);
    assert_eq!(ask(&head, Some(&since)), Some(tags(&[("b", "2")])));
    // Another version, or one of which nobody knows them.
    assert_eq!(ask(&version(2, 4_000), None), None);
    assert_eq!(ask(&version(1, 1_000), None), None);
}
