use aws_sdk_dynamodb::types::{AttributeDefinition, KeySchemaElement, SseDescription};

use super::*;
use crate::deploy::tests::stack;

fn table(keys: &[(&str, KeyType, ScalarAttributeType)]) -> TableDescription {
    keys.iter()
        .fold(TableDescription::builder(), |table, (name, kind, of)| {
            let key = KeySchemaElement::builder()
                .attribute_name(*name)
                .key_type(kind.clone());
            let attribute = AttributeDefinition::builder()
                .attribute_name(*name)
                .attribute_type(of.clone());
            table
                .key_schema(key.build().unwrap())
                .attribute_definitions(attribute.build().unwrap())
        })
        .build()
}

#[test]
fn an_index_is_known_by_its_keys() {
    let text = ScalarAttributeType::S;
    let (scope, entry) = (
        ("scope", KeyType::Hash, text.clone()),
        ("entry", KeyType::Range, text.clone()),
    );
    assert!(is_an_index(&table(&[scope.clone(), entry.clone()])));
    assert!(!is_an_index(&table(std::slice::from_ref(&scope))));
    assert!(!is_an_index(&table(&[
        ("entry", KeyType::Hash, text.clone()),
        ("scope", KeyType::Range, text),
    ])));
    let number = ("entry", KeyType::Range, ScalarAttributeType::N);
    assert!(!is_an_index(&table(&[scope, number])));
}

#[test]
fn a_stack_uses_what_it_made_and_what_it_adopted() {
    let mut made = stack("UPDATE_COMPLETE");
    made.name = "made".into();
    made.outputs.insert("BucketName".into(), "b-1".into());
    let mut adopts = stack("CREATE_IN_PROGRESS");
    adopts.name = "adopts".into();
    adopts
        .parameters
        .insert("ExistingBucket".into(), "b-2".into());
    let stacks = [made, adopts];
    let user = |bucket| user_of(&stacks, bucket, "ExistingBucket", "BucketName");
    assert_eq!(user("b-1"), Some("made"));
    assert_eq!(user("b-2"), Some("adopts"));
    assert_eq!(user("b-3"), None);
}

#[test]
fn a_stack_that_could_not_be_created_uses_nothing() {
    let mut failed = stack("ROLLBACK_COMPLETE");
    failed
        .parameters
        .insert("ExistingBucket".into(), "b".into());
    assert_eq!(
        user_of(&[failed], "b", "ExistingBucket", "BucketName"),
        None
    );
}

#[test]
fn the_table_tells_its_key() {
    let arn = "arn:aws:kms:eu-west-1:123456789012:key/1234";
    let sse = SseDescription::builder().kms_master_key_arn(arn).build();
    let table = TableDescription::builder().sse_description(sse).build();
    assert_eq!(table_key(&table).as_deref(), Some(arn));
    assert_eq!(table_key(&TableDescription::builder().build()), None);
}

#[test]
fn the_journal_is_protected_by_a_refusal_of_delete_markers() {
    let statement = |effect: &str, resource: &str| {
        format!(
            r#"{{"Statement":[{{"Effect":"{effect}","Principal":"*","Action":"s3:DeleteObject",
                "Resource":["arn:aws:s3:::b/{resource}"]}}]}}"#
        )
    };
    assert!(protects_the_journal(&statement(
        "Deny",
        "_ssmbak/journal/*"
    )));
    assert!(!protects_the_journal(&statement(
        "Allow",
        "_ssmbak/journal/*"
    )));
    assert!(!protects_the_journal(&statement("Deny", "other/*")));
    assert!(!protects_the_journal(""));
}

#[test]
fn public_access_is_blocked_in_all_four_ways_or_not_at_all() {
    let closed = PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .block_public_policy(true)
        .ignore_public_acls(true);
    assert!(!is_closed(&closed.clone().build()));
    assert!(is_closed(&closed.restrict_public_buckets(true).build()));
}

#[test]
fn keys_that_differ_are_both_named() {
    let error = AdoptError::KeysDiffer {
        bucket: Some("arn:1".into()),
        table: None,
    };
    assert_eq!(
        error.to_string(),
        "bucket and table are encrypted with different keys: the bucket with arn:1, \
         the table with none of yours"
    );
}

#[test]
fn a_table_whose_key_is_disabled_is_told_so() {
    let error = AdoptError::TableNotReady {
        table: "t".into(),
        status: "INACCESSIBLE_ENCRYPTION_CREDENTIALS".into(),
    };
    assert!(error.hint().unwrap().contains("its key is disabled"));
}
