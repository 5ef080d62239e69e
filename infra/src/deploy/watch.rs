//! Waits for the end of an operation on a stack, and tells its events as they happen.

use std::time::Duration;

use aws_sdk_cloudformation::Client;

use super::error::Failed;
use super::{DeployError, Pace, retained};
use crate::aws::AwsError;
use crate::event::{Feed, StackEvent, first_failure};
use crate::stack::{self, Stack};
use crate::stack_name::StackName;

/// Who is told of each event, oldest first.
pub(super) type OnEvent<'a> = &'a mut dyn FnMut(&StackEvent);

/// How an operation on a stack ended; no stack: it is gone.
pub(super) struct Watched {
    pub(super) stack: Option<Stack>,
    pub(super) events: Vec<StackEvent>,
}

/// Tells events until the stack is at rest again.
///
/// A stack may look at rest for a moment after it was told to change: its end is believed only
/// once an event of the change has been seen.
pub(super) async fn watch(
    client: &Client,
    mut feed: Feed,
    name: &StackName,
    id: &str,
    pace: Pace,
    on_event: OnEvent<'_>,
) -> Result<Watched, DeployError> {
    let mut events: Vec<StackEvent> = Vec::new();
    let mut waited = Duration::ZERO;
    loop {
        let has_begun = !events.is_empty();
        // The status first: what led to it is then among the events.
        let stack = stack::find(client, id).await?;
        let news = match &stack {
            Some(_) => feed.news(client).await?,
            None => Vec::new(),
        };
        news.iter().for_each(&mut *on_event);
        events.extend(news);
        let status = match &stack {
            Some(stack) if !is_the_end(&stack.status, has_begun) => stack.status.clone(),
            _ => return Ok(Watched { stack, events }),
        };
        if waited >= pace.limit {
            return Err(DeployError::TooSlow {
                stack: name.to_string(),
                status,
                waited,
            });
        }
        tokio::time::sleep(pace.pause()).await;
        waited += pace.pause();
    }
}

fn is_the_end(status: &str, has_begun: bool) -> bool {
    !status.ends_with("_IN_PROGRESS") && (has_begun || status == "DELETE_COMPLETE")
}

impl Watched {
    /// Returns the status that the stack ended in.
    pub(super) fn status(&self) -> &str {
        self.stack
            .as_ref()
            .map_or("DELETE_COMPLETE", |stack| stack.status.as_str())
    }

    /// Returns why the operation failed, with what it left behind.
    pub(super) async fn into_failure(
        self,
        client: &Client,
        name: &StackName,
        id: &str,
    ) -> DeployError {
        // The failure is what is to be told: that the rest could not be read adds nothing.
        let resources = stack::resources_of(client, id).await.unwrap_or_default();
        let stack_reason = self.stack.as_ref().and_then(|s| s.status_reason.clone());
        let cause = first_failure(&self.events);
        DeployError::Failed(Box::new(Failed {
            stack: name.to_string(),
            status: self.status().to_owned(),
            resource: cause.map_or_else(|| name.to_string(), |event| event.logical_id.clone()),
            resource_type: cause.map(|event| event.resource_type.clone()),
            reason: cause
                .and_then(|event| event.reason.clone())
                .or(stack_reason)
                .unwrap_or_else(|| "CloudFormation tells no reason".into()),
            leftovers: retained(&resources),
        }))
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
}
