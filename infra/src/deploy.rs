//! Creates and deletes the stack, and tells its events as they happen.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Capability, Parameter, Tag};

use crate::artifact::{self, Artifact, ArtifactError};
use crate::aws::{AwsError, cloudformation};
use crate::event::{Feed, StackEvent, first_failure};
use crate::function_zip::FunctionZip;
use crate::stack::{self, Stack, StackResource, known_hint};
use crate::stack_name::StackName;
use crate::template;

/// The tag that every stack of this tool carries, and with it every resource.
pub const MANAGED_TAG: &str = "ssmbak:managed";
/// The tag that tells which version of the tool deployed the stack.
pub const VERSION_TAG: &str = "ssmbak:version";

/// How often a stack is looked at, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The pause between two looks.
    pub poll: Duration,
    /// How long to wait for the end in all; what goes on then goes on unwatched.
    pub limit: Duration,
}

impl Default for Pace {
    /// Every two seconds, for an hour: creating takes about two minutes.
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(2),
            limit: Duration::from_hours(1),
        }
    }
}

/// What is to be created.
#[derive(Debug, Clone)]
pub struct CreateRequest {
    /// The stack's name.
    pub stack: StackName,
    /// The function's zip; its architecture becomes the function's.
    pub zip: FunctionZip,
    /// Parameters of the template, by name; those not given keep their defaults. Architecture and
    /// the place of the zip are always set from the zip.
    pub parameters: BTreeMap<String, String>,
    /// Tags beside the tool's own.
    pub tags: BTreeMap<String, String>,
    /// How it is watched.
    pub pace: Pace,
}

impl CreateRequest {
    /// Returns a request with the template's defaults.
    pub fn new(stack: StackName, zip: FunctionZip) -> Self {
        Self {
            stack,
            zip,
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            pace: Pace::default(),
        }
    }

    fn template_parameters(&self, artifact: &Artifact) -> Vec<Parameter> {
        let mut parameters = self.parameters.clone();
        let architecture = self.zip.architecture().as_str();
        parameters.insert(template::ARCHITECTURE.into(), architecture.into());
        parameters.insert(template::CODE_BUCKET.into(), artifact.bucket.clone());
        parameters.insert(template::CODE_KEY.into(), artifact.key.clone());
        parameters
            .into_iter()
            .map(|(key, value)| {
                Parameter::builder()
                    .parameter_key(key)
                    .parameter_value(value)
                    .build()
            })
            .collect()
    }

    fn stack_tags(&self) -> Vec<Tag> {
        let mut tags = self.tags.clone();
        tags.insert(MANAGED_TAG.into(), "true".into());
        tags.insert(VERSION_TAG.into(), template::version().into());
        tags.into_iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect()
    }
}

/// Something that outlives its stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retained {
    /// What it is.
    pub kind: RetainedKind,
    /// Its name; of the key, its id.
    pub name: String,
}

/// What outlives a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetainedKind {
    /// The bucket of values and journal.
    Bucket,
    /// The table of the index.
    Table,
    /// The key that both are encrypted with.
    Key,
}

impl RetainedKind {
    fn of(resource_type: &str) -> Option<Self> {
        match resource_type {
            "AWS::S3::Bucket" => Some(Self::Bucket),
            "AWS::DynamoDB::Table" => Some(Self::Table),
            "AWS::KMS::Key" => Some(Self::Key),
            _ => None,
        }
    }

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Table => "table",
            Self::Key => "key",
        }
    }
}

