//! Events of EventBridge, decoded. An event is only a hint: look at this name.

mod cloudtrail;

use serde_json::Value as Json;

use super::instant::Instant;
use super::name::{Name, NameError};
use super::record::Deleter;
use super::retained::Tags;

/// What is kept of an event in the records it led to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventRef {
    /// EventBridge's id; `CloudTrail`'s where that told.
    pub id: String,
    /// The event's own time, whole seconds.
    pub time: Instant,
}

/// An event about one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose change it tells of.
    pub name: Name,
    /// Its id and time.
    pub origin: EventRef,
    /// What it says happened.
    pub kind: EventKind,
}

/// What an event says happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A version was written.
    Written {
        /// `Create`, as opposed to `Update`.
        creates: bool,
        /// The parameter's type.
        parameter_type: String,
        /// Its description, where it has one.
        description: Option<String>,
    },
    /// The parameter was deleted.
    Deleted {
        /// The type it had.
        parameter_type: Option<String>,
    },
    /// A label was attached to a version.
    Labelled {
        /// The label.
        label: String,
        /// The version that had it before.
        from: Option<u64>,
        /// The version that has it now.
        to: u64,
    },
    /// Its tags changed.
    Tagged {
        /// All tags after the change; none where the event does not tell them.
        tags: Option<Tags>,
    },
    /// Somebody's call to delete it was told. Whether it is gone is another's
    /// to say.
    DeletedBy(Deleter),
    /// Something that may have changed the parameter: look at it.
    Look,
    /// Announced, but nothing was written.
    Nothing,
}

