//! A plan as saved in a file: what each parameter was and will be, by version
//! and by record. Holds no value, no description and no tag.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::instant::Instant;
use super::keymap::{KeyMap, KeyMapError};
use super::keys::{own_entry_of, parse_own_entry};
use super::name::{Name, NameError, Target};
use super::plan::Action;
use super::record::sha256_hex;

/// The form that this program writes, and the newest that it reads.
pub const FORM: u32 = 1;
/// Longest file that is read, in bytes. A plan of 100,000 parameters has
/// about 30 MB.
pub const LONGEST: u64 = 64 * 1024 * 1024;
/// Longest sort key of a record, in characters.
const ENTRY_MAX: usize = 256;

/// A plan as saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedPlan {
    /// When it was made.
    pub made: Instant,
    /// The bucket with the values that it means.
    pub bucket: String,
    /// The table with the records that it means.
    pub table: String,
    /// The name or path that it is about.
    pub target: String,
    /// With all levels below the path.
    pub recursive: bool,
    /// The instant that is restored.
    pub at: Instant,
    /// How it is to be gone about.
    #[serde(default)]
    pub options: SavedOptions,
    /// What differs or is unknown, in order of names.
    pub parameters: Vec<SavedParameter>,
}

/// What a person asked for beyond path and time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedOptions {
    /// Put labels back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub labels: bool,
    /// Delete and create again what cannot be overwritten.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recreate: bool,
    /// Keys that take the place of others, as [`KeyMap::parse`] reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// What is done to one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SavedChange {
    /// It is created.
    Create,
    /// It is written over what lives.
    Update,
    /// It is deleted.
    Delete,
    /// Nothing: nobody knows what it was.
    Unknown,
}

impl SavedChange {
    /// The change that an action is saved as; none for what needs none.
    pub fn of(action: Action) -> Option<Self> {
        match action {
            Action::Create => Some(Self::Create),
            Action::Update => Some(Self::Update),
            Action::Delete => Some(Self::Delete),
            Action::Unknown => Some(Self::Unknown),
            Action::None => None,
        }
    }

    /// The action that it stands for.
    pub fn action(self) -> Action {
        match self {
            Self::Create => Action::Create,
            Self::Update => Action::Update,
            Self::Delete => Action::Delete,
            Self::Unknown => Action::Unknown,
        }
    }

    fn puts_back(self) -> bool {
        match self {
            Self::Create | Self::Update => true,
            Self::Delete | Self::Unknown => false,
        }
    }
}

/// What is put back without a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alone {
    /// Tags.
    Tags,
    /// Labels.
    Labels,
}

/// The version that lived when the plan was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedLive {
    /// Its number.
    pub version: u64,
    /// When it was written.
    pub modified: Instant,
}

/// One parameter of a saved plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedParameter {
    /// The parameter.
    pub name: Name,
    /// What is done to it.
    pub change: SavedChange,
    /// What lived; none where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<SavedLive>,
    /// Of a deletion, when the parameter had been deleted by the plan's instant;
    /// none where it had not been created yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Instant>,
    /// Of what is unknown, from when on it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_from: Option<Instant>,
    /// Entry of the record that is put back, among the rows of the name: it
    /// tells everything of the version, and where the value is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Entry of the record that tells the tags: that one, or a change of tags.
    /// None where nobody knows them, so that they are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags_record: Option<String>,
    /// The labels that the version had; only where labels are put back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What alone is put back, without a new version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alone: Vec<Alone>,
    /// It is deleted and created again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recreate: bool,
    /// It may have been deleted already at the plan's instant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inexact: bool,
    /// Why it could not be done when the plan was made: it is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Why a file holds no plan that can be carried out. Each names the place; none
