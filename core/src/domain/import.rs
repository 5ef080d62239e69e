//! Import: what the original tool left in its bucket for one name, as records.
//!
//! Pure. The original stores the value that a parameter had when its function
//! ran, under the second of the event, and marks a deletion at the moment of
//! processing. So an imported record is never exact, and where the bucket can
//! be read in two ways, the one that brings back too much is taken: to delete
//! is not safe.

use std::collections::{BTreeMap, BTreeSet};

use super::instant::Instant;
use super::name::Name;
use super::record::{Attributes, Change, Record, Source, ValueState, Written, short_hash};

/// The original's tag with the event's time, in seconds since 1970.
const TIME: &str = "ssmbakTime";
/// The original's tag with the parameter's type.
const TYPE: &str = "ssmbakType";
/// The original's tag with the description; only where there is one.
const DESCRIPTION: &str = "ssmbakDescription";
/// The tag that only this tool sets.
const VERSION: &str = "ssmbakVersion";
/// Longest description that the original keeps.
const DESCRIPTION_MAX: usize = 256;

/// Who wrote an object version, by its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// The original tool, which said this of it.
    Original(Told),
    /// This tool.
    Ours,
    /// Somebody else.
    Foreign,
}

/// What the original's tags say of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The second of the event.
    pub at: Instant,
    /// `String`, `StringList` or `SecureString`.
    pub parameter_type: String,
    /// The description, without the characters that the original drops.
    pub description: Option<String>,
}

/// Tells by its tags who wrote an object version. Whatever is not exactly as
/// the original writes it is foreign.
pub fn author(tags: &BTreeMap<String, String>) -> Author {
    if tags.contains_key(VERSION) {
        return Author::Ours;
    }
    let seconds = tags.get(TIME).and_then(|text| text.parse::<i64>().ok());
    let at = seconds.and_then(|s| s.checked_mul(1000)).filter(|ms| {
        let range = Instant::EARLIEST.millis()..=Instant::LATEST.millis();
        range.contains(ms)
    });
    let known = |t: &&String| ["String", "StringList", "SecureString"].contains(&t.as_str());
    match (at, tags.get(TYPE).filter(known)) {
        (Some(ms), Some(parameter_type)) => Author::Original(Told {
            at: Instant::from_millis(ms),
            parameter_type: parameter_type.clone(),
            description: tags.get(DESCRIPTION).filter(|d| !d.is_empty()).cloned(),
        }),
        _ => Author::Foreign,
    }
}

/// What the original keeps of a description.
pub fn kept_of_description(text: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || " +-=._:/@".contains(*c);
    text.chars().filter(allowed).take(DESCRIPTION_MAX).collect()
}

/// An object version of the original's bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// The S3 version id.
    pub version_id: String,
    /// When it was stored (`LastModified`).
    pub stored: Instant,
    /// Whether it is what the key shows now.
    pub latest: bool,
    /// Who wrote it.
    pub author: Author,
}

/// A delete marker of the original's bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedMarker {
    /// When it was put (`LastModified`).
    pub stored: Instant,
    /// Whether it is what the key shows now.
    pub latest: bool,
}

/// Everything that is known of one name when it is imported.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Whose.
    pub name: &'a Name,
    /// The object versions at its key, newest first, as S3 lists them.
    pub versions: &'a [ListedVersion],
    /// The delete markers at its key, newest first.
    pub markers: &'a [ListedMarker],
    /// All records of the name that decide its state, oldest first.
    pub recorded: &'a [Record],
    /// When the live version was written, where the name lives.
    pub live: Option<Instant>,
    /// The present.
    pub now: Instant,
}

/// A record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportDraft {
    /// The record; where there is a `version_id`, its pointer is yet to be set.
    pub record: Record,
    /// The object version of the original's bucket whose value must be in the
    /// value store before the record is.
    pub version_id: Option<String>,
}

/// What follows from a [`Question`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// The missing records, in the order in which they must be written.
    pub drafts: Vec<ImportDraft>,
    /// Versions and deletions that were imported before, or that a capture has
    /// on record, exactly.
    pub already: usize,
    /// Versions of a second of which a later one decides.
    pub superseded: usize,
    /// Deletions that are not imported: others contradict them, repeat them, or
    /// nothing shows that they are the original's.
    pub doubtful: usize,
    /// Versions that this tool wrote.
    pub ours: usize,
    /// Versions that somebody else wrote.
    pub foreign: usize,
}

/// Decides which records are missing.
///
/// Of several versions in one second only the one that was stored last is
/// imported, as only it decides for the original; one that was imported before
/// stays. A version in whose second a capture has one with its number is left
/// out: that one has the value of its time.
pub fn decide(q: &Question<'_>) -> Decision {
    let mut decision = Decision::default();
    let known = Known::new(q);
    let timeline = timeline(q, &mut decision);
    let mut wanted = last_of_seconds(q, &known, &timeline, &mut decision);
    wanted.extend(deletions(q, &timeline, &mut decision));
    wanted.sort_by_cached_key(|d| d.record.entry());
    wanted.dedup_by_key(|d| d.record.entry());
    let still_there = contradicted(q, &wanted);
    wanted.retain(|draft| {
        let already = known.has(&draft.record);
        let kept = already || !is_contradicted(q, &draft.record);
        decision.doubtful += usize::from(!kept);
        kept
    });
    tell_creations(&mut wanted);
    let all = wanted.len();
    wanted.retain(|d| !known.has(&d.record));
    decision.already += all - wanted.len();
    wanted.extend(still_there);
    wanted.sort_by_cached_key(|d| d.record.entry());
    decision.drafts = wanted;
    decision
}

