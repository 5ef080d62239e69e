//! `ssmbak undo` and `ssmbak runs`.

mod died;

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value as Json, json};

use super::attributes::{label, tag, tags_of, whole};
use super::preview::changed_tree;
use super::recreate::{NO_WAIT, grown};
use super::tags::{change_tags, tags};
use super::{Answer, Lane, World, column, keys, told};
use crate::world::{mark, next_second};

/// The leaves of the tree, and what each of them is while the mess is there.
const MESS: [(&str, Option<&str>); 5] = [
    ("changed", Some("now")),
    ("deep/changed", Some("now")),
    ("gone", None),
    ("new", Some("now")),
    ("same", Some("then")),
];
/// And before it.
const ORDER: [(&str, Option<&str>); 5] = [
    ("changed", Some("then")),
    ("deep/changed", Some("then")),
    ("gone", Some("then")),
    ("new", None),
    ("same", Some("then")),
];

async fn lives(world: &World, path: &str, leaves: [(&str, Option<&str>); 5]) {
    for (leaf, value) in leaves {
        let live = world.live(&format!("{path}{leaf}")).await;
        assert_eq!(live.as_deref(), value, "{path}{leaf}");
    }
}

/// The tree after a restore; returns its path.
async fn restored(world: &World) -> String {
    let (path, then) = changed_tree(world).await;
    next_second().await;
    let restore = ["restore", &path, &then.to_string(), "-R", "--yes"];
    world.ssmbak(&restore).await.exits(0);
    lives(world, &path, ORDER).await;
    next_second().await;
    path
}

async fn undo(world: &World, more: &[&str]) -> Answer {
    let undo = [&["undo", "--yes", "--output", "json"], more].concat();
    world.ssmbak(&undo).await
}

async fn runs(world: &World) -> Json {
    let runs = world.ssmbak(&["runs", "--output", "json"]).await;
    runs.exits(0).json()
}

fn id(run: &Json) -> &str {
    run["Run"].as_str().unwrap()
}

/// The row of one leaf.
fn row<'a>(rows: &'a Json, leaf: &str) -> &'a Json {
    let mut rows = rows.as_array().unwrap().iter();
    let own = |row: &&Json| {
        row["Name"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/app/{leaf}"))
    };
    rows.find(own).unwrap()
}

#[tokio::test]
async fn what_a_run_created_goes_and_what_it_overwrote_or_deleted_comes_back() {
    let world = World::on(Lane::Ministack).await;
    let path = restored(&world).await;
    let before = world.rows().await;
    let dry = world.ssmbak(&["undo", "--dry-run"]).await.exits(0);
    assert_eq!(
        told(&dry).last(),
        Some(&"2 to update, 1 to create, 1 to delete, 0 unchanged")
    );
    assert!(told(&dry)[0].starts_with("undoing run "), "{dry:?}");
    assert!(
        told(&dry)[0].contains(&format!(": {path} -R, as at ")),
        "{dry:?}"
    );
    assert_eq!(world.rows().await, before);
    // To delete takes an agreement.
    let refused = world.ssmbak(&["undo"]).await.exits(2);
    assert!(
        refused
            .stderr
            .contains("this undo would delete 1 parameter")
    );
    assert!(refused.stderr.contains("--dry-run`, then pass --yes"));
    lives(&world, &path, ORDER).await;

    let rows = undo(&world, &[]).await.exits(0).json();
    let outcomes = ["restored", "restored", "deleted", "restored"];
    assert_eq!(column(&rows, "Outcome"), outcomes);
    lives(&world, &path, MESS).await;
    // Each was written once, and what was left alone was not written.
    for (leaf, version) in [("changed", 4), ("deep/changed", 4), ("new", 1), ("same", 1)] {
        assert_eq!(world.version(&format!("{path}{leaf}")).await, version);
    }
    // The same run once more: nothing is done twice.
    let first = id(&runs(&world).await[1]).to_owned();
    let again = undo(&world, &[&first]).await.exits(0);
    assert_eq!(again.json(), json!([]));
    next_second().await;
    undo(&world, &[]).await.exits(0);
    lives(&world, &path, ORDER).await;
}

