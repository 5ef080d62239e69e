//! The lanes: each judges the product in a way of its own. A new one is a
//! variant here, and what it does in a turn.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::disturbed;
use crate::disturbed::capture::Went;
use crate::emulated;
use crate::emulator::Ministack;
use crate::histories::{Failure, Tally};
use crate::load::{self, Figures, GROWN_IN_A_BURST_MAX, GROWN_STEADILY_MAX, LoadStage};
use crate::sandbox::stage::blocking;
use crate::simulated::run::simulate;

/// So many histories in memory are played before somebody looks at the time.
const SEEDS_AT_ONCE: u64 = 20;
/// Changes of a burst.
const BURST: usize = 200;
/// A steady stream.
const STEADY_PER_SECOND: u32 = 10;
const STEADY: Duration = Duration::from_secs(10);

/// A way to judge the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Lane {
    /// The logic against AWS in memory, in virtual time, with faults and crashes
    Simulated,
    /// The real function and command line on an emulator whose clock is set
    Emulator,
    /// The same while their calls go wrong and they are killed
    Faults,
    /// Bursts and steady streams of changes through the queue of a real stack
    Load,
}

impl Lane {
    /// All of them, in the order of their turns.
    pub(super) const ALL: [Self; 4] = [Self::Simulated, Self::Emulator, Self::Faults, Self::Load];
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simulated => "simulated",
            Self::Emulator => "emulator",
            Self::Faults => "faults",
            Self::Load => "load",
        })
    }
}

/// A lane under way.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) lane: Lane,
    /// What it counted so far.
    pub(super) tally: Tally,
    /// Turns that it had.
    pub(super) turns: u32,
    /// The seed of its next history.
    next: u64,
}

impl Running {
    /// `lane`, whose first history is that of `seed`.
    pub(super) fn new(lane: Lane, seed: u64) -> Self {
        Self {
            lane,
            tally: Tally::default(),
            turns: 0,
            next: seed,
        }
    }

    /// Plays histories until `until`, one at least. The outer error is one of
    /// the instruments: there was nothing to play on.
    pub(super) async fn turn(&mut self, until: Instant) -> io::Result<Result<(), Failure>> {
        self.turns += 1;
        match self.lane {
            Lane::Simulated => self.in_memory(until).await,
            Lane::Emulator => self.on_emulator(until).await,
            Lane::Faults => self.under_faults(until).await,
            Lane::Load => self.under_load(until).await,
        }
    }

    /// It never waits, so it is kept out of the way of signals.
    async fn in_memory(&mut self, until: Instant) -> io::Result<Result<(), Failure>> {
        loop {
            let seeds = self.next..self.next + SEEDS_AT_ONCE;
            self.next = seeds.end;
            let mut tally = Tally::default();
            let (tally, judged) = blocking(move || {
                let judged = seeds
                    .clone()
                    .try_for_each(|seed| simulate(seed, &mut tally));
                Ok((tally, judged))
            })
            .await?;
            self.tally.add(&tally);
            if judged.is_err() || Instant::now() >= until {
                return Ok(judged);
            }
        }
    }

    /// One emulator a turn: what it holds of past histories grows.
    async fn on_emulator(&mut self, until: Instant) -> io::Result<Result<(), Failure>> {
        let ministack = blocking(Ministack::start).await?;
        loop {
            let wishes = emulated::wishes_of(self.next);
            let judged = emulated::check(&ministack, self.next, wishes, &mut self.tally).await;
            if judged.is_err() || Instant::now() >= until {
                self.next += 1;
                return Ok(judged);
            }
            self.next += 1;
        }
    }

    /// Rounds of captures and commands, each of which something befalls. A round is a history.
    async fn under_faults(&mut self, until: Instant) -> io::Result<Result<(), Failure>> {
        let ministack = blocking(Ministack::start).await?;
        let mut went = Went::default();
        let rounds = disturbed::soak(&ministack.endpoint(), self.next, until, &mut went).await;
        let played = match &rounds {
            Ok(rounds) => *rounds,
            Err(failed) => failed.seed.wrapping_sub(self.next),
        };
        self.next = self.next.wrapping_add(played);
        self.tally.add(&tally_of(played, &went));
        Ok(rounds.map(drop).map_err(|failed| {
            self.tally.answered(false);
            Failure::new(failed.seed, failed.text)
        }))
    }

    /// A stack a turn, and loads through its queue. Nothing of them depends on a seed.
    async fn under_load(&mut self, until: Instant) -> io::Result<Result<(), Failure>> {
        let stage = LoadStage::set().await?;
        loop {
            let burst = load::burst(&stage, BURST).await?;
            let judged = self.loaded(&burst, GROWN_IN_A_BURST_MAX);
            if judged.is_err() || Instant::now() >= until {
                return Ok(judged);
            }
            let steady = load::steady(&stage, STEADY_PER_SECOND, STEADY).await?;
            let judged = self.loaded(&steady, GROWN_STEADILY_MAX);
            if judged.is_err() || Instant::now() >= until {
                return Ok(judged);
            }
        }
    }

    /// Counts a load: each change is asked for afterwards.
    fn loaded(&mut self, figures: &Figures, grown_kib_max: u64) -> Result<(), Failure> {
        let peaks = figures.memory.iter().map(|memory| memory.peak_kib);
        let changes = count(figures.changes);
        self.tally.add(&Tally {
            histories: 1,
            changes,
            deliveries: changes,
            asked: changes,
            right: changes.saturating_sub(count(figures.wrong.len())),
            largest_lag: Duration::from_millis(figures.lag.largest),
            peak_memory_kib: peaks.max().unwrap_or_default(),
            ..Tally::default()
        });
        let faults = figures.faults(grown_kib_max);
        if faults.is_empty() {
            return Ok(());
        }
        let told = format!("{figures}\n{}", faults.join("\n"));
        Err(Failure::new(self.next, told))
    }
}

/// Rounds under faults, as they are counted.
fn tally_of(rounds: u64, went: &Went) -> Tally {
    let struck = went.struck.iter();
    let right = count(went.right);
    Tally {
        histories: rounds,
        changes: right,
        deliveries: count(went.delivered),
        faults: struck
            .map(|(fault, times)| (fault.to_string(), count(*times)))
            .collect(),
        crashes: count(went.killed),
        asked: right,
        right,
        ..Tally::default()
    }
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
