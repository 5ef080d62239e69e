//! One invocation: decode, capture each name, answer with what must come again.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use lambda_runtime::Error;
use serde::Deserialize;
use ssmbak_core::capture::{Captured, capture};
use ssmbak_core::domain::decide::Verdict;
use ssmbak_core::domain::{Event, Instant, Name, Path, Record, Source};
use ssmbak_core::drift::capture_tags;
use ssmbak_core::reconcile::reconcile_until;
use ssmbak_core::store::{StoreError, Stores};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::batch::{Batch, Delivered};
use crate::metrics::Metrics;

/// Initialisation has ten seconds; a service that is slow then may be quicker
/// when it is needed.
const WARM_UP_AT_MOST: Duration = Duration::from_secs(3);
/// What the function keeps of its time to answer for the names that are done,
/// when one takes too long.
const TIME_TO_ANSWER_MS: i64 = 5_000;

/// What a reconciliation keeps of its time for the captures that are under way,
/// throttled ones included; at most a quarter of it.
const TIME_TO_SETTLE_MS: i64 = 60_000;

/// Everything that lives from one invocation to the next.
#[derive(Debug)]
pub(crate) struct Handler {
    stores: Arc<Stores>,
    stack: String,
    format: OnceCell<()>,
}

/// A task that is not an SQS batch.
#[derive(Debug, Deserialize)]
#[serde(tag = "task", rename_all = "lowercase")]
enum Task {
    /// Reach everything that a capture needs: whoever deployed the function asks whether it works.
    Check,
    /// Compare what lives under a path with what is on record.
    Reconcile {
        /// The path; the root where none is given.
        #[serde(default = "Path::root")]
        path: Path,
        /// Read the tags of every parameter too.
        #[serde(default)]
        tags: bool,
    },
}

impl Handler {
    pub(crate) fn new(stores: Stores, stack: String) -> Self {
        Self {
            stores: Arc::new(stores),
            stack,
            format: OnceCell::new(),
        }
    }

    /// Opens a connection to each service while Lambda gives initialisation
    /// its full processor. What fails here fails again, and is told, later.
    pub(crate) async fn warm_up(&self) {
        let all = async {
            tokio::join!(
                self.check_format(),
                self.stores.bucket.check(),
                self.check_parameters()
            )
        };
        let Ok((format, bucket, parameters)) = timeout(WARM_UP_AT_MOST, all).await else {
            tracing::warn!("warming up took too long");
            return;
        };
        for error in [format, bucket, parameters]
            .into_iter()
            .filter_map(Result::err)
        {
            tracing::warn!(%error, "warming up");
        }
    }

    /// The table is claimed once; nothing is ever written to one of a newer
    /// format.
    async fn check_format(&self) -> Result<(), StoreError> {
        let claim = || self.stores.index.claim_format();
        self.format.get_or_try_init(claim).await.copied()
    }

    /// The stack's own parameter is the one that is surely there.
    async fn check_parameters(&self) -> Result<(), StoreError> {
        match Name::parse(&format!("/_ssmbak/{}/bucketname", self.stack)) {
            Ok(own) => self.stores.parameters.history(&own).await.map(|_| ()),
            Err(_) => Ok(()),
        }
    }

    /// Answers one invocation, before `deadline`.
    pub(crate) async fn handle(
        self: &Arc<Self>,
        input: serde_json::Value,
        deadline: Instant,
    ) -> Result<serde_json::Value, Error> {
        let handler = Arc::clone(self);
        told_without_its_panic(async move { handler.answer(input, deadline).await }).await
    }

    async fn answer(
        &self,
        input: serde_json::Value,
        deadline: Instant,
    ) -> Result<serde_json::Value, Error> {
        self.check_format().await?;
        if input.get("Records").is_some() {
            // Why not is not told: it repeats what the input holds.
            let batch: SqsEvent =
                serde_json::from_value(input).map_err(|_| "the records are no SQS batch")?;
            let answer = self
                .capture_batch(Batch::decode(batch.records), deadline)
                .await;
            return Ok(serde_json::to_value(answer)?);
        }
        match serde_json::from_value(input) {
            Ok(Task::Check) => self.check().await,
            Ok(Task::Reconcile { path, tags }) => self.reconcile(&path, tags, deadline).await,
            Err(_) => Err("neither an SQS batch nor a known task".into()),
        }
    }

    async fn capture_batch(&self, batch: Batch, deadline: Instant) -> SqsBatchResponse {
        let mut failed = batch.unintelligible;
        let mut metrics = Metrics::default();
        let left_ms = deadline.millis() - self.stores.now().millis() - TIME_TO_ANSWER_MS;
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
        let captures: Vec<_> = batch
            .names
            .into_iter()
            .map(|(name, delivered)| {
                let events: Vec<Event> = delivered.iter().map(|d| d.event.clone()).collect();
                let stores = Arc::clone(&self.stores);
                let of = name.clone();
                let task = apart(left, async move {
                    capture(&stores, &of, &events, Source::Event).await
                });
                (name, delivered, task)
            })
            .collect();
        for (name, delivered, task) in captures {
            match outcome(task).await {
                Ok(captured) => {
                    log(&name, &captured);
                    metrics.add(&captured);
                    failed.extend(to_come_again(&name, &delivered, &captured));
                }
                Err(why) => {
                    tracing::error!(%name, why, "not captured");
                    failed.extend(delivered.into_iter().map(|d| d.message_id));
                }
            }
        }
        metrics.emit(&self.stack, self.stores.now());
        answer(failed)
    }