/// What is on record, laid out for questions.
struct Known {
    entries: BTreeSet<String>,
    /// Seconds of which a capture has a version with its number.
    captured: BTreeSet<Instant>,
    /// Seconds of which a version was imported.
    imported: BTreeSet<Instant>,
}

impl Known {
    fn new(q: &Question<'_>) -> Self {
        let seconds = |of: fn(&Record) -> bool| {
            let records = q.recorded.iter().filter(|r| of(r));
            records.map(|r| r.at.second_start()).collect()
        };
        Self {
            entries: q.recorded.iter().map(Record::entry).collect(),
            captured: seconds(|r| r.numbered().is_some()),
            imported: seconds(Record::is_imported_version),
        }
    }

    /// Whether the record is there, or one that knows better.
    fn has(&self, record: &Record) -> bool {
        let better = record.written().is_some() && self.captured.contains(&record.at);
        better || self.entries.contains(&record.entry())
    }
}

/// What the original did to the key, in the order in which it did it.
enum Stored<'a> {
    Version(&'a ListedVersion, &'a Told),
    Marker(Instant),
}

impl Stored<'_> {
    fn told(&self) -> Option<Instant> {
        match self {
            Self::Version(_, told) => Some(told.at),
            Self::Marker(_) => None,
        }
    }
}

/// Merges versions and markers, oldest first. S3 lists them apart and in whole
/// seconds: in one second a marker is taken to be the older, unless the key
/// shows it, since the other way round more would be deleted.
fn timeline<'a>(q: &Question<'a>, decision: &mut Decision) -> Vec<Stored<'a>> {
    let mut timeline = Vec::with_capacity(q.versions.len() + q.markers.len());
    let mut markers = q.markers.iter().rev().peekable();
    for version in q.versions.iter().rev() {
        let older = |m: &&ListedMarker| m.stored <= version.stored && !m.latest;
        while let Some(marker) = markers.next_if(older) {
            timeline.push(Stored::Marker(marker.stored));
        }
        match &version.author {
            Author::Original(told) => timeline.push(Stored::Version(version, told)),
            Author::Ours => decision.ours += 1,
            Author::Foreign => decision.foreign += 1,
        }
    }
    timeline.extend(markers.map(|m| Stored::Marker(m.stored)));
    // A marker says nothing of who put it: only among the original's own
    // versions is it taken for the original's.
    let original = timeline.iter().any(|s| s.told().is_some());
    if !original || decision.ours > 0 {
        let all = timeline.len();
        timeline.retain(|s| s.told().is_some());
        decision.doubtful += all - timeline.len();
    }
    timeline
}

