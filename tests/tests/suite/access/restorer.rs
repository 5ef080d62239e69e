//! The restorer writes parameters, adds to the backups, and deletes none.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};
use ssmbak_tests::people::Person;

use super::{EVENTS, HUSH, Scene, Stage, refused, s3, ssmbak, table};

#[tokio::test]
async fn a_restorer_is_refused_nothing_but_the_stack() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/restorer/").await;
    table::judge(stage, &stage.restorer, 1, &scene).await;
}

#[tokio::test]
async fn a_restore_updates_creates_deletes_and_first_captures() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/restored/").await;
    let _alone = EVENTS.write().await;
    // No event tells of these versions: the restore has to capture them before it overwrites.
    stage.control().hold(true).await.unwrap();
    scene.put("name", &format!("{HUSH}, unheard")).await;
    scene
        .put_secret("secret", &format!("{HUSH}, unheard"))
        .await;
    let restore = ["restore", &scene.path, &scene.at, "-R", "--yes"];
    let restore = [&restore[..], &["--output", "json"]].concat();
    let restored = ssmbak(&stage.restorer, &restore).await;
    stage.control().hold(false).await.unwrap();
    stage.control().release(false).await.unwrap();

    let rows = restored.exits(0).json();
    let outcomes = rows.as_array().unwrap().iter();
    let outcomes: Vec<_> = outcomes.map(|r| r["Outcome"].as_str().unwrap()).collect();
    let expected = ["restored", "restored", "deleted", "restored", "restored"];
    assert_eq!(outcomes, expected, "{rows}");
    let lives = [
        ("gone", 1, "gone then"),
        ("name", 5, "name then"),
        ("sealed", 3, "then"),
        ("secret", 4, "then"),
    ];
    let lives = lives.map(|(leaf, version, value)| {
        let value = format!("{HUSH}, {value}");
        (scene.name(leaf), version, value)
    });
    assert_eq!(scene.live().await, lives);
    let tags = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    assert_eq!(scene.tags("name").await, tags);
    let history = ["history", &scene.path, "-R", "--output", "json"];
    let rows = ssmbak(&stage.restorer, &history).await.exits(0).json();
    let first = rows.as_array().unwrap().iter();
    let first = first.filter(|r| r["Source"] == "restore" && r["Operation"] == "Update");
    assert_eq!(first.count(), 2, "{rows}");
    stage.captured().await;
}

#[tokio::test]
async fn a_restorer_deletes_no_backup() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/kept/").await;
    deletes_no_backup(stage, &stage.restorer, &scene).await;
}

/// Neither a version of a value, nor a row, nor anything of the journal: not even a marker on it.
pub(super) async fn deletes_no_backup(stage: &Stage, person: &Person, scene: &Scene) {
    let admin = s3(&stage.administration().await);
    let bucket = stage.bucket();
    let name = scene.name("name");
    let values = admin.list_object_versions().bucket(bucket).prefix(&name);
    let values = values.send().await.unwrap();
    let value = values.versions()[0].version_id().unwrap();
    let journal = admin.list_objects_v2().bucket(bucket).prefix("_ssmbak/");
    let journal = journal.send().await.unwrap();
    let entry = journal.contents()[0].key().unwrap();
    let of_entry = admin.list_object_versions().bucket(bucket).prefix(entry);
    let of_entry = of_entry.send().await.unwrap();
    let of_entry = of_entry.versions()[0].version_id().unwrap();

    let config = person.config().await;
    let objects = s3(&config);
    for (key, version) in [(&*name, value), (entry, of_entry)] {
        let delete = objects.delete_object().bucket(bucket).key(key);
        let delete = delete.version_id(version);
        refused(delete.send().await, "s3:DeleteObjectVersion");
    }
    let mark = objects.delete_object().bucket(bucket).key(entry);
    refused(mark.send().await, "s3:DeleteObject");
    let empty = objects.delete_bucket().bucket(bucket);
    refused(empty.send().await, "s3:DeleteBucket");
    let row = [("scope", &*scene.path), ("entry", "x")];
    let row = row.map(|(field, text)| (field.to_owned(), AttributeValue::S(text.into())));
    let table = aws_sdk_dynamodb::Client::new(&config);
    let row = HashMap::from(row);
    let delete = table.delete_item().table_name(stage.table());
    let delete = delete.set_key(Some(row.clone()));
    refused(delete.send().await, "dynamodb:DeleteItem");
    let delete = DeleteRequest::builder().set_key(Some(row)).build();
    let delete = WriteRequest::builder().delete_request(delete.unwrap());
    let batch = table.batch_write_item();
    let batch = batch.request_items(stage.table(), vec![delete.build()]);
    refused(batch.send().await, "dynamodb:BatchWriteItem");
    let drop = table.delete_table().table_name(stage.table());
    refused(drop.send().await, "dynamodb:DeleteTable");

    let after = admin.list_object_versions().bucket(bucket).prefix(&name);
    let after = after.send().await.unwrap();
    assert_eq!(after.versions().len(), values.versions().len());
}
