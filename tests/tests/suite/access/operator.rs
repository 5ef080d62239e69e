//! The operator captures what lives, and changes no parameter.

use super::{Scene, Stage, refused, restorer, ssmbak, table};

#[tokio::test]
async fn an_operator_captures_and_reads_and_restores_nothing() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/operator/").await;
    table::judge(stage, &stage.operator, 2, &scene).await;
}

#[tokio::test]
async fn a_seed_captures_what_no_event_has_told() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/unheard/").await;
    let seed = ["seed", &scene.path, "--do-it", "--output", "json"];
    let seed = ssmbak(&stage.operator, &seed);
    let (seeded, rows) = scene.unheard(stage, seed).await;
    let seeded = seeded.exits(0);
    assert!(seeded.stderr.contains("2 versions captured"), "{seeded:?}");
    let by_seed = rows.as_array().unwrap().iter();
    let by_seed = by_seed.filter(|row| row["Source"] == "seed");
    assert_eq!(by_seed.count(), 3, "{rows}");
}

#[tokio::test]
async fn an_operator_writes_no_parameter_and_deletes_no_backup() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/kept-by-operator/").await;
    restorer::deletes_no_backup(stage, &stage.operator, &scene).await;
    let ssm = aws_sdk_ssm::Client::new(&stage.operator.config().await);
    let put = ssm.put_parameter().name(scene.name("name")).value("x");
    refused(put.overwrite(true).send().await, "ssm:PutParameter");
    let delete = ssm.delete_parameters().names(scene.name("name"));
    refused(delete.send().await, "ssm:DeleteParameters");
}
