//! `ssmbak export`: a tree as it was, as text for other programs.

use ssmbak_core::domain::{Instant, Name, Path, Plan, State, Step, Target};
use ssmbak_core::survey::{Purpose, SurveyOptions};

use super::Context;
use crate::args::ExportArgs;
use crate::error::{CliError, Exit};
use crate::export;
use crate::export_file::{Exported, ExportedParameter};
use crate::plan_report as report;
use crate::ui::warn;
use crate::view::value_of;

/// How many secrets an error names.
const NAMED_MAX: usize = 3;

/// Writes what was present, and changes nothing but the file.
pub(super) async fn run(context: &Context, args: &ExportArgs) -> Result<Exit, CliError> {
    let target = Target::parse(&args.path, args.recursive)?;
    if let Some(file) = args.to.as_ref().filter(|_| !args.overwrite) {
        export::refuse_existing(file)?;
    }
    let at = context.instant(&args.time)?;
    let stores = context.stores().await?;
    let options = SurveyOptions {
        values_of_unchanged: true,
        purpose: Purpose::Export,
        ..SurveyOptions::default()
    };
    let plan = context.plan(&stores, &target, at, &options).await?;
    context.hint_at_path(&stores, &target, args.recursive).await;
    report::something_is_known(&plan)?;
    if !args.reveal {
        refuse_secrets(&plan)?;
    }
    let prefix = prefix(&target).filter(|_| args.strip_prefix);
    for doubt in doubts(&plan) {
        warn(&doubt);
    }
    let (exported, missing) = exported(plan, prefix);
    let told = missing.len();
    for warning in missing {
        warn(&warning);
    }
    let count = exported.parameters.len();
    let exit = report::exit_of(told, count);
    if exit != Exit::Failed {
        let (text, warning) = export::rendered(&exported, args.format)?;
        if let Some(warning) = warning {
            warn(&warning);
        }
        match &args.to {
            Some(file) => export::write(file, &text, args.overwrite)?,
            None => {
                context.ui.write_raw(&text)?;
            }
        }
    }
    let left_out = match told {
        0 => String::new(),
        told => format!(", {told} left out"),
    };
    context.ui.note(&format!("{count} exported{left_out}"));
    Ok(exit)
}

/// The path that names can leave out.
fn prefix(target: &Target) -> Option<Path> {
    match target {
        Target::Path { path, .. } => Some(path.clone()),
        Target::Name(name) => name.paths_above().next(),
    }
}

fn refuse_secrets(plan: &Plan) -> Result<(), CliError> {
    let is_secret = |step: &&Step| step.state.found().is_some_and(|f| f.attributes.is_secret());
    let secrets: Vec<&Name> = plan
        .steps
        .iter()
        .filter(is_secret)
        .map(|s| &s.name)
        .collect();
    if secrets.is_empty() {
        return Ok(());
    }
    let mut named: Vec<String> = secrets
        .iter()
        .take(NAMED_MAX)
        .map(ToString::to_string)
        .collect();
    if secrets.len() > NAMED_MAX {
        named.push(format!("{} more", secrets.len() - NAMED_MAX));
    }
    let (verb, them) = match secrets.len() {
        1 => ("is a SecureString", "it"),
        _ => ("are SecureStrings", "them"),
    };
    Err(CliError::Usage {
        message: format!("{} {verb}: {}", secrets.len(), named.join(", ")),
        hint: format!("nothing was written; write {them} with --reveal"),
    })
}

/// What is told of parameters that are exported all the same.
fn doubts(plan: &Plan) -> Vec<String> {
    let found = plan
        .steps
        .iter()
        .filter_map(|s| Some((&s.name, s.state.found()?)));
    let mut told: Vec<String> = found
        .clone()
        .filter(|(_, found)| found.inexact)
        .map(|(name, _)| {
            let at = plan.at;
            format!("{name}: may have been deleted already at {at}; taken as present")
        })
        .collect();
    let imported = found.filter(|(_, found)| found.is_imported()).count();
    if imported > 0 {
        told.push(format!(
            "{imported} of these are known from the original tool's bucket only, which did not \
             keep everything"
        ));
    }
    told
}

/// What can be exported, and a warning for each name that cannot.
fn exported(plan: Plan, prefix: Option<Path>) -> (Exported, Vec<String>) {
    let at = plan.at;
    let mut missing = Vec::new();
    let mut parameters = Vec::new();
    for step in plan.steps {
        match parameter(&step, at) {
            Ok(Some(parameter)) => parameters.push(parameter),
            Ok(None) => {}
            Err(why) => missing.push(format!("{}: {why}", step.name)),
        }
    }
    let exported = Exported {
        target: plan.target,
        at,
        prefix,
        parameters,
    };
    (exported, missing)
}

/// The parameter of a step; none where there was none.
fn parameter(step: &Step, at: Instant) -> Result<Option<ExportedParameter>, String> {
    let found = match &step.state {
        State::Absent { .. } => return Ok(None),
        State::Unknown { known_from } => {
            let from = known_from.map_or(String::new(), |at| format!("; known from {at}"));
            return Err(format!("unknown at {at}{from}"));
        }
        State::Present(found) => found,
    };
    let Some(value) = value_of(step) else {
        let problem = step.problem.as_ref().map(ToString::to_string);
        return Err(problem.unwrap_or_else(|| "its value cannot be read".into()));
    };
    Ok(Some(ExportedParameter {
        name: step.name.clone(),
        value: value.clone(),
        attributes: found.attributes.clone(),
        version: found.version,
        modified: Some(found.modified),
        modified_by: found.modified_by.clone(),
    }))
}
