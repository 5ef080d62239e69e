//! Carrying a plan out: the question, the writes, and what is told of them.
//! Every command that writes parameters ends here.

use std::collections::BTreeMap;
use std::env;
use std::time::Duration;

use ssmbak_core::domain::elsewhere::is_conflict;
use ssmbak_core::domain::run::{Origin, Outcome, short_id};
use ssmbak_core::domain::{Action, Name, Plan};
use ssmbak_core::restore::{ApplyOptions, RECREATION_WAIT, Report, apply_at};
use ssmbak_core::store::{Destination, Stores};

use crate::commands::Context;
use crate::error::{CliError, Exit};
use crate::plan_report as report;
use crate::ui::{self, hint_to_repeat, hint_to_undo_again, warn};
use crate::view::RestoreView;

/// What is to be known of a parameter beside what became of it.
pub(crate) type Notes = BTreeMap<Name, String>;

/// What a person has said already, and what they may see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consent {
    /// They need not be asked.
    pub(crate) yes: bool,
    /// Show secrets.
    pub(crate) reveal: bool,
    /// What turns out not to be overwritable may be deleted and created again.
    pub(crate) recreate: bool,
}

/// As [`carry_out_noting`], with nothing to be noted.
pub(crate) async fn carry_out(
    context: &Context,
    stores: &Stores,
    plan: &Plan,
    origin: Origin,
    consent: &Consent,
) -> Result<Exit, CliError> {
    carry_out_noting(context, stores, plan, origin, consent, &Notes::new()).await
}

/// As [`carry_out_at`], in the place that the stores are of.
pub(crate) async fn carry_out_noting(
    context: &Context,
    stores: &Stores,
    plan: &Plan,
    origin: Origin,
    consent: &Consent,
    notes: &Notes,
) -> Result<Exit, CliError> {
    carry_out_at(
        context,
        &Destination::from(stores),
        plan,
        origin,
        consent,
        notes,
    )
    .await
}

/// Tells what is to be known of `plan`, asks where somebody is there to be
/// asked, applies it wherever its parameters are to be written, and tells what
/// became of every parameter.
///
/// `notes` are told beforehand, and stand in the rows of their parameters.
/// Everything that a saved plan lists has a row, also what is by now as it says.
pub(crate) async fn carry_out_at(
    context: &Context,
    to: &Destination,
    plan: &Plan,
    origin: Origin,
    consent: &Consent,
    notes: &Notes,
) -> Result<Exit, CliError> {
    let again = Again::of(&origin);
    let noted = notes.iter().map(|(name, note)| format!("{name}: {note}"));
    for warning in report::warnings(plan).into_iter().chain(noted) {
        warn(&warning);
    }
    let is_saved = origin == Origin::Plan;
    let changes = plan.steps.iter().any(|step| step.action.changes());
    let rows = if changes {
        let mut agreed = false;
        if report::can_be_done(plan) {
            agreed = agree(context, plan, &origin, consent).await?;
        }
        let recreate = consent.recreate && agreed;
        let reports = apply_plan(context, to, plan, recreate, origin).await?;
        report::restore_rows(plan, &reports, is_saved, consent.reveal)
    } else {
        report::restore_rows(plan, &[], is_saved, consent.reveal)
    };
    tell(context, plan, &rows, notes, is_saved, &again)?;
    if !report::moved(plan).is_empty() {
        again.hint_at_force();
    }
    if context.interrupt.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    Ok(report::restore_exit(plan, &rows))
}

/// How what is carried out is looked at before, and repeated after a failure.
enum Again {
    /// The same command again.
    Same,
    /// An undo, which without the id of its run would be of the last one: of
    /// itself.
    Undo(String),
}

impl Again {
    fn of(origin: &Origin) -> Self {
        match origin {
            Origin::Undo { run } => Self::Undo(short_id(run).to_owned()),
            Origin::Record | Origin::Plan | Origin::File | Origin::Elsewhere { .. } => Self::Same,
        }
    }

    fn what(&self) -> &'static str {
        match self {
            Self::Same => "restore",
            Self::Undo(_) => "undo",
        }
    }

    /// How it is looked at before; none where only this very command shows it.
    fn look(&self, origin: &Origin) -> Option<String> {
        match self {
            Self::Same if *origin == Origin::Plan => None,
            Self::Same => Some("preview".into()),
            Self::Undo(run) => Some(format!("undo {run} --dry-run")),
        }
    }

    fn hint(&self) {
        match self {
            Self::Same => hint_to_repeat(),
            Self::Undo(run) => hint_to_undo_again(run),
        }
    }

    /// The way out for what has moved.
    fn hint_at_force(&self) {
        ui::tell(&match self {
            Self::Same => "\nhint: `ssmbak history` tells what happened to them; make a new plan, \
                           or write over what lives all the same with --force"
                .to_owned(),
            Self::Undo(run) => format!(
                "\nhint: `ssmbak history` tells what happened to them; write over what lives all \
                 the same with `ssmbak undo {run} --force`"
            ),
        });
    }
}

