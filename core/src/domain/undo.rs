//! Undo: what a run left of each parameter, what that was before it, and
//! whether it has changed since.

use std::cmp::Ordering;

use super::instant::Instant;
use super::keys;
use super::plan::{LiveParameter, settable};
use super::record::{Change, Record, ValueState};
use super::retained::{Live, Tags};
use super::run::{Outcome, Run, RunName};
use super::state::{Found, FoundValue, State};

/// How far the clock of who ran a run may be from Parameter Store's, in
/// milliseconds. Short: what somebody else created in that time would be taken
/// for the run's own and deleted, and a refusal can be overridden.
const CLOCKS_MS: i64 = 5_000;

/// What a run left of a parameter that it wrote or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// This version.
    Version {
        /// Its number.
        version: u64,
        /// When it was written, where that was read back.
        at: Option<Instant>,
    },
    /// Nothing: it was deleted.
    Nothing,
    /// A version, which an undo has deleted to create it again, and come no
    /// further.
    UnderWay,
    /// The version that lived before, with other tags.
    Tagged,
}

/// What the run's own record tells of one of its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The run changed nothing of it that can be put back.
    Untouched,
    /// The run left this.
    Left(Left),
    /// The run may have changed it, and died before it could tell, or lost the
    /// answer.
    Unsure,
}

/// What `name` tells, as the outcome of its run stands on record.
pub fn told(name: &RunName) -> Told {
    // Labels alone are moved, which is not taken back.
    let tags_alone = name.alone.iter().any(|alone| alone == "tags");
    if !name.alone.is_empty() && !tags_alone {
        return Told::Untouched;
    }
    match (name.outcome, name.written_version) {
        (Some(Outcome::Restored | Outcome::Failed), Some(version)) => Told::Left(Left::Version {
            version,
            at: name.written_at,
        }),
        (Some(Outcome::Deleted), _) => Told::Left(Left::Nothing),
        // A failure may have come after the first of two calls.
        (Some(Outcome::Restored | Outcome::Failed), None) if tags_alone => Told::Left(Left::Tagged),
        (Some(Outcome::Failed), None) if name.recreated || name.unsure => Told::Unsure,
        (Some(_), _) => Told::Untouched,
        (None, _) => Told::Unsure,
    }
}

/// What a look at a parameter tells of a run that did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guess {
    /// The run did not come to it.
    Untouched,
    /// The run left this.
    Left(Left),
    /// The run left this, if what lives is what it was to write.
    IfSame(Left),
    /// Neither what was before the run nor this, which it was to leave. A
    /// fragment tells what lives.
    Moved(Left, String),
}

/// Finds out from what lives what a run that could not tell left of `name`.
pub fn guess(name: &RunName, live: Option<&Live>) -> Guess {
    let to_leave = to_leave(name);
    if live.is_some_and(|live| is_before(name, live)) {
        return match to_leave {
            Left::Tagged => Guess::Left(Left::Tagged),
            Left::Version { .. } | Left::Nothing | Left::UnderWay => Guess::Untouched,
        };
    }
    match (live, &to_leave) {
        (None, Left::Nothing) => Guess::Left(Left::Nothing),
        // It was deleted, and not created again.
        (None, _) if name.recreated => Guess::Left(Left::Nothing),
        (None, _) if name.before.is_none() => Guess::Untouched,
        (None, _) => Guess::Moved(to_leave, "it was deleted".into()),
        (Some(live), Left::Version { version, .. }) if live.version == *version => {
            Guess::IfSame(Left::Version {
                version: live.version,
                at: Some(live.modified),
            })
        }
        (Some(live), _) => Guess::Moved(to_leave, format!("version {} lives", live.version)),
    }
}

/// What the run was to leave.
fn to_leave(name: &RunName) -> Left {
    let version = match name.before_version {
        _ if name.change == "delete" => return Left::Nothing,
        _ if !name.alone.is_empty() => return Left::Tagged,
        Some(before) if !name.recreated => before + 1,
        Some(_) | None => 1,
    };
    Left::Version { version, at: None }
}

/// Whether the very version lives that lived before the run: one of the same
/// number may be that of a parameter that was created again.
fn is_before(name: &RunName, live: &Live) -> bool {
    let entry = name.before.as_deref().and_then(keys::parse_own_entry);
    // An entry that repeats a version is later than the version itself.
    let as_old = entry.is_some_and(|(at, _)| live.modified <= at);
    name.before_version == Some(live.version) && as_old
}

/// What the run left, for an undo that may delete and create again: where
/// nothing lives of what it wrote over something, a first such undo has most
/// likely got no further. Creating it takes nothing from anybody.
#[must_use]
pub fn or_under_way(name: &RunName, left: Left, is_alive: bool) -> Left {
    let was_written = matches!(left, Left::Version { .. });
    if was_written && !is_alive && name.before.is_some() {
        Left::UnderWay
    } else {
        left
    }
}

/// What is on record of a parameter before the run.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnRecord<'a> {
    /// The record at [`RunName::before`].
    pub version: Option<&'a Record>,
    /// The newest change of tags before what the run did to them.
    pub tags: Option<&'a Record>,
}

