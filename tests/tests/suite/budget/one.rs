//! What a preview of one name costs, whatever became of it and however many
//! versions there are.

use std::collections::BTreeMap;

use aws_sdk_ssm::types::{ResourceTypeForTagging, Tag};
use ssmbak_tests::events::{parameter_event, tag_event};
use ssmbak_tests::proxy::Proxy;

use super::super::world::{World, mark, next_second, now};
use super::plans::counted;

/// More than one page of what Parameter Store retains.
const LONG: usize = 60;

/// Writes that many versions and has the function told of the last.
async fn write(world: &World, of: &str, versions: usize, value: &str) {
    for version in 1..=versions {
        world.put(of, &format!("{value} {version}")).await;
    }
    world.tell_newest(of).await;
}

async fn erase(world: &World, of: &str) {
    world.delete(of).await;
    let event = parameter_event(of, "Delete", now().millis());
    assert_eq!(world.deliver(&[event]).await, 0);
}

async fn tag(world: &World, of: &str, value: &str) {
    let tag = Tag::builder().key("team").value(value).build().unwrap();
    let add = world.ssm.add_tags_to_resource().resource_id(of).tags(tag);
    let add = add.resource_type(ResourceTypeForTagging::Parameter);
    add.send().await.unwrap();
    let event = tag_event(of, &[("team", value)], now().millis());
    assert_eq!(world.deliver(&[event]).await, 0);
}

type Calls = &'static [(&'static str, usize)];

const HISTORY: &str = "ssm:GetParameterHistory";
const INDEX: &str = "dynamodb:TransactGetItems";
const RECORDS: &str = "dynamodb:Query";
const TAGS: &str = "ssm:ListTagsForResource";
const STORED: &str = "s3:GetObject";

/// Each name, what a restore does to it, and what its preview may cost.
const NAMES: &[(&str, &str, Calls)] = &[
    ("unchanged", "none", &[(HISTORY, 1), (INDEX, 1)]),
    ("unchanged-long", "none", &[(HISTORY, 2), (INDEX, 1)]),
    ("changed", "update", &[(HISTORY, 1), (INDEX, 1), (TAGS, 1)]),
    (
        "changed-long",
        "update",
        &[(HISTORY, 2), (INDEX, 1), (TAGS, 1)],
    ),
    (
        "created",
        "delete",
        &[(HISTORY, 1), (INDEX, 1), (RECORDS, 1)],
    ),
    (
        "created-long",
        "delete",
        &[(HISTORY, 2), (INDEX, 1), (RECORDS, 1)],
    ),
    (
        "deleted",
        "create",
        &[(HISTORY, 1), (INDEX, 1), (RECORDS, 1), (STORED, 1)],
    ),
    (
        "deleted-long",
        "create",
        &[(HISTORY, 1), (INDEX, 1), (RECORDS, 1), (STORED, 1)],
    ),
    (
        "tagged",
        "update",
        &[(HISTORY, 1), (INDEX, 1), (RECORDS, 1), (TAGS, 1)],
    ),
    (
        "changed-and-tagged",
        "update",
        &[(HISTORY, 1), (INDEX, 1), (RECORDS, 1), (TAGS, 1)],
    ),
    ("untold", "update", &[(HISTORY, 1), (INDEX, 1), (TAGS, 1)]),
    ("never-told", "none", &[(HISTORY, 1), (INDEX, 1)]),
    // What Parameter Store has dropped it cannot tell: this is the exception.
    (
        "another-life",
        "update",
        &[
            (HISTORY, 1),
            (INDEX, 1),
            (RECORDS, 1),
            (STORED, 1),
            (TAGS, 1),
        ],
    ),
];

fn of(what: &str) -> String {
    format!("/budget/one/{what}")
}

/// Makes all of them; returns the instant before the changes.
async fn filled(world: &World) -> String {
    world
        .ssmbak(&["seed", "/budget/", "--do-it"])
        .await
        .exits(0);
    for (what, ..) in NAMES
        .iter()
        .filter(|(what, ..)| !what.starts_with("created"))
    {
        let long = what.ends_with("-long");
        if *what == "never-told" {
            world.put(&of(what), "then").await;
        } else {
            write(world, &of(what), if long { LONG } else { 2 }, "then").await;
        }
    }
    tag(world, &of("tagged"), "then").await;
    next_second().await;
    let at = mark().await.to_string();
    next_second().await;
    for what in ["changed", "changed-long", "changed-and-tagged"] {
        write(world, &of(what), 2, "now").await;
    }
    for what in ["tagged", "changed-and-tagged"] {
        tag(world, &of(what), "now").await;
    }
    write(world, &of("created"), 2, "now").await;
    write(world, &of("created-long"), LONG, "now").await;
    for what in ["deleted", "deleted-long", "another-life"] {
        erase(world, &of(what)).await;
    }
    write(world, &of("another-life"), 2, "now").await;
    world.put(&of("untold"), "now").await;
    at
}

async fn preview(
    world: &World,
    proxy: &Proxy,
    of: &str,
    at: &str,
) -> (String, BTreeMap<String, usize>) {
    proxy.reset_calls();
    let mut preview = vec!["preview", of, at, "--all", "--output", "json"];
    let place = [
        "--bucket",
        &world.location.bucket,
        "--table",
        &world.location.table,
    ];
    preview.extend(place);
    preview.extend(of.ends_with('/').then_some("-R"));
    let told = world.ssmbak(&preview).await.exits(0).stdout;
    (told, proxy.counts())
}

#[tokio::test]
async fn a_preview_of_one_name_takes_four_calls_at_most_and_tells_what_that_of_its_path_does() {
    let (world, proxy) = counted().await;
    let at = filled(&world).await;
    let (all, _) = preview(&world, &proxy, "/budget/one/", &at).await;
    let all: Vec<serde_json::Value> = serde_json::from_str(&all).unwrap();
    assert_eq!(all.len(), NAMES.len());
    for (what, change, calls) in NAMES {
        let (told, counts) = preview(&world, &proxy, &of(what), &at).await;
        let told: Vec<serde_json::Value> = serde_json::from_str(&told).unwrap();
        let of_path = all.iter().find(|row| row["Name"] == of(what));
        assert_eq!(told.first(), of_path, "{what}");
        assert_eq!(told[0]["Change"], *change, "{what}");
        let expected = calls
            .iter()
            .map(|(call, times)| ((*call).to_owned(), *times));
        assert_eq!(counts, expected.collect(), "{what}");
        let most = if *what == "another-life" { 5 } else { 4 };
        assert!(counts.values().sum::<usize>() <= most, "{what}: {counts:?}");
    }
}

#[tokio::test]
async fn a_name_that_nobody_knows_takes_two_calls() {
    let (world, proxy) = counted().await;
    world
        .ssmbak(&["seed", "/budget/", "--do-it"])
        .await
        .exits(0);
    let at = mark().await.to_string();
    let (told, counts) = preview(&world, &proxy, "/budget/nobody", &at).await;
    assert_eq!(told.trim(), "[]");
    assert_eq!(counts.values().sum::<usize>(), 2, "{counts:?}");
}