#[tokio::test]
async fn runs_are_listed_newest_first_and_one_by_its_parameters() {
    let world = World::on(Lane::Ministack).await;
    assert_eq!(runs(&world).await, json!([]));
    let path = restored(&world).await;
    undo(&world, &[]).await.exits(0);
    let rows = runs(&world).await;
    let fields = [
        "Run",
        "Started",
        "Finished",
        "By",
        "Target",
        "Recursive",
        "At",
        "Origin",
        "Of",
        "Restored",
        "Deleted",
        "Unchanged",
        "Skipped",
        "Failed",
    ];
    assert_eq!(keys(&rows[0]), BTreeSet::from(fields));
    assert_eq!(column(&rows, "Origin"), ["undo", "record"]);
    assert_eq!(rows[0]["Of"], rows[1]["Run"]);
    assert_eq!(rows[0]["At"], rows[1]["Started"]);
    for run in rows.as_array().unwrap() {
        assert_eq!(run["Target"], *path);
        assert_eq!((&run["Restored"], &run["Deleted"]), (&json!(3), &json!(1)));
        assert!(run["By"].as_str().unwrap().starts_with("arn:aws:"), "{run}");
        assert!(run["Finished"].as_str() > run["Started"].as_str(), "{run}");
    }
    let one = ["runs", "--limit", "1", "--output", "json"];
    assert_eq!(world.ssmbak(&one).await.exits(0).json(), json!([rows[0]]));
    let table = world.ssmbak(&["runs"]).await.exits(0).stdout;
    assert!(table.contains(&id(&rows[0])[..8]), "{table}");
    assert!(table.contains("3 restored, 1 deleted"), "{table}");

    let id = id(&rows[1]);
    for which in [id, &id[..6]] {
        let names = ["runs", which, "--output", "json"];
        let names = world.ssmbak(&names).await.exits(0).json();
        assert_eq!(
            column(&names, "Change"),
            ["update", "update", "create", "delete"]
        );
        let changed = &names[0];
        let told = (&changed["Before"], &changed["Written"], &changed["Outcome"]);
        assert_eq!(told, (&json!(2), &json!(3), &json!("restored")));
        assert_eq!(names[2]["Before"], Json::Null);
        assert_eq!(names[3]["Written"], Json::Null);
    }
}

#[tokio::test]
async fn a_run_that_is_not_there_is_told_with_the_way_out() {
    let world = World::on(Lane::Ministack).await;
    for (arguments, code, text) in [
        (&["undo", "--yes"][..], 4, "no run is on record"),
        (&["runs", "last"], 4, "no run is on record"),
        (&["undo", "5b0c2f7e"], 4, "no run \"5b0c2f7e\" is on record"),
        (&["undo", "5b0"], 2, "too short"),
        (&["runs", "5b0c", "--limit", "3"], 2, "cannot be used with"),
        (&["runs", "--limit", "0"], 2, "0 is not in"),
    ] {
        let answer = world.ssmbak(arguments).await.exits(code);
        assert!(answer.stderr.contains(text), "{answer:?}");
        assert!(code == 2 || answer.stderr.contains("hint: "), "{answer:?}");
        assert_eq!(answer.stdout, "");
    }
    // Of two that begin alike neither is taken.
    for tail in ["a", "b"] {
        let put = world.dynamodb.put_item().table_name(&world.location.table);
        let text = |text: &str| AttributeValue::S(text.into());
        let id = format!("5b0c2f7e-{tail}");
        let at = "2026-01-01T00:00:00.000Z";
        let put = put.item("scope", text("@meta"));
        let put = put.item("entry", text(&format!("run#{at}#{id}")));
        let put = put.item("id", text(&id)).item("target", text("/none/"));
        let put = put.item("started", text(at)).item("at", text(at));
        let put = put.item("format", AttributeValue::N("1".into()));
        let put = put.item("recursive", AttributeValue::Bool(true));
        let put = put.item("names", AttributeValue::L(Vec::new()));
        put.item("phase", text("finished")).send().await.unwrap();
    }
    let answer = world.ssmbak(&["undo", "5b0c"]).await.exits(2);
    for part in ["the ids of 2 runs", "5b0c2f7e-a", "5b0c2f7e-b"] {
        assert!(answer.stderr.contains(part), "{answer:?}");
    }
    let answer = world.ssmbak(&["undo", "5B0C2F7E-A"]).await.exits(0);
    assert!(answer.stderr.contains("nothing to do") || answer.stderr.contains("0 to update"));
}

