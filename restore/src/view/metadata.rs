//! Everything of a parameter but its value, as `show --metadata` shows it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;
use ssmbak_core::domain::state::{Found, FoundValue};
use ssmbak_core::domain::{Instant, Name};

use crate::output::{Cell, View};

/// One parameter as it was, without its value. Fields are those of `preview`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MetadataView {
    name: Name,
    #[serde(rename = "Type")]
    kind: String,
    modified: Instant,
    version: Option<u64>,
    description: Option<String>,
    tier: Option<String>,
    data_type: Option<String>,
    key_id: Option<String>,
    allowed_pattern: Option<String>,
    policies: Vec<String>,
    labels: Vec<String>,
    tags: Option<BTreeMap<String, String>>,
    modified_by: Option<String>,
    value_state: &'static str,
    /// False where it may have been deleted already, and where it is known from
    /// the original tool's bucket only.
    exact: bool,
}

impl MetadataView {
    /// The view of a version.
    pub(crate) fn new(name: Name, found: &Found) -> Self {
        let attributes = found.attributes.clone();
        Self {
            name,
            kind: attributes.parameter_type,
            modified: found.modified,
            version: found.version,
            description: attributes.description,
            tier: attributes.tier,
            data_type: attributes.data_type,
            key_id: attributes.key_id,
            allowed_pattern: attributes.allowed_pattern,
            policies: attributes.policies,
            labels: attributes.labels,
            tags: attributes.tags,
            modified_by: found.modified_by.clone(),
            value_state: match found.value {
                FoundValue::Lost => "lost",
                FoundValue::Live
                | FoundValue::Stored(_)
                | FoundValue::Retained(_)
                | FoundValue::Given(_)
                | FoundValue::Sealed => "stored",
            },
            exact: !found.inexact && !found.is_imported(),
        }
    }

    /// The same, a fact a row; what there is not is left out.
    pub(crate) fn facts(&self) -> serde_json::Result<Vec<FactView>> {
        let json = serde_json::to_value(self)?;
        let fact = |name: &&'static str| {
            let text = match json.get(name)? {
                Json::Null => return None,
                Json::String(text) => text.clone(),
                other @ (Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
                    other.to_string()
                }
            };
            Some(FactView {
                fact: name,
                value: text,
            })
        };
        Ok(Self::FIELDS.iter().filter_map(fact).collect())
    }
}

impl View for MetadataView {
    const FIELDS: &'static [&'static str] = &[
        "Name",
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
        "Exact",
    ];
    const COLUMNS: &'static [&'static str] = &["Name", "Type", "Modified"];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::new(self.name.as_str()),
            Cell::new(&self.kind),
            Cell::new(self.modified.to_string()),
        ]
    }
}

/// One fact of a parameter.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FactView {
    fact: &'static str,
    value: String,
}

impl View for FactView {
    const FIELDS: &'static [&'static str] = &["Fact", "Value"];
    const COLUMNS: &'static [&'static str] = Self::FIELDS;

    fn cells(&self) -> Vec<Cell> {
        vec![Cell::new(self.fact), Cell::new(&self.value)]
    }
}
