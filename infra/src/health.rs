//! How a stack does: which version its function is of, what waits, what was given up, which alarms
//! stand, and what to do about them.
//!
//! Only reads, and never the function: an auditor, who may not invoke it, can ask too. What may
//! not be read is told as such and keeps nothing else from being told.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::types::MetricAlarm;
use aws_sdk_sqs::types::QueueAttributeName;
use chrono::{DateTime, Utc};
use semver::Version;

use crate::aws::{AwsError, ErrorKind, cloudformation};
use crate::deploy::VERSION_TAG;
use crate::event::utc;
use crate::stack::{self, Stack, StackError, StackResource};
use crate::stack_name::StackName;
use crate::template;

/// The output that names the queue between rule and function.
pub(crate) const QUEUE_URL: &str = "QueueUrl";
/// The output that names the queue of what could not be captured.
pub(crate) const DEAD_LETTER_QUEUE_URL: &str = "DeadLetterQueueUrl";
/// The output that names the queue of what could not be handed to the queue.
pub(crate) const RULE_DEAD_LETTER_QUEUE_URL: &str = "RuleDeadLetterQueueUrl";

/// A state that an alarm of the stack has which was deleted by hand.
const GONE: &str = "MISSING";
/// `DescribeAlarms` takes so many names at once.
const ALARMS_PER_CALL: usize = 100;
/// More pages than this are no answer to so few names.
const PAGES_MAX: usize = 20;

/// What was asked, and may not have been told.
#[derive(Debug)]
pub enum Asked<T> {
    /// It was told.
    Told(T),
    /// The stack has none of it, or not yet.
    None,
    /// The caller may not ask; the action that is missing.
    NotAllowed(&'static str),
    /// The call failed.
    Failed(AwsError),
}

impl<T> Asked<T> {
    fn from_result(result: Result<Option<T>, AwsError>) -> Self {
        match result {
            Ok(Some(told)) => Self::Told(told),
            Ok(None) => Self::None,
            Err(error) if error.kind == ErrorKind::AccessDenied => {
                Self::NotAllowed(error.operation)
            }
            Err(error) => Self::Failed(error),
        }
    }

    /// Returns what was told, if it was.
    pub fn told(&self) -> Option<&T> {
        match self {
            Self::Told(told) => Some(told),
            Self::None | Self::NotAllowed(_) | Self::Failed(_) => None,
        }
    }

    /// Returns why it was not told; none where it was, or where there is none of it.
    pub fn unread(&self) -> Option<String> {
        match self {
            Self::Told(_) | Self::None => None,
            Self::NotAllowed(action) => Some(format!("not allowed ({action})")),
            Self::Failed(error) => Some(format!("not told ({error})")),
        }
    }
}

/// How many messages a queue holds, as near as SQS tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Those that can be received.
    pub visible: u64,
    /// Those that were received and not yet deleted.
    pub in_flight: u64,
    /// Those that were sent with a delay.
    pub delayed: u64,
}

impl Depth {
    /// Returns how many there are together.
    pub fn total(self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }
}

/// An alarm of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its name in the template.
    pub logical_id: String,
    /// Its own name.
    pub name: String,
    /// `OK`, `ALARM`, `INSUFFICIENT_DATA`, or `MISSING` where somebody deleted it.
    pub state: String,
    /// Why it is in this state, as CloudWatch says it.
    pub reason: Option<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
}

/// How a stack does.
#[derive(Debug)]
pub struct Health {
    /// The stack.
    pub stack: Stack,
    /// What waits to be captured.
    pub waiting: Asked<Depth>,
    /// What was tried in vain.
    pub dead_letters: Asked<Depth>,
    /// What EventBridge could not hand over.
    pub undelivered: Asked<Depth>,
    /// Its alarms, by their names in the template.
    pub alarms: Asked<Vec<Alarm>>,
}

/// Tells how the stack of that name does.
///
/// Fails only where the stack itself cannot be told.
pub async fn health(sdk: &SdkConfig, stack: &StackName) -> Result<Health, StackError> {
    let stack = stack::describe(sdk, stack).await?;
    let url = |output: &str| stack.outputs.get(output).map(String::as_str);
    let sqs = ssmbak_core::told_client!(aws_sdk_sqs, sdk);
    let (waiting, dead_letters, undelivered, alarms) = tokio::join!(
        depth_of(&sqs, url(QUEUE_URL)),
        depth_of(&sqs, url(DEAD_LETTER_QUEUE_URL)),
        depth_of(&sqs, url(RULE_DEAD_LETTER_QUEUE_URL)),
        alarms(sdk, &stack.id),
    );
    Ok(Health {
        waiting: Asked::from_result(waiting),
        dead_letters: Asked::from_result(dead_letters),
        undelivered: Asked::from_result(undelivered),
        alarms: Asked::from_result(alarms.map(Some)),
        stack,
    })
}

