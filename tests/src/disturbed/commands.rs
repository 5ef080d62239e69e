//! The command line, while its calls go wrong or its process dies: what it tells is true, and the
//! same again completes it.

use std::io;

use futures_util::future::try_join_all;
use serde_json::Value as Json;

use super::capture::Went;
use super::place::{Place, Way};
use super::strike::Strike;
use super::tasks::{Ready, Task};

/// How many commands run at once: most of their time they wait to try again.
const AT_ONCE: usize = 6;

/// Runs `task` under `path` while `strike` befalls it, and once more undisturbed. Returns what it
/// called first, in order.
pub async fn run_under(
    way: &Way<'_>,
    task: Task,
    path: &str,
    strike: &Strike,
) -> io::Result<Vec<String>> {
    let ready = Ready::make(way, task, path).await?;
    let arguments: Vec<&str> = ready.arguments.iter().map(String::as_str).collect();
    way.proxy.reset_calls();
    strike.arm(&way.proxy);
    let said = way.ssmbak(&arguments).await?;
    way.proxy.disarm();
    let calls = way.proxy.calls().into_iter();
    let calls = calls.map(|call| call.operation).collect();
    let told = format!(
        "{task:?} under {path}: {strike:?}, struck {:?}",
        way.proxy.struck()
    );
    let context = |error: io::Error| io::Error::other(format!("{told}: {error}"));
    ready
        .is_told_truly(way.place, &said)
        .await
        .map_err(context)?;
    let again = way.done(&arguments).await.map_err(context)?;
    let context =
        |error: io::Error| io::Error::other(format!("{told}: {said}; again: {again}: {error}"));
    ready.is_right(way.place).await.map_err(context)?;
    ready.end()?;
    Ok(calls)
}

/// Runs `task` once for each strike, some at a time, each under a path of its own; at last everything
/// on record agrees.
pub async fn all_done(
    place: &Place,
    task: Task,
    path: &str,
    strikes: &[Strike],
) -> io::Result<Went> {
    let numbered: Vec<(usize, Strike)> = strikes.iter().cloned().enumerate().collect();
    let share = numbered.len().div_ceil(AT_ONCE).max(1);
    let workers = numbered.chunks(share).map(|jobs| async move {
        let way = place.way()?;
        let mut went = Went::default();
        for (number, strike) in jobs {
            let own = format!("{path}n{number:03}/");
            run_under(&way, task, &own, strike).await?;
            went.right += 1;
            went.note(&way.proxy);
        }
        went.delivered = way.delivered();
        Ok::<_, io::Error>(went)
    });
    let mut went = Went::default();
    for counted in try_join_all(workers).await? {
        went.add(counted);
    }
    // Nobody has told of what was written last.
    let way = place.way()?;
    way.done(&["seed", path, "--do-it"]).await?;
    // Who died between journal and index of tags that nobody had told of, and that are recorded as of
    // the look, is followed by one who looks later (decisions.md, known limits).
    let found = way.disagreements(path).await?;
    let untold_tags = |found: &Json| {
        let detail = found["Detail"].as_str().unwrap_or_default();
        found["Kind"] == "row-missing" && detail.contains("-t-")
    };
    let deaths = strikes
        .iter()
        .any(|strike| matches!(strike, Strike::Death(_)));
    if deaths && !found.is_empty() && found.iter().all(untold_tags) {
        way.done(&["verify", path, "--heal"]).await?;
    }
    way.verify(path).await?;
    Ok(went)
}
