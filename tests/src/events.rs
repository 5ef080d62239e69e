//! Invocation payloads as AWS builds them: SQS batches of `EventBridge` events.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::emulator::{ACCOUNT, REGION};

/// The queue that messages say they come from.
pub const QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:000000000000:ssmbak-test";

/// Returns a `Parameter Store Change` event of `operation` on the parameter `name`, at the second `at_ms` lies in.
///
/// The name is spelled as AWS spells it: without its slash when it is at the
/// root. Further fields can be set in `["detail"]` of what is returned.
pub fn parameter_event(name: &str, operation: &str, at_ms: i64) -> Value {
    let bare = name.strip_prefix('/').unwrap_or(name);
    let spelled = if bare.contains('/') { name } else { bare };
    let time = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default();
    json!({
        "version": "0",
        "id": Uuid::new_v4().to_string(),
        "detail-type": "Parameter Store Change",
        "source": "aws.ssm",
        "account": ACCOUNT,
        "time": time.to_rfc3339_opts(SecondsFormat::Secs, true),
        "region": REGION,
        "resources": [format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{bare}")],
        "detail": {"name": spelled, "type": "String", "operation": operation},
    })
}

/// Returns a `Tag Change on Resource` event: the parameter `name` has these tags since the second `at_ms` lies in.
pub fn tag_event(name: &str, tags: &[(&str, &str)], at_ms: i64) -> Value {
    let mut event = parameter_event(name, "", at_ms);
    let tags = tags
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)));
    event["source"] = "aws.tag".into();
    event["detail-type"] = "Tag Change on Resource".into();
    event["detail"] = json!({
        "changed-tag-keys": [],
        "service": "ssm",
        "resource-type": "parameter",
        "version": 1,
        "tags": Value::Object(tags.collect()),
    });
    event
}

/// Returns an `AWS API Call via CloudTrail` event, as `CloudTrail` documents it: somebody deleted
/// the parameters `names` with one call, in the second `at_ms` lies in.
pub fn deletion_call(names: &[&str], by: &str, from: &str, at_ms: i64) -> Value {
    let time = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default();
    let (call, asked) = match names {
        [name] => ("DeleteParameter", json!({"name": name})),
        _ => ("DeleteParameters", json!({"names": names})),
    };
    let mut event = parameter_event("", "", at_ms + 60_000);
    event["detail-type"] = "AWS API Call via CloudTrail".into();
    event["resources"] = json!([]);
    event["detail"] = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:session",
            "arn": by,
            "accountId": ACCOUNT,
            "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROAEXAMPLE",
                    "arn": format!("arn:aws:iam::{ACCOUNT}:role/issuer"),
                    "accountId": ACCOUNT,
                    "userName": "issuer",
                },
                "attributes": {"mfaAuthenticated": "false"},
            },
        },
        "eventTime": time.to_rfc3339_opts(SecondsFormat::Secs, true),
        "eventSource": "ssm.amazonaws.com",
        "eventName": call,
        "awsRegion": REGION,
        "sourceIPAddress": from,
        "userAgent": "aws-cli/2.31.0",
        "requestParameters": asked,
        "responseElements": null,
        "requestID": Uuid::new_v4().to_string(),
        "eventID": Uuid::new_v4().to_string(),
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    });
    event
}

/// Returns one message of a batch with any body, understandable or not.
pub fn message(body: &str) -> Value {
    let sent = Utc::now().timestamp_millis().to_string();
    json!({
        "messageId": Uuid::new_v4().to_string(),
        "receiptHandle": Uuid::new_v4().simple().to_string(),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": sent,
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": sent,
        },
        "messageAttributes": {},
        // Of 32 digits like the real one; nothing computes it here.
        "md5OfBody": Uuid::new_v4().simple().to_string(),
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": REGION,
    })
}

/// Returns the invocation payload with these messages.
pub fn batch(messages: impl IntoIterator<Item = Value>) -> Value {
    json!({"Records": messages.into_iter().collect::<Vec<_>>()})
}

/// Returns the invocation payload with a message for each event.
pub fn batch_of_events<'event>(events: impl IntoIterator<Item = &'event Value>) -> Value {
    batch(events.into_iter().map(|event| message(&event.to_string())))
}

/// Returns the ids of the messages that a function's answer reports as failed.
pub fn failed_messages(answer: &Value) -> Vec<String> {
    let failures = answer["batchItemFailures"].as_array();
    let ids = failures
        .into_iter()
        .flatten()
        .map(|failure| &failure["itemIdentifier"]);
    ids.filter_map(Value::as_str).map(str::to_owned).collect()
}
