//! Changes a stack, tries its function, and goes back if that does not work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Parameter, TemplateStage};

use super::change_set::{ChangeSet, Wanted};
use super::changes::ResourceChange;
use super::error::{FunctionFailure, OldFunction};
use super::settings::{Days, EXISTING_BUCKET, OBJECT_LOCK_DAYS, Settings, parameter_names};
use super::watch::{OnStep, Operation, Watch, Watched, refused};
use super::{DeployError, MANAGED_TAG, Pace, VERSION_TAG, parameter, stack_tags};
use crate::artifact::{self, Artifact};
use crate::aws::cloudformation;
use crate::check::{self, CheckError, Patience};
use crate::event::Feed;
use crate::function_zip::{Architecture, FunctionZip, FunctionZipError};
use crate::stack::{self, Stack};
use crate::stack_name::StackName;
use crate::template;

/// What becomes of the function's code.
#[derive(Debug, Clone)]
pub enum Code {
    /// This zip; its architecture becomes the function's.
    Given(FunctionZip),
    /// The zip beside the executable, if there is one; else the code stays.
    Beside {
        /// Where the executable lies.
        directory: PathBuf,
        /// The processor that it must be for; none: the stack's.
        architecture: Option<Architecture>,
    },
}

/// What is to be changed.
#[derive(Debug, Clone)]
pub struct UpdateRequest {
    /// The stack's name.
    pub stack: StackName,
    /// What becomes of the function's code.
    pub code: Code,
    /// What is set; the rest stays as it is, and what is new has the template's default.
    pub settings: Settings,
    /// Tags to set; the others stay.
    pub tags: BTreeMap<String, String>,
    /// How it is watched.
    pub pace: Pace,
    /// How long the function is given until it works.
    pub patience: Patience,
}

impl UpdateRequest {
    /// Returns a request that brings the stack to this tool's template and code, and sets nothing.
    pub fn new(stack: StackName, code: Code) -> Self {
        Self {
            stack,
            code,
            settings: Settings::default(),
            tags: BTreeMap::new(),
            pace: Pace::default(),
            patience: Patience::default(),
        }
    }
}

/// An update that is ready: CloudFormation has told what it would do, and has done nothing.
#[derive(Debug)]
pub struct Update {
    name: StackName,
    /// The stack as it is.
    before: Stack,
    zip: Option<FunctionZip>,
    pace: Pace,
    patience: Patience,
    /// None: there is nothing to change.
    change_set: Option<ChangeSet>,
}

/// Asks CloudFormation what the update would do.
///
/// The stack must be one of this tool, and at rest. An update that would take away a bucket, table
/// or key is refused here. What is returned is to be applied or discarded.
pub async fn update(sdk: &SdkConfig, request: &UpdateRequest) -> Result<Update, DeployError> {
    let client = cloudformation(sdk);
    let Some(before) = stack::find(&client, request.stack.as_str()).await? else {
        return Err(DeployError::NotFound {
            stack: request.stack.to_string(),
            known: stack::known(sdk).await,
        });
    };
    can_be_updated(&before)?;
    bucket_can_be_set(&before, &request.settings)?;
    let zip = code(&request.code, &before)?;
    let artifact = match &zip {
        Some(zip) => Some(artifact::place(sdk, zip).await?),
        None => None,
    };
    if let Some(artifact) = &artifact {
        lock_goes_alone(&before, &request.settings, artifact)?;
    }
    let set = settled(request, zip.as_ref().zip(artifact.as_ref()));
    let wanted = Wanted {
        template: template::body(),
        parameters: parameters(&parameter_names(), &before, &set),
        tags: stack_tags(&tags(&before, request, zip.is_some())),
    };
    let change_set = ChangeSet::make(&client, &before, wanted, request.pace).await?;
    Ok(Update {
        name: request.stack.clone(),
        before,
        zip,
        pace: request.pace,
        patience: request.patience,
        change_set,
    })
}

/// Returns why a stack can not be updated, if so.
fn can_be_updated(stack: &Stack) -> Result<(), DeployError> {
    let (name, status) = (stack.name.clone(), stack.status.clone());
    if !stack.is_ssmbak() {
        return Err(DeployError::NotSsmbak { stack: name });
    }
    match status.as_str() {
        "CREATE_COMPLETE"
        | "UPDATE_COMPLETE"
        | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE" => Ok(()),
        "UPDATE_ROLLBACK_FAILED" | "UPDATE_FAILED" => Err(DeployError::Stuck {
            stack: name,
            status,
        }),
        "REVIEW_IN_PROGRESS" => Err(DeployError::Broken {
            stack: name,
            status,
        }),
        moving if moving.ends_with("_IN_PROGRESS") => Err(DeployError::Busy {
            stack: name,
            status,
        }),
        _ => Err(DeployError::Broken {
            stack: name,
            status,
        }),
    }
}