/// Why a message is no event that can ever be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The body is no JSON.
    #[error("the message is not JSON (line {line}, column {column})")]
    Json {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// A field is missing or of the wrong type.
    #[error("the event has no usable {0:?}")]
    Field(&'static str),
    /// The name is none.
    #[error("the event's parameter name is unusable")]
    Name(#[source] NameError),
    /// An operation nobody has heard of.
    #[error("the event's operation {0:?} is unknown")]
    Operation(String),
    /// Not from Parameter Store.
    #[error("the event is of kind {0:?}, not one about parameters")]
    DetailType(String),
}

/// What one message tells: an event about one parameter, or the same about
/// several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// The first.
    pub first: Event,
    /// The others; no name twice.
    pub others: Vec<Event>,
}

impl Events {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The same about each name that can be one; an error where none can.
    fn about(
        names: impl Iterator<Item = Result<Name, EventError>>,
        origin: &EventRef,
        kind: &EventKind,
    ) -> Result<Self, EventError> {
        let mut refused = EventError::Field("names");
        let mut usable: Vec<Name> = Vec::new();
        for name in names {
            match name {
                Ok(name) if usable.contains(&name) => {}
                Ok(name) => usable.push(name),
                Err(error) => refused = error,
            }
        }
        let mut events = usable.into_iter().map(|name| Event {
            name,
            origin: origin.clone(),
            kind: kind.clone(),
        });
        let first = events.next().ok_or(refused)?;
        Ok(Self {
            first,
            others: events.collect(),
        })
    }

    /// Decodes the JSON text of an EventBridge envelope. Fields that no schema
    /// lists are ignored.
    pub fn parse(body: &str) -> Result<Self, EventError> {
        let json: Json = serde_json::from_str(body).map_err(|e| EventError::Json {
            line: e.line(),
            column: e.column(),
        })?;
        let origin = EventRef {
            id: event_id(&json, "id")?,
            time: second(&json, "time")?,
        };
        let detail = json.get("detail").ok_or(EventError::Field("detail"))?;
        let (name, kind) = match text(&json, "detail-type")? {
            "Parameter Store Change" => (text(detail, "name")?.to_owned(), change(detail)?),
            "Parameter Store Policy Action" => {
                (text(detail, "parameter-name")?.to_owned(), EventKind::Look)
            }
            "Tag Change on Resource" => {
                let tags = all_tags(detail);
                (tagged_name(&json)?, EventKind::Tagged { tags })
            }
            "AWS API Call via CloudTrail" => return cloudtrail::deletion(detail),
            other => return Err(EventError::DetailType(other.chars().take(80).collect())),
        };
        let name = Name::parse(&name).map_err(EventError::Name);
        Self::about(std::iter::once(name), &origin, &kind)
    }
}

fn second(json: &Json, field: &'static str) -> Result<Instant, EventError> {
    let time = text(json, field)?.parse::<Instant>();
    let time = time.map_err(|_| EventError::Field(field))?;
    Ok(time.second_start())
}

/// The id goes into keys, so only what EventBridge sends is let through.
fn event_id(json: &Json, field: &'static str) -> Result<String, EventError> {
    let id = text(json, field)?;
    let usable =
        (1..=64).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    usable
        .then(|| id.to_owned())
        .ok_or(EventError::Field(field))
}

fn change(detail: &Json) -> Result<EventKind, EventError> {
    // A failed asynchronous write is announced all the same.
    if detail.get("exception").is_some_and(|e| !e.is_null()) {
        return Ok(EventKind::Nothing);
    }
    match text(detail, "operation")? {
        word @ ("Create" | "Update") => Ok(EventKind::Written {
            creates: word == "Create",
            parameter_type: text(detail, "type")?.to_owned(),
            description: optional(detail, "description"),
        }),
        "Delete" => Ok(EventKind::Deleted {
            parameter_type: optional(detail, "type"),
        }),
        "LabelParameterVersion" => labelled(detail),
        other => Err(EventError::Operation(other.chars().take(80).collect())),
    }
}

/// A label event that lacks its versions is still a reason to look.
fn labelled(detail: &Json) -> Result<EventKind, EventError> {
    let version = |field: &'static str| match detail.get(field) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(s)) if s.is_empty() => Ok(None),
        Some(Json::String(s)) => s.parse().map(Some).map_err(|_| EventError::Field(field)),
        Some(other) => other.as_u64().map(Some).ok_or(EventError::Field(field)),
    };
    let label = detail.get("label").and_then(Json::as_str);
    Ok(
        match (label, version("fromVersion")?, version("toVersion")?) {
            (Some(label), from, Some(to)) => EventKind::Labelled {
                label: label.to_owned(),
                from,
                to,
            },
            _ => EventKind::Look,
        },
    )
}

fn tagged_name(json: &Json) -> Result<String, EventError> {
    let arn = json
        .get("resources")
        .and_then(|r| r.get(0))
        .and_then(Json::as_str)
        .ok_or(EventError::Field("resources"))?;
    name_in_arn(arn).ok_or(EventError::Field("resources"))
}

fn name_in_arn(arn: &str) -> Option<String> {
    let (_, name) = arn.split_once(":parameter/")?;
    Some(format!("/{name}"))
}

/// A text that is there and not empty.
fn optional(json: &Json, field: &str) -> Option<String> {
    json.get(field)
        .and_then(Json::as_str)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
}

/// The event tells every tag that the resource has, not only the changed ones.
fn all_tags(detail: &Json) -> Option<Tags> {
    let tags = detail.get("tags")?.as_object()?.iter();
    let text = |value: &Json| value.as_str().map(str::to_owned);
    tags.map(|(key, value)| Some((key.clone(), text(value)?)))
        .collect()
}

