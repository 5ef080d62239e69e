//! Objects of the journal: whoever may write to the bucket decides what is in
//! them.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{deep, edited, edits, json, record};
use crate::domain::journal::{coverage_at, record_at, run_at};
use crate::domain::keys::journal_key;
use crate::domain::stored::{FORMAT, StoredError, from_journal, to_journal};
use crate::domain::{policy, unfinished::Unfinished};

/// The facts as they are documented.
fn documented() -> Vec<Json> {
    let text = include_str!("../../../../docs/stored-forms.md");
    let objects = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    objects
        .filter(|json: &Json| json["format"].is_number())
        .collect()
}

#[test]
fn nesting_without_end_is_refused() {
    for text in deep() {
        let body = format!(r#"{{"format":1,"x":{text}}}"#);
        for body in [text.as_bytes(), body.as_bytes()] {
            assert!(record_at("k", body).is_err());
            assert!(coverage_at("k", body).is_err());
            assert!(run_at("k", body).is_err());
            assert!(serde_json::from_slice::<Unfinished>(body).is_err());
        }
        assert!(!policy::has_expired(&text, crate::domain::Instant::LATEST));
    }
}

#[test]
fn a_documented_object_cut_anywhere_is_refused() {
    let all = documented();
    assert!(all.len() > 5);
    for object in all {
        let text = object.to_string();
        for end in 0..text.len() {
            let body = &text.as_bytes()[..end];
            assert!(record_at("k", body).is_err());
            assert!(coverage_at("k", body).is_err());
            assert!(run_at("k", body).is_err());
        }
    }
}

#[test]
fn a_kind_or_a_field_that_is_none_is_named() {
    let record = documented()
        .into_iter()
        .find(|json| json["operation"] == "Update")
        .unwrap();
    for (field, other) in [
        ("operation", json!("Renamed")),
        ("source", json!("rumour")),
        ("valueState", json!("elsewhere")),
        ("suffix", json!("v0000000099")),
    ] {
        let mut edited = record.clone();
        edited[field] = other;
        let refused = from_journal(edited.to_string().as_bytes()).unwrap_err();
        assert!(refused.to_string().contains(field), "{field}: {refused}");
    }
    // A field that is there twice is no record: two readers could differ.
    let twice = record.to_string().replacen('{', r#"{"version":9,"#, 1);
    assert!(matches!(
        from_journal(twice.as_bytes()),
        Err(StoredError::Shape(_))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_record_reads_back_and_cut_anywhere_it_is_refused(record in record()) {
        let (key, body) = (journal_key(&record), to_journal(&record).unwrap());
        prop_assert_eq!(record_at(&key, &body), Ok(record));
        // Long texts are in some of them: each end would take too long.
        for end in (0..body.len()).rev().take(400).chain(0..body.len().min(400)) {
            prop_assert!(record_at(&key, &body[..end]).is_err());
        }
    }

    #[test]
    fn an_edited_record_is_one_that_belongs_at_its_key_or_refused(record in record(), edits in edits()) {
        let (key, body) = (journal_key(&record), to_journal(&record).unwrap());
        if let Ok(read) = record_at(&key, &edited(&body, &edits)) {
            prop_assert_eq!(journal_key(&read), key.clone());
            let again = to_journal(&read).unwrap();
            prop_assert_eq!(record_at(&key, &again), Ok(read));
        }
    }

    #[test]
    fn a_newer_format_is_refused_whatever_else_it_holds(format in FORMAT + 1.., other in json()) {
        let body = json!({"other": other, "format": format}).to_string();
        let newer = StoredError::NewerFormat(format);
        prop_assert_eq!(record_at("k", body.as_bytes()), Err(newer.clone()));
        prop_assert_eq!(coverage_at("k", body.as_bytes()), Err(newer.clone()));
        prop_assert_eq!(run_at("k", body.as_bytes()), Err(newer));
    }

    #[test]
    fn any_json_in_the_place_of_a_field_is_read_or_refused(
        which in any::<prop::sample::Index>(), field in any::<prop::sample::Index>(), other in json(),
    ) {
        let mut object = which.get(&documented()).clone();
        let fields: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
        object[field.get(&fields)] = other;
        let body = object.to_string();
        let _ = (record_at("k", body.as_bytes()), coverage_at("k", body.as_bytes()));
        let _ = run_at("k", body.as_bytes());
    }

    #[test]
    fn any_text_of_a_policy_is_read_or_kept(text in super::text(), json in json(), at in super::instant()) {
        let policy = json!({"Type": "Expiration", "Attributes": {"Timestamp": json}}).to_string();
        for text in [text, policy] {
            let all = vec![text.clone()];
            prop_assert!(policy::same_policies(&all, &all));
            let kept = policy::restorable(&all, at);
            prop_assert_eq!(kept.is_empty(), policy::has_expired(&text, at));
        }
    }
}
