//! The lanes: each judges the product in a way of its own. A new one is a
//! variant here, and what it does in a turn.

use std::fmt;
use std::io;
use std::time::Instant;

use clap::ValueEnum;

use crate::emulated;
use crate::emulator::Ministack;
use crate::histories::{Failure, Tally};
use crate::sandbox::stage::blocking;
use crate::simulated::run::simulate;

/// So many histories in memory are played before somebody looks at the time.
const SEEDS_AT_ONCE: u64 = 20;

/// A way to judge the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Lane {
    /// The logic against AWS in memory, in virtual time, with faults and crashes
    Simulated,
    /// The real function and command line on an emulator whose clock is set
    Emulator,
}

impl Lane {
    /// All of them, in the order of their turns.
    pub(super) const ALL: [Self; 2] = [Self::Simulated, Self::Emulator];
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simulated => "simulated",
            Self::Emulator => "emulator",
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
}
