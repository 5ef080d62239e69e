//! What a run counts, and what it tells of a wrong answer.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What was done and found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Histories played to their end.
    pub histories: u64,
    /// Changes of parameters.
    pub changes: u64,
    /// Events handed to a function, repeated ones each time.
    pub deliveries: u64,
    /// Events that never arrived.
    pub lost_events: u64,
    /// Faults injected, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Processes killed, or runs broken off, in the middle.
    pub crashes: u64,
    /// Questions asked.
    pub asked: u64,
    /// Questions answered as the model allows.
    pub right: u64,
    /// The longest from a change to its record that was measured.
    pub largest_lag: Duration,
    /// Most memory that a function held, in KiB.
    pub peak_memory_kib: u64,
}

impl Tally {
    /// Notes a fault.
    pub fn fault(&mut self, kind: &str) {
        *self.faults.entry(kind.to_owned()).or_default() += 1;
    }

    /// Notes a question and whether its answer was right.
    pub fn answered(&mut self, right: bool) {
        self.asked += 1;
        self.right += u64::from(right);
    }

    /// Adds what another run counted.
    pub fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        self.changes += other.changes;
        self.deliveries += other.deliveries;
        self.lost_events += other.lost_events;
        for (kind, times) in &other.faults {
            *self.faults.entry(kind.clone()).or_default() += times;
        }
        self.crashes += other.crashes;
        self.asked += other.asked;
        self.right += other.right;
        self.largest_lag = self.largest_lag.max(other.largest_lag);
        self.peak_memory_kib = self.peak_memory_kib.max(other.peak_memory_kib);
    }
}

/// A wrong answer, or a run that broke off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What repeats it.
    pub seed: u64,
    /// What was asked, what was right, what was answered, and the history.
    pub text: String,
}

impl Failure {
    /// A failure of the history of `seed`.
    pub fn new(seed: u64, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { seed, text }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}", self.seed, self.text)
    }
}

impl std::error::Error for Failure {}
