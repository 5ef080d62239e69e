//! Differences as `diff` shows them.

use std::collections::BTreeMap;

use serde::Serialize;
use ssmbak_core::domain::differences::{Difference, Kind, Side};
use ssmbak_core::domain::plan::{Field, Problem};
use ssmbak_core::domain::state::FoundValue;
use ssmbak_core::domain::{Attributes, Instant, Name, State};

use crate::difference_report::is_secret;
use crate::output::{Cell, Tone, View};

/// One parameter of `diff`: `Old...` at the first instant, `New...` at the second.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DifferenceView {
    /// The canonical name.
    name: Name,
    /// `added`, `removed`, `changed` or `unknown`.
    change: &'static str,
    /// Which fields differ; empty unless it is `changed`.
    changed: Vec<&'static str>,
    /// Null where absent, unknown, lost, unreadable or masked, and where the
    /// value does not differ.
    old_value: Option<String>,
    /// As `OldValue`.
    new_value: Option<String>,
    /// Null where absent or unknown, as are all below, and where nobody knows it.
    old_version: Option<u64>,
    new_version: Option<u64>,
    /// When the version was written; of an absent one when it was deleted, where
    /// that is known.
    old_modified: Option<Instant>,
    new_modified: Option<Instant>,
    old_modified_by: Option<String>,
    new_modified_by: Option<String>,
    old_type: Option<String>,
    new_type: Option<String>,
    old_description: Option<String>,
    new_description: Option<String>,
    old_tier: Option<String>,
    new_tier: Option<String>,
    old_data_type: Option<String>,
    new_data_type: Option<String>,
    old_key_id: Option<String>,
    new_key_id: Option<String>,
    old_allowed_pattern: Option<String>,
    new_allowed_pattern: Option<String>,
    old_policies: Option<Vec<String>>,
    new_policies: Option<Vec<String>>,
    old_tags: Option<BTreeMap<String, String>>,
    new_tags: Option<BTreeMap<String, String>>,
    /// `stored` or `lost`.
    old_value_state: Option<&'static str>,
    new_value_state: Option<&'static str>,
    #[serde(skip)]
    kind: Kind,
}

impl DifferenceView {
    /// The view of a difference. Values are left out where either is a secret,
    /// unless `reveal`.
    pub(crate) fn new(difference: &Difference, reveal: bool) -> Self {
        let (old, new) = (&difference.old, &difference.new);
        let differs = match difference.kind {
            Kind::Added | Kind::Removed => true,
            Kind::Changed => difference.fields.contains(&Field::Value),
            Kind::Unknown => false,
        };
        let shows = differs && (reveal || !is_secret(difference));
        let value = |side: &Side| {
            let value = side.value.as_ref().filter(|_| shows);
            value.map(|v| v.expose().to_owned())
        };
        let (then, later) = (attributes(old), attributes(new));
        Self {
            name: difference.name.clone(),
            change: difference.kind.as_str(),
            changed: difference.fields.iter().map(|f| f.as_str()).collect(),
            old_value: value(old),
            new_value: value(new),
            old_version: old.state.found().and_then(|f| f.version),
            new_version: new.state.found().and_then(|f| f.version),
            old_modified: modified(old),
            new_modified: modified(new),
            old_modified_by: old.state.found().and_then(|f| f.modified_by.clone()),
            new_modified_by: new.state.found().and_then(|f| f.modified_by.clone()),
            old_type: then.map(|a| a.parameter_type.clone()),
            new_type: later.map(|a| a.parameter_type.clone()),
            old_description: then.and_then(|a| a.description.clone()),
            new_description: later.and_then(|a| a.description.clone()),
            old_tier: then.and_then(|a| a.tier.clone()),
            new_tier: later.and_then(|a| a.tier.clone()),
            old_data_type: then.and_then(|a| a.data_type.clone()),
            new_data_type: later.and_then(|a| a.data_type.clone()),
            old_key_id: then.and_then(|a| a.key_id.clone()),
            new_key_id: later.and_then(|a| a.key_id.clone()),
            old_allowed_pattern: then.and_then(|a| a.allowed_pattern.clone()),
            new_allowed_pattern: later.and_then(|a| a.allowed_pattern.clone()),
            old_policies: then.map(|a| a.policies.clone()),
            new_policies: later.map(|a| a.policies.clone()),
            old_tags: then.and_then(|a| a.tags.clone()),
            new_tags: later.and_then(|a| a.tags.clone()),
            old_value_state: value_state(old),
            new_value_state: value_state(new),
            kind: difference.kind,
        }
    }
}

fn attributes(side: &Side) -> Option<&Attributes> {
    side.state.found().map(|found| &found.attributes)
}

fn modified(side: &Side) -> Option<Instant> {
    match &side.state {
        State::Present(found) => Some(found.modified),
        State::Absent { since } => *since,
        State::Unknown { .. } => None,
    }
}

fn value_state(side: &Side) -> Option<&'static str> {
    let found = side.state.found()?;
    let is_gone = matches!(side.problem, Some(Problem::Gone(_)));
    Some(if is_gone || found.value == FoundValue::Lost {
        "lost"
    } else {
        "stored"
    })
}

impl View for DifferenceView {
    const FIELDS: &'static [&'static str] = &[
        "Name",
        "Change",
        "Changed",
        "OldValue",
        "NewValue",
        "OldVersion",
        "NewVersion",
        "OldModified",
        "NewModified",
        "OldModifiedBy",
        "NewModifiedBy",
        "OldType",
        "NewType",
        "OldDescription",
        "NewDescription",
        "OldTier",
        "NewTier",
        "OldDataType",
        "NewDataType",
        "OldKeyId",
        "NewKeyId",
        "OldAllowedPattern",
        "NewAllowedPattern",
        "OldPolicies",
        "NewPolicies",
        "OldTags",
        "NewTags",
        "OldValueState",
        "NewValueState",
    ];
    const COLUMNS: &'static [&'static str] = &["Name", "Change", "Changed"];

    fn cells(&self) -> Vec<Cell> {
        let tone = match self.kind {
            Kind::Added => Tone::Good,
            Kind::Removed => Tone::Bad,
            Kind::Changed => Tone::Changed,
            Kind::Unknown => Tone::Dim,
        };
        vec![
            Cell::new(self.name.as_str()),
            Cell::toned(self.change, tone),
            Cell::new(self.changed.join(", ")),
        ]
    }
}
