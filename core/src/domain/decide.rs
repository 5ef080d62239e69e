//! The capture decision: given what is recorded of a name, what Parameter
//! Store retains of it, and the events that made us look, which records are
//! missing?
//!
//! Pure, and independent of how events arrive: what is recorded for an instant
//! is the value that version had, so late, repeated and reordered events all
//! lead to the same records.

mod judge;
mod tags;

use std::collections::BTreeSet;

use self::judge::judge_written_events;
pub use self::tags::depends_on_tags;
use self::tags::tag_changes;
use super::event::{Event, EventKind, EventRef};
use super::instant::Instant;
use super::name::Name;
use super::record::{Change, Pointer, Record, Source, ValueState, Written};
use super::retained::{Look, Retained, RetainedValue};
use super::value::Value;

/// How old an event must be before a change that nobody can see any more is
/// called lost: until then the read may be stale.
pub const STALE_READ_MS: i64 = 5 * 60 * 1000;

/// What is known when the decision is made.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Whose changes.
    pub name: &'a Name,
    /// The records of the name that decide its state, in any order, back to
    /// the oldest version that may still be retained.
    pub recorded: &'a [Record],
    /// The newest changes of its tags on record, in any order.
    pub tags: &'a [Record],
    /// What Parameter Store retains.
    pub look: &'a Look,
    /// The events about the name at hand; may be none.
    pub events: &'a [Event],
    /// The present.
    pub now: Instant,
    /// What the records will say of their origin.
    pub source: Source,
}

/// A record to be written. A `value` must be in the value store before the
/// record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The record; where there is a `value`, its pointer is yet to be set.
    pub record: Record,
    /// The value to store.
    pub value: Option<Value>,
}

impl Draft {
    /// The finished record, once its value is at `pointer`.
    #[must_use]
    pub fn stored_at(mut self, pointer: Pointer) -> Record {
        if let Change::Written(w) | Change::StillThere(w) = &mut self.record.change {
            w.value = ValueState::Stored(pointer);
        }
        self.record
    }
}

/// What to do about one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every change it may have told of is on record once the drafts are.
    Done,
    /// Nothing that is recorded or retained explains it yet, and the read may
    /// have been stale; or the version's key is denied or disabled. Look again
    /// later.
    Retry,
}

/// What follows from a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The missing records, in the order in which they must be written.
    pub drafts: Vec<Draft>,
    /// One verdict for each event, in their order.
    pub verdicts: Vec<Verdict>,
    /// Versions that are not on record and cannot be read for now: their key is
    /// disabled.
    pub sealed: usize,
    /// Versions that no event at hand announced, of a name already on record.
    pub healed: usize,
}

impl Decision {
    /// Adds the versions that an earlier decision had in hand and this one,
    /// made from a later look, has not: they were retained then, and their
    /// values can perhaps not be read again.
    pub fn keep_versions_of(&mut self, earlier: Self) {
        let known: BTreeSet<String> = self.drafts.iter().map(|d| d.record.entry()).collect();
        let had = |d: &Draft| {
            let written = matches!(d.record.change, Change::Written(_));
            written && d.value.is_some() && !known.contains(&d.record.entry())
        };
        self.drafts.extend(earlier.drafts.into_iter().filter(had));
        self.drafts.sort_by_cached_key(|d| d.record.entry());
    }
}

/// Decides what is missing. See the module's text.
pub fn decide(q: &Question<'_>) -> Decision {
    let mut drafts = missing_versions(q);
    // A first look finds a past, not a gap.
    let gaps = drafts.iter().filter(|d| d.record.event.is_none());
    let healed = if q.recorded.is_empty() {
        0
    } else {
        gaps.count()
    };
    drafts.extend(exact_deletions(q));
    drafts.extend(label_moves(q));
    drafts.extend(deleters(q));
    let verdicts = judge_written_events(q, &mut drafts);
    let proven = proven_deletions(q, &drafts);
    drafts.extend(proven);
    let contradicted = contradicted_deletions(q, &drafts);
    drafts.extend(contradicted);
    let tagged = tag_changes(q, &drafts);
    drafts.extend(tagged);
    drafts.sort_by_cached_key(|d| d.record.entry());
    drafts.dedup_by_key(|d| d.record.entry());
    Decision {
        drafts,
        verdicts,
        sealed: sealed_versions(q),
        healed,
    }
}

