//! `ssmbak preview`: what a restore would do.

use ssmbak_core::domain::Target;
use ssmbak_core::planned::save;
use ssmbak_core::survey::SurveyOptions;

use super::elsewhere::{self, Asked, planned_of_record};
use super::{Context, path_and_time, survey_options};
use crate::args::PreviewArgs;
use crate::error::{CliError, Exit};
use crate::from_file::FromFile;
use crate::plan_file::NewPlanFile;
use crate::plan_report as report;
use crate::ui::{hint_to_repeat, warn};

/// Shows the plan and changes nothing; saves it where that is asked for.
pub(super) async fn run(context: &Context, args: &PreviewArgs) -> Result<Exit, CliError> {
    if args.to.are_given()? {
        return there(context, args).await;
    }
    let options = survey_options(&args.how, args.all)?;
    let file = args.plan.as_deref();
    let file = file.map(|path| NewPlanFile::at(path, args.overwrite));
    let file = file.transpose()?;
    let (stores, mut plan) = if let Some(file) = &args.from {
        let path = args.path.as_deref();
        let of_file = FromFile::read(&context.ui, file, path, args.recursive)?;
        let stores = context.stores().await?;
        let plan = of_file.plan(&stores, &options).await?;
        (stores, plan)
    } else {
        let (path, time) = path_and_time(args.path.as_deref(), args.time.as_deref())?;
        let target = Target::parse(path, args.recursive)?;
        let options = SurveyOptions {
            selection: args.select.selection(&target)?,
            trusts_index: args.trust_index,
            ..options.clone()
        };
        let at = context.instant(time)?;
        // Of one name everything may be known without the bucket; what is read from there says
        // whether it is.
        let needs_bucket = matches!(target, Target::Path { .. });
        let stores = context.stores_to_survey(needs_bucket).await?;
        let plan = context.plan(&stores, &target, at, &options).await?;
        context.hint_at_path(&stores, &target, args.recursive).await;
        report::something_is_known(&plan)?;
        (stores, plan)
    };
    if let Some(file) = &file {
        file.write(&save(&stores, &mut plan, &options).await?)?;
    }
    let rows = report::preview_rows(&plan, args.all, args.reveal);
    context.ui.show(&rows)?;
    for warning in report::warnings(&plan) {
        warn(&warning);
    }
    if report::can_be_mended(&plan) {
        hint_to_repeat();
    }
    context.ui.note(&report::summary(&plan));
    if let Some(file) = &file {
        let path = file.path().display();
        context.ui.note(&format!("the plan is in {path}"));
    }
    Ok(report::preview_exit(&plan, args.exit_code))
}

/// What would be written somewhere else.
async fn there(context: &Context, args: &PreviewArgs) -> Result<Exit, CliError> {
    let (path, time) = path_and_time(args.path.as_deref(), args.time.as_deref())?;
    let target = Target::parse(path, args.recursive)?;
    let selection = args.select.selection(&target)?;
    let asked = Asked::new(&target, selection, &args.how, &args.to)?;
    let at = context.instant(time)?;
    let planned = planned_of_record(context, asked, at, args.recursive).await?;
    elsewhere::preview(context, &planned, args.all, args.reveal, args.exit_code)
}
