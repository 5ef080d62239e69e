//! The stored shape of a record, in the journal and in the index alike.
//!
//! Separate from [`Record`] so that the domain can change without the stored
//! form, and versioned: a newer format is refused, never guessed at.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::coverage::Interval;
use super::event::EventRef;
use super::instant::Instant;
use super::name::{Name, Path};
use super::record::{
    Attributes, Change, Deleter, Operation, Pointer, Record, Source, ValueState, Written,
};

/// The newest format version that this program reads.
pub const FORMAT: u32 = 2;
/// The format of a new table, of facts, and of every record but the kinds that
/// came later: each is written in the oldest format that can hold it, so that
/// older programs go on reading what they understand.
pub const FIRST_FORMAT: u32 = 1;
/// The format of a record that tells who asked for a deletion.
const DELETED_BY_FORMAT: u32 = 2;

/// Tags and policies of a head up to this many bytes of text stand in it;
/// larger ones are read from the name's own row.
pub const HEAD_EXTRAS_MAX: usize = 2048;

/// Why stored data cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// Written by a newer program.
    #[error("stored in format {0}; this program reads up to format {FORMAT}")]
    NewerFormat(u32),
    /// A field is missing or makes no sense.
    #[error("the stored record of {name} at {time} has no usable {field:?}")]
    Field {
        /// Whose record it is.
        name: String,
        /// The record's instant.
        time: String,
        /// The field.
        field: &'static str,
    },
    /// Not a record at all.
    #[error("not a stored record: {0}")]
    Shape(String),
    /// What an object holds belongs at another key.
    #[error("it holds what belongs at {0}")]
    Misplaced(String),
}

/// A record as stored. Field names are fixed: see `docs/stored-forms.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredRecord {
    /// The oldest format in which such a record can be read.
    pub format: u32,
    /// The canonical name.
    pub name: Name,
    /// The instant.
    pub time: Instant,
    /// The part of the keys that names the change within its instant.
    pub suffix: String,
    /// One of [`Operation`]'s words.
    pub operation: String,
    /// One of [`Source`]'s words.
    pub source: String,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// The event's own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_time: Option<Instant>,
    /// The event's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Version number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Tells apart records without a version number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discriminator: Option<String>,
    /// `String`, `StringList` or `SecureString`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub parameter_type: Option<String>,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// KMS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Allowed pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_pattern: Option<String>,
    /// Policies, each a JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<String>>,
    /// Data type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_type: Option<String>,
    /// Labels of the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Tags of the parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Who wrote the version, or asked for the deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_by: Option<String>,
    /// Where the call came from that asked for the deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// `stored` or `lost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_state: Option<String>,
    /// Where the value is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<StoredPointer>,
    /// Of a deletion: whether an event told its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<bool>,
    /// Of an observed deletion: it happened after this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Instant>,
    /// The label that moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The version that had the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_version: Option<u64>,
    /// The version that has it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_version: Option<u64>,
    /// Set on a head whose tags and policies are too large to stand in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trimmed: Option<bool>,
}

/// A [`Pointer`] as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredPointer {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The S3 version id.
    pub version_id: String,
}

impl StoredRecord {
    /// The sort key of the name's own row, as [`Record::entry`].
    pub fn entry(&self) -> String {
        format!("{}#{}", self.time, self.suffix)
    }

    /// The copy that stands under each path above the name: who, what, when
    /// and where the value is, without the long attributes.
    #[must_use]
    pub fn slim(&self) -> Self {
        Self {
            description: None,
            tier: None,
            key_id: None,
            allowed_pattern: None,
            policies: None,
            data_type: None,
            labels: None,
            tags: None,
            discriminator: None,
            ..self.clone()
        }
    }

    /// The copy that stands in the head: whole, unless tags and policies are
    /// long; then they are left out and `trimmed` says so.
    #[must_use]
    pub fn for_head(&self) -> Self {
        let tags = self.tags.iter().flatten().map(|(k, v)| k.len() + v.len());
        let policies = self.policies.iter().flatten().map(String::len);
        if tags.chain(policies).sum::<usize>() <= HEAD_EXTRAS_MAX {
            return self.clone();
        }
        Self {
            tags: None,
            policies: None,
            trimmed: Some(true),
            ..self.clone()
        }
    }

    /// The record's operation word.
    pub fn operation(&self) -> Option<Operation> {
        Operation::parse(&self.operation)
    }

    fn unusable(&self, field: &'static str) -> StoredError {
        StoredError::Field {
            name: self.name.to_string(),
            time: self.time.to_string(),
            field,
        }
    }