/// Whether the decision rests on the look alone and against a deletion on
/// record: worth a second look before it is written, the first may be stale.
pub fn contradicts_a_deletion(decision: &Decision) -> bool {
    let still_there = |d: &Draft| matches!(d.record.change, Change::StillThere(_));
    decision.drafts.iter().any(still_there)
}

/// The observed deletion of a name that two looks found gone.
///
/// It stands at `missed`, when the first look that missed it was sent, and
/// lies anywhere after `last_seen`.
pub fn observed_deletion(
    name: &Name,
    last_seen: Instant,
    missed: Instant,
    now: Instant,
    source: Source,
) -> Record {
    Record {
        name: name.clone(),
        at: missed,
        change: Change::Deleted {
            not_before: Some(last_seen),
            parameter_type: None,
        },
        source,
        event: None,
        recorded_at: now,
    }
}

/// A retained version as a record, its value not yet stored.
pub fn written_from(retained: &Retained) -> Written {
    Written {
        version: Some(retained.version),
        creates: retained.version == 1,
        discriminator: String::new(),
        attributes: retained.attributes.clone(),
        modified_by: retained.modified_by.clone(),
        value: ValueState::Lost,
    }
}

fn draft(q: &Question<'_>, at: Instant, change: Change, event: Option<EventRef>) -> Draft {
    Draft {
        record: Record {
            name: q.name.clone(),
            at,
            change,
            source: q.source,
            event,
            recorded_at: q.now,
        },
        value: None,
    }
}

fn retained<'a>(q: &Question<'a>) -> &'a [Retained] {
    q.look.retained.as_deref().unwrap_or_default()
}

fn sealed_versions(q: &Question<'_>) -> usize {
    let sealed = |v: &&Retained| v.value == RetainedValue::Sealed && !is_recorded(q, v);
    retained(q).iter().filter(sealed).count()
}

fn is_recorded(q: &Question<'_>, version: &Retained) -> bool {
    recorded_as(q, version).is_some()
}

/// What is recorded of a retained version: the same number, the same time.
fn recorded_as<'a>(q: &Question<'a>, version: &Retained) -> Option<&'a Written> {
    let same = |r: &&Record| r.numbered() == Some((version.modified, version.version));
    q.recorded.iter().find(same)?.written()
}

/// Every retained version that is not on record. One whose key is denied or
/// disabled waits for a later look: recorded as lost it would stay lost.
fn missing_versions(q: &Question<'_>) -> Vec<Draft> {
    let announced = |at: Instant| {
        let written = |e: &&Event| matches!(e.kind, EventKind::Written { .. });
        let mut events = q.events.iter().filter(written);
        events.find(|e| e.origin.time.same_second(at))
    };
    retained(q)
        .iter()
        .filter(|version| version.value != RetainedValue::Sealed && !is_recorded(q, version))
        .map(|version| Draft {
            value: version.value.read().cloned(),
            ..draft(
                q,
                version.modified,
                Change::Written(written_from(version)),
                announced(version.modified).map(|e| e.origin.clone()),
            )
        })
        .collect()
}

/// Each Delete event is a deletion at the end of its second.
fn exact_deletions(q: &Question<'_>) -> Vec<Draft> {
    let on_record = |at: Instant| {
        let mut records = q.recorded.iter();
        records.any(|r| {
            r.at == at
                && matches!(
                    r.change,
                    Change::Deleted {
                        not_before: None,
                        ..
                    }
                )
        })
    };
    q.events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Deleted { parameter_type } => Some((event, parameter_type)),
            EventKind::Written { .. }
            | EventKind::Labelled { .. }
            | EventKind::Tagged { .. }
            | EventKind::DeletedBy(_)
            | EventKind::Look
            | EventKind::Nothing => None,
        })
        .filter(|(event, _)| !on_record(event.origin.time.second_end()))
        .map(|(event, parameter_type)| {
            let change = Change::Deleted {
                not_before: None,
                parameter_type: parameter_type.clone(),
            };
            let at = event.origin.time.second_end();
            draft(q, at, change, Some(event.origin.clone()))
        })
        .collect()
}

