//! Events: whoever may send to the queue decides what is in them.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{SECRET, deep, edited, edits, json, text};
use crate::domain::Events;
use crate::domain::event::EventError;

/// One of each kind, as AWS sends them, with a secret where no field is read.
fn originals() -> Vec<String> {
    let envelope = |kind: &str, detail: Json| {
        json!({
            "version": "0", "id": "0e3c8a4e-1", "detail-type": kind, "source": "aws.ssm",
            "account": "123456789012", "time": "2026-11-20T10:23:30Z", "region": "eu-west-1",
            "resources": ["arn:aws:ssm:eu-west-1:123456789012:parameter/foo/bar"],
            "unlisted": {"value": SECRET}, "detail": detail,
        })
        .to_string()
    };
    let change = |operation: &str| {
        envelope(
            "Parameter Store Change",
            json!({"name": "/foo/bar", "type": "SecureString", "operation": operation,
                "description": "d", "label": "prod", "fromVersion": "1", "toVersion": "3",
                "value": SECRET}),
        )
    };
    let mut all = ["Create", "Update", "Delete", "LabelParameterVersion"]
        .map(change)
        .to_vec();
    all.push(envelope(
        "Parameter Store Policy Action",
        json!({"policy-type": "Expiration", "parameter-name": "foo", "value": SECRET}),
    ));
    all.push(envelope(
        "Tag Change on Resource",
        json!({"service": "ssm", "tags": {"a": "1", "b": ""}}),
    ));
    all.push(envelope(
        "AWS API Call via CloudTrail",
        json!({
            "eventID": "1c3e", "eventTime": "2026-11-20T10:00:00Z", "eventName": "DeleteParameters",
            "requestParameters": {"names": ["/x", "y"], "value": SECRET},
            "responseElements": {"deletedParameters": ["/x"], "invalidParameters": ["y"]},
            "userIdentity": {"arn": "arn:aws:iam::1:user/u"}, "sourceIPAddress": "203.0.113.7",
        }),
    ));
    all
}

fn told(error: &EventError) -> String {
    format!("{error} {error:?}")
}

#[test]
fn each_original_is_an_event() {
    for original in originals() {
        assert!(Events::parse(&original).is_ok(), "{original}");
    }
}

#[test]
fn an_event_cut_anywhere_is_none_and_says_where_it_ends() {
    for original in originals() {
        for end in 0..original.len() {
            let refused = Events::parse(&original[..end]).unwrap_err();
            assert!(matches!(refused, EventError::Json { .. }), "{refused}");
        }
    }
}

#[test]
fn nesting_without_end_is_refused() {
    for text in deep() {
        let refused = Events::parse(&text);
        assert!(refused.is_err());
    }
}

#[test]
fn what_is_told_of_an_event_is_short_however_long_it_is() {
    let long = "x".repeat(900_000);
    for field in ["detail-type", "id", "time"] {
        let body = originals().remove(0);
        let mut body: Json = serde_json::from_str(&body).unwrap();
        body[field] = long.clone().into();
        let refused = Events::parse(&body.to_string()).unwrap_err();
        assert!(told(&refused).len() < 500, "{field}");
    }
    for field in ["operation", "name"] {
        let body = originals().remove(0);
        let mut body: Json = serde_json::from_str(&body).unwrap();
        body["detail"][field] = long.clone().into();
        let refused = Events::parse(&body.to_string()).unwrap_err();
        assert!(told(&refused).len() < 500, "{field}");
    }
}

/// Parameter Store deletes ten at once. More would be looked at one by one, and
/// compared each with each: one message would hold up all others.
#[test]
fn a_call_that_claims_to_delete_more_than_ten_is_none() {
    let many: Vec<String> = (0..60_000).map(|n| n.to_string()).collect();
    let call = |names: &[String], invalid: &[String], failed: bool| {
        let body = originals().pop().unwrap();
        let mut body: Json = serde_json::from_str(&body).unwrap();
        let detail = &mut body["detail"];
        detail["requestParameters"]["names"] = names.into();
        detail["responseElements"] = json!({"invalidParameters": invalid});
        if failed {
            detail["errorCode"] = "ValidationException".into();
        }
        Events::parse(&body.to_string()).map(|events| events.iter().count())
    };
    assert_eq!(call(&many[..10], &[], false), Ok(10));
    assert_eq!(
        call(&many[..11], &[], false),
        Err(EventError::Field("names"))
    );
    assert_eq!(call(&many, &many, false), Err(EventError::Field("names")));
    let invalid = EventError::Field("invalidParameters");
    assert_eq!(call(&many[..10], &many, false), Err(invalid));
    // It failed because of that: nothing was deleted, and that is all it tells.
    assert_eq!(call(&many, &[], true), Ok(10));
}

#[test]
fn of_a_field_that_is_there_twice_the_last_counts_and_nothing_breaks() {
    let body = originals().remove(0);
    let twice = body.replacen('{', r#"{"id":"another","time":7,"#, 1);
    let events = Events::parse(&twice).unwrap();
    assert_eq!(events.first.origin.id, "0e3c8a4e-1");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Events::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn an_edited_event_is_read_or_refused_and_tells_no_value(
        which in 0..7_usize, edits in edits(),
    ) {
        let bytes = edited(originals()[which].as_bytes(), &edits);
        match Events::parse(&String::from_utf8_lossy(&bytes)) {
            Ok(events) => {
                for event in events.iter() {
                    prop_assert!(event.origin.id.len() <= 64);
                    prop_assert!(!event.name.as_str().contains('#'));
                }
            }
            Err(error) => prop_assert!(!told(&error).contains(SECRET), "{error:?}"),
        }
    }

    #[test]
    fn any_json_in_any_place_is_read_or_refused(
        which in 0..7_usize, field in 0..12_usize, other in json(), word in text(),
    ) {
        let mut body: Json = serde_json::from_str(&originals()[which]).unwrap();
        let fields = ["id", "time", "detail-type", "detail", "resources"];
        let details = ["name", "operation", "requestParameters", "toVersion", "tags", "eventID", "userIdentity"];
        if let Some(field) = fields.get(field) {
            body[*field] = other;
        } else {
                body["detail"][details[field - fields.len()]] = other;
                body["detail"]["label"] = word.into();
        }
        let _ = Events::parse(&body.to_string());
    }
}
