//! Calls that `CloudTrail` tells of: who asked for a deletion, and from where.
//!
//! Written after `CloudTrail`'s documentation; no event of AWS has been seen by
//! this code yet.

use serde_json::Value as Json;

use super::{EventError, EventKind, EventRef, Events, event_id, name_in_arn, optional, text};
use crate::domain::name::Name;
use crate::domain::record::Deleter;

/// An ARN of IAM is never longer.
const BY_CHARS_MAX: usize = 2_048;
/// Longer than any address and any service's name.
const FROM_CHARS_MAX: usize = 256;

/// Parameter Store deletes no more at once. A longer list was made up, and would
/// be work without end.
const NAMES_MAX: usize = 10;

/// Decodes the detail of an `AWS API Call via CloudTrail`: an event for each
/// parameter that the call named.
///
/// Its id and time are those of the call. What a list names that no parameter
/// can be called, Parameter Store has answered as invalid: it is left out,
/// unless nothing else is named.
pub(super) fn deletion(detail: &Json) -> Result<Events, EventError> {
    let origin = EventRef {
        id: event_id(detail, "eventID")?,
        time: super::second(detail, "eventTime")?,
    };
    let asked = detail
        .get("requestParameters")
        .ok_or(EventError::Field("requestParameters"))?;
    let failed = detail.get("errorCode").is_some_and(|e| !e.is_null());
    let (asked, deleted) = match text(detail, "eventName")? {
        "DeleteParameter" => {
            let names = vec![text(asked, "name")?];
            (names.clone(), names)
        }
        "DeleteParameters" => {
            let mut names = listed(asked, "names")?.ok_or(EventError::Field("names"))?;
            if failed {
                // It may have failed for that.
                names.truncate(NAMES_MAX);
            }
            let names = Some(names).filter(|names| names.len() <= NAMES_MAX);
            let names = names.ok_or(EventError::Field("names"))?;
            (names.clone(), deleted(detail, names)?)
        }
        other => return Err(EventError::Operation(other.chars().take(80).collect())),
    };
    let (names, kind) = if failed || deleted.is_empty() {
        (asked, EventKind::Nothing)
    } else {
        (deleted, EventKind::DeletedBy(deleter(detail)))
    };
    Events::about(names.into_iter().map(name), &origin, &kind)
}

/// What the call deleted; where its answer does not tell that, what it was to
/// delete, but for what was answered as invalid.
fn deleted<'a>(detail: &'a Json, asked: Vec<&'a str>) -> Result<Vec<&'a str>, EventError> {
    let answer = detail.get("responseElements").unwrap_or(&Json::Null);
    let answered = |field: &'static str| match listed(answer, field)? {
        Some(names) if names.len() > NAMES_MAX => Err(EventError::Field(field)),
        names => Ok(names),
    };
    if let Some(deleted) = answered("deletedParameters")? {
        return Ok(deleted);
    }
    let invalid = answered("invalidParameters")?.unwrap_or_default();
    let is_same = |a: &str, b: &str| {
        let same = name(a).ok().zip(name(b).ok());
        a == b || same.is_some_and(|(a, b)| a == b)
    };
    let was_there = |told: &&str| !invalid.iter().any(|other| is_same(told, other));
    Ok(asked.into_iter().filter(was_there).collect())
}

/// A list of texts; none where it is missing or null.
fn listed<'a>(json: &'a Json, field: &'static str) -> Result<Option<Vec<&'a str>>, EventError> {
    let Some(list) = json.get(field).filter(|list| !list.is_null()) else {
        return Ok(None);
    };
    let texts = list.as_array().map(|list| list.iter().map(Json::as_str));
    let texts: Option<Vec<&str>> = texts.and_then(Iterator::collect);
    texts.map(Some).ok_or(EventError::Field(field))
}

/// A parameter may also be called by its ARN.
fn name(told: &str) -> Result<Name, EventError> {
    let parsed = match name_in_arn(told).filter(|_| told.starts_with("arn:")) {
        Some(name) => Name::parse(&name),
        None => Name::parse(told),
    };
    parsed.map_err(EventError::Name)
}

