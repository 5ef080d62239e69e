//! The event that announces a change, as AWS builds it.

use serde_json::Value as Json;

use super::model::{Change, Description, What};
use crate::events::{parameter_event, tag_event};

/// The event of a change. However often it is delivered, it is the same event:
/// build it once.
pub fn event_of(change: &Change) -> Json {
    let name = change.name.as_str();
    let at = change.at.millis();
    match &change.what {
        What::Written(version) => {
            let operation = if version.number == 1 {
                "Create"
            } else {
                "Update"
            };
            let mut event = parameter_event(name, operation, at);
            event["detail"]["type"] = version.kind.text().into();
            if let Description::Set(text) = &version.description_sent {
                event["detail"]["description"] = text.as_str().into();
            }
            event
        }
        What::Deleted => parameter_event(name, "Delete", at),
        What::Labelled { label, from, to } => {
            let mut event = parameter_event(name, "LabelParameterVersion", at);
            event["detail"]["label"] = label.as_str().into();
            let from = from.map(|number| number.to_string()).unwrap_or_default();
            event["detail"]["fromVersion"] = from.into();
            event["detail"]["toVersion"] = to.to_string().into();
            event
        }
        What::Tagged(tags) => {
            let tags: Vec<_> = tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            tag_event(name, &tags, at)
        }
    }
}
