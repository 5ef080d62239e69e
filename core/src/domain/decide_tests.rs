//! Rules of the capture decision, each by name, and a model: generated
//! histories with late, repeated and reordered events.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::Path;
use crate::domain::record::Attributes;
use crate::domain::state::{Evidence, FoundValue, State, state_at};

const EVENT_LATE_MS: i64 = 3_600_000;

fn name() -> Name {
    Name::parse("/app/db").unwrap()
}

fn at(ms: i64) -> Instant {
    Instant::from_millis(1_700_000_000_000 + ms)
}

fn retained(version: u64, ms: i64) -> Retained {
    Retained {
        version,
        modified: at(ms),
        modified_by: None,
        attributes: Attributes {
            parameter_type: "String".into(),
            ..Attributes::default()
        },
        value: RetainedValue::Read(Value::new(format!("v{version}@{ms}"))),
    }
}

fn event(id: &str, ms: i64, kind: EventKind) -> Event {
    Event {
        name: name(),
        origin: EventRef {
            id: id.into(),
            time: at(ms).second_start(),
        },
        kind,
    }
}

fn written(id: &str, ms: i64, creates: bool) -> Event {
    let kind = EventKind::Written {
        creates,
        parameter_type: "String".into(),
        description: None,
    };
    event(id, ms, kind)
}

fn deleted(id: &str, ms: i64) -> Event {
    let parameter_type = Some("String".into());
    event(id, ms, EventKind::Deleted { parameter_type })
}

/// Decides and gives the records out as if they had been stored.
fn run(
    recorded: &[Record],
    look: &[Retained],
    events: &[Event],
    now_ms: i64,
) -> (Vec<Record>, Vec<Verdict>) {
    let look = Look {
        sent: at(now_ms),
        retained: Some(look.to_vec()).filter(|l| !l.is_empty()),
    };
    let decision = decide(&Question {
        name: &name(),
        recorded,
        tags: &[],
        look: &look,
        events,
        now: at(now_ms),
        source: Source::Event,
    });
    let store = |draft: Draft| match draft.value.clone() {
        None => draft.record,
        // The value itself stands in for the version id, to be compared.
        Some(value) => draft.stored_at(Pointer {
            bucket: "b".into(),
            key: "/app/db".into(),
            version_id: value.expose().into(),
        }),
    };
    let records = decision.drafts.into_iter().map(store).collect();
    (records, decision.verdicts)
}

fn entries(records: &[Record]) -> Vec<String> {
    records
        .iter()
        .map(|r| format!("{}#{}", r.at.millis() - at(0).millis(), r.suffix()))
        .collect()
}

#[test]
fn a_burst_in_one_second_is_captured_whole_with_one_event() {
    let look = [retained(1, 100), retained(2, 150), retained(3, 900)];
    let (records, verdicts) = run(&[], &look, &[written("e", 150, false)], 5_000);
    assert_eq!(
        entries(&records),
        ["100#v0000000001", "150#v0000000002", "900#v0000000003"]
    );
    assert_eq!(verdicts, [Verdict::Done]);
}

#[test]
fn the_same_event_again_records_nothing() {
    let look = [retained(1, 100)];
    let events = [written("e", 100, true)];
    let (records, _) = run(&[], &look, &events, 5_000);
    let (again, verdicts) = run(&records, &look, &events, 6_000);
    assert_eq!(again, []);
    assert_eq!(verdicts, [Verdict::Done]);
}

#[test]
fn a_deletion_keeps_the_events_second_and_is_recorded_once() {
    let events = [deleted("e", 7_300), deleted("e", 7_300)];
    let (records, _) = run(&[], &[], &events, EVENT_LATE_MS);
    assert_eq!(entries(&records), ["7999#x"]);
    let (again, _) = run(&records, &[], &events, EVENT_LATE_MS);
    assert_eq!(again, []);
}

#[test]
fn a_young_event_that_nothing_explains_is_retried() {
    let events = [written("e", 0, true)];
    let (records, verdicts) = run(&[], &[], &events, STALE_READ_MS - 1);
    assert_eq!((records, verdicts), (vec![], vec![Verdict::Retry]));
}

#[test]
fn a_value_gone_for_good_is_recorded_as_lost_not_forgotten() {
    let events = [written("e1", 2_000, false), deleted("e2", 3_000)];
    let (records, verdicts) = run(&[], &[], &events, STALE_READ_MS + 3_000);
    assert_eq!(entries(&records), ["2000#v0000000000-e1", "3999#x"]);
    assert_eq!(verdicts, [Verdict::Done, Verdict::Done]);
    let (again, _) = run(&records, &[], &events, STALE_READ_MS + 4_000);
    assert_eq!(again, []);
}

