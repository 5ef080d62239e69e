//! What differs, and that it is what a plan would put back.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::plan::{Action, How, LiveParameter, Nearest, step};
use crate::domain::{Live, Pointer};

fn name() -> Name {
    Name::parse("/app/db").unwrap()
}

fn found(version: u64, value: FoundValue) -> Found {
    Found {
        modified: Instant::from_millis(i64::try_from(version).unwrap() * 1000),
        version: Some(version),
        modified_by: None,
        attributes: Attributes {
            parameter_type: "String".into(),
            tier: Some("Standard".into()),
            data_type: Some("text".into()),
            ..Attributes::default()
        },
        value,
        inexact: false,
    }
}

fn stored(place: &str) -> FoundValue {
    FoundValue::Stored(Pointer {
        bucket: "b".into(),
        key: "/app/db".into(),
        version_id: place.into(),
    })
}

fn side(found: Found, value: Option<&str>) -> Side {
    Side {
        value: value.map(Value::new),
        ..Side::of(State::Present(found))
    }
}

fn absent() -> Side {
    Side::of(State::Absent { since: None })
}

fn told(old: Side, new: Side) -> Option<(Kind, Vec<Field>)> {
    let difference = difference(name(), old, new, Instant::EARLIEST)?;
    Some((difference.kind, difference.fields))
}

#[test]
fn unknown_at_either_instant_is_unknown_and_never_absent() {
    let unknown = || Side::of(State::Unknown { known_from: None });
    let present = || side(found(1, stored("a")), Some("x"));
    for (old, new) in [
        (unknown(), present()),
        (present(), unknown()),
        (unknown(), absent()),
        (absent(), unknown()),
        (unknown(), unknown()),
    ] {
        assert_eq!(values_needed(&old.state, &new.state), (false, false));
        assert_eq!(told(old, new), Some((Kind::Unknown, Vec::new())));
    }
}

#[test]
fn what_came_is_added_and_what_went_is_removed() {
    let present = || side(found(1, stored("a")), Some("x"));
    let needed = values_needed(&absent().state, &present().state);
    assert_eq!(needed, (false, true));
    assert_eq!(told(absent(), present()), Some((Kind::Added, Vec::new())));
    let needed = values_needed(&present().state, &absent().state);
    assert_eq!(needed, (true, false));
    assert_eq!(told(present(), absent()), Some((Kind::Removed, Vec::new())));
    assert_eq!(told(absent(), absent()), None);
}

#[test]
fn the_same_version_needs_no_value_to_be_equal() {
    let one = || side(found(1, stored("a")), None);
    assert_eq!(values_needed(&one().state, &one().state), (false, false));
    assert_eq!(told(one(), one()), None);
    let lost = || side(found(1, FoundValue::Lost), None);
    assert_eq!(told(lost(), lost()), None);
}

#[test]
fn another_version_with_its_value_in_the_same_place_needs_none_either() {
    let one = || side(found(1, stored("a")), None);
    let repeated = side(found(2, stored("a")), None);
    assert_eq!(values_needed(&one().state, &repeated.state), (false, false));
    assert_eq!(told(one(), repeated), None);
    let mut described = found(2, stored("a"));
    described.attributes.description = Some("d".into());
    let fields = vec![Field::Description];
    assert_eq!(
        told(one(), side(described, None)),
        Some((Kind::Changed, fields))
    );
}

#[test]
fn a_value_that_cannot_be_had_counts_as_another() {
    let then = side(found(1, FoundValue::Lost), None);
    let later = side(found(2, stored("b")), Some("x"));
    let fields = vec![Field::Value];
    assert_eq!(told(then, later), Some((Kind::Changed, fields)));
}

#[test]
fn the_same_value_again_is_no_difference_however_many_versions_lie_between() {
    let then = side(found(1, stored("a")), Some("x"));
    let later = side(found(5, stored("b")), Some("x"));
    assert_eq!(values_needed(&then.state, &later.state), (true, true));
    assert_eq!(told(then, later), None);
}

#[test]
fn tags_of_one_version_may_differ_where_both_are_known() {
    let tagged = |tags: Option<&str>| {
        let mut found = found(1, FoundValue::Live);
        found.attributes.tags = tags.map(|t| BTreeMap::from([("team".into(), t.into())]));
        side(found, None)
    };
    let fields = vec![Field::Tags];
    let differ = told(tagged(Some("a")), tagged(Some("b")));
    assert_eq!(differ, Some((Kind::Changed, fields)));
    assert_eq!(told(tagged(Some("a")), tagged(None)), None);
}

#[test]
fn what_an_imported_version_does_not_know_is_no_difference() {
    let mut imported = found(1, stored("a"));
    imported.version = None;
    imported.attributes.data_type = None;
    imported.attributes.tier = None;
    let mut later = found(2, stored("b"));
    later.attributes.allowed_pattern = Some(".*".into());
    let old = || side(imported.clone(), Some("x"));
    let new = || side(later.clone(), Some("x"));
    assert_eq!(told(old(), new()), None);
    assert_eq!(told(new(), old()), None);
}

