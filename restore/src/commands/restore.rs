//! `ssmbak restore`: does what preview shows.

use std::path::Path;

use ssmbak_core::domain::Target;
use ssmbak_core::domain::run::Origin;
use ssmbak_core::planned::load;
use ssmbak_core::survey::SurveyOptions;

use super::elsewhere::{self, Asked, planned_of_record};
use super::{Context, path_and_time, survey_options};
use crate::args::RestoreArgs;
use crate::carry_out::{Consent, carry_out, carry_out_noting};
use crate::error::{CliError, Exit};
use crate::from_file::FromFile;
use crate::plan_file;
use crate::plan_report as report;

/// Plans, asks where somebody is there to be asked, applies, and tells what
/// became of every parameter.
pub(super) async fn run(context: &Context, args: &RestoreArgs) -> Result<Exit, CliError> {
    if let Some(file) = &args.plan {
        return saved(context, args, file).await;
    }
    if args.to.are_given()? {
        return there(context, args).await;
    }
    let options = survey_options(&args.how, false)?;
    let consent = consent(args, args.how.recreate);
    if let Some(file) = &args.from {
        let path = args.path.as_deref();
        let of_file = FromFile::read(&context.ui, file, path, args.recursive)?;
        let stores = context.stores().await?;
        let plan = of_file.plan(&stores, &options).await?;
        return carry_out(context, &stores, &plan, Origin::File, &consent).await;
    }
    let (path, time) = path_and_time(args.path.as_deref(), args.time.as_deref())?;
    let target = Target::parse(path, args.recursive)?;
    let options = SurveyOptions {
        selection: args.select.selection(&target)?,
        trusts_index: args.trust_index,
        ..options
    };
    let at = context.instant(time)?;
    let stores = context.stores_to_survey(true).await?;
    let plan = context.plan(&stores, &target, at, &options).await?;
    context.hint_at_path(&stores, &target, args.recursive).await;
    report::something_is_known(&plan)?;
    carry_out(context, &stores, &plan, Origin::Record, &consent).await
}

/// Writes what was somewhere else.
async fn there(context: &Context, args: &RestoreArgs) -> Result<Exit, CliError> {
    let (path, time) = path_and_time(args.path.as_deref(), args.time.as_deref())?;
    let target = Target::parse(path, args.recursive)?;
    let selection = args.select.selection(&target)?;
    let asked = Asked::new(&target, selection, &args.how, &args.to)?;
    let at = context.instant(time)?;
    let planned = planned_of_record(context, asked, at, args.recursive).await?;
    elsewhere::write(context, &planned, args.yes, args.reveal).await
}

/// Does what a saved plan says.
async fn saved(context: &Context, args: &RestoreArgs, file: &Path) -> Result<Exit, CliError> {
    let saved = plan_file::read(file)?;
    let refused = |error| plan_file::refused(file, &error);
    let target = saved.target().map_err(refused)?;
    let options = SurveyOptions {
        labels: saved.options.labels,
        recreate: saved.options.recreate,
        keys: saved.keys().map_err(refused)?,
        ..SurveyOptions::default()
    };
    let stores = context.stores().await?;
    plan_file::check_stores(file, &saved, &stores)?;
    context.ui.note(&format!(
        "{target} at {}, as planned at {}",
        saved.at, saved.made
    ));
    let loaded = load(&stores, &saved, target, &options, args.force).await?;
    let consent = consent(args, saved.options.recreate);
    let (plan, forced) = (&loaded.plan, &loaded.forced);
    carry_out_noting(context, &stores, plan, Origin::Plan, &consent, forced).await
}

fn consent(args: &RestoreArgs, recreate: bool) -> Consent {
    Consent {
        yes: args.yes,
        reveal: args.reveal,
        recreate,
    }
}
