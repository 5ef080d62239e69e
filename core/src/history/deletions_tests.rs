//! Rules of deletions and who asked for them, each by name; and that it makes
//! no difference how the rows come in pages.

use proptest::prelude::*;

use super::super::kin::STEPS;
use super::*;
use crate::domain::event::EventRef;
use crate::domain::{Change, Source, Written};

fn at(ms: i64) -> Instant {
    Instant::from_millis(1_700_000_000_000 + ms)
}

fn record(name: &str, ms: i64, change: Change) -> Record {
    Record {
        name: Name::parse(name).unwrap(),
        at: at(ms),
        change,
        source: Source::Event,
        event: Some(EventRef {
            id: format!("{name}{ms}"),
            time: at(ms).second_start(),
        }),
        recorded_at: at(ms),
    }
}

fn written(ms: i64) -> Record {
    let version = Written {
        version: Some(u64::try_from(ms).unwrap()),
        creates: false,
        discriminator: String::new(),
        attributes: crate::domain::Attributes::default(),
        modified_by: None,
        value: crate::domain::ValueState::Lost,
    };
    record("/x", ms, Change::Written(version))
}

fn exact_of(name: &str, ms: i64) -> Record {
    let change = Change::Deleted {
        not_before: None,
        parameter_type: None,
    };
    record(name, ms, change)
}

fn exact(ms: i64) -> Record {
    exact_of("/x", ms)
}

fn observed(ms: i64, from: i64) -> Record {
    let change = Change::Deleted {
        not_before: Some(at(from)),
        parameter_type: None,
    };
    record("/x", ms, change)
}

fn asked_of(name: &str, ms: i64) -> Record {
    let deleter = Deleter {
        by: Some(format!("by {ms}")),
        from: None,
    };
    record(name, ms, Change::DeletedBy(deleter))
}

fn asked(ms: i64) -> Record {
    asked_of("/x", ms)
}

fn sorted(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by_cached_key(|r| std::cmp::Reverse((r.at, r.name.to_string(), r.suffix())));
    records
}

/// What is told: the instant, the kind, and who asked, of each entry.
fn told(records: Vec<Record>, page: usize) -> Vec<(i64, &'static str, Option<String>)> {
    let mut deletions = Deletions::default();
    let mut entries = Vec::new();
    for page in sorted(records).chunks(page) {
        deletions.admit(page.to_vec());
        entries.extend(deletions.ready(false));
    }
    entries.extend(deletions.ready(true));
    assert_eq!(deletions.held(), 0);
    let told = entries.into_iter().map(|entry| {
        let by = entry.deleter.and_then(|d| d.by);
        let ms = entry.record.at.millis() - at(0).millis();
        (ms, entry.record.operation().as_str(), by)
    });
    told.collect()
}

/// As `told` tells who asked.
fn by(ms: i64) -> Option<String> {
    asked(ms).deleter()?.by.clone()
}

#[test]
fn who_asked_stands_with_the_deletion_up_to_five_seconds_away() {
    for page in 1..4 {
        for ms in [5_000, 9_999, 10_000, 14_999, 15_000] {
            let rows = vec![written(30_000), exact(10_000), asked(ms), written(1)];
            let expected = [
                (30_000, "Update", None),
                (10_000, "Delete", by(ms)),
                (1, "Update", None),
            ];
            assert_eq!(told(rows, page), expected, "{ms} in pages of {page}");
        }
        for ms in [4_999, 15_001] {
            let rows = told(vec![exact(10_000), asked(ms)], page);
            assert_eq!(rows.len(), 2, "{ms}");
            assert!(rows.contains(&(10_000, "Delete", None)), "{ms}");
            assert!(rows.contains(&(ms, "DeletedBy", None)), "{ms}");
        }
    }
}

#[test]
fn without_a_deletion_it_is_an_entry_of_its_own() {
    let expected = [(9_999, "DeletedBy", None), (1, "Update", None)];
    assert_eq!(told(vec![asked(9_999), written(1)], 1), expected);
    let other = told(vec![exact_of("/y", 10_000), asked(9_999)], 2);
    assert_eq!(other.len(), 2);
}

#[test]
fn of_several_the_nearest_asked_and_the_others_stand_alone() {
    let rows = vec![exact(10_000), asked(12_000), asked(9_000), asked(6_000)];
    let expected = [
        (12_000, "DeletedBy", None),
        (10_000, "Delete", by(9_000)),
        (6_000, "DeletedBy", None),
    ];
    for page in 1..5 {
        assert_eq!(told(rows.clone(), page), expected);
    }
    let two = vec![exact(10_000), exact(4_000), asked(8_000), asked(4_500)];
    let expected = [(10_000, "Delete", by(8_000)), (4_000, "Delete", by(4_500))];
    assert_eq!(told(two, 2), expected);
}

#[test]
fn of_an_observed_deletion_it_lies_in_the_interval() {
    for page in 1..4 {
        let rows = vec![observed(100_500, 20_000), asked(60_999), written(20_000)];
        let expected = [(100_500, "Delete", by(60_999)), (20_000, "Update", None)];
        assert_eq!(told(rows, page), expected);
        // Told to the second: this one may have been before the look.
        let rows = vec![observed(100_500, 20_000), asked(100_999)];
        assert_eq!(told(rows, page), [(100_500, "Delete", by(100_999))]);
        let rows = vec![observed(100_500, 20_000), asked(19_999)];
        assert_eq!(told(rows, page).len(), 2);
        let rows = vec![observed(100_500, 20_000), asked(101_999)];
        assert_eq!(told(rows, page).len(), 2);
    }
}

