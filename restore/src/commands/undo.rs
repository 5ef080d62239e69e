//! `ssmbak undo`: takes back what a run did, as a new run.

use ssmbak_core::domain::Plan;
use ssmbak_core::domain::run::{Origin, Phase, Run, WhichRun};
use ssmbak_core::undo::{UndoOptions, undo};

use super::{Context, runs};
use crate::args::UndoArgs;
use crate::carry_out::{Consent, Notes, carry_out_noting};
use crate::error::{CliError, Exit};
use crate::plan_report as report;
use crate::ui::warn;
use crate::view::RunView;

/// Says which run it is, plans, asks where somebody is there to be asked, and
/// applies.
pub(super) async fn run(context: &Context, args: &UndoArgs) -> Result<Exit, CliError> {
    let which = match &args.run {
        Some(text) => runs::parse(text)?,
        None => WhichRun::Last,
    };
    let stores = context.stores().await?;
    let run = runs::find(&stores, &which).await?;
    tell_which(context, &run);
    let options = UndoOptions {
        force: args.force,
        recreate: args.recreate,
    };
    let undoing = undo(&stores, &run, &options).await?;
    for (name, what) in &undoing.left_alone {
        warn(&format!("{name}: {what}"));
    }
    let overridden = undoing.overridden.iter();
    let notes: Notes = overridden
        .map(|(name, why)| (name.clone(), format!("{why}; overridden by --force")))
        .collect();
    if args.dry_run {
        return show(context, &undoing.plan, &notes, args.reveal);
    }
    let consent = Consent {
        yes: args.yes,
        reveal: args.reveal,
        recreate: args.recreate,
    };
    let origin = Origin::Undo { run: run.id };
    carry_out_noting(context, &stores, &undoing.plan, origin, &consent, &notes).await
}

fn tell_which(context: &Context, run: &Run) {
    let sentence = RunView::new(run, None).sentence();
    context.ui.note(&format!("undoing {sentence}"));
    if run.phase == Phase::Planned {
        warn(
            "this run has not told how it ended: it was killed, or goes on at this moment; what \
             it did is found out from what lives",
        );
    }
}

/// Shows the plan and changes nothing.
fn show(context: &Context, plan: &Plan, notes: &Notes, reveal: bool) -> Result<Exit, CliError> {
    context
        .ui
        .show(&report::preview_rows(plan, false, reveal))?;
    let noted = notes.iter().map(|(name, note)| format!("{name}: {note}"));
    for warning in report::warnings(plan).into_iter().chain(noted) {
        warn(&warning);
    }
    context.ui.note(&report::summary(plan));
    Ok(report::preview_exit(plan, false))
}