    fn written(&self, creates: bool) -> Result<Written, StoredError> {
        let value = match (self.value_state.as_deref(), &self.pointer) {
            (Some("stored"), Some(p)) => ValueState::Stored(Pointer {
                bucket: p.bucket.clone(),
                key: p.key.clone(),
                version_id: p.version_id.clone(),
            }),
            (Some("lost"), None) => ValueState::Lost,
            _ => return Err(self.unusable("valueState")),
        };
        Ok(Written {
            version: self.version,
            creates,
            discriminator: self.discriminator.clone().unwrap_or_default(),
            attributes: Attributes {
                parameter_type: self
                    .parameter_type
                    .clone()
                    .ok_or_else(|| self.unusable("type"))?,
                description: self.description.clone(),
                tier: self.tier.clone(),
                key_id: self.key_id.clone(),
                allowed_pattern: self.allowed_pattern.clone(),
                policies: self.policies.clone().unwrap_or_default(),
                data_type: self.data_type.clone(),
                labels: self.labels.clone().unwrap_or_default(),
                tags: self.tags.clone(),
            },
            modified_by: self.modified_by.clone(),
            value,
        })
    }

    fn change(&self) -> Result<Change, StoredError> {
        let operation = self.operation().ok_or_else(|| self.unusable("operation"))?;
        Ok(match operation {
            Operation::Create => Change::Written(self.written(true)?),
            Operation::Update => Change::Written(self.written(false)?),
            Operation::StillThere => Change::StillThere(self.written(self.version == Some(1))?),
            Operation::Delete => Change::Deleted {
                not_before: match self.exact {
                    Some(true) => None,
                    Some(false) => Some(self.not_before.ok_or_else(|| self.unusable("notBefore"))?),
                    None => return Err(self.unusable("exact")),
                },
                parameter_type: self.parameter_type.clone(),
            },
            Operation::LabelParameterVersion => Change::Labelled {
                label: self.label.clone().ok_or_else(|| self.unusable("label"))?,
                from: self.from_version,
                to: self.to_version.ok_or_else(|| self.unusable("toVersion"))?,
            },
            Operation::Tags => Change::Tagged {
                tags: self.tags.clone().unwrap_or_default(),
            },
            Operation::DeletedBy => Change::DeletedBy(Deleter {
                by: self.modified_by.clone(),
                from: self.source_ip.clone(),
            }),
        })
    }
}

impl From<&Record> for StoredRecord {
    fn from(record: &Record) -> Self {
        let mut stored = Self {
            format: FIRST_FORMAT,
            name: record.name.clone(),
            time: record.at,
            suffix: record.suffix(),
            operation: record.operation().as_str().into(),
            source: record.source.as_str().into(),
            recorded_at: record.recorded_at,
            event_time: record.event.as_ref().map(|e| e.time),
            event_id: record.event.as_ref().map(|e| e.id.clone()),
            version: None,
            discriminator: None,
            parameter_type: None,
            description: None,
            tier: None,
            key_id: None,
            allowed_pattern: None,
            policies: None,
            data_type: None,
            labels: None,
            tags: None,
            modified_by: None,
            source_ip: None,
            value_state: None,
            pointer: None,
            exact: None,
            not_before: None,
            label: None,
            from_version: None,
            to_version: None,
            trimmed: None,
        };
        match &record.change {
            Change::Written(written) | Change::StillThere(written) => {
                fill_written(&mut stored, written);
            }
            Change::Deleted {
                not_before,
                parameter_type,
            } => {
                stored.exact = Some(not_before.is_none());
                stored.not_before = *not_before;
                stored.parameter_type.clone_from(parameter_type);
            }
            Change::Labelled { label, from, to } => {
                stored.label = Some(label.clone());
                stored.from_version = *from;
                stored.to_version = Some(*to);
            }
            Change::Tagged { tags } => stored.tags = Some(tags.clone()),
            Change::DeletedBy(Deleter { by, from }) => {
                stored.format = DELETED_BY_FORMAT;
                stored.modified_by.clone_from(by);
                stored.source_ip.clone_from(from);
            }
        }
        stored
    }
}

fn fill_written(stored: &mut StoredRecord, written: &Written) {
    let attributes = written.attributes.clone();
    stored.version = written.version;
    stored.discriminator = Some(written.discriminator.clone()).filter(|d| !d.is_empty());
    stored.parameter_type = Some(attributes.parameter_type);
    stored.description = attributes.description;
    stored.tier = attributes.tier;
    stored.key_id = attributes.key_id;
    stored.allowed_pattern = attributes.allowed_pattern;
    stored.policies = Some(attributes.policies).filter(|p| !p.is_empty());
    stored.data_type = attributes.data_type;
    stored.labels = Some(attributes.labels).filter(|l| !l.is_empty());
    stored.tags = attributes.tags;
    stored.modified_by.clone_from(&written.modified_by);
    match &written.value {
        ValueState::Lost => stored.value_state = Some("lost".into()),
        ValueState::Stored(p) => {
            stored.value_state = Some("stored".into());
            stored.pointer = Some(StoredPointer {
                bucket: p.bucket.clone(),
                key: p.key.clone(),
                version_id: p.version_id.clone(),
            });
        }
    }
}

