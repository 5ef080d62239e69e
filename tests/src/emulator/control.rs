//! The client of the launcher's control API.

use std::io;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use hyper::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::http;

/// Steers one emulator: its clock, its events, its queues.
#[derive(Debug, Clone)]
pub struct Control {
    base: String,
    account: Option<String>,
}

/// One change of a parameter: what really happened, to be compared with what was recorded.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// Rises from change to change.
    pub seq: u64,
    /// When it happened, by the emulator's clock.
    pub time_ms: i64,
    /// The canonical name, always with a leading slash.
    pub name: String,
    /// `Create`, `Update`, `Delete`, `LabelParameterVersion`, or `Published` for an event without a change.
    pub operation: String,
    /// The version written, labelled or (the newest one) deleted.
    pub version: Option<i64>,
    /// The type of that version.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// SHA-256 of the value in hexadecimal, for versions written.
    pub value_sha256: Option<String>,
    /// Who did it: what `LastModifiedUser` tells of versions.
    pub user: Option<String>,
    /// The label moved.
    pub label: Option<String>,
    /// The version it was on, as the event spells it: empty for none.
    pub from_version: Option<String>,
    /// The version it is on now.
    pub to_version: Option<String>,
    /// The whole event, as targets receive it.
    pub event: Value,
    /// Whether the event was lost on purpose.
    pub dropped: bool,
    /// How many times the event was delivered so far.
    pub deliveries: u32,
}

/// How events are delivered; what is `None` stays as it is.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Delivery {
    /// The delay of each delivery.
    pub delay_ms: Option<u64>,
    /// The most that a random further delay may add: it reorders events.
    pub jitter_ms: Option<u64>,
    /// The probability that an event is delivered twice.
    pub duplicate: Option<f64>,
    /// The probability that an event is never delivered.
    pub drop: Option<f64>,
    /// Whether events wait for [`Control::release`].
    pub hold: Option<bool>,
    /// Starts the randomness anew.
    pub seed: Option<u64>,
}

/// Whether anything is still on its way.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Quiet {
    /// No message in any queue but the dead-letter queues, no delivery due, no function at work. Held events do not count.
    pub quiet: bool,
    /// Deliveries that are due later.
    pub pending: u32,
    /// Events that wait for a release.
    pub held: u32,
    /// Functions at work.
    pub invocations: u32,
    /// Every queue of the emulator.
    pub queues: Vec<Queue>,
}

/// The messages in one queue.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Queue {
    /// The ARN of the queue.
    pub arn: String,
    /// Messages that can be received.
    pub ready: u32,
    /// Messages received and not yet deleted or visible again.
    pub in_flight: u32,
    /// Messages sent with a delay.
    pub delayed: u32,
    /// Whether another queue, or a rule's target, gives up messages to it.
    pub dead_letter: bool,
}

/// A message that lies in a queue.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Its body.
    pub body: String,
    /// How often it was received.
    pub receive_count: u32,
}

/// A right that somebody did not have when they needed it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The action, as IAM names it.
    pub action: String,
    /// What it was for.
    pub resource: String,
}

impl Control {
    pub(crate) fn new(endpoint: &str) -> Self {
        Self {
            base: format!("{endpoint}/_ssmbak"),
            account: None,
        }
    }

    /// Acts for another account: what it publishes and which reads it makes stale belong to that one.
    #[must_use]
    pub fn for_account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// Returns the emulator's instant.
    pub async fn now_ms(&self) -> io::Result<i64> {
        instant(&self.get("clock").await?)
    }

    /// Stops the clock at an instant.
    pub async fn set_clock(&self, instant_ms: i64) -> io::Result<i64> {
        instant(&self.post("clock/set", json!({"ms": instant_ms})).await?)
    }

    /// Moves the clock on; one that ran is stopped at the result.
    pub async fn advance_clock(&self, step_ms: i64) -> io::Result<i64> {
        instant(&self.post("clock/advance", json!({"ms": step_ms})).await?)
    }

    /// Lets the clock run with real time again.
    pub async fn free_clock(&self) -> io::Result<i64> {
        instant(&self.post("clock/real", json!({})).await?)
    }

    /// Changes how events are delivered from now on.
    pub async fn set_delivery(&self, delivery: &Delivery) -> io::Result<()> {
        let wanted = serde_json::to_value(delivery).map_err(io::Error::other)?;
        self.post("delivery", wanted).await.map(drop)
    }

    /// Collects events from now on, instead of delivering them; or no longer does.
    pub async fn hold(&self, hold: bool) -> io::Result<()> {
        let delivery = Delivery {
            hold: Some(hold),
            ..Delivery::default()
        };
        self.set_delivery(&delivery).await
    }

    /// Delivers the events that were held, in order or shuffled; returns how many.
    pub async fn release(&self, shuffle: bool) -> io::Result<u64> {
        count(
            &self.post("release", json!({"shuffle": shuffle})).await?,
            "delivered",
        )
    }

    /// Delivers the events of these changes, or of all, once more under their own ids; returns how many.
    pub async fn replay(&self, changes: Option<&[u64]>, shuffle: bool) -> io::Result<u64> {
        let wanted = json!({"seqs": changes, "shuffle": shuffle});
        count(&self.post("replay", wanted).await?, "delivered")
    }

    /// Sends an event that no change stands behind, of `Parameter Store Change` unless another type is given.
    pub async fn publish(&self, detail: Value, detail_type: Option<&str>) -> io::Result<Change> {
        let wanted = json!({"detail": detail, "detail_type": detail_type});
        decode(self.post("publish", wanted).await?)
    }

