//! The state of a name at an instant: present, absent or unknown.

use super::instant::Instant;
use super::record::{Attributes, Change, Pointer, Record, Source, ValueState, Written};
use super::retained::{Live, Retained, RetainedValue, Tags};
use super::value::Value;

/// The state of one name at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every state is present; a box would cost more than it saves"
)]
pub enum State {
    /// It existed, with this version.
    Present(Found),
    /// It is known not to have existed.
    Absent {
        /// When it was deleted; none where it had not been created yet.
        since: Option<Instant>,
    },
    /// Nobody knows.
    Unknown {
        /// The first later instant at which its state is known.
        known_from: Option<Instant>,
    },
}

impl State {
    /// The version that existed.
    pub fn found(&self) -> Option<&Found> {
        match self {
            Self::Present(found) => Some(found),
            Self::Absent { .. } | Self::Unknown { .. } => None,
        }
    }
}

/// A version that existed at the asked instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// When it was written.
    pub modified: Instant,
    /// Its number, where known.
    pub version: Option<u64>,
    /// Who wrote it.
    pub modified_by: Option<String>,
    /// Everything but the value.
    pub attributes: Attributes,
    /// Where the value can be had.
    pub value: FoundValue,
    /// The instant lies where the name may have been deleted already: to bring
    /// back too much is safe, to delete is not.
    pub inexact: bool,
}

impl Found {
    /// The version that a record says is there; none where it says something else.
    pub fn of_record(record: &Record) -> Option<Self> {
        let written = record.present()?;
        Some(Self {
            modified: record.at,
            version: written.version,
            modified_by: written.modified_by.clone(),
            attributes: written.attributes.clone(),
            value: match &written.value {
                ValueState::Stored(pointer) => FoundValue::Stored(pointer.clone()),
                ValueState::Lost => FoundValue::Lost,
            },
            inexact: false,
        })
    }

    /// Whether it is known only from the original tool's bucket: a value without
    /// a number, which is that of the moment when it was stored there.
    pub fn is_imported(&self) -> bool {
        self.version.is_none() && matches!(self.value, FoundValue::Stored(_))
    }
}

/// Where the value of a [`Found`] version can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundValue {
    /// It is the version that lives now.
    Live,
    /// In the value store.
    Stored(Pointer),
    /// Parameter Store still retains it and has just told it.
    Retained(Value),
    /// Parameter Store retains it, but its key is denied or disabled.
    Sealed,
    /// At hand: it comes from elsewhere than the records of this name.
    Given(Value),
    /// Nowhere.
    Lost,
}

/// What is known of one name when its state at an instant is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// What lives now.
    pub live: Option<&'a Live>,
    /// The newest state-deciding record ever seen.
    pub head: Option<&'a Record>,
    /// The newest state-deciding record at or before the instant; may be the head.
    pub before: Option<&'a Record>,
    /// The oldest state-deciding record; wanted only where there is no `before`.
    pub oldest: Option<&'a Record>,
    /// What Parameter Store retains, ascending; asked only where `live` is not
    /// what `head` says.
    pub retained: &'a [Retained],
    /// The newest change of tags at or before the instant.
    pub tags: Option<&'a Record>,
    /// Whether the instant lies in the name's coverage.
    pub covered: bool,
}

/// Returns the state at `at` that the evidence proves.
///
/// A live version last modified at or before `at` is the state, whatever the
/// records say. Otherwise the newest record or retained version at or before
/// `at` decides; a deletion counts from its own instant on. Where nothing is
/// known at or before `at`, the name is absent only if `at` is covered and the
/// oldest thing known of it is its version 1, after `at`; else unknown.
///
/// The tags are those of the version that was found, or of a change of tags
/// since it was written.
pub fn state_at(at: Instant, evidence: &Evidence<'_>) -> State {
    let mut state = version_at(at, evidence);
    if let State::Present(found) = &mut state {
        found.attributes.tags = tags_of(found, evidence);
    }
    state
}

/// Tags belong to the parameter and survive new versions; a version on record
/// tells them as they were when it was looked at.
fn tags_of(found: &Found, evidence: &Evidence<'_>) -> Option<Tags> {
    let changed = evidence.tags.filter(|r| r.at >= found.modified);
    if let Some(Change::Tagged { tags }) = changed.map(|r| &r.change) {
        return Some(tags.clone());
    }
    let same = |w: &&Written| found.value == FoundValue::Live && w.version == found.version;
    let head = evidence.head.filter(|r| r.at >= found.modified);
    let of_live = head.and_then(Record::present).filter(same);
    let tags = of_live.and_then(|w| w.attributes.tags.clone());
    found.attributes.tags.clone().or(tags)
}