/// Gets the person's agreement, or finds that it is not needed. Whoever cannot
/// be asked is not taken to agree to a deletion: false where that is so, and
/// nothing is to be deleted as planned.
async fn agree(
    context: &Context,
    plan: &Plan,
    origin: &Origin,
    consent: &Consent,
) -> Result<bool, CliError> {
    let again = Again::of(origin);
    context.ui.note(&report::summary(plan));
    let deletions = deletions(plan);
    if consent.yes {
        return Ok(true);
    }
    if !context.ui.can_ask() {
        return if deletions.is_empty() {
            Ok(false)
        } else {
            Err(CliError::Usage {
                message: format!(
                    "this {} would delete {}, and there is no terminal to ask on:\n  {}",
                    again.what(),
                    counted(deletions.len()),
                    deletions.join("\n  ")
                ),
                hint: match again.look(origin) {
                    Some(look) => format!("look at it with `ssmbak {look}`, then pass --yes"),
                    None => "see that these may go, then pass --yes".into(),
                },
            })
        };
    }
    let rows = report::preview_rows(plan, false, consent.reveal);
    context.ui.show_before_asking(&rows)?;
    if context.ui.ask(&question(plan, origin)).await? {
        Ok(true)
    } else {
        Err(CliError::Declined)
    }
}

/// Every deletion by name, those for good first.
fn deletions(plan: &Plan) -> Vec<String> {
    let done = || plan.steps.iter().filter(|s| s.can_be_done());
    let deleted = done().filter(|s| s.action == Action::Delete);
    let again = done().filter(|s| s.recreate);
    let deleted = deleted.map(|s| format!("delete {}", s.name));
    let again = again.map(|s| format!("delete {} and create it again", s.name));
    deleted.chain(again).collect()
}

/// The question: every deletion by name, the writes by number.
fn question(plan: &Plan, origin: &Origin) -> String {
    let done = || plan.steps.iter().filter(|s| s.can_be_done());
    let mut lines = deletions(plan);
    let doable = |action| done().filter(|s| s.action == action).count();
    let writes = doable(Action::Update) + doable(Action::Create);
    let deletions = doable(Action::Delete);
    let what = match (writes, deletions) {
        (_, 0) => format!("Write {}", counted(writes)),
        (0, _) => format!("Delete {}", counted(deletions)),
        (_, _) => format!("Write {} and delete {deletions}", counted(writes)),
    };
    lines.push(match origin {
        Origin::Elsewhere { target, .. } => {
            format!("{what} to {}, as {target} was at {}?", plan.target, plan.at)
        }
        Origin::Record | Origin::Undo { .. } | Origin::Plan | Origin::File => {
            format!("{what}, so that it is as it was at {}?", plan.at)
        }
    });
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
    to: &Destination,
    plan: &Plan,
    recreate: bool,
    origin: Origin,
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
    let options = ApplyOptions {
        recreate,
        recreation_wait: recreation_wait(),
        origin,
        tell: &|text| bar.suspend(|| warn(text)),
    };
    let reports = apply_at(to, plan, &options, cancel, &progress).await;
    bar.finish_and_clear();
    Ok(reports?)
}

/// How long a name must stay deleted. `SSMBAK_TEST_RECREATION_WAIT_MS` takes
/// its place, so that a test need not wait for a service that is not there.
fn recreation_wait() -> Duration {
    let told = env::var("SSMBAK_TEST_RECREATION_WAIT_MS").ok();
    let told = told.and_then(|ms| ms.parse().ok());
    told.map_or(RECREATION_WAIT, Duration::from_millis)
}

fn tell(
    context: &Context,
    plan: &Plan,
    rows: &[RestoreView],
    notes: &Notes,
    is_saved: bool,
    again: &Again,
) -> Result<(), CliError> {
    let shown: Vec<RestoreView> = rows.iter().map(|row| noted(row, notes)).collect();
    context.ui.show(&shown)?;
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
    let moved = report::moved(plan);
    let may_be_mended =
        |row: &RestoreView| row.outcome == Outcome::Failed && !moved.contains(&row.parameter.name);
    let conflicts = plan.steps.iter().any(is_conflict);
    if rows.iter().any(may_be_mended) && !conflicts {
        again.hint();
    }
    let changes = rows
        .iter()
        .any(|r| r.parameter.change != Action::Unknown.as_str());
    context.ui.note(&if changes || is_saved {
        report::outcome_summary(rows)
    } else {
        report::summary(plan)
    });
    Ok(())
}

/// The row, with its note before its reason.
fn noted(row: &RestoreView, notes: &Notes) -> RestoreView {
    let note = notes.get(&row.parameter.name).cloned();
    let told: Vec<String> = note.into_iter().chain(row.reason.clone()).collect();
    RestoreView {
        reason: Some(told.join("; ")).filter(|told| !told.is_empty()),
        ..row.clone()
    }
}

#[cfg(test)]
#[path = "carry_out_tests.rs"]
mod tests;
