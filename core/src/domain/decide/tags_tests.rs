//! Rules of the changes of tags, each by name, and a model of their events.

use proptest::prelude::*;

use super::*;
use crate::domain::decide::decide;
use crate::domain::event::EventRef;
use crate::domain::record::Attributes;
use crate::domain::retained::{Look, Retained, RetainedValue};
use crate::domain::{Name, Value};

/// Past every stale read.
const LATER: i64 = STALE_LOOK_MS;

fn name() -> Name {
    Name::parse("/app/db").unwrap()
}

fn at(ms: i64) -> Instant {
    Instant::from_millis(1_700_000_000_000 + ms)
}

/// One tag, or none where the text is empty.
fn tags(text: &str) -> Tags {
    let pair = (!text.is_empty()).then(|| ("k".to_owned(), text.to_owned()));
    pair.into_iter().collect()
}

fn told_at(ms: i64, tags: Option<Tags>) -> Event {
    Event {
        name: name(),
        origin: EventRef {
            id: format!("e{ms}"),
            time: at(ms).second_start(),
        },
        kind: EventKind::Tagged { tags },
    }
}

fn retained(version: u64, written_ms: i64, live: &str) -> Retained {
    Retained {
        version,
        modified: at(written_ms),
        modified_by: None,
        attributes: Attributes {
            parameter_type: "String".into(),
            tags: Some(tags(live)),
            ..Attributes::default()
        },
        value: RetainedValue::Read(Value::new("v")),
    }
}

/// What is on record, capture after capture.
#[derive(Default)]
struct Recorded(Vec<Record>);

impl Recorded {
    /// Captures version `version` of `written_ms` with these tags, looked at at
    /// `ms`, and returns the instants and tags of the changes it recorded.
    fn look(
        &mut self,
        ms: i64,
        (version, written_ms): (u64, i64),
        live: &str,
        events: &[Event],
    ) -> Vec<(i64, Tags)> {
        let retained = retained(version, written_ms, live);
        let look = Look {
            sent: at(ms),
            retained: Some(vec![retained]),
        };
        let of_tags = |r: &Record| matches!(r.change, Change::Tagged { .. });
        let (changes, records): (Vec<_>, Vec<_>) = self.0.iter().cloned().partition(of_tags);
        let decision = decide(&Question {
            name: &name(),
            recorded: &records,
            tags: &changes,
            look: &look,
            events,
            now: at(ms),
            source: Source::Event,
        });
        let drafted: Vec<Record> = decision.drafts.into_iter().map(|d| d.record).collect();
        self.0.extend(drafted.iter().cloned());
        let changed = drafted.into_iter().filter_map(|r| match r.change {
            Change::Tagged { tags } => Some((r.at.millis() - at(0).millis(), tags)),
            Change::Written(_)
            | Change::Deleted { .. }
            | Change::StillThere(_)
            | Change::Labelled { .. }
            | Change::DeletedBy(_) => None,
        });
        changed.collect()
    }

    /// The tags on record at `ms`.
    fn tags_at(&self, ms: i64) -> Tags {
        let known = self.0.iter().filter_map(known_by);
        let until = known.filter(|k| k.at <= at(ms));
        until.max_by_key(|k| k.entry.clone()).unwrap().tags
    }
}

#[test]
fn tags_on_record_matter_unless_a_version_is_new_and_told() {
    let event = |ms: i64, kind| Event {
        kind,
        ..told_at(ms, None)
    };
    let written = |ms| {
        let (creates, parameter_type) = (false, "String".into());
        event(
            ms,
            EventKind::Written {
                creates,
                parameter_type,
                description: None,
            },
        )
    };
    let deleted = event(
        2_000,
        EventKind::Deleted {
            parameter_type: None,
        },
    );
    let mut recorded = Recorded::default();
    let matter = |recorded: &Recorded, version: Option<(u64, i64)>, events: &[Event], source| {
        let retained = version.map(|(version, ms)| vec![retained(version, ms, "a")]);
        let look = Look {
            sent: at(9_000),
            retained,
        };
        depends_on_tags(&Question {
            name: &name(),
            recorded: &recorded.0,
            tags: &[],
            look: &look,
            events,
            now: at(9_000),
            source,
        })
    };
    let (new, by_event) = (Some((2, 2_100)), Source::Event);
    assert!(!matter(&recorded, new, &[written(2_500)], by_event));
    assert!(!matter(&recorded, None, &[deleted], by_event));
    // Another's event, none, one of tags; a look without an event; a version on record.
    assert!(matter(&recorded, new, &[written(3_500)], by_event));
    assert!(matter(&recorded, new, &[], by_event));
    assert!(matter(
        &recorded,
        new,
        &[written(2_500), told_at(2_500, None)],
        by_event
    ));
    assert!(matter(&recorded, new, &[written(2_500)], Source::Restore));
    recorded.look(8_000, (2, 2_100), "a", &[]);
    assert!(matter(&recorded, new, &[written(2_500)], by_event));
}

#[test]
fn a_look_records_only_tags_that_really_differ() {
    let mut recorded = Recorded::default();
    assert_eq!(recorded.look(500, (1, 100), "a", &[]), []);
    assert_eq!(recorded.look(600, (1, 100), "a", &[]), []);
    assert_eq!(recorded.look(700, (1, 100), "b", &[]), [(700, tags("b"))]);
    assert_eq!(recorded.look(800, (1, 100), "b", &[]), []);
    assert_eq!(recorded.look(900, (1, 100), "", &[]), [(900, tags(""))]);
    assert_eq!(recorded.look(950, (1, 100), "", &[]), []);
}