fn version_at(at: Instant, evidence: &Evidence<'_>) -> State {
    if let Some(live) = evidence.live.filter(|live| live.modified <= at) {
        return State::Present(from_live(live));
    }
    let retained = evidence.retained.iter().rfind(|r| r.modified <= at);
    match (evidence.before, retained) {
        (None, None) => before_everything(at, evidence),
        (Some(record), None) => from_record(at, record, evidence),
        (None, Some(version)) => State::Present(from_retained(version)),
        (Some(record), Some(version)) => newer_of(at, record, version, evidence),
    }
}

/// Both a record and a retained version lie at or before `at`.
fn newer_of(at: Instant, record: &Record, version: &Retained, evidence: &Evidence<'_>) -> State {
    let same = |w: &Written| w.version == Some(version.version) && record.at == version.modified;
    match &record.change {
        Change::Written(w) if same(w) => from_record(at, record, evidence),
        Change::Written(_) | Change::StillThere(_) if record.at > version.modified => {
            from_record(at, record, evidence)
        }
        // What is retained now and older than a deletion contradicts it.
        Change::Deleted { .. }
        | Change::Written(_)
        | Change::StillThere(_)
        | Change::Labelled { .. }
        | Change::Tagged { .. }
        | Change::DeletedBy(_) => State::Present(from_retained(version)),
    }
}

fn from_record(at: Instant, record: &Record, evidence: &Evidence<'_>) -> State {
    match Found::of_record(record) {
        None => State::Absent {
            since: Some(record.at),
        },
        Some(found) => State::Present(Found {
            inexact: may_be_deleted(at, record, evidence),
            ..found
        }),
    }
}

/// Whether the name may have been deleted between `record` and `at`.
fn may_be_deleted(at: Instant, record: &Record, evidence: &Evidence<'_>) -> bool {
    if let Some(head) = evidence.head
        && let Change::Deleted {
            not_before: Some(from),
            ..
        } = head.change
    {
        return from <= at && head.at > at;
    }
    let is_head = evidence
        .head
        .is_none_or(|head| head.entry() == record.entry());
    if !is_head {
        return false;
    }
    // Gone although the newest record is a version: deleted since. Or lives as
    // a younger parameter of the same name: deleted in between.
    let number = record.present().and_then(|w| w.version);
    match (evidence.live, evidence.retained.first()) {
        (None, _) => true,
        (Some(_), Some(first)) => {
            first.modified > record.at && number.is_some_and(|n| first.version <= n)
        }
        (Some(_), None) => false,
    }
}

fn before_everything(at: Instant, evidence: &Evidence<'_>) -> State {
    let oldest_record = evidence.oldest.or(evidence.head);
    let oldest_retained = evidence.retained.first();
    let creation = match (oldest_record, oldest_retained) {
        (None, None) => {
            return if evidence.covered && evidence.live.is_none() {
                State::Absent { since: None }
            } else {
                State::Unknown {
                    known_from: evidence.live.map(|l| l.modified),
                }
            };
        }
        (Some(record), Some(version)) if record.at <= version.modified => creation_of(record),
        (Some(record), None) => creation_of(record),
        (_, Some(version)) => (version.modified, version.version == 1),
    };
    let (known_from, creates) = creation;
    if evidence.covered && creates && known_from > at {
        State::Absent { since: None }
    } else {
        State::Unknown {
            known_from: Some(known_from),
        }
    }
}

/// When a record is from, and whether it is the name's version 1. The first that
/// was imported is merely the first that the original tool saw.
fn creation_of(record: &Record) -> (Instant, bool) {
    let told = record.source != Source::Import;
    let creates = told && matches!(&record.change, Change::Written(w) if w.creates);
    (record.at, creates)
}

fn from_live(live: &Live) -> Found {
    Found {
        modified: live.modified,
        version: Some(live.version),
        modified_by: live.modified_by.clone(),
        attributes: live.attributes.clone(),
        value: FoundValue::Live,
        inexact: false,
    }
}

fn from_retained(version: &Retained) -> Found {
    Found {
        modified: version.modified,
        version: Some(version.version),
        modified_by: version.modified_by.clone(),
        attributes: version.attributes.clone(),
        value: match &version.value {
            RetainedValue::Read(value) => FoundValue::Retained(value.clone()),
            RetainedValue::Sealed => FoundValue::Sealed,
            RetainedValue::Lost => FoundValue::Lost,
        },
        inexact: false,
    }
}

/// Whether the live version is the one that the head records.
pub fn is_recorded_as(live: &Live, head: Option<&Record>) -> bool {
    head.is_some_and(|record| {
        let version = |w: &Written| w.version == Some(live.version);
        match &record.change {
            Change::Written(w) => version(w) && record.at == live.modified,
            // Repeats a version at a later instant; its number must do.
            Change::StillThere(w) => version(w) && record.at >= live.modified,
            Change::Deleted { .. }
            | Change::Labelled { .. }
            | Change::Tagged { .. }
            | Change::DeletedBy(_) => false,
        }
    })
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