#[test]
fn an_old_event_off_by_a_second_is_done_when_no_number_is_missing() {
    let look = [retained(1, 999), retained(2, 5_000)];
    let events = [written("e", 1_000, true)];
    let (records, verdicts) = run(&[], &look, &events, EVENT_LATE_MS);
    assert_eq!(entries(&records), ["999#v0000000001", "5000#v0000000002"]);
    assert_eq!(verdicts, [Verdict::Done]);
}

#[test]
fn a_version_whose_key_is_disabled_waits_and_one_whose_key_is_gone_is_lost() {
    let sealed = Retained {
        value: RetainedValue::Sealed,
        ..retained(2, 5_000)
    };
    let events = [written("e", 5_000, false)];
    let look = [retained(1, 100), sealed.clone(), retained(3, 9_000)];
    let (records, verdicts) = run(&[], &look, &events, EVENT_LATE_MS);
    assert_eq!(entries(&records), ["100#v0000000001", "9000#v0000000003"]);
    assert_eq!(verdicts, [Verdict::Retry]);
    let gone = Retained {
        value: RetainedValue::Lost,
        ..sealed
    };
    let (records, verdicts) = run(&records, &[retained(1, 100), gone], &events, EVENT_LATE_MS);
    assert_eq!(entries(&records), ["5000#v0000000002"]);
    assert_eq!(records[0].present().unwrap().value, ValueState::Lost);
    assert_eq!(verdicts, [Verdict::Done]);
}

#[test]
fn a_version_pushed_out_of_the_newest_hundred_is_lost() {
    let look = [retained(5, 9_000), retained(6, 10_000)];
    let events = [written("e", 4_000, false)];
    let (records, _) = run(&[], &look, &events, EVENT_LATE_MS);
    assert_eq!(
        entries(&records),
        [
            "4000#v0000000000-e",
            "9000#v0000000005",
            "10000#v0000000006"
        ]
    );
}

#[test]
fn what_was_written_before_a_recreation_is_lost_though_its_first_version_is_no_longer_retained() {
    let created = [retained(1, 60_000), retained(2, 60_100)];
    let (before, _) = run(&[], &created, &[deleted("d", 2_000)], 61_000);
    let look = [retained(2, 60_100), retained(3, 60_200)];
    let events = [written("e", 0, true)];
    let (records, verdicts) = run(&before, &look, &events, EVENT_LATE_MS);
    assert_eq!(entries(&records), ["0#v0000000000-e", "60200#v0000000003"]);
    assert_eq!(verdicts, [Verdict::Done]);
}

#[test]
fn a_number_that_does_not_rise_proves_a_deletion() {
    let (before, _) = run(&[], &[retained(1, 0), retained(2, 100)], &[], 500);
    let look = [retained(1, 60_000)];
    let (records, _) = run(&before, &look, &[written("e", 60_000, true)], 61_000);
    assert_eq!(entries(&records), ["59999#xo", "60000#v0000000001"]);
    assert_eq!(
        records[0].change,
        Change::Deleted {
            not_before: Some(at(100)),
            parameter_type: None
        }
    );
}

#[test]
fn a_record_that_was_read_twice_proves_nothing() {
    let look = [retained(1, 0), retained(2, 100)];
    let (records, _) = run(&[], &look, &[], 500);
    let twice: Vec<Record> = records.iter().chain(&records).cloned().collect();
    assert_eq!(run(&twice, &look, &[], 600).0, []);
}

#[test]
fn a_recorded_deletion_between_explains_the_number() {
    let (before, _) = run(&[], &[retained(1, 0), retained(2, 100)], &[], 500);
    let look = [retained(1, 60_000)];
    let events = [deleted("d", 20_000), written("e", 60_000, true)];
    let (records, _) = run(&before, &look, &events, 61_000);
    assert_eq!(entries(&records), ["20999#x", "60000#v0000000001"]);
}

#[test]
fn a_version_older_than_a_deletion_and_still_retained_contradicts_it() {
    let look = [retained(1, 0), retained(2, 100)];
    let (records, _) = run(&[], &look, &[deleted("d", 20_000)], 30_000);
    assert_eq!(
        entries(&records),
        ["0#v0000000001", "100#v0000000002", "20999#x", "20999#y"]
    );
    assert_eq!(records[3].present().unwrap().version, Some(2));
}

#[test]
fn what_cannot_be_read_for_now_contradicts_no_deletion_until_it_can() {
    let sealed = Retained {
        value: RetainedValue::Sealed,
        ..retained(1, 100)
    };
    let (records, _) = run(&[], &[sealed], &[deleted("d", 20_000)], 30_000);
    assert_eq!(entries(&records), ["20999#x"]);
    let (records, _) = run(&records, &[retained(1, 100)], &[], 60_000);
    assert_eq!(entries(&records), ["100#v0000000001", "20999#y"]);
}