/// repeats what stands there, since a wrong file may hold anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// Too long to be read.
    #[error("it is longer than the {} MiB that a plan may have", LONGEST / 1024 / 1024)]
    TooLong,
    /// Nothing that `ssmbak preview --plan` has written.
    #[error("it is no plan: line 1 has no `ssmbakPlan`")]
    NoPlan,
    /// It ends too early.
    #[error("it is cut off: it ends at line {line}, column {column}")]
    CutOff {
        /// The line, from 1 on.
        line: usize,
        /// The column, from 1 on.
        column: usize,
    },
    /// No JSON, or a field that a plan does not have, or of another type.
    #[error("line {line}, column {column}: {what}")]
    Shape {
        /// The line, from 1 on.
        line: usize,
        /// The column, from 1 on.
        column: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// Written by a newer program.
    #[error("it is a plan of form {0}; this program reads up to form {FORM}")]
    Newer(u32),
    /// Form 0.
    #[error("it is a plan of form {0}, which never was")]
    NoForm(u32),
    /// Changed since it was written.
    #[error("it was changed after it was written: its checksum is another")]
    Changed,
    /// What it is about is no name or path.
    #[error("`target`: {0}")]
    Target(NameError),
    /// Its keys are none.
    #[error("`options.keys`: {0}")]
    Keys(KeyMapError),
    /// A parameter that cannot be.
    #[error("parameter {number}, {name}: {what}")]
    Parameter {
        /// Its place in the list, from 1 on.
        number: usize,
        /// Its name.
        name: Name,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// The file as a whole.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    ssmbak_plan: u32,
    sha256: String,
    plan: SavedPlan,
}

impl SavedPlan {
    /// The target, as a command takes it.
    pub fn target(&self) -> Result<Target, SavedPlanError> {
        Target::parse(&self.target, self.recursive).map_err(SavedPlanError::Target)
    }

    /// The keys that take the place of others.
    pub fn keys(&self) -> Result<KeyMap, SavedPlanError> {
        KeyMap::parse(&self.options.keys).map_err(SavedPlanError::Keys)
    }

    /// The text of the file; an error where it would be too long to be read.
    pub fn to_text(&self) -> Result<String, SavedPlanError> {
        let envelope = Envelope {
            ssmbak_plan: FORM,
            sha256: self.checksum()?,
            plan: self.clone(),
        };
        let text = serde_json::to_string_pretty(&envelope).map_err(|e| misshapen(&e))? + "\n";
        if length(text.as_bytes()) > LONGEST {
            return Err(SavedPlanError::TooLong);
        }
        Ok(text)
    }

    /// Reads the text of a file, and checks everything in it.
    pub fn from_text(text: &[u8]) -> Result<Self, SavedPlanError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Probe {
            #[serde(default)]
            ssmbak_plan: Option<u32>,
        }
        if length(text) > LONGEST {
            return Err(SavedPlanError::TooLong);
        }
        let probe: Probe = serde_json::from_slice(text).map_err(|e| misshapen(&e))?;
        match probe.ssmbak_plan {
            None => return Err(SavedPlanError::NoPlan),
            Some(0) => return Err(SavedPlanError::NoForm(0)),
            Some(form) if form > FORM => return Err(SavedPlanError::Newer(form)),
            Some(_) => {}
        }
        let envelope: Envelope = serde_json::from_slice(text).map_err(|e| misshapen(&e))?;
        let plan = envelope.plan;
        if plan.checksum()? != envelope.sha256 {
            return Err(SavedPlanError::Changed);
        }
        plan.check()?;
        Ok(plan)
    }

    /// SHA-256 of the form and the plan without a blank. It finds what was
    /// changed by mistake; whoever means to can make it anew.
    fn checksum(&self) -> Result<String, SavedPlanError> {
        let text = serde_json::to_string(self).map_err(|e| misshapen(&e))?;
        Ok(sha256_hex(&format!("{FORM}\n{text}")))
    }

    fn check(&self) -> Result<(), SavedPlanError> {
        let target = self.target()?;
        self.keys()?;
        let mut seen = BTreeSet::new();
        for (index, parameter) in self.parameters.iter().enumerate() {
            let wrong = match parameter.check(&self.options) {
                Some(what) => Some(what),
                None if !target.contains(&parameter.name) => Some("it does not lie in `target`"),
                None if !seen.insert(&parameter.name) => Some("it is there twice"),
                None => None,
            };
            if let Some(what) = wrong {
                return Err(SavedPlanError::Parameter {
                    number: index + 1,
                    name: parameter.name.clone(),
                    what,
                });
            }
        }
        Ok(())
    }
}

