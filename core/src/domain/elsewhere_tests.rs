use proptest::prelude::*;

use super::*;
use crate::domain::plan::{How, LiveParameter, Nearest, step};
use crate::domain::{Attributes, Instant, Live, Value};

const NOW: Instant = Instant::EARLIEST;
const ARN: &str = "arn:aws:kms:eu-west-1:111111111111:key/k";

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn target(text: &str) -> Target {
    Target::parse(text, true).unwrap()
}

fn mapping(from: &str, to: &str) -> Mapping {
    Mapping::new(&target(from), Some(to)).unwrap()
}

fn place(region: &str, account: &str) -> Place {
    Place {
        region: region.into(),
        account: Some(account.into()),
        endpoint_url: None,
    }
}

fn secret(key_id: &str) -> Attributes {
    Attributes {
        parameter_type: "SecureString".into(),
        key_id: Some(key_id.into()),
        data_type: Some("text".into()),
        ..Attributes::default()
    }
}

fn present(attributes: Attributes, value: FoundValue) -> State {
    State::Present(Found {
        modified: NOW,
        version: Some(7),
        modified_by: None,
        attributes,
        value,
        inexact: false,
    })
}

/// The step that makes `of` a secret under a key, over what lives there.
fn written(of: &str, key_id: &str, lives: Option<&str>, keys: &KeyMap) -> Step {
    let live = lives.map(|value| LiveParameter {
        live: Live {
            name: name(of),
            version: 3,
            modified: NOW,
            modified_by: None,
            attributes: secret(key_id),
        },
        recorded: None,
        value: Some(Value::new(value)),
        tags: None,
        labels: None,
    });
    let value = Value::new("then");
    let state = present(secret(key_id), FoundValue::Given(value.clone()));
    let how = How {
        keys: keys.clone(),
        ..How::at(NOW)
    };
    step(name(of), state, Some(value), live, None, &how)
}

/// One that is created, one that differs, one that is the same.
fn three() -> Vec<Step> {
    let keys = KeyMap::default();
    vec![
        written("/b/differs", "alias/k", Some("now"), &keys),
        written("/b/new", "alias/k", None, &keys),
        written("/b/same", "alias/k", Some("then"), &keys),
    ]
}

/// The problems of `steps` on these terms, in one place.
fn settled(steps: Vec<Step>, on_conflict: OnConflict, recorded: bool) -> Vec<Option<Problem>> {
    let here = place("eu-west-1", "111111111111");
    let terms = Terms {
        from: &here,
        to: &here,
        keys: &KeyMap::default(),
        on_conflict,
        recorded,
    };
    let steps = settle(steps, &BTreeMap::new(), &terms);
    steps.into_iter().map(|s| s.problem).collect()
}

#[test]
fn the_text_of_the_path_is_replaced_and_nothing_else() {
    let of = |from: &str, to: &str, of: &str| mapping(from, to).of(&name(of)).unwrap();
    assert_eq!(of("/app/", "/staging/", "/app/db").as_str(), "/staging/db");
    // The path may occur again further down.
    assert_eq!(of("/app/", "/x/", "/app/y/app/z").as_str(), "/x/y/app/z");
    assert_eq!(of("/", "/all/", "/foo").as_str(), "/all/foo");
    assert_eq!(of("/all/", "/", "/all/foo").as_str(), "/foo");
}

#[test]
fn a_name_becomes_the_other_or_goes_under_it() {
    let of = |to: &str| mapping("/app/db", to).of(&name("/app/db")).unwrap();
    assert_eq!(of("/staging/pg").as_str(), "/staging/pg");
    assert_eq!(of("/staging/").as_str(), "/staging/db");
    assert_eq!(mapping("/app/db", "/staging/").to(), &target("/staging/db"));
}

#[test]
fn without_another_path_names_stay() {
    let stays = Mapping::new(&target("/app/"), None).unwrap();
    assert!(stays.keeps_names());
    assert_eq!(stays.of(&name("/app/db")).unwrap(), name("/app/db"));
    assert!(mapping("/app/", "/app/").keeps_names());
    assert!(!mapping("/app/", "/app2/").keeps_names());
}

#[test]
fn a_path_does_not_become_a_name() {
    let error = Mapping::new(&target("/app/"), Some("/staging")).unwrap_err();
    assert!(matches!(error, MappingError::PathToName { .. }));
    assert_eq!(error.hint(), "write --to-path /staging/");
}

