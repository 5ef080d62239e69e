//! The verdict on each event that announced a version.

use super::{Draft, Question, STALE_READ_MS, Verdict, draft, retained};
use crate::domain::event::{Event, EventKind};
use crate::domain::record::{Attributes, Change, Record, ValueState, Written};
use crate::domain::retained::{Retained, RetainedValue};

/// Judges each event; a written version that is gone for good is added to
/// `drafts` as lost.
pub(super) fn judge_written_events(q: &Question<'_>, drafts: &mut Vec<Draft>) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(q.events.len());
    for event in q.events {
        let EventKind::Written {
            creates,
            parameter_type,
            description,
        } = &event.kind
        else {
            verdicts.push(Verdict::Done);
            continue;
        };
        if is_explained(q, event) {
            verdicts.push(Verdict::Done);
        } else if is_young(q, event) || is_sealed(q, event) {
            verdicts.push(Verdict::Retry);
        } else {
            if is_gone_for_good(q, event) {
                let lost = Change::Written(Written {
                    version: None,
                    creates: *creates,
                    discriminator: event.origin.id.clone(),
                    attributes: Attributes {
                        parameter_type: parameter_type.clone(),
                        description: description.clone(),
                        ..Attributes::default()
                    },
                    modified_by: None,
                    value: ValueState::Lost,
                });
                let origin = Some(event.origin.clone());
                drafts.push(draft(q, event.origin.time, lost, origin));
            }
            verdicts.push(Verdict::Done);
        }
    }
    verdicts
}

/// A version that is recorded or retained lies in the event's second, or the
/// event is on record as lost.
fn is_explained(q: &Question<'_>, event: &Event) -> bool {
    let recorded = q.recorded.iter().any(|r| {
        let told = |w: &Written| {
            (w.version.is_some() && r.at.same_second(event.origin.time))
                || w.discriminator == event.origin.id
        };
        r.written().is_some_and(told)
    });
    let mut versions = retained(q).iter();
    let explains = |r: &Retained| {
        r.value != RetainedValue::Sealed && r.modified.same_second(event.origin.time)
    };
    recorded || versions.any(explains)
}

/// The read may have been stale.
fn is_young(q: &Question<'_>, event: &Event) -> bool {
    q.now < event.origin.time.plus_millis(STALE_READ_MS)
}

/// The version of the event's second cannot be read for now.
fn is_sealed(q: &Question<'_>, event: &Event) -> bool {
    let mut versions = retained(q).iter();
    versions.any(|r| r.modified.same_second(event.origin.time))
}

/// The name is gone or re-created since, or version numbers are missing around
/// the event: the version it told of can never be read again.
fn is_gone_for_good(q: &Question<'_>, event: &Event) -> bool {
    let Some(versions) = &q.look.retained else {
        return true;
    };
    let at = event.origin.time;
    let recorded = q.recorded.iter().filter_map(Record::numbered);
    let seen = recorded.chain(versions.iter().map(|r| (r.modified, r.version)));
    // Its first version may be on record only: no more than a hundred are retained.
    let mut recreated = false;
    let (mut before, mut after) = (None, None);
    for (time, version) in seen {
        recreated |= version == 1 && time > at.second_end();
        if time < at {
            before = before.max(Some((time, version)));
        } else if after.is_none_or(|a| (time, version) < a) {
            after = Some((time, version));
        }
    }
    let last = before.map_or(0, |(_, version)| version);
    let numbers_missing = after.is_some_and(|(_, next)| next > last + 1);
    recreated || numbers_missing
}
