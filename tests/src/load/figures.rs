//! What a load tells.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::emulator::Queue;

/// How a load went.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Figures {
    /// How many changes there were.
    pub changes: usize,
    /// How long it took to make them.
    pub writing: Duration,
    /// How long after the last of them the queue was empty and the function idle.
    pub draining: Duration,
    /// The messages that were not done with, at some instants since the beginning.
    pub backlog: Vec<(Duration, u32)>,
    /// How long after their events changes were recorded, as the lines of the log tell it, in ms.
    pub lag: Spread,
    /// The longest lag that the function's metric told.
    pub lag_metric_ms: Option<u64>,
    /// How many batches the function answered.
    pub invocations: usize,
    /// The memory of each process of the function.
    pub memory: Vec<Memory>,
    /// What the function's processes used of the processor.
    pub function_cpu: Duration,
    /// What the emulator used of it.
    pub emulator_cpu: Duration,
    /// Every queue at the end.
    pub queues: Vec<Queue>,
    /// What is not on record as it happened: nothing, that is, if all is well.
    pub wrong: Vec<String>,
}

impl Figures {
    /// The most messages that waited at once.
    pub fn largest_backlog(&self) -> u32 {
        let waiting = self.backlog.iter().map(|(_, waiting)| *waiting);
        waiting.max().unwrap_or_default()
    }

    /// The messages that are left in any queue, dead letters included.
    pub fn left(&self) -> u32 {
        let left = self.queues.iter();
        left.map(|queue| queue.ready + queue.in_flight + queue.delayed)
            .sum()
    }

    /// How much the process that grew most has grown since it was warm, in KiB.
    pub fn most_grown_kib(&self) -> u64 {
        let grown = self.memory.iter().map(Memory::grown_kib);
        grown.max().unwrap_or_default()
    }

    /// What is not as it must be after any load, whatever time it took.
    ///
    /// `grown_kib_max`: more than this is a function that grows.
    pub fn faults(&self, grown_kib_max: u64) -> Vec<String> {
        let mut faults = self.wrong.clone();
        if self.left() > 0 {
            faults.push(format!("messages are left: {:?}", self.queues));
        }
        if self.memory.is_empty() {
            faults.push("no function ran".into());
        }
        if self.most_grown_kib() > grown_kib_max {
            faults.push(format!("the function grows: {:?}", self.memory));
        }
        if self.lag.count == 0 || Some(self.lag.largest) != self.lag_metric_ms {
            let (lines, metric) = (&self.lag, self.lag_metric_ms);
            faults.push(format!(
                "the metric tells {metric:?} of the lag, not {lines:?}"
            ));
        }
        faults
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (writing, draining) = (self.writing.as_secs_f64(), self.draining.as_secs_f64());
        writeln!(
            formatter,
            "{} changes in {writing:.1} s, drained {draining:.1} s later; {} batches",
            self.changes, self.invocations
        )?;
        writeln!(
            formatter,
            "backlog: {} at most; lag: median {} ms, largest {} ms",
            self.largest_backlog(),
            self.lag.median,
            self.lag.largest
        )?;
        // Ten looks spread over all of them.
        let step = self.backlog.len().div_ceil(10).max(1);
        let some = self.backlog.iter().step_by(step);
        let some = some.map(|(at, waiting)| format!("{:.0} s: {waiting}", at.as_secs_f64()));
        writeln!(
            formatter,
            "backlog by time: {}",
            some.collect::<Vec<_>>().join(", ")
        )?;
        for one in &self.memory {
            writeln!(formatter, "a process of the function: {one}")?;
        }
        write!(
            formatter,
            "processor time: function {:.1} s, emulator {:.1} s; left in queues: {}; wrong: {}",
            self.function_cpu.as_secs_f64(),
            self.emulator_cpu.as_secs_f64(),
            self.left(),
            self.wrong.len()
        )
    }
}

/// Median and largest of some numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spread {
    /// How many there were.
    pub count: usize,
    /// As many are smaller as larger.
    pub median: u64,
    /// The largest.
    pub largest: u64,
}

impl Spread {
    pub(super) fn of(mut numbers: Vec<u64>) -> Self {
        numbers.sort_unstable();
        Self {
            count: numbers.len(),
            median: numbers.get(numbers.len() / 2).copied().unwrap_or_default(),
            largest: numbers.last().copied().unwrap_or_default(),
        }
    }
}

/// What one process had in memory, look by look.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Memory {
    /// The first look, in KiB.
    pub first_kib: u64,
    /// A third of the way: it is warm by then.
    pub warm_kib: u64,
    /// The last look.
    pub last_kib: u64,
    /// The most at once.
    pub peak_kib: u64,
    /// How many looks there were.
    pub looks: usize,
}

impl Memory {
    pub(super) fn new(looks: &[u64], peak_kib: u64) -> Self {
        let at = |place: usize| looks.get(place).copied().unwrap_or_default();
        Self {
            first_kib: at(0),
            warm_kib: at(looks.len() / 3),
            last_kib: at(looks.len().saturating_sub(1)),
            peak_kib,
            looks: looks.len(),
        }
    }

    /// How much it has grown since it was warm.
    pub fn grown_kib(&self) -> u64 {
        self.last_kib.saturating_sub(self.warm_kib)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |kib: u64| f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1_024.0;
        write!(
            formatter,
            "{:.1} MiB at first, {:.1} warm, {:.1} at last, {:.1} at most, in {} looks",
            mib(self.first_kib),
            mib(self.warm_kib),
            mib(self.last_kib),
            mib(self.peak_kib),
            self.looks
        )
    }
}

fn told(lines: &[String]) -> impl Iterator<Item = Value> {
    let lines = lines.iter().flat_map(|line| line.lines());
    lines.filter_map(|line| serde_json::from_str(line).ok())
}

/// What the line of each capture tells.
pub(super) fn lags_ms(lines: &[String]) -> Vec<u64> {
    told(lines)
        .filter(|line: &Value| line["message"] == "captured")
        .filter_map(|line| line["lag_ms"].as_u64())
        .collect()
}

/// The largest that a line of metrics tells.
pub(super) fn lag_metric_ms(lines: &[String]) -> Option<u64> {
    let told = told(lines).filter_map(|line: Value| line["CaptureLag"].as_f64());
    let longest = told.max_by(f64::total_cmp)?;
    u64::try_from(Duration::from_secs_f64(longest).as_millis()).ok()
}

/// A batch ends with a line of metrics.
pub(super) fn invocations(lines: &[String]) -> usize {
    let metrics = told(lines).filter(|line: &Value| !line["_aws"].is_null());
    metrics.count()
}