#[test]
fn an_observed_deletion_that_an_exact_one_tells_takes_nobody_with_it() {
    for page in 1..4 {
        let rows = vec![observed(100_500, 20_000), exact(60_999), asked(60_999)];
        assert_eq!(told(rows, page), [(60_999, "Delete", by(60_999))]);
        let rows = vec![observed(100_500, 20_000), exact(60_999), asked(30_999)];
        assert_eq!(told(rows, page).len(), 2);
    }
}

#[test]
fn of_two_intervals_around_it_the_one_that_is_superfluous_does_not_count() {
    let rows = vec![
        observed(63_999, 57_999),
        observed(62_999, 24_999),
        asked(57_999),
        written(33_999),
        exact(24_999),
    ];
    let expected = [
        (63_999, "Delete", by(57_999)),
        (33_999, "Update", None),
        (24_999, "Delete", None),
    ];
    for page in 1..6 {
        assert_eq!(told(rows.clone(), page), expected, "pages of {page}");
    }
}

#[test]
fn what_the_index_told_of_an_interval_counts_and_is_not_told_twice() {
    let mut deletions = Deletions::default();
    deletions.admit(vec![observed(100_500, 20_000), written(90_000)]);
    assert_eq!(deletions.ready(false), []);
    let found = deletions.open_intervals(2, |from| from == at(20_000));
    let [found] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(deletions.open_intervals(2, |from| from == at(20_001)), []);
    let by_whom = Some(Box::new(asked(60_999)));
    deletions.settle_observed(found, Verdict::Stands(by_whom));
    let ready = deletions.ready(false);
    assert_eq!((ready.len(), ready[0].by()), (2, Some("by 60999")));
    deletions.admit(vec![asked(60_999), asked(50_999), written(1)]);
    let rest = deletions.ready(true);
    let rest: Vec<_> = rest.iter().map(|e| e.record.at).collect();
    assert_eq!(rest, [at(50_999), at(1)]);

    let mut deletions = Deletions::default();
    let both = vec![observed(100_500, 20_000), observed(90_500, 20_000)];
    deletions.admit(both.clone());
    assert_eq!(deletions.open_intervals(1, |_| true), both[..1]);
    assert_eq!(deletions.open_intervals(2, |_| true), both);
    for found in &both {
        deletions.settle_observed(found, Verdict::Hidden);
    }
    assert_eq!(deletions.ready(false), []);
    assert_eq!(deletions.held(), 0);
}

#[test]
fn nothing_is_held_longer_than_its_window() {
    let mut deletions = Deletions::default();
    deletions.admit(vec![exact(100_000), written(100_000 - WINDOW_MS)]);
    assert_eq!(deletions.ready(false), []);
    deletions.admit(vec![written(99_999 - WINDOW_MS)]);
    assert_eq!(deletions.ready(false).len(), 3);
}

/// How much was looked at in telling this, the rows in one page.
fn steps(records: Vec<Record>) -> usize {
    let (before, page) = (STEPS.get(), records.len());
    told(records, page);
    STEPS.get() - before
}

#[test]
fn thousands_of_deletions_on_one_page_are_not_compared_with_each_other() {
    const COUNT: usize = 5_000;
    let of_each = |row: &dyn Fn(i64) -> Vec<Record>| {
        let count = i64::try_from(COUNT).unwrap();
        let rows: Vec<Record> = (0..count).flat_map(row).collect();
        steps(rows) / COUNT
    };
    // A few searches for each, of no more than 13 halvings.
    let most = 200;
    let name = |i: i64| format!("/x/{i}");
    let names = of_each(&|i| vec![exact_of(&name(i), i), asked_of(&name(i), i + 2_000)]);
    assert!(names <= most, "{names}");
    let one = of_each(&|i| vec![exact(i * 30_000), asked(i * 30_000 + 2_000)]);
    assert!((1..=most).contains(&one), "{one}");
    let observed = of_each(&|i| {
        let ms = i * 30_000 + 20_000;
        vec![observed(ms, ms - 15_000), asked(ms - 9_000)]
    });
    assert!((1..=most).contains(&observed), "{observed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn pages_make_no_difference_and_nothing_gets_lost(
        rows in prop::collection::vec((0i64..90, 0usize..5, 0i64..40, any::<bool>()), 1..25),
        page in 1usize..26,
    ) {
        let mut records: Vec<Record> = rows
            .iter()
            .map(|(second, kind, back, other)| {
                let name = if *other { "/y" } else { "/x" };
                let ms = second * 1_000 + 999;
                match kind {
                    0 => Record { name: Name::parse(name).unwrap(), ..written(ms) },
                    1 | 2 => asked_of(name, ms),
                    3 => exact_of(name, ms),
                    _ => Record {
                        name: Name::parse(name).unwrap(),
                        ..observed(ms, (ms - back * 1_000).max(0))
                    },
                }
            })
            .collect();
        records = sorted(records);
        records.dedup_by_key(|r| key(r));
        let whole = told(records.clone(), records.len());
        prop_assert_eq!(&told(records.clone(), page), &whole);
        // Every deleter is told once: with a deletion, or alone.
        let asked = records.iter().filter(|r| r.deleter().is_some()).count();
        let alone = whole.iter().filter(|(_, kind, _)| *kind == "DeletedBy").count();
        let with = whole.iter().filter(|(.., by)| by.is_some()).count();
        prop_assert_eq!(alone + with, asked);
        let exact = |r: &&Record| r.is_exact_deletion();
        for record in records.iter().filter(exact) {
            let ms = record.at.millis() - at(0).millis();
            let stands = whole.iter().any(|(at, kind, _)| *at == ms && *kind == "Delete");
            prop_assert!(stands);
        }
    }
}
