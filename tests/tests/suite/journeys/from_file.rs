//! `ssmbak preview --from` and `ssmbak restore --from`.

use std::path::PathBuf;

use aws_sdk_ssm::types::ParameterType;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::attributes::{labels_of, tags_of, whole};
use super::{Lane, World, column, told};
use crate::world::mark;

/// A file of exported parameters under `path`.
fn file(directory: &TempDir, path: &str, parameters: &Json) -> PathBuf {
    let file = directory.path().join("export.json");
    let export = json!({
        "ssmbakExport": 1,
        "Path": path,
        "Recursive": true,
        "Time": "2024-06-15T17:56:58.999Z",
        "Prefix": null,
        "Parameters": parameters,
    });
    std::fs::write(&file, export.to_string()).unwrap();
    file
}

fn text(name: &str, value: &str) -> Json {
    json!({"Name": name, "Type": "String", "Value": value, "Tier": "Standard", "DataType": "text"})
}

#[tokio::test]
async fn an_exported_file_is_put_back_and_nothing_else_is_touched() {
    let world = World::emulated(Lane::Ministack, "keys of any name").await;
    let path = world.own("/from/");
    let own = |leaf: &str| format!("{path}{leaf}");
    for leaf in ["changed", "same", "left"] {
        world.put(&own(leaf), "now").await;
    }
    let meanwhile = mark().await.to_string();
    let mut secret = text(&own("deep/secret"), "hush-file");
    secret["Type"] = json!("SecureString");
    secret["KeyId"] = json!("alias/k");
    secret["Tags"] = json!({"team": "a"});
    secret["Labels"] = json!(["prod"]);
    secret["Version"] = json!(7);
    let parameters = json!([
        text(&own("changed"), "file"),
        text(&own("same"), "now"),
        secret
    ]);
    let directory = tempfile::tempdir().unwrap();
    let file = file(&directory, &path, &parameters);
    let from = ["--from", file.to_str().unwrap(), "--output", "json"];
    let run = async |command: &str, more: &[&str]| {
        world.ssmbak(&[&[command], &from[..], more].concat()).await
    };
    let preview = run("preview", &[]).await.exits(0);
    assert!(!format!("{preview:?}").contains("hush"), "{preview:?}");
    let rows = preview.json();
    assert_eq!(column(&rows, "Name"), [own("changed"), own("deep/secret")]);
    assert_eq!(column(&rows, "Change"), ["update", "create"]);
    assert_eq!(column(&rows, "Value"), ["file", "-"]);
    assert_eq!(world.version(&own("changed")).await, 1);
    let summary = "1 to update, 1 to create, 0 to delete, 1 unchanged";
    assert_eq!(told(&preview).last(), Some(&summary));
    run("preview", &["--exit-code"]).await.exits(5);
    assert_eq!(
        run("preview", &["--all"])
            .await
            .exits(0)
            .json()
            .as_array()
            .unwrap()
            .len(),
        3
    );

    // Only what lies directly under the path.
    let narrowed = run("restore", &[&path]).await.exits(0).json();
    assert_eq!(column(&narrowed, "Name"), [own("changed")]);
    let nothing = run("restore", &[&own("other/")]).await.exits(2);
    assert!(
        nothing.stderr.contains("it has no parameter in "),
        "{}",
        nothing.stderr
    );

    let restored = run("restore", &["--labels"]).await.exits(0);
    assert!(!format!("{restored:?}").contains("hush"), "{restored:?}");
    assert_eq!(column(&restored.json(), "Outcome"), ["restored"]);
    let now = whole(&world, &own("deep/secret")).await;
    assert_eq!(
        (now.value.as_str(), now.parameter_type),
        ("hush-file", ParameterType::SecureString)
    );
    assert_eq!(now.key_id.as_deref(), Some("alias/k"));
    assert_eq!(tags_of(&world, &own("deep/secret")).await["team"], "a");
    assert_eq!(labels_of(&world, &own("deep/secret")).await[0].1, ["prod"]);
    let live = async |leaf: &str| world.live(&own(leaf)).await.unwrap();
    assert_eq!(
        (live("changed").await, live("left").await),
        ("file".into(), "now".into())
    );
    assert_eq!(world.version(&own("same")).await, 1);
    // What was overwritten was put on record first.
    let shown = world
        .ssmbak(&["show", &own("changed"), &meanwhile])
        .await
        .exits(0);
    assert_eq!(shown.stdout, "now");
    assert_eq!(
        run("restore", &["--labels"]).await.exits(0).json(),
        json!([])
    );
    let rows = world.rows().await;
    let runs = rows.iter().filter(|row| row["origin"]["kind"] == "file");
    assert_eq!(runs.count(), 2);
    assert!(!format!("{rows:?}").contains("hush"));
    let of_run = rows.iter().find(|row| row["change"] == "create");
    let of_run = of_run.expect("a parameter of a run");
    // Version 7 is one of wherever the file is from.
    assert_eq!(of_run.get("restored"), None);
}

#[tokio::test]
async fn what_cannot_be_put_back_is_told_and_the_rest_is_done() {
    let world = World::emulated(Lane::Ministack, "an own parameter").await;
    let (path, directory) = (world.own("/"), tempfile::tempdir().unwrap());
    let lower = world.own("/lower");
    let advanced = world.ssm.put_parameter().name(&lower).value("now");
    let advanced = advanced.r#type(ParameterType::String);
    let tier = aws_sdk_ssm::types::ParameterTier::Advanced;
    advanced.tier(tier).send().await.unwrap();
    let parameters = json!([text(&lower, "file"), text(&world.own("/new"), "file")]);
    let made = file(&directory, &path, &parameters);
    let restore = [
        "restore",
        "--output",
        "json",
        "--from",
        made.to_str().unwrap(),
    ];
    let answer = world.ssmbak(&restore).await.exits(3);
    assert_eq!(column(&answer.json(), "Outcome"), ["failed", "restored"]);
    assert!(
        answer.stderr.contains("only --recreate can"),
        "{}",
        answer.stderr
    );

    let own = "/_ssmbak/prod/bucketname";
    let made = file(&directory, "/", &json!([text(own, "file")]));
    let restore = [
        "restore",
        "--output",
        "json",
        "--from",
        made.to_str().unwrap(),
    ];
    let answer = world.ssmbak(&restore).await.exits(0);
    assert!(
        answer
            .stderr
            .contains(&format!("warning: {own}: left alone")),
        "{}",
        answer.stderr
    );
    assert_eq!(world.live(own).await, None);
    std::fs::write(&made, "{\"ssmbakExport\": 2}").unwrap();
    for command in ["preview", "restore"] {
        let answer = world
            .ssmbak(&[command, "--from", made.to_str().unwrap()])
            .await;
        let answer = answer.exits(2);
        assert!(answer.stderr.contains("form 2"), "{}", answer.stderr);
    }
}
