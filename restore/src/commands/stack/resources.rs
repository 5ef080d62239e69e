//! `ssmbak stack NAME resources`.

use super::config;
use crate::commands::Context;
use crate::error::{CliError, Exit};
use crate::view::ResourceView;
use ssmbak_infra::stack;
use ssmbak_infra::stack_name::StackName;

pub(super) async fn run(context: &Context, name: &StackName) -> Result<Exit, CliError> {
    let found = stack::resources(&config(context).await?, name).await?;
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