#[test]
fn a_recreation_in_the_very_second_of_the_deletion_is_still_there() {
    let (before, _) = run(&[], &[retained(1, 0)], &[], 500);
    let look = [retained(1, 5_600)];
    let (records, _) = run(&before, &look, &[deleted("d", 5_100)], 8_000);
    assert_eq!(entries(&records), ["5600#v0000000001", "5999#x", "5999#y"]);
}

#[test]
fn a_label_move_is_a_record_beside_the_state() {
    let kind = EventKind::Labelled {
        label: "prod".into(),
        from: Some(1),
        to: 2,
    };
    let (records, _) = run(&[], &[], &[event("l", 4_200, kind)], 5_000);
    assert_eq!(records[0].at, at(4_999));
    assert!(!records[0].decides_state());
}

/// One thing that happens to the parameter of the model.
#[derive(Debug, Clone, Copy)]
enum Op {
    /// Write, this long after the operation before.
    Put { after_ms: i64 },
    /// Delete.
    Delete { after_ms: i64 },
}

/// What happened, in order: the truth.
#[derive(Debug, Clone)]
struct Happened {
    ms: i64,
    /// The version that was written; none for a deletion.
    version: Option<u64>,
}

fn happen(ops: &[Op]) -> Vec<Happened> {
    let mut ms = 10_000;
    let mut live = None;
    let mut all = Vec::new();
    for op in ops {
        match (*op, live) {
            (Op::Put { after_ms }, _) => {
                // Parameter Store refuses a re-creation within thirty seconds.
                let wait = if live.is_none() { 30_000 } else { 1 };
                ms += after_ms.max(wait);
                live = Some(live.unwrap_or(0) + 1);
            }
            (Op::Delete { after_ms }, Some(_)) => {
                ms += after_ms.max(1);
                live = None;
            }
            (Op::Delete { .. }, None) => continue,
        }
        all.push(Happened { ms, version: live });
    }
    all
}

/// What Parameter Store retains at `ms`.
fn retained_at(truth: &[Happened], ms: i64) -> Vec<Retained> {
    let mut versions = Vec::new();
    for happened in truth.iter().filter(|h| h.ms <= ms) {
        match happened.version {
            Some(version) => versions.push(retained(version, happened.ms)),
            None => versions.clear(),
        }
    }
    versions
}

fn announced(truth: &[Happened]) -> Vec<Event> {
    let event = |(i, h): (usize, &Happened)| match h.version {
        Some(version) => written(&format!("e{i}"), h.ms, version == 1),
        None => deleted(&format!("e{i}"), h.ms),
    };
    truth.iter().enumerate().map(event).collect()
}

/// Delivers events at the given times, each batch a capture; those to be
/// retried come again once they are old.
fn deliver(truth: &[Happened], deliveries: &[(i64, Event)]) -> BTreeMap<String, Record> {
    let mut index = BTreeMap::new();
    let mut queue: Vec<(i64, Event)> = deliveries.to_vec();
    queue.sort_by_key(|(ms, _)| *ms);
    let mut later = Vec::new();
    for (ms, event) in queue {
        if capture_into(&mut index, truth, &event, ms) == Verdict::Retry {
            later.push(event);
        }
    }
    for event in later {
        let ms = event.origin.time.millis() - at(0).millis() + EVENT_LATE_MS * 24;
        assert_eq!(capture_into(&mut index, truth, &event, ms), Verdict::Done);
    }
    index
}

fn capture_into(
    index: &mut BTreeMap<String, Record>,
    truth: &[Happened],
    event: &Event,
    ms: i64,
) -> Verdict {
    let recorded: Vec<Record> = index.values().cloned().collect();
    let look = retained_at(truth, ms);
    let (records, verdicts) = run(&recorded, &look, std::slice::from_ref(event), ms);
    for record in records {
        let clash = index.insert(record.entry(), record);
        assert!(clash.is_none(), "recorded twice");
    }
    verdicts[0]
}

/// Asks the index as a survey does.
fn ask(index: &BTreeMap<String, Record>, t: Instant) -> State {
    let before = index.values().rfind(|r| r.at <= t);
    state_at(
        t,
        &Evidence {
            tags: None,
            live: None,
            head: index.values().next_back(),
            before,
            oldest: index.values().next(),
            retained: &[],
            covered: true,
        },
    )
}

