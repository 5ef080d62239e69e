//! Parameters as `preview` and `restore` show them.

use std::collections::BTreeMap;

use serde::Serialize;
use ssmbak_core::domain::plan::Problem;
use ssmbak_core::domain::run::Outcome;
use ssmbak_core::domain::state::{Found, FoundValue};
use ssmbak_core::domain::{Action, Instant, Name, State, Step, Value};

use crate::output::{Cell, MASK, Tone, View};

/// One parameter of `preview`: its state at the asked instant, and what a
/// restore does.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ParameterView {
    /// The canonical name.
    pub(crate) name: Name,
    /// `create`, `update`, `delete`, `none` or `unknown`.
    pub(crate) change: &'static str,
    /// It did not exist at the instant.
    pub(crate) deleted: bool,
    /// Null where absent, unknown, lost, unreadable or masked.
    pub(crate) value: Option<String>,
    /// `String`, `StringList` or `SecureString`; null where absent or unknown,
    /// as are all below.
    #[serde(rename = "Type")]
    pub(crate) parameter_type: Option<String>,
    /// When the version was written; of an absent one when it was deleted,
    /// null where it had not been created yet.
    pub(crate) modified: Option<Instant>,
    /// Its number; null also where nobody knows it.
    pub(crate) version: Option<u64>,
    /// Null also where it had none.
    pub(crate) description: Option<String>,
    /// `Standard`, `Advanced` or `Intelligent-Tiering`.
    pub(crate) tier: Option<String>,
    /// `text`, `aws:ec2:image` or `aws:ssm:integration`.
    pub(crate) data_type: Option<String>,
    /// The KMS key of a `SecureString`.
    pub(crate) key_id: Option<String>,
    /// The pattern that values must match.
    pub(crate) allowed_pattern: Option<String>,
    /// The JSON text of each policy.
    pub(crate) policies: Option<Vec<String>>,
    /// The labels of the version when it was captured.
    pub(crate) labels: Option<Vec<String>>,
    /// Null also where nobody knows them.
    pub(crate) tags: Option<BTreeMap<String, String>>,
    /// The ARN of who wrote the version.
    pub(crate) modified_by: Option<String>,
    /// `stored` or `lost`.
    pub(crate) value_state: Option<&'static str>,
    /// `tags`, `labels` or both where an update puts back only those, without
    /// a new version; else null.
    pub(crate) alone: Option<Vec<&'static str>>,
    /// It is deleted and created again.
    pub(crate) recreate: bool,
    /// What a table shows for the value.
    #[serde(skip)]
    shown: Shown,
    /// The action behind `change`.
    #[serde(skip)]
    action: Action,
}

/// What a table shows for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Value,
    Masked,
    Marker(&'static str),
}

impl ParameterView {
    /// The view of a plan's step. The value of a `SecureString` is left out
    /// unless `reveal`.
    pub(crate) fn new(step: &Step, reveal: bool) -> Self {
        let found = step.state.found();
        let attributes = found.map(|f| &f.attributes);
        let shown = shown(step, found, reveal);
        let value = value_of(step).filter(|_| shown == Shown::Value);
        Self {
            name: step.name.clone(),
            change: step.action.as_str(),
            deleted: matches!(step.state, State::Absent { .. }),
            value: value.map(|v| v.expose().to_owned()),
            parameter_type: attributes.map(|a| a.parameter_type.clone()),
            modified: match &step.state {
                State::Present(found) => Some(found.modified),
                State::Absent { since } => *since,
                State::Unknown { .. } => None,
            },
            version: found.and_then(|f| f.version),
            description: attributes.and_then(|a| a.description.clone()),
            tier: attributes.and_then(|a| a.tier.clone()),
            data_type: attributes.and_then(|a| a.data_type.clone()),
            key_id: attributes.and_then(|a| a.key_id.clone()),
            allowed_pattern: attributes.and_then(|a| a.allowed_pattern.clone()),
            policies: attributes.map(|a| a.policies.clone()),
            labels: attributes.map(|a| a.labels.clone()),
            tags: attributes.and_then(|a| a.tags.clone()),
            modified_by: found.and_then(|f| f.modified_by.clone()),
            value_state: found.map(|f| match f.value {
                _ if is_gone(step) => "lost",
                FoundValue::Lost => "lost",
                FoundValue::Live
                | FoundValue::Stored(_)
                | FoundValue::Retained(_)
                | FoundValue::Given(_)
                | FoundValue::Sealed => "stored",
            }),
            alone: Some(step.differences.alone()).filter(|alone| !alone.is_empty()),
            recreate: step.recreate,
            shown,
            action: step.action,
        }
    }
}

