//! `ssmbak stack NAME delete`.

use super::{config, show_event, teller};
use crate::args::DeleteArgs;
use crate::commands::Context;
use crate::error::{CliError, Exit};
use crate::ui::{Typed, warn};
use ssmbak_infra::deploy::{self, Deletion, Operation, Pace, Retained, RetainedKind};
use ssmbak_infra::health::{self, Asked, Health};
use ssmbak_infra::stack::StackError;
use ssmbak_infra::stack_name::StackName;

pub(super) async fn run(
    context: &Context,
    name: &StackName,
    args: &DeleteArgs,
) -> Result<Exit, CliError> {
    let config = config(context).await?;
    let deletion = deploy::deletion(&config, name).await?;
    let health = health::health(&config, name).await;
    let uncaptured = uncaptured(name, health.as_ref());
    if args.yes {
        if let Some(told) = &uncaptured {
            warn(told);
        }
    } else {
        agree(context, name, &deletion, uncaptured.as_deref()).await?;
    }
    let mut on_step = teller(context, name, Operation::Delete, show_event);
    deploy::delete(&config, &deletion, Pace::default(), &mut on_step).await?;
    for one in deletion.kept() {
        let kind = one.kind.as_str();
        context.ui.note(&format!("kept: {kind} {}", one.name));
    }
    if let Some((bucket, table)) = deletion.can_be_adopted() {
        context.ui.note_lines(&format!(
            "to have it back: ssmbak stack {name} create --bucket {bucket} --table {table}\n\
             to find it later: aws resourcegroupstaggingapi get-resources --tag-filters \
             Key=ssmbak:stack,Values={name}"
        ));
    }
    tell_policies(context, &deletion);
    Ok(Exit::Done)
}

async fn agree(
    context: &Context,
    name: &StackName,
    deletion: &Deletion,
    uncaptured: Option<&str>,
) -> Result<(), CliError> {
    let question = question(name, deletion, uncaptured);
    match context.ui.ask_for(&question, name.as_str()).await? {
        Typed::Right => Ok(()),
        Typed::Nothing if !context.ui.can_ask() => Err(CliError::Usage {
            message: format!(
                "nobody has agreed that the stack {name} is deleted: nothing was changed"
            ),
            hint: "pass --yes, or the stack's name as a line on standard input".into(),
        }),
        Typed::Wrong | Typed::Nothing => Err(CliError::Declined),
    }
}

fn question(name: &StackName, deletion: &Deletion, uncaptured: Option<&str>) -> String {
    let mut lines = vec![format!(
        "The stack {name} goes, {} resources: no change is captured any more.",
        deletion.goes()
    )];
    lines.extend(uncaptured.map(str::to_owned));
    let kept = deletion.kept().iter();
    lines.extend(kept.map(|one| format!("kept: {} {}", one.kind.as_str(), one.name)));
    lines.push(format!("Type {name} to delete it:"));
    lines.join("\n")
}

/// Tells what goes with the stack that was not captured. That it could not be told keeps nobody from
/// deleting: of a stack that never stood there is nothing to ask.
fn uncaptured(name: &StackName, health: Result<&Health, &StackError>) -> Option<String> {
    let unknown = |why: &str| {
        Some(format!(
            "whether messages that are not captured yet go with it could not be told: {why}"
        ))
    };
    let health = match health {
        Ok(health) => health,
        Err(error) => return unknown(&error.to_string()),
    };
    match health.unrecorded() {
        0 => {
            let queues = [&health.waiting, &health.dead_letters, &health.undelivered];
            unknown(&queues.into_iter().find_map(Asked::unread)?)
        }
        count => Some(format!(
            "{count} messages that are not captured yet go with it: wait, or see \
             `ssmbak stack {name} status` first."
        )),
    }
}

/// Tells how a policy is removed that may still be attached to somebody.
fn tell_policies(context: &Context, deletion: &Deletion) {
    let is_policy = |one: &&Retained| one.kind == RetainedKind::Policy;
    if let Some(one) = deletion.kept().iter().find(is_policy) {
        context.ui.note(&format!(
            "once nobody has a policy that is kept any more, remove it: aws iam delete-policy \
             --policy-arn ARN (the first: {})",
            one.name
        ));
    }
}
