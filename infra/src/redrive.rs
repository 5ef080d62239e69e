//! Puts messages that were given up back into the queue between rule and function.
//!
//! A message is received, sent, and only then deleted: whoever dies in between leaves it twice,
//! which capture takes as one, and never loses it. SQS's own way of moving messages serves only
//! queues that another queue gives up to, not the one that EventBridge does.

mod content;
mod run;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

use aws_config::SdkConfig;

pub use self::content::Content;
use self::run::Run;
use crate::aws::AwsError;
use crate::health::{DEAD_LETTER_QUEUE_URL, Depth, QUEUE_URL, RULE_DEAD_LETTER_QUEUE_URL, depth};
use crate::stack::{self, StackError};
use crate::stack_name::StackName;

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
    let client = ssmbak_core::told_client!(aws_sdk_sqs, sdk);
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
