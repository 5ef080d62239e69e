//! What goes wrong on the way to AWS: by call, by rule, and by chance.

use std::collections::BTreeMap;
use std::fmt;

use fastrand::Rng;

/// A call is put off this often at most, so that others come in between.
const MOST_YIELDS: u32 = 4;

/// One thing that goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The service breaks before it does anything.
    Internal,
    /// The service does the work, then breaks.
    InternalAfter,
    /// The service's own way of saying: too many calls.
    Throttled,
    /// The connection breaks on the way there.
    Reset,
    /// The connection breaks on the way back: the work is done.
    ResetAfter,
    /// No answer ever comes; the work is not done.
    TimeOut,
    /// No answer ever comes; the work is done.
    TimeOutAfter,
    /// The answer breaks off in its middle: the work is done.
    Truncated,
    /// A page that holds little or nothing, with the way to the next one.
    ShortPage,
    /// Another writer is in the way.
    Conflict,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Internal,
        Self::InternalAfter,
        Self::Throttled,
        Self::Reset,
        Self::ResetAfter,
        Self::TimeOut,
        Self::TimeOutAfter,
        Self::Truncated,
        Self::ShortPage,
        Self::Conflict,
    ];

    /// As a tally names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Internal => "500",
            Self::InternalAfter => "500 after the work",
            Self::Throttled => "throttled",
            Self::Reset => "reset",
            Self::ResetAfter => "reset after the work",
            Self::TimeOut => "time-out",
            Self::TimeOutAfter => "time-out after the work",
            Self::Truncated => "truncated",
            Self::ShortPage => "short page",
            Self::Conflict => "conflict",
        }
    }

    /// Whether it can happen to this operation.
    pub fn concerns(self, operation: &str) -> bool {
        match self {
            Self::ShortPage => matches!(
                operation,
                "ssm:GetParameterHistory"
                    | "ssm:DescribeParameters"
                    | "dynamodb:Query"
                    | "s3:ListObjectsV2"
                    | "s3:ListObjectVersions"
            ),
            Self::Conflict => {
                matches!(operation, "dynamodb:TransactWriteItems" | "s3:PutObject")
            }
            Self::Internal
            | Self::InternalAfter
            | Self::Throttled
            | Self::Reset
            | Self::ResetAfter
            | Self::TimeOut
            | Self::TimeOutAfter
            | Self::Truncated => true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// At which of its calls, the first one being 0.
    pub call: u64,
    /// Whether the service does the work of that call.
    pub after_work: bool,
}

/// What is to become of one call.
#[derive(Debug, Default)]
pub(super) struct Fate {
    pub(super) fault: Option<Fault>,
    /// The process dies at it, before or after the work.
    pub(super) crash: Option<bool>,
    pub(super) yields: (u32, u32),
}

/// What is to go wrong, and what has.
#[derive(Debug)]
pub struct Faults {
    chance: Rng,
    /// One call in so many goes wrong; none where it is 0.
    one_in: u32,
    at_calls: BTreeMap<u64, Fault>,
    crashes: BTreeMap<usize, Crash>,
    crash_of_any: Option<Crash>,
    crashed: Vec<usize>,
    calls: u64,
    of_process: BTreeMap<usize, u64>,
    happened: BTreeMap<Fault, u64>,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            chance: Rng::with_seed(seed),
            one_in: 0,
            at_calls: BTreeMap::new(),
            crashes: BTreeMap::new(),
            crash_of_any: None,
            crashed: Vec::new(),
            calls: 0,
            of_process: BTreeMap::new(),
            happened: BTreeMap::new(),
        }
    }

    /// From now on one call in so many goes wrong; none where it is 0.
    pub fn one_in(&mut self, calls: u32) {
        self.one_in = calls;
    }

    /// This goes wrong with the call that comes after so many others, of whatever process.
    pub fn at_call(&mut self, call: u64, fault: Fault) {
        self.at_calls.insert(self.calls + call, fault);
    }

    /// A process dies.
    pub fn crash(&mut self, process: usize, crash: Crash) {
        self.of_process.remove(&process);
        self.crashes.insert(process, crash);
    }

    /// Whoever makes the call that comes after so many others dies.
    pub fn crash_at_call(&mut self, crash: Crash) {
        let call = self.calls + crash.call;
        self.crash_of_any = Some(Crash { call, ..crash });
    }

    /// Nobody dies from now on, and nothing goes wrong.
    pub fn none(&mut self) {
        self.one_in = 0;
        self.at_calls.clear();
        self.crash_of_any = None;
        self.crashes.clear();
        self.crashed.clear();
    }

    /// Whether the process has died; it lives again once that was asked.
    pub fn take_crashed(&mut self, process: usize) -> bool {
        let before = self.crashed.len();
        self.crashed.retain(|crashed| *crashed != process);
        self.crashed.len() < before
    }

    /// All calls so far.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// What has gone wrong, and how often.
    pub fn happened(&self) -> &BTreeMap<Fault, u64> {
        &self.happened
    }

    /// Decides what becomes of a call.
    pub(super) fn next(&mut self, process: usize, operation: &str) -> Fate {
        let of_process = self.of_process.entry(process).or_default();
        let (number, own) = (self.calls, *of_process);
        self.calls += 1;
        *of_process += 1;
        let yields = (
            self.chance.u32(..MOST_YIELDS),
            self.chance.u32(..MOST_YIELDS),
        );
        let crash = self.crashes.get(&process).filter(|c| c.call == own);
        let crash = crash.or(self.crash_of_any.as_ref().filter(|c| c.call == number));
        let crash = crash.map(|crash| crash.after_work);
        if crash.is_some() {
            self.crashes.remove(&process);
        }
        let asked = self.at_calls.remove(&number);
        let fault = asked.or_else(|| self.by_chance());
        let fault = fault.filter(|fault| fault.concerns(operation));
        if let Some(fault) = fault {
            *self.happened.entry(fault).or_default() += 1;
        }
        Fate {
            fault,
            crash,
            yields,
        }
    }

    pub(super) fn died(&mut self, process: usize) {
        self.crashed.push(process);
    }

    fn by_chance(&mut self) -> Option<Fault> {
        let happens = self.one_in > 0 && self.chance.u32(..self.one_in) == 0;
        happens.then(|| Fault::ALL[self.chance.usize(..Fault::ALL.len())])
    }
}
