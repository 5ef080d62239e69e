//! `ssmbak show`: one value, raw.

use std::io::{self, Write as _};

use ssmbak_core::domain::{Instant, Name, Plan, State, Step, Target};

use super::Context;
use crate::args::ShowArgs;
use crate::error::{CliError, Exit};
use crate::plan_report as report;
use crate::ui::warn;
use crate::view::value_of;

/// Writes the exact bytes of the value to stdout; a terminal gets a new line
/// after them.
pub(super) async fn run(context: &Context, args: &ShowArgs) -> Result<Exit, CliError> {
    let name = Name::parse(&args.name)?;
    let at = context.instant(&args.time)?;
    let stores = context.stores().await?;
    let target = Target::Name(name.clone());
    let plan = context.plan(&stores, &target, at, true).await?;
    let value = value(&plan, &name, args.reveal)?;
    for warning in report::warnings(&plan) {
        warn(&warning);
    }
    let mut stdout = io::stdout().lock();
    let end: &[u8] = if context.ui.is_terminal() { b"\n" } else { b"" };
    let written = stdout
        .write_all(value.as_bytes())
        .and_then(|()| stdout.write_all(end))
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(Exit::Done),
    }
}

/// The value of `name` in the plan, or why it cannot be shown.
fn value<'a>(plan: &'a Plan, name: &Name, reveal: bool) -> Result<&'a str, CliError> {
    report::something_is_known(plan)?;
    let step = plan.steps.iter().find(|step| step.name == *name);
    let (Some(step), Some(State::Present(found))) = (step, step.map(|s| &s.state)) else {
        return Err(CliError::Absent {
            name: name.clone(),
            at: plan.at,
            since: step.and_then(deleted_at),
            nearest: plan.nearest_known,
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

fn deleted_at(step: &Step) -> Option<Instant> {
    match step.state {
        State::Absent { since } => since,
        State::Present(_) | State::Unknown { .. } => None,
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
