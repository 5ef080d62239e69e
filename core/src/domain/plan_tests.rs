//! Rules of the plan, each by name.

use super::*;
use crate::domain::record::Attributes;

fn name() -> Name {
    Name::parse("/app/db").unwrap()
}

fn attributes() -> Attributes {
    Attributes {
        parameter_type: "String".into(),
        tier: Some("Standard".into()),
        data_type: Some("text".into()),
        ..Attributes::default()
    }
}

fn was(attributes: Attributes, value: FoundValue) -> State {
    State::Present(Found {
        modified: Instant::from_millis(1),
        version: Some(1),
        modified_by: None,
        attributes,
        value,
        inexact: false,
    })
}

fn retained(text: &str) -> FoundValue {
    FoundValue::Retained(Value::new(text))
}

fn now(attributes: Attributes, value: &str) -> LiveParameter {
    LiveParameter {
        live: Live {
            name: name(),
            version: 2,
            modified: Instant::from_millis(2),
            modified_by: None,
            attributes,
        },
        recorded: None,
        value: Some(Value::new(value)),
        tags: None,
        labels: None,
    }
}

fn action(state: State, value: Option<&str>, live: Option<LiveParameter>) -> (Action, bool) {
    let step = step(
        name(),
        state,
        value.map(Value::new),
        live,
        None,
        &How::at(Instant::EARLIEST),
    );
    (step.action, step.problem.is_some())
}

#[test]
fn unknown_is_left_alone() {
    let unknown = State::Unknown { known_from: None };
    let live = now(attributes(), "a");
    assert_eq!(action(unknown, None, Some(live)), (Action::Unknown, false));
}

#[test]
fn what_did_not_exist_is_deleted_and_what_is_gone_is_created() {
    let absent = State::Absent { since: None };
    let live = now(attributes(), "a");
    assert_eq!(action(absent, None, Some(live)), (Action::Delete, false));
    let present = was(attributes(), retained("a"));
    assert_eq!(action(present, Some("a"), None), (Action::Create, false));
}

#[test]
fn the_same_again_is_no_change_however_many_versions_lie_between() {
    let state = was(attributes(), retained("a"));
    let live = now(attributes(), "a");
    assert_eq!(action(state, Some("a"), Some(live)), (Action::None, false));
}

#[test]
fn white_space_is_a_difference() {
    let state = was(attributes(), retained(" a"));
    let live = now(attributes(), "a");
    assert_eq!(
        action(state, Some(" a"), Some(live)),
        (Action::Update, false)
    );
}

#[test]
fn every_attribute_that_can_be_put_is_compared() {
    let different: [fn(&mut Attributes); 6] = [
        |a| a.parameter_type = "StringList".into(),
        |a| a.description = Some("other".into()),
        |a| a.key_id = Some("alias/other".into()),
        |a| a.allowed_pattern = Some(".*".into()),
        |a| a.policies = vec!["{}".into()],
        |a| a.data_type = Some("aws:ec2:image".into()),
    ];
    for change in different {
        let mut then = attributes();
        change(&mut then);
        let live = now(attributes(), "a");
        let state = was(then, retained("a"));
        assert_eq!(action(state, Some("a"), Some(live)).0, Action::Update);
    }
}

#[test]
fn tags_differ_only_where_both_are_known() {
    let tag = |v: &str| Some(Tags::from([("k".into(), v.into())]));
    let then = Attributes {
        tags: tag("1"),
        ..attributes()
    };
    let mut live = now(attributes(), "a");
    let state = was(then, retained("a"));
    let ask = |live: &LiveParameter| action(state.clone(), Some("a"), Some(live.clone())).0;
    assert_eq!(ask(&live), Action::None);
    live.tags = tag("2");
    assert_eq!(ask(&live), Action::Update);
    live.tags = tag("1");
    assert_eq!(ask(&live), Action::None);
}

#[test]
fn tags_of_aws_itself_are_no_difference() {
    let then = Attributes {
        tags: Some(Tags::from([(
            "aws:cloudformation:stack-name".into(),
            "x".into(),
        )])),
        ..attributes()
    };
    let mut live = now(attributes(), "a");
    live.tags = Some(Tags::new());
    let state = was(then, retained("a"));
    assert_eq!(action(state, Some("a"), Some(live)).0, Action::None);
}

#[test]
fn policies_are_compared_as_json() {
    let with = |text: &str| Attributes {
        policies: vec![text.into()],
        ..attributes()
    };
    let state = was(with("{\"Type\": \"NoChangeNotification\"}"), retained("a"));
    let live = now(with("{\"Type\":\"NoChangeNotification\"}"), "a");
    assert_eq!(action(state, Some("a"), Some(live)).0, Action::None);
}

#[test]
fn there_is_no_way_down_from_advanced() {
    let mut live = now(attributes(), "b");
    live.live.attributes.tier = Some("Advanced".into());
    let state = was(attributes(), retained("a"));
    assert_eq!(
        action(state.clone(), Some("a"), Some(live.clone())),
        (Action::Update, true)
    );
    live.value = Some(Value::new("a"));
    assert_eq!(action(state, Some("a"), Some(live)), (Action::None, false));
}

#[test]
fn a_lost_value_is_a_problem_not_an_empty_string() {
    let state = was(attributes(), FoundValue::Lost);
    assert_eq!(action(state.clone(), None, None), (Action::Create, true));
    let live = now(attributes(), "a");
    assert_eq!(action(state, None, Some(live)), (Action::Update, true));
}