#[tokio::test]
async fn what_changed_since_is_refused_and_named_and_the_others_are_undone() {
    let world = World::on(Lane::Ministack).await;
    let path = restored(&world).await;
    let id = id(&runs(&world).await[0]).to_owned();
    let of = |leaf: &str| format!("{path}{leaf}");
    world.write(&of("changed"), "since").await;
    world.write(&of("new"), "since").await;
    // Deleted and created again: the same version number, of another parameter.
    world.erase(&of("gone")).await;
    next_second().await;
    world.write(&of("gone"), "since").await;
    let answer = undo(&world, &[]).await.exits(3);
    let rows = answer.json();
    for (leaf, outcome, reason) in [
        (
            "changed",
            "failed",
            "version 4 lives, and the run had written version 3",
        ),
        ("deep/changed", "restored", ""),
        (
            "gone",
            "failed",
            "and the run had written another version 1",
        ),
        (
            "new",
            "failed",
            "version 1 lives, and the run had deleted it",
        ),
    ] {
        let row = row(&rows, leaf);
        assert_eq!(row["Outcome"], outcome, "{row}");
        assert!(
            row["Reason"].as_str().unwrap_or_default().contains(reason),
            "{row}"
        );
        let line = format!("warning: {}: it changed since run {}", of(leaf), &id[..8]);
        assert_eq!(
            answer.stderr.contains(&line),
            outcome == "failed",
            "{answer:?}"
        );
    }
    // Without the run it would be this undo that is undone.
    let hint = format!("`ssmbak undo {} --force`", &id[..8]);
    assert!(answer.stderr.contains(&hint), "{answer:?}");
    for leaf in ["changed", "gone", "new"] {
        assert_eq!(world.live(&of(leaf)).await.as_deref(), Some("since"));
    }
    assert_eq!(
        world.live(&of("deep/changed")).await.as_deref(),
        Some("now")
    );

    let answer = undo(&world, &[&id, "--force"]).await.exits(0);
    let rows = answer.json();
    assert_eq!(
        column(&rows, "Outcome"),
        ["restored", "deleted", "restored"]
    );
    for row in rows.as_array().unwrap() {
        let reason = row["Reason"].as_str().unwrap();
        assert!(reason.contains("it changed since run"), "{row}");
        assert!(reason.ends_with("overridden by --force"), "{row}");
    }
    lives(&world, &path, MESS).await;
}

#[tokio::test]
async fn what_is_gone_although_it_was_written_is_refused() {
    let world = World::on(Lane::Ministack).await;
    let path = restored(&world).await;
    let of = &format!("{path}changed");
    world.erase(of).await;
    let answer = undo(&world, &[]).await.exits(3);
    let told = "it was deleted, and the run had written version 3";
    assert!(answer.stderr.contains(told), "{answer:?}");
    assert_eq!(world.live(of).await, None);
}

#[tokio::test]
async fn tags_alone_are_put_back_without_a_version_unless_they_changed_since() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/tags/db");
    world.write(of, "same").await;
    let bare = &mark().await.to_string();
    change_tags(&world, of, &[("team", "a"), ("env", "prod")]).await;
    world.ssmbak(&["restore", of, bare]).await.exits(0);
    assert!(tags_of(&world, of).await.is_empty());
    let first = id(&runs(&world).await[0]).to_owned();
    undo(&world, &[]).await.exits(0);
    let mess = tags(&[("team", "a"), ("env", "prod")]);
    assert_eq!(tags_of(&world, of).await, mess);
    undo(&world, &[]).await.exits(0);
    assert!(tags_of(&world, of).await.is_empty());
    change_tags(&world, of, &[("team", "since")]).await;
    let answer = undo(&world, &[&first]).await.exits(1);
    let told = "its tags are others than the run had put";
    assert!(answer.stderr.contains(told), "{answer:?}");
    assert_eq!(tags_of(&world, of).await, tags(&[("team", "since")]));
    undo(&world, &[&first, "--force"]).await.exits(0);
    assert_eq!(tags_of(&world, of).await, mess);
    assert_eq!(world.version(of).await, 1);
}

#[tokio::test]
async fn what_a_run_deleted_comes_back_with_the_tags_it_had_last() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/gone/");
    let of = &format!("{path}new");
    world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
    let at = &mark().await.to_string();
    world.write(of, "v").await;
    change_tags(&world, of, &[("team", "told")]).await;
    // These nobody told of.
    let kind = aws_sdk_ssm::types::ResourceTypeForTagging::Parameter;
    let add = world.ssm.add_tags_to_resource().resource_id(of);
    let add = add.resource_type(kind).tags(tag("env", "untold"));
    add.send().await.unwrap();
    let before = whole(&world, of).await;
    world.ssmbak(&["restore", path, at, "--yes"]).await.exits(0);
    assert_eq!(world.live(of).await, None);
    next_second().await;
    undo(&world, &[]).await.exits(0);
    assert_eq!(whole(&world, of).await, before);
    assert_eq!(before.tags, tags(&[("team", "told"), ("env", "untold")]));
}

