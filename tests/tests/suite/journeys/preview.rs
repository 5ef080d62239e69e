//! `ssmbak preview`.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use ssmbak_core::domain::Instant;

use super::{Lane, World, column, keys, told};
use crate::world::{mark, next_second};

pub(super) const FIELDS: [&str; 19] = [
    "Name",
    "Change",
    "Deleted",
    "Value",
    "Type",
    "Modified",
    "Version",
    "Description",
    "Tier",
    "DataType",
    "KeyId",
    "AllowedPattern",
    "Policies",
    "Labels",
    "Tags",
    "ModifiedBy",
    "ValueState",
    "Alone",
    "Recreate",
];

/// A tree in which at the returned instant everything was `then`: afterwards
/// one was updated, one created, one deleted, and one stayed.
pub(super) async fn changed_tree(world: &World) -> (String, Instant) {
    let path = world.own("/app/");
    for leaf in ["changed", "gone", "same", "deep/changed"] {
        world.put(&format!("{path}{leaf}"), "then").await;
    }
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    let then = mark().await;
    world.write(&format!("{path}changed"), "now").await;
    world.write(&format!("{path}deep/changed"), "now").await;
    world.write(&format!("{path}new"), "now").await;
    world.erase(&format!("{path}gone")).await;
    (path, then)
}

fn leaves<'a>(rows: &'a Json, path: &str) -> Vec<(&'a str, &'a str)> {
    let names = column(rows, "Name").into_iter();
    let names = names.map(|name| name.strip_prefix(path).unwrap());
    names.zip(column(rows, "Change")).collect()
}

#[tokio::test]
async fn a_preview_shows_what_differs_and_sums_it_up() {
    let world = World::on(Lane::Ministack).await;
    let (path, then) = changed_tree(&world).await;
    let at = then.to_string();
    let answer = world.ssmbak(&["preview", &path, &at, "-R"]).await.exits(0);
    let lines: Vec<&str> = answer.stdout.lines().collect();
    let header: Vec<&str> = lines[1]
        .split('┆')
        .map(|c| c.trim_matches([' ', '│']))
        .collect();
    assert_eq!(header, ["Name", "Value", "Type", "Modified", "Change"]);
    let row = |leaf: &str| {
        let name = format!("{path}{leaf} ");
        let row = lines.iter().find(|l| l.contains(&name)).unwrap();
        let cells = row
            .split('┆')
            .map(|c| c.trim_matches([' ', '│']).to_owned());
        cells.collect::<Vec<_>>()
    };
    assert_eq!(row("changed")[1..3], ["then", "String"]);
    assert_eq!(row("changed")[4], "update");
    assert_eq!(row("gone")[4], "create");
    assert_eq!(row("new")[1], "(absent)");
    assert_eq!(row("new")[4], "delete");
    assert!(!answer.stdout.contains("/same"));
    let summary = "2 to update, 1 to create, 1 to delete, 1 unchanged";
    assert_eq!(told(&answer), [&format!("at {at}"), summary]);
    let quiet = world.ssmbak(&["preview", &path, &at, "-R", "-q"]).await;
    assert_eq!((quiet.stderr.as_str(), quiet.stdout), ("", answer.stdout));
}

#[tokio::test]
async fn json_json_lines_and_csv_have_exactly_the_documented_fields() {
    let world = World::on(Lane::Ministack).await;
    let (path, then) = changed_tree(&world).await;
    let at = &then.to_string();
    let form = async |form: &str| {
        let preview = ["preview", &path, at, "-R", "--output", form];
        world.ssmbak(&preview).await.exits(0)
    };
    let json = form("json").await.json();
    assert_eq!(json.as_array().unwrap().len(), 4);
    for row in json.as_array().unwrap() {
        assert_eq!(keys(row), BTreeSet::from(FIELDS));
    }
    let lines = form("jsonl").await.stdout;
    let lines: Vec<Json> = lines
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(Json::Array(lines), json);
    let csv = form("csv").await.stdout;
    let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    assert_eq!(header, FIELDS);
    assert_eq!(csv.lines().count(), 5);
    let changed = &json[0];
    assert_eq!(changed["Value"], "then");
    assert_eq!(changed["Version"], 1);
    assert_eq!(changed["Deleted"], false);
    assert_eq!(changed["ValueState"], "stored");
    assert_eq!(changed["Modified"].as_str().unwrap().len(), at.len());
    assert!(changed["ModifiedBy"].as_str().unwrap().starts_with("arn:"));
    let new = json.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&new["Deleted"], &new["Value"]),
        (&true.into(), &Json::Null)
    );
}

#[tokio::test]
async fn without_r_only_direct_children_and_with_all_the_unchanged_too() {
    let world = World::on(Lane::Ministack).await;
    let (path, then) = changed_tree(&world).await;
    let at = &then.to_string();
    let preview = async |more: &[&str]| {
        let mut arguments = vec!["preview", &path, at, "--output", "json"];
        arguments.extend(more);
        let rows = world.ssmbak(&arguments).await.exits(0).json();
        let rows = leaves(&rows, &path).into_iter();
        rows.map(|(n, c)| format!("{n}={c}")).collect::<Vec<_>>()
    };
    let direct = ["changed=update", "gone=create", "new=delete"];
    assert_eq!(preview(&[]).await, direct);
    let all = ["changed=update", "gone=create", "new=delete", "same=none"];
    assert_eq!(preview(&["--all"]).await, all);
    let deep = [all[0], "deep/changed=update", all[1], all[2], all[3]];
    assert_eq!(preview(&["--all", "-R"]).await, deep);
    let exit_code = ["preview", &path, at, "--exit-code"];
    world.ssmbak(&exit_code).await.exits(5);
    // A deletion counts from the end of its second on.
    next_second().await;
    let nothing = [
        "preview",
        &path,
        "now",
        "-R",
        "--exit-code",
        "--output",
        "json",
    ];
    let answer = world.ssmbak(&nothing).await.exits(0);
    assert_eq!(answer.stdout, "[]\n");
}

#[tokio::test]
async fn a_name_and_the_path_of_the_same_spelling_are_two_things() {
    let world = World::on(Lane::Ministack).await;
    let top = &world.own("/both");
    let (path, below, beside) = (format!("{top}/"), format!("{top}/x"), format!("{top}2"));
    for of in [top, &below, &beside] {
        world.write(of, "then").await;
    }
    let at = &mark().await.to_string();
    for of in [top, &below, &beside] {
        world.write(of, "now").await;
    }
    for (asked, answered) in [(top, top), (&path, &below), (&beside, &beside)] {
        let preview = ["preview", asked, at, "-R", "--output", "json"];
        let answer = world.ssmbak(&preview).await.exits(0);
        assert_eq!(column(&answer.json(), "Name"), [answered]);
        let hinted = answer.stderr.contains(&format!("write {path}"));
        assert_eq!(hinted, asked == top, "{}", answer.stderr);
    }
}