#[test]
fn the_tools_own_parameters_are_neither_source_nor_target() {
    let refused = |from: &str, to: Option<&str>| {
        let error = Mapping::new(&target(from), to).unwrap_err();
        assert!(matches!(error, MappingError::Own(_)), "{error}");
    };
    refused("/_ssmbak/", Some("/x/"));
    refused("/_ssmbak/ssmbak/bucketname", Some("/x/"));
    refused("/app/", Some("/_ssmbak/"));
    refused("/app/", Some("/_ssmbak/x/"));
    refused("/app/db", Some("/_ssmbak/x"));
    // Nor by way of a path above them.
    let root = mapping("/app/", "/");
    let names = [name("/app/_ssmbak/x"), name("/app/y")];
    let refused = root.of_all(names.iter(), true).unwrap_err();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].why, Why::Own);
}

#[test]
fn a_name_that_would_be_too_long_or_too_deep_is_refused() {
    let deep = name(&"/x".repeat(15));
    let down = mapping("/x/", "/y/z/");
    let refused = down.of_all([&deep].into_iter(), false).unwrap_err();
    assert!(matches!(refused[0].why, Why::NoName(NameError::Levels(_))));
    assert_eq!(refused[0].name, deep);
    let long = name(&format!("/x/{}", "a".repeat(1_000)));
    let longer = mapping("/x/", "/much/longer/");
    let refused = longer.of_all([&long].into_iter(), false).unwrap_err();
    assert!(matches!(refused[0].why, Why::NoName(NameError::Length(_))));
}

#[test]
fn what_is_read_is_not_written_in_the_same_place() {
    let into_itself = mapping("/app/", "/app/backup/");
    let one = [name("/app/db")];
    assert!(into_itself.of_all(one.iter(), true).is_ok());
    let two = [name("/app/db"), name("/app/backup/db")];
    let refused = into_itself.of_all(two.iter(), true).unwrap_err();
    let why = Why::IsRead(name("/app/backup/db"));
    assert_eq!((refused.len(), &refused[0].why), (1, &why));
    // In another place it is another parameter.
    assert!(into_itself.of_all(two.iter(), false).is_ok());
    let out_of_itself = mapping("/app/backup/", "/app/");
    let one = [name("/app/backup/db")];
    assert!(out_of_itself.of_all(one.iter(), true).is_ok());
}

#[test]
fn a_key_is_usable_where_it_is() {
    let (here, region) = (
        place("eu-west-1", "111111111111"),
        place("us-east-1", "111111111111"),
    );
    let account = place("eu-west-1", "222222222222");
    let usable = |key, to: &Place| key_is_usable(key, &here, to);
    for to in [&here, &region, &account] {
        for key in [None, Some("alias/aws/ssm"), Some("alias/mine")] {
            assert!(usable(key, to), "{key:?} in {to}");
        }
    }
    for key in ["11111111-2222-3333-4444-555555555555", "mrk-1", ARN] {
        assert!(usable(Some(key), &here), "{key}");
        assert!(!usable(Some(key), &region), "{key}");
        assert!(!usable(Some(key), &account), "{key}");
    }
    // The ARN of a key that is there.
    assert!(key_is_usable(Some(ARN), &region, &here));
    let alias = "arn:aws:kms:eu-west-1:111111111111:alias/mine";
    assert!(!usable(Some(alias), &account));
}

#[test]
fn a_key_of_elsewhere_is_a_problem_unless_another_is_named() {
    let (from, to) = (
        place("eu-west-1", "111111111111"),
        place("eu-west-1", "222222222222"),
    );
    let problem = |given: &[&str]| {
        let given: Vec<String> = given.iter().map(|&g| g.to_owned()).collect();
        let keys = &KeyMap::parse(&given).unwrap();
        let terms = Terms {
            from: &from,
            to: &to,
            keys,
            on_conflict: OnConflict::Fail,
            recorded: true,
        };
        let steps = vec![written("/b/x", ARN, None, keys)];
        settle(steps, &BTreeMap::new(), &terms).remove(0).problem
    };
    let told = problem(&[]).unwrap().to_string();
    assert!(told.contains(&format!("--key-id {ARN}=KEY")), "{told}");
    assert!(told.contains("account 222222222222"), "{told}");
    assert_eq!(problem(&["alias/there"]), None);
    // Shared between accounts: whoever says so may use it.
    let same = format!("{ARN}={ARN}");
    assert_eq!(problem(&[&same]), None);
    assert!(problem(&["alias/other=alias/there"]).is_some());
}

#[test]
fn one_conflict_holds_everything_back() {
    let problems = settled(three(), OnConflict::Fail, true);
    assert!(matches!(
        problems[..],
        [
            Some(Problem::Conflict { version: 3, .. }),
            Some(Problem::HeldBack),
            None
        ]
    ));
}

#[test]
fn conflicts_are_left_alone_or_overwritten_as_asked_for() {
    let problems = settled(three(), OnConflict::Skip, true);
    assert!(matches!(
        problems[..],
        [Some(Problem::LeftAlone { version: 3, .. }), None, None]
    ));
    let problems = settled(three(), OnConflict::Overwrite, true);
    assert_eq!(problems, [None, None, None]);
}