impl ParameterView {
    /// The change, with what is special about it.
    fn what(&self) -> String {
        match &self.alone {
            Some(alone) => format!("{} ({})", self.change, alone.join(", ")),
            None if self.recreate => format!("{} (recreate)", self.change),
            None => self.change.to_owned(),
        }
    }
}

/// The value at the plan's instant, wherever the step holds it: that of a
/// version which still lives may only stand with what lives.
pub(crate) fn value_of(step: &Step) -> Option<&Value> {
    step.value.as_ref().or(match &step.state.found()?.value {
        FoundValue::Live => step.live.as_ref()?.value.as_ref(),
        FoundValue::Retained(value) | FoundValue::Given(value) => Some(value),
        FoundValue::Stored(_) | FoundValue::Sealed | FoundValue::Lost => None,
    })
}

fn is_gone(step: &Step) -> bool {
    matches!(step.problem, Some(Problem::Gone(_)))
}

fn shown(step: &Step, found: Option<&Found>, reveal: bool) -> Shown {
    match (found, &step.state) {
        (Some(found), _) if found.value == FoundValue::Lost => Shown::Marker("(lost)"),
        (Some(_), _) if is_gone(step) => Shown::Marker("(gone)"),
        (Some(found), _) if found.attributes.is_secret() && !reveal => Shown::Masked,
        (Some(_), _) if value_of(step).is_none() => Shown::Marker("(unreadable)"),
        (Some(_), _) => Shown::Value,
        (None, State::Unknown { .. }) => Shown::Marker("(unknown)"),
        (None, State::Absent { .. } | State::Present(_)) => Shown::Marker("(absent)"),
    }
}

impl View for ParameterView {
    const FIELDS: &'static [&'static str] = &[
        "Name",
        "Change",
        "Deleted",
        "Value",
        "Type",
        "Modified",
        "Version",
        "Description",
        "Tier",
        "DataType",
        "KeyId",
        "AllowedPattern",
        "Policies",
        "Labels",
        "Tags",
        "ModifiedBy",
        "ValueState",
        "Alone",
        "Recreate",
    ];
    const COLUMNS: &'static [&'static str] = &["Name", "Value", "Type", "Modified", "Change"];

    fn cells(&self) -> Vec<Cell> {
        let value = match self.shown {
            Shown::Value => Cell::new(self.value.as_deref().unwrap_or_default()),
            Shown::Masked => Cell::new(MASK),
            Shown::Marker(marker) => Cell::toned(marker, Tone::Dim),
        };
        let tone = match self.action {
            Action::Create => Tone::Good,
            Action::Update => Tone::Changed,
            Action::Delete => Tone::Bad,
            Action::None => Tone::Plain,
            Action::Unknown => Tone::Dim,
        };
        vec![
            Cell::new(self.name.as_str()),
            value,
            Cell::new(self.parameter_type.as_deref().unwrap_or_default()),
            Cell::new(self.modified.map_or(String::new(), |at| at.to_string())),
            Cell::toned(self.what(), tone),
        ]
    }
}

/// One parameter of `restore`: what `preview` shows of it, and what became of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RestoreView {
    /// As `preview` shows it.
    #[serde(flatten)]
    pub(crate) parameter: ParameterView,
    /// `restored`, `deleted`, `unchanged`, `skipped` or `failed`.
    pub(crate) outcome: Outcome,
    /// Why it was skipped or failed; else null.
    pub(crate) reason: Option<String>,
}

impl View for RestoreView {
    const FIELDS: &'static [&'static str] = &[
        "Name",
        "Change",
        "Deleted",
        "Value",
        "Type",
        "Modified",
        "Version",
        "Description",
        "Tier",
        "DataType",
        "KeyId",
        "AllowedPattern",
        "Policies",
        "Labels",
        "Tags",
        "ModifiedBy",
        "ValueState",
        "Alone",
        "Recreate",
        "Outcome",
        "Reason",
    ];
    const COLUMNS: &'static [&'static str] =
        &["Name", "Value", "Type", "Modified", "Change", "Outcome"];

    fn cells(&self) -> Vec<Cell> {
        let tone = match self.outcome {
            Outcome::Restored | Outcome::Deleted => Tone::Good,
            Outcome::Unchanged => Tone::Plain,
            Outcome::Skipped => Tone::Dim,
            Outcome::Failed => Tone::Bad,
        };
        let mut cells = self.parameter.cells();
        cells.push(Cell::toned(self.outcome.as_str(), tone));
        cells
    }
}