async fn depth_of(sqs: &aws_sdk_sqs::Client, url: Option<&str>) -> Result<Option<Depth>, AwsError> {
    match url {
        Some(url) => depth(sqs, url).await.map(Some),
        None => Ok(None),
    }
}

/// Asks a queue how many messages it holds.
pub(crate) async fn depth(sqs: &aws_sdk_sqs::Client, url: &str) -> Result<Depth, AwsError> {
    use QueueAttributeName as Attribute;
    let wanted = [
        Attribute::ApproximateNumberOfMessages,
        Attribute::ApproximateNumberOfMessagesNotVisible,
        Attribute::ApproximateNumberOfMessagesDelayed,
    ];
    let answer = sqs
        .get_queue_attributes()
        .queue_url(url)
        .set_attribute_names(Some(wanted.to_vec()))
        .send()
        .await
        .map_err(|e| AwsError::new("sqs:GetQueueAttributes", e))?;
    let attributes = answer.attributes();
    let [visible, in_flight, delayed] = wanted.map(|name| {
        let text = attributes.and_then(|all| all.get(&name));
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    });
    Ok(Depth {
        visible,
        in_flight,
        delayed,
    })
}

async fn alarms(sdk: &SdkConfig, stack_id: &str) -> Result<Vec<Alarm>, AwsError> {
    let cloudwatch = ssmbak_core::told_client!(aws_sdk_cloudwatch, sdk);
    let resources = stack::resources_of(&cloudformation(sdk), stack_id).await?;
    let mine: Vec<_> = resources.into_iter().filter(is_alarm).collect();
    let mut told = BTreeMap::new();
    for some in mine.chunks(ALARMS_PER_CALL) {
        let names: Vec<_> = some.iter().map(|one| one.physical_id.clone()).collect();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let page = cloudwatch
                .describe_alarms()
                .set_alarm_names(Some(names.clone()))
                .set_next_token(token)
                .send()
                .await
                .map_err(|e| AwsError::new("cloudwatch:DescribeAlarms", e))?;
            let page_alarms = page.metric_alarms().iter();
            told.extend(page_alarms.map(|one| {
                let name = one.alarm_name().unwrap_or_default().to_owned();
                (name, one.clone())
            }));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
    }
    Ok(mine
        .into_iter()
        .map(|one| {
            let found = told.get(&one.physical_id);
            alarm(one, found)
        })
        .collect())
}

fn is_alarm(resource: &StackResource) -> bool {
    resource.resource_type == "AWS::CloudWatch::Alarm" && !resource.physical_id.is_empty()
}

fn alarm(resource: StackResource, told: Option<&MetricAlarm>) -> Alarm {
    let state = told.and_then(MetricAlarm::state_value);
    let since = told.and_then(|one| {
        one.state_transitioned_timestamp()
            .or_else(|| one.state_updated_timestamp())
    });
    Alarm {
        logical_id: resource.logical_id,
        name: resource.physical_id,
        state: state.map_or(GONE, |state| state.as_str()).to_owned(),
        reason: told
            .and_then(MetricAlarm::state_reason)
            .filter(|reason| !reason.is_empty())
            .map(str::to_owned),
        since: since.map(|time| utc(Some(time))),
    }
}

/// How the version of a stack's function compares to this tool's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Age {
    /// They are the same.
    Same,
    /// The function is older.
    Older,
    /// The function is newer.
    Newer,
    /// The stack does not tell, or not in a way that can be compared.
    Unknown,
}

/// Compares the version that a stack tells with this tool's `own`.
pub fn age(told: Option<&str>, own: &str) -> Age {
    let told = told.and_then(|text| Version::parse(text).ok());
    let (Some(told), Ok(own)) = (told, Version::parse(own)) else {
        return Age::Unknown;
    };
    match told.cmp_precedence(&own) {
        std::cmp::Ordering::Less => Age::Older,
        std::cmp::Ordering::Equal => Age::Same,
        std::cmp::Ordering::Greater => Age::Newer,
    }
}

impl Health {
    /// Returns the version of the tool whose function the stack runs, as its tag tells it.
    pub fn version(&self) -> Option<&str> {
        self.stack.tags.get(VERSION_TAG).map(String::as_str)
    }

