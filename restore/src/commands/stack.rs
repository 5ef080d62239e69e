//! `ssmbak stack`: the `CloudFormation` stack.

use std::env;
use std::io::{self, Write as _};
use std::path::PathBuf;

use aws_config::SdkConfig;

use super::Context;
use crate::args::{Arch, StackArgs, StackVerb};
use crate::error::{CliError, Exit};
use crate::view::ResourceView;
use ssmbak_infra::deploy::{self, CreateRequest, Pace};
use ssmbak_infra::event::{StackEvent, event_line};
use ssmbak_infra::function_zip::{Architecture, FunctionZip};
use ssmbak_infra::stack::{self, Stack};
use ssmbak_infra::stack_name::StackName;
use ssmbak_infra::template;

/// Does what the verb says.
pub(super) async fn run(context: &Context, args: &StackArgs) -> Result<Exit, CliError> {
    let name: StackName = args.name.parse()?;
    if args.verb == StackVerb::Template {
        return text(template::template());
    }
    // What is wrong with the zip is told before anything is asked of AWS.
    let zip = match args.verb {
        StackVerb::Create => Some(function_zip(args)?),
        StackVerb::Delete
        | StackVerb::Status
        | StackVerb::Resources
        | StackVerb::Bucketname
        | StackVerb::Tablename
        | StackVerb::Lambdaname
        | StackVerb::Region
        | StackVerb::Template => None,
    };
    let config = context.connection.config().await?;
    match (args.verb, zip) {
        (_, Some(zip)) => create(context, &config, name, zip).await,
        (StackVerb::Delete, None) => delete(context, &config, &name).await,
        (StackVerb::Resources, None) => resources(context, &config, &name).await,
        (verb, None) => {
            let found = stack::describe(&config, &name).await?;
            line(fact(&found, verb)?)
        }
    }
}

/// The one thing a verb asks of a stack that is there.
fn fact(found: &Stack, verb: StackVerb) -> Result<&str, CliError> {
    Ok(match verb {
        StackVerb::Bucketname => found.bucket()?,
        StackVerb::Tablename => found.table()?,
        StackVerb::Lambdaname => found.function()?,
        StackVerb::Region => found.region(),
        StackVerb::Status
        | StackVerb::Create
        | StackVerb::Delete
        | StackVerb::Resources
        | StackVerb::Template => &found.status,
    })
}

fn function_zip(args: &StackArgs) -> Result<FunctionZip, CliError> {
    let beside = env::current_exe()?;
    let directory = beside.parent().map(PathBuf::from).unwrap_or_default();
    let architecture = args.arch.map(|arch| match arch {
        Arch::Arm64 => Architecture::Arm64,
        Arch::X8664 => Architecture::X86_64,
    });
    let zip = FunctionZip::locate(args.function_zip.as_deref(), &directory, architecture)?;
    Ok(zip)
}

async fn create(
    context: &Context,
    config: &SdkConfig,
    name: StackName,
    zip: FunctionZip,
) -> Result<Exit, CliError> {
    let request = CreateRequest::new(name, zip);
    let created = deploy::create(config, &request, &mut show_event).await?;
    context.ui.note(&format!(
        "created {} in {}; `ssmbak seed --do-it --stack {0}` captures what lives already",
        created.name,
        created.region()
    ));
    Ok(Exit::Done)
}

async fn delete(context: &Context, config: &SdkConfig, name: &StackName) -> Result<Exit, CliError> {
    let kept = deploy::delete(config, name, Pace::default(), &mut show_event).await?;
    for one in kept {
        let kind = one.kind.as_str();
        context.ui.note(&format!("kept: {kind} {}", one.name));
    }
    Ok(Exit::Done)
}

async fn resources(
    context: &Context,
    config: &SdkConfig,
    name: &StackName,
) -> Result<Exit, CliError> {
    let found = stack::resources(config, name).await?;
    let rows: Vec<_> = found
        .into_iter()
        .map(|one| ResourceView {
            logical_id: one.logical_id,
            resource_type: one.resource_type,
            status: one.status,
            physical_id: one.physical_id,
        })
        .collect();
    context.ui.show(&rows)?;
    Ok(Exit::Done)
}

/// An event that cannot be written is no reason to leave a stack unwatched.
fn show_event(event: &StackEvent) {
    let _ = line(&event_line(event));
}

fn line(text_without_end: &str) -> Result<Exit, CliError> {
    text(&format!("{text_without_end}\n"))
}

fn text(text: &str) -> Result<Exit, CliError> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(Exit::Done),
    }
}
