//! Saved plans: a file that anybody may have edited.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{SECRET, deep, edited, edits, json};
use crate::domain::record::sha256_hex;
use crate::domain::saved_plan::{FORM, SavedPlan};

fn original() -> Json {
    let plan = json!({
        "made": "2024-06-16T01:00:00.000Z", "bucket": "bucket", "table": "table", "target": "/app/",
        "recursive": true, "at": "2024-06-15T17:56:58.999Z", "options": {},
        "parameters": [
            {"name": "/app/a", "change": "update",
             "live": {"version": 3, "modified": "2024-06-16T00:00:00.000Z"},
             "record": "2024-06-14T08:00:00.123Z#v0000000002"},
            {"name": "/app/b", "change": "unknown"},
        ],
    });
    sealed(&plan)
}

/// With the checksum that belongs to it: whoever tampers on purpose can make it.
fn sealed(plan: &Json) -> Json {
    let sum = serde_json::from_value::<SavedPlan>(plan.clone()).map(|plan| {
        sha256_hex(&format!(
            "{FORM}\n{}",
            serde_json::to_string(&plan).unwrap()
        ))
    });
    json!({"ssmbakPlan": FORM, "sha256": sum.unwrap_or_default(), "plan": plan})
}

fn read(json: &Json) -> Result<SavedPlan, String> {
    SavedPlan::from_text(json.to_string().as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn a_plan_cut_anywhere_or_nested_without_end_is_refused() {
    let text = original().to_string();
    assert!(SavedPlan::from_text(text.as_bytes()).is_ok());
    for end in 0..text.len() {
        assert!(
            SavedPlan::from_text(&text.as_bytes()[..end]).is_err(),
            "{end}"
        );
    }
    for text in deep() {
        assert!(SavedPlan::from_text(text.as_bytes()).is_err());
    }
}

proptest! {
    #[test]
    fn an_edited_plan_is_the_same_plan_or_refused(edits in edits()) {
        let bytes = edited(original().to_string().as_bytes(), &edits);
        if let Ok(plan) = SavedPlan::from_text(&bytes) {
            prop_assert_eq!(plan, read(&original()).unwrap());
        }
    }

    #[test]
    fn a_forged_plan_is_whole_or_refused_and_nothing_of_it_is_told(
        which in 0..2_usize, field in any::<prop::sample::Index>(), other in json(), secret: bool,
    ) {
        let mut plan = original()["plan"].take();
        let fields = ["name", "change", "live", "deleted", "knownFrom", "record", "tagsRecord",
            "labels", "alone", "recreate", "inexact", "problem", "value"];
        let other = if secret { json!(SECRET) } else { other };
        plan["parameters"][which][*field.get(&fields)] = other;
        match read(&sealed(&plan)) {
            Ok(plan) => {
                let text = plan.to_text().unwrap();
                prop_assert_eq!(SavedPlan::from_text(text.as_bytes()), Ok(plan));
            }
            Err(told) => prop_assert!(!told.contains(SECRET) && told.len() < 2_000, "{}", told),
        }
    }
}
