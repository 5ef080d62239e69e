//! `ssmbak stack NAME policy`.

use super::config;
use crate::args::{PolicyArgs, Who};
use crate::commands::Context;
use crate::error::{CliError, Exit};
use crate::ui::write_text;
use ssmbak_infra::policy::{self, Basis, Policy};
use ssmbak_infra::stack_name::StackName;

pub(super) async fn run(
    context: &Context,
    name: &StackName,
    args: &PolicyArgs,
) -> Result<Exit, CliError> {
    let policy = match args.who {
        Who::Auditor => Policy::Auditor,
        Who::Restorer => Policy::Restorer,
        Who::Operator => Policy::Operator,
        Who::Deployer => Policy::Deployer,
        Who::DeployerAccess => Policy::DeployerAccess,
    };
    let document = policy::document(&config(context).await?, name, policy).await?;
    let pretty = serde_json::to_string_pretty(&document.json).map_err(std::io::Error::from)?;
    let done = write_text(format!("{pretty}\n"))?;
    match document.basis {
        Basis::Stack => {}
        Basis::Patterns => context.ui.note(&format!(
            "there is no stack {name}: the policy names its resources by patterns"
        )),
        Basis::NotAllowed => context.ui.note(&format!(
            "whether there is a stack {name} may not be asked (cloudformation:DescribeStacks): \
             the policy names its resources by patterns"
        )),
    }
    if matches!(args.who, Who::Deployer | Who::DeployerAccess) {
        context
            .ui
            .note("no stack has been created on AWS under exactly these two policies yet");
    }
    match args.who {
        Who::Deployer => context.ui.note(&format!(
            "a deployer needs both halves; the other one: ssmbak stack {name} policy \
             deployer-access"
        )),
        Who::DeployerAccess => context.ui.note(&format!(
            "a deployer needs both halves; the other one: ssmbak stack {name} policy deployer"
        )),
        Who::Auditor | Who::Restorer | Who::Operator => {}
    }
    Ok(done)
}