/// Returns why the stack's bucket cannot take the settings, if so: CloudFormation would not say it.
fn bucket_can_be_set(stack: &Stack, settings: &Settings) -> Result<(), DeployError> {
    let refused = |reason| {
        Err(DeployError::BucketSettings {
            stack: stack.name.clone(),
            reason,
        })
    };
    let of = |name: &str| stack.parameters.get(name).map(String::as_str);
    let has_bucket_settings = settings.object_lock_days.is_some()
        || settings.object_lock_mode.is_some()
        || settings.superseded_days.is_some()
        || settings.superseded_kept.is_some();
    let adopts = !of(EXISTING_BUCKET).unwrap_or_default().is_empty();
    if adopts && has_bucket_settings {
        return refused("adopted its bucket, which keeps its own lock and lifecycle");
    }
    let unlocks = settings
        .object_lock_days
        .is_some_and(|days| days.set().is_none());
    if is_locked(stack) && unlocks {
        return refused("has object lock, which cannot be turned off again");
    }
    Ok(())
}

/// Refuses an update that turns object lock on and brings other code: the way back from code that does
/// not work could not take the lock off again, and would fail.
fn lock_goes_alone(
    stack: &Stack,
    settings: &Settings,
    artifact: &Artifact,
) -> Result<(), DeployError> {
    let days = settings.object_lock_days.and_then(Days::set);
    let Some(days) = days.filter(|_| !is_locked(stack)) else {
        return Ok(());
    };
    let is = |name: &str, value: &str| stack.parameters.get(name).is_some_and(|is| is == value);
    let is_the_same =
        is(template::CODE_BUCKET, &artifact.bucket) && is(template::CODE_KEY, &artifact.key);
    if is_the_same {
        return Ok(());
    }
    Err(DeployError::LockWithCode {
        stack: stack.name.clone(),
        days,
    })
}

fn is_locked(stack: &Stack) -> bool {
    let days = stack.parameters.get(OBJECT_LOCK_DAYS).map(String::as_str);
    !matches!(days, None | Some("" | "0"))
}