/// The version of each second that was stored last, or imported before.
fn last_of_seconds(
    q: &Question<'_>,
    known: &Known,
    timeline: &[Stored<'_>],
    decision: &mut Decision,
) -> Vec<ImportDraft> {
    let is_recorded = |draft: &ImportDraft| known.entries.contains(&draft.record.entry());
    let mut seconds: BTreeMap<Instant, ImportDraft> = BTreeMap::new();
    for stored in timeline {
        let Stored::Version(version, told) = stored else {
            continue;
        };
        let before = seconds.get(&told.at);
        decision.superseded += usize::from(before.is_some());
        if before.is_none_or(|d| !is_recorded(d)) {
            seconds.insert(told.at, version_draft(q, version, told));
        }
    }
    // One that was imported before may be gone from the bucket; its record stays.
    let all = seconds.len();
    seconds.retain(|at, draft| !known.imported.contains(at) || is_recorded(draft));
    decision.superseded += all - seconds.len();
    seconds.into_values().collect()
}

fn version_draft(q: &Question<'_>, version: &ListedVersion, told: &Told) -> ImportDraft {
    let written = Written {
        version: None,
        creates: false,
        discriminator: discriminator(&version.version_id),
        attributes: Attributes {
            parameter_type: told.parameter_type.clone(),
            description: told.description.clone(),
            ..Attributes::default()
        },
        modified_by: None,
        value: ValueState::Lost,
    };
    ImportDraft {
        record: imported(q, told.at, Change::Written(written)),
        version_id: Some(version.version_id.clone()),
    }
}

/// What tells the record of an object version apart.
pub fn discriminator(version_id: &str) -> String {
    format!("i{}", short_hash(version_id))
}

fn imported(q: &Question<'_>, at: Instant, change: Change) -> Record {
    Record {
        name: q.name.clone(),
        at,
        change,
        source: Source::Import,
        event: None,
        recorded_at: q.now,
    }
}

/// A deletion for each marker: it lies after the newest version that was
/// stored before it, and at the latest at the end of the second in which it
/// was put or just before the next version, whichever is earlier.
fn deletions(
    q: &Question<'_>,
    timeline: &[Stored<'_>],
    decision: &mut Decision,
) -> Vec<ImportDraft> {
    let mut drafts = Vec::new();
    for (place, stored) in timeline.iter().enumerate() {
        let Stored::Marker(put) = stored else {
            continue;
        };
        let (earlier, later) = (&timeline[..place], &timeline[place + 1..]);
        // The second marker in a row is an event that came twice, or a life
        // that the original never saw.
        let again = matches!(earlier.last(), Some(Stored::Marker(_)));
        match deleted_within(earlier, later, *put) {
            Some((from, at)) if !again => {
                let change = Change::Deleted {
                    not_before: Some(from),
                    parameter_type: None,
                };
                drafts.push(ImportDraft {
                    record: imported(q, at, change),
                    version_id: None,
                });
            }
            _ => decision.doubtful += 1,
        }
    }
    drafts
}

/// The interval of a deletion; none where what was stored after it proves that
/// the name lived again, but not since when, or where nothing shows what it
/// came after.
fn deleted_within(
    earlier: &[Stored<'_>],
    later: &[Stored<'_>],
    put: Instant,
) -> Option<(Instant, Instant)> {
    let before = earlier.iter().filter_map(Stored::told).max();
    // Which came first cannot be told: it may as well be a later life's end.
    let at_once = |s: &Stored<'_>| matches!(s, Stored::Version(v, _) if v.stored.same_second(put));
    if before.is_none() && later.iter().any(at_once) {
        return None;
    }
    let from = before.unwrap_or(Instant::EARLIEST);
    let mut at = put.second_end();
    let after: Vec<Instant> = later.iter().filter_map(Stored::told).collect();
    if !after.is_empty() {
        let next = after.into_iter().filter(|t| *t > from).min()?;
        at = at.min(next.plus_millis(-1));
    }
    (at > from).then_some((from, at))
}

/// Whether what lives or was captured speaks against a deletion, or tells of it
/// already.
fn is_contradicted(q: &Question<'_>, record: &Record) -> bool {
    let Change::Deleted {
        not_before: Some(from),
        ..
    } = record.change
    else {
        return false;
    };
    let at = record.at;
    if q.live.is_some_and(|written| written <= at) {
        return true;
    }
    let captured = || q.recorded.iter().filter(|r| r.source != Source::Import);
    if captured().any(|r| r.at > from.second_end() && r.at <= at.second_end()) {
        return true;
    }
    // Numbers that rise over it without a deletion: it lived all the time.
    let older = captured().rfind(|r| r.at <= at);
    let newer = captured().find(|r| r.at > at);
    let number = |r: Option<&Record>| r.and_then(Record::present).and_then(|w| w.version);
    match (number(older), number(newer)) {
        (Some(older), Some(newer)) => newer > older,
        _ => false,
    }
}

/// The first version of a life is told as its creation.
fn tell_creations(wanted: &mut [ImportDraft]) {
    let mut lives = false;
    for draft in wanted {
        match &mut draft.record.change {
            Change::Written(written) => {
                written.creates = !lives;
                lives = true;
            }
            Change::Deleted { .. }
            | Change::StillThere(_)
            | Change::Labelled { .. }
            | Change::Tagged { .. }
            | Change::DeletedBy(_) => lives = false,
        }
    }
}

/// Deletions that an earlier import put on record and that what the original
/// stored since moves or disproves. The version that was there is repeated at
/// the deletion's instant, as a capture does it. What a capture knows better,
/// it tells itself.
fn contradicted(q: &Question<'_>, wanted: &[ImportDraft]) -> Vec<ImportDraft> {
    let holds = |r: &Record| wanted.iter().any(|d| d.record.entry() == r.entry());
    let answered = |at: Instant| {
        let still = |r: &Record| r.at == at && matches!(r.change, Change::StillThere(_));
        q.recorded.iter().any(still)
    };
    let stale =
        |r: &&Record| r.source == Source::Import && r.is_deletion() && !holds(r) && !answered(r.at);
    let stale: Vec<&Record> = q.recorded.iter().filter(stale).collect();
    let still_there = |deletion: &&Record| {
        let recorded = q.recorded.iter().filter(|r| !stale.contains(r));
        let recorded = recorded.map(|r| (r, None));
        let drafted = wanted.iter().map(|d| (&d.record, d.version_id.clone()));
        // Of a version that is both, the one on record has its value already.
        let until = drafted.chain(recorded).filter(|(r, _)| r.at <= deletion.at);
        let (newest, version_id) = until.max_by_key(|(r, _)| r.entry())?;
        let written = Written {
            creates: false,
            ..newest.present()?.clone()
        };
        Some(ImportDraft {
            record: imported(q, deletion.at, Change::StillThere(written)),
            version_id,
        })
    };
    stale.iter().filter_map(still_there).collect()
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
