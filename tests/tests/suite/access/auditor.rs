//! The auditor reads who changed what and when, and never a value.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{HUSH, Scene, Stage, refused, s3, ssmbak, table};

#[tokio::test]
async fn an_auditor_is_told_every_change_and_refused_the_rest() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/auditor/").await;
    table::judge(stage, &stage.auditor, 0, &scene).await;
}

#[tokio::test]
async fn the_whole_history_is_read_without_a_value() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/trail/").await;
    let history = ["history", &scene.path, "-R", "--output", "json"];
    let answer = ssmbak(&stage.auditor, &history).await.exits(0);
    let rows = answer.json();
    let told = |operation: &str| {
        let rows = rows.as_array().unwrap().iter();
        rows.filter(|row| row["Operation"] == operation).count()
    };
    assert_eq!(
        ["Create", "Update", "Delete"].map(told),
        [5, 4, 1],
        "{rows}"
    );
    assert!(!format!("{answer:?}").contains(HUSH));
}

#[tokio::test]
async fn an_auditor_can_neither_read_a_value_nor_write_a_row() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/closed/").await;
    let name = &scene.name("name");
    let config = stage.auditor.config().await;
    let versions = s3(&stage.administration().await).list_object_versions();
    let versions = versions.bucket(stage.bucket()).prefix(name).send().await;
    let version = versions.unwrap().versions()[0].version_id.clone().unwrap();

    let s3 = s3(&config);
    let get = s3.get_object().bucket(stage.bucket()).key(name);
    refused(get.clone().send().await, "s3:GetObject");
    let get = get.version_id(version);
    refused(get.send().await, "s3:GetObjectVersion");
    let list = s3.list_objects_v2().bucket(stage.bucket());
    refused(list.send().await, "s3:ListBucket");

    let ssm = aws_sdk_ssm::Client::new(&config);
    let get = ssm.get_parameter().name(name);
    refused(get.send().await, "ssm:GetParameter");
    let past = ssm.get_parameter_history().name(name);
    refused(past.send().await, "ssm:GetParameterHistory");
    // One name that may be read does not open the way to another.
    let own = format!("/_ssmbak/{}/bucketname", super::STACK);
    let both = ssm.get_parameters().names(own).names(name);
    refused(both.send().await, "ssm:GetParameters");

    let key = ["scope", "entry"].map(|field| (field.to_owned(), AttributeValue::S("x".into())));
    let key = HashMap::from(key);
    let table = aws_sdk_dynamodb::Client::new(&config);
    let put = table.put_item().table_name(stage.table());
    let put = put.set_item(Some(key.clone()));
    refused(put.send().await, "dynamodb:PutItem");
    let delete = table.delete_item().table_name(stage.table());
    refused(
        delete.set_key(Some(key)).send().await,
        "dynamodb:DeleteItem",
    );
}