/// Whether a state is what the truth says of the end of that second. A value
/// that nobody could read before it was gone may be lost, never another.
fn is_right(truth: &[Happened], t: Instant, state: &State) -> bool {
    let then = truth.iter().rfind(|h| at(h.ms) <= t);
    match (then.and_then(|h| h.version.map(|v| (h.ms, v))), state) {
        (None, State::Absent { .. }) => true,
        (Some((ms, version)), State::Present(found)) => match &found.value {
            FoundValue::Stored(pointer) => {
                pointer.version_id == format!("v{version}@{ms}") && found.modified == at(ms)
            }
            FoundValue::Lost => found.modified.same_second(at(ms)),
            FoundValue::Live
            | FoundValue::Retained(_)
            | FoundValue::Given(_)
            | FoundValue::Sealed => false,
        },
        _ => false,
    }
}

/// What people can see of an index: observed deletions that an exact one
/// explains are hidden.
fn visible(index: &BTreeMap<String, Record>) -> Vec<(String, Change)> {
    index
        .values()
        .filter(|r| r.suffix() != "xo")
        .map(|r| (r.entry(), r.change.clone()))
        .collect()
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let gap = prop_oneof![1..400i64, 400..3_000i64, 3_000..100_000i64];
    let op = prop_oneof![
        3 => gap.clone().prop_map(|after_ms| Op::Put { after_ms }),
        1 => gap.prop_map(|after_ms| Op::Delete { after_ms }),
    ];
    prop::collection::vec(op, 1..14)
}

/// Delays in milliseconds; events reach a queue tens of seconds late, some
/// hours, some twice.
fn delays() -> impl Strategy<Value = Vec<(i64, Option<i64>)>> {
    let delay = || prop_oneof![1_000..40_000i64, 1_000..(6 * EVENT_LATE_MS)];
    prop::collection::vec((delay(), prop::option::of(delay())), 14)
}

/// Looks are made at the end of a second: one in the middle of a second may
/// see one version and miss another that is written and gone before the next
/// look. The event's time cannot tell the two apart (`docs/decisions.md`).
fn schedule(truth: &[Happened], delays: &[(i64, Option<i64>)]) -> Vec<(i64, Event)> {
    let end = |ms: i64| ms - ms % 1_000 + 999;
    announced(truth)
        .into_iter()
        .zip(truth.iter().zip(delays))
        .flat_map(|(event, (h, (first, again)))| {
            let second = Some((end(h.ms + first), event.clone()));
            second
                .into_iter()
                .chain(again.map(|again| (end(h.ms + again), event)))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Invariants 2, 4 and 10, and the 100 % of the README: whatever the
    /// order of delivery, every second is answered right.
    #[test]
    fn late_repeated_and_reordered_events_give_the_right_state_at_every_second(
        ops in ops(), delays in delays(),
    ) {
        let truth = happen(&ops);
        let index = deliver(&truth, &schedule(&truth, &delays));
        for boundary in truth.iter().map(|h| at(h.ms)) {
            for offset in [-1_000, 0, 1_000] {
                let t = boundary.plus_millis(offset).second_end();
                let state = ask(&index, t);
                prop_assert!(is_right(&truth, t, &state), "at {t}: {state:?}\n{truth:?}\n{:?}", entries(&index.values().cloned().collect::<Vec<_>>()));
            }
        }
    }

    /// Where every event is read in time to see its version, the order of
    /// delivery leaves no trace in the records.
    #[test]
    fn the_order_of_delivery_leaves_no_trace(
        gaps in prop::collection::vec(prop_oneof![1..400i64, 400..9_000i64], 1..14),
        one in delays(), other in delays(),
    ) {
        let ops: Vec<Op> = gaps.iter().map(|g| Op::Put { after_ms: *g }).collect();
        let truth = happen(&ops);
        let first = deliver(&truth, &schedule(&truth, &one));
        let second = deliver(&truth, &schedule(&truth, &other));
        prop_assert_eq!(visible(&first), visible(&second));
        prop_assert_eq!(first.len(), truth.len());
    }

    /// Invariant 1: a name whose oldest record is not its version 1 is never
    /// said to have been absent before, covered or not.
    #[test]
    fn unknown_is_never_absent(first in 2..9u64, covered: bool) {
        let (records, _) = run(&[], &[retained(first, 5_000), retained(first + 1, 6_000)], &[], 9_000);
        let state = state_at(at(4_000), &Evidence {
            head: records.last(), oldest: records.first(), covered, ..Evidence::default()
        });
        prop_assert_eq!(state, State::Unknown { known_from: Some(at(5_000)) });
    }
}

#[test]
fn paths_are_no_part_of_the_decision() {
    // Guards the helper above: the model's name lies under a path.
    assert!(Path::parse("/app/").unwrap().contains(&name()));
}
