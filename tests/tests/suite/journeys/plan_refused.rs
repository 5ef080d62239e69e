//! `ssmbak restore --plan` of a file that is no plan for it.

use std::fs::OpenOptions;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::plan_file::PlanFile;
use super::{Lane, World};
use crate::world::{Answer, bare_command, mark, run};

/// Far beyond what a plan may have, and hardly a block on disk.
const HUGE: u64 = 100 * 1024 * 1024;

/// A tree with one difference, and its plan.
async fn planned(world: &World) -> (String, PlanFile) {
    let of = world.own("/refused/db");
    world.write(&of, "then").await;
    let at = mark().await.to_string();
    world.write(&of, "now").await;
    let plan = PlanFile::made(world, &[&of, &at]).await;
    (of, plan)
}

/// That it was refused with the file's name, before anything was asked of AWS:
/// there is neither a region nor a credential.
async fn refused(file: &Path, says: &str) {
    let path = file.to_str().unwrap();
    let answer = run(bare_command(&["restore", "--plan", path, "--yes"])).await;
    is_refused(&answer, &format!("error: {path}: "), says);
}

fn is_refused(answer: &Answer, start: &str, says: &str) {
    assert_eq!(answer.code, 2, "{answer:?}");
    assert_eq!(answer.stdout, "");
    assert!(answer.stderr.contains(start), "{start}: {}", answer.stderr);
    assert!(answer.stderr.contains(says), "{says}: {}", answer.stderr);
    assert!(answer.stderr.contains("hint: "), "{}", answer.stderr);
    assert!(!answer.stderr.contains("hunter2"), "{}", answer.stderr);
}

#[tokio::test]
async fn a_file_that_is_no_whole_and_untouched_plan_is_refused() {
    let world = World::on(Lane::Ministack).await;
    let (_, plan) = planned(&world).await;
    let (file, text) = (plan.path(), plan.text());
    let write = |text: &str| std::fs::write(plan.path(), text).unwrap();
    let edited = |edit: &dyn Fn(&mut Json)| {
        let mut json = plan_json(&text);
        edit(&mut json);
        write(&json.to_string());
    };
    edited(&|json| json["plan"]["parameters"][0]["live"]["version"] = json!(3));
    refused(&file, "it was changed after it was written").await;
    edited(&|json| json["plan"]["parameters"][0]["name"] = json!("/elsewhere"));
    refused(&file, "it was changed after it was written").await;
    edited(&|json| json["ssmbakPlan"] = json!(2));
    refused(&file, "form 2; this program reads up to form 1").await;
    edited(&|json| json["plan"]["value"] = json!("hunter2"));
    refused(&file, "line 1, column ").await;
    edited(&|json| json["plan"]["recursive"] = json!("hunter2"));
    refused(&file, "line 1, column ").await;
    write(&text[..text.len() / 2]);
    refused(&file, "it is cut off: it ends at line ").await;
    write("");
    refused(&file, "it is cut off").await;
    write("hunter2");
    refused(&file, "line 1, column 1: this is no JSON").await;
    write("{\"Parameters\": [\"hunter2\"]}");
    refused(&file, "it is no plan").await;
    let huge = OpenOptions::new().write(true).open(&file).unwrap();
    huge.set_len(HUGE).unwrap();
    refused(&file, "longer than the 64 MiB").await;
    std::fs::remove_file(&file).unwrap();
    let path = file.to_str().unwrap();
    let answer = run(bare_command(&["restore", "--plan", path])).await;
    is_refused(&answer, &format!("error: {path} cannot be read"), "");
}

fn plan_json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_plan_of_other_stores_is_refused() {
    let world = World::on(Lane::Ministack).await;
    let (of, plan) = planned(&world).await;
    let other = world.another_bucket().await;
    let before = world.rows().await;
    let stores = ["--bucket", &other, "--table", &world.location.table];
    let answer = plan
        .restore(&world, &[&["--yes"][..], &stores].concat())
        .await;
    let path = plan.path();
    let start = format!(
        "error: {}: it was made from bucket {}",
        path.display(),
        world.location.bucket
    );
    is_refused(&answer, &start, &format!("these are bucket {other} "));
    assert_eq!(world.live(&of).await.as_deref(), Some("now"));
    assert_eq!(world.rows().await, before);
    plan.restore(&world, &["--yes"]).await.exits(0);
    assert_eq!(world.live(&of).await.as_deref(), Some("then"));
}

#[tokio::test]
async fn a_record_that_is_not_there_fails_its_parameter_alone() {
    let world = World::on(Lane::Ministack).await;
    let (of, plan) = planned(&world).await;
    world.empty_table().await;
    let answer = plan.restore(&world, &["--yes"]).await.exits(1);
    let why = answer.json()[0]["Reason"].clone();
    let why = why.as_str().unwrap();
    assert!(why.contains("the index has no record of it at "), "{why}");
    assert_eq!(world.live(&of).await.as_deref(), Some("now"));
}

#[tokio::test]
async fn a_file_that_is_there_is_not_written_over_unasked() {
    let world = World::on(Lane::Ministack).await;
    let (of, plan) = planned(&world).await;
    let (path, text) = (plan.path(), plan.text());
    let path = path.to_str().unwrap();
    let preview = ["preview", &of, "now", "--plan", path];
    let answer = world.ssmbak(&preview).await;
    is_refused(
        &answer,
        &format!("error: {path} is there already"),
        "--overwrite",
    );
    assert_eq!(plan.text(), text);
    world
        .ssmbak(&[&preview[..], &["--overwrite"]].concat())
        .await
        .exits(0);
    assert_eq!(plan.json()["plan"]["parameters"], json!([]));
    let nowhere = ["preview", &of, "now", "--plan", "/nonexistent/plan.json"];
    let answer = world.ssmbak(&nowhere).await.exits(1);
    assert!(
        answer
            .stderr
            .contains("error: /nonexistent/plan.json cannot be written")
    );
}
