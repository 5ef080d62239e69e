//! Which calls are disturbed, and how.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::answer::ApiError;
use super::faults::{Fault, Faults};

/// Whether a disturbance strikes before the emulator has done the work of the call, or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The emulator never sees the call.
    BeforeWork,
    /// The emulator has done what was asked; only its answer is lost.
    AfterWork,
}

/// Whom a disturbance kills.
#[derive(Debug, Clone, Copy)]
pub(super) enum Victim {
    Nobody,
    /// The process that the call came from.
    Client,
}

/// A thing that is to go wrong, once unless [`Disturbance::times`] says otherwise.
#[derive(Debug, Clone)]
pub struct Disturbance {
    operation: Option<String>,
    nth: usize,
    times: usize,
    pub(super) when: When,
    pub(super) error: Option<ApiError>,
    pub(super) victim: Victim,
}

impl Disturbance {
    /// Answers the call with `error`.
    pub fn answer(error: ApiError) -> Self {
        Self {
            error: Some(error),
            ..Self::hang_up()
        }
    }

    /// Kills the process that the call came from, with SIGKILL, and answers nothing. Never this process.
    pub fn kill() -> Self {
        Self {
            victim: Victim::Client,
            ..Self::hang_up()
        }
    }

    /// Closes the connection without an answer.
    pub fn hang_up() -> Self {
        Self {
            operation: None,
            nth: 1,
            times: 1,
            when: When::BeforeWork,
            error: None,
            victim: Victim::Nobody,
        }
    }

    /// Counts and strikes only calls of `operation`; without it, all calls.
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Strikes at the `nth` call from now, the next one being the first.
    #[must_use]
    pub fn at(mut self, nth: usize) -> Self {
        self.nth = nth;
        self
    }

    /// Strikes that many calls in a row; `usize::MAX` strikes for ever.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Strikes before the work (as it does unless told), or after it.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    fn concerns(&self, operation: &str) -> bool {
        self.operation
            .as_deref()
            .is_none_or(|wanted| wanted == operation)
    }
}

/// What happens to one call.
#[derive(Debug)]
pub(super) enum Effect {
    None,
    Throttle,
    Disturb(Disturbance),
    /// And how long a silence lasts.
    Fault(Fault, Duration),
}

#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) latency: Duration,
    throttles: HashMap<String, Bucket>,
    armed: Vec<Armed>,
    pub(super) faults: Option<Faults>,
}

#[derive(Debug)]
struct Armed {
    disturbance: Disturbance,
    seen: usize,
}

#[derive(Debug)]
struct Bucket {
    per_second: f64,
    capacity: f64,
    tokens: f64,
    filled: Instant,
}

impl Rules {
    pub(super) fn throttle(&mut self, operation: &str, per_second: f64, burst: u32) {
        let capacity = f64::from(burst.max(1));
        let bucket = Bucket {
            per_second,
            capacity,
            tokens: capacity,
            filled: Instant::now(),
        };
        self.throttles.insert(operation.to_owned(), bucket);
    }

    pub(super) fn arm(&mut self, disturbance: Disturbance) {
        self.armed.push(Armed {
            disturbance,
            seen: 0,
        });
    }

    /// The limit of an operation: its own, or one that a group of operations shares.
    fn bucket(&mut self, operation: &str) -> Option<&mut Bucket> {
        let mut named = self.throttles.keys();
        let shares = |of: &&String| {
            let group = of.strip_suffix('*');
            group.is_some_and(|group| operation.starts_with(group))
        };
        let of = if self.throttles.contains_key(operation) {
            operation.to_owned()
        } else {
            named.find(shares)?.clone()
        };
        self.throttles.get_mut(&of)
    }

    pub(super) fn forget_disturbances(&mut self) {
        self.armed.clear();
    }

    /// Counts the call for every disturbance that waits; the first that strikes wins over a fault, and
    /// that over a throttle.
    pub(super) fn effect_on(&mut self, operation: &str) -> Effect {
        let mut struck = None;
        for armed in &mut self.armed {
            if armed.disturbance.concerns(operation) && armed.strikes() && struck.is_none() {
                struck = Some(armed.disturbance.clone());
            }
        }
        self.armed.retain(|armed| !armed.is_spent());
        let fault = self.faults.as_mut().and_then(|faults| {
            let fault = faults.next(operation)?;
            Some(Effect::Fault(fault, faults.silence()))
        });
        if let Some(disturbance) = struck {
            return Effect::Disturb(disturbance);
        }
        if let Some(fault) = fault {
            return fault;
        }
        let bucket = self.bucket(operation);
        if bucket.is_none_or(Bucket::take) {
            Effect::None
        } else {
            Effect::Throttle
        }
    }
}

impl Armed {
    fn strikes(&mut self) -> bool {
        self.seen += 1;
        self.seen >= self.disturbance.nth && !self.is_past_last()
    }

    fn is_past_last(&self) -> bool {
        self.seen > self.last()
    }

    fn is_spent(&self) -> bool {
        self.seen >= self.last()
    }

    fn last(&self) -> usize {
        let first = self.disturbance.nth.max(1);
        first.saturating_add(self.disturbance.times.saturating_sub(1))
    }
}

impl Bucket {
    fn take(&mut self) -> bool {
        let earned = self.filled.elapsed().as_secs_f64() * self.per_second;
        self.filled = Instant::now();
        self.tokens = (self.tokens + earned).min(self.capacity);
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        }
        allowed
    }
}
