//! Changes of tags. They belong to the parameter, not to a version: an event
//! tells all of them, or a look shows others than those on record.

use super::{Draft, Question, draft};
use crate::domain::event::{Event, EventKind};
use crate::domain::instant::Instant;
use crate::domain::record::{Change, Record, Source};
use crate::domain::retained::Tags;

/// A look that is sent sooner after an event may not show yet what it told.
const STALE_LOOK_MS: i64 = 10_000;

/// The tags as they are known to have been at an instant.
#[derive(Clone)]
struct Known {
    at: Instant,
    entry: String,
    tags: Tags,
    from: From,
}

/// Where they are known from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// A version that was looked at.
    Version,
    /// A look alone: they had changed at some time before.
    Look,
    /// An event.
    Event,
}

/// Every change of tags that is not on record. One that is seen again, by an
/// event or a look, is not another one.
pub(super) fn tag_changes(q: &Question<'_>, drafts: &[Draft]) -> Vec<Draft> {
    let drafted = drafts.iter().map(|d| &d.record);
    let all = q.recorded.iter().chain(q.tags).chain(drafted);
    let mut known: Vec<Known> = all.filter_map(known_by).collect();
    let mut missing = Vec::new();
    for (event, tags) in told(q.events) {
        known.sort_by(|a, b| a.entry.cmp(&b.entry));
        let change = Change::Tagged { tags: tags.clone() };
        let at = event.origin.time.second_end();
        if is_known(&known, at, tags) {
            continue;
        }
        let told = draft(q, at, change, Some(event.origin.clone()));
        known.extend(known_by(&told.record));
        missing.push(told);
    }
    known.sort_by(|a, b| a.entry.cmp(&b.entry));
    // Those of an earlier parameter of the name say nothing about this one.
    if let Some(deleted) = last_deletion(q, drafts) {
        known.retain(|k| k.at > deleted);
    }
    missing.extend(seen(q, &known));
    missing
}

/// Whether the changes of tags on record can matter to the decision; where
/// they do not, they need not be read.
///
/// They are compared with the tags that an event tells, and with those of the
/// look. Those of a version whose own event is at hand and that is not on
/// record yet are new with it: whoever records a change of tags has recorded
/// the versions before it.
pub fn depends_on_tags(q: &Question<'_>) -> bool {
    let tagged = |e: &Event| matches!(e.kind, EventKind::Tagged { .. });
    if q.source != Source::Event || q.events.iter().any(tagged) {
        return true;
    }
    let Some(newest) = q.look.newest() else {
        return false;
    };
    let told = |e: &Event| {
        let written = matches!(e.kind, EventKind::Written { .. });
        written && e.origin.time.same_second(newest.modified)
    };
    super::is_recorded(q, newest) || !q.events.iter().any(told)
}

fn known_by(record: &Record) -> Option<Known> {
    let (tags, from) = match &record.change {
        Change::Written(w) | Change::StillThere(w) => (w.attributes.tags.as_ref()?, From::Version),
        Change::Tagged { tags } if record.event.is_some() => (tags, From::Event),
        Change::Tagged { tags } => (tags, From::Look),
        Change::Deleted { .. } | Change::Labelled { .. } | Change::DeletedBy(_) => return None,
    };
    Some(Known {
        at: record.at,
        entry: record.entry(),
        tags: tags.clone(),
        from,
    })
}

/// The tags that events tell, oldest first.
fn told<'a>(events: &'a [Event]) -> Vec<(&'a Event, &'a Tags)> {
    let tags = |event: &'a Event| match &event.kind {
        EventKind::Tagged { tags } => Some((event, tags.as_ref()?)),
        EventKind::Written { .. }
        | EventKind::Deleted { .. }
        | EventKind::Labelled { .. }
        | EventKind::DeletedBy(_)
        | EventKind::Look
        | EventKind::Nothing => None,
    };
    let mut told: Vec<_> = events.iter().filter_map(tags).collect();
    told.sort_by_key(|(event, _)| event.origin.time);
    told
}

/// Whether the tags at `at` are on record: they were so already, or a look saw
/// them a little later.
fn is_known(known: &[Known], at: Instant, tags: &Tags) -> bool {
    let same_second = known.iter().any(|k| k.at == at && k.tags == *tags);
    let before = known.iter().rfind(|k| k.at <= at);
    let after = known.iter().find(|k| k.at > at);
    same_second
        || before.is_some_and(|k| k.tags == *tags)
        || after.is_some_and(|k| k.from == From::Look && k.tags == *tags)
}

/// The last deletion that nothing contradicts.
fn last_deletion(q: &Question<'_>, drafts: &[Draft]) -> Option<Instant> {
    let drafted = drafts.iter().map(|d| &d.record);
    let all: Vec<&Record> = q.recorded.iter().chain(drafted).collect();
    let answered = |at: Instant| {
        let mut all = all.iter();
        all.any(|r| r.at == at && matches!(r.change, Change::StillThere(_)))
    };
    let deletions = all.iter().filter(|r| r.is_deletion() && !answered(r.at));
    deletions.map(|r| r.at).max()
}

/// The change that the look alone shows.
fn seen(q: &Question<'_>, known: &[Known]) -> Option<Draft> {
    let live = q.look.newest()?.attributes.tags.as_ref()?;
    let change = Change::Tagged { tags: live.clone() };
    let Some(last) = known.last() else {
        // Nobody knows whether they changed; none at all need no record.
        return (!live.is_empty()).then(|| draft(q, q.look.sent, change, None));
    };
    if last.tags == *live || last.at > q.look.sent {
        return None;
    }
    // A young event is believed before the look, unless it shares its second
    // with one that tells what was seen; or they are about to be overwritten,
    // and have been read twice.
    let tied = known.iter().any(|k| k.at == last.at && k.tags == *live);
    let sure = tied || q.source == Source::Restore;
    let young = q.look.sent < last.at.plus_millis(STALE_LOOK_MS);
    if last.from == From::Event && young && !sure {
        return None;
    }
    let untold = q.events.iter().filter(|event| {
        let at = event.origin.time.second_end();
        event.kind == (EventKind::Tagged { tags: None }) && at > last.at
    });
    let origin = untold.max_by_key(|e| e.origin.time).map(|e| &e.origin);
    let at = origin.map_or(q.look.sent, |origin| origin.time.second_end());
    Some(draft(q, at, change, origin.cloned()))
}

#[cfg(test)]
#[path = "tags_tests.rs"]
mod tests;
