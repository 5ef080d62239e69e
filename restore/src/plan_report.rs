//! What is told of a plan and of its outcome: rows, warnings, the summary line
//! and the exit code.

use std::collections::{BTreeMap, BTreeSet};

use ssmbak_core::domain::plan::Problem;
use ssmbak_core::domain::run::Outcome;
use ssmbak_core::domain::state::Found;
use ssmbak_core::domain::{Action, Instant, Name, Plan, State, Step};

use crate::error::{CliError, Exit};
use crate::view::{ParameterView, RestoreView};
use ssmbak_core::restore::Report;

/// Refuses a plan that knows nothing, with the nearest instant that is known.
pub(crate) fn something_is_known(plan: &Plan) -> Result<(), CliError> {
    if !plan.knows_nothing() {
        return Ok(());
    }
    let known_from = |step: &Step| match step.state {
        State::Unknown { known_from } => known_from,
        State::Present(_) | State::Absent { .. } => None,
    };
    let of_steps = plan.steps.iter().filter_map(known_from).min();
    Err(CliError::NothingKnown {
        target: plan.target.to_string(),
        at: plan.at,
        nearest: nearest_after(plan).or(of_steps),
    })
}

/// The first instant after the plan's at which something is known.
pub(crate) fn nearest_after(plan: &Plan) -> Option<Instant> {
    plan.nearest_known.filter(|known| *known > plan.at)
}

/// The rows of a preview: what differs or is unknown; with `all` also what is
/// present and unchanged.
pub(crate) fn preview_rows(plan: &Plan, all: bool, reveal: bool) -> Vec<ParameterView> {
    let listed =
        |step: &&Step| step.action != Action::None || (all && step.state.found().is_some());
    let steps = plan.steps.iter().filter(listed);
    steps.map(|step| ParameterView::new(step, reveal)).collect()
}

/// The rows of a restore: those of the preview with what became of each; with
/// `all` also what needs no change.
pub(crate) fn restore_rows(
    plan: &Plan,
    reports: &[Report],
    all: bool,
    reveal: bool,
) -> Vec<RestoreView> {
    let reports: BTreeMap<&Name, &Report> = reports.iter().map(|r| (&r.name, r)).collect();
    let listed = |step: &&Step| all || step.action != Action::None;
    let row = |step: &Step| {
        let (outcome, reason) = match (reports.get(&step.name), step.action, &step.problem) {
            (Some(report), _, _) => (report.outcome, report.reason.clone()),
            (None, Action::None, None) => (Outcome::Unchanged, None),
            (None, _, Some(problem)) => (Outcome::Skipped, Some(problem.to_string())),
            (None, _, None) => {
                let unknown = "its state at that time is unknown".to_owned();
                (Outcome::Skipped, Some(unknown))
            }
        };
        RestoreView {
            outcome,
            reason,
            parameter: ParameterView::new(step, reveal),
        }
    };
    plan.steps.iter().filter(listed).map(row).collect()
}

/// What is not as it should be: names that are unknown, steps that cannot be
/// done, and states that are not certain.
pub(crate) fn warnings(plan: &Plan) -> Vec<String> {
    let of_steps = plan.steps.iter().filter_map(|step| warning(plan, step));
    of_steps.chain(imported(plan)).collect()
}

/// One line for all, since most of a tree may be known from there.
fn imported(plan: &Plan) -> Option<String> {
    told_imported(plan, |step| step.action != Action::None)
}

/// The same of what is to be written somewhere else: whatever `plan` would do
/// where it was.
pub(crate) fn imported_there(plan: &Plan) -> Option<String> {
    told_imported(plan, |_| true)
}

fn told_imported(plan: &Plan, concerned: impl Fn(&Step) -> bool) -> Option<String> {
    let imported = |s: &&Step| concerned(s) && s.state.found().is_some_and(Found::is_imported);
    let count = plan.steps.iter().filter(imported).count();
    (count > 0).then(|| {
        format!(
            "{count} of these are known from the original tool's bucket only: a value may be that \
             of a later second, and what it did not keep is not put back"
        )
    })
}

/// Whether a step cannot be done or known for certain, for a reason that may be
/// mended.
pub(crate) fn can_be_mended(plan: &Plan) -> bool {
    let problems = plan.steps.iter().filter_map(|step| step.problem.as_ref());
    problems.into_iter().any(Problem::can_be_mended)
}

/// Whether anything of the plan can be done at all.
pub(crate) fn can_be_done(plan: &Plan) -> bool {
    plan.steps.iter().any(Step::can_be_done)
}

/// The parameters that are refused since they have moved.
pub(crate) fn moved(plan: &Plan) -> BTreeSet<&Name> {
    let moved = |s: &&Step| matches!(s.problem, Some(Problem::Moved(_)));
    plan.steps.iter().filter(moved).map(|s| &s.name).collect()
}

