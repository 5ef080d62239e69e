//! What a stack is now: its status, what it put out, what it consists of.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Stack as Reported, StackResource as ReportedResource};
use chrono::{DateTime, Utc};

use crate::aws::{AwsError, cloudformation};
use crate::event::utc;
use crate::stack_name::StackName;
use crate::template::DESCRIPTION_PREFIX;

const BUCKET_NAME: &str = "BucketName";
const TABLE_NAME: &str = "TableName";
const FUNCTION_NAME: &str = "FunctionName";

/// A stack as CloudFormation tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its ARN, which names it also once it is deleted.
    pub id: String,
    /// Its status: `CREATE_COMPLETE` and so on.
    pub status: String,
    /// Why it has this status, where CloudFormation says so.
    pub status_reason: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last updated, if ever.
    pub updated: Option<DateTime<Utc>>,
    /// What its template says of itself.
    pub description: String,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
    /// The parameters of its template, as they are set.
    pub parameters: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Stack {
    /// Returns the name of the bucket that holds the backups.
    pub fn bucket(&self) -> Result<&str, StackError> {
        self.output(BUCKET_NAME)
    }

    /// Returns the name of the table that indexes the backups.
    pub fn table(&self) -> Result<&str, StackError> {
        self.output(TABLE_NAME)
    }

    /// Returns the name of the function.
    pub fn function(&self) -> Result<&str, StackError> {
        self.output(FUNCTION_NAME)
    }

    /// Returns the region that the stack lives in, as its ARN tells it.
    pub fn region(&self) -> &str {
        self.id.split(':').nth(3).unwrap_or_default()
    }

    /// Returns one of the outputs; a stack that is not finished has none.
    pub fn output(&self, output: &'static str) -> Result<&str, StackError> {
        self.outputs
            .get(output)
            .map(String::as_str)
            .ok_or_else(|| StackError::OutputMissing {
                stack: self.name.clone(),
                status: self.status.clone(),
                output,
            })
    }

    /// Returns whether the stack was made from a template of this tool.
    pub fn is_ssmbak(&self) -> bool {
        self.description.starts_with(DESCRIPTION_PREFIX)
    }

    fn from_reported(stack: &Reported) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self {
            name: text(stack.stack_name()),
            id: text(stack.stack_id()),
            status: stack
                .stack_status()
                .map(|status| status.as_str().to_owned())
                .unwrap_or_default(),
            status_reason: stack
                .stack_status_reason()
                .filter(|reason| !reason.is_empty())
                .map(str::to_owned),
            created: utc(stack.creation_time()),
            updated: stack.last_updated_time().map(|time| utc(Some(time))),
            description: text(stack.description()),
            outputs: stack
                .outputs()
                .iter()
                .map(|one| (text(one.output_key()), text(one.output_value())))
                .collect(),
            parameters: stack
                .parameters()
                .iter()
                .map(|one| (text(one.parameter_key()), text(one.parameter_value())))
                .collect(),
            tags: stack
                .tags()
                .iter()
                .map(|one| (text(one.key()), text(one.value())))
                .collect(),
        }
    }
}

/// One resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackResource {
    /// When its status last changed.
    pub time: DateTime<Utc>,
    /// What became of it.
    pub status: String,
    /// Its name in the template.
    pub logical_id: String,
    /// Its own name; empty while it has none.
    pub physical_id: String,
    /// Its type.
    pub resource_type: String,
}

impl StackResource {
    fn from_reported(resource: &ReportedResource) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self {
            time: utc(resource.timestamp()),
            status: resource
                .resource_status()
                .map(|status| status.as_str().to_owned())
                .unwrap_or_default(),
            logical_id: text(resource.logical_resource_id()),
            physical_id: text(resource.physical_resource_id()),
            resource_type: text(resource.resource_type()),
        }
    }
}

/// Returns the stack of that name. A deleted stack is not found.
pub async fn describe(sdk: &SdkConfig, stack: &StackName) -> Result<Stack, StackError> {
    match find(&cloudformation(sdk), stack.as_str()).await? {
        Some(found) => Ok(found),
        None => Err(StackError::NotFound {
            stack: stack.to_string(),
            known: known(sdk).await,
        }),
    }
}

/// Returns what the stack consists of, in the order of the template's names.
pub async fn resources(
    sdk: &SdkConfig,
    stack: &StackName,
) -> Result<Vec<StackResource>, StackError> {
    let found = describe(sdk, stack).await?;
    Ok(resources_of(&cloudformation(sdk), &found.id).await?)
}

