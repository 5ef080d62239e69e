use proptest::prelude::*;

use super::*;
use crate::domain::Pointer;
use crate::domain::state::{Evidence, State, state_at};
use crate::domain::stored::{from_journal, to_journal};

/// What the original did, in the order in which it did it, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Did {
    /// Stored a value: the event's second, the second of storing.
    Put(i64, i64),
    /// Put a delete marker.
    Mark(i64),
}
use Did::{Mark, Put};

fn second(s: i64) -> Instant {
    Instant::from_millis(s * 1000)
}

/// The bucket as S3 lists it after `did`; version ids are their places.
fn listing(did: &[Did]) -> (Vec<ListedVersion>, Vec<ListedMarker>) {
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    for (place, done) in did.iter().enumerate().rev() {
        let latest = place + 1 == did.len();
        match done {
            Put(event, stored) => versions.push(ListedVersion {
                version_id: place.to_string(),
                stored: second(*stored),
                latest,
                author: Author::Original(Told {
                    at: second(*event),
                    parameter_type: "String".into(),
                    description: None,
                }),
            }),
            Mark(put) => markers.push(ListedMarker {
                stored: second(*put),
                latest,
            }),
        }
    }
    (versions, markers)
}

fn decided(did: &[Did], recorded: &[Record], live: Option<Instant>) -> Decision {
    let (versions, markers) = listing(did);
    decide(&Question {
        name: &Name::parse("/app/db").unwrap(),
        versions: &versions,
        markers: &markers,
        recorded,
        live,
        now: second(1_000_000),
    })
}

/// What is on record after the drafts are written: each value is where its
/// version's place says.
fn recorded(mut before: Vec<Record>, decision: Decision) -> Vec<Record> {
    for ImportDraft {
        mut record,
        version_id,
    } in decision.drafts
    {
        if let (Some(id), Change::Written(w) | Change::StillThere(w)) =
            (version_id, &mut record.change)
        {
            w.value = ValueState::Stored(pointer(&id));
        }
        let stored = to_journal(&record).unwrap();
        assert_eq!(from_journal(&stored).unwrap(), record);
        before.push(record);
    }
    before.sort_by_key(Record::entry);
    before
}

fn pointer(version_id: &str) -> Pointer {
    Pointer {
        bucket: "b".into(),
        key: "/app/db".into(),
        version_id: version_id.into(),
    }
}

fn imported(did: &[Did]) -> Vec<Record> {
    recorded(vec![], decided(did, &[], None))
}

/// One line for each record.
fn told(records: &[Record]) -> Vec<String> {
    let line = |r: &Record| {
        let ms = r.at.millis();
        let what = match &r.change {
            Change::Written(w) | Change::StillThere(w) => match &w.value {
                ValueState::Stored(p) => p.version_id.clone(),
                ValueState::Lost => "?".into(),
            },
            Change::Deleted { not_before, .. } => {
                format!("after {}", not_before.unwrap().millis())
            }
            Change::Labelled { .. } | Change::Tagged { .. } | Change::DeletedBy(_) => String::new(),
        };
        format!("{ms} {} {what}", r.operation())
    };
    records.iter().map(line).collect()
}

/// The place of the version that is there at the end of a second; none where
/// the newest record is a deletion or there is none.
fn at_end_of(records: &[Record], s: i64) -> Option<String> {
    let end = second(s).second_end();
    let newest = records.iter().rfind(|r| r.at <= end)?;
    let pointer = newest.present()?.value.pointer()?;
    Some(pointer.version_id.clone())
}

/// The original's own rule: the newest by the event's second or, of a marker,
/// by the second it was put; of equal ones the one that was stored last.
fn original_says(did: &[Did], s: i64) -> Option<String> {
    let time = |d: &Did| match d {
        Put(event, _) => *event,
        Mark(put) => *put,
    };
    let told = did.iter().enumerate().filter(|(_, d)| time(d) <= s);
    let (place, newest) = told.max_by_key(|(_, d)| time(d))?;
    matches!(newest, Put(..)).then(|| place.to_string())
}

