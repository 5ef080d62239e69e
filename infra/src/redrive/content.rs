//! Reads what a message tells, and no more of it than may be shown.

use ssmbak_core::domain::event::{EventError, Events};
use ssmbak_core::domain::{EventKind, Instant};

/// What a message tells. Nothing else of its body is ever shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An event about a parameter, or several.
    Event {
        /// The parameter's name; of several the first, and how many more.
        name: String,
        /// `Create`, `Update`, `Delete`, `LabelParameterVersion`, `Tags`, `DeletedBy`; `Look` where the event only says
        /// that something may have changed, `Nothing` where it says that nothing was written.
        operation: &'static str,
        /// The event's own time.
        time: Instant,
    },
    /// Nothing that the function will ever understand, and why.
    Unintelligible(&'static str),
}

impl Content {
    /// Reads a message's body.
    pub fn of(body: &str) -> Self {
        match Events::parse(body) {
            Ok(events) => Self::Event {
                name: names(&events),
                operation: operation(&events.first.kind),
                time: events.first.origin.time,
            },
            // Not the error's own text: it may repeat a part of the body.
            Err(error) => Self::Unintelligible(match error {
                EventError::Json { .. } => "not JSON",
                EventError::Field(_) => "not an event, or a field of it is missing",
                EventError::Name(_) => "the parameter's name is unusable",
                EventError::Operation(_) => "an operation that nobody knows",
                EventError::DetailType(_) => "not about a parameter",
            }),
        }
    }

    pub(super) fn is_event(&self) -> bool {
        matches!(self, Self::Event { .. })
    }
}

fn names(events: &Events) -> String {
    match events.others.len() {
        0 => events.first.name.to_string(),
        more => format!("{} and {more} more", events.first.name),
    }
}

fn operation(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Written { creates: true, .. } => "Create",
        EventKind::Written { creates: false, .. } => "Update",
        EventKind::Deleted { .. } => "Delete",
        EventKind::Labelled { .. } => "LabelParameterVersion",
        EventKind::Tagged { .. } => "Tags",
        EventKind::DeletedBy(_) => "DeletedBy",
        EventKind::Look => "Look",
        EventKind::Nothing => "Nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_tells_name_operation_and_time_and_nothing_else() {
        let event = r#"{"id": "a-1", "time": "2026-11-20T10:23:30Z",
            "detail-type": "Parameter Store Change",
            "detail": {"name": "foo", "type": "String", "operation": "Delete"}}"#;
        assert_eq!(
            Content::of(event),
            Content::Event {
                name: "/foo".into(),
                operation: "Delete",
                time: "2026-11-20T10:23:30Z".parse().unwrap(),
            }
        );
    }

    #[test]
    fn what_cannot_be_understood_is_never_repeated() {
        let unknown = r#"{"id": "a-1", "time": "2026-11-20T10:23:30Z",
            "detail-type": "hunter2", "detail": {}}"#;
        for body in ["hunter2", "{\"hunter2\": 1}", unknown] {
            let content = Content::of(body);
            assert!(!content.is_event());
            assert!(!format!("{content:?}").contains("hunter2"), "{content:?}");
        }
    }
}