/// What alone is put back.
fn differences(state: &State, value: &str, live: &LiveParameter, how: &How) -> Differences {
    let value = Some(Value::new(value));
    step(name(), state.clone(), value, Some(live.clone()), None, how).differences
}

#[test]
fn what_differs_beside_the_version_alone_takes_no_version() {
    let how = How {
        labels: true,
        ..How::at(Instant::EARLIEST)
    };
    let tag = |v: &str| Some(Tags::from([("k".into(), v.into())]));
    let labels = |all: &[&str]| all.iter().map(|&l| l.to_owned()).collect::<Vec<_>>();
    let then = Attributes {
        tags: tag("1"),
        labels: labels(&["prod", "a"]),
        ..attributes()
    };
    let mut live = now(attributes(), "a");
    live.tags = tag("2");
    live.labels = Some(labels(&["a", "new"]));
    for value in [retained("a"), FoundValue::Live] {
        let state = was(then.clone(), value);
        let alone = differences(&state, "a", &live, &how);
        assert_eq!(alone.alone(), ["tags", "labels"]);
        // What it has and had not is left to it.
        assert_eq!((alone.version, alone.labels), (false, labels(&["prod"])));
        let unasked = differences(&state, "a", &live, &How::at(Instant::EARLIEST));
        assert_eq!(unasked.alone(), ["tags"]);
    }
    let whole = differences(&was(then, retained("b")), "b", &live, &how);
    assert_eq!(whole.labels, labels(&["prod", "a"]));
    assert!(whole.version && whole.tags && whole.alone().is_empty());
}

#[test]
fn what_cannot_be_overwritten_is_created_again_only_if_asked_for() {
    let mut live = now(attributes(), "a");
    live.live.attributes.tier = Some("Advanced".into());
    let asked = How {
        recreate: true,
        ..How::at(Instant::EARLIEST)
    };
    let ask = |found: FoundValue, value: &str, how: &How| {
        let value = Some(Value::new(value));
        let state = was(attributes(), found);
        let step = step(name(), state, value, Some(live.clone()), None, how);
        (step.recreate, step.problem)
    };
    let unasked = How::at(Instant::EARLIEST);
    assert_eq!(
        ask(retained("b"), "b", &unasked),
        (false, Some(Problem::TierDowngrade))
    );
    assert_eq!(ask(retained("b"), "b", &asked), (true, None));
    assert_eq!(ask(retained("a"), "a", &unasked), (false, None));
    assert_eq!(ask(retained("a"), "a", &asked), (true, None));
    assert_eq!(ask(FoundValue::Live, "a", &asked), (false, None));
}

#[test]
fn a_key_that_stands_in_for_another_is_no_difference_by_itself() {
    let secret = |key: Option<&str>| Attributes {
        parameter_type: "SecureString".into(),
        key_id: key.map(str::to_owned),
        ..attributes()
    };
    let ask = |then: Option<&str>, live: &str, keys: &[&str]| {
        let keys: Vec<String> = keys.iter().map(|&k| k.to_owned()).collect();
        let how = How {
            keys: KeyMap::parse(&keys).unwrap(),
            ..How::at(Instant::EARLIEST)
        };
        let live = now(secret(Some(live)), "a");
        let value = Some(Value::new("a"));
        let state = was(secret(then), retained("a"));
        let step = step(name(), state, value, Some(live), None, &how);
        (step.action, step.key_id)
    };
    let new = || Some("new".to_owned());
    assert_eq!(ask(Some("old"), "old", &["new"]), (Action::None, new()));
    assert_eq!(ask(Some("old"), "new", &["old=new"]), (Action::None, new()));
    assert_eq!(
        ask(Some("old"), "else", &["old=new"]),
        (Action::Update, new())
    );
    assert_eq!(ask(Some("old"), "else", &["x=new"]), (Action::Update, None));
    // Nobody knows which it was.
    assert_eq!(ask(None, "else", &[]), (Action::None, None));
}

#[test]
fn an_expiry_that_passed_is_no_difference_and_neither_is_its_notification() {
    let expiry = r#"{"Type":"Expiration","Attributes":{"Timestamp":"2026-01-01T00:00:00.000Z"}}"#;
    let notification = r#"{"Type":"ExpirationNotification","Attributes":{"Before":"1"}}"#;
    let with = Attributes {
        policies: vec![expiry.into(), notification.into()],
        ..attributes()
    };
    let ask = |now_text: &str| {
        let how = How::at(now_text.parse().unwrap());
        let live = now(attributes(), "a");
        let state = was(with.clone(), retained("a"));
        let value = Some(Value::new("a"));
        step(name(), state, value, Some(live), None, &how).action
    };
    assert_eq!(ask("2025-12-31T00:00:00Z"), Action::Update);
    assert_eq!(ask("2026-01-01T00:00:00Z"), Action::None);
}

#[test]
fn the_nearest_instants_are_named_where_there_are_any() {
    let at = Instant::from_millis;
    let told = |before, after| Problem::Lost(Nearest { before, after }).to_string();
    assert!(told(None, None).ends_with("captured"));
    let one = "; the nearest instant with a value: 1970-01-01T00:00:00.001Z";
    assert!(told(Some(at(1)), None).ends_with(one));
    assert!(told(None, Some(at(1))).ends_with(one));
    assert!(told(Some(at(1)), Some(at(2))).contains("00.001Z and 1970"));
}