impl SavedParameter {
    /// What is wrong with it; none where nothing is.
    fn check(&self, options: &SavedOptions) -> Option<&'static str> {
        let puts_back = self.change.puts_back();
        let doable = self.problem.is_none();
        let tags_fit = |entry: &String| is_tag_change(entry) || self.record.as_ref() == Some(entry);
        if self.name.is_own() {
            return Some("it is one of ssmbak's own parameters");
        }
        let says_what_lived = match self.change {
            SavedChange::Create => self.live.is_none(),
            SavedChange::Update | SavedChange::Delete => self.live.is_some(),
            SavedChange::Unknown => true,
        };
        if !says_what_lived {
            return Some("`live` does not go with its change");
        }
        if self.record.as_deref().is_some_and(|e| !is_version(e)) {
            return Some("`record` is no version's record");
        }
        if puts_back && doable && self.record.is_none() {
            return Some("it has no `record` to be put back");
        }
        if !puts_back && (self.record.is_some() || !self.alone.is_empty() || self.recreate) {
            return Some("nothing is put back, so it has no `record`, `alone` or `recreate`");
        }
        if !self.tags_record.as_ref().is_none_or(tags_fit) {
            return Some("`tagsRecord` tells no tags");
        }
        if self.tags_record.is_some() && self.record.is_none() {
            return Some("`tagsRecord` without a `record`");
        }
        let has_labels = options.labels && puts_back;
        if !has_labels && !self.labels.is_empty() {
            return Some("it has `labels`, which the plan does not put back");
        }
        if self.recreate && !options.recreate {
            return Some("`recreate` was not asked for");
        }
        None
    }
}

/// Whether it is the entry of a record that says that a version is there.
fn is_version(entry: &str) -> bool {
    let suffix = suffix_of(entry);
    let numbered = |suffix: &str| {
        let (number, rest) = suffix.split_at_checked(10).unwrap_or_default();
        let number = number.len() == 10 && number.bytes().all(|b| b.is_ascii_digit());
        number && (rest.is_empty() || rest.starts_with('-'))
    };
    suffix.is_some_and(|s| s == "y" || s.strip_prefix('v').is_some_and(numbered))
}

/// Whether it is the entry of a change of tags.
fn is_tag_change(entry: &str) -> bool {
    suffix_of(entry).is_some_and(|suffix| suffix.starts_with("t-"))
}

/// The suffix of an entry as records have it: spelled as it stands in a key.
fn suffix_of(entry: &str) -> Option<&str> {
    let (at, suffix) = parse_own_entry(entry).filter(|_| entry.len() <= ENTRY_MAX)?;
    (own_entry_of(at, suffix).trim_start_matches('+') == entry).then_some(suffix)
}

fn length(text: &[u8]) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

fn misshapen(error: &serde_json::Error) -> SavedPlanError {
    let (line, column) = (error.line(), error.column());
    let what = match error.classify() {
        serde_json::error::Category::Eof => return SavedPlanError::CutOff { line, column },
        serde_json::error::Category::Syntax => "this is no JSON",
        serde_json::error::Category::Data | serde_json::error::Category::Io => {
            "a plan has no such field here, needs another, or one of another type"
        }
    };
    SavedPlanError::Shape { line, column, what }
}

#[cfg(test)]
#[path = "saved_plan_tests.rs"]
mod tests;
