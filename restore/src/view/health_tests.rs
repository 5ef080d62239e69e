use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Value as Json, json};
use ssmbak_infra::stack::Stack;

use super::*;
use crate::fixtures;
use ssmbak_core::domain::EventRef;

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

fn health() -> Health {
    let depth = |visible, in_flight| {
        Asked::Told(Depth {
            visible,
            in_flight,
            delayed: 0,
        })
    };
    Health {
        stack: Stack {
            name: "prod".into(),
            id: "arn:aws:cloudformation:eu-west-1:000000000000:stack/prod/1".into(),
            status: "CREATE_COMPLETE".into(),
            status_reason: None,
            created: DateTime::UNIX_EPOCH,
            updated: None,
            description: "ssmbak: as it is".into(),
            outputs: pairs(&[
                ("BucketName", "b"),
                ("TableName", "t"),
                ("FunctionName", "f"),
            ]),
            parameters: pairs(&[
                ("Architecture", "arm64"),
                ("ExistingBucket", "b"),
                ("ObjectLockDays", "30"),
                ("ObjectLockMode", "COMPLIANCE"),
                ("ReconcileSchedule", "none"),
            ]),
            tags: pairs(&[("ssmbak:version", template::version())]),
        },
        waiting: depth(2, 1),
        dead_letters: depth(0, 4),
        undelivered: Asked::NotAllowed("sqs:GetQueueAttributes"),
        alarms: Asked::Told(vec![Alarm {
            logical_id: "DeadLetterAlarm".into(),
            name: "prod-DeadLetterAlarm-1".into(),
            state: "ALARM".into(),
            reason: Some("4 > 0".into()),
            since: Some(DateTime::UNIX_EPOCH),
        }]),
    }
}

fn fact(view: &StatusView, fact: &str) -> String {
    let facts = view.facts();
    let found = facts.iter().find(|one| one.fact == fact);
    found.unwrap_or_else(|| panic!("no {fact}")).value.clone()
}

/// Reconciled at 5 s, with a change of 9 s that was recorded 42 s after its event.
fn recency() -> Recency {
    let mut last = fixtures::record(fixtures::version(1));
    last.at = Instant::from_millis(9_000);
    last.event = Some(EventRef {
        id: "e".into(),
        time: Instant::from_millis(8_000),
    });
    last.recorded_at = Instant::from_millis(50_400);
    Recency {
        reconciled: Some(Instant::from_millis(5_000)),
        covered_since: None,
        last_change: Some(last),
    }
}

#[test]
fn the_fields_are_those_of_the_contract() {
    let view = StatusView::new(&health(), &Ok(Some(recency())));
    let json = serde_json::to_value(&view).unwrap();
    let told: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
    let mut promised: Vec<_> = StatusView::FIELDS.to_vec();
    promised.sort_unstable();
    assert_eq!(told, promised);
    assert_eq!(json["Adopted"], true);
    assert_eq!(json["Waiting"], 3);
    assert_eq!(json["DeadLetters"], 4);
    assert_eq!(json["ReconcileSchedule"], Json::Null);
    assert_eq!(json["Key"], Json::Null);
    assert_eq!(json["Alarms"][0]["Since"], "1970-01-01T00:00:00.000Z");
}

#[test]
fn what_may_not_be_read_is_null_and_told() {
    let view = StatusView::new(&health(), &Ok(Some(recency())));
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(json["Undelivered"], Json::Null);
    let why = "not allowed (sqs:GetQueueAttributes)";
    assert_eq!(json["NotRead"], json!({"Undelivered": why}));
    assert_eq!(fact(&view, "Undelivered"), why);
}

#[test]
fn a_table_has_a_fact_a_row_with_the_status_on_top() {
    let view = StatusView::new(&health(), &Ok(Some(recency())));
    let facts = view.facts();
    assert_eq!((&*facts[0].fact, &*facts[0].value), ("Stack", "prod"));
    assert_eq!(facts[1].fact, "Status");
    for (name, value) in [
        ("Updated", "never"),
        ("Version", template::version()),
        ("Key", "none"),
        ("ReconcileSchedule", "none"),
        ("Adopted", "yes"),
        ("ObjectLock", "30 days, COMPLIANCE"),
        ("SupersededDays", "off"),
        ("Waiting", "2 visible, 1 in flight, 0 delayed"),
        ("DeadLetters", "4"),
        ("Reconciled", "1970-01-01T00:00:05.000Z"),
        ("CoveredSince", "none"),
        (
            "LastChange",
            "1970-01-01T00:00:09.000Z, recorded 42 s after its event",
        ),
        ("DeadLetterAlarm", "ALARM since 1970-01-01T00:00:00.000Z"),
    ] {
        assert_eq!(fact(&view, name), value, "{name}");
    }
}

#[test]
fn a_record_that_may_not_be_read_is_told_too() {
    let view = StatusView::new(&health(), &Err("query: access denied".into()));
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(json["Reconciled"], Json::Null);
    let why = "not told (query: access denied)";
    assert_eq!(json["NotRead"]["LastChange"], why);
    assert_eq!(fact(&view, "Reconciled"), why);
}

#[test]
fn an_unfinished_stack_has_facts_too() {
    let mut unfinished = health();
    unfinished.stack.status = "CREATE_IN_PROGRESS".into();
    unfinished.stack.outputs.clear();
    unfinished.stack.tags.clear();
    unfinished.waiting = Asked::None;
    unfinished.alarms = Asked::Told(vec![]);
    let view = StatusView::new(&unfinished, &Ok(None));
    for (name, value) in [
        ("Version", "unknown"),
        ("Bucket", "none"),
        ("Reconciled", "none"),
        ("Waiting", "none"),
        ("Alarms", "none"),
    ] {
        assert_eq!(fact(&view, name), value, "{name}");
    }
}

#[test]
fn a_message_shows_what_its_event_says_and_what_became_of_it() {
    let time = "2026-11-20T10:23:30Z".parse().unwrap();
    let mut seen = Seen {
        source: Source::Undelivered,
        id: "m1".into(),
        content: Content::Event {
            name: "/foo".into(),
            operation: "Delete",
            time,
        },
        outcome: Outcome::Moved,
    };
    let view = MessageView::new(&seen);
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(json.as_object().unwrap().len(), MessageView::FIELDS.len());
    assert_eq!(json["Queue"], "undelivered");
    assert_eq!(json["EventTime"], "2026-11-20T10:23:30.000Z");
    assert_eq!(json["Outcome"], "moved");
    assert_eq!(view.cells().len(), MessageView::COLUMNS.len());

    seen.content = Content::Unintelligible("not JSON");
    seen.outcome = Outcome::Left;
    let view = MessageView::new(&seen);
    assert_eq!((view.name, view.outcome), (None, "left"));
    assert_eq!(view.reason.unwrap(), "cannot be understood: not JSON");
}
