//! The long run: rounds of captures and commands, each struck at random, until the time is over.

use std::fmt;
use std::io;
use std::time::Instant;

use super::capture::{Change, Went, all_captured};
use super::commands::all_done;
use super::place::Place;
use super::strike::Strike;
use super::tasks::Task;
use crate::proxy::{Fault, draw};

/// How many strikes a round has.
const STRIKES: u64 = 12;
/// About as many calls as the longest of what is struck makes.
const CALLS: u64 = 50;

/// A round that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Repeats the round, as its first.
    pub seed: u64,
    /// What was wrong, and what had been done.
    pub text: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}", self.seed, self.text)
    }
}

impl std::error::Error for Failed {}

/// Plays rounds on the emulator at `endpoint` until `until`, one at least; returns how many.
///
/// The first round is that of `seed`, each further one that of the seed after it. What befell them
/// is added to `went`, that of a round that fails excepted.
pub async fn soak(
    endpoint: &str,
    seed: u64,
    until: Instant,
    went: &mut Went,
) -> Result<u64, Failed> {
    let mut rounds = 0;
    loop {
        let own = seed.wrapping_add(rounds);
        let round = round(endpoint, own).await;
        went.add(round.map_err(|error| Failed {
            seed: own,
            text: with_causes(&error),
        })?);
        rounds += 1;
        if Instant::now() >= until {
            return Ok(rounds);
        }
    }
}

/// An SDK's error says what it is by its causes alone.
fn with_causes(error: &io::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.get_ref().and_then(|inner| inner.source());
    while let Some(one) = cause {
        text = format!("{text}: {one}");
        cause = one.source();
    }
    text
}

async fn round(endpoint: &str, seed: u64) -> io::Result<Went> {
    let account = format!("5{:011}", draw(seed, 0) % 100_000_000_000);
    let place = Place::make(endpoint, &account).await?;
    let path = "/soak/";
    if draw(seed, 1).is_multiple_of(2) {
        let strikes: Vec<Strike> = strikes(seed, false).collect();
        let task = pick(&Task::ALL, draw(seed, 2));
        return all_done(&place, task, path, &strikes).await;
    }
    let undisturbed = Change::ALL.map(|change| (change, Strike::Nothing));
    let changes = (0..).map(|nth| pick(&Change::ALL, draw(seed ^ 0xc4, nth)));
    let struck = changes.zip(strikes(seed, true));
    let all: Vec<(Change, Strike)> = undisturbed.into_iter().chain(struck).collect();
    all_captured(&place, path, &all).await
}

/// What befalls the runs of a round.
fn strikes(seed: u64, stale: bool) -> impl Iterator<Item = Strike> {
    (0..STRIKES).map(move |nth| {
        let drawn = |what: u64| draw(seed ^ 0x57, nth * 8 + what);
        let call = usize::try_from(drawn(1) % CALLS + 1).unwrap_or(1);
        let kinds: Vec<Fault> = Fault::ALL
            .into_iter()
            .filter(|kind| stale || *kind != Fault::Stale)
            .collect();
        let kind = pick(&kinds, drawn(2));
        match drawn(0) % 4 {
            0 => Strike::Death(call),
            1 => Strike::Once(kind, call),
            2 if kind != Fault::Throttled => Strike::Lasting(kind, call),
            _ => Strike::Random {
                seed: drawn(3),
                per_mille: drawn(4) % 250 + 20,
                stale,
            },
        }
    })
}

fn pick<T: Copy>(of: &[T], drawn: u64) -> T {
    let number = usize::try_from(drawn).unwrap_or_default();
    of[number % of.len()]
}