#[test]
fn nothing_is_overwritten_where_nothing_is_recorded() {
    let problems = settled(three(), OnConflict::Overwrite, false);
    assert_eq!(problems, [Some(Problem::Unrecorded), None, None]);
    let problems = settled(three(), OnConflict::Skip, false);
    assert!(matches!(problems[0], Some(Problem::LeftAlone { .. })));
}

#[test]
fn a_value_that_its_source_lost_is_told_as_there() {
    let here = place("eu-west-1", "111111111111");
    let terms = Terms {
        from: &here,
        to: &here,
        keys: &KeyMap::default(),
        on_conflict: OnConflict::Fail,
        recorded: true,
    };
    let nearest = Nearest {
        before: Some(NOW),
        after: None,
    };
    let problems = BTreeMap::from([(name("/b/differs"), Problem::Lost(nearest))]);
    let steps = settle(three(), &problems, &terms);
    assert_eq!(steps[0].problem, Some(Problem::Lost(nearest)));
    // Whether that is a conflict nobody knows; the rest goes on.
    assert_eq!(steps[1].problem, None);
}

/// What of a source's step is written somewhere else.
fn sourced(state: State, value: Option<&str>, problem: Option<Problem>) -> Option<Sourced> {
    let value = value.map(Value::new);
    Sourced::of_step(Step {
        problem,
        ..step(name("/a/x"), state, value, None, None, &How::at(NOW))
    })
}

#[test]
fn what_did_not_exist_is_not_written_and_what_is_unknown_is_told() {
    assert_eq!(sourced(State::Absent { since: None }, None, None), None);
    let unknown = State::Unknown { known_from: None };
    let told = sourced(unknown.clone(), None, None).unwrap();
    assert_eq!((told.state, told.problem), (unknown, None));
}

#[test]
fn a_value_comes_along_and_its_absence_is_a_problem() {
    let of = |value| present(secret("alias/k"), value);
    let there = sourced(of(FoundValue::Live), Some("v"), None).unwrap();
    let value = &there.state.found().unwrap().value;
    assert_eq!(value, &FoundValue::Given(Value::new("v")));
    assert_eq!(there.problem, None);
    let gone = sourced(of(FoundValue::Live), None, None).unwrap();
    assert!(matches!(gone.problem, Some(Problem::LiveUnreadable(_))));
    let lost = sourced(of(FoundValue::Lost), None, Some(Problem::Sealed)).unwrap();
    assert_eq!(lost.state.found().unwrap().value, FoundValue::Lost);
    assert_eq!(lost.problem, Some(Problem::Sealed));
}

#[test]
fn that_the_live_value_could_not_be_compared_does_not_matter_elsewhere() {
    let unreadable = || Some(Problem::LiveUnreadable("denied".into()));
    let stored = present(secret("alias/k"), FoundValue::Retained(Value::new("v")));
    assert_eq!(
        sourced(stored, Some("v"), unreadable()).unwrap().problem,
        None
    );
    // Of what still lives the tags are read live: without them it is not whole.
    let live = present(secret("alias/k"), FoundValue::Live);
    assert_eq!(
        sourced(live, Some("v"), unreadable()).unwrap().problem,
        unreadable()
    );
}

proptest! {
    #[test]
    fn distinct_names_stay_distinct_and_only_the_path_is_replaced(
        from in "(/[a-c]{1,2}){0,3}/",
        to in "(/[a-c]{1,2}){0,3}/",
        rests in proptest::collection::btree_set("[a-c]{1,2}(/[a-c]{1,2}){0,3}", 1..12),
        others in proptest::collection::vec("(/[a-c]{1,3}){1,5}", 0..12),
    ) {
        let path = Path::parse(&from).unwrap();
        let map = mapping(&from, &to);
        let names: BTreeSet<Name> = rests.iter().map(|rest| name(&format!("{from}{rest}"))).collect();
        let mapped: BTreeSet<Name> = names.iter().map(|n| map.of(n).unwrap()).collect();
        prop_assert_eq!(names.len(), mapped.len());
        for (rest, name) in rests.iter().zip(&names) {
            let there = map.of(name).unwrap();
            prop_assert_eq!(there.as_str(), format!("{to}{rest}"));
        }
        // `/app/` never means `/app2`: what lies beside the path is not asked about.
        for other in others.iter().map(|other| name(other)) {
            let inside = other.as_str().starts_with(&from);
            prop_assert_eq!(map.from().contains(&other), inside);
            prop_assert_eq!(path.contains(&other), inside);
            prop_assert_eq!(map.of(&other).is_ok(), inside);
        }
        // And back again.
        let back = mapping(&to, &from);
        for name in &names {
            prop_assert_eq!(&back.of(&map.of(name).unwrap()).unwrap(), name);
        }
    }
}
