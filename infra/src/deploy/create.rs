//! Makes a stack, and tries its function.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::{Capability, Parameter};

use super::adopt::Adopted;
use super::error::FunctionFailure;
use super::settings::{ENCRYPTION_KEY, EXISTING_BUCKET, EXISTING_TABLE, Settings};
use super::watch::{OnStep, Operation, Step, Watch, Watched, refused};
use super::{DeployError, MANAGED_TAG, Pace, VERSION_TAG, parameter, stack_tags};
use crate::artifact::{self, Artifact};
use crate::aws::cloudformation;
use crate::check::{self, Patience};
use crate::event::Feed;
use crate::function_zip::FunctionZip;
use crate::stack::{self, Stack};
use crate::stack_name::StackName;
use crate::template;

/// What is to be created.
#[derive(Debug, Clone)]
pub struct CreateRequest {
    /// The stack's name.
    pub stack: StackName,
    /// The function's zip; its architecture becomes the function's.
    pub zip: FunctionZip,
    /// What is set; the rest has the template's defaults.
    pub settings: Settings,
    /// Bucket and table that the stack takes over; without them it makes its own.
    pub adopted: Option<Adopted>,
    /// Tags beside the tool's own.
    pub tags: BTreeMap<String, String>,
    /// How it is watched.
    pub pace: Pace,
    /// How long its function is given until it works.
    pub patience: Patience,
}

impl CreateRequest {
    /// Returns a request with the template's defaults.
    pub fn new(stack: StackName, zip: FunctionZip) -> Self {
        Self {
            stack,
            zip,
            settings: Settings::default(),
            adopted: None,
            tags: BTreeMap::new(),
            pace: Pace::default(),
            patience: Patience::default(),
        }
    }

    fn template_parameters(&self, artifact: &Artifact) -> Vec<Parameter> {
        let mut parameters = self.settings.parameters();
        let architecture = self.zip.architecture().as_str();
        let mut set = |name: &str, value: &str| parameters.insert(name.into(), value.into());
        set(template::ARCHITECTURE, architecture);
        set(template::CODE_BUCKET, &artifact.bucket);
        set(template::CODE_KEY, &artifact.key);
        if let Some(adopted) = &self.adopted {
            set(EXISTING_BUCKET, &adopted.bucket);
            set(EXISTING_TABLE, &adopted.table);
            set(ENCRYPTION_KEY, &adopted.encryption.to_string());
        }
        parameters
            .iter()
            .map(|(key, value)| parameter(key, value))
            .collect()
    }

    fn all_tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.tags.clone();
        tags.insert(MANAGED_TAG.into(), "true".into());
        tags.insert(VERSION_TAG.into(), template::version().into());
        tags
    }
}

/// Creates the stack, and returns it once it stands and its function has answered.
///
/// Each step is told to `on_step` as it happens. Nothing is created if a stack of
/// that name is there, whatever its state. If creation fails CloudFormation rolls it back, and the
/// error tells the first resource that failed by itself, why, and what was left behind. A stack
/// whose function does not work is left as it is, to be looked into.
pub async fn create(
    sdk: &SdkConfig,
    request: &CreateRequest,
    on_step: OnStep<'_>,
) -> Result<Stack, DeployError> {
    let client = cloudformation(sdk);
    let name = &request.stack;
    if let Some(found) = stack::find(&client, name.as_str()).await? {
        return Err(in_the_way(found));
    }
    let artifact = artifact::upload(sdk, &request.zip).await?;
    on_step(Step::Begins);
    let created = client
        .create_stack()
        .stack_name(name.as_str())
        .template_body(template::body())
        .set_parameters(Some(request.template_parameters(&artifact)))
        .set_tags(Some(stack_tags(&request.all_tags())))
        .capabilities(Capability::CapabilityIam)
        // An answer that was lost is asked for again, which must not find the stack in its own way.
        .client_request_token(uuid::Uuid::new_v4().to_string())
        .send()
        .await
        .map_err(refused("cloudformation:CreateStack"))?;
    let id = created.stack_id().unwrap_or(name.as_str()).to_owned();
    let feed = Feed::from_the_start(&id);
    let watch = Watch {
        client: &client,
        operation: Operation::Create,
        name,
        id: &id,
        pace: request.pace,
    };
    let watched = watch.to_the_end(feed, on_step).await?;
    let stack = match watched {
        Watched {
            stack: Some(stack), ..
        } if stack.status == "CREATE_COMPLETE" => stack,
        other => return Err(watch.failure(other).await),
    };
    let tried = check::function(sdk, name, stack.function()?, request.patience).await;
    tried.map_err(|source| DeployError::Function {
        stack: name.to_string(),
        failure: FunctionFailure::Created,
        source: Box::new(source),
    })?;
    Ok(stack)
}

/// Returns why no stack can be created where `found` is.
pub(super) fn in_the_way(found: Stack) -> DeployError {
    let (stack, status) = (found.name, found.status);
    match status.as_str() {
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" | "DELETE_FAILED" => {
            DeployError::Broken { stack, status }
        }
        _ => DeployError::Exists { stack, status },
    }
}