/// Of an assumed role the session's ARN, which also tells the role; of a
/// caller without an ARN what names it best.
fn deleter(detail: &Json) -> Deleter {
    let identity = detail.get("userIdentity").unwrap_or(&Json::Null);
    let issuer = identity.pointer("/sessionContext/sessionIssuer");
    let by = optional(identity, "arn")
        .or_else(|| optional(issuer?, "arn"))
        .or_else(|| optional(identity, "invokedBy"))
        .or_else(|| optional(identity, "principalId"))
        .or_else(|| optional(identity, "accountId"));
    let cut = |text: String, most: usize| text.chars().take(most).collect();
    Deleter {
        by: by.map(|by| cut(by, BY_CHARS_MAX)),
        from: optional(detail, "sourceIPAddress").map(|from| cut(from, FROM_CHARS_MAX)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::Instant;

    const BODY: &str = "1c3e9d0a-6a3c-4f0e-9b7e-0d6a2f3b4c5d";

    fn call(name: &str, detail: &Json) -> Json {
        let mut whole = json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROAEXAMPLE:ann",
                "arn": "arn:aws:sts::123456789012:assumed-role/admin/ann",
                "accountId": "123456789012",
                "sessionContext": {"sessionIssuer": {
                    "type": "Role", "arn": "arn:aws:iam::123456789012:role/admin"}},
            },
            "eventTime": "2026-11-20T10:30:12Z",
            "eventSource": "ssm.amazonaws.com",
            "eventName": name,
            "awsRegion": "eu-west-1",
            "sourceIPAddress": "203.0.113.7",
            "userAgent": "aws-cli/2",
            "responseElements": null,
            "requestID": "x",
            "eventID": BODY,
            "eventType": "AwsApiCall",
        });
        for (key, value) in detail.as_object().unwrap() {
            whole[key] = value.clone();
        }
        whole
    }

    fn parse(detail: &Json) -> Result<Events, EventError> {
        let envelope = json!({
            "version": "0", "id": "the-envelope-s-own", "source": "aws.ssm",
            "detail-type": "AWS API Call via CloudTrail", "account": "123456789012",
            "time": "2026-11-20T10:31:00Z", "region": "eu-west-1", "resources": [],
            "detail": detail,
        });
        Events::parse(&envelope.to_string())
    }

    fn names(events: &Events) -> Vec<&str> {
        events.iter().map(|e| e.name.as_str()).collect()
    }

    #[test]
    fn the_call_tells_who_from_where_and_when() {
        let one = json!({"requestParameters": {"name": "foo"}});
        let events = parse(&call("DeleteParameter", &one)).unwrap();
        assert_eq!(names(&events), ["/foo"]);
        let first = &events.first;
        assert_eq!(first.origin.id, BODY);
        let at: Instant = "2026-11-20T10:30:12.000Z".parse().unwrap();
        assert_eq!(first.origin.time, at);
        let told = EventKind::DeletedBy(Deleter {
            by: Some("arn:aws:sts::123456789012:assumed-role/admin/ann".into()),
            from: Some("203.0.113.7".into()),
        });
        assert_eq!(first.kind, told);
    }

    #[test]
    fn one_call_can_name_many_and_by_their_arns() {
        let many = json!({"requestParameters": {"names": [
            "/a/b", "arn:aws:ssm:eu-west-1:123456789012:parameter/a/c",
            "arn:aws:ssm:eu-west-1:123456789012:parameter/root", "/a/b",
        ]}});
        let events = parse(&call("DeleteParameters", &many)).unwrap();
        assert_eq!(names(&events), ["/a/b", "/a/c", "/root"]);
        assert!(events.iter().all(|e| e.kind == events.first.kind));
    }

    #[test]
    fn of_a_list_only_what_was_deleted_and_can_be_a_name_counts() {
        let told = json!({"names": ["/a", "a/b", "/c"]});
        let asked = json!({"requestParameters": told});
        let events = parse(&call("DeleteParameters", &asked)).unwrap();
        assert_eq!(names(&events), ["/a", "/c"]);
        let answered = json!({
            "requestParameters": told,
            "responseElements": {"deletedParameters": ["/c"], "invalidParameters": ["/a", "a/b"]},
        });
        let events = parse(&call("DeleteParameters", &answered)).unwrap();
        assert_eq!(names(&events), ["/c"]);
        let none = json!({"requestParameters": {"names": ["a/b"]}});
        let refused = parse(&call("DeleteParameters", &none)).unwrap_err();
        assert!(matches!(refused, EventError::Name(_)), "{refused}");
    }

    #[test]
    fn a_call_that_found_nothing_to_delete_deleted_nothing() {
        let of = |answer: Json| {
            let detail = json!({
                "requestParameters": {"names": ["/a", "b"]}, "responseElements": answer,
            });
            parse(&call("DeleteParameters", &detail))
        };
        for answer in [
            json!({"deletedParameters": [], "invalidParameters": ["/a", "b"]}),
            json!({"deletedParameters": []}),
            json!({"invalidParameters": ["/a", "/b"]}),
        ] {
            let events = of(answer.clone()).unwrap();
            assert_eq!(names(&events), ["/a", "/b"]);
            assert!(
                events.iter().all(|e| e.kind == EventKind::Nothing),
                "{answer}"
            );
        }
        // Where the answer leaves out what was deleted, it is the rest.
        for answer in [
            json!({"invalidParameters": ["/b"]}),
            json!({"deletedParameters": null, "invalidParameters": ["b"]}),
        ] {
            let events = of(answer).unwrap();
            assert_eq!(names(&events), ["/a"]);
            assert_ne!(events.first.kind, EventKind::Nothing);
        }
        let unusable = of(json!({"deletedParameters": "/a"})).unwrap_err();
        assert_eq!(unusable, EventError::Field("deletedParameters"));
    }

    #[test]
    fn a_call_that_failed_deleted_nothing() {
        let failed = json!({
            "requestParameters": {"name": "/a"}, "errorCode": "ParameterNotFoundException",
        });
        let events = parse(&call("DeleteParameter", &failed)).unwrap();
        assert_eq!(events.first.kind, EventKind::Nothing);
        let not = json!({"requestParameters": {"name": "/a"}, "errorCode": null});
        let events = parse(&call("DeleteParameter", &not)).unwrap();
        assert_ne!(events.first.kind, EventKind::Nothing);
    }

    #[test]
    fn a_caller_without_an_arn_is_named_as_well_as_can_be() {
        let by = |identity: Json| {
            let detail = json!({"requestParameters": {"name": "/a"}, "userIdentity": identity});
            let told = parse(&call("DeleteParameter", &detail)).unwrap().first.kind;
            let EventKind::DeletedBy(deleter) = told else {
                panic!("{told:?}");
            };
            deleter.by
        };
        let issuer = json!({"sessionContext": {"sessionIssuer": {"arn": "arn:role"}}});
        assert_eq!(by(issuer).as_deref(), Some("arn:role"));
        let service = json!({"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"});
        assert_eq!(by(service).as_deref(), Some("cloudformation.amazonaws.com"));
        assert_eq!(by(json!({"accountId": "1"})).as_deref(), Some("1"));
        assert_eq!(by(Json::Null), None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let field = |name: &str, detail: Json| parse(&call(name, &detail)).unwrap_err();
        let one = json!({"requestParameters": {"name": "/a"}, "eventID": "a/b"});
        assert_eq!(field("DeleteParameter", one), EventError::Field("eventID"));
        let none = json!({"requestParameters": {}});
        assert_eq!(
            field("DeleteParameter", none.clone()),
            EventError::Field("name")
        );
        assert_eq!(
            field("DeleteParameters", none.clone()),
            EventError::Field("names")
        );
        let other = EventError::Operation("PutParameter".into());
        assert_eq!(field("PutParameter", none), other);
    }

    proptest! {
        #[test]
        fn any_names_are_read_or_refused(names in prop::collection::vec("\\PC{0,20}", 0..12)) {
            let detail = json!({"requestParameters": {"names": names}});
            if let Ok(events) = parse(&call("DeleteParameters", &detail)) {
                prop_assert!(events.iter().count() <= names.len());
            }
        }
    }
}