#[tokio::test]
async fn a_recreation_is_undone_onto_the_new_parameter_and_back_by_another() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/tier/db");
    let at = &grown(&world, of).await;
    let before = whole(&world, of).await;
    let restore = ["restore", of, at, "--recreate", "--yes"];
    world.ssmbak_with(&NO_WAIT, &restore).await.exits(0);
    let after = whole(&world, of).await;
    assert_eq!(
        (after.value.as_str(), world.version(of).await),
        ("small", 1)
    );
    undo(&world, &[]).await.exits(0);
    assert_eq!(whole(&world, of).await, before);
    assert_eq!(world.version(of).await, 2);
    let refused = undo(&world, &[]).await.exits(1);
    assert!(refused.stderr.contains("Advanced tier"), "{refused:?}");
    next_second().await;
    let again = ["undo", "--recreate", "--yes"];
    world.ssmbak_with(&NO_WAIT, &again).await.exits(0);
    assert_eq!(whole(&world, of).await, after);
}

#[tokio::test]
async fn labels_stay_and_it_is_said_where_they_were() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/labels/db");
    world.put(of, "then").await;
    label(&world, of, 1, &["prod"]).await;
    world.tell(of, "Create", world.written(of).await).await;
    let at = &mark().await.to_string();
    world.write(of, "now").await;
    let restore = ["restore", of, at, "--labels"];
    world.ssmbak(&restore).await.exits(0);
    let answer = undo(&world, &[]).await.exits(0);
    let told = format!("warning: {of}: its label prod stays where the run put it, on version 3");
    assert!(answer.stderr.contains(&told), "{answer:?}");
    assert_eq!(world.live(of).await.as_deref(), Some("now"));
}

/// What an older program did not write.
const NEW_FIELDS: [&str; 5] = ["origin", "counts", "beforeTags", "afterTags", "writtenAt"];

#[tokio::test]
async fn a_run_of_an_older_program_is_listed_and_undone() {
    let world = World::on(Lane::Ministack).await;
    let path = restored(&world).await;
    let before = runs(&world).await;
    for row in world.rows().await {
        let entry = row["entry"].as_str().unwrap();
        if !entry.starts_with("run#") {
            continue;
        }
        let update = world.dynamodb.update_item();
        let update = update.table_name(&world.location.table);
        let update = update.key("scope", AttributeValue::S("@meta".into()));
        let update = update.key("entry", AttributeValue::S(entry.into()));
        let fields = NEW_FIELDS.join(", ");
        let update = update.update_expression(format!("REMOVE {fields}"));
        update.send().await.unwrap();
    }
    assert_eq!(runs(&world).await, before);
    undo(&world, &[]).await.exits(0);
    lives(&world, &path, MESS).await;
}

#[tokio::test]
async fn a_rebuilt_index_knows_every_run_as_it_was_and_undoes_it() {
    let world = World::on(Lane::Ministack).await;
    let path = restored(&world).await;
    let tagged = &format!("{path}same");
    let bare = &mark().await.to_string();
    change_tags(&world, tagged, &[("team", "a")]).await;
    undo(&world, &[]).await.exits(0);
    world.ssmbak(&["restore", tagged, bare]).await.exits(0);
    let (rows, listed) = (world.rows().await, runs(&world).await);
    world.empty_table().await;
    world.ssmbak(&["rebuild", "--do-it"]).await.exits(0);
    let of_runs = |rows: Vec<Json>| -> Vec<Json> {
        let is_run = |row: &Json| row["entry"].as_str().unwrap().starts_with("run#");
        rows.into_iter().filter(is_run).collect()
    };
    assert_eq!(of_runs(world.rows().await), of_runs(rows));
    assert_eq!(runs(&world).await, listed);
    assert_eq!(column(&listed, "Origin"), ["record", "undo", "record"]);
    undo(&world, &[]).await.exits(0);
    assert_eq!(tags_of(&world, tagged).await, tags(&[("team", "a")]));
    next_second().await;
    undo(&world, &[id(&listed[1])]).await.exits(0);
    lives(&world, &path, ORDER).await;
}
