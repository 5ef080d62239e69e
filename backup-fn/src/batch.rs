//! A batch of SQS messages, sorted into the names they are about.

use std::collections::BTreeMap;

use aws_lambda_events::event::sqs::SqsMessage;
use ssmbak_core::domain::{Event, EventKind, Events, Name};

/// An event and the message that brought it. A message can bring the same about
/// several names: it comes again for all of them when one was not captured.
#[derive(Debug, Clone)]
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
            match Events::parse(message.body.as_deref().unwrap_or_default()) {
                Ok(events) => batch.sort_in(&message_id, &events),
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

    fn sort_in(&mut self, message_id: &str, events: &Events) {
        for event in events.iter() {
            if event.kind == EventKind::Nothing {
                tracing::info!(name = %event.name, "announced, but nothing was written");
                continue;
            }
            let of_name = self.names.entry(event.name.clone()).or_default();
            of_name.push(Delivered {
                message_id: message_id.to_owned(),
                event: event.clone(),
            });
        }
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