#[test]
fn a_new_version_tells_its_tags_itself() {
    let mut recorded = Recorded::default();
    recorded.look(500, (1, 100), "a", &[]);
    assert_eq!(recorded.look(700, (2, 600), "b", &[]), []);
    assert_eq!(recorded.look(800, (2, 600), "b", &[]), []);
}

#[test]
fn an_event_tells_the_end_of_its_second_and_twice_is_once() {
    let mut recorded = Recorded::default();
    recorded.look(500, (1, 100), "a", &[]);
    let event = told_at(2_300, Some(tags("b")));
    let events = [event.clone(), event];
    assert_eq!(
        recorded.look(4_000, (1, 100), "b", &events),
        [(2_999, tags("b"))]
    );
    assert_eq!(recorded.look(5_000, (1, 100), "b", &events), []);
    // What it says is on record already: the same tags again.
    let same = told_at(9_000, Some(tags("b")));
    assert_eq!(recorded.look(10_000, (1, 100), "b", &[same]), []);
}

#[test]
fn a_change_that_a_look_saw_is_not_told_again_by_its_late_event() {
    let mut recorded = Recorded::default();
    recorded.look(500, (1, 100), "a", &[]);
    assert_eq!(
        recorded.look(4_000, (1, 100), "b", &[]),
        [(4_000, tags("b"))]
    );
    let late = told_at(2_300, Some(tags("b")));
    assert_eq!(recorded.look(5_000, (1, 100), "b", &[late]), []);
}

#[test]
fn an_event_that_does_not_tell_them_dates_what_the_look_shows() {
    let mut recorded = Recorded::default();
    recorded.look(500, (1, 100), "a", &[]);
    let event = told_at(2_300, None);
    let told = recorded.look(4_000, (1, 100), "b", std::slice::from_ref(&event));
    assert_eq!(told, [(2_999, tags("b"))]);
    assert_eq!(recorded.look(5_000, (1, 100), "b", &[event]), []);
}

#[test]
fn a_young_event_is_believed_before_a_look_that_may_be_stale() {
    let mut recorded = Recorded::default();
    recorded.look(500, (1, 100), "a", &[]);
    let event = told_at(2_300, Some(tags("b")));
    assert_eq!(
        recorded.look(3_000, (1, 100), "a", &[event]),
        [(2_999, tags("b"))]
    );
    assert_eq!(recorded.look(4_000, (1, 100), "a", &[]), []);
    let late = 2_999 + LATER;
    assert_eq!(recorded.look(late, (1, 100), "a", &[]), [(late, tags("a"))]);
}

#[test]
fn of_two_events_in_one_second_the_look_tells_which_was_last() {
    for last in ["b", "c"] {
        let mut recorded = Recorded::default();
        recorded.look(500, (1, 100), "a", &[]);
        let events = ["b", "c"].map(|text| told_at(2_300, Some(tags(text))));
        recorded.look(4_000, (1, 100), last, &events);
        assert_eq!(recorded.tags_at(4_000), tags(last));
    }
}

#[test]
fn tags_of_an_earlier_parameter_of_the_name_say_nothing() {
    let mut recorded = Recorded::default();
    recorded.look(500, (3, 100), "a", &[]);
    let gone = Event {
        kind: EventKind::Deleted {
            parameter_type: None,
        },
        ..told_at(1_000, None)
    };
    recorded.look(40_000, (1, 39_000), "", &[gone]);
    // Nobody looked at its version while it was the newest.
    for record in &mut recorded.0 {
        if let Change::Written(written) = &mut record.change
            && record.at == at(39_000)
        {
            written.attributes.tags = None;
        }
    }
    let same_as_before = recorded.look(60_000, (1, 39_000), "a", &[]);
    assert_eq!(same_as_before, [(60_000, tags("a"))]);
    assert_eq!(recorded.look(70_000, (1, 39_000), "a", &[]), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Each change of tags is told once or more, in any order, at any later look.
    #[test]
    fn events_in_any_order_end_in_the_tags_that_live(
        changes in prop::collection::vec((1_000i64..60_000, 0usize..4), 1..8),
        deliveries in prop::collection::vec((0usize..8, 0i64..600_000), 1..20),
        in_order in any::<bool>(),
    ) {
        let texts = ["", "a", "b", "c"];
        let mut ms = 1_000;
        let mut truth: Vec<(i64, &str)> = vec![(100, "")];
        for (gap, text) in changes {
            // A second of its own for each.
            ms += gap;
            truth.push((ms, texts[text]));
        }
        let end = ms;
        let live = |at_ms: i64| truth.iter().rfind(|(ms, _)| *ms <= at_ms).unwrap().1;
        let mut told: Vec<(i64, usize)> = (1..truth.len()).map(|i| (truth[i].0, i)).collect();
        if !in_order {
            told = deliveries
                .iter()
                .map(|(i, late)| (*i % (truth.len() - 1) + 1, *late))
                .map(|(i, late)| (truth[i].0 + late, i))
                .collect();
            told.sort_unstable();
        }
        let mut recorded = Recorded::default();
        recorded.look(500, (1, 100), live(500), &[]);
        for (at_ms, i) in told {
            let event = told_at(truth[i].0, Some(tags(truth[i].1)));
            recorded.look(at_ms, (1, 100), live(at_ms), &[event]);
        }
        if in_order {
            for (ms, text) in &truth {
                let second_end = ms - ms.rem_euclid(1_000) + 999;
                prop_assert_eq!(recorded.tags_at(second_end), tags(text));
            }
        }
        let last = end + 600_000 + LATER;
        recorded.look(last, (1, 100), live(last), &[]);
        prop_assert_eq!(recorded.tags_at(last), tags(live(last)));
        let records = recorded.0.len();
        recorded.look(last + 1, (1, 100), live(last), &[]);
        prop_assert_eq!(recorded.0.len(), records);
    }
}
