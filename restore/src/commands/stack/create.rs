//! `ssmbak stack NAME create`.

use std::env;
use std::path::PathBuf;

use super::{config, show_event};
use crate::args::{Arch, CreateArgs};
use crate::commands::Context;
use crate::error::{CliError, Exit};
use ssmbak_infra::deploy::{self, CreateRequest};
use ssmbak_infra::function_zip::{Architecture, FunctionZip};
use ssmbak_infra::stack_name::StackName;

/// What is wrong with the zip is told before anything is asked of AWS.
pub(super) async fn run(
    context: &Context,
    name: StackName,
    args: &CreateArgs,
) -> Result<Exit, CliError> {
    let zip = function_zip(args)?;
    let config = config(context).await?;
    let request = CreateRequest::new(name, zip);
    let created = deploy::create(&config, &request, &mut show_event).await?;
    context.ui.note(&format!(
        "created {} in {}; `ssmbak seed --do-it --stack {0}` captures what lives already",
        created.name,
        created.region()
    ));
    Ok(Exit::Done)
}

fn function_zip(args: &CreateArgs) -> Result<FunctionZip, CliError> {
    let beside = env::current_exe()?;
    let directory = beside.parent().map(PathBuf::from).unwrap_or_default();
    let architecture = args.arch.map(|arch| match arch {
        Arch::Arm64 => Architecture::Arm64,
        Arch::X8664 => Architecture::X86_64,
    });
    let zip = FunctionZip::locate(args.function_zip.as_deref(), &directory, architecture)?;
    Ok(zip)
}
