//! Tags that change on their own.

use std::collections::BTreeMap;

use aws_sdk_ssm::types::ResourceTypeForTagging;
use serde_json::{Value as Json, json};
use ssmbak_tests::events::tag_event;

use super::attributes::{seed, tag, tags_of};
use super::{Lane, World, column};
use crate::world::{mark, next_second, now};

pub(super) fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    pairs.collect()
}

/// Makes the tags of a parameter these, telling nobody.
async fn set_tags(world: &World, of: &str, pairs: &[(&str, &str)]) {
    let kind = ResourceTypeForTagging::Parameter;
    let before: Vec<String> = tags_of(world, of).await.into_keys().collect();
    if !before.is_empty() {
        let remove = world.ssm.remove_tags_from_resource().resource_id(of);
        let remove = remove.resource_type(kind.clone());
        let removed = remove.set_tag_keys(Some(before)).send().await;
        removed.unwrap();
    }
    if !pairs.is_empty() {
        let add = world.ssm.add_tags_to_resource().resource_id(of);
        let tags = pairs.iter().map(|(k, v)| tag(k, v)).collect();
        let added = add.resource_type(kind).set_tags(Some(tags)).send().await;
        added.unwrap();
    }
}

/// As [`set_tags`], and tells the function; the change stands at the end of this second,
/// which is over when this returns.
pub(super) async fn change_tags(world: &World, of: &str, pairs: &[(&str, &str)]) {
    set_tags(world, of, pairs).await;
    let event = tag_event(of, pairs, now().millis());
    assert_eq!(world.deliver(&[event.clone(), event]).await, 0);
    next_second().await;
}

async fn history(world: &World, of: &str) -> Json {
    let history = ["history", of, "--output", "json"];
    world.ssmbak(&history).await.exits(0).json()
}

#[tokio::test]
async fn tags_that_changed_alone_come_back_without_a_new_version() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/tags/");
    let (of, other) = (&format!("{path}db"), &format!("{path}other"));
    world.write(of, "same").await;
    world.write(other, "same").await;
    let bare = &mark().await.to_string();
    change_tags(&world, of, &[("team", "a"), ("env", "prod")]).await;
    let tagged = &mark().await.to_string();
    change_tags(&world, of, &[("team", "b")]).await;

    let rows = history(&world, of).await;
    assert_eq!(column(&rows, "Operation"), ["Tags", "Tags", "Create"]);
    assert_eq!(rows[0]["Tags"], json!({"team": "b"}));
    assert_eq!(rows[1]["Tags"], json!({"team": "a", "env": "prod"}));
    let under = history(&world, path).await;
    let told = column(&under, "Operation");
    assert_eq!(told.iter().filter(|o| **o == "Tags").count(), 2);
    assert!(
        under
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["Tags"].is_null())
    );

    let then = [("team", "a"), ("env", "prod")];
    for (at, then) in [(tagged, &then[..]), (bare, &[])] {
        let preview = ["preview", path, at, "--output", "json"];
        let rows = world.ssmbak(&preview).await.exits(0).json();
        assert_eq!(column(&rows, "Name"), [of]);
        let row = (&rows[0]["Change"], &rows[0]["Value"], &rows[0]["Tags"]);
        assert_eq!(row, (&json!("update"), &json!("same"), &json!(tags(then))));
        let restore = ["restore", path, at, "--output", "json"];
        let rows = world.ssmbak(&restore).await.exits(0).json();
        assert_eq!(column(&rows, "Outcome"), ["restored"]);
        assert_eq!(tags_of(&world, of).await, tags(then));
        assert_eq!(world.version(of).await, 1);
        let again = world.ssmbak(&restore).await.exits(0);
        assert_eq!(again.json(), json!([]));
    }
    let rows = world.rows().await;
    let done = |row: &&Json| row["name"] == **of && row["outcome"] == "restored";
    let mut alone = rows.iter().filter(done);
    assert!(alone.all(|row| row["alone"] == json!(["tags"])));
}

