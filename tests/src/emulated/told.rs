//! What `history` tells, compared with what happened: nothing that did not,
//! nothing twice, and all that somebody saw or heard of.

use std::collections::BTreeSet;
use std::io;

use serde_json::Value as Json;
use ssmbak_core::domain::Name;

use super::ask::{Asking, instant};
use crate::histories::{Change, Tally, What};

/// Asks for the whole history, a question for each of its rows and each change.
pub(super) async fn history(asking: &Asking<'_>, tally: &mut Tally) -> io::Result<()> {
    let history = ["history", "/", "-R", "--output", "json", "-q"];
    let answer = asking.place.ssmbak(asking.now, &history).await?;
    // Nothing is on record where all that ever lived was gone before anybody listened.
    let rows = answer.exits(&[0, 4])?.rows()?;
    let changes = asking.model.changes();
    let mut seen = BTreeSet::new();
    for row in &rows {
        let once = seen.insert(row.to_string());
        let happened = once && changes.iter().any(|change| tells(row, change));
        tally.answered(happened);
        if !happened {
            return Err(io::Error::other(format!(
                "history tells what did not happen: {row}"
            )));
        }
    }
    for (index, change) in changes.iter().enumerate() {
        if asking.model.must_show(index) {
            let shown = rows.iter().any(|row| tells(row, change));
            tally.answered(shown);
            if !shown {
                return Err(io::Error::other(format!(
                    "history has no interval for this: {change:?}\n{rows:#?}"
                )));
            }
        }
        if !must_be_told(asking, index, change) {
            continue;
        }
        let exact = |row: &&Json| tells(row, change) && row["Exact"] == true;
        let told = rows.iter().filter(exact).count();
        tally.answered(told == 1);
        if told != 1 {
            return Err(io::Error::other(format!(
                "history tells this {told} times: {change:?}\n{rows:#?}"
            )));
        }
    }
    Ok(())
}

/// A version that was seen, and what was announced of deletions and labels.
fn must_be_told(asking: &Asking<'_>, index: usize, change: &Change) -> bool {
    match &change.what {
        What::Written(version) => asking.model.is_seen(&change.name, version),
        What::Deleted | What::Labelled { .. } => asking.model.is_announced(index),
        // An event that tells what was so already is no record.
        What::Tagged(_) => false,
    }
}

/// Whether a row is about this change.
fn tells(row: &Json, change: &Change) -> bool {
    let of_it = Name::parse(row["Name"].as_str().unwrap_or_default()).ok();
    let (Some(time), Some(name)) = (instant(&row["Time"]), of_it) else {
        return false;
    };
    let operation = row["Operation"].as_str().unwrap_or_default();
    let in_second = time.same_second(change.at);
    let fits = match &change.what {
        What::Written(version) => {
            let creates = if version.number == 1 {
                "Create"
            } else {
                "Update"
            };
            let whole = row["Version"] == version.number && time == version.at;
            let lost = row["ValueState"] == "lost" && row["Version"].is_null() && in_second;
            operation == creates && (whole && row["ValueState"] == "stored" || lost)
        }
        What::Deleted => {
            let after = instant(&row["NotBefore"]);
            let observed = after.is_some_and(|after| after <= change.at && change.at <= time);
            let exact = row["Exact"] == true && time == change.at.second_end();
            operation == "Delete" && (exact || observed)
        }
        What::Labelled { label, from, to } => {
            operation == "LabelParameterVersion"
                && in_second
                && row["Label"] == label.as_str()
                && row["FromVersion"].as_u64() == *from
                && row["ToVersion"] == *to
        }
        What::Tagged(_) => operation == "Tags",
    };
    name == change.name && fits
}
