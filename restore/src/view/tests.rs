use serde::Serialize;
use serde_json::{Value as Json, json};
use ssmbak_core::domain::run::Outcome;
use ssmbak_core::domain::state::FoundValue;
use ssmbak_core::domain::{Change, Deleter, State, Step};
use ssmbak_core::history::Entry;

use super::*;
use crate::fixtures as given;
use crate::output::{Cell, Tone, View};

fn json_of(view: &impl Serialize) -> Json {
    serde_json::to_value(view).unwrap()
}

/// The fields are those named, in that order, and no others.
fn assert_fields<V: View>(view: &V) {
    let text = serde_json::to_string(view).unwrap();
    let mut from = 0;
    for field in V::FIELDS {
        let key = format!("\"{field}\":");
        let found = text[from..].find(&key);
        from += found.unwrap_or_else(|| panic!("{field} after {from} in {text}"));
    }
    assert_eq!(json_of(view).as_object().unwrap().len(), V::FIELDS.len());
    assert_eq!(view.cells().len(), V::COLUMNS.len());
}

#[test]
fn the_fields_are_those_of_the_contract() {
    let parameter = ParameterView::new(&given::updated("/app/db", "String", "old"), false);
    assert_fields(&parameter);
    assert_fields(&RestoreView {
        parameter,
        outcome: Outcome::Restored,
        reason: None,
    });
    assert_fields(&ChangeView::new(&given::entry(given::version(1)), true));
    assert_fields(&StackChangeView {
        action: "Modify".into(),
        logical_id: "Function".into(),
        resource_type: "AWS::Lambda::Function".into(),
        replacement: Some("False".into()),
        changes: vec!["Code".into()],
        takes_away: false,
    });
    assert_fields(&SeedView {
        name: given::name("/a"),
        versions: Some(1),
        failure: None,
    });
    assert_fields(&ResourceView {
        logical_id: "Bucket".into(),
        resource_type: "AWS::S3::Bucket".into(),
        status: "CREATE_COMPLETE".into(),
        physical_id: "b".into(),
    });
}

#[test]
fn a_present_parameter_is_shown_with_all_that_is_known() {
    let view = ParameterView::new(&given::updated("/app/db", "String", " old "), false);
    assert_eq!(
        json_of(&view),
        json!({
            "Name": "/app/db", "Change": "update", "Deleted": false, "Value": " old ",
            "Type": "String", "Modified": "2024-06-14T08:00:00.123Z", "Version": 2,
            "Description": "d", "Tier": "Standard", "DataType": "text", "KeyId": null,
            "AllowedPattern": null, "Policies": [], "Labels": [], "Tags": null,
            "ModifiedBy": "arn:aws:iam::1:user/a", "ValueState": "stored",
            "Alone": null, "Recreate": false,
        })
    );
}

#[test]
fn an_absent_parameter_is_deleted_and_has_no_value() {
    let view = json_of(&ParameterView::new(&given::deleted("/app/db"), true));
    assert_eq!(view["Deleted"], json!(true));
    assert_eq!(view["Change"], json!("delete"));
    assert_eq!(view["Modified"], json!("2024-06-15T10:00:00.999Z"));
    for field in ["Value", "Type", "Version", "Labels", "ValueState"] {
        assert_eq!(view[field], Json::Null, "{field}");
    }
}

#[test]
fn an_unknown_parameter_is_not_deleted() {
    let view = json_of(&ParameterView::new(&given::unknown("/app/db"), true));
    assert_eq!(view["Deleted"], json!(false));
    assert_eq!(view["Change"], json!("unknown"));
    assert_eq!(view["Value"], Json::Null);
}

#[test]
fn a_secret_is_masked_unless_revealed() {
    let step = given::updated("/app/db", "SecureString", "hunter2");
    let masked = ParameterView::new(&step, false);
    assert_eq!(json_of(&masked)["Value"], Json::Null);
    assert_eq!(masked.cells()[1], Cell::new("********"));
    assert!(!format!("{masked:?}").contains("hunter2"));
    let revealed = ParameterView::new(&step, true);
    assert_eq!(json_of(&revealed)["Value"], json!("hunter2"));
    assert_eq!(revealed.cells()[1], Cell::new("hunter2"));
}

#[test]
fn a_lost_value_is_null_and_told() {
    let view = ParameterView::new(&given::lost("/app/db"), true);
    assert_eq!(json_of(&view)["Value"], Json::Null);
    assert_eq!(json_of(&view)["ValueState"], json!("lost"));
    assert_eq!(view.cells()[1], Cell::toned("(lost)", Tone::Dim));
}

#[test]
fn the_columns_of_a_preview_are_in_the_order_that_people_know() {
    let view = ParameterView::new(&given::created("/app/db", "old"), false);
    let expected = [
        Cell::new("/app/db"),
        Cell::new("old"),
        Cell::new("String"),
        Cell::new("2024-06-14T08:00:00.123Z"),
        Cell::toned("create", Tone::Good),
    ];
    assert_eq!(view.cells(), expected);
}

