//! Waits for the end of an operation on a stack, and tells its events as they happen.

use std::time::Duration;

use aws_sdk_cloudformation::Client;
use tokio::time::Instant;

use super::error::Failed;
use super::{DeployError, Pace, retained};
use crate::aws::{AwsError, ErrorKind};
use crate::event::{Feed, StackEvent, first_failure};
use crate::stack::{self, Stack};
use crate::stack_name::StackName;

/// What is done to a stack. It goes on in CloudFormation, whether anybody watches or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It is created.
    Create,
    /// It is updated.
    Update,
    /// It is deleted.
    Delete,
}

impl Operation {
    /// Returns how to learn what became of a stack that nobody watched to the end. Its function was
    /// not tried then, so how that is done by hand is told too.
    pub fn look_later(self, stack: &str) -> String {
        let status = format!("see how it ends: ssmbak stack {stack} status");
        match self {
            Self::Delete => format!(
                "{status}; what is kept is found by its tag: aws resourcegroupstaggingapi \
                 get-resources --tag-filters Key=ssmbak:stack,Values={stack}"
            ),
            Self::Create | Self::Update => format!(
                "{status}; its function was not tried, which is then done with: aws lambda invoke \
                 --function-name {stack}-capture --cli-binary-format raw-in-base64-out \
                 --payload '{{\"task\":\"check\"}}' /dev/stdout; one that does not work is replaced \
                 with: ssmbak stack {stack} update --function-zip FILE"
            ),
        }
    }
}

/// What is told while an operation on a stack runs.
#[derive(Debug)]
pub enum Step<'a> {
    /// CloudFormation is told to begin: from now on it goes on by itself.
    Begins,
    /// Something happened to the stack.
    Event(&'a StackEvent),
    /// The stack could not be looked at. That is tried again, and told once until it succeeds.
    Unseen(&'a AwsError),
}

/// Who is told of each step, events oldest first.
pub type OnStep<'a> = &'a mut dyn FnMut(Step<'_>);

/// A look at a stack that changes.
pub(super) struct Watch<'a> {
    pub(super) client: &'a Client,
    pub(super) operation: Operation,
    pub(super) name: &'a StackName,
    pub(super) id: &'a str,
    pub(super) pace: Pace,
}

/// How an operation on a stack ended; no stack: it is gone.
pub(super) struct Watched {
    pub(super) stack: Option<Stack>,
    pub(super) events: Vec<StackEvent>,
}

impl Watch<'_> {
    /// Tells events until the stack is at rest again.
    ///
    /// A stack may look at rest for a moment after it was told to change: its end is believed only
    /// once an event of the change has been seen. A look that fails ends nothing, since the stack
    /// goes on: only who may not look at all is told so at once.
    pub(super) async fn to_the_end(
        &self,
        mut feed: Feed,
        on_step: OnStep<'_>,
    ) -> Result<Watched, DeployError> {
        let begun = Instant::now();
        let mut events: Vec<StackEvent> = Vec::new();
        let mut is_blind = false;
        loop {
            let has_begun = !events.is_empty();
            let last = match self.look(&mut feed).await {
                Ok((stack, news)) => {
                    is_blind = false;
                    for event in &news {
                        on_step(Step::Event(event));
                    }
                    events.extend(news);
                    match &stack {
                        Some(stack) if !is_the_end(&stack.status, has_begun) => {
                            Ok(stack.status.clone())
                        }
                        _ => return Ok(Watched { stack, events }),
                    }
                }
                Err(error) => {
                    if may_pass(&error) && !is_blind {
                        is_blind = true;
                        on_step(Step::Unseen(&error));
                    }
                    Err(error)
                }
            };
            let waited = begun.elapsed();
            match last {
                Ok(status) if waited >= self.pace.limit => {
                    return Err(self.too_slow(status, waited));
                }
                Err(error) if is_given_up(&error, waited, self.pace) => {
                    return Err(self.unwatched(error));
                }
                Ok(_) | Err(_) => tokio::time::sleep(self.pace.pause()).await,
            }
        }
    }

    /// The status first: what led to it is then among the events.
    async fn look(&self, feed: &mut Feed) -> Result<(Option<Stack>, Vec<StackEvent>), AwsError> {
        let stack = stack::find(self.client, self.id).await?;
        let news = match &stack {
            Some(_) => feed.news(self.client).await?,
            None => Vec::new(),
        };
        Ok((stack, news))
    }

    fn too_slow(&self, status: String, waited: Duration) -> DeployError {
        DeployError::TooSlow {
            stack: self.name.to_string(),
            operation: self.operation,
            status,
            waited,
        }
    }

    fn unwatched(&self, source: AwsError) -> DeployError {
        DeployError::Unwatched {
            stack: self.name.to_string(),
            operation: self.operation,
            source,
        }
    }

    /// Returns why the operation failed, with what it left behind.
    pub(super) async fn failure(&self, watched: Watched) -> DeployError {
        // The failure is what is to be told: that the rest could not be read adds nothing.
        let resources = stack::resources_of(self.client, self.id).await;
        let resources = resources.unwrap_or_default();
        let status = watched.status().to_owned();
        let cause = first_failure(&watched.events);
        let stack_reason = watched.stack.as_ref().and_then(|s| s.status_reason.clone());
        DeployError::Failed(Box::new(Failed {
            stack: self.name.to_string(),
            status,
            resource: cause.map_or_else(|| self.name.to_string(), |event| event.logical_id.clone()),
            resource_type: cause.map(|event| event.resource_type.clone()),
            reason: cause
                .and_then(|event| event.reason.clone())
                .or(stack_reason)
                .unwrap_or_else(|| "CloudFormation tells no reason".into()),
            leftovers: retained(&resources),
        }))
    }
}

