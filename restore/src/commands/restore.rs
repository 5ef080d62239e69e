//! `ssmbak restore`: does what preview shows.

use ssmbak_core::domain::run::Outcome;
use ssmbak_core::domain::{Action, Plan, Target};

use super::Context;
use crate::args::RestoreArgs;
use crate::error::{CliError, Exit};
use crate::plan_report as report;
use crate::ui::{hint_to_repeat, warn};
use crate::view::RestoreView;
use ssmbak_core::restore::{Report, apply};
use ssmbak_core::store::Stores;

/// Plans, asks where somebody is there to be asked, applies, and tells what
/// became of every parameter.
pub(super) async fn run(context: &Context, args: &RestoreArgs) -> Result<Exit, CliError> {
    let target = Target::parse(&args.path, args.recursive)?;
    let at = context.instant(&args.time)?;
    let stores = context.stores().await?;
    let plan = context.plan(&stores, &target, at, false).await?;
    context.hint_at_path(&stores, &target, args.recursive).await;
    report::something_is_known(&plan)?;
    for warning in report::warnings(&plan) {
        warn(&warning);
    }
    let changes = plan.steps.iter().any(|step| step.action.changes());
    let rows = if changes {
        if report::can_be_done(&plan) {
            agree(context, &plan, args).await?;
        }
        let reports = apply_plan(context, &stores, &plan).await?;
        report::restore_rows(&plan, &reports, args.reveal)
    } else {
        report::restore_rows(&plan, &[], args.reveal)
    };
    tell(context, &plan, &rows)?;
    if context.interrupt.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    Ok(report::restore_exit(&plan, &rows))
}

/// Gets the person's agreement, or finds that it is not needed. Whoever cannot
/// be asked is not taken to agree to a deletion.
async fn agree(context: &Context, plan: &Plan, args: &RestoreArgs) -> Result<(), CliError> {
    context.ui.note(&report::summary(plan));
    let deletions = plan.count(Action::Delete);
    if args.yes {
        return Ok(());
    }
    if !context.ui.can_ask() {
        return if deletions == 0 {
            Ok(())
        } else {
            Err(CliError::Usage {
                message: format!(
                    "this restore would delete {}, and there is no terminal to ask on",
                    counted(deletions)
                ),
                hint: "look at it with `ssmbak preview`, then pass --yes".into(),
            })
        };
    }
    let rows = report::preview_rows(plan, false, args.reveal);
    context.ui.show_before_asking(&rows)?;
    if context.ui.ask(&question(plan)).await? {
        Ok(())
    } else {
        Err(CliError::Declined)
    }
}

/// The question: every deletion by name, the writes by number.
fn question(plan: &Plan) -> String {
    let deleted = plan.steps.iter().filter(|s| s.action == Action::Delete);
    let mut lines: Vec<_> = deleted.map(|s| format!("delete {}", s.name)).collect();
    let doable = |action| {
        let steps = plan.steps.iter();
        steps
            .filter(|s| s.action == action && s.can_be_done())
            .count()
    };
    let writes = doable(Action::Update) + doable(Action::Create);
    let deletions = doable(Action::Delete);
    let what = match (writes, deletions) {
        (_, 0) => format!("Write {}", counted(writes)),
        (0, _) => format!("Delete {}", counted(deletions)),
        (_, _) => format!("Write {} and delete {deletions}", counted(writes)),
    };
    lines.push(format!("{what}, so that it is as it was at {}?", plan.at));
    lines.join("\n")
}

fn counted(parameters: usize) -> String {
    match parameters {
        1 => "1 parameter".into(),
        more => format!("{more} parameters"),
    }
}

async fn apply_plan(
    context: &Context,
    stores: &Stores,
    plan: &Plan,
) -> Result<Vec<Report>, CliError> {
    // What is unknown is reported too.
    let total = plan
        .steps
        .iter()
        .filter(|s| s.action != Action::None)
        .count();
    let bar = context
        .ui
        .progress(u64::try_from(total).unwrap_or(u64::MAX));
    let cancel = context.interrupt.hold();
    let progress = |report: &Report| {
        bar.set_message(report.name.to_string());
        bar.inc(1);
    };
    let reports = apply(stores, plan, cancel, &progress).await;
    bar.finish_and_clear();
    Ok(reports?)
}

fn tell(context: &Context, plan: &Plan, rows: &[RestoreView]) -> Result<(), CliError> {
    context.ui.show(rows)?;
    for row in rows {
        // What is unknown or has a problem has been told before anything was written.
        let told = row.parameter.change == Action::Unknown.as_str()
            || plan
                .steps
                .iter()
                .any(|s| s.name == row.parameter.name && s.problem.is_some());
        if let Some(reason) = row.reason.as_ref().filter(|_| !told) {
            let (name, outcome) = (&row.parameter.name, row.outcome.as_str());
            warn(&format!("{name}: {outcome}: {reason}"));
        }
    }
    if rows.iter().any(|row| row.outcome == Outcome::Failed) {
        hint_to_repeat();
    }
    let changes = rows
        .iter()
        .any(|r| r.parameter.change != Action::Unknown.as_str());
    context.ui.note(&if changes {
        report::outcome_summary(rows)
    } else {
        report::summary(plan)
    });
    Ok(())
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
