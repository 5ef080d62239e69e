//! Records: changes as captured. Never edited.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use super::event::EventRef;
use super::import::kept_of_description;
use super::instant::Instant;
use super::name::Name;

/// Where a value is kept: one version of one object of the value store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pointer {
    /// The bucket.
    pub bucket: String,
    /// The object's key, equal to the parameter's name.
    pub key: String,
    /// The S3 version id.
    pub version_id: String,
}

/// How a record came to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// An event of Parameter Store made the function look.
    Event,
    /// A person seeded the index.
    Seed,
    /// A scheduled look at everything.
    Reconcile,
    /// A restore captured what it was about to overwrite or delete.
    Restore,
    /// Copied from the bucket of the original tool.
    Import,
}

impl Source {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Seed => "seed",
            Self::Reconcile => "reconcile",
            Self::Restore => "restore",
            Self::Import => "import",
        }
    }

    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Event,
            Self::Seed,
            Self::Reconcile,
            Self::Restore,
            Self::Import,
        ]
        .into_iter()
        .find(|s| s.as_str() == text)
    }
}

/// Whether the value of a version can still be had.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ValueState {
    /// It is in the value store.
    Stored(Pointer),
    /// It was gone before anyone could read it.
    Lost,
}

impl ValueState {
    /// Where the value is, unless it is lost.
    pub fn pointer(&self) -> Option<&Pointer> {
        match self {
            Self::Stored(pointer) => Some(pointer),
            Self::Lost => None,
        }
    }
}

/// Everything Parameter Store tells of a version but its value, number, time
/// and author.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `String`, `StringList` or `SecureString`.
    pub parameter_type: String,
    /// None when there is none; Parameter Store does not tell an empty one apart.
    pub description: Option<String>,
    /// `Standard`, `Advanced` or `Intelligent-Tiering`.
    pub tier: Option<String>,
    /// The KMS key of a `SecureString`, as it was given.
    pub key_id: Option<String>,
    /// The pattern that values must match.
    pub allowed_pattern: Option<String>,
    /// The JSON text of each parameter policy.
    pub policies: Vec<String>,
    /// `text`, `aws:ec2:image` or `aws:ssm:integration`.
    pub data_type: Option<String>,
    /// Labels the version had when it was looked at.
    pub labels: Vec<String>,
    /// Tags of the parameter when it was looked at; none when this was not its
    /// newest version, so that nobody can know them.
    pub tags: Option<BTreeMap<String, String>>,
}

impl Attributes {
    /// These, and what they do not know as it is in `live`: a restore then
    /// leaves it alone.
    ///
    /// Parameter Store tells the data type of every version. Where it is
    /// missing, the version is from the original tool's bucket, which keeps
    /// nothing but value, type and part of the description.
    #[must_use]
    pub fn completed_from(&self, live: &Self) -> Self {
        if self.data_type.is_some() {
            return self.clone();
        }
        let same_type = self.parameter_type == live.parameter_type;
        let kept = live.description.as_deref().map(kept_of_description);
        let same_description = kept.filter(|d| !d.is_empty()) == self.description;
        Self {
            description: if same_description {
                live.description.clone()
            } else {
                self.description.clone()
            },
            key_id: live.key_id.clone().filter(|_| same_type),
            allowed_pattern: live.allowed_pattern.clone(),
            policies: live.policies.clone(),
            data_type: live.data_type.clone(),
            ..self.clone()
        }
    }

    /// Whether values of this type are secrets.
    pub fn is_secret(&self) -> bool {
        self.parameter_type == "SecureString"
    }
}

