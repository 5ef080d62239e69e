//! Changes as `history --values` shows them.

use serde::Serialize;
use ssmbak_core::compared::Compared;
use ssmbak_core::domain::Value;

use super::ChangeView;
use crate::output::{Cell, MASK, Tone, View};

/// One change, with what it changed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ComparedView {
    /// As without values.
    #[serde(flatten)]
    pub(crate) change: ChangeView,
    /// The names of the fields that the version has otherwise than the one
    /// before it: `Value`, `Description`, `Type`, `Tier`, `KeyId`,
    /// `AllowedPattern`, `Policies`, `DataType`. Null where there is none before
    /// it, and where no version was written.
    pub(crate) changed: Option<Vec<&'static str>>,
    /// Its value; null where masked, lost or gone.
    pub(crate) value: Option<String>,
    /// The value of the version before.
    pub(crate) previous_value: Option<String>,
    /// What a table shows.
    #[serde(skip)]
    told: String,
}

impl ComparedView {
    /// The view of a change and, of a written version, what it changed. Where
    /// one of the two values is a secret, both are left out unless `reveal`.
    pub(crate) fn new(change: ChangeView, compared: Option<Compared>, reveal: bool) -> Self {
        let Some(compared) = compared else {
            return Self {
                change,
                changed: None,
                value: None,
                previous_value: None,
                told: String::new(),
            };
        };
        let is_masked = compared.is_secret && !reveal;
        let text = |value: &Option<Value>| {
            let shown = value.as_ref().filter(|_| !is_masked);
            shown.map(|value| value.expose().to_owned())
        };
        Self {
            change,
            told: told(&compared, is_masked),
            value: text(&compared.value),
            previous_value: text(&compared.previous),
            changed: compared.changed,
        }
    }
}

/// The value of a first version, the move of a changed one, and the names of
/// the other fields that differ.
fn told(compared: &Compared, is_masked: bool) -> String {
    let text = |value: &Option<Value>| match value {
        None => "(lost)".to_owned(),
        Some(_) if is_masked => MASK.to_owned(),
        Some(value) => value.expose().to_owned(),
    };
    let Some(changed) = &compared.changed else {
        return text(&compared.value);
    };
    let unknown = compared.value.is_none() || compared.previous.is_none();
    let parts = changed.iter().filter_map(|field| match *field {
        "Value" if is_masked => Some("Value".to_owned()),
        "Value" => None,
        field => Some(field.to_owned()),
    });
    let shows_move = unknown || (changed.contains(&"Value") && !is_masked);
    let moved = || format!("{} -> {}", text(&compared.previous), text(&compared.value));
    let parts: Vec<String> = shows_move.then(moved).into_iter().chain(parts).collect();
    if parts.is_empty() {
        "nothing".into()
    } else {
        parts.join(", ")
    }
}

impl View for ComparedView {
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
        "Changed",
        "Value",
        "PreviousValue",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "Time",
        "Operation",
        "Name",
        "Version",
        "Type",
        "By",
        "Changed",
    ];

    fn cells(&self) -> Vec<Cell> {
        let mut cells = self.change.cells();
        cells.push(Cell::toned(self.told.clone(), Tone::Plain));
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures as given;
    use ssmbak_core::history::Entry;

    fn view(compared: Compared, reveal: bool) -> ComparedView {
        let entry = Entry {
            record: given::record(given::version(2)),
            deleter: None,
        };
        ComparedView::new(ChangeView::new(&entry, true), Some(compared), reveal)
    }

    fn changed(fields: &[&'static str], secret: bool) -> Compared {
        Compared {
            changed: Some(fields.to_vec()),
            value: Some(Value::new("new-hunter2")),
            previous: Some(Value::new("old-hunter2")),
            is_secret: secret,
        }
    }

    #[test]
    fn a_change_is_told_as_a_move_with_the_fields_beside_it() {
        let shown = view(changed(&["Value", "Tier"], false), false);
        assert_eq!(shown.told, "old-hunter2 -> new-hunter2, Tier");
        assert_eq!(shown.previous_value.as_deref(), Some("old-hunter2"));
        assert_eq!(view(changed(&[], false), false).told, "nothing");
        let first = Compared {
            changed: None,
            previous: None,
            ..changed(&[], false)
        };
        assert_eq!(view(first, false).told, "new-hunter2");
        let lost = Compared {
            value: None,
            ..changed(&["Description"], false)
        };
        assert_eq!(view(lost, false).told, "old-hunter2 -> (lost), Description");
    }

    #[test]
    fn a_masked_secret_tells_that_it_changed_and_no_more() {
        let shown = view(changed(&["Value", "KeyId"], true), false);
        assert_eq!(shown.told, "Value, KeyId");
        assert_eq!((&shown.value, &shown.previous_value), (&None, &None));
        let json = serde_json::to_string(&shown).unwrap();
        assert!(!json.contains("hunter2") && json.contains("\"Value\",\"KeyId\""));
        let first = Compared {
            changed: None,
            previous: None,
            ..changed(&[], true)
        };
        assert_eq!(view(first, false).told, MASK);
        let revealed = view(changed(&["Value"], true), true);
        assert_eq!(revealed.value.as_deref(), Some("new-hunter2"));
    }
}
