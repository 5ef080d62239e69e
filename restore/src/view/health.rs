//! What `stack NAME status` and `redrive` show.

use std::collections::BTreeMap;

use serde::Serialize;
use ssmbak_core::domain::{Instant, Record};
use ssmbak_core::recency::Recency;

use crate::output::{Cell, Tone, View};
use ssmbak_infra::health::{Age, Alarm, Asked, Depth, Health, age};
use ssmbak_infra::redrive::{Content, Outcome, Seen, Source};
use ssmbak_infra::template;

/// How a stack does. A number that may not be read is null, and `NotRead` tells why.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StatusView {
    /// Its name.
    pub(crate) stack: String,
    /// `CREATE_COMPLETE` and so on.
    pub(crate) status: String,
    /// Why, where `CloudFormation` says so.
    pub(crate) status_reason: Option<String>,
    /// Its region.
    pub(crate) region: String,
    /// When it was created.
    pub(crate) created: Instant,
    /// When it was last updated; null where it never was.
    pub(crate) updated: Option<Instant>,
    /// The version of the tool whose function it runs; null where nobody knows.
    pub(crate) version: Option<String>,
    /// `arm64` or `x86_64`.
    pub(crate) architecture: Option<String>,
    /// The function that captures changes.
    pub(crate) function: Option<String>,
    /// The function that compares all on a schedule.
    pub(crate) reconcile_function: Option<String>,
    /// The schedule; null where there is none.
    pub(crate) reconcile_schedule: Option<String>,
    /// The bucket of values and journal.
    pub(crate) bucket: Option<String>,
    /// The table of the index.
    pub(crate) table: Option<String>,
    /// The key that both are encrypted with; null where there is none.
    pub(crate) key: Option<String>,
    /// Whether bucket and table were there before the stack.
    pub(crate) adopted: bool,
    /// For how many days an object is locked; 0 is off.
    pub(crate) object_lock_days: u64,
    /// `GOVERNANCE` or `COMPLIANCE`; null where it is off.
    pub(crate) object_lock_mode: Option<String>,
    /// After how many days a superseded value expires; 0 is off.
    pub(crate) superseded_days: u64,
    /// Messages in the queue: the three below together.
    pub(crate) waiting: Option<u64>,
    /// Those that can be received.
    pub(crate) waiting_visible: Option<u64>,
    /// Those that the function has.
    pub(crate) waiting_in_flight: Option<u64>,
    /// Those that were sent with a delay.
    pub(crate) waiting_delayed: Option<u64>,
    /// Messages that were tried in vain.
    pub(crate) dead_letters: Option<u64>,
    /// Events that could not be handed to the queue.
    pub(crate) undelivered: Option<u64>,
    /// When the last finished reconciliation of everything started; null where there was none.
    pub(crate) reconciled: Option<Instant>,
    /// Since when a name without a record is known not to exist; null where that is not known.
    pub(crate) covered_since: Option<Instant>,
    /// The newest change on record.
    pub(crate) last_change: Option<Instant>,
    /// How many seconds later than its event that change was recorded; null where no event told it.
    pub(crate) lag_seconds: Option<i64>,
    /// The stack's alarms; null where they may not be read.
    pub(crate) alarms: Option<Vec<AlarmView>>,
    /// Why a field above is null though there is something to be told.
    pub(crate) not_read: BTreeMap<&'static str, String>,
}

/// One alarm of a stack.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AlarmView {
    /// Its own name.
    pub(crate) name: String,
    /// `OK`, `ALARM`, `INSUFFICIENT_DATA`, or `MISSING`.
    pub(crate) state: String,
    /// Why, as `CloudWatch` says it.
    pub(crate) reason: Option<String>,
    /// Since when.
    pub(crate) since: Option<Instant>,
    /// Its name in the template.
    pub(crate) logical_id: String,
}

impl AlarmView {
    fn new(alarm: &Alarm) -> Self {
        Self {
            name: alarm.name.clone(),
            state: alarm.state.clone(),
            reason: alarm.reason.clone(),
            since: alarm.since.map(Instant::from),
            logical_id: alarm.logical_id.clone(),
        }
    }
}