fn warning(plan: &Plan, step: &Step) -> Option<String> {
    let name = &step.name;
    match (&step.state, &step.problem) {
        // Those that hold it back are told.
        (_, Some(Problem::HeldBack)) => None,
        (_, Some(problem)) => Some(format!("{name}: {problem}")),
        (State::Unknown { known_from }, None) => {
            let from = known_from.map_or(String::new(), |at| format!("; known from {at}"));
            Some(format!("{name}: unknown at {}{from}", plan.at))
        }
        (State::Present(found), None) if found.inexact && step.action != Action::None => {
            Some(format!(
                "{name}: may have been deleted already at {}; taken as present",
                plan.at
            ))
        }
        (State::Present(_) | State::Absent { .. }, None) => None,
    }
}

/// The summary line: `2 to update, 1 to create, 1 to delete, 40 unchanged`,
/// and how many are unknown if any are.
pub(crate) fn summary(plan: &Plan) -> String {
    let steps = plan.steps.iter();
    let left_alone = steps.filter(|s| is_left_alone(s)).count();
    let mut counts = vec![
        format!("{} to update", plan.count(Action::Update) - left_alone),
        format!("{} to create", plan.count(Action::Create)),
        format!("{} to delete", plan.count(Action::Delete)),
        format!("{} unchanged", unchanged(plan)),
    ];
    let unknown = plan.count(Action::Unknown);
    if unknown > 0 {
        counts.push(format!("{unknown} unknown"));
    }
    if left_alone > 0 {
        counts.push(format!("{left_alone} left alone"));
    }
    counts.join(", ")
}

/// Whether it is left as it is since somebody chose so: nothing failed.
fn is_left_alone(step: &Step) -> bool {
    step.problem.as_ref().is_some_and(Problem::is_chosen)
}

/// The summary line of what was done; kinds that did not occur are left out.
pub(crate) fn outcome_summary(rows: &[RestoreView]) -> String {
    let outcomes = [
        Outcome::Restored,
        Outcome::Deleted,
        Outcome::Unchanged,
        Outcome::Skipped,
        Outcome::Failed,
    ];
    let told = outcomes.iter().filter_map(|outcome| {
        let count = rows.iter().filter(|row| row.outcome == *outcome).count();
        (count > 0).then(|| format!("{count} {}", outcome.as_str()))
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() {
        "nothing to do".into()
    } else {
        told.join(", ")
    }
}

/// How a preview ends; `differences` asks for an exit code of their own.
pub(crate) fn preview_exit(plan: &Plan, differences: bool) -> Exit {
    let failing = |step: &Step| step.problem.is_some() && !is_left_alone(step);
    let bad = |step: &&Step| step.action == Action::Unknown || failing(step);
    let bad = plan.steps.iter().filter(bad).count();
    let differs = plan.steps.iter().any(|step| step.action.changes());
    let exit = exit_of(bad, plan.steps.len() - bad);
    if exit == Exit::Done && differences && differs {
        return Exit::Differences;
    }
    exit
}

/// How a restore ends: what was already as it was counts as fine.
pub(crate) fn restore_exit(plan: &Plan, rows: &[RestoreView]) -> Exit {
    let left_alone: BTreeSet<&Name> = plan
        .steps
        .iter()
        .filter(|step| is_left_alone(step))
        .map(|step| &step.name)
        .collect();
    let bad = |row: &&RestoreView| match row.outcome {
        Outcome::Skipped if left_alone.contains(&row.parameter.name) => false,
        Outcome::Skipped | Outcome::Failed => true,
        Outcome::Restored | Outcome::Deleted | Outcome::Unchanged => false,
    };
    let bad = rows.iter().filter(bad).count();
    // What could not be read in full may differ after all.
    let unsure = |step: &&Step| step.action == Action::None && step.problem.is_some();
    let unsure = plan.steps.iter().filter(unsure).count();
    let fine = rows.len() - bad + plan.count(Action::None) - unsure;
    exit_of(bad + unsure, fine)
}

/// How a command ends of whose parameters some are bad.
pub(crate) fn exit_of(bad: usize, fine: usize) -> Exit {
    match (bad, fine) {
        (0, _) => Exit::Done,
        (_, 0) => Exit::Failed,
        (_, _) => Exit::Partly,
    }
}

/// Present then and the same now. What was absent then and is now is nobody's
/// business.
fn unchanged(plan: &Plan) -> usize {
    let same = |step: &&Step| step.action == Action::None && step.state.found().is_some();
    plan.steps.iter().filter(same).count()
}

#[cfg(test)]
#[path = "plan_report_tests.rs"]
mod tests;
