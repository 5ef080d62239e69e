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
fn a_deleted_one_tells_when_and_where_it_was_last() {
    let refused = shown(given::gone_then_and_now("/app/a"), false).unwrap_err();
    assert_eq!(refused.exit(), Exit::NothingKnown);
    assert!(refused.hint().unwrap().contains("2024-06-15T10:00:00.998Z"));
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
