//! `ssmbak stack`: the `CloudFormation` stack, one file for each verb that does more than tell one
//! thing.

mod create;
mod delete;
mod policy;
mod redrive;
mod resources;
mod settings;
mod status;
mod update;

use std::env;
use std::io::{self, Write as _};
use std::path::PathBuf;

use aws_config::SdkConfig;

use super::Context;
use crate::args::{StackArgs, StackVerb};
use crate::error::{CliError, Exit};
use ssmbak_infra::event::{StackEvent, event_line};
use ssmbak_infra::stack::{self, Stack};
use ssmbak_infra::stack_name::StackName;
use ssmbak_infra::template;

/// Does what the verb says.
pub(super) async fn run(context: &Context, args: &StackArgs) -> Result<Exit, CliError> {
    let name: StackName = args.name.parse()?;
    let fact: fn(&Stack) -> Result<&str, CliError> = match &args.verb {
        StackVerb::Template => return text(template::template()),
        StackVerb::Create(args) => return create::run(context, name, args).await,
        StackVerb::Update(args) => return update::run(context, name, args).await,
        StackVerb::Delete(args) => return delete::run(context, &name, args).await,
        StackVerb::Resources => return resources::run(context, &name).await,
        StackVerb::Status => return status::run(context, &name).await,
        StackVerb::Redrive(args) => return redrive::run(context, &name, args).await,
        StackVerb::Policy(args) => return policy::run(context, &name, args).await,
        StackVerb::Bucketname => |stack| Ok(stack.bucket()?),
        StackVerb::Tablename => |stack| Ok(stack.table()?),
        StackVerb::Lambdaname => |stack| Ok(stack.function()?),
        StackVerb::Region => |stack| Ok(stack.region()),
    };
    let config = config(context).await?;
    line(fact(&stack::describe(&config, &name).await?)?)
}

async fn config(context: &Context) -> Result<SdkConfig, CliError> {
    context.connection.config().await
}

/// An event that cannot be written is no reason to leave a stack unwatched.
fn show_event(event: &StackEvent) {
    let _ = line(&event_line(event));
}

/// An event beside data that a program reads.
fn show_event_on_stderr(event: &StackEvent) {
    crate::ui::tell(&event_line(event));
}

/// Where a zip of the function may lie.
fn directory_of_executable() -> Result<PathBuf, CliError> {
    let executable = env::current_exe()?;
    Ok(executable.parent().map(PathBuf::from).unwrap_or_default())
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