fn captured(version: u64, at_ms: i64) -> Record {
    Record {
        name: Name::parse("/app/db").unwrap(),
        at: Instant::from_millis(at_ms),
        change: Change::Written(Written {
            version: Some(version),
            creates: version == 1,
            discriminator: String::new(),
            attributes: Attributes {
                parameter_type: "String".into(),
                ..Attributes::default()
            },
            modified_by: None,
            value: ValueState::Stored(pointer("captured")),
        }),
        source: Source::Seed,
        event: None,
        recorded_at: second(0),
    }
}

#[test]
fn only_what_has_the_originals_tags_is_the_originals() {
    let tags = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        author(&pairs.collect())
    };
    let (time, kind) = (("ssmbakTime", "1717951504"), ("ssmbakType", "SecureString"));
    let Author::Original(told) = tags(&[time, kind, ("ssmbakDescription", "a b")]) else {
        panic!("it is the original's");
    };
    assert_eq!(told.at.to_string(), "2024-06-09T16:45:04.000Z");
    assert_eq!(told.parameter_type, "SecureString");
    assert_eq!(told.description.as_deref(), Some("a b"));
    assert_eq!(tags(&[time, kind, ("ssmbakVersion", "3")]), Author::Ours);
    for foreign in [
        &[][..],
        &[time],
        &[kind],
        &[time, ("ssmbakType", "Secret")],
        &[("ssmbakTime", "soon"), kind],
        &[("ssmbakTime", "-1"), kind],
        &[("ssmbakTime", "9223372036854775807"), kind],
    ] {
        assert_eq!(tags(foreign), Author::Foreign, "{foreign:?}");
    }
}

#[test]
fn each_version_stands_at_its_events_second_and_the_first_of_a_life_creates() {
    let did = [Put(10, 11), Put(20, 21), Mark(31), Put(70, 71), Put(80, 81)];
    let expected = [
        "10000 Create 0",
        "20000 Update 1",
        "31999 Delete after 20000",
        "70000 Create 3",
        "80000 Update 4",
    ];
    let records = imported(&did);
    assert_eq!(told(&records), expected);
    let written = records[0].written().unwrap();
    assert_eq!(
        records[0].suffix(),
        format!("v0000000000-{}", written.discriminator)
    );
    assert_eq!(
        (written.discriminator.len(), &written.discriminator[..1]),
        (17, "i")
    );
    assert!(
        records
            .iter()
            .all(|r| r.source == Source::Import && r.event.is_none())
    );
}

#[test]
fn a_deletion_lies_before_the_next_version_however_late_it_was_processed() {
    let did = [Put(10, 11), Mark(500), Put(70, 501)];
    let expected = [
        "10000 Create 0",
        "69999 Delete after 10000",
        "70000 Create 2",
    ];
    assert_eq!(told(&imported(&did)), expected);
}

#[test]
fn a_version_that_proves_a_later_life_but_not_its_beginning_takes_the_deletion_back() {
    // The second was written before the first and stored after the marker.
    let did = [Put(60, 61), Mark(100), Put(50, 160)];
    let decision = decided(&did, &[], None);
    assert_eq!(decision.doubtful, 1);
    let records = recorded(vec![], decision);
    assert_eq!(told(&records), ["50000 Create 2", "60000 Update 0"]);
}

#[test]
fn a_marker_before_all_versions_is_a_deletion_and_before_it_nothing_is_known() {
    let records = imported(&[Mark(5), Put(70, 71)]);
    assert_eq!(told(&records), ["5999 Delete after 0", "70000 Create 1"]);
    let state = |at, covered| {
        let before = records.iter().rfind(|r| r.at <= at);
        state_at(
            at,
            &Evidence {
                head: records.last(),
                before,
                oldest: records.first(),
                covered,
                ..Evidence::default()
            },
        )
    };
    assert!(matches!(state(second(3), false), State::Unknown { .. }));
    assert!(matches!(state(second(50), false), State::Absent { .. }));
}