/// Creates the stack, and returns it once it stands.
///
/// Each event is told to `on_event` as it happens, oldest first. Nothing is created if a stack of
/// that name is there, whatever its state. If creation fails CloudFormation rolls it back, and the
/// error tells the first resource that failed by itself, why, and what was left behind.
pub async fn create(
    sdk: &SdkConfig,
    request: &CreateRequest,
    on_event: &mut dyn FnMut(&StackEvent),
) -> Result<Stack, DeployError> {
    let client = cloudformation(sdk);
    let name = request.stack.as_str();
    if let Some(found) = stack::find(&client, name).await? {
        return Err(in_the_way(found));
    }
    let artifact = artifact::upload(sdk, &request.zip).await?;
    let created = client
        .create_stack()
        .stack_name(name)
        .template_body(template::template())
        .set_parameters(Some(request.template_parameters(&artifact)))
        .set_tags(Some(request.stack_tags()))
        .capabilities(Capability::CapabilityIam)
        .send()
        .await
        .map_err(|e| AwsError::new("cloudformation:CreateStack", e))?;
    let id = created.stack_id().unwrap_or(name).to_owned();
    let watched = watch(
        &client,
        Feed::from_the_start(&id),
        &request.stack,
        &id,
        request.pace,
        on_event,
    )
    .await?;
    match watched.stack {
        Some(stack) if stack.status == "CREATE_COMPLETE" => Ok(stack),
        _ => Err(watched.into_failure(&client, &request.stack, &id).await),
    }
}

/// Deletes the stack, and returns what of it is kept: bucket, table and key.
///
/// A stack that was not made by this tool is refused. Each event is told to `on_event` as it
/// happens, oldest first.
pub async fn delete(
    sdk: &SdkConfig,
    name: &StackName,
    pace: Pace,
    on_event: &mut dyn FnMut(&StackEvent),
) -> Result<Vec<Retained>, DeployError> {
    let client = cloudformation(sdk);
    let Some(found) = stack::find(&client, name.as_str()).await? else {
        return Err(DeployError::NotFound {
            stack: name.to_string(),
            known: stack::known(sdk).await,
        });
    };
    if !found.is_ssmbak() {
        return Err(DeployError::NotSsmbak {
            stack: name.to_string(),
        });
    }
    let kept = retained(&stack::resources_of(&client, &found.id).await?);
    let feed = Feed::from_now(&client, &found.id).await?;
    client
        .delete_stack()
        .stack_name(&found.id)
        .send()
        .await
        .map_err(|e| AwsError::new("cloudformation:DeleteStack", e))?;
    let watched = watch(&client, feed, name, &found.id, pace, on_event).await?;
    match &watched.stack {
        None => Ok(kept),
        Some(stack) if stack.status == "DELETE_COMPLETE" => Ok(kept),
        Some(_) => Err(watched.into_failure(&client, name, &found.id).await),
    }
}

/// How an operation on a stack ended; no stack: it is gone.
struct Watched {
    stack: Option<Stack>,
    events: Vec<StackEvent>,
}

/// Tells events until the stack is at rest.
async fn watch(
    client: &Client,
    mut feed: Feed,
    name: &StackName,
    id: &str,
    pace: Pace,
    on_event: &mut dyn FnMut(&StackEvent),
) -> Result<Watched, DeployError> {
    let mut events = Vec::new();
    let mut waited = Duration::ZERO;
    loop {
        // The status first: what led to it is then among the events.
        let stack = stack::find(client, id).await?;
        let news = match &stack {
            Some(_) => feed.news(client).await?,
            None => Vec::new(),
        };
        news.iter().for_each(&mut *on_event);
        events.extend(news);
        let moving = stack
            .as_ref()
            .filter(|stack| stack.status.ends_with("_IN_PROGRESS"));
        let Some(moving) = moving else {
            return Ok(Watched { stack, events });
        };
        if waited >= pace.limit {
            return Err(DeployError::TooSlow {
                stack: name.to_string(),
                status: moving.status.clone(),
                waited,
            });
        }
        // A pause of nothing would never reach the limit.
        let pause = pace.poll.max(Duration::from_millis(10));
        tokio::time::sleep(pause).await;
        waited += pause;
    }
}

impl Watched {
    async fn into_failure(self, client: &Client, name: &StackName, id: &str) -> DeployError {
        // The failure is what is to be told: that the rest could not be read adds nothing.
        let resources = stack::resources_of(client, id).await.unwrap_or_default();
        let stack_reason = self.stack.as_ref().and_then(|s| s.status_reason.clone());
        let cause = first_failure(&self.events);
        DeployError::Failed {
            stack: name.to_string(),
            status: self
                .stack
                .as_ref()
                .map_or_else(|| "DELETE_COMPLETE".into(), |stack| stack.status.clone()),
            resource: cause.map_or_else(|| name.to_string(), |event| event.logical_id.clone()),
            resource_type: cause.map(|event| event.resource_type.clone()),
            reason: cause
                .and_then(|event| event.reason.clone())
                .or(stack_reason)
                .unwrap_or_else(|| "CloudFormation tells no reason".into()),
            leftovers: retained(&resources),
        }
    }
}

