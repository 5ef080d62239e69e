//! CSV with the fields of `preview`, and with its guard against formulas.

use std::collections::BTreeMap;

use serde::Serialize;
use ssmbak_core::domain::Instant;

use crate::args::Format;
use crate::error::CliError;
use crate::export_file::{Exported, ExportedParameter};
use crate::output::{Cell, Rows, TableStyle, View};

/// The text.
pub(super) fn text(exported: &Exported) -> Result<String, CliError> {
    let prefix = exported.prefix.as_ref().map_or("", |path| path.as_str());
    let rows: Vec<_> = exported
        .parameters
        .iter()
        .map(|p| Row::new(p, prefix))
        .collect();
    let mut out = Vec::new();
    let mut table = Rows::new(&mut out, Format::Csv, TableStyle::default());
    table.page(&rows)?;
    table.finish::<Row>()?;
    String::from_utf8(out).map_err(|error| std::io::Error::other(error).into())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    name: String,
    #[serde(rename = "Type")]
    kind: String,
    value: String,
    version: Option<u64>,
    modified: Option<Instant>,
    modified_by: Option<String>,
    description: Option<String>,
    tier: Option<String>,
    data_type: Option<String>,
    key_id: Option<String>,
    allowed_pattern: Option<String>,
    policies: Vec<String>,
    labels: Vec<String>,
    tags: Option<BTreeMap<String, String>>,
}

impl Row {
    fn new(parameter: &ExportedParameter, prefix: &str) -> Self {
        let name = parameter.name.as_str();
        let attributes = parameter.attributes.clone();
        Self {
            name: name.strip_prefix(prefix).unwrap_or(name).to_owned(),
            kind: attributes.parameter_type,
            value: parameter.value.expose().to_owned(),
            version: parameter.version,
            modified: parameter.modified,
            modified_by: parameter.modified_by.clone(),
            description: attributes.description,
            tier: attributes.tier,
            data_type: attributes.data_type,
            key_id: attributes.key_id,
            allowed_pattern: attributes.allowed_pattern,
            policies: attributes.policies,
            labels: attributes.labels,
            tags: attributes.tags,
        }
    }
}

impl View for Row {
    const FIELDS: &'static [&'static str] = &[
        "Name",
        "Type",
        "Value",
        "Version",
        "Modified",
        "ModifiedBy",
        "Description",
        "Tier",
        "DataType",
        "KeyId",
        "AllowedPattern",
        "Policies",
        "Labels",
        "Tags",
    ];
    const COLUMNS: &'static [&'static str] = &["Name", "Type", "Value"];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::new(&self.name),
            Cell::new(&self.kind),
            Cell::new(&self.value),
        ]
    }
}