fn is_the_end(status: &str, has_begun: bool) -> bool {
    !status.ends_with("_IN_PROGRESS") && (has_begun || status == "DELETE_COMPLETE")
}

/// A session that has expired can be renewed and a network comes back; a right that is missing stays
/// missing.
fn may_pass(error: &AwsError) -> bool {
    error.kind != ErrorKind::AccessDenied
}

fn is_given_up(error: &AwsError, waited: Duration, pace: Pace) -> bool {
    waited >= pace.limit || !may_pass(error)
}

impl Watched {
    /// Returns the status that the stack ended in.
    pub(super) fn status(&self) -> &str {
        self.stack
            .as_ref()
            .map_or("DELETE_COMPLETE", |stack| stack.status.as_str())
    }
}

/// Returns the failure of a call as an error of this module.
pub(super) fn refused<E>(
    operation: &'static str,
) -> impl FnOnce(aws_sdk_cloudformation::error::SdkError<E>) -> DeployError
where
    E: aws_sdk_cloudformation::error::ProvideErrorMetadata
        + std::error::Error
        + Send
        + Sync
        + 'static,
{
    move |error| AwsError::new(operation, error).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_does_not_move_yet_is_not_at_its_end() {
        assert!(!is_the_end("CREATE_COMPLETE", false));
        assert!(!is_the_end("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", true));
        assert!(is_the_end("UPDATE_COMPLETE", true));
        assert!(is_the_end("DELETE_COMPLETE", false));
    }

    #[test]
    fn a_look_that_fails_is_given_up_at_once_only_where_it_is_not_allowed() {
        let failed = |kind| AwsError {
            operation: "cloudformation:DescribeStacks",
            kind,
            code: None,
            message: "no".into(),
            way_out: None,
            source: "no".into(),
        };
        let pace = Pace::default();
        for kind in [
            ErrorKind::Credentials,
            ErrorKind::Unreachable,
            ErrorKind::Throttled,
            ErrorKind::Refused,
        ] {
            let error = failed(kind);
            assert!(!is_given_up(&error, Duration::ZERO, pace), "{kind:?}");
            assert!(is_given_up(&error, pace.limit, pace), "{kind:?}");
        }
        let denied = failed(ErrorKind::AccessDenied);
        assert!(is_given_up(&denied, Duration::ZERO, pace));
    }

    #[test]
    fn who_left_early_is_told_how_to_try_the_function_unless_it_goes() {
        for operation in [Operation::Create, Operation::Update] {
            let hint = operation.look_later("prod");
            assert!(hint.contains("ssmbak stack prod status"), "{hint}");
            let by_hand = "--function-name prod-capture";
            assert!(hint.contains(by_hand), "{hint}");
            assert!(hint.contains(r#"--payload '{"task":"check"}' "#), "{hint}");
        }
        let hint = Operation::Delete.look_later("prod");
        assert!(hint.contains("ssmbak stack prod status"), "{hint}");
        assert!(hint.ends_with("Key=ssmbak:stack,Values=prod"), "{hint}");
        assert!(!hint.contains("lambda"), "{hint}");
    }
}