#[tokio::test]
async fn a_deleted_parameter_gets_the_tags_it_had_last() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/last/db");
    world.write(of, "1").await;
    world.write(of, "2").await;
    change_tags(&world, of, &[("team", "late")]).await;
    let at = &mark().await.to_string();
    world.erase(of).await;
    next_second().await;
    world.ssmbak(&["restore", of, at]).await.exits(0);
    assert_eq!(tags_of(&world, of).await, tags(&[("team", "late")]));
}

#[tokio::test]
async fn tags_that_nobody_told_of_are_found_if_asked_for() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/drift/");
    let (a, b) = (&format!("{path}a"), &format!("{path}b"));
    world.write(a, "v").await;
    world.write(b, "v").await;
    let at = &mark().await.to_string();
    set_tags(&world, a, &[("team", "a")]).await;
    seed(&world, path).await;
    let operations = async || {
        let rows = history(&world, a).await;
        column(&rows, "Operation").join(" ")
    };
    assert_eq!(operations().await, "Create");
    let look = ["seed", path, "--tags", "--output", "json"];
    let answer = world.ssmbak(&look).await.exits(0);
    assert_eq!(column(&answer.json(), "Name"), [a]);
    assert_eq!(operations().await, "Create");
    let told = "tags of 2 read, 1 changed and to capture";
    assert!(answer.stderr.contains(told), "{}", answer.stderr);
    let capture = ["seed", path, "--tags", "--do-it"];
    let answer = world.ssmbak(&capture).await.exits(0);
    let told = "tags of 2 read, 1 changed and captured";
    assert!(answer.stderr.contains(told), "{}", answer.stderr);
    assert_eq!(operations().await, "Tags Create");
    world.ssmbak(&capture).await.exits(0);
    assert_eq!(operations().await, "Tags Create");
    world.ssmbak(&["restore", path, at]).await.exits(0);
    assert!(tags_of(&world, a).await.is_empty());

    // The function does the same.
    set_tags(&world, a, &[("team", "b")]).await;
    let task = json!({"task": "reconcile", "path": path, "tags": true});
    let done = world.function.invoke(&task).await.unwrap();
    done.response().unwrap();
    let rows = history(&world, a).await;
    assert_eq!(
        (&rows[0]["Operation"], &rows[0]["Source"]),
        (&json!("Tags"), &json!("reconcile"))
    );
    assert_eq!(rows[0]["Tags"], json!({"team": "b"}));
}

#[tokio::test]
async fn tags_that_are_overwritten_are_on_record_first() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/over/db");
    world.write(of, "v").await;
    let at = &mark().await.to_string();
    change_tags(&world, of, &[("team", "told")]).await;
    set_tags(&world, of, &[("team", "untold")]).await;
    world.ssmbak(&["restore", of, at]).await.exits(0);
    assert!(tags_of(&world, of).await.is_empty());
    let rows = history(&world, of).await;
    assert_eq!(rows[0]["Tags"], json!({"team": "untold"}), "{rows}");
    assert_eq!(rows[0]["Source"], "restore");
}

#[tokio::test]
async fn tags_that_go_with_a_deletion_are_on_record_first() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/gone/");
    let of = &format!("{path}new");
    seed(&world, path).await;
    let at = &mark().await.to_string();
    world.write(of, "v").await;
    set_tags(&world, of, &[("team", "untold")]).await;
    let before = &mark().await.to_string();
    world.ssmbak(&["restore", path, at, "--yes"]).await.exits(0);
    assert_eq!(world.live(of).await, None);
    next_second().await;
    let rows = history(&world, of).await;
    assert_eq!(column(&rows, "Operation"), ["Tags", "Create"]);
    // They were seen only when it was about to be deleted.
    let seen = rows[0]["Time"].as_str().unwrap();
    assert!(seen > before.as_str());
    world.ssmbak(&["restore", of, seen]).await.exits(0);
    assert_eq!(tags_of(&world, of).await, tags(&[("team", "untold")]));
}
