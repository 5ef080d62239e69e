//! What `seed`, `import`, `rebuild`, `verify` and `stack` show.

use serde::Serialize;
use ssmbak_core::domain::{Instant, Name};
use ssmbak_core::import::ImportedName;
use ssmbak_core::verify::Finding;

use crate::output::{Cell, Tone, View};

/// One parameter of `seed`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SeedView {
    /// The canonical name.
    pub(crate) name: Name,
    /// How many of its versions were captured; null in a dry run, which does
    /// not ask how many there are.
    pub(crate) versions: Option<usize>,
    /// Why it could not be captured; null where it could.
    pub(crate) failure: Option<String>,
}

impl View for SeedView {
    const FIELDS: &'static [&'static str] = &["Name", "Versions", "Failure"];
    const COLUMNS: &'static [&'static str] = Self::FIELDS;

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::new(self.name.as_str()),
            Cell::new(self.versions.map_or(String::new(), |n| n.to_string())),
            Cell::toned(self.failure.as_deref().unwrap_or_default(), Tone::Bad),
        ]
    }
}

/// One parameter of `import`; in a dry run what would be imported.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ImportView {
    /// The canonical name.
    pub(crate) name: Name,
    /// How many versions.
    pub(crate) versions: usize,
    /// How many deletions.
    pub(crate) deletions: usize,
    /// The oldest instant of them; null where there are none.
    pub(crate) from: Option<Instant>,
    /// The newest.
    pub(crate) to: Option<Instant>,
    /// Why some or all of it could not be imported; null where it could.
    pub(crate) failure: Option<String>,
}

impl From<&ImportedName> for ImportView {
    fn from(imported: &ImportedName) -> Self {
        Self {
            name: imported.name.clone(),
            versions: imported.versions,
            deletions: imported.deletions,
            from: imported.from,
            to: imported.to,
            failure: imported.failure.clone(),
        }
    }
}

impl View for ImportView {
    const FIELDS: &'static [&'static str] =
        &["Name", "Versions", "Deletions", "From", "To", "Failure"];
    const COLUMNS: &'static [&'static str] = Self::FIELDS;

    fn cells(&self) -> Vec<Cell> {
        let instant =
            |at: Option<Instant>| Cell::new(at.map_or(String::new(), |at| at.to_string()));
        vec![
            Cell::new(self.name.as_str()),
            Cell::new(self.versions.to_string()),
            Cell::new(self.deletions.to_string()),
            instant(self.from),
            instant(self.to),
            Cell::toned(self.failure.as_deref().unwrap_or_default(), Tone::Bad),
        ]
    }
}

/// One object that `rebuild` could not read.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UnreadableView {
    /// Its key in the bucket.
    pub(crate) object: String,
    /// What is wrong with it.
    pub(crate) problem: String,
}

impl View for UnreadableView {
    const FIELDS: &'static [&'static str] = &["Object", "Problem"];
    const COLUMNS: &'static [&'static str] = Self::FIELDS;

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::new(self.object.as_str()),
            Cell::toned(self.problem.as_str(), Tone::Bad),
        ]
    }
}

/// One disagreement of `verify`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FindingView {
    /// Its stable word, such as `row-missing`.
    pub(crate) kind: &'static str,
    /// The name, the path of a coverage, or the key of an object.
    pub(crate) name: String,
    /// The version; null where it is about none.
    pub(crate) version: Option<u64>,
    /// The instant of the record; null where it is about none.
    pub(crate) time: Option<Instant>,
    /// What is there and what should be.
    pub(crate) detail: String,
    /// Whether it was healed; null without `--heal`.
    pub(crate) healed: Option<bool>,
}

impl FindingView {
    /// The view of a disagreement.
    pub(crate) fn new(finding: &Finding) -> Self {
        Self {
            kind: finding.kind.as_str(),
            name: finding.subject.clone(),
            version: finding.version,
            time: finding.time,
            detail: finding.detail.clone(),
            healed: finding.healed,
        }
    }
}

impl View for FindingView {
    const FIELDS: &'static [&'static str] =
        &["Kind", "Name", "Version", "Time", "Detail", "Healed"];
    const COLUMNS: &'static [&'static str] = Self::FIELDS;

    fn cells(&self) -> Vec<Cell> {
        let text = |text: Option<String>| Cell::new(text.unwrap_or_default());
        let healed = match self.healed {
            Some(true) => Cell::toned("yes", Tone::Good),
            Some(false) => Cell::toned("no", Tone::Bad),
            None => Cell::new(""),
        };
        vec![
            Cell::toned(self.kind, Tone::Bad),
            Cell::new(self.name.as_str()),
            text(self.version.map(|v| v.to_string())),
            text(self.time.map(|t| t.to_string())),
            Cell::new(self.detail.as_str()),
            healed,
        ]
    }
}

/// One resource of a stack.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResourceView {
    /// Its name in the template.
    pub(crate) logical_id: String,
    /// Its type, as `CloudFormation` spells it.
    #[serde(rename = "Type")]
    pub(crate) resource_type: String,
    /// What became of it.
    pub(crate) status: String,
    /// Its own name; empty while it has none.
    pub(crate) physical_id: String,
}

impl View for ResourceView {
    const FIELDS: &'static [&'static str] = &["LogicalId", "Type", "Status", "PhysicalId"];
    const COLUMNS: &'static [&'static str] = Self::FIELDS;

    fn cells(&self) -> Vec<Cell> {
        [
            &self.logical_id,
            &self.resource_type,
            &self.status,
            &self.physical_id,
        ]
        .map(Cell::new)
        .to_vec()
    }
}

/// What an update would do to one resource of a stack.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StackChangeView {
    /// `Add`, `Modify`, `Remove` and so on, as `CloudFormation` spells it.
    pub(crate) action: String,
    /// Its name in the template.
    pub(crate) logical_id: String,
    /// Its type.
    #[serde(rename = "Type")]
    pub(crate) resource_type: String,
    /// Whether another takes its place: `True`, `False` or `Conditional`; null
    /// where the question does not arise.
    pub(crate) replacement: Option<String>,
    /// The names of the properties that change.
    pub(crate) changes: Vec<String>,
    /// Whether what is there now goes, or may go.
    #[serde(skip)]
    pub(crate) takes_away: bool,
}

impl View for StackChangeView {
    const FIELDS: &'static [&'static str] =
        &["Action", "LogicalId", "Type", "Replacement", "Changes"];
    const COLUMNS: &'static [&'static str] = Self::FIELDS;

    fn cells(&self) -> Vec<Cell> {
        let tone = match (self.takes_away, self.action.as_str()) {
            (true, _) => Tone::Bad,
            (false, "Add") => Tone::Good,
            (false, _) => Tone::Changed,
        };
        vec![
            Cell::toned(&self.action, tone),
            Cell::new(&self.logical_id),
            Cell::new(&self.resource_type),
            Cell::toned(self.replacement.as_deref().unwrap_or_default(), tone),
            Cell::new(self.changes.join(", ")),
        ]
    }
}
