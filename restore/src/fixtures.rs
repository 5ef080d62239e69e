//! Plans and records for tests.

use ssmbak_core::domain::plan::{How, LiveParameter, Nearest, Problem, step};
use ssmbak_core::domain::state::{Found, FoundValue};
use ssmbak_core::domain::{
    Attributes, Change, Instant, Live, Name, Plan, Pointer, Record, Source, State, Step, Target,
    Value, ValueState, Written,
};
use ssmbak_core::history::Entry;

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// The instant at which all plans here are asked.
pub(crate) fn asked() -> Instant {
    at("2024-06-15T17:56:58.999Z")
}

fn written() -> Instant {
    at("2024-06-14T08:00:00.123Z")
}

pub(crate) fn pointer() -> Pointer {
    Pointer {
        bucket: "bucket".into(),
        key: "/app/db".into(),
        version_id: "v".into(),
    }
}

pub(crate) fn attributes(parameter_type: &str) -> Attributes {
    Attributes {
        parameter_type: parameter_type.into(),
        description: Some("d".into()),
        tier: Some("Standard".into()),
        data_type: Some("text".into()),
        ..Attributes::default()
    }
}

pub(crate) fn present(parameter_type: &str) -> State {
    State::Present(Found {
        modified: written(),
        version: Some(2),
        modified_by: Some("arn:aws:iam::1:user/a".into()),
        attributes: attributes(parameter_type),
        value: FoundValue::Stored(pointer()),
        inexact: false,
    })
}

/// What lives now, with a value of `old` or another.
pub(crate) fn live(parameter: &str, parameter_type: &str, value: &str) -> LiveParameter {
    LiveParameter {
        live: Live {
            name: name(parameter),
            version: 3,
            modified: at("2024-06-16T00:00:00.000Z"),
            modified_by: None,
            attributes: attributes(parameter_type),
        },
        recorded: None,
        value: Some(Value::new(value)),
        tags: None,
        labels: None,
    }
}

pub(crate) fn updated(parameter: &str, parameter_type: &str, value: &str) -> Step {
    let live = live(parameter, parameter_type, "something new");
    let value = Some(Value::new(value));
    step(
        name(parameter),
        present(parameter_type),
        value,
        Some(live),
        None,
        &How::at(Instant::EARLIEST),
    )
}

pub(crate) fn created(parameter: &str, value: &str) -> Step {
    let value = Some(Value::new(value));
    step(
        name(parameter),
        present("String"),
        value,
        None,
        None,
        &How::at(Instant::EARLIEST),
    )
}

pub(crate) fn deleted(parameter: &str) -> Step {
    let since = Some(at("2024-06-15T10:00:00.999Z"));
    let live = live(parameter, "String", "re-created");
    step(
        name(parameter),
        State::Absent { since },
        None,
        Some(live),
        None,
        &How::at(Instant::EARLIEST),
    )
}

pub(crate) fn unchanged(parameter: &str) -> Step {
    let live = live(parameter, "String", "old");
    let value = Some(Value::new("old"));
    step(
        name(parameter),
        present("String"),
        value,
        Some(live),
        None,
        &How::at(Instant::EARLIEST),
    )
}

pub(crate) fn gone_then_and_now(parameter: &str) -> Step {
    let since = Some(at("2024-06-15T10:00:00.999Z"));
    step(
        name(parameter),
        State::Absent { since },
        None,
        None,
        None,
        &How::at(Instant::EARLIEST),
    )
}

pub(crate) fn unknown(parameter: &str) -> Step {
    let known_from = Some(at("2024-07-01T00:00:00.000Z"));
    step(
        name(parameter),
        State::Unknown { known_from },
        None,
        None,
        None,
        &How::at(Instant::EARLIEST),
    )
}

pub(crate) fn lost(parameter: &str) -> Step {
    let State::Present(mut found) = present("String") else {
        unreachable!("it is present");
    };
    found.value = FoundValue::Lost;
    step(
        name(parameter),
        State::Present(found),
        None,
        None,
        Some(Problem::Lost(Nearest::default())),
        &How::at(Instant::EARLIEST),
    )
}

/// A plan in which something is known, unless all its steps are unknown.
pub(crate) fn plan(steps: Vec<Step>) -> Plan {
    let known = |s: &Step| !matches!(s.state, State::Unknown { .. });
    Plan {
        anything_known: steps.is_empty() || steps.iter().any(known),
        target: Target::parse("/app/", true).unwrap(),
        at: asked(),
        steps,
        nearest_known: None,
    }
}

pub(crate) fn record(change: Change) -> Record {
    Record {
        name: name("/app/db"),
        at: written(),
        change,
        source: Source::Event,
        event: None,
        recorded_at: written(),
    }
}

pub(crate) fn entry(change: Change) -> Entry {
    Entry {
        record: record(change),
        deleter: None,
    }
}

pub(crate) fn version(number: u64) -> Change {
    Change::Written(Written {
        version: Some(number),
        creates: number == 1,
        discriminator: String::new(),
        attributes: attributes("String"),
        modified_by: Some("arn:aws:iam::1:user/a".into()),
        value: ValueState::Stored(pointer()),
    })
}