#[test]
fn the_oldest_import_is_no_version_1() {
    let records = imported(&[Put(70, 71)]);
    for covered in [false, true] {
        let evidence = Evidence {
            head: records.first(),
            oldest: records.first(),
            covered,
            ..Evidence::default()
        };
        let state = state_at(second(50), &evidence);
        let expected = State::Unknown {
            known_from: Some(second(70)),
        };
        assert_eq!(state, expected, "covered: {covered}");
    }
}

#[test]
fn a_second_marker_in_a_row_repeats_the_first() {
    let decision = decided(&[Put(10, 11), Mark(31), Mark(40)], &[], None);
    assert_eq!(decision.doubtful, 1);
    let records = recorded(vec![], decision);
    assert_eq!(told(&records)[1], "31999 Delete after 10000");
}

#[test]
fn a_marker_without_any_version_of_the_original_is_nobodys() {
    let decision = decided(&[Mark(31)], &[], None);
    assert_eq!((decision.drafts.len(), decision.doubtful), (0, 1));
}

#[test]
fn among_this_tools_versions_no_marker_is_taken_for_the_originals() {
    let (mut versions, markers) = listing(&[Put(10, 11), Put(20, 21), Mark(31)]);
    versions[0].author = Author::Ours;
    let name = Name::parse("/app/db").unwrap();
    let decision = decide(&Question {
        name: &name,
        versions: &versions,
        markers: &markers,
        recorded: &[],
        live: None,
        now: second(100),
    });
    assert_eq!((decision.ours, decision.doubtful), (1, 1));
    assert_eq!(told(&recorded(vec![], decision)), ["10000 Create 0"]);
}

#[test]
fn of_one_second_the_version_that_was_stored_last_decides() {
    let decision = decided(&[Put(10, 11), Put(10, 12), Put(10, 300)], &[], None);
    assert_eq!(decision.superseded, 2);
    assert_eq!(told(&recorded(vec![], decision)), ["10000 Create 2"]);
}

#[test]
fn what_was_imported_of_a_second_stays() {
    let first = imported(&[Put(10, 11)]);
    let again = decided(&[Put(10, 11), Put(10, 300)], &first, None);
    assert_eq!(
        (again.drafts.len(), again.already, again.superseded),
        (0, 1, 1)
    );
    // Even where it is gone from the bucket.
    let (versions, _) = listing(&[Put(10, 11), Put(10, 300)]);
    let gone = decide(&Question {
        name: &Name::parse("/app/db").unwrap(),
        versions: &versions[..1],
        markers: &[],
        recorded: &first,
        live: None,
        now: second(400),
    });
    assert_eq!((gone.drafts.len(), gone.superseded), (0, 1));
}

#[test]
fn where_a_capture_has_the_second_nothing_is_imported() {
    let known = [captured(4, 20_649)];
    let decision = decided(&[Put(10, 11), Put(20, 21), Put(30, 31)], &known, None);
    assert_eq!(decision.already, 1);
    let drafts: Vec<_> = decision.drafts.into_iter().map(|d| d.record).collect();
    assert_eq!(told(&drafts), ["10000 Create ?", "30000 Update ?"]);
}

#[test]
fn a_deletion_that_captured_versions_contradict_is_left_out() {
    let did = [Put(10, 11), Mark(100)];
    // Written in between, or numbers that rise over it.
    for known in [
        vec![captured(7, 70_500)],
        vec![captured(7, 10_500), captured(8, 200_000)],
    ] {
        let decision = decided(&did, &known, None);
        assert_eq!(decision.doubtful, 1);
        assert!(!decision.drafts.iter().any(|d| d.record.is_deletion()));
    }
    // A later life speaks for it.
    let known = [captured(7, 10_500), captured(1, 200_000)];
    let decision = decided(&did, &known, None);
    assert!(decision.drafts.iter().any(|d| d.record.is_deletion()));
}