    /// Returns every change since the last clearing, in order.
    pub async fn changes(&self) -> io::Result<Vec<Change>> {
        decode(self.post("changes", json!({})).await?["changes"].take())
    }

    /// Returns every change of one name or of the names below one path, in order.
    pub async fn changes_under(&self, prefix: &str) -> io::Result<Vec<Change>> {
        let mut changes = self.changes().await?;
        changes.retain(|change| change.name.starts_with(prefix));
        Ok(changes)
    }

    /// Forgets all changes, held and pending events included.
    pub async fn clear(&self) -> io::Result<()> {
        self.post("clear", json!({})).await.map(drop)
    }

    /// Puts the whole emulator back to its first state: every service, the clock, the delivery.
    pub async fn reset(&self) -> io::Result<()> {
        self.post("reset", json!({})).await.map(drop)
    }

    /// Tells whether anything is still on its way.
    pub async fn quiet(&self) -> io::Result<Quiet> {
        decode(self.get("quiet").await?)
    }

    /// Waits until nothing is on its way; an error when that takes longer than `limit`.
    pub async fn wait_until_quiet(&self, limit: Duration) -> io::Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            let state = self.quiet().await?;
            if state.quiet {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!(
                    "not quiet after {limit:?}: {state:?}"
                )));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Makes messages that a function failed visible at once, without waiting for
    /// their visibility timeout; returns how many. None while a function is at work.
    pub async fn redeliver(&self) -> io::Result<u64> {
        count(&self.post("redeliver", json!({})).await?, "messages")
    }

    /// Returns the messages that lie in a queue, without receiving them.
    pub async fn messages(&self, queue_arn: &str) -> io::Result<Vec<Message>> {
        decode(self.post("messages", json!({"arn": queue_arn})).await?["messages"].take())
    }

    /// Denies decryption with a key (`KeyId` as it was put), or allows it again.
    pub async fn deny_key(&self, key_id: &str, deny: bool) -> io::Result<()> {
        let wanted = json!({"key_id": key_id, "deny": deny});
        self.post("deny_key", wanted).await.map(drop)
    }

    /// Takes a key (`KeyId` as it was put) away for good: nothing can be decrypted with it any more.
    pub async fn lose_key(&self, key_id: &str) -> io::Result<()> {
        let wanted = json!({"key_id": key_id, "deny": true, "error": "KMS.NotFoundException"});
        self.post("deny_key", wanted).await.map(drop)
    }

    /// Lets the next `reads` gets and histories of a name answer what they did before its newest change.
    pub async fn stale_reads(&self, name: &str, reads: u32) -> io::Result<()> {
        let wanted = json!({"name": name, "reads": reads});
        self.post("stale", wanted).await.map(drop)
    }

    /// Lets every rule with a rate fire at once, whatever its interval; returns how many there are.
    pub async fn fire_schedules(&self) -> io::Result<u64> {
        count(&self.post("schedules", json!({})).await?, "rules")
    }

    /// Sends the AWS calls of functions to another endpoint, a proxy; running ones are ended.
    pub async fn set_function_endpoint(&self, endpoint: &str) -> io::Result<()> {
        let wanted = json!({"endpoint": endpoint});
        self.post("function_endpoint", wanted).await.map(drop)
    }

    /// Returns what a function calls AWS with: where IAM is enforced, a session of its role.
    pub async fn function_credentials(&self, function: &str) -> io::Result<Credentials> {
        let wanted = json!({"function": function});
        let held = self.post("function_credentials", wanted).await?;
        let text = |name: &str| held[name].as_str().unwrap_or_default().to_owned();
        let token = Some(text("AWS_SESSION_TOKEN")).filter(|token| !token.is_empty());
        let (key, secret) = (text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"));
        Ok(Credentials::new(key, secret, token, None, "function"))
    }

    /// Returns the document of a managed policy, as IAM judges by it.
    pub async fn policy(&self, arn: &str) -> io::Result<Value> {
        let mut told = self.post("policies", json!({"arn": arn})).await?;
        Ok(told["policies"][0].take())
    }

    /// Returns the documents of a function's role, those of its managed policies included.
    pub async fn function_policies(&self, function: &str) -> io::Result<Vec<Value>> {
        let wanted = json!({"function": function});
        decode(self.post("policies", wanted).await?["policies"].take())
    }

    /// Returns what the holder of an access key was refused so far, whatever the answers said.
    pub async fn refused(&self, access_key: &str) -> io::Result<Vec<Refusal>> {
        let wanted = json!({"key": access_key});
        decode(self.post("refused", wanted).await?["refused"].take())
    }

    /// Returns the lines of a log group, of one stream after the other.
    pub async fn log_lines(&self, group: &str) -> io::Result<Vec<String>> {
        decode(self.post("log_lines", json!({"group": group})).await?["lines"].take())
    }

    async fn get(&self, route: &str) -> io::Result<Value> {
        http::call(Method::GET, &format!("{}/{route}", self.base), None).await
    }

    async fn post(&self, route: &str, mut body: Value) -> io::Result<Value> {
        if let Some(account) = &self.account {
            body["account"] = account.as_str().into();
        }
        http::call(Method::POST, &format!("{}/{route}", self.base), Some(&body)).await
    }
}

fn decode<T: DeserializeOwned>(answer: Value) -> io::Result<T> {
    serde_json::from_value(answer).map_err(io::Error::other)
}

fn instant(answer: &Value) -> io::Result<i64> {
    answer["now_ms"]
        .as_i64()
        .ok_or_else(|| io::Error::other("no instant in the answer"))
}

fn count(answer: &Value, field: &str) -> io::Result<u64> {
    answer[field]
        .as_u64()
        .ok_or_else(|| io::Error::other(format!("no {field} in the answer")))
}