/// A version that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The version's number; none where nobody knows it (the value is lost, or
    /// imported from the original tool).
    pub version: Option<u64>,
    /// Whether it created the parameter (its version 1) or updated it.
    pub creates: bool,
    /// Tells apart records without a version number: an event's id, or `i`
    /// and a hash for an import. Empty where there is a number.
    pub discriminator: String,
    /// Everything but the value.
    pub attributes: Attributes,
    /// Who wrote it (an ARN).
    pub modified_by: Option<String>,
    /// Where the value is.
    pub value: ValueState,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A version was written.
    Written(Written),
    /// The parameter was deleted.
    Deleted {
        /// None: told by an event, exact to the second. Some: observed to be
        /// gone, and deleted at some time after this instant.
        not_before: Option<Instant>,
        /// The type it had, where the event told.
        parameter_type: Option<String>,
    },
    /// A deletion at this very instant was contradicted by a later look: the
    /// version repeated here was still retained.
    StillThere(Written),
    /// A label was attached or moved.
    Labelled {
        /// The label.
        label: String,
        /// The version that had it before.
        from: Option<u64>,
        /// The version that has it now.
        to: u64,
    },
    /// The tags changed to these.
    Tagged {
        /// All tags after the change.
        tags: BTreeMap<String, String>,
    },
    /// Somebody was told to have asked for the deletion: that it took place is
    /// another record's to say.
    DeletedBy(Deleter),
}

/// Who asked for a deletion, as `CloudTrail` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleter {
    /// An ARN; what else names the caller where there is none.
    pub by: Option<String>,
    /// The address of the caller, or the name of the AWS service that called.
    pub from: Option<String>,
}

/// A change as captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose change it was.
    pub name: Name,
    /// When it happened. See the kinds in `docs/stored-forms.md`.
    pub at: Instant,
    /// What happened.
    pub change: Change,
    /// How the record came to be written.
    pub source: Source,
    /// The event that told, where there was one.
    pub event: Option<EventRef>,
    /// When it was recorded.
    pub recorded_at: Instant,
}

impl Record {
    /// How long it took from the event to the record, in milliseconds; none where no event told,
    /// and for what `CloudTrail` tells: it takes minutes to, and no change waits for it.
    pub fn lag_ms(&self) -> Option<i64> {
        let event = self.event.as_ref()?;
        if matches!(self.change, Change::DeletedBy(_)) {
            return None;
        }
        Some(self.recorded_at.millis() - event.time.millis())
    }

    /// The part of the keys that names the change within its instant.
    pub fn suffix(&self) -> String {
        match &self.change {
            Change::Written(w) => match w.version {
                Some(version) => format!("v{version:010}"),
                None => format!("v0000000000-{}", w.discriminator),
            },
            Change::Deleted {
                not_before: None, ..
            } => "x".into(),
            Change::Deleted { .. } => "xo".into(),
            Change::StillThere(_) => "y".into(),
            Change::Labelled { label, from, to } => {
                let from = from.map_or(String::new(), |v| v.to_string());
                format!("l-{}", short_hash(&format!("{label}\n{from}\n{to}")))
            }
            Change::Tagged { tags } => {
                let pairs: Vec<String> = tags.iter().map(|(k, v)| format!("{k}\n{v}")).collect();
                format!("t-{}", short_hash(&pairs.join("\n")))
            }
            Change::DeletedBy(_) => {
                let id = self.event.as_ref().map_or("", |event| event.id.as_str());
                format!("d-{}", short_hash(id))
            }
        }
    }

    /// The sort key of the record among those of its name: time, then suffix.
    /// Text order is the order in which records decide the state.
    pub fn entry(&self) -> String {
        format!("{}#{}", self.at, self.suffix())
    }

    /// Whether the record says that the name exists or not.
    pub fn decides_state(&self) -> bool {
        match self.change {
            Change::Written(_) | Change::Deleted { .. } | Change::StillThere(_) => true,
            Change::Labelled { .. } | Change::Tagged { .. } | Change::DeletedBy(_) => false,
        }
    }

    /// The version this record says is there; none for deletions, labels and tags.
    pub fn present(&self) -> Option<&Written> {
        match &self.change {
            Change::Written(w) | Change::StillThere(w) => Some(w),
            Change::Deleted { .. }
            | Change::Labelled { .. }
            | Change::Tagged { .. }
            | Change::DeletedBy(_) => None,
        }
    }