#[test]
fn a_deletion_that_what_lives_contradicts_is_left_out() {
    let did = [Put(10, 11), Mark(100)];
    assert_eq!(decided(&did, &[], Some(second(60))).doubtful, 1);
    assert_eq!(decided(&did, &[], Some(second(160))).doubtful, 0);
}

#[test]
fn a_deletion_that_a_later_import_moves_is_answered_by_what_was_there() {
    let first = imported(&[Put(10, 11), Mark(100)]);
    let later = [Put(10, 11), Mark(100), Put(50, 160)];
    let second_time = recorded(first.clone(), decided(&later, &first, None));
    let expected = [
        "10000 Create 0",
        "49999 Delete after 10000",
        "50000 Create 2",
        "100999 Delete after 10000",
        "100999 StillThere 2",
    ];
    assert_eq!(told(&second_time), expected);
    assert_eq!(decided(&later, &second_time, None).drafts, []);
}

#[test]
fn in_one_second_a_marker_is_the_older_unless_the_key_shows_it() {
    let at_once = [Put(10, 11), Put(70, 90), Mark(90), Put(100, 101)];
    let expected = [
        "10000 Create 0",
        "69999 Delete after 10000",
        "70000 Create 1",
        "100000 Update 3",
    ];
    assert_eq!(told(&imported(&at_once)), expected);
    // Nothing shows that it was before the first.
    assert_eq!(
        told(&imported(&[Mark(90), Put(70, 90)])),
        ["70000 Create 1"]
    );
    let shown = [Put(10, 11), Put(90, 90), Mark(90)];
    assert_eq!(told(&imported(&shown))[2], "90999 Delete after 90000");
}

#[test]
fn what_an_import_does_not_know_is_left_as_it_is() {
    let live = Attributes {
        parameter_type: "SecureString".into(),
        description: Some("what: it (is)".into()),
        tier: Some("Advanced".into()),
        key_id: Some("alias/mine".into()),
        allowed_pattern: Some(".*".into()),
        policies: vec!["{}".into()],
        data_type: Some("text".into()),
        labels: vec!["prod".into()],
        tags: Some(BTreeMap::new()),
    };
    let import = Attributes {
        parameter_type: "SecureString".into(),
        description: Some("what: it is".into()),
        ..Attributes::default()
    };
    let completed = import.completed_from(&live);
    let unknown = Attributes {
        tier: None,
        labels: vec![],
        tags: None,
        ..live.clone()
    };
    assert_eq!(completed, unknown);
    let other = Attributes {
        parameter_type: "String".into(),
        description: Some("another".into()),
        ..import
    };
    let completed = other.completed_from(&live);
    assert_eq!(completed.description.as_deref(), Some("another"));
    assert_eq!(completed.key_id, None);
    assert_eq!(live.completed_from(&other), live);
}

#[test]
fn no_description_then_and_one_now_is_a_difference() {
    let then = Attributes::default();
    let now = Attributes {
        description: Some("new".into()),
        data_type: Some("text".into()),
        ..Attributes::default()
    };
    assert_eq!(then.completed_from(&now).description, None);
    // The original has no tag for a description of which nothing is left.
    let emptied = Attributes {
        description: Some("{}".into()),
        ..now
    };
    let completed = then.completed_from(&emptied);
    assert_eq!(completed.description.as_deref(), Some("{}"));
}

/// A life of one parameter: whether it lives after each change, with its
/// second; a name comes back 30 s after its deletion at the earliest.
fn lives(steps: &[(bool, i64)]) -> Vec<(bool, i64)> {
    let (mut at, mut alive) = (1_000, false);
    let mut lived = Vec::new();
    for (delete, gap) in steps {
        at += if alive { *gap } else { 31 + *gap };
        alive = !(alive && *delete);
        lived.push((alive, at));
    }
    lived
}

