//! `ssmbak copy`: writes what lives now somewhere else.

use ssmbak_core::domain::Target;

use super::Context;
use super::elsewhere::{Asked, planned_of_living, preview, write};
use crate::args::{CopyArgs, HowArgs};
use crate::error::{CliError, Exit};

/// Plans, asks where somebody is there to be asked, and writes; or only shows.
pub(super) async fn run(context: &Context, args: &CopyArgs) -> Result<Exit, CliError> {
    let target = Target::parse(&args.path, args.recursive)?;
    if !args.to.are_given()? {
        return Err(CliError::Usage {
            message: "nothing says where to copy to".into(),
            hint: "add --to-path, --to-region or --to-profile".into(),
        });
    }
    if args.select.only_deleted {
        return Err(CliError::Usage {
            message: "--only-deleted: what is gone cannot be copied".into(),
            hint: "write what was there before with `ssmbak restore PATH TIME --to-path ...`"
                .into(),
        });
    }
    let how = HowArgs {
        labels: args.labels,
        recreate: false,
        key_id: args.key_id.clone(),
    };
    let selection = args.select.selection(&target)?;
    let asked = Asked::new(&target, selection, &how, &args.to)?;
    let planned = planned_of_living(context, asked).await?;
    if args.dry_run {
        return preview(context, &planned, false, args.reveal, false);
    }
    write(context, &planned, args.yes, args.reveal).await
}
