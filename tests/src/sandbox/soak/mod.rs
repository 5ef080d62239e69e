//! `cargo sandbox soak`: generated histories, lane after lane in turns, until
//! the time is over, somebody interrupts, or an answer is wrong.

mod lanes;
mod summary;

use std::future::Future;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;

use self::lanes::{Lane, Running};
use self::summary::Summary;
use super::screen::Screen;
use super::stage;
use crate::histories::Failure;

/// So many times every lane has its turn, where there is time.
const ROUNDS: u32 = 6;
/// A turn takes about so long at least: an emulator is started for it.
const SHORTEST_TURN: Duration = Duration::from_secs(20);
/// And so long at most: something is told of it then.
const LONGEST_TURN: Duration = Duration::from_mins(2);

/// What `cargo sandbox soak` is given.
#[derive(Debug, Clone, Args)]
pub(super) struct SoakArgs {
    /// For how long
    #[arg(long, value_name = "N", default_value_t = 5)]
    minutes: u64,
    /// Seed of the first history of each lane; those after it have the next ones [default: another each time]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Only this lane
    #[arg(long, value_name = "LANE")]
    only: Option<Lane>,
}

/// Runs the lanes; `interrupted` ends it with the summary so far.
pub(super) async fn soak(
    args: &SoakArgs,
    interrupted: impl Future<Output = ExitCode>,
) -> io::Result<ExitCode> {
    let screen = Screen::stdout();
    screen.line("building the function and the command line")?;
    stage::build().await?;
    let seed = args.seed.unwrap_or_else(another_seed);
    let limit = Duration::from_mins(args.minutes);
    screen.line(&format!("seed {seed}, {} min", args.minutes))?;
    let chosen = Lane::ALL
        .into_iter()
        .filter(|lane| args.only.is_none_or(|only| only == *lane));
    let mut running: Vec<Running> = chosen.map(|lane| Running::new(lane, seed)).collect();
    let mut summary = Summary::new(seed);
    let ended = {
        let turns = turns(screen, &mut running, &mut summary, limit);
        tokio::select! {
            ended = turns => Ended::Done(ended?),
            exit = interrupted => Ended::Interrupted(exit),
        }
    };
    for lane in running {
        summary.add(lane.lane, &lane.tally);
    }
    summary.tell(screen)?;
    Ok(match ended {
        Ended::Done(None) => ExitCode::SUCCESS,
        Ended::Done(Some((lane, failure))) => {
            screen.heading(&format!("WRONG, in the lane {lane}"))?;
            screen.line(&failure.to_string())?;
            let seed = failure.seed;
            let again = format!("cargo sandbox soak --minutes 1 --seed {seed} --only {lane}");
            screen.line(&format!("\nto see it again: {again}"))?;
            ExitCode::FAILURE
        }
        Ended::Interrupted(exit) => exit,
    })
}

/// How a soak ends.
enum Ended {
    /// In its time, or at the first failure.
    Done(Option<(Lane, Failure)>),
    /// By a signal, with this exit code.
    Interrupted(ExitCode),
}

/// Gives the lanes their turns; returns the first failure.
async fn turns(
    screen: Screen,
    running: &mut [Running],
    summary: &mut Summary,
    limit: Duration,
) -> io::Result<Option<(Lane, Failure)>> {
    let end = Instant::now() + limit;
    let lanes = u32::try_from(running.len()).unwrap_or(u32::MAX).max(1);
    let turn = (limit / (lanes * ROUNDS)).clamp(SHORTEST_TURN, LONGEST_TURN);
    loop {
        for lane in running.iter_mut() {
            let now = Instant::now();
            // Every lane has one turn, however little time there is.
            if now >= end && lane.turns > 0 {
                return Ok(None);
            }
            let until = end.min(now + turn).max(now);
            if let Err(failure) = lane.turn(until).await? {
                return Ok(Some((lane.lane, failure)));
            }
            screen.line(&summary.progress(lane, end))?;
        }
    }
}

fn another_seed() -> u64 {
    // Short enough to be typed.
    u64::from(uuid::Uuid::new_v4().as_fields().0)
}