/// The original works them off in order, each when `delays` lets it; it stores
/// nothing for a change whose parameter is gone by then. With the second of the
/// first such change: of that life the bucket may have nothing.
fn worked_off(lived: &[(bool, i64)], delays: &[i64]) -> (Vec<Did>, Option<i64>) {
    let (mut now, mut did, mut skipped) = (0, Vec::new(), None);
    for ((alive, at), delay) in lived.iter().zip(delays.iter().cycle()) {
        now = now.max(at + delay) + 1;
        let present = lived.iter().rfind(|(_, t)| *t <= now).is_some_and(|l| l.0);
        match (alive, present) {
            (false, _) => did.push(Mark(now)),
            (true, true) => did.push(Put(*at, now)),
            (true, false) => skipped = skipped.or(Some(*at)),
        }
    }
    (did, skipped)
}

fn did() -> impl Strategy<Value = Vec<Did>> {
    let put = (0..60i64, 0..60i64).prop_map(|(event, delay)| (Some(event), delay));
    let mark = (0..60i64).prop_map(|delay| (None, delay));
    prop::collection::vec(prop_oneof![3 => put, 1 => mark], 1..10).prop_map(|steps| {
        let mut now = 60;
        let done = steps.into_iter().map(|(event, delay)| {
            now += delay / 10;
            event.map_or(Mark(now), |event| Put(event, now))
        });
        done.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn in_time_and_in_order_it_says_what_the_original_says(
        steps in prop::collection::vec((any::<bool>(), 2..40i64), 1..12),
    ) {
        let lived = lives(&steps);
        let (did, _) = worked_off(&lived, &[0]);
        let records = imported(&did);
        for s in 990..=lived.last().unwrap().1 + 5 {
            prop_assert_eq!(at_end_of(&records, s), original_says(&did, s), "{} of {:?}", s, did);
        }
    }

    #[test]
    fn however_late_it_ran_what_lived_is_never_absent(
        steps in prop::collection::vec((any::<bool>(), 2..90i64), 1..12),
        delays in prop::collection::vec(0..400i64, 1..6),
    ) {
        let lived = lives(&steps);
        let (did, skipped) = worked_off(&lived, &delays);
        let records = imported(&did);
        let end = skipped.unwrap_or(lived.last().unwrap().1 + 5);
        for s in 990..end {
            let newest = records.iter().rfind(|r| r.at <= second(s).second_end());
            let absent = newest.is_some_and(Record::is_deletion);
            let truly = lived.iter().rfind(|(_, t)| *t <= s).is_some_and(|l| l.0);
            prop_assert!(!(absent && truly), "{} of {:?} as {:?}", s, lived, did);
        }
    }

    #[test]
    fn a_second_import_adds_nothing(did in did()) {
        let records = imported(&did);
        let again = decided(&did, &records, None);
        prop_assert_eq!(again.drafts, vec![]);
    }

    #[test]
    fn in_parts_it_never_says_absent_where_the_whole_says_present(
        did in did(),
        parts in prop::collection::vec(any::<bool>(), 10),
    ) {
        let mut records = Vec::new();
        for end in 1..=did.len() {
            if end == did.len() || parts[end] {
                records = recorded(records.clone(), decided(&did[..end], &records, None));
            }
        }
        prop_assert_eq!(decided(&did, &records, None).drafts, vec![]);
        let whole = imported(&did);
        for s in 0..150 {
            let (parts, whole) = (at_end_of(&records, s), at_end_of(&whole, s));
            prop_assert!(
                parts.is_some() || whole.is_none(),
                "{} of {:?}: {:?}", s, did, told(&records)
            );
        }
    }
}