/// Returns the zip that replaces the code, if any.
///
/// The architecture changes only where that was asked for, or with a zip that was named: a zip that
/// merely lies beside the executable is taken if it is for the stack's own.
fn code(code: &Code, stack: &Stack) -> Result<Option<FunctionZip>, FunctionZipError> {
    let (directory, architecture) = match code {
        Code::Given(zip) => return Ok(Some(zip.clone())),
        Code::Beside {
            directory,
            architecture,
        } => (directory, *architecture),
    };
    let told = stack.parameters.get(template::ARCHITECTURE);
    let present = told.and_then(|text| text.parse().ok());
    let wanted = architecture.or(present);
    match FunctionZip::locate(None, directory, wanted) {
        Ok(zip) => Ok(Some(zip)),
        Err(FunctionZipError::NotFound { .. }) if wanted == present => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the parameters that get a new value.
fn settled(
    request: &UpdateRequest,
    code: Option<(&FunctionZip, &Artifact)>,
) -> BTreeMap<String, String> {
    let mut set = request.settings.parameters();
    if let Some((zip, artifact)) = code {
        let architecture = zip.architecture().as_str();
        set.insert(template::ARCHITECTURE.into(), architecture.into());
        set.insert(template::CODE_BUCKET.into(), artifact.bucket.clone());
        set.insert(template::CODE_KEY.into(), artifact.key.clone());
    }
    set
}

/// Returns what is sent for each of the template's parameters `names`: what is set, else what the
/// stack has, else nothing, which means the default. What only the stack has is left out.
fn parameters(
    names: &BTreeSet<String>,
    stack: &Stack,
    set: &BTreeMap<String, String>,
) -> Vec<Parameter> {
    names
        .iter()
        .filter_map(|name| match set.get(name) {
            Some(value) => Some(parameter(name, value)),
            None if stack.parameters.contains_key(name) => Some(
                Parameter::builder()
                    .parameter_key(name)
                    .use_previous_value(true)
                    .build(),
            ),
            None => None,
        })
        .collect()
}

/// Returns all tags of the stack as they will be. The version is that of the code.
fn tags(stack: &Stack, request: &UpdateRequest, replaces_code: bool) -> BTreeMap<String, String> {
    let mut tags = own_tags(stack);
    tags.extend(request.tags.clone());
    tags.insert(MANAGED_TAG.into(), "true".into());
    if replaces_code {
        tags.insert(VERSION_TAG.into(), template::version().into());
    }
    tags
}

/// Returns the stack's tags without those that AWS sets and takes from nobody.
fn own_tags(stack: &Stack) -> BTreeMap<String, String> {
    let mut tags = stack.tags.clone();
    tags.retain(|key, _| !key.starts_with("aws:"));
    tags
}

impl Update {
    /// Returns what would happen to each resource.
    pub fn changes(&self) -> &[ResourceChange] {
        self.change_set.as_ref().map_or(&[], |set| &set.changes)
    }

    /// Returns whether there is nothing to change.
    pub fn is_nothing(&self) -> bool {
        self.change_set.is_none()
    }

    /// Returns the zip that replaces the function's code; none: the code stays.
    pub fn zip(&self) -> Option<&FunctionZip> {
        self.zip.as_ref()
    }

    /// Returns the stack as it is before the update.
    pub fn before(&self) -> &Stack {
        &self.before
    }

    /// Returns whether a resource would be removed or replaced.
    pub fn takes_away(&self) -> bool {
        self.changes().iter().any(ResourceChange::takes_away)
    }

    /// Deletes the change set: nothing is changed.
    pub async fn discard(&self, sdk: &SdkConfig) -> Result<(), DeployError> {
        match &self.change_set {
            Some(change_set) => change_set.discard(&cloudformation(sdk)).await,
            None => Ok(()),
        }
    }

    /// Does what was told, and returns the stack once it is updated and its function has answered.
    ///
    /// Each step is told to `on_step` as it happens. An update that CloudFormation
    /// cannot make is rolled back by it. One after which the function does not work is rolled back
    /// here: the stack gets the template, parameters and tags it had.
    pub async fn apply(self, sdk: &SdkConfig, on_step: OnStep<'_>) -> Result<Stack, DeployError> {
        let Some(change_set) = &self.change_set else {
            return Ok(self.before);
        };
        let client = cloudformation(sdk);
        let worked = self.old_function(sdk, Patience::NONE).await.is_ok();
        let old_template = match self.make_ready(sdk, &client).await {
            Ok(template) => template,
            Err(error) => {
                let _ = self.discard(sdk).await;
                return Err(error);
            }
        };
        let feed = change_set.begin(&client, on_step).await?;
        let stack = self.watched(&client, feed, on_step).await?;
        match check::function(sdk, &self.name, stack.function()?, self.patience).await {
            Ok(()) => Ok(stack),
            Err(source) => {
                let failure = if source.is_verdict() {
                    self.go_back(sdk, &client, old_template, worked, on_step)
                        .await
                } else {
                    FunctionFailure::Unknown
                };
                Err(DeployError::Function {
                    stack: self.name.to_string(),
                    failure,
                    source: Box::new(source),
                })
            }
        }
    }

    /// Puts the zip in place, and returns the template that the way back takes.
    async fn make_ready(&self, sdk: &SdkConfig, client: &Client) -> Result<String, DeployError> {
        let answer = client
            .get_template()
            .stack_name(&self.before.id)
            .template_stage(TemplateStage::Original)
            .send()
            .await
            .map_err(refused("cloudformation:GetTemplate"))?;
        if let Some(zip) = &self.zip {
            artifact::upload(sdk, zip).await?;
        }
        Ok(answer.template_body.unwrap_or_default())
    }

    /// Returns the stack once it is updated.
    async fn watched(
        &self,
        client: &Client,
        feed: Feed,
        on_step: OnStep<'_>,
    ) -> Result<Stack, DeployError> {
        let watch = Watch {
            client,
            operation: Operation::Update,
            name: &self.name,
            id: &self.before.id,
            pace: self.pace,
        };
        match watch.to_the_end(feed, on_step).await? {
            Watched {
                stack: Some(stack), ..
            } if stack.status == "UPDATE_COMPLETE" => Ok(stack),
            other => Err(watch.failure(other).await),
        }
    }

    async fn old_function(&self, sdk: &SdkConfig, patience: Patience) -> Result<(), CheckError> {
        let function = self.before.function().unwrap_or_default();
        check::function(sdk, &self.name, function, patience).await
    }

    /// Gives the stack what it had, and tells how that ended.
    async fn go_back(
        &self,
        sdk: &SdkConfig,
        client: &Client,
        template: String,
        worked: bool,
        on_step: OnStep<'_>,
    ) -> FunctionFailure {
        if let Err(why) = self.restore(client, template, on_step).await {
            return FunctionFailure::NotRolledBack {
                why: why.to_string(),
            };
        }
        let now = self.old_function(sdk, self.patience).await;
        FunctionFailure::RolledBack {
            old: match now {
                Ok(()) => OldFunction::Works,
                Err(error) if !error.is_verdict() => OldFunction::Unknown,
                Err(_) if worked => OldFunction::FailsToo,
                Err(_) => OldFunction::FailedBefore,
            },
        }
    }

    async fn restore(
        &self,
        client: &Client,
        template: String,
        on_step: OnStep<'_>,
    ) -> Result<(), DeployError> {
        let parameters = self.before.parameters.iter();
        let wanted = Wanted {
            template,
            parameters: parameters.map(|(k, v)| parameter(k, v)).collect(),
            tags: stack_tags(&own_tags(&self.before)),
        };
        let made = ChangeSet::make(client, &self.before, wanted, self.pace).await?;
        let Some(change_set) = made else {
            return Ok(());
        };
        let feed = change_set.begin(client, on_step).await?;
        self.watched(client, feed, on_step).await.map(|_| ())
    }
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
