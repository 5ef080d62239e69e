//! Changes as `history` shows them.

use std::collections::BTreeMap;

use serde::Serialize;
use ssmbak_core::domain::record::Operation;
use ssmbak_core::domain::{Change, Instant, Name, Source, ValueState};
use ssmbak_core::history::Entry;

use crate::output::{Cell, Tone, View};

/// One change of `history`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ChangeView {
    /// The canonical name.
    pub(crate) name: Name,
    /// When it happened.
    pub(crate) time: Instant,
    /// The time of the event that told of it; null where none did.
    pub(crate) event_time: Option<Instant>,
    /// `Create`, `Update`, `Delete`, `StillThere`, `LabelParameterVersion`, `Tags`
    /// or `DeletedBy`.
    pub(crate) operation: &'static str,
    /// The parameter's type; null where the change does not tell.
    #[serde(rename = "Type")]
    pub(crate) parameter_type: Option<String>,
    /// The version that was written, or that is still there.
    pub(crate) version: Option<u64>,
    /// The ARN of who wrote it, or asked for the deletion where `CloudTrail` told.
    pub(crate) modified_by: Option<String>,
    /// `event`, `seed`, `reconcile`, `restore` or `import`.
    pub(crate) source: &'static str,
    /// The label that moved; null for other changes, as are the two below.
    pub(crate) label: Option<String>,
    /// The version that had the label; null also where none had.
    pub(crate) from_version: Option<u64>,
    /// The version that has it now.
    pub(crate) to_version: Option<u64>,
    /// False for a deletion that was only observed: it happened between
    /// `NotBefore` and `Time`. False also for a version that was imported: its
    /// time is a whole second, its value that of the moment when the original
    /// tool stored it.
    pub(crate) exact: bool,
    /// See `Exact`; null for all but those deletions.
    pub(crate) not_before: Option<Instant>,
    /// `stored` or `lost`; null where no version was written.
    pub(crate) value_state: Option<&'static str>,
    /// All tags after a change of them; null for other changes, and where the
    /// history is that of a path.
    pub(crate) tags: Option<BTreeMap<String, String>>,
    /// Where the call came from that asked for the deletion: an address, or the
    /// name of an AWS service; null for all else.
    pub(crate) source_ip: Option<String>,
}

impl ChangeView {
    /// The view of an entry; `whole` is false for the slim ones of a path.
    pub(crate) fn new(entry: &Entry, whole: bool) -> Self {
        let record = &entry.record;
        let written = record.present();
        let told_type = match &record.change {
            Change::Deleted { parameter_type, .. } => parameter_type.clone(),
            Change::Written(w) | Change::StillThere(w) => Some(w.attributes.parameter_type.clone()),
            Change::Labelled { .. } | Change::Tagged { .. } | Change::DeletedBy(_) => None,
        };
        let (label, from_version, to_version) = match &record.change {
            Change::Labelled { label, from, to } => (Some(label.clone()), *from, Some(*to)),
            Change::Written(_)
            | Change::StillThere(_)
            | Change::Deleted { .. }
            | Change::Tagged { .. }
            | Change::DeletedBy(_) => (None, None, None),
        };
        let not_before = record.observed_after();
        let tags = match &record.change {
            Change::Tagged { tags } if whole => Some(tags.clone()),
            Change::Tagged { .. }
            | Change::Written(_)
            | Change::StillThere(_)
            | Change::Deleted { .. }
            | Change::Labelled { .. }
            | Change::DeletedBy(_) => None,
        };
        Self {
            tags,
            name: record.name.clone(),
            time: record.at,
            event_time: record.event.as_ref().map(|e| e.time),
            operation: record.operation().as_str(),
            parameter_type: told_type.filter(|t| !t.is_empty()),
            version: written.and_then(|w| w.version),
            modified_by: entry.by().map(str::to_owned),
            source_ip: entry.from().map(str::to_owned),
            source: record.source.as_str(),
            label,
            from_version,
            to_version,
            exact: not_before.is_none() && record.source != Source::Import,
            not_before,
            value_state: written.map(|w| match w.value {
                ValueState::Stored(_) => "stored",
                ValueState::Lost => "lost",
            }),
        }
    }

    /// The operation with what belongs to it: the label that moved, the keys of
    /// the tags, the interval in which an observed deletion lies, or that a
    /// version is not exact.
    pub(super) fn what(&self) -> String {
        if let Some(tags) = &self.tags {
            let keys: Vec<_> = tags.keys().map(String::as_str).collect();
            let keys = if keys.is_empty() {
                "none".into()
            } else {
                keys.join(", ")
            };
            return format!("{} ({keys})", self.operation);
        }
        match (&self.label, self.not_before) {
            (Some(label), _) => format!("{} {label}", self.operation),
            (None, Some(from)) => format!("{} (after {from})", self.operation),
            (None, None) if !self.exact => format!("{} (imported)", self.operation),
            (None, None) => self.operation.to_owned(),
        }
    }

    /// Who it was, and from where.
    fn by(&self) -> String {
        let by = self.modified_by.as_deref();
        match &self.source_ip {
            Some(from) => format!("{} from {from}", by.unwrap_or("somebody")),
            None => by.unwrap_or_default().to_owned(),
        }
    }

    /// The version, or the move of the label.
    pub(super) fn versions(&self) -> String {
        match (self.version, self.from_version, self.to_version) {
            (_, Some(from), Some(to)) => format!("{from} -> {to}"),
            (_, None, Some(version)) | (Some(version), ..) => version.to_string(),
            (None, _, None) => String::new(),
        }
    }
}

impl View for ChangeView {
    const FIELDS: &'static [&'static str] = &[
        "Name",
        "Time",
        "EventTime",
        "Operation",
        "Type",
        "Version",
        "ModifiedBy",
        "Source",
        "Label",
        "FromVersion",
        "ToVersion",
        "Exact",
        "NotBefore",
        "ValueState",
        "Tags",
        "SourceIp",
    ];
    const COLUMNS: &'static [&'static str] =
        &["Time", "Operation", "Name", "Version", "Type", "By"];

    fn cells(&self) -> Vec<Cell> {
        let tone = match Operation::parse(self.operation) {
            Some(Operation::Create) => Tone::Good,
            Some(Operation::Update) => Tone::Changed,
            Some(Operation::Delete) => Tone::Bad,
            Some(
                Operation::StillThere
                | Operation::LabelParameterVersion
                | Operation::Tags
                | Operation::DeletedBy,
            )
            | None => Tone::Plain,
        };
        vec![
            Cell::new(self.time.to_string()),
            Cell::toned(self.what(), tone),
            Cell::new(self.name.as_str()),
            Cell::new(self.versions()),
            Cell::new(self.parameter_type.as_deref().unwrap_or_default()),
            Cell::new(self.by()),
        ]
    }
}
