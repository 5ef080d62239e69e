//! `ssmbak stack NAME status`.

use aws_config::SdkConfig;
use ssmbak_core::recency::{Recency, recency};
use ssmbak_core::store::{Location, Stores};

use super::config;
use crate::commands::Context;
use crate::error::{CliError, Exit};
use crate::ui::warn;
use crate::view::StatusView;
use ssmbak_infra::health;
use ssmbak_infra::stack::Stack;
use ssmbak_infra::stack_name::StackName;

/// The exit code tells that the stack is there, not that it is well: scripts read the JSON.
pub(super) async fn run(context: &Context, name: &StackName) -> Result<Exit, CliError> {
    let config = config(context).await?;
    let health = health::health(&config, name).await?;
    let recency = record(context, &config, &health.stack).await;
    let status = StatusView::new(&health, &recency);
    if context.ui.shows_tables() {
        context.ui.show(&status.facts())?;
    } else {
        context.ui.show(&[status])?;
    }
    for warning in health.warnings() {
        warn(&warning);
    }
    if matches!(&recency, Ok(Some(recency)) if recency.reconciled.is_none()) {
        warn(&format!(
            "what lived before the stack may not be on record: ssmbak seed --do-it --stack {name} captures it"
        ));
    }
    Ok(Exit::Done)
}

/// How recent the stack's record is, or why that cannot be told; none where it has none yet.
async fn record(
    context: &Context,
    config: &SdkConfig,
    stack: &Stack,
) -> Result<Option<Recency>, String> {
    let (Ok(bucket), Ok(table)) = (stack.bucket(), stack.table()) else {
        return Ok(None);
    };
    let location = Location {
        bucket: bucket.to_owned(),
        table: table.to_owned(),
    };
    let stores = Stores::new(config, location, context.clock);
    recency(&stores).await.map(Some).map_err(|e| e.to_string())
}
