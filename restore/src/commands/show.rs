//! `ssmbak show`: one value, raw; or everything but the value.

use ssmbak_core::domain::{Instant, Name, Plan, Record, State, Target};
use ssmbak_core::history::{History, Span};
use ssmbak_core::store::Stores;
use ssmbak_core::survey::{SurveyOptions, states};

use super::Context;
use crate::args::ShowArgs;
use crate::error::{CliError, Exit};
use crate::plan_report as report;
use crate::ui::warn;
use crate::view::{MetadataView, value_of};

/// Writes the exact bytes of the value to stdout; a terminal gets a new line
/// after them.
pub(super) async fn run(context: &Context, args: &ShowArgs) -> Result<Exit, CliError> {
    let name = Name::parse(&args.name)?;
    let at = context.instant(&args.time)?;
    let stores = context.stores().await?;
    let target = Target::Name(name.clone());
    if args.metadata {
        return metadata(context, &stores, &target, name, at).await;
    }
    let options = SurveyOptions {
        values_of_unchanged: true,
        ..SurveyOptions::default()
    };
    let plan = context.plan(&stores, &target, at, &options).await?;
    if is_absent(&plan, &name) {
        let nearest = report::nearest_after(&plan);
        return Err(absent(&stores, &target, name, at, nearest).await);
    }
    let value = value(&plan, &name, args.reveal)?;
    for warning in report::warnings(&plan) {
        warn(&warning);
    }
    let end = if context.ui.is_terminal() { "\n" } else { "" };
    context.ui.write_raw(&format!("{value}{end}"))
}

/// Writes everything but the value, and reads none.
async fn metadata(
    context: &Context,
    stores: &Stores,
    target: &Target,
    name: Name,
    at: Instant,
) -> Result<Exit, CliError> {
    let known = states(stores, target, at).await?;
    let nearest = known.nearest_known.filter(|known| *known > at);
    let found = match known.states.get(&name) {
        Some(State::Present(found)) => found,
        Some(State::Absent { .. }) => return Err(absent(stores, target, name, at, nearest).await),
        None if known.anything_known => {
            return Err(absent(stores, target, name, at, nearest).await);
        }
        Some(State::Unknown { .. }) | None => {
            return Err(CliError::NothingKnown {
                target: name.to_string(),
                at,
                nearest,
            });
        }
    };
    if found.inexact {
        warn(&format!(
            "{name}: may have been deleted already at {at}; taken as present"
        ));
    }
    if found.is_imported() {
        warn(&format!(
            "{name}: known from the original tool's bucket only, which did not keep all of this"
        ));
    }
    let view = MetadataView::new(name, found);
    context.ui.show_one(&view, MetadataView::facts)?;
    Ok(Exit::Done)
}

/// Whether the plan knows that `name` did not exist. A plan leaves out what
/// neither lived then nor lives now.
fn is_absent(plan: &Plan, name: &Name) -> bool {
    let step = plan.steps.iter().find(|step| step.name == *name);
    step.map_or(plan.anything_known, |step| {
        matches!(step.state, State::Absent { .. })
    })
}

/// Tells that the parameter did not exist, with the instant at which it last
/// did: a call or two, and a hint less where that fails.
async fn absent(
    stores: &Stores,
    target: &Target,
    name: Name,
    at: Instant,
    nearest: Option<Instant>,
) -> CliError {
    let span = Span {
        until: Some(at),
        ..Span::default()
    };
    let mut history = History::new(stores, target, &span);
    let mut newest = None;
    while newest.is_none()
        && let Ok(Some(entries)) = history.next().await
    {
        let mut records = entries.into_iter().map(|entry| entry.record);
        newest = records.find(Record::decides_state);
    }
    let since = newest.filter(Record::is_deletion).map(|r| r.at);
    CliError::Absent {
        name,
        at,
        since,
        nearest,
    }
}

/// The value of `name` in the plan, or why it cannot be shown.
fn value<'a>(plan: &'a Plan, name: &Name, reveal: bool) -> Result<&'a str, CliError> {
    report::something_is_known(plan)?;
    let step = plan.steps.iter().find(|step| step.name == *name);
    let (Some(step), Some(found)) = (step, step.and_then(|s| s.state.found())) else {
        return Err(CliError::NothingKnown {
            target: name.to_string(),
            at: plan.at,
            nearest: report::nearest_after(plan),
        });
    };
    if found.attributes.is_secret() && !reveal {
        return Err(CliError::Usage {
            message: format!("{name} is a SecureString"),
            hint: "show it with --reveal".into(),
        });
    }
    match (value_of(step), &step.problem) {
        (Some(value), _) => Ok(value.expose()),
        (None, Some(problem)) => Err(unreadable(name, &problem.to_string())),
        (None, None) => Err(unreadable(
            name,
            "the value of that version was lost before it could be captured",
        )),
    }
}

fn unreadable(name: &Name, why: &str) -> CliError {
    CliError::Failed {
        message: format!("{name} cannot be shown: {why}"),
        hint: Some(format!("`ssmbak history {name}` lists its other versions")),
    }
}

#[cfg(test)]
#[path = "show_tests.rs"]
mod tests;
