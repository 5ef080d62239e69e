//! How fast calls of one kind may go, learned from the answers.
//!
//! AWS lets a few calls a second through and throttles the others. Who tries again after
//! waits that double is late by half of the last one; here calls are spaced as the limit
//! lets them through, and a throttled one is sent again a moment later.

use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::error::{ErrorKind, StoreError};
use super::patience::MOST_TRIES;

/// Nothing is known yet: so long after the first throttled answer the call is sent again.
const FIRST_NUDGE: Duration = Duration::from_millis(20);
/// Each further one in a row comes so many eighths of the wait before later...
const NUDGE_EIGHTHS: u32 = 10;
/// ...up to this: about five minutes in all for one call. By then something else is wrong.
const LONGEST_NUDGE: Duration = Duration::from_secs(5);
/// Where the space between calls is known, this part of it is added to it.
const NUDGE_PART: u32 = 32;
/// Each call that is let through takes this part off the space, times how many there were in a
/// row...
const FASTER_PART: u32 = 2_048;
/// ...but no more than so many.
const FASTER_MOST: u32 = 128;
/// Calls that are as close as this are not spaced at all.
const NO_SPACE: Duration = Duration::from_millis(1);

/// The pace of one kind of call, shared by all who make it.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Whose turn it is.
    gate: Mutex<()>,
    learned: StdMutex<Option<(Instant, Learned)>>,
}

impl Pace {
    /// Calls until the answer is anything but "throttled", each time as soon as it is
    /// likely to be let through.
    pub(super) async fn calls<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut tries = 1;
        loop {
            let sent = self.turn().await;
            let answer = call().await;
            match &answer {
                Err(error) if error.kind() == ErrorKind::Throttled => {
                    if tries == MOST_TRIES {
                        return answer;
                    }
                    tries += 1;
                    self.note(|learned, now| learned.throttled(sent, now, fastrand::f64()));
                }
                _ => {
                    self.note(|learned, _| learned.let_through());
                    return answer;
                }
            }
        }
    }

    /// Waits for the moment at which the next call goes out; returns it.
    async fn turn(&self) -> Duration {
        let _turn = self.0.gate.lock().await;
        loop {
            let (wait, now) = self.note(|learned, now| (learned.wait(now), now));
            if wait.is_zero() {
                return now;
            }
            sleep(wait).await;
        }
    }

    fn note<T>(&self, with: impl FnOnce(&mut Learned, Duration) -> T) -> T {
        let mut learned = lock(&self.0.learned);
        let (began, learned) = learned.get_or_insert_with(|| (Instant::now(), Learned::default()));
        with(learned, began.elapsed())
    }
}

/// A panic elsewhere leaves nothing half done here.
fn lock<T>(mutex: &StdMutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is known of a limit. Times are those since anything was first asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Learned {
    /// The time between two calls; none while nothing was throttled.
    space: Option<Duration>,
    /// No call was let through since the first one that was throttled.
    is_first_guess: bool,
    /// When the next call may go.
    next: Duration,
    /// What was sent before then tells nothing new.
    adjusted: Duration,
    /// The last wait of a call that was throttled, until one is let through.
    nudge: Option<Duration>,
    /// How many were let through in a row.
    in_a_row: u32,
}

impl Learned {
    /// How long the next call has to wait. Where it has not, it counts as sent.
    fn wait(&mut self, now: Duration) -> Duration {
        let wait = self.next.saturating_sub(now);
        if wait.is_zero() {
            self.next = now + self.space.unwrap_or_default();
        }
        wait
    }

    fn let_through(&mut self) {
        self.nudge = None;
        if std::mem::take(&mut self.is_first_guess) {
            // It holds how long the answers took, and the last wait was the longest.
            self.in_a_row = FASTER_MOST / 2;
        }
        let Some(space) = self.space else { return };
        self.in_a_row = (self.in_a_row + 1).min(FASTER_MOST);
        let space = space.saturating_sub(space * self.in_a_row / FASTER_PART);
        self.space = Some(space).filter(|space| *space > NO_SPACE);
    }

    /// A call that was `sent` then was throttled. `jitter`, from 0 to 1, spreads out those
    /// who share the limit without knowing of each other.
    fn throttled(&mut self, sent: Duration, now: Duration, jitter: f64) {
        if sent < self.adjusted {
            // It went out together with one that was throttled already.
            return;
        }
        self.in_a_row = 0;
        let nudge = match (self.nudge, self.space) {
            (Some(nudge), _) => nudge * NUDGE_EIGHTHS / 8,
            (None, Some(space)) => (space / NUDGE_PART).max(NO_SPACE),
            (None, None) => FIRST_NUDGE,
        };
        let nudge = nudge.min(LONGEST_NUDGE);
        self.nudge = Some(nudge);
        let again = now + nudge.mul_f64(1.0 + jitter / 4.0);
        self.is_first_guess |= self.space.is_none();
        let more = if self.is_first_guess {
            again.saturating_sub(sent)
        } else {
            nudge
        };
        self.space = Some((self.space.unwrap_or_default() + more).min(LONGEST_NUDGE));
        self.next = again;
        self.adjusted = again;
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