    /// The version this record says was written, as opposed to
    /// [`Self::present`] not one that is repeated.
    pub fn written(&self) -> Option<&Written> {
        match &self.change {
            Change::Written(w) => Some(w),
            Change::Deleted { .. }
            | Change::StillThere(_)
            | Change::Labelled { .. }
            | Change::Tagged { .. }
            | Change::DeletedBy(_) => None,
        }
    }

    /// When the version was written that this record tells of, and its
    /// number, where that is known.
    pub fn numbered(&self) -> Option<(Instant, u64)> {
        Some((self.at, self.written()?.version?))
    }

    /// Whether the record is a version from the original tool's bucket: its time
    /// is a whole second, and its value that of the moment when it was stored.
    pub fn is_imported_version(&self) -> bool {
        self.source == Source::Import && self.written().is_some()
    }

    /// Whether the record is a deletion, exact or observed.
    pub fn is_deletion(&self) -> bool {
        matches!(self.change, Change::Deleted { .. })
    }

    /// Whether the record is a deletion that an event told, exact to the second.
    pub fn is_exact_deletion(&self) -> bool {
        matches!(
            self.change,
            Change::Deleted {
                not_before: None,
                ..
            }
        )
    }

    /// After which instant an observed deletion took place; none for all else.
    pub fn observed_after(&self) -> Option<Instant> {
        match self.change {
            Change::Deleted { not_before, .. } => not_before,
            Change::Written(_)
            | Change::StillThere(_)
            | Change::Labelled { .. }
            | Change::Tagged { .. }
            | Change::DeletedBy(_) => None,
        }
    }

    /// Who asked for a deletion, where that is what the record tells.
    pub fn deleter(&self) -> Option<&Deleter> {
        match &self.change {
            Change::DeletedBy(deleter) => Some(deleter),
            Change::Written(_)
            | Change::StillThere(_)
            | Change::Deleted { .. }
            | Change::Labelled { .. }
            | Change::Tagged { .. } => None,
        }
    }

    /// The word for the operation, as shown and stored.
    pub fn operation(&self) -> Operation {
        match &self.change {
            Change::Written(w) if w.creates => Operation::Create,
            Change::Written(_) => Operation::Update,
            Change::Deleted { .. } => Operation::Delete,
            Change::StillThere(_) => Operation::StillThere,
            Change::Labelled { .. } => Operation::LabelParameterVersion,
            Change::Tagged { .. } => Operation::Tags,
            Change::DeletedBy(_) => Operation::DeletedBy,
        }
    }
}

/// The words for what a record says happened; the first four and the label are
/// those of Parameter Store's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Version 1 was written.
    Create,
    /// A later version was written.
    Update,
    /// The parameter was deleted.
    Delete,
    /// A deletion was contradicted.
    StillThere,
    /// A label was attached or moved.
    LabelParameterVersion,
    /// Tags changed.
    Tags,
    /// Who asked for a deletion.
    DeletedBy,
}

impl Operation {
    /// Every one of them.
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::StillThere,
        Self::LabelParameterVersion,
        Self::Tags,
        Self::DeletedBy,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::StillThere => "StillThere",
            Self::LabelParameterVersion => "LabelParameterVersion",
            Self::Tags => "Tags",
            Self::DeletedBy => "DeletedBy",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.as_str() == text)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Lower-case hexadecimal SHA-256 of a text.
pub fn sha256_hex(text: &str) -> String {
    use fmt::Write as _;
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::with_capacity(64), |mut hex, b| {
        let _ = write!(hex, "{b:02x}");
        hex
    })
}

/// The first 16 digits of [`sha256_hex`].
pub(super) fn short_hash(text: &str) -> String {
    sha256_hex(text)[..16].to_owned()
}