#[test]
fn an_exact_deletion_and_an_observed_one_are_told_apart() {
    let deletion = |not_before| {
        given::entry(Change::Deleted {
            not_before,
            parameter_type: Some("String".into()),
        })
    };
    let exact = ChangeView::new(&deletion(None), true);
    assert_eq!((exact.exact, exact.not_before), (true, None));
    assert_eq!(exact.what(), "Delete");
    let from = given::at("2024-06-13T00:00:00.000Z");
    let observed = ChangeView::new(&deletion(Some(from)), true);
    assert_eq!((observed.exact, observed.not_before), (false, Some(from)));
    assert_eq!(observed.what(), "Delete (after 2024-06-13T00:00:00.000Z)");
    assert_eq!(json_of(&observed)["Type"], json!("String"));
    assert_eq!(json_of(&observed)["ValueState"], Json::Null);
}

#[test]
fn an_imported_version_is_not_exact_and_says_so() {
    let mut entry = given::entry(given::version(7));
    assert!(ChangeView::new(&entry, true).exact);
    entry.record.source = ssmbak_core::domain::Source::Import;
    let view = ChangeView::new(&entry, true);
    assert_eq!((view.exact, view.not_before), (false, None));
    assert_eq!(view.what(), "Update (imported)");
}

#[test]
fn a_label_is_told_with_its_move() {
    let moved = |from| {
        ChangeView::new(
            &given::entry(Change::Labelled {
                label: "prod".into(),
                from,
                to: 4,
            }),
            true,
        )
    };
    assert_eq!(moved(Some(3)).what(), "LabelParameterVersion prod");
    assert_eq!(moved(Some(3)).versions(), "3 -> 4");
    assert_eq!(moved(None).versions(), "4");
    let view = json_of(&moved(Some(3)));
    assert_eq!(
        (&view["Label"], &view["FromVersion"], &view["ToVersion"]),
        (&json!("prod"), &json!(3), &json!(4))
    );
    assert_eq!(view["Version"], Json::Null);
}

#[test]
fn a_version_is_told_with_who_wrote_it() {
    let view = ChangeView::new(&given::entry(given::version(7)), true);
    let expected = [
        Cell::new("2024-06-14T08:00:00.123Z"),
        Cell::toned("Update", Tone::Changed),
        Cell::new("/app/db"),
        Cell::new("7"),
        Cell::new("String"),
        Cell::new("arn:aws:iam::1:user/a"),
    ];
    assert_eq!(view.cells(), expected);
}

#[test]
fn the_value_of_a_version_that_still_lives_is_taken_from_there() {
    let mut step = given::unchanged("/app/db");
    let State::Present(found) = &mut step.state else {
        panic!("it is present");
    };
    found.value = FoundValue::Live;
    step.value = None;
    let view = ParameterView::new(&step, false);
    assert_eq!(view.value.as_deref(), Some("old"));
}

#[test]
fn a_change_of_tags_tells_their_keys_and_only_under_its_name() {
    let tagged = |tags: &[(&str, &str)]| {
        let tags = tags.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        given::entry(Change::Tagged {
            tags: tags.collect(),
        })
    };
    let two = tagged(&[("a", "1"), ("b", "")]);
    assert_eq!(ChangeView::new(&two, true).what(), "Tags (a, b)");
    assert_eq!(ChangeView::new(&tagged(&[]), true).what(), "Tags (none)");
    let slim = ChangeView::new(&two, false);
    assert_eq!((slim.what().as_str(), slim.tags), ("Tags", None));
}

#[test]
fn what_alone_is_put_back_is_told_and_what_is_created_again() {
    let mut step = given::updated("/app/db", "String", "old");
    step.differences.version = false;
    step.differences.tags = true;
    step.differences.labels = vec!["prod".into()];
    let change = |step: &Step| {
        let view = ParameterView::new(step, false);
        let json = json_of(&view);
        (view.cells().remove(4), json["Alone"].clone())
    };
    let cell = |text: &str| Cell::toned(text, Tone::Changed);
    assert_eq!(
        change(&step),
        (cell("update (tags, labels)"), json!(["tags", "labels"]))
    );
    step.differences.version = true;
    step.recreate = true;
    assert_eq!(change(&step), (cell("update (recreate)"), Json::Null));
}

#[test]
fn a_deletion_is_told_with_who_asked_for_it_and_from_where() {
    let deleter = Deleter {
        by: Some("arn:aws:iam::1:user/mallory".into()),
        from: Some("203.0.113.7".into()),
    };
    let mut deleted = given::entry(Change::Deleted {
        not_before: None,
        parameter_type: None,
    });
    let by = |entry: &Entry| ChangeView::new(entry, true).cells().remove(5);
    assert_eq!(by(&deleted), Cell::new(""));
    deleted.deleter = Some(deleter.clone());
    let shown = Cell::new("arn:aws:iam::1:user/mallory from 203.0.113.7");
    assert_eq!(by(&deleted), shown);
    let view = json_of(&ChangeView::new(&deleted, true));
    assert_eq!(view["ModifiedBy"], json!("arn:aws:iam::1:user/mallory"));
    assert_eq!(view["SourceIp"], json!("203.0.113.7"));
    let alone = given::entry(Change::DeletedBy(deleter));
    assert_eq!(by(&alone), shown);
    let view = ChangeView::new(&alone, true);
    assert_eq!((view.what().as_str(), view.exact), ("DeletedBy", true));
    let nameless = given::entry(Change::DeletedBy(Deleter {
        by: None,
        from: Some("203.0.113.7".into()),
    }));
    assert_eq!(by(&nameless), Cell::new("somebody from 203.0.113.7"));
}