impl StatusView {
    /// The view of how a stack does.
    pub(crate) fn new(health: &Health, record: &Result<Option<Recency>, String>) -> Self {
        let recency = record.as_ref().ok().and_then(Option::as_ref);
        let last_change = recency.and_then(|recency| recency.last_change.as_ref());
        let stack = &health.stack;
        let output = |name: &str| stack.outputs.get(name).cloned();
        let set = |name: &str| stack.parameters.get(name).filter(|text| !text.is_empty());
        let days = |name: &str| set(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        let waiting = health.waiting.told();
        let object_lock_days = days("ObjectLockDays");
        Self {
            stack: stack.name.clone(),
            status: stack.status.clone(),
            status_reason: stack.status_reason.clone(),
            region: stack.region().to_owned(),
            created: stack.created.into(),
            updated: stack.updated.map(Instant::from),
            version: health.version().map(str::to_owned),
            architecture: set("Architecture").cloned(),
            function: output("FunctionName"),
            reconcile_function: output("ReconcileFunctionName"),
            reconcile_schedule: set("ReconcileSchedule")
                .filter(|schedule| *schedule != "none")
                .cloned(),
            bucket: output("BucketName"),
            table: output("TableName"),
            key: output("KeyArn"),
            adopted: set("ExistingBucket").is_some(),
            object_lock_days,
            object_lock_mode: set("ObjectLockMode")
                .filter(|_| object_lock_days > 0)
                .cloned(),
            superseded_days: days("SupersededDays"),
            waiting: waiting.map(|depth| depth.total()),
            waiting_visible: waiting.map(|depth| depth.visible),
            waiting_in_flight: waiting.map(|depth| depth.in_flight),
            waiting_delayed: waiting.map(|depth| depth.delayed),
            dead_letters: held(&health.dead_letters),
            undelivered: held(&health.undelivered),
            reconciled: recency.and_then(|recency| recency.reconciled),
            covered_since: recency.and_then(|recency| recency.covered_since),
            last_change: last_change.map(|change| change.at),
            lag_seconds: last_change.and_then(Record::lag_ms).map(|ms| ms / 1_000),
            alarms: health
                .alarms
                .told()
                .map(|alarms| alarms.iter().map(AlarmView::new).collect()),
            not_read: not_read(health, record.as_ref().err()),
        }
    }

    /// Its facts, one a row: how a table shows them.
    pub(crate) fn facts(&self) -> Vec<FactView> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".into());
        let time = |time: Option<Instant>| time.map_or("never".into(), |time| time.to_string());
        let days = |days: u64, mode: Option<&String>| match (days, mode) {
            (0, _) => "off".to_owned(),
            (days, Some(mode)) => format!("{days} days, {mode}"),
            (days, None) => format!("{days} days"),
        };
        let mut facts = vec![
            FactView::plain("Stack", &self.stack),
            FactView::toned("Status", &self.status, status_tone(&self.status)),
        ];
        if let Some(reason) = &self.status_reason {
            facts.push(FactView::plain("StatusReason", reason));
        }
        facts.extend([
            FactView::plain("Region", &self.region),
            FactView::plain("Created", self.created.to_string()),
            FactView::plain("Updated", time(self.updated)),
            self.version_fact(),
            FactView::plain("Architecture", or_none(&self.architecture)),
            FactView::plain("Function", or_none(&self.function)),
            FactView::plain("ReconcileFunction", or_none(&self.reconcile_function)),
            FactView::plain("ReconcileSchedule", or_none(&self.reconcile_schedule)),
            FactView::plain("Bucket", or_none(&self.bucket)),
            FactView::plain("Table", or_none(&self.table)),
            FactView::plain("Key", or_none(&self.key)),
            FactView::plain("Adopted", if self.adopted { "yes" } else { "no" }),
            FactView::plain(
                "ObjectLock",
                days(self.object_lock_days, self.object_lock_mode.as_ref()),
            ),
            FactView::plain("SupersededDays", days(self.superseded_days, None)),
            self.waiting_fact(),
            self.held_fact("DeadLetters", self.dead_letters),
            self.held_fact("Undelivered", self.undelivered),
            self.instant_fact("Reconciled", self.reconciled),
            self.instant_fact("CoveredSince", self.covered_since),
            self.last_change_fact(),
        ]);
        facts.extend(self.alarm_facts());
        facts
    }

