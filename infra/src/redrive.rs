//! Puts messages that were given up back into the queue between rule and function.
//!
//! A message is received, sent, and only then deleted: whoever dies in between leaves it twice,
//! which capture takes as one, and never loses it. SQS's own way of moving messages serves only
//! queues that another queue gives up to, not the one that EventBridge does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageAttributeValue, SendMessageBatchRequestEntry,
};
use ssmbak_core::domain::event::EventError;
use ssmbak_core::domain::{Event, EventKind, Instant};

use crate::aws::AwsError;
use crate::health::{DEAD_LETTER_QUEUE_URL, Depth, QUEUE_URL, RULE_DEAD_LETTER_QUEUE_URL, depth};
use crate::stack::{self, StackError};
use crate::stack_name::StackName;

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

/// A queue that messages are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Where the queue puts what was tried in vain.
    DeadLetters,
    /// Where EventBridge puts what it could not hand over.
    Undelivered,
}

impl Source {
    /// Both.
    pub const ALL: [Self; 2] = [Self::DeadLetters, Self::Undelivered];

    fn output(self) -> &'static str {
        match self {
            Self::DeadLetters => DEAD_LETTER_QUEUE_URL,
            Self::Undelivered => RULE_DEAD_LETTER_QUEUE_URL,
        }
    }
}

/// What a message tells. Nothing else of its body is ever shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An event about a parameter.
    Event {
        /// The parameter's name.
        name: String,
        /// `Create`, `Update`, `Delete`, `LabelParameterVersion`; `Look` where the event only says
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
        match Event::parse(body) {
            Ok(event) => Self::Event {
                name: event.name.to_string(),
                operation: operation(&event.kind),
                time: event.origin.time,
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

    fn is_event(&self) -> bool {
        matches!(self, Self::Event { .. })
    }
}

fn operation(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Written { creates: true, .. } => "Create",
        EventKind::Written { creates: false, .. } => "Update",
        EventKind::Deleted { .. } => "Delete",
        EventKind::Labelled { .. } => "LabelParameterVersion",
        EventKind::Tagged { .. } => "Tags",
        EventKind::Look => "Look",
        EventKind::Nothing => "Nothing",
    }
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It would be put back.
    Movable,
    /// It was put back.
    Moved,
    /// It was left where it was: it would only come again.
    Left,
    /// It could not be put back, and is where it was.
    Failed(String),
    /// It was put back and could not be deleted: it is there twice, which does no harm.
    Twice(String),
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Where it was.
    pub source: Source,
    /// Its id there.
    pub id: String,
    /// What it tells.
    pub content: Content,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of the messages of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The queue.
    pub source: Source,
    /// How many were there, as far as SQS told at the start, and never less than were seen.
    pub found: u64,
    /// Some of them were never received, though they are still there: another one has them.
    pub unseen: u64,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Report {
    /// Every message that was seen, in the order of receiving.
    pub seen: Vec<Seen>,
    /// A line for each queue that was looked at to its end.
    pub tallies: Vec<Tally>,
}

impl Report {
    /// Returns how many messages of a queue had an outcome.
    pub fn count(&self, source: Source, wanted: impl Fn(&Outcome) -> bool) -> u64 {
        let of_it = self.seen.iter().filter(|one| one.source == source);
        of_it.filter(|one| wanted(&one.outcome)).map(|_| 1).sum()
    }

    /// Returns whether anything that was to be put back was not, or is there twice.
    pub fn has_failures(&self) -> bool {
        let failed = |one: &Seen| matches!(one.outcome, Outcome::Failed(_) | Outcome::Twice(_));
        self.seen.iter().any(failed) || self.tallies.iter().any(|tally| tally.unseen > 0)
    }
}

/// What to do with messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Only look at them.
    pub dry_run: bool,
    /// Put those back, too, that cannot be understood.
    pub all: bool,
}

/// Puts the messages of both queues of a stack back; see the module.
///
/// Each message once: no more than were there at the start. `cancel` ends it between two batches.
/// `progress` is told the number of messages that are dealt with and of those that there are. What
/// was done stands in `report` even where this fails.
pub async fn redrive(
    sdk: &SdkConfig,
    stack: &StackName,
    options: Options,
    cancel: &AtomicBool,
    progress: &(dyn Fn(u64, u64) + Sync),
    report: &mut Report,
) -> Result<(), RedriveError> {
    let stack = stack::describe(sdk, stack).await?;
    let target = stack.output(QUEUE_URL)?;
    let client = Client::new(sdk);
    let mut found = Vec::new();
    for source in Source::ALL {
        let url = stack.output(source.output())?;
        let there: Depth = depth(&client, url).await?;
        found.push((source, url, there.total()));
    }
    let total = found.iter().map(|(_, _, count)| count).sum();
    for (source, url, count) in found {
        let before = u64::try_from(report.seen.len()).unwrap_or(u64::MAX);
        let mut run = Run {
            client: &client,
            source,
            from: url,
            target,
            options,
            held: HashMap::new(),
        };
        let told = |dealt_with: u64| progress(before + dealt_with, total);
        let done = run.all(count, cancel, &told, &mut report.seen).await;
        // What was not moved is shown again at once, not in half a minute.
        run.release().await;
        let unseen = done?;
        let seen = report.count(source, |_| true);
        report.tallies.push(Tally {
            source,
            found: count.max(seen),
            unseen,
        });
    }
    Ok(())
}

/// The messages of one queue.
struct Run<'a> {
    client: &'a Client,
    source: Source,
    from: &'a str,
    target: &'a str,
    options: Options,
    /// Every message that was received, by its id.
    held: HashMap<String, Held>,
}

/// A message that was received.
struct Held {
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
    async fn all(
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
    async fn release(&self) {
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

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// The stack does not tell its queues.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl RedriveError {
    /// Returns the way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Stack(error) => error.hint(),
            Self::Aws(error) => error.hint(),
        }
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

    #[test]
    fn a_report_counts_by_queue_and_outcome() {
        let seen = |source, outcome| Seen {
            source,
            id: "1".into(),
            content: Content::Unintelligible("not JSON"),
            outcome,
        };
        let mut report = Report {
            seen: vec![
                seen(Source::DeadLetters, Outcome::Moved),
                seen(Source::DeadLetters, Outcome::Left),
                seen(Source::Undelivered, Outcome::Moved),
            ],
            tallies: vec![],
        };
        let moved = |outcome: &Outcome| *outcome == Outcome::Moved;
        assert_eq!(report.count(Source::DeadLetters, moved), 1);
        assert_eq!(report.count(Source::DeadLetters, |_| true), 2);
        assert!(!report.has_failures());
        report.tallies.push(Tally {
            source: Source::DeadLetters,
            found: 4,
            unseen: 1,
        });
        assert!(report.has_failures());
        report.tallies.clear();
        let twice = Outcome::Twice("denied".into());
        report.seen.push(seen(Source::Undelivered, twice));
        assert!(report.has_failures());
    }
}
