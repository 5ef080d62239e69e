//! `ssmbak restore`: does what preview shows.

use ssmbak_core::domain::Target;
use ssmbak_core::domain::run::Origin;

use super::{Context, survey_options};
use crate::args::RestoreArgs;
use crate::carry_out::{Consent, carry_out};
use crate::error::{CliError, Exit};
use crate::plan_report as report;

/// Plans, asks where somebody is there to be asked, applies, and tells what
/// became of every parameter.
pub(super) async fn run(context: &Context, args: &RestoreArgs) -> Result<Exit, CliError> {
    let target = Target::parse(&args.path, args.recursive)?;
    let options = survey_options(&args.how, false)?;
    let at = context.instant(&args.time)?;
    let stores = context.stores().await?;
    let plan = context.plan(&stores, &target, at, &options).await?;
    context.hint_at_path(&stores, &target, args.recursive).await;
    report::something_is_known(&plan)?;
    let consent = Consent {
        yes: args.yes,
        reveal: args.reveal,
        recreate: args.how.recreate,
    };
    carry_out(context, &stores, &plan, Origin::Record, &consent).await
}