    fn version_fact(&self) -> FactView {
        let Some(version) = &self.version else {
            return FactView::toned("Version", "unknown", Tone::Changed);
        };
        let tone = match age(Some(version), template::version()) {
            Age::Same => Tone::Plain,
            Age::Older | Age::Newer | Age::Unknown => Tone::Changed,
        };
        FactView::toned("Version", version, tone)
    }

    fn waiting_fact(&self) -> FactView {
        let (visible, in_flight) = (self.waiting_visible, self.waiting_in_flight);
        match (visible, in_flight, self.waiting_delayed) {
            (Some(visible), Some(in_flight), Some(delayed)) => FactView::plain(
                "Waiting",
                format!("{visible} visible, {in_flight} in flight, {delayed} delayed"),
            ),
            _ => self.unread("Waiting"),
        }
    }

    fn held_fact(&self, fact: &'static str, held: Option<u64>) -> FactView {
        match held {
            Some(0) => FactView::plain(fact, "0"),
            Some(some) => FactView::toned(fact, some.to_string(), Tone::Bad),
            None => self.unread(fact),
        }
    }

    fn instant_fact(&self, fact: &'static str, at: Option<Instant>) -> FactView {
        at.map_or_else(
            || self.unread(fact),
            |at| FactView::plain(fact, at.to_string()),
        )
    }

    fn last_change_fact(&self) -> FactView {
        match (self.last_change, self.lag_seconds) {
            (Some(at), Some(lag)) => FactView::plain(
                "LastChange",
                format!("{at}, recorded {lag} s after its event"),
            ),
            (at, _) => self.instant_fact("LastChange", at),
        }
    }

    fn alarm_facts(&self) -> Vec<FactView> {
        match &self.alarms {
            None => vec![self.unread("Alarms")],
            Some(none) if none.is_empty() => vec![FactView::plain("Alarms", "none")],
            Some(alarms) => alarms.iter().map(alarm_fact).collect(),
        }
    }

    /// What a table shows where nothing is known.
    fn unread(&self, fact: &'static str) -> FactView {
        match self.not_read.get(fact) {
            Some(why) => FactView::toned(fact, why, Tone::Dim),
            None => FactView::plain(fact, "none"),
        }
    }
}

fn alarm_fact(alarm: &AlarmView) -> FactView {
    let (tone, stands) = match alarm.state.as_str() {
        "OK" => (Tone::Good, false),
        "ALARM" | "MISSING" => (Tone::Bad, true),
        _ => (Tone::Dim, false),
    };
    let since = alarm.since.filter(|_| stands);
    let since = since.map_or(String::new(), |time| format!(" since {time}"));
    FactView {
        fact: alarm.logical_id.clone(),
        value: format!("{}{since}", alarm.state),
        tone,
    }
}

fn status_tone(status: &str) -> Tone {
    if status.contains("FAILED") || status.contains("ROLLBACK") {
        Tone::Bad
    } else if status.ends_with("_COMPLETE") {
        Tone::Good
    } else {
        Tone::Changed
    }
}

fn held(asked: &Asked<Depth>) -> Option<u64> {
    asked.told().map(|depth| depth.total())
}

fn not_read(health: &Health, no_record: Option<&String>) -> BTreeMap<&'static str, String> {
    let no_record = || no_record.map(|why| format!("not told ({why})"));
    [
        ("Reconciled", no_record()),
        ("CoveredSince", no_record()),
        ("LastChange", no_record()),
        ("Waiting", health.waiting.unread()),
        ("DeadLetters", health.dead_letters.unread()),
        ("Undelivered", health.undelivered.unread()),
        ("Alarms", health.alarms.unread()),
    ]
    .into_iter()
    .filter_map(|(fact, why)| why.map(|why| (fact, why)))
    .collect()
}