/// Returns what of `resources` stays when the stack goes.
fn retained(resources: &[StackResource]) -> Vec<Retained> {
    let mut kept: Vec<_> = resources
        .iter()
        .filter(|one| one.status != "DELETE_COMPLETE" && !one.physical_id.is_empty())
        .filter_map(|one| {
            Some(Retained {
                kind: RetainedKind::of(&one.resource_type)?,
                name: one.physical_id.clone(),
            })
        })
        .collect();
    kept.sort_by_key(|one| one.kind);
    kept
}

/// Returns why no stack can be created where `found` is.
fn in_the_way(found: Stack) -> DeployError {
    let (stack, status) = (found.name, found.status);
    match status.as_str() {
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" | "DELETE_FAILED" => {
            DeployError::Broken { stack, status }
        }
        _ => DeployError::Exists { stack, status },
    }
}

/// Why a stack was not created or deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// A stack of that name is there.
    #[error("the stack {stack} exists ({status})")]
    Exists {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
    },
    /// What is left of a failed operation is in the way.
    #[error("the stack {stack} is what a failed operation left ({status})")]
    Broken {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
    },
    /// There is no such stack.
    #[error("there is no stack {stack}")]
    NotFound {
        /// The name asked for.
        stack: String,
        /// The stacks of this tool that there are, if that could be told.
        known: Vec<String>,
    },
    /// The stack was not made by this tool, which deletes no other.
    #[error("the stack {stack} is not one of ssmbak")]
    NotSsmbak {
        /// The stack.
        stack: String,
    },
    /// CloudFormation could not do it.
    #[error("the stack {stack} failed ({status}): {resource}: {reason}")]
    Failed {
        /// The stack.
        stack: String,
        /// The status it ended in.
        status: String,
        /// The first resource that failed by itself, as the template names it.
        resource: String,
        /// Its type.
        resource_type: Option<String>,
        /// Why.
        reason: String,
        /// Bucket, table or key that CloudFormation left behind.
        leftovers: Vec<Retained>,
    },
    /// It goes on, but was watched for long enough.
    #[error("the stack {stack} is still {status} after {} s", waited.as_secs())]
    TooSlow {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
        /// How long it was watched.
        waited: Duration,
    },
    /// The function's zip could not be put in place.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl DeployError {
    /// Returns the way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { stack, .. } => Some(format!(
                "choose another name, or look at it: ssmbak stack {stack} status"
            )),
            Self::Broken { stack, .. } => Some(delete_first(stack)),
            Self::NotFound { known, .. } => known_hint(known),
            Self::NotSsmbak { .. } => {
                Some("delete it with the tool that made it, or in the console".into())
            }
            Self::Failed {
                stack,
                status,
                leftovers,
                ..
            } => Some(failure_hint(stack, status, leftovers)),
            Self::TooSlow { stack, .. } => {
                Some(format!("look at it later: ssmbak stack {stack} status"))
            }
            Self::Artifact(error) => error.hint(),
            Self::Aws(error) => error.hint(),
        }
    }
}

fn failure_hint(stack: &str, status: &str, leftovers: &[Retained]) -> String {
    let way_out = if status == "DELETE_FAILED" {
        format!("remove what is in the way, then again: ssmbak stack {stack} delete")
    } else {
        delete_first(stack)
    };
    let names: Vec<_> = leftovers
        .iter()
        .map(|one| format!("{} {}", one.kind.as_str(), one.name))
        .collect();
    if names.is_empty() {
        way_out
    } else {
        format!("{way_out}; left behind: {}", names.join(", "))
    }
}

fn delete_first(stack: &str) -> String {
    format!("delete it first: ssmbak stack {stack} delete")
}

#[cfg(test)]
#[path = "deploy_tests.rs"]
mod tests;