impl TryFrom<StoredRecord> for Record {
    type Error = StoredError;

    fn try_from(stored: StoredRecord) -> Result<Self, StoredError> {
        if stored.format > FORMAT {
            return Err(StoredError::NewerFormat(stored.format));
        }
        let change = stored.change()?;
        let source = Source::parse(&stored.source).ok_or_else(|| stored.unusable("source"))?;
        let event = match (stored.event_id.clone(), stored.event_time) {
            (Some(id), Some(time)) => Some(EventRef { id, time }),
            _ => None,
        };
        let record = Self {
            name: stored.name.clone(),
            at: stored.time,
            change,
            source,
            event,
            recorded_at: stored.recorded_at,
        };
        // A slim copy lacks the discriminator; its suffix was checked when it
        // was written with the whole record.
        let anonymous = record.present().is_some_and(|w| w.version.is_none());
        if !anonymous
            && record.suffix() != stored.suffix
            && !matches!(record.change, Change::Tagged { .. })
        {
            return Err(stored.unusable("suffix"));
        }
        Ok(record)
    }
}

/// A change of coverage as stored in the journal: all intervals of the path
/// after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CoverageFact {
    /// [`FIRST_FORMAT`].
    pub format: u32,
    /// The path.
    pub path: Path,
    /// When the change was made.
    pub finished: Instant,
    /// The intervals that the change was made from: where another writer had
    /// changed them meanwhile, it did not take place.
    pub before: Vec<Interval>,
    /// The intervals after it, oldest first.
    pub intervals: Vec<Interval>,
}

/// The JSON of a fact.
pub fn to_fact<T: Serialize>(fact: &T) -> Result<Vec<u8>, StoredError> {
    serde_json::to_vec(fact).map_err(|e| StoredError::Shape(e.to_string()))
}

/// Reads the JSON of one journal object.
pub fn from_journal(body: &[u8]) -> Result<Record, StoredError> {
    from_fact::<StoredRecord>(body)?.try_into()
}

/// Reads the JSON of one object of journal or facts.
///
/// The format is judged before anything else, so that a newer one is told as
/// such however different its fields are.
pub fn from_fact<T: DeserializeOwned>(body: &[u8]) -> Result<T, StoredError> {
    #[derive(Deserialize)]
    struct Probe {
        format: u32,
    }
    let shape = |e: serde_json::Error| {
        StoredError::Shape(format!("line {}, column {}", e.line(), e.column()))
    };
    let probe: Probe = serde_json::from_slice(body).map_err(shape)?;
    if probe.format > FORMAT {
        return Err(StoredError::NewerFormat(probe.format));
    }
    serde_json::from_slice(body).map_err(shape)
}

/// The JSON of one journal object.
pub fn to_journal(record: &Record) -> Result<Vec<u8>, StoredError> {
    to_fact(&StoredRecord::from(record))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> String {
        let documented = include_str!("../../../docs/stored-forms.md");
        let line = documented.lines().find(|l| l.contains("\"DeletedBy\""));
        line.unwrap().to_owned()
    }

    #[test]
    fn who_asked_for_a_deletion_is_stored_as_documented_in_format_2() {
        let record = from_journal(asked().as_bytes()).unwrap();
        let Change::DeletedBy(deleter) = &record.change else {
            panic!("{record:?}");
        };
        assert_eq!(deleter.from.as_deref(), Some("203.0.113.7"));
        assert!(!record.decides_state());
        let again = to_journal(&record).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), asked());
        let suffix = record.suffix();
        // All of it stands under the paths too.
        let stored = StoredRecord::from(&record);
        assert_eq!(stored.slim(), stored);
        assert_eq!(
            super::super::keys::own_entry(&record),
            format!("+{}", record.entry())
        );
        let named = super::super::keys::own_entry_of(record.at, &suffix);
        assert_eq!(named, format!("+{}", record.entry()));
    }

    #[test]
    fn a_record_of_another_event_is_refused_at_this_suffix() {
        let other = asked().replace("\"eventId\":\"1c3e", "\"eventId\":\"1c3f");
        let refused = from_journal(other.as_bytes()).unwrap_err();
        assert!(refused.to_string().contains("suffix"), "{refused}");
    }

    #[test]
    fn all_other_records_stay_in_the_first_format() {
        let documented = include_str!("../../../docs/stored-forms.md");
        let records = documented
            .lines()
            .filter(|line| line.contains("\"recordedAt\""));
        let mut seen = 0;
        for line in records.filter(|line| !line.contains("DeletedBy")) {
            let record = from_journal(line.as_bytes()).unwrap();
            assert_eq!(StoredRecord::from(&record).format, FIRST_FORMAT, "{line}");
            seen += 1;
        }
        assert!(seen > 5, "{seen}");
    }
}
