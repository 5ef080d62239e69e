//! A batch of SQS messages, sorted into the names they are about.

use std::collections::BTreeMap;

use aws_lambda_events::event::sqs::SqsMessage;
use ssmbak_core::domain::{Event, EventKind, Name};

/// An event and the message that brought it.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) message_id: String,
    pub(crate) event: Event,
}

/// A batch, decoded.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Events by name, each name's in order of their own time.
    pub(crate) names: BTreeMap<Name, Vec<Delivered>>,
    /// Messages that can never be understood.
    pub(crate) unintelligible: Vec<String>,
}

impl Batch {
    /// Decodes every message; one that cannot be understood is logged by its
    /// id and stays alone in its fate.
    pub(crate) fn decode(messages: Vec<SqsMessage>) -> Self {
        let mut batch = Self::default();
        for message in messages {
            // Without an id the whole batch has to come again: that is what an
            // empty identifier means to Lambda.
            let message_id = message.message_id.unwrap_or_default();
            match Event::parse(message.body.as_deref().unwrap_or_default()) {
                Ok(event) if event.kind == EventKind::Nothing => {
                    tracing::info!(name = %event.name, "announced, but nothing was written");
                }
                Ok(event) => {
                    let delivered = Delivered { message_id, event };
                    let name = delivered.event.name.clone();
                    batch.names.entry(name).or_default().push(delivered);
                }
                Err(error) => {
                    tracing::error!(message_id, %error, "the message cannot be understood; it goes to the dead-letter queue");
                    batch.unintelligible.push(message_id);
                }
            }
        }
        for events in batch.names.values_mut() {
            events.sort_by(|a, b| {
                let key = |d: &Delivered| (d.event.origin.time, d.event.origin.id.clone());
                key(a).cmp(&key(b))
            });
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, body: &str) -> SqsMessage {
        let json = serde_json::json!({"messageId": id, "body": body});
        serde_json::from_value(json).unwrap()
    }

    fn event(id: &str, name: &str, time: &str) -> String {
        serde_json::json!({
            "id": id, "time": time, "detail-type": "Parameter Store Change",
            "detail": {"name": name, "type": "String", "operation": "Update"},
        })
        .to_string()
    }

    #[test]
    fn events_of_one_name_come_in_order_and_rubbish_stands_alone() {
        let batch = Batch::decode(vec![
            message("1", &event("b", "/x", "2026-11-20T10:00:02Z")),
            message("2", "rubbish"),
            message("3", &event("a", "x", "2026-11-20T10:00:01Z")),
            message("4", &event("c", "/y", "2026-11-20T10:00:00Z")),
        ]);
        assert_eq!(batch.unintelligible, ["2"]);
        let x = &batch.names[&Name::parse("/x").unwrap()];
        let ids: Vec<_> = x.iter().map(|d| d.message_id.as_str()).collect();
        assert_eq!(ids, ["3", "1"]);
        assert_eq!(batch.names.len(), 2);
    }
}
