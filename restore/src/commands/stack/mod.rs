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
use std::path::PathBuf;

use aws_config::SdkConfig;

use super::Context;
use crate::args::{StackArgs, StackVerb};
use crate::error::{CliError, Exit};
use crate::interrupt::Elsewhere;
use crate::output::printable;
use crate::ui::{warn, write_text};
use ssmbak_infra::deploy::{Operation, Step};
use ssmbak_infra::event::{StackEvent, event_line};
use ssmbak_infra::stack::{self, Stack};
use ssmbak_infra::stack_name::StackName;
use ssmbak_infra::template;

/// Does what the verb says.
pub(super) async fn run(context: &Context, args: &StackArgs) -> Result<Exit, CliError> {
    let name: StackName = args.name.parse()?;
    let fact: fn(&Stack) -> Result<&str, CliError> = match &args.verb {
        StackVerb::Template => return write_text(template::template()),
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

/// Returns what tells each step of an operation. From the moment on at which CloudFormation goes on
/// by itself Ctrl-C does not stop it, and says so.
fn teller<'a>(
    context: &'a Context,
    name: &'a StackName,
    operation: Operation,
    show: fn(&StackEvent),
) -> impl FnMut(Step<'_>) + 'a {
    move |step| match step {
        Step::Begins => context.interrupt.watch(Elsewhere {
            warning: goes_on(operation),
            hint: operation.look_later(name.as_str()),
        }),
        Step::Event(event) => show(event),
        Step::Unseen(error) => warn(&format!(
            "the stack {name} cannot be looked at, which is tried again while CloudFormation goes \
             on: {error}"
        )),
    }
}

fn goes_on(operation: Operation) -> String {
    let untried = match operation {
        Operation::Create | Operation::Update => " (its function is then not tried)",
        Operation::Delete => "",
    };
    format!("CloudFormation goes on by itself; press Ctrl-C again to leave it unwatched{untried}")
}

/// An event that cannot be written is no reason to leave a stack unwatched.
fn show_event(event: &StackEvent) {
    let _ = line(&event_line(event));
}

/// An event beside data that a program reads.
fn show_event_on_stderr(event: &StackEvent) {
    crate::ui::tell(&printable(&event_line(event)));
}

/// Where a zip of the function may lie.
fn directory_of_executable() -> Result<PathBuf, CliError> {
    let executable = env::current_exe()?;
    Ok(executable.parent().map(PathBuf::from).unwrap_or_default())
}

fn line(text_without_end: &str) -> Result<Exit, CliError> {
    write_text(one_line(text_without_end))
}

/// A line of its own, whatever CloudFormation brings along.
fn one_line(text_without_end: &str) -> String {
    format!("{}\n", printable(text_without_end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn the_event_of_a_stack_is_one_line_that_no_terminal_obeys() {
        let event = StackEvent {
            id: "1".into(),
            time: DateTime::UNIX_EPOCH,
            logical_id: "Bucket\u{9b}2J".into(),
            physical_id: "\u{7}".into(),
            resource_type: "AWS::S3::Bucket".into(),
            status: "CREATE_FAILED".into(),
            reason: Some("no\u{1b}]52;c;eA==\u{7}\nerror: pretended\u{202e}".into()),
        };
        let shown = one_line(&event_line(&event));
        assert_eq!(shown.find(|c: char| c.is_control()), Some(shown.len() - 1));
        assert!(
            shown.contains("\\u{1b}]52;c;eA==\\u{7}\\nerror: pretended\\u{202e}"),
            "{shown}"
        );
    }
}
