//! `ssmbak stack NAME delete`.

use super::{config, show_event};
use crate::commands::Context;
use crate::error::{CliError, Exit};
use ssmbak_infra::deploy::{self, Pace};
use ssmbak_infra::stack_name::StackName;

pub(super) async fn run(context: &Context, name: &StackName) -> Result<Exit, CliError> {
    let config = config(context).await?;
    let kept = deploy::delete(&config, name, Pace::default(), &mut show_event).await?;
    for one in kept {
        let kind = one.kind.as_str();
        context.ui.note(&format!("kept: {kind} {}", one.name));
    }
    Ok(Exit::Done)
}
