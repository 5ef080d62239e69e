//! What happens to a stack, as CloudFormation tells it.

use std::collections::HashSet;
use std::time::UNIX_EPOCH;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::StackEvent as Reported;
use aws_smithy_types::DateTime as AwsTime;
use chrono::{DateTime, Utc};

use crate::aws::AwsError;

/// The type under which a stack tells of itself.
pub const STACK_TYPE: &str = "AWS::CloudFormation::Stack";
/// Far more than one operation on this stack ever tells, at 100 events a page.
const MAX_PAGES: usize = 100;

/// One step in the life of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackEvent {
    /// CloudFormation's id of the event.
    pub id: String,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// The resource's name in the template; for the stack itself, the stack's name.
    pub logical_id: String,
    /// The resource's own name, once it has one.
    pub physical_id: String,
    /// The resource's type.
    pub resource_type: String,
    /// What became of it: `CREATE_IN_PROGRESS`, `CREATE_COMPLETE`, `CREATE_FAILED` and so on.
    pub status: String,
    /// Why, where CloudFormation says so.
    pub reason: Option<String>,
}

impl StackEvent {
    fn from_reported(event: &Reported) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self {
            id: text(event.event_id()),
            time: utc(event.timestamp()),
            logical_id: text(event.logical_resource_id()),
            physical_id: text(event.physical_resource_id()),
            resource_type: text(event.resource_type()),
            status: event
                .resource_status()
                .map(|status| status.as_str().to_owned())
                .unwrap_or_default(),
            reason: event
                .resource_status_reason()
                .filter(|reason| !reason.is_empty())
                .map(str::to_owned),
        }
    }

    /// Returns whether this is the stack telling of itself, not of one of its resources.
    pub fn is_of_stack(&self) -> bool {
        self.resource_type == STACK_TYPE
    }

    /// Returns whether something failed here by itself, and was not called off because something
    /// else had failed.
    pub fn is_failure(&self) -> bool {
        let called_off = self
            .reason
            .as_deref()
            .is_some_and(|reason| reason.to_lowercase().contains("cancelled"));
        self.status.ends_with("_FAILED") && !called_off
    }
}

/// Returns `event` as one line: time (UTC), three spaces, then status, name, type and reason two
/// spaces apart.
///
/// It is the line of the Python tool that this one replaces, byte for byte: without a reason it
/// ends in the two spaces before where that would stand.
pub fn event_line(event: &StackEvent) -> String {
    format!(
        "{}   {}  {}  {}  {}",
        event.time.format("%m/%d/%y %H:%M:%S"),
        event.status,
        event.logical_id,
        event.resource_type,
        event.reason.as_deref().unwrap_or_default(),
    )
}

/// Returns the event that made an operation fail: the first failure of a resource, else the first
/// of the stack itself.
pub(crate) fn first_failure(events: &[StackEvent]) -> Option<&StackEvent> {
    let mut failures = events.iter().filter(|event| event.is_failure());
    failures
        .clone()
        .find(|event| !event.is_of_stack())
        .or_else(|| failures.next())
}

/// Reads a stack's events, each of them once, oldest first.
#[derive(Debug)]
pub(crate) struct Feed {
    stack_id: String,
    seen: HashSet<String>,
}

impl Feed {
    /// Returns a feed of everything that happened to the stack.
    pub(crate) fn from_the_start(stack_id: &str) -> Self {
        Self {
            stack_id: stack_id.into(),
            seen: HashSet::new(),
        }
    }

    /// Returns a feed of what happens to the stack from now on.
    pub(crate) async fn from_now(client: &Client, stack_id: &str) -> Result<Self, AwsError> {
        let mut feed = Self::from_the_start(stack_id);
        feed.read(client, 1).await?;
        Ok(feed)
    }

    /// Returns what happened since the last call.
    pub(crate) async fn news(&mut self, client: &Client) -> Result<Vec<StackEvent>, AwsError> {
        self.read(client, MAX_PAGES).await
    }

    /// CloudFormation tells the newest first: pages are read until one holds an event that is
    /// known already.
    async fn read(&mut self, client: &Client, pages: usize) -> Result<Vec<StackEvent>, AwsError> {
        let mut news = Vec::new();
        let mut token = None;
        for _ in 0..pages {
            let page = client
                .describe_stack_events()
                .stack_name(&self.stack_id)
                .set_next_token(token)
                .send()
                .await
                .map_err(|e| AwsError::new("cloudformation:DescribeStackEvents", e))?;
            let mut met_known = false;
            for event in page.stack_events().iter().map(StackEvent::from_reported) {
                if self.seen.contains(&event.id) {
                    met_known = true;
                } else {
                    news.push(event);
                }
            }
            token = page.next_token().map(str::to_owned);
            if met_known || token.is_none() {
                break;
            }
        }
        self.seen.extend(news.iter().map(|event| event.id.clone()));
        news.reverse();
        Ok(news)
    }
}

/// Returns an instant that AWS told; the epoch where it told none.
pub(crate) fn utc(time: Option<&AwsTime>) -> DateTime<Utc> {
    time.and_then(|time| DateTime::from_timestamp(time.secs(), time.subsec_nanos()))
        .unwrap_or(UNIX_EPOCH.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical_id: &str, status: &str, reason: Option<&str>) -> StackEvent {
        let resource_type = if logical_id == "ssmbak" {
            STACK_TYPE
        } else {
            "AWS::S3::Bucket"
        };
        StackEvent {
            id: format!("{logical_id}-{status}"),
            time: DateTime::from_timestamp(1_700_000_000, 649_000_000).unwrap(),
            logical_id: logical_id.into(),
            physical_id: String::new(),
            resource_type: resource_type.into(),
            status: status.into(),
            reason: reason.map(str::to_owned),
        }
    }

    #[test]
    fn a_line_has_the_original_form() {
        let told = event(
            "Bucket",
            "CREATE_IN_PROGRESS",
            Some("Resource creation Initiated"),
        );
        assert_eq!(
            event_line(&told),
            "11/14/23 22:13:20   CREATE_IN_PROGRESS  Bucket  AWS::S3::Bucket  Resource creation Initiated"
        );
        assert_eq!(
            event_line(&event("Bucket", "CREATE_COMPLETE", None)),
            "11/14/23 22:13:20   CREATE_COMPLETE  Bucket  AWS::S3::Bucket  "
        );
    }

    #[test]
    fn the_first_failure_is_the_first_that_was_not_called_off() {
        let events = [
            event("ssmbak", "CREATE_IN_PROGRESS", Some("User Initiated")),
            event(
                "Queue",
                "CREATE_FAILED",
                Some("Resource creation cancelled"),
            ),
            event("Bucket", "CREATE_FAILED", Some("no such permission")),
            event("Table", "CREATE_FAILED", Some("later")),
            event("ssmbak", "ROLLBACK_IN_PROGRESS", Some("failed to create")),
        ];
        assert_eq!(first_failure(&events).unwrap().logical_id, "Bucket");
    }

    #[test]
    fn a_failure_of_the_stack_itself_counts_when_no_resource_failed() {
        let events = [event("ssmbak", "CREATE_FAILED", Some("template invalid"))];
        assert_eq!(first_failure(&events).unwrap().logical_id, "ssmbak");
        assert_eq!(first_failure(&events[..0]), None);
    }

    #[test]
    fn a_time_that_was_not_told_is_the_epoch() {
        assert_eq!(utc(None).timestamp(), 0);
        assert_eq!(
            utc(Some(&AwsTime::from_millis(1_500))).timestamp_millis(),
            1_500
        );
    }
}
