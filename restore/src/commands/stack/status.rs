//! `ssmbak stack NAME status`.

use super::config;
use crate::commands::Context;
use crate::error::{CliError, Exit};
use crate::ui::warn;
use crate::view::StatusView;
use ssmbak_infra::health;
use ssmbak_infra::stack_name::StackName;

/// The exit code tells that the stack is there, not that it is well: scripts read the JSON.
pub(super) async fn run(context: &Context, name: &StackName) -> Result<Exit, CliError> {
    let health = health::health(&config(context).await?, name).await?;
    let status = StatusView::new(&health);
    if context.ui.shows_tables() {
        context.ui.show(&status.facts())?;
    } else {
        context.ui.show(&[status])?;
    }
    for warning in health.warnings() {
        warn(&warning);
    }
    Ok(Exit::Done)
}
