//! What `ssmbak config` shows.

use serde::Serialize;

use crate::config::Source;
use crate::output::{Cell, Tone, View};

/// One setting; never a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SettingView {
    /// Its name.
    pub(crate) setting: &'static str,
    /// What it is set to; null where it is not set, or only AWS can tell.
    pub(crate) value: Option<String>,
    /// By whom.
    pub(crate) source: String,
}

impl SettingView {
    /// A setting with its source.
    pub(crate) fn new(setting: &'static str, value: Option<String>, source: &Source) -> Self {
        Self {
            setting,
            source: match (&value, source) {
                (None, Source::Default) => "not set".to_owned(),
                (None, Source::Lookup) => format!("{source} (not asked)"),
                _ => source.to_string(),
            },
            value,
        }
    }

    /// What AWS told.
    pub(crate) fn told(setting: &'static str, value: String) -> Self {
        Self {
            setting,
            value: Some(value),
            source: "AWS".to_owned(),
        }
    }
}

impl View for SettingView {
    const FIELDS: &'static [&'static str] = &["Setting", "Value", "Source"];
    const COLUMNS: &'static [&'static str] = Self::FIELDS;

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::new(self.setting),
            Cell::new(self.value.as_deref().unwrap_or_default()),
            Cell::toned(&self.source, Tone::Dim),
        ]
    }
}