fn some_attributes() -> impl Strategy<Value = Attributes> {
    let one_of = |texts: &'static [&'static str]| proptest::sample::select(texts);
    let maybe = move |texts| proptest::option::of(one_of(texts).prop_map(str::to_owned));
    (
        one_of(&["String", "SecureString"]),
        maybe(&["d", "e"]),
        maybe(&["Standard", "Advanced"]),
        maybe(&["alias/a", "alias/b"]),
        maybe(&["text"]),
        proptest::option::of(one_of(&["a", "b", ""]).prop_map(|tag| match tag {
            "" => BTreeMap::new(),
            tag => BTreeMap::from([("team".to_owned(), tag.to_owned())]),
        })),
    )
        .prop_map(
            |(kind, description, tier, key_id, data_type, tags)| Attributes {
                parameter_type: kind.into(),
                description,
                tier,
                key_id,
                data_type,
                tags,
                ..Attributes::default()
            },
        )
}

fn some_state() -> impl Strategy<Value = State> {
    let value = prop_oneof![
        Just(FoundValue::Live),
        Just(stored("a")),
        Just(FoundValue::Retained(Value::new("x"))),
        Just(FoundValue::Lost),
        Just(FoundValue::Sealed),
    ];
    prop_oneof![
        1 => Just(State::Unknown { known_from: None }),
        1 => Just(State::Absent { since: None }),
        5 => (some_attributes(), value).prop_map(|(attributes, value)| {
            State::Present(Found { attributes, ..found(1, value) })
        }),
    ]
}

fn some_live() -> impl Strategy<Value = LiveParameter> {
    let text = proptest::option::of(proptest::sample::select(vec!["x", "y"]));
    (some_attributes(), text).prop_map(|(attributes, value)| LiveParameter {
        tags: attributes.tags.clone(),
        live: Live {
            name: name(),
            version: 2,
            modified: Instant::from_millis(2000),
            modified_by: None,
            attributes: Attributes {
                tags: None,
                ..attributes
            },
        },
        recorded: None,
        value: value.map(Value::new),
        labels: None,
    })
}

proptest! {
    #[test]
    fn what_differs_from_now_is_what_a_restore_would_put_back(
        state in some_state(),
        live in proptest::option::of(some_live()),
        value in proptest::sample::select(vec!["x", "y"]),
    ) {
        let mut live = live;
        let value = match &state {
            State::Present(found) => match &found.value {
                FoundValue::Live => match &mut live {
                    // It is that version, which is why nothing was read.
                    Some(live) => {
                        live.live.version = found.version.unwrap();
                        live.live.modified = found.modified;
                        live.live.attributes = Attributes { tags: None, ..found.attributes.clone() };
                        live.value.clone()
                    }
                    None => return Ok(()),
                },
                FoundValue::Stored(_) => Some(Value::new(value)),
                FoundValue::Retained(value) | FoundValue::Given(value) => Some(value.clone()),
                FoundValue::Lost | FoundValue::Sealed => None,
            },
            State::Absent { .. } | State::Unknown { .. } => None,
        };
        let how = How::at(Instant::EARLIEST);
        let step = step(name(), state, value, live, None, &how);
        let (old, new) = sides(&step);
        let found = difference(name(), old, new, Instant::EARLIEST);
        let kind = match step.action {
            Action::Create => Some(Kind::Removed),
            Action::Update => Some(Kind::Changed),
            Action::Delete => Some(Kind::Added),
            Action::Unknown => Some(Kind::Unknown),
            Action::None => None,
        };
        prop_assert_eq!(found.as_ref().map(|d| d.kind), kind);
        if let Some(found) = found.filter(|f| f.kind == Kind::Changed) {
            let alone = step.differences.alone() == ["tags"];
            prop_assert_eq!(found.fields == [Field::Tags], alone);
        }
    }
}

#[test]
fn a_problem_stands_on_the_side_that_it_is_of() {
    let live = LiveParameter {
        live: Live {
            name: name(),
            version: 2,
            modified: Instant::from_millis(2000),
            modified_by: None,
            attributes: found(2, FoundValue::Live).attributes,
        },
        recorded: None,
        value: Some(Value::new("x")),
        tags: None,
        labels: None,
    };
    let of = |problem: Problem| {
        let state = State::Present(found(1, stored("a")));
        let how = How::at(Instant::EARLIEST);
        let step = step(name(), state, None, Some(live.clone()), Some(problem), &how);
        let (old, new) = sides(&step);
        (old.problem.is_some(), new.problem.is_some())
    };
    assert_eq!(of(Problem::Gone(Nearest::default())), (true, false));
    assert_eq!(of(Problem::StoredUnreadable("no".into())), (true, false));
    assert_eq!(of(Problem::LiveUnreadable("no".into())), (false, true));
}
