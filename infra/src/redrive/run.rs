//! Moves the messages of one queue: receive, send, and only then delete.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageAttributeValue, SendMessageBatchRequestEntry,
};

use super::{Content, Options, Outcome, Seen, Source};
use crate::aws::AwsError;
use crate::health::depth;

/// So many messages at once, whatever the call.
const BATCH: usize = 10;
/// What one call may send together, in bytes; the smaller of the limits that SQS has had.
const BATCH_BYTES: usize = 262_144;
/// How long a message that was received is hidden from others.
const HIDDEN_S: i32 = 30;
/// How long a receive waits. Without waiting it asks some of SQS's servers only, and misses messages.
const WAIT_S: i32 = 2;
/// So many receives in a row without a message end it.
const EMPTY_MAX: u32 = 2;
/// So many receives in a row that only brought what has been seen end it.
const STALE_MAX: u32 = 20;

/// The messages of one queue.
pub(super) struct Run<'a> {
    pub(super) client: &'a Client,
    pub(super) source: Source,
    pub(super) from: &'a str,
    pub(super) target: &'a str,
    pub(super) options: Options,
    /// Every message that was received, by its id.
    pub(super) held: HashMap<String, Held>,
}

/// A message that was received.
pub(super) struct Held {
    /// What the queue wants to hear when it is deleted or shown again; the newest one counts.
    receipt: String,
    /// Where it stands in the report.
    row: usize,
    /// It lies in the target, and must not be sent again.
    sent: bool,
    /// It is deleted.
    deleted: bool,
}

/// A message that is to be sent.
struct Outgoing {
    id: String,
    body: String,
    attributes: HashMap<String, MessageAttributeValue>,
}

impl Run<'_> {
    /// Deals with `count` messages at most; returns how many are there that were not received.
    pub(super) async fn all(
        &mut self,
        count: u64,
        cancel: &AtomicBool,
        progress: &(dyn Fn(u64) + Sync),
        rows: &mut Vec<Seen>,
    ) -> Result<u64, AwsError> {
        let (mut empty, mut stale) = (0, 0);
        while self.seen() < count && empty < EMPTY_MAX && stale < STALE_MAX {
            if cancel.load(Ordering::SeqCst) {
                return Ok(0);
            }
            let messages = self.receive(count - self.seen()).await?;
            if messages.is_empty() {
                empty += 1;
                if depth(self.client, self.from).await?.visible == 0 {
                    break;
                }
                continue;
            }
            let before = self.seen();
            let outgoing = self.take(messages, rows);
            empty = 0;
            stale = if self.seen() > before { 0 } else { stale + 1 };
            for some in batches(outgoing) {
                self.send(some, rows).await?;
            }
            self.delete(rows).await?;
            progress(self.seen());
        }
        let missing = count - self.seen().min(count);
        if missing == 0 {
            return Ok(0);
        }
        // The count is approximate, and another one may have dealt with them.
        let left = depth(self.client, self.from).await?.total();
        let own = self.held.values().filter(|held| !held.deleted).count();
        let own = u64::try_from(own).unwrap_or(u64::MAX);
        Ok(left.saturating_sub(own).min(missing))
    }

    fn seen(&self) -> u64 {
        u64::try_from(self.held.len()).unwrap_or(u64::MAX)
    }

    async fn receive(&self, wanted: u64) -> Result<Vec<Message>, AwsError> {
        let most = i32::try_from(wanted.min(BATCH as u64)).unwrap_or(1);
        let answer = self
            .client
            .receive_message()
            .queue_url(self.from)
            .max_number_of_messages(most)
            .visibility_timeout(HIDDEN_S)
            .wait_time_seconds(WAIT_S)
            .message_attribute_names("All")
            .send()
            .await
            .map_err(|e| AwsError::new("sqs:ReceiveMessage", e))?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Notes what was received; returns what is to be sent. A message that came once before is
    /// not sent again.
    fn take(&mut self, messages: Vec<Message>, rows: &mut Vec<Seen>) -> Vec<Outgoing> {
        let mut outgoing = Vec::new();
        for message in messages {
            let id = message.message_id.unwrap_or_default();
            let receipt = message.receipt_handle.unwrap_or_default();
            if let Some(known) = self.held.get_mut(&id) {
                known.receipt = receipt;
                continue;
            }
            let body = message.body.unwrap_or_default();
            let content = Content::of(&body);
            let outcome = match self.options {
                Options { all: false, .. } if !content.is_event() => Outcome::Left,
                Options { dry_run: true, .. } => Outcome::Movable,
                Options { .. } => {
                    outgoing.push(Outgoing {
                        id: id.clone(),
                        body,
                        attributes: message.message_attributes.unwrap_or_default(),
                    });
                    // Until the queue says otherwise.
                    Outcome::Failed("it was not sent".into())
                }
            };
            self.held.insert(
                id.clone(),
                Held {
                    receipt,
                    row: rows.len(),
                    sent: false,
                    deleted: false,
                },
            );
            rows.push(Seen {
                source: self.source,
                id,
                content,
                outcome,
            });
        }
        outgoing
    }

    /// Sends messages as they are. One that is refused stays where it was.
    async fn send(&mut self, messages: Vec<Outgoing>, rows: &mut [Seen]) -> Result<(), AwsError> {
        let ids: Vec<_> = messages.iter().map(|one| one.id.clone()).collect();
        let mut entries = Vec::new();
        for (number, one) in messages.into_iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .message_body(one.body)
                .set_message_attributes(Some(one.attributes).filter(|some| !some.is_empty()))
                .build();
            // An entry without an id or a body cannot be built: these have both.
            entries.extend(entry);
        }
        let answer = self
            .client
            .send_message_batch()
            .queue_url(self.target)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|e| AwsError::new("sqs:SendMessage", e))?;
        let numbered = |number: &str| number.parse().ok().and_then(|n: usize| ids.get(n));
        for refused in answer.failed() {
            if let Some(held) = numbered(refused.id()).and_then(|id| self.held.get(id)) {
                let why = refused.message().unwrap_or_else(|| refused.code());
                set(rows, held.row, Outcome::Failed(why.to_owned()));
            }
        }
        for sent in answer.successful() {
            if let Some(held) = numbered(sent.id()).and_then(|id| self.held.get_mut(id)) {
                held.sent = true;
                // Until the queue says otherwise.
                set(rows, held.row, Outcome::Twice("it was not deleted".into()));
            }
        }
        Ok(())
    }

    /// Deletes what was sent and is not deleted yet.
    async fn delete(&mut self, rows: &mut [Seen]) -> Result<(), AwsError> {
        let sent = self.held.iter().filter(|(_, one)| one.sent && !one.deleted);
        let sent: Vec<_> = sent
            .map(|(id, one)| (id.clone(), one.receipt.clone()))
            .collect();
        for some in sent.chunks(BATCH) {
            let mut entries = Vec::new();
            for (number, (_, receipt)) in some.iter().enumerate() {
                let entry = DeleteMessageBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(receipt);
                entries.extend(entry.build());
            }
            let answer = self
                .client
                .delete_message_batch()
                .queue_url(self.from)
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(|e| AwsError::new("sqs:DeleteMessage", e))?;
            let numbered = |number: &str| number.parse().ok().and_then(|n: usize| some.get(n));
            for refused in answer.failed() {
                let held = numbered(refused.id()).and_then(|(id, _)| self.held.get(id));
                if let Some(held) = held {
                    let why = refused.message().unwrap_or_else(|| refused.code());
                    set(rows, held.row, Outcome::Twice(why.to_owned()));
                }
            }
            for gone in answer.successful() {
                let held = numbered(gone.id()).and_then(|(id, _)| self.held.get_mut(id));
                if let Some(held) = held {
                    held.deleted = true;
                    set(rows, held.row, Outcome::Moved);
                }
            }
        }
        Ok(())
    }

    /// Shows what was not moved again. Where that fails it is shown in half a minute by itself.
    pub(super) async fn release(&self) {
        let left: Vec<_> = self.held.values().filter(|one| !one.deleted).collect();
        for some in left.chunks(BATCH) {
            let mut entries = Vec::new();
            for (number, one) in some.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(&one.receipt)
                    .visibility_timeout(0);
                entries.extend(entry.build());
            }
            let release = self
                .client
                .change_message_visibility_batch()
                .queue_url(self.from);
            let _ = release.set_entries(Some(entries)).send().await;
        }
    }
}

