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