    /// Returns how many messages in the stack's queues are not captured yet, as far as that is told.
    pub fn unrecorded(&self) -> u64 {
        [&self.waiting, &self.dead_letters, &self.undelivered]
            .into_iter()
            .filter_map(|queue| queue.told())
            .map(|depth| depth.total())
            .sum()
    }

    /// Returns what is not as it should be, each with its way out.
    pub fn warnings(&self) -> Vec<String> {
        let name = &self.stack.name;
        let mut warnings = Vec::new();
        warnings.extend(stack_warning(name, &self.stack.status));
        if !self.stack.is_ssmbak() {
            warnings.push(format!("the stack {name} was not made by ssmbak"));
            return warnings;
        }
        warnings.extend(version_warning(name, self.version(), template::version()));
        let held = |asked: &Asked<Depth>| asked.told().map_or(0, |depth| depth.total());
        let dead = held(&self.dead_letters);
        if dead > 0 {
            warnings.push(format!(
                "{} could not be captured: ssmbak stack {name} redrive puts {} back; the log \
                 /aws/lambda/{name}-capture tells why",
                changes(dead),
                them(dead)
            ));
        }
        let undelivered = held(&self.undelivered);
        if undelivered > 0 {
            warnings.push(format!(
                "{} could not be handed to the queue: ssmbak stack {name} redrive puts {} there",
                changes(undelivered),
                them(undelivered)
            ));
        }
        for alarm in self.alarms.told().into_iter().flatten() {
            warnings.extend(alarm_warning(name, alarm));
        }
        warnings
    }
}

fn changes(count: u64) -> String {
    match count {
        1 => "1 change".into(),
        more => format!("{more} changes"),
    }
}

fn them(count: u64) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

fn alarm_warning(name: &str, alarm: &Alarm) -> Option<String> {
    let (what, id) = (&alarm.name, &alarm.logical_id);
    let since = alarm.since.map(|time| {
        format!(
            " since {}",
            time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        )
    });
    let since = since.unwrap_or_default();
    let reason = alarm.reason.as_ref().map(|reason| format!(": {reason}"));
    let reason = reason.unwrap_or_default();
    match alarm.state.as_str() {
        "ALARM" => Some(format!(
            "the alarm {id} ({what}) stands{since}{reason}; {}",
            way_out(name, id)
        )),
        GONE => Some(format!(
            "the alarm {id} ({what}) is gone: somebody deleted it, and only a new stack or a \
             template that names it anew brings it back"
        )),
        _ => None,
    }
}

/// What to do about an alarm.
fn way_out(name: &str, logical_id: &str) -> String {
    match logical_id {
        "DeadLetterAlarm" => format!(
            "mend what the log /aws/lambda/{name}-capture tells, then: ssmbak stack {name} redrive"
        ),
        "RuleDeadLetterAlarm" => format!("put the events back: ssmbak stack {name} redrive"),
        id if id.starts_with("Reconcile") => {
            format!("the log /aws/lambda/{name}-reconcile tells why")
        }
        _ => format!("the log /aws/lambda/{name}-capture tells why"),
    }
}

fn version_warning(name: &str, told: Option<&str>, own: &str) -> Option<String> {
    let shown = told.unwrap_or_default();
    match (age(told, own), told) {
        (Age::Same, _) => None,
        (Age::Older, _) => Some(format!(
            "the function is of {shown}, this is {own}: ssmbak stack {name} update"
        )),
        (Age::Newer, _) => Some(format!(
            "the function is of {shown}, this is {own}: update the command line"
        )),
        (Age::Unknown, Some(_)) => Some(format!(
            "the function is of {shown}, which is no version that can be compared with {own}"
        )),
        (Age::Unknown, None) => Some(format!(
            "of which version the function is, is unknown: the stack has no tag {VERSION_TAG}; \
             ssmbak stack {name} update sets it"
        )),
    }
}

/// What to do about a stack whose last operation failed.
fn stack_warning(name: &str, status: &str) -> Option<String> {
    let way_out = match status {
        "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" => format!(
            "it could not be created: ssmbak stack {name} delete, then ssmbak stack {name} create"
        ),
        "DELETE_FAILED" => {
            format!("it could not be deleted as a whole: ssmbak stack {name} delete tries again")
        }
        "UPDATE_FAILED" | "UPDATE_ROLLBACK_FAILED" => format!(
            "CloudFormation has to bring it back first: aws cloudformation \
             continue-update-rollback --stack-name {name}"
        ),
        "UPDATE_ROLLBACK_COMPLETE" => format!(
            "its last update failed and was undone: it works as before; ssmbak stack {name} \
             update tries again"
        ),
        _ => return None,
    };
    Some(format!("the stack {name} is {status}: {way_out}"))
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
