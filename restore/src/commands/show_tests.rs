use ssmbak_core::domain::Step;

use super::*;
use crate::fixtures as given;

fn shown(step: Step, reveal: bool) -> Result<String, CliError> {
    let name = step.name.clone();
    let mut plan = given::plan(vec![step]);
    plan.target = Target::Name(name.clone());
    value(&plan, &name, reveal).map(str::to_owned)
}

#[test]
fn a_value_is_shown_exactly() {
    let step = given::created("/app/a", "  {{ä}}\n ");
    assert_eq!(shown(step, false).unwrap(), "  {{ä}}\n ");
}

#[test]
fn a_secret_takes_reveal() {
    let step = given::updated("/app/a", "SecureString", "hunter2");
    let refused = shown(step.clone(), false).unwrap_err();
    assert_eq!(refused.exit(), Exit::Usage);
    assert!(refused.hint().unwrap().contains("--reveal"));
    assert!(!format!("{refused:?}").contains("hunter2"));
    assert_eq!(shown(step, true).unwrap(), "hunter2");
}

#[test]
fn absent_is_what_is_known_not_to_have_existed() {
    let is_absent = |steps: Vec<Step>, anything_known| {
        let mut plan = given::plan(steps);
        plan.anything_known = anything_known;
        is_absent(&plan, &given::name("/app/a"))
    };
    assert!(is_absent(vec![given::deleted("/app/a")], true));
    assert!(is_absent(vec![], true));
    assert!(!is_absent(vec![], false));
    assert!(!is_absent(vec![given::unknown("/app/a")], true));
    assert!(!is_absent(vec![given::created("/app/a", "old")], true));
}

#[test]
fn an_unknown_one_tells_from_when_it_is_known() {
    let refused = shown(given::unknown("/app/a"), false).unwrap_err();
    assert_eq!(refused.exit(), Exit::NothingKnown);
    assert!(refused.hint().unwrap().contains("2024-07-01"));
}

#[test]
fn a_lost_value_is_a_failure() {
    let refused = shown(given::lost("/app/a"), true).unwrap_err();
    assert_eq!(refused.exit(), Exit::Failed);
    assert!(refused.to_string().contains("lost"));
}