    /// Tells the version of this code once table, bucket and Parameter Store have answered.
    async fn check(&self) -> Result<serde_json::Value, Error> {
        self.stores.bucket.check().await?;
        self.check_parameters().await?;
        Ok(serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "stack": self.stack,
        }))
    }

    /// Fails where it did not finish: Lambda starts it again twice, and it goes on.
    async fn reconcile(
        &self,
        path: &Path,
        tags: bool,
        deadline: Instant,
    ) -> Result<serde_json::Value, Error> {
        // Against half an index everything would look new. Captures need no such care: what
        // they cannot see in the index they find in the journal.
        self.stores.check_format().await?;
        let left_ms = deadline.millis() - self.stores.now().millis();
        let until = deadline.plus_millis(-TIME_TO_SETTLE_MS.min(left_ms / 4));
        let (source, progress) = (Source::Reconcile, |_: &Name, _| {});
        let mut report = reconcile_until(&self.stores, path, until, source, &progress).await?;
        if tags && report.left == 0 {
            let tags = capture_tags(&self.stores, path, true, source, &|_, _| {}).await?;
            tracing::info!(%path, read = tags.read, changed = tags.changed, "tags read");
            report.failures.extend(tags.failures);
        }
        for (name, error) in &report.failures {
            tracing::error!(%name, error, "not captured");
        }
        tracing::info!(%path, parameters = report.parameters, versions = report.versions,
            deletions = report.deletions, left = report.left, failures = report.failures.len(),
            "reconciled");
        if report.left > 0 {
            return Err(format!("no time for {} names: the next run goes on", report.left).into());
        }
        if !report.failures.is_empty() {
            return Err(format!("{} names could not be captured", report.failures.len()).into());
        }
        Ok(serde_json::json!({
            "parameters": report.parameters,
            "versions": report.versions,
            "deletions": report.deletions,
        }))
    }
}

type Apart<T, E> = JoinHandle<Result<Result<T, E>, Elapsed>>;

/// Starts work as a task of its own: a panic in one does not take the others
/// with it, and neither does one that is throttled for long.
fn apart<T, E>(
    left: Duration,
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Apart<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
{
    tokio::spawn(timeout(left, work))
}

/// What came of it, or why nothing did. What a panic said is not told: it may
/// hold a value.
async fn outcome<T, E: ToString>(task: Apart<T, E>) -> Result<T, String> {
    match task.await {
        Ok(Ok(result)) => result.map_err(|error| error.to_string()),
        Ok(Err(_)) => Err("it took too long".into()),
        Err(_) => Err("it panicked".into()),
    }
}

/// Does work as a task of its own. The runtime would catch a panic too, but answer with what it
/// said, which may hold a value.
async fn told_without_its_panic<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let result = tokio::spawn(work).await;
    result.unwrap_or_else(|_| Err("it panicked".into()))
}

/// The messages whose change nothing explains yet.
fn to_come_again(name: &Name, delivered: &[Delivered], captured: &Captured) -> Vec<String> {
    let retried = delivered
        .iter()
        .zip(&captured.verdicts)
        .filter(|(_, verdict)| **verdict == Verdict::Retry);
    retried
        .map(|(d, _)| {
            tracing::warn!(%name, event = d.event.origin.id, "nothing explains the event yet; it will be tried again");
            d.message_id.clone()
        })
        .collect()
}

/// One line a record.
fn log(name: &Name, captured: &Captured) {
    for record in &captured.records {
        let version = record.present().and_then(|w| w.version);
        tracing::info!(operation = %record.operation(), %name, version,
            at = %record.at, lag_ms = record.lag_ms(), "{}", what(record));
    }
}

fn what(record: &Record) -> &'static str {
    match record.present() {
        Some(w) if w.value.pointer().is_none() => "captured; the value is lost",
        _ => "captured",
    }
}

/// A message that is to come again for several names is told once.
fn answer(mut failed: Vec<String>) -> SqsBatchResponse {
    failed.sort_unstable();
    failed.dedup();
    let failures = failed.into_iter().map(|id| {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        failure
    });
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failures.collect();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn neither_a_panic_nor_a_slow_one_takes_the_others_with_it() {
        let panicking = apart::<u8, String>(LONG, async { panic!("a secret value") });
        let slow = apart::<u8, String>(Duration::ZERO, std::future::pending());
        let failing = apart::<u8, _>(LONG, async { Err("refused") });
        let last = apart::<_, String>(LONG, async {
            tokio::task::yield_now().await;
            Ok(1)
        });
        assert_eq!(outcome(panicking).await.unwrap_err(), "it panicked");
        assert_eq!(outcome(slow).await.unwrap_err(), "it took too long");
        assert_eq!(outcome(failing).await.unwrap_err(), "refused");
        assert_eq!(outcome(last).await, Ok(1));
    }

    #[tokio::test]
    async fn an_answer_never_tells_what_a_panic_said() {
        let panicking = told_without_its_panic::<u8>(async { panic!("a secret value") }).await;
        assert_eq!(panicking.unwrap_err().to_string(), "it panicked");
        let failing = told_without_its_panic::<u8>(async { Err("refused".into()) }).await;
        assert_eq!(failing.unwrap_err().to_string(), "refused");
        assert_eq!(told_without_its_panic(async { Ok(1) }).await.unwrap(), 1);
    }

    #[test]
    fn no_profile_makes_a_panic_end_the_process() {
        let workspace = include_str!("../../Cargo.toml");
        assert!(workspace.contains("[profile.release]"));
        assert!(!workspace.contains("panic = \"abort\""));
    }
}