fn set(rows: &mut [Seen], row: usize, outcome: Outcome) {
    if let Some(row) = rows.get_mut(row) {
        row.outcome = outcome;
    }
}

/// Cuts messages into batches that one call may send.
fn batches(messages: Vec<Outgoing>) -> Vec<Vec<Outgoing>> {
    let mut batches: Vec<Vec<Outgoing>> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        let size = message.size();
        match batches.last_mut() {
            Some(last) if last.len() < BATCH && bytes + size <= BATCH_BYTES => {
                bytes += size;
                last.push(message);
            }
            _ => {
                bytes = size;
                batches.push(vec![message]);
            }
        }
    }
    batches
}

impl Outgoing {
    /// What it counts for: its body, and the names, types and values of its attributes.
    fn size(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| {
            name.len()
                + value.data_type().len()
                + value.string_value().map_or(0, str::len)
                + value.binary_value().map_or(0, |blob| blob.as_ref().len())
        });
        self.body.len() + attributes.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(id: usize, bytes: usize) -> Outgoing {
        Outgoing {
            id: id.to_string(),
            body: "x".repeat(bytes),
            attributes: HashMap::new(),
        }
    }

    fn sizes(lengths: &[usize]) -> Vec<usize> {
        let messages = lengths.iter().enumerate();
        let messages = messages.map(|(id, bytes)| outgoing(id, *bytes)).collect();
        batches(messages).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_batch_is_ten_messages_or_as_many_as_fit() {
        assert_eq!(sizes(&[]), Vec::<usize>::new());
        assert_eq!(sizes(&[1; 23]), [10, 10, 3]);
        assert_eq!(sizes(&[100_000; 5]), [2, 2, 1]);
        assert_eq!(sizes(&[BATCH_BYTES, 1, BATCH_BYTES]), [1, 1, 1]);
    }

    #[test]
    fn attributes_count_too() {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value("ab");
        let mut message = outgoing(0, 5);
        let attributes = HashMap::from([("NAME".to_owned(), value.build().unwrap())]);
        message.attributes = attributes;
        assert_eq!(message.size(), 5 + 4 + 6 + 2);
    }
}
