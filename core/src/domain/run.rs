//! Runs: every restore is a fact on record.

use serde::{Deserialize, Serialize};

use super::instant::Instant;
use super::name::Name;
use super::retained::Tags;
use super::stored::StoredPointer;

/// What became of one parameter of a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Written as it was.
    Restored,
    /// Deleted, as it had not existed.
    Deleted,
    /// Already as it was.
    Unchanged,
    /// Left alone.
    Skipped,
    /// Not done.
    Failed,
}

impl Outcome {
    /// The word in the `Outcome` field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Deleted => "deleted",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// On record before the first write.
    Planned,
    /// Every outcome is known.
    Finished,
}

impl Phase {
    /// The word in the key of the fact.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Finished => "finished",
        }
    }
}

/// Where the states come from that a run puts back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Origin {
    /// What the record says of [`Run::at`].
    #[default]
    Record,
    /// A run that is undone: what lived before it.
    #[serde(rename_all = "camelCase")]
    Undo {
        /// Its id.
        run: String,
    },
    /// A plan that was saved: what the record said of [`Run::at`].
    Plan,
    /// A file that was exported.
    File,
    /// Another path, region or account, as it was at [`Run::at`].
    #[serde(rename_all = "camelCase")]
    Elsewhere {
        /// The name or path there.
        target: String,
        /// Its region.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<String>,
        /// Its account, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<String>,
    },
}

impl Origin {
    /// Whether it is the record of the very names that are written.
    pub fn is_record(&self) -> bool {
        *self == Self::Record
    }
}

/// A restore run as stored: in the journal whole, in the index one row for the
/// run and one for each name. Holds no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The stored format.
    pub format: u32,
    /// A UUID.
    pub id: String,
    /// When it began.
    pub started: Instant,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Instant>,
    /// How far it is.
    pub phase: Phase,
    /// Who ran it (an ARN).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The name or path that was restored.
    pub target: String,
    /// With all levels below the path.
    pub recursive: bool,
    /// The instant that was restored.
    pub at: Instant,
    /// Where the states come from.
    #[serde(default, skip_serializing_if = "Origin::is_record")]
    pub origin: Origin,
    /// One for each parameter that was to change.
    pub names: Vec<RunName>,
}

/// One parameter of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunName {
    /// The parameter.
    pub name: Name,
    /// `create`, `update` or `delete`.
    pub change: String,
    /// Entry of the record that was live before; none where nothing lived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The version that was live before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_version: Option<u64>,
    /// The tags that it had before, where the run changes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_tags: Option<Tags>,
    /// Entry of the record that is put back; none for a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<String>,
    /// Where the value that is put back is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<StoredPointer>,
    /// What alone is put back, without a new version: `tags`, `labels`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alone: Vec<String>,
    /// The labels that are put on the version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// It is deleted and created again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recreated: bool,
    /// The version that the restore wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_version: Option<u64>,
    /// What became of it; none while the run is only planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