/// Returns the names of the ssmbak stacks in this account and region, sorted; empty where that
/// cannot be told.
pub async fn known(sdk: &SdkConfig) -> Vec<String> {
    let stacks = all(&cloudformation(sdk)).await.unwrap_or_default();
    let mut names: Vec<_> = stacks.into_iter().map(|stack| stack.name).collect();
    names.sort();
    names
}

/// Returns the ssmbak stacks in this account and region.
pub(crate) async fn all(client: &Client) -> Result<Vec<Stack>, AwsError> {
    let mut stacks = Vec::new();
    let mut token = None;
    // 2,000 stacks are the default quota, and a page has 100 at most.
    for _ in 0..200 {
        let page = client
            .describe_stacks()
            .set_next_token(token)
            .send()
            .await
            .map_err(|e| AwsError::new("cloudformation:DescribeStacks", e))?;
        let found = page.stacks().iter().map(Stack::from_reported);
        stacks.extend(found.filter(Stack::is_ssmbak));
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    Ok(stacks)
}

/// Returns the stack with that name or ARN. A deleted one is found by its ARN only.
pub(crate) async fn find(client: &Client, stack: &str) -> Result<Option<Stack>, AwsError> {
    match client.describe_stacks().stack_name(stack).send().await {
        Ok(answer) => Ok(answer.stacks().first().map(Stack::from_reported)),
        Err(error) => {
            let error = AwsError::new("cloudformation:DescribeStacks", error);
            let missing = error.code.as_deref() == Some("ValidationError")
                && error.message.contains("does not exist");
            if missing { Ok(None) } else { Err(error) }
        }
    }
}

/// One answer holds up to 100 resources: twice what the template has.
pub(crate) async fn resources_of(
    client: &Client,
    stack_id: &str,
) -> Result<Vec<StackResource>, AwsError> {
    let answer = client
        .describe_stack_resources()
        .stack_name(stack_id)
        .send()
        .await
        .map_err(|e| AwsError::new("cloudformation:DescribeStackResources", e))?;
    let mut resources: Vec<_> = answer
        .stack_resources()
        .iter()
        .map(StackResource::from_reported)
        .collect();
    resources.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    Ok(resources)
}

/// Returns the hint that goes with a stack that is not there.
pub(crate) fn known_hint(known: &[String]) -> Option<String> {
    match known {
        [] => None,
        names => Some(format!(
            "the stacks of ssmbak here are: {}",
            names.join(", ")
        )),
    }
}

/// Why a stack cannot be told about.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// There is no such stack in this account and region.
    #[error("there is no stack {stack}")]
    NotFound {
        /// The name asked for.
        stack: String,
        /// The stacks of this tool that there are, if that could be told.
        known: Vec<String>,
    },
    /// The stack does not put this out: it is not finished, or not of this tool.
    #[error("the stack {stack} ({status}) has no output {output}")]
    OutputMissing {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
        /// The output.
        output: &'static str,
    },
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl StackError {
    /// Returns the way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { stack, known } => known_hint(known).or_else(|| {
                Some(format!(
                    "check region and account, or make it: ssmbak stack {stack} create"
                ))
            }),
            Self::OutputMissing { stack, status, .. } if status.ends_with("_IN_PROGRESS") => {
                Some(format!("wait for it: ssmbak stack {stack} status"))
            }
            Self::OutputMissing { stack, status, .. } if status.starts_with("ROLLBACK") => {
                Some(format!(
                    "it could not be created; make way for another try: ssmbak stack {stack} delete"
                ))
            }
            Self::OutputMissing { .. } => Some("it may be a stack of another tool".into()),
            Self::Aws(error) => error.hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack() -> Stack {
        Stack {
            name: "ssmbak".into(),
            id: "arn:aws:cloudformation:eu-west-1:000000000000:stack/ssmbak/1".into(),
            status: "CREATE_COMPLETE".into(),
            status_reason: None,
            created: DateTime::UNIX_EPOCH,
            updated: None,
            description: "ssmbak: as it is".into(),
            outputs: BTreeMap::from([("BucketName".into(), "a-bucket".into())]),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
        }
    }

    #[test]
    fn the_arn_tells_the_region() {
        assert_eq!(stack().region(), "eu-west-1");
    }

    #[test]
    fn an_output_is_told_or_its_absence_is() {
        assert_eq!(stack().bucket().unwrap(), "a-bucket");
        let error = stack().table().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the stack ssmbak (CREATE_COMPLETE) has no output TableName"
        );
    }

    #[test]
    fn a_stack_of_another_tool_is_told_by_its_description() {
        assert!(stack().is_ssmbak());
        let other = Stack {
            description: "all ssmbak resources to back up ssm events to s3".into(),
            ..stack()
        };
        assert!(!other.is_ssmbak());
    }
}
