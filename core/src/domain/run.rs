//! Runs: every restore is a fact on record.

use std::fmt;

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
    /// How its names ended: only in the index's row of a run that has finished,
    /// which has no names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
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
    /// The tags that the run gives it, where it changes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_tags: Option<Tags>,
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
    /// When that version was written, as it was read back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<Instant>,
    /// What became of it; none while the run is only planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// It failed, and may have been written or deleted all the same: the answer
    /// was lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsure: bool,
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Run {
    /// The run as its own row of the index has it: without its names, but with
    /// their counts where they are final.
    #[must_use]
    pub fn summary(&self) -> Self {
        let finished = self.phase == Phase::Finished;
        Self {
            counts: finished.then(|| Counts::of(&self.names)),
            names: Vec::new(),
            ..self.clone()
        }
    }

    /// The beginning of its id, as people are told it.
    pub fn short_id(&self) -> &str {
        short_id(&self.id)
    }
}

/// The beginning of a run's id, as people are told it.
pub fn short_id(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

/// How many names of a run ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Written as they were.
    pub restored: usize,
    /// Deleted.
    pub deleted: usize,
    /// Already as they were.
    pub unchanged: usize,
    /// Left alone.
    pub skipped: usize,
    /// Not done.
    pub failed: usize,
}

impl Counts {
    /// Those of `names`; one whose outcome is not on record does not count.
    pub fn of(names: &[RunName]) -> Self {
        let mut counts = Self::default();
        for outcome in names.iter().filter_map(|name| name.outcome) {
            *match outcome {
                Outcome::Restored => &mut counts.restored,
                Outcome::Deleted => &mut counts.deleted,
                Outcome::Unchanged => &mut counts.unchanged,
                Outcome::Skipped => &mut counts.skipped,
                Outcome::Failed => &mut counts.failed,
            } += 1;
        }
        counts
    }
}

/// The RUN argument: which run is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhichRun {
    /// The newest.
    Last,
    /// The one whose id begins so, in lower case: four characters at least.
    Id(String),
}

/// A RUN that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is too short for the id of a run")]
pub struct WhichRunError(pub String);

impl WhichRun {
    /// How many characters of an id must be given.
    pub const ID_MIN: usize = 4;

    /// Reads a RUN argument.
    pub fn parse(text: &str) -> Result<Self, WhichRunError> {
        match text {
            "last" => Ok(Self::Last),
            id if id.chars().count() < Self::ID_MIN => Err(WhichRunError(id.to_owned())),
            id => Ok(Self::Id(id.to_ascii_lowercase())),
        }
    }
}

impl fmt::Display for WhichRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Last => "last",
            Self::Id(id) => id,
        })
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
