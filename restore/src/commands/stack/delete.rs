//! `ssmbak stack NAME delete`.

use super::{config, show_event};
use crate::args::DeleteArgs;
use crate::commands::Context;
use crate::error::{CliError, Exit};
use crate::ui::Typed;
use ssmbak_infra::deploy::{self, Deletion, Pace};
use ssmbak_infra::health;
use ssmbak_infra::stack_name::StackName;

pub(super) async fn run(
    context: &Context,
    name: &StackName,
    args: &DeleteArgs,
) -> Result<Exit, CliError> {
    let config = config(context).await?;
    let deletion = deploy::deletion(&config, name).await?;
    if !args.yes {
        let health = health::health(&config, name).await?;
        agree(context, name, &deletion, health.unrecorded()).await?;
    }
    deploy::delete(&config, &deletion, Pace::default(), &mut show_event).await?;
    for one in deletion.kept() {
        let kind = one.kind.as_str();
        context.ui.note(&format!("kept: {kind} {}", one.name));
    }
    if let Some((bucket, table)) = deletion.can_be_adopted() {
        context.ui.note(&format!(
            "to have it back: ssmbak stack {name} create --bucket {bucket} --table {table}\n\
             to find it later: aws resourcegroupstaggingapi get-resources --tag-filters \
             Key=ssmbak:stack,Values={name}"
        ));
    }
    Ok(Exit::Done)
}

async fn agree(
    context: &Context,
    name: &StackName,
    deletion: &Deletion,
    unrecorded: u64,
) -> Result<(), CliError> {
    let question = question(name, deletion, unrecorded);
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

fn question(name: &StackName, deletion: &Deletion, unrecorded: u64) -> String {
    let mut lines = vec![format!(
        "The stack {name} goes, {} resources: no change is captured any more.",
        deletion.goes()
    )];
    if unrecorded > 0 {
        lines.push(format!(
            "{unrecorded} messages that are not captured yet go with it: wait, or see \
             `ssmbak stack {name} status` first."
        ));
    }
    let kept = deletion.kept().iter();
    lines.extend(kept.map(|one| format!("kept: {} {}", one.kind.as_str(), one.name)));
    lines.push(format!("Type {name} to delete it:"));
    lines.join("\n")
}