impl View for StatusView {
    const FIELDS: &'static [&'static str] = &[
        "Stack",
        "Status",
        "StatusReason",
        "Region",
        "Created",
        "Updated",
        "Version",
        "Architecture",
        "Function",
        "ReconcileFunction",
        "ReconcileSchedule",
        "Bucket",
        "Table",
        "Key",
        "Adopted",
        "ObjectLockDays",
        "ObjectLockMode",
        "SupersededDays",
        "Waiting",
        "WaitingVisible",
        "WaitingInFlight",
        "WaitingDelayed",
        "DeadLetters",
        "Undelivered",
        "Reconciled",
        "CoveredSince",
        "LastChange",
        "LagSeconds",
        "Alarms",
        "NotRead",
    ];
    // A table shows its facts, one a row.
    const COLUMNS: &'static [&'static str] = &["Stack", "Status"];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::new(&self.stack),
            Cell::toned(&self.status, status_tone(&self.status)),
        ]
    }
}

/// One fact of a stack, as a table shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FactView {
    /// What is told; of an alarm its name in the template.
    pub(crate) fact: String,
    /// What it is.
    pub(crate) value: String,
    #[serde(skip)]
    tone: Tone,
}

impl FactView {
    fn plain(fact: &str, value: impl Into<String>) -> Self {
        Self::toned(fact, value, Tone::Plain)
    }

    fn toned(fact: &str, value: impl Into<String>, tone: Tone) -> Self {
        Self {
            fact: fact.to_owned(),
            value: value.into(),
            tone,
        }
    }
}

impl View for FactView {
    const FIELDS: &'static [&'static str] = &["Fact", "Value"];
    const COLUMNS: &'static [&'static str] = Self::FIELDS;

    fn cells(&self) -> Vec<Cell> {
        vec![Cell::new(&self.fact), Cell::toned(&self.value, self.tone)]
    }
}

/// One message that `redrive` found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MessageView {
    /// `dead-letter` or `undelivered`.
    pub(crate) queue: &'static str,
    /// The message's id.
    pub(crate) message_id: String,
    /// The parameter it is about; null where the message cannot be understood.
    pub(crate) name: Option<String>,
    /// What happened to it; `Look` where the event tells no more.
    pub(crate) operation: Option<&'static str>,
    /// The event's own time.
    pub(crate) event_time: Option<Instant>,
    /// `movable` (in a dry run), `moved`, `left` or `failed`.
    pub(crate) outcome: &'static str,
    /// Why it was left or failed.
    pub(crate) reason: Option<String>,
}

impl MessageView {
    /// The view of a message.
    pub(crate) fn new(seen: &Seen) -> Self {
        let (name, operation, event_time, strange) = match &seen.content {
            Content::Event {
                name,
                operation,
                time,
            } => (Some(name.clone()), Some(*operation), Some(*time), None),
            Content::Unintelligible(why) => (None, None, None, Some(*why)),
        };
        let strange = strange.map(|why| format!("cannot be understood: {why}"));
        let (outcome, reason) = match &seen.outcome {
            Outcome::Movable => ("movable", strange),
            Outcome::Moved => ("moved", strange),
            Outcome::Left => ("left", strange),
            Outcome::Failed(why) => ("failed", Some(why.clone())),
            Outcome::Twice(why) => ("moved", Some(format!("not deleted: {why}"))),
        };
        Self {
            queue: match seen.source {
                Source::DeadLetters => "dead-letter",
                Source::Undelivered => "undelivered",
            },
            message_id: seen.id.clone(),
            name,
            operation,
            event_time,
            outcome,
            reason,
        }
    }
}

impl View for MessageView {
    const FIELDS: &'static [&'static str] = &[
        "Queue",
        "MessageId",
        "Name",
        "Operation",
        "EventTime",
        "Outcome",
        "Reason",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "Queue",
        "Name",
        "Operation",
        "EventTime",
        "Outcome",
        "Reason",
    ];

    fn cells(&self) -> Vec<Cell> {
        let tone = match self.outcome {
            "moved" => Tone::Good,
            "failed" => Tone::Bad,
            "left" => Tone::Changed,
            _ => Tone::Plain,
        };
        let time = self.event_time.map(|time| time.to_string());
        vec![
            Cell::new(self.queue),
            Cell::new(self.name.as_deref().unwrap_or_default()),
            Cell::new(self.operation.unwrap_or_default()),
            Cell::new(time.unwrap_or_default()),
            Cell::toned(self.outcome, tone),
            Cell::new(self.reason.as_deref().unwrap_or_default()),
        ]
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
