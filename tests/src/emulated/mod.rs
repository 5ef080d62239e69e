//! Generated histories through the real `bootstrap` and `ssmbak`, on an
//! emulator whose clock is set; every answer compared with the model.

mod ask;
mod place;
mod play;
mod put_back;
mod shrink;
mod told;

use std::collections::BTreeSet;
use std::io;

use ssmbak_core::domain::Instant;

use self::ask::Asking;
pub use self::place::{Answer, Place};
pub use self::shrink::check;
use crate::emulator::Ministack;
use crate::histories::generate::WISHES;
use crate::histories::{History, Model, Script, Tally};

/// Wishes of a short history.
pub const FEW_WISHES: usize = 10;

/// From the end of a history to the real present: nothing of it is young for
/// the function, whose own clock nobody can set.
const AGO_MS: i64 = 3_600_000;

/// How many wishes the history of a seed may have in a long run: most are short,
/// since every answer takes a process.
pub fn wishes_of(seed: u64) -> usize {
    if seed.is_multiple_of(4) {
        WISHES
    } else {
        FEW_WISHES
    }
}

/// Plays a history where `place` is; returns what there is to know of it, and its end.
pub async fn play(
    place: &Place,
    history: &History,
    tally: &mut Tally,
) -> io::Result<(Model, Instant)> {
    let script = Script::of(history, base(history));
    let model = play::play(place, &script, tally).await?;
    Ok((model, script.ends()))
}

/// Plays a history in an account of its own, asks everything there is to ask,
/// restores, undoes and verifies.
pub async fn judge(ministack: &Ministack, history: &History, tally: &mut Tally) -> io::Result<()> {
    let place = Place::new(ministack).await?;
    let (model, ends) = play(&place, history, tally).await?;
    let mut asking = Asking {
        place: &place,
        model: &model,
        now: ends,
    };
    let moments: Vec<Moment> = moments(&model, ends).into_iter().collect();
    for moment in &moments {
        asking.preview(moment, tally).await?;
    }
    told::history(&asking, tally).await?;
    if !moments.is_empty() {
        asking.now = beside(&asking, &moments, tally).await?;
    }
    let verify = ["verify", "--values", "--output", "json", "-q"];
    place.ssmbak(asking.now, &verify).await?.exits(&[0])?;
    tally.peak_memory_kib = tally.peak_memory_kib.max(place.peak_memory_kib().await);
    tally.histories += 1;
    // Nobody asks the emulator for its changes.
    place.control.clear().await
}

/// A value of each name, raw; and two restores, taken back. Returns the present after them.
async fn beside(asking: &Asking<'_>, moments: &[Moment], tally: &mut Tally) -> io::Result<Instant> {
    for (number, name) in asking.model.names().iter().enumerate() {
        let moment = &moments[(number * 7 + 3) % moments.len()];
        asking.show(name, moment, tally).await?;
    }
    let mut now = asking.now;
    for third in [1, 2] {
        let moment = &moments[moments.len() * third / 3];
        let asking = Asking { now, ..*asking };
        now = put_back::restore_and_undo(&asking, moment, tally).await?;
    }
    Ok(now)
}

/// An instant that is asked about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    /// The exact instant that is meant.
    at: Instant,
    /// As a person writes it: a whole second means all of it.
    asked: String,
}

/// Every boundary to the millisecond and the millisecond before it, and every
/// second in which something changed, with those before and after it.
fn moments(model: &Model, ends: Instant) -> BTreeSet<Moment> {
    let exact = |at: Instant| Moment {
        at,
        asked: at.to_string(),
    };
    let whole = |at: Instant| Moment {
        at: at.second_end(),
        asked: at.second_start().to_string().replace(".000Z", ""),
    };
    let deciding = model
        .changes()
        .iter()
        .filter(|change| change.decides_state());
    let around = deciding.flat_map(|change| {
        let (at, counts) = (change.at, change.counts_from());
        let exactly = [at, at.plus_millis(-1), counts, counts.plus_millis(-1)].map(exact);
        let seconds = [at, at.plus_millis(-1_000), at.plus_millis(1_000)].map(whole);
        exactly.into_iter().chain(seconds)
    });
    around.filter(|moment| moment.at <= ends).collect()
}

/// When a history has to begin to end a while ago.
fn base(history: &History) -> Instant {
    let whole = Script::of(history, Instant::EARLIEST).ends().millis();
    let now: Instant = chrono::Utc::now().into();
    now.plus_millis(-whole - AGO_MS).second_start()
}