fn label_moves(q: &Question<'_>) -> Vec<Draft> {
    q.events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Labelled { label, from, to } => {
                let change = Change::Labelled {
                    label: label.clone(),
                    from: *from,
                    to: *to,
                };
                let at = event.origin.time.second_end();
                Some(draft(q, at, change, Some(event.origin.clone())))
            }
            EventKind::Written { .. }
            | EventKind::Deleted { .. }
            | EventKind::Tagged { .. }
            | EventKind::DeletedBy(_)
            | EventKind::Look
            | EventKind::Nothing => None,
        })
        .collect()
}

/// Who asked for a deletion: a record of its own. It proves no deletion, since
/// the call may have named what was not there.
fn deleters(q: &Question<'_>) -> Vec<Draft> {
    let told = q.events.iter().filter_map(|event| match &event.kind {
        EventKind::DeletedBy(deleter) => {
            let change = Change::DeletedBy(deleter.clone());
            let at = event.origin.time.second_end();
            Some(draft(q, at, change, Some(event.origin.clone())))
        }
        EventKind::Written { .. }
        | EventKind::Deleted { .. }
        | EventKind::Labelled { .. }
        | EventKind::Tagged { .. }
        | EventKind::Look
        | EventKind::Nothing => None,
    });
    told.collect()
}

/// A version number that does not rise with time proves a deletion between.
/// Where none is on record, it is recorded as observed, just before the later
/// version.
fn proven_deletions(q: &Question<'_>, drafts: &[Draft]) -> Vec<Draft> {
    let mut known: Vec<&Record> = q
        .recorded
        .iter()
        .chain(drafts.iter().map(|d| &d.record))
        .collect();
    known.sort_by_cached_key(|r| r.entry());
    // The same record twice is one; its number does not fail to rise.
    known.dedup_by_key(|r| r.entry());
    let versions: Vec<(Instant, u64)> = known.iter().filter_map(|r| r.numbered()).collect();
    versions
        .windows(2)
        .filter_map(|pair| match pair {
            [earlier, later] if later.1 <= earlier.1 => Some((earlier.0, later.0)),
            _ => None,
        })
        .filter(|(earlier, later)| {
            let between = |r: &&&Record| r.at > *earlier && r.at <= later.second_end();
            !known.iter().filter(between).any(|r| r.is_deletion())
        })
        .map(|(earlier, later)| {
            let change = Change::Deleted {
                not_before: Some(earlier),
                parameter_type: None,
            };
            draft(q, later.plus_millis(-1), change, None)
        })
        .collect()
}

/// A deletion that the look contradicts: a version older than it is still
/// retained. The newest such version is repeated at the deletion's instant.
fn contradicted_deletions(q: &Question<'_>, drafts: &[Draft]) -> Vec<Draft> {
    let records: Vec<&Record> = q
        .recorded
        .iter()
        .chain(drafts.iter().map(|d| &d.record))
        .collect();
    let answered = |at: Instant| {
        let mut records = records.iter();
        records.any(|r| r.at == at && matches!(r.change, Change::StillThere(_)))
    };
    records
        .iter()
        .filter(|r| r.is_deletion() && !answered(r.at))
        .filter_map(|deletion| {
            let older = |v: &&Retained| v.modified <= deletion.at;
            let version = retained(q).iter().rfind(older)?;
            // It waits until its key is enabled: as "still there, value lost" it would count as recorded.
            if version.value == RetainedValue::Sealed && recorded_as(q, version).is_none() {
                return None;
            }
            Some(still_there(q, deletion.at, version))
        })
        .collect()
}

/// Repeats `version` at `at`, with the pointer it has where it is on record.
fn still_there(q: &Question<'_>, at: Instant, version: &Retained) -> Draft {
    match recorded_as(q, version) {
        Some(written) => draft(q, at, Change::StillThere(written.clone()), None),
        None => Draft {
            value: version.value.read().cloned(),
            ..draft(q, at, Change::StillThere(written_from(version)), None)
        },
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
