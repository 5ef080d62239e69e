//! Restores the tree as it was at an instant, compares what then lives, and
//! takes it back.

use std::collections::BTreeMap;
use std::io;

use aws_sdk_ssm::operation::get_parameter_history::GetParameterHistoryError;
use serde_json::Value as Json;
use ssmbak_core::domain::{Instant, Name};

use super::Moment;
use super::ask::{Asking, by_name};
use super::place::Place;
use crate::histories::{Answer, Tally, Version};

/// Longer than Parameter Store refuses to create a deleted name again.
const PAUSE_MS: i64 = 60_000;

/// What of a parameter a restore puts back.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Live {
    value: String,
    kind: String,
    description: Option<String>,
    advanced: bool,
}

type Tree = BTreeMap<Name, Live>;

/// Restores to a moment, checks, undoes, checks; returns the present after it.
pub(super) async fn restore_and_undo(
    asking: &Asking<'_>,
    moment: &Moment,
    tally: &mut Tally,
) -> io::Result<Instant> {
    let place = asking.place;
    let before = lives(asking).await?;
    let now = asking.now.plus_millis(PAUSE_MS);
    place.control.set_clock(now.millis()).await?;
    // What happened before is told already.
    place.control.clear().await?;
    let Moment { at, asked } = moment;
    let at = *at;
    let restore = [
        "restore", "/", asked, "-R", "--yes", "--reveal", "--output", "json", "-q",
    ];
    let answer = place.ssmbak(now, &restore).await?.exits(&[0, 1, 3, 4])?;
    let rows = by_name(answer.rows()?)?;
    tell(place).await?;
    let after = lives(asking).await?;
    for name in asking.model.names() {
        let wrong = wrong(asking, &name, at, &rows, &before, &after);
        tally.answered(wrong.is_none());
        if let Some(wrong) = wrong {
            return Err(io::Error::other(format!(
                "restored to {asked}: {name}: {wrong}\nright: {:?}\nlived: {:?}\nlives: {:?}\n{}\n{}",
                asking.model.right(&name, at),
                before.get(&name),
                after.get(&name),
                answer.stdout,
                answer.stderr
            )));
        }
    }
    let done = |row: &&Json| row["Outcome"] == "restored" || row["Outcome"] == "deleted";
    if !rows.values().any(|row| done(&row)) {
        return Ok(now);
    }
    let now = now.plus_millis(PAUSE_MS);
    place.control.set_clock(now.millis()).await?;
    let undo = ["undo", "--yes", "--reveal", "--output", "json", "-q"];
    let answer = place.ssmbak(now, &undo).await?.exits(&[0, 1, 3])?;
    tell(place).await?;
    let undone = lives(asking).await?;
    for name in asking.model.names() {
        let (was, restored, is) = (before.get(&name), after.get(&name), undone.get(&name));
        // There is no way down from Advanced.
        let stays = restored != was
            && is == restored
            && was.is_some_and(|w| !w.advanced)
            && is.is_some_and(|i| i.advanced);
        let right = is == was || stays;
        tally.answered(right);
        if !right {
            return Err(io::Error::other(format!(
                "undone after a restore to {asked}: {name}\nlived: {was:?}\nlives: {is:?}\n{}\n{}",
                answer.stdout, answer.stderr
            )));
        }
    }
    Ok(now)
}

/// The function hears of what was just written and deleted.
async fn tell(place: &Place) -> io::Result<()> {
    let changes = place.control.changes().await?;
    place.control.clear().await?;
    let events: Vec<Json> = changes.into_iter().map(|change| change.event).collect();
    for ten in events.chunks(10) {
        place.deliver(0, ten.to_vec()).await?;
    }
    Ok(())
}

/// What is wrong about one parameter after the restore.
fn wrong(
    asking: &Asking<'_>,
    name: &Name,
    at: Instant,
    rows: &BTreeMap<Name, Json>,
    before: &Tree,
    after: &Tree,
) -> Option<String> {
    let (was, is) = (before.get(name), after.get(name));
    let untouched = was == is;
    let fits = |answer: &Answer| match answer {
        Answer::Present(version) => {
            is.is_some_and(|live| is_as(live, version))
                || (untouched && cannot_go_down(was, version))
        }
        Answer::Absent => is.is_none(),
        Answer::Lost { .. } | Answer::Unknown => untouched,
    };
    if !asking.model.right(name, at).iter().any(fits) {
        return Some("not as it was".into());
    }
    let outcome = rows.get(name).and_then(|row| row["Outcome"].as_str());
    let told = match outcome {
        Some("restored") => is.is_some(),
        Some("deleted") => is.is_none(),
        Some("failed" | "skipped" | "unchanged") | None => untouched,
        Some(_) => false,
    };
    (!told).then(|| format!("told as {outcome:?}"))
}

fn is_as(live: &Live, version: &Version) -> bool {
    live.value == version.value
        && live.kind == version.kind.text()
        && live.description == version.description
        && (live.advanced || version.tier.text() == "Standard")
}

/// Advanced now, Standard then, and otherwise different: only for who asks for `--recreate`.
fn cannot_go_down(was: Option<&Live>, version: &Version) -> bool {
    was.is_some_and(|live| live.advanced) && version.tier.text() == "Standard"
}

/// What lives of all names, as Parameter Store tells it.
async fn lives(asking: &Asking<'_>) -> io::Result<Tree> {
    let mut tree = Tree::new();
    for name in asking.model.names() {
        let history = asking.place.ssm.get_parameter_history().name(name.as_str());
        let mut pages = history.with_decryption(true).into_paginator().send();
        let mut newest = None;
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => newest = page.parameters.unwrap_or_default().pop().or(newest),
                Err(error) if is_not_found(&error) => break,
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        let Some(newest) = newest else { continue };
        let live = Live {
            value: newest.value.unwrap_or_default(),
            kind: newest
                .r#type
                .map(|kind| kind.as_str().to_owned())
                .unwrap_or_default(),
            description: newest.description.filter(|text| !text.is_empty()),
            advanced: newest.tier.is_some_and(|tier| tier.as_str() == "Advanced"),
        };
        tree.insert(name, live);
    }
    Ok(tree)
}

fn is_not_found<R>(error: &aws_sdk_ssm::error::SdkError<GetParameterHistoryError, R>) -> bool {
    error
        .as_service_error()
        .is_some_and(GetParameterHistoryError::is_parameter_not_found)
}