/// Returns what `name` is to be again: as it was before the run that left
/// `left` of it. Unknown where that is not on record.
///
/// Of a parameter that still lives the tags are only put back where the run
/// changed them. One that was deleted gets those that it had last.
pub fn state_before(name: &RunName, left: &Left, on_record: OnRecord<'_>) -> State {
    if name.before.is_none() {
        return State::Absent { since: None };
    }
    let version = on_record.version;
    let Some((record, written)) = version.and_then(|r| Some((r, r.present()?))) else {
        return State::Unknown { known_from: None };
    };
    let mut attributes = written.attributes.clone();
    attributes.tags = match left {
        Left::Version { .. } => name.before_tags.clone(),
        Left::Tagged | Left::UnderWay if name.before_tags.is_some() => name.before_tags.clone(),
        Left::Tagged | Left::Nothing | Left::UnderWay => {
            let changed = on_record.tags.filter(|tags| tags.at >= record.at);
            match changed.map(|tags| &tags.change) {
                Some(Change::Tagged { tags }) => Some(tags.clone()),
                _ => attributes.tags,
            }
        }
    };
    State::Present(Found {
        modified: record.at,
        version: written.version,
        modified_by: written.modified_by.clone(),
        attributes,
        value: match &written.value {
            ValueState::Stored(pointer) => FoundValue::Stored(pointer.clone()),
            ValueState::Lost => FoundValue::Lost,
        },
        inexact: false,
    })
}

/// Why `name` is not what `run` left any more; none where it is. A fragment
/// that names both.
///
/// A number may be that of a parameter that was created again, so a version
/// also counts by its time: the one that was read back, or else one within the
/// run, give or take 5 s for clocks that differ.
pub fn moved(
    run: &Run,
    name: &RunName,
    left: &Left,
    live: Option<&LiveParameter>,
) -> Option<String> {
    let tags = live.and_then(|l| l.tags.as_ref());
    let live = live.map(|l| &l.live);
    match (left, live) {
        (Left::Nothing | Left::UnderWay, None) => None,
        (Left::Nothing | Left::UnderWay, Some(live)) => Some(format!(
            "version {} lives, and the run had deleted it",
            live.version
        )),
        (Left::Version { version, .. }, None) => Some(format!(
            "it was deleted, and the run had written version {version}"
        )),
        (Left::Version { version, at }, Some(live)) if live.version == *version => {
            if let Some(between) = between(name, *version) {
                return Some(between);
            }
            let same = match at {
                Some(at) => *at == live.modified,
                None => is_of(run, live.modified),
            };
            let again = || {
                format!(
                    "version {version} of {} lives, and the run had written another version {version}",
                    live.modified
                )
            };
            (!same).then(again).or_else(|| retagged(name, tags))
        }
        (Left::Version { version, .. }, Some(live)) => Some(format!(
            "version {} lives, and the run had written version {version}",
            live.version
        )),
        (Left::Tagged, None) => Some("it was deleted, and the run had changed its tags".into()),
        (Left::Tagged, Some(live)) if is_before(name, live) => retagged(name, tags),
        (Left::Tagged, Some(live)) => Some(format!(
            "version {} of {} lives, and the run had changed the tags of another",
            live.version, live.modified
        )),
    }
}

/// Whether `at`, by Parameter Store's clock, lies in the time of `run`, by the
/// clock of who ran it. Never where its end is not on record.
fn is_of(run: &Run, at: Instant) -> bool {
    let from = run.started.plus_millis(-CLOCKS_MS);
    let to = run.finished.map(|end| end.plus_millis(CLOCKS_MS));
    to.is_some_and(|to| from <= at && at <= to)
}

/// What somebody did between the look of the run and its write, which met
/// something else than what is told as before it; none where the number that
/// was written is the next one.
fn between(name: &RunName, written: u64) -> Option<String> {
    let Left::Version { version, .. } = to_leave(name) else {
        return None;
    };
    match written.cmp(&version) {
        Ordering::Equal => None,
        Ordering::Greater => Some(format!(
            "somebody wrote version {} at the same moment, and the run wrote version {written} over it",
            written - 1
        )),
        Ordering::Less => Some(format!(
            "somebody deleted it at the same moment, and the run created it again as version {written}"
        )),
    }
}

/// Tags have no version: they changed since where they are neither what the
/// run made them nor what they were.
fn retagged(name: &RunName, now: Option<&Tags>) -> Option<String> {
    let (before, after) = (name.before_tags.as_ref()?, name.after_tags.as_ref()?);
    let now = now?;
    let same = |other: &Tags| settable(now).eq(settable(other));
    let changed = !same(before) && !same(after);
    changed.then(|| "its tags are others than the run had put".into())
}

/// What is to be said of the labels that the run put on a version of `name`,
/// which stay there: a fragment for each. `moves` are the changes of labels
/// and tags on record since the run began, newest first.
pub fn labels_left_on(name: &RunName, moves: &[Record]) -> Vec<String> {
    let version = match (name.outcome, name.written_version) {
        (Some(Outcome::Restored), None) => name.before_version,
        (Some(_), written) => written,
        // It died, and may not have come to it: then no move is on record.
        (None, _) => match to_leave(name) {
            Left::Version { version, .. } => Some(version),
            Left::Nothing | Left::UnderWay | Left::Tagged => name.before_version,
        },
    };
    let Some(version) = version else {
        return Vec::new();
    };
    let sure = name.outcome.is_some();
    let told = name.labels.iter().filter_map(|label| {
        // The oldest of these moves is the run's own.
        let own = moves.iter().rev().find_map(|record| match &record.change {
            Change::Labelled {
                label: of,
                from,
                to,
            } if of == label && *to == version => Some(*from),
            Change::Written(_)
            | Change::Deleted { .. }
            | Change::StillThere(_)
            | Change::Labelled { .. }
            | Change::DeletedBy(_)
            | Change::Tagged { .. } => None,
        });
        let was = match own {
            Some(Some(from)) => format!("before the run it was on version {from}"),
            Some(None) => "before the run no version had it".into(),
            None if sure => "where it was before the run is not on record".into(),
            None => return None,
        };
        Some(format!(
            "its label {label} stays where the run put it, on version {version}; {was}"
        ))
    });
    told.collect()
}

#[cfg(test)]
#[path = "undo_tests.rs"]
mod tests;
