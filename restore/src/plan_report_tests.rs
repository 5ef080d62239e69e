use super::*;
use crate::fixtures as given;

fn mixed() -> Plan {
    given::plan(vec![
        given::updated("/app/a", "String", "old"),
        given::created("/app/b", "old"),
        given::deleted("/app/c"),
        given::unchanged("/app/d"),
        given::gone_then_and_now("/app/e"),
    ])
}

fn report_of(step: &Step, outcome: Outcome) -> Report {
    Report {
        name: step.name.clone(),
        outcome,
        reason: (outcome == Outcome::Failed).then(|| "denied".into()),
        written_version: None,
        written_at: None,
        recreated: false,
    }
}

fn names(rows: &[ParameterView]) -> Vec<&str> {
    rows.iter().map(|row| row.name.as_str()).collect()
}

#[test]
fn a_preview_lists_what_differs_and_with_all_what_is_present_too() {
    let rows = preview_rows(&mixed(), false, false);
    assert_eq!(names(&rows), ["/app/a", "/app/b", "/app/c"]);
    let rows = preview_rows(&mixed(), true, false);
    assert_eq!(names(&rows), ["/app/a", "/app/b", "/app/c", "/app/d"]);
}

#[test]
fn the_summary_tells_unknown_ones_only_if_there_are_any() {
    let mut plan = mixed();
    assert_eq!(
        summary(&plan),
        "1 to update, 1 to create, 1 to delete, 1 unchanged"
    );
    plan.steps.push(given::unknown("/app/f"));
    assert_eq!(
        summary(&plan),
        "1 to update, 1 to create, 1 to delete, 1 unchanged, 1 unknown"
    );
}

#[test]
fn a_preview_ends_well_unless_differences_are_to_be_told() {
    assert_eq!(preview_exit(&mixed(), false), Exit::Done);
    assert_eq!(preview_exit(&mixed(), true), Exit::Differences);
    let same = given::plan(vec![given::unchanged("/app/d")]);
    assert_eq!(preview_exit(&same, true), Exit::Done);
}

#[test]
fn what_is_unknown_or_cannot_be_done_beside_what_is_fine_is_partly_done() {
    for bad in [given::unknown("/app/f"), given::lost("/app/f")] {
        let mut plan = mixed();
        plan.steps.push(bad);
        assert_eq!(preview_exit(&plan, true), Exit::Partly);
        assert_eq!(warnings(&plan).len(), 1);
    }
    let lost = given::plan(vec![given::lost("/app/f")]);
    assert_eq!(preview_exit(&lost, false), Exit::Failed);
}

#[test]
fn a_plan_that_knows_nothing_gives_the_nearest_instant() {
    let plan = given::plan(vec![given::unknown("/app/f")]);
    let refused = something_is_known(&plan).unwrap_err();
    assert_eq!(refused.exit(), Exit::NothingKnown);
    assert_eq!(
        refused.hint().unwrap(),
        "the nearest known instant is 2024-07-01T00:00:00.000Z"
    );
    assert!(something_is_known(&mixed()).is_ok());
}

#[test]
fn each_parameter_of_a_restore_has_its_outcome() {
    let mut plan = mixed();
    plan.steps.push(given::unknown("/app/f"));
    let reports = [
        report_of(&plan.steps[0], Outcome::Restored),
        report_of(&plan.steps[1], Outcome::Failed),
        report_of(&plan.steps[2], Outcome::Deleted),
    ];
    let rows = restore_rows(&plan, &reports, false, false);
    let outcomes: Vec<_> = rows.iter().map(|row| row.outcome).collect();
    assert_eq!(
        outcomes,
        [
            Outcome::Restored,
            Outcome::Failed,
            Outcome::Deleted,
            Outcome::Skipped
        ]
    );
    assert_eq!(rows[1].reason.as_deref(), Some("denied"));
    assert!(rows[3].reason.is_some());
    assert_eq!(
        outcome_summary(&rows),
        "1 restored, 1 deleted, 1 skipped, 1 failed"
    );
    assert_eq!(restore_exit(&plan, &rows), Exit::Partly);
}

#[test]
fn a_restore_fails_when_all_of_it_failed() {
    let plan = given::plan(vec![given::created("/app/b", "old")]);
    let exit = |outcome| {
        let rows = restore_rows(&plan, &[report_of(&plan.steps[0], outcome)], false, false);
        restore_exit(&plan, &rows)
    };
    assert_eq!(exit(Outcome::Failed), Exit::Failed);
    assert_eq!(exit(Outcome::Restored), Exit::Done);
    assert_eq!(exit(Outcome::Unchanged), Exit::Done);
}

#[test]
fn nothing_to_do_is_done() {
    let plan = given::plan(vec![given::unchanged("/app/d")]);
    let rows = restore_rows(&plan, &[], false, false);
    assert!(rows.is_empty());
    assert_eq!(restore_exit(&plan, &rows), Exit::Done);
    assert_eq!(outcome_summary(&rows), "nothing to do");
}

#[test]
fn no_warning_holds_a_value() {
    let plan = given::plan(vec![
        given::updated("/app/a", "SecureString", "hunter2"),
        given::lost("/app/b"),
        given::unknown("/app/c"),
    ]);
    assert!(!warnings(&plan).concat().contains("hunter2"));
}

#[test]
fn what_is_known_from_the_originals_bucket_only_is_told_once() {
    let imported = |mut step: Step| {
        let State::Present(found) = &mut step.state else {
            panic!("it is present");
        };
        found.version = None;
        step
    };
    let mut steps = vec![given::updated("/a", "String", "then")];
    assert!(warnings(&given::plan(steps.clone())).is_empty());
    steps.push(imported(given::updated("/b", "String", "then")));
    steps.push(imported(given::created("/c", "then")));
    steps.push(imported(given::unchanged("/d")));
    let told = warnings(&given::plan(steps));
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("2 of these are known from the original tool's bucket only"));
}