fn text<'a>(json: &'a Json, field: &'static str) -> Result<&'a str, EventError> {
    json.get(field)
        .and_then(Json::as_str)
        .ok_or(EventError::Field(field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn envelope(detail_type: &str, detail: &Json) -> String {
        json!({
            "version": "0", "id": "0e3c8a4e-1", "detail-type": detail_type,
            "source": "aws.ssm", "account": "123456789012",
            "time": "2026-11-20T10:23:30Z", "region": "eu-west-1",
            "resources": ["arn:aws:ssm:eu-west-1:123456789012:parameter/foo"],
            "detail": detail, "a field nobody listed": [1, 2],
        })
        .to_string()
    }

    fn parse(body: &str) -> Result<Event, EventError> {
        Events::parse(body).map(|events| events.first)
    }

    fn change(detail: &Json) -> Result<Event, EventError> {
        parse(&envelope("Parameter Store Change", detail))
    }

    #[test]
    fn a_root_name_is_spelled_without_slash_in_events() {
        let event = change(
            &json!({"name": "foo", "type": "String", "operation": "Create", "new": {"x": 1}}),
        )
        .unwrap();
        assert_eq!(event.name.as_str(), "/foo");
        assert_eq!(
            event.kind,
            EventKind::Written {
                creates: true,
                parameter_type: "String".into(),
                description: None
            }
        );
    }

    #[test]
    fn an_exception_means_nothing_was_written() {
        let event = change(&json!({
            "name": "foo", "type": "String", "operation": "Update", "exception": "no such image"
        }))
        .unwrap();
        assert_eq!(event.kind, EventKind::Nothing);
    }

    #[test]
    fn a_first_label_has_no_former_version() {
        let event = change(&json!({
            "name": "/a/b", "type": "String", "operation": "LabelParameterVersion",
            "label": "prod", "fromVersion": "", "toVersion": "3"
        }))
        .unwrap();
        assert_eq!(
            event.kind,
            EventKind::Labelled {
                label: "prod".into(),
                from: None,
                to: 3
            }
        );
    }

    #[test]
    fn policy_actions_and_tag_changes_are_reasons_to_look() {
        let policy = envelope(
            "Parameter Store Policy Action",
            &json!({"policy-type": "Expiration", "parameter-name": "foo", "action-status": "Success"}),
        );
        assert_eq!(parse(&policy).unwrap().kind, EventKind::Look);
        let tagged = |detail: Json| {
            let event = parse(&envelope("Tag Change on Resource", &detail)).unwrap();
            assert_eq!(event.name.as_str(), "/foo");
            event.kind
        };
        let tags = None;
        assert_eq!(
            tagged(json!({"service": "ssm"})),
            EventKind::Tagged { tags: tags.clone() }
        );
        assert_eq!(
            tagged(json!({"service": "ssm", "tags": {"a": 1}})),
            EventKind::Tagged { tags }
        );
    }

    #[test]
    fn a_change_of_tags_tells_all_of_them() {
        let detail = json!({
            "changed-tag-keys": ["b", "gone"], "service": "ssm", "resource-type": "parameter",
            "version": 3, "tags": {"a": "1", "b": ""},
        });
        let event = parse(&envelope("Tag Change on Resource", &detail)).unwrap();
        let tags = Some(Tags::from([
            ("a".into(), "1".into()),
            ("b".into(), String::new()),
        ]));
        assert_eq!(event.kind, EventKind::Tagged { tags });
    }

    #[test]
    fn what_cannot_be_understood_says_why() {
        assert!(matches!(parse("{"), Err(EventError::Json { .. })));
        assert_eq!(parse("{}").unwrap_err(), EventError::Field("id"));
        let unknown = change(&json!({"name": "foo", "type": "String", "operation": "Rename"}));
        assert_eq!(unknown.unwrap_err(), EventError::Operation("Rename".into()));
        assert!(matches!(
            change(&json!({"name": "a/b", "type": "String", "operation": "Create"})),
            Err(EventError::Name(_))
        ));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(s in "\\PC{0,200}") {
            let _ = parse(&s);
        }

        #[test]
        fn any_detail_is_read_or_refused(name in "\\PC{0,20}", op in "\\PC{0,20}", to in "\\PC{0,20}") {
            let _ = change(&json!({"name": name, "type": "String", "operation": op, "toVersion": to, "label": "x"}));
        }
    }
}
