//! `ssmbak seed`.

use serde_json::Value as Json;
use ssmbak_core::domain::{Instant, Path, Record};

use super::{Lane, World, column, told};
use crate::world::{mark, name};

async fn three_names(world: &World) -> String {
    let path = world.own("/seed/");
    for leaf in ["a", "b", "deep/c"] {
        for value in ["one", "two"] {
            world.put(&format!("{path}{leaf}"), value).await;
        }
    }
    path
}

async fn objects(world: &World) -> usize {
    let list = world
        .s3
        .list_object_versions()
        .bucket(&world.location.bucket);
    list.send().await.unwrap().versions().len()
}

#[tokio::test]
async fn a_dry_seed_tells_what_it_would_capture_and_captures_nothing() {
    let world = World::on(Lane::Ministack).await;
    let path = &three_names(&world).await;
    let answer = world.ssmbak(&["seed", path, "--output", "json"]).await;
    let answer = answer.exits(0);
    let names = ["a", "b", "deep/c"].map(|leaf| format!("{path}{leaf}"));
    assert_eq!(column(&answer.json(), "Name"), names);
    assert_eq!(answer.json()[0]["Versions"], Json::Null);
    let summary = format!("{path}: 3 parameters, 3 to capture, 0 already on record");
    let nothing = "nothing was captured: pass --do-it for that";
    assert_eq!(told(&answer), [&summary, nothing]);
    assert!(world.rows().await.is_empty());
    assert_eq!(objects(&world).await, 0);
}

#[tokio::test]
async fn a_seed_captures_every_retained_version_and_a_second_one_nothing() {
    let world = World::on(Lane::Ministack).await;
    let path = &three_names(&world).await;
    let seed = ["seed", path, "--do-it", "--output", "json"];
    let answer = world.ssmbak(&seed).await.exits(0);
    assert_eq!(answer.json().as_array().unwrap().len(), 3);
    assert!(answer.json()[0]["Versions"] == 2 && answer.json()[0]["Failure"] == Json::Null);
    let summary = format!("{path}: 3 parameters, 6 versions captured, 0 already on record");
    assert_eq!(told(&answer), [&summary]);
    let of = name(&format!("{path}deep/c"));
    let (first, last) = (Instant::EARLIEST, Instant::LATEST);
    let records = world.stores.index.between(&of, first, last).await.unwrap();
    let numbers: Vec<_> = records.iter().map(Record::suffix).collect();
    assert_eq!(numbers, ["v0000000001", "v0000000002"]);

    let coverage = |row: &Json| row["entry"].as_str().unwrap().starts_with("coverage#");
    let facts = async || {
        let rows = world.rows().await.into_iter();
        rows.filter(|r| !coverage(r)).collect::<Vec<_>>()
    };
    let before = facts().await;
    let answer = world.ssmbak(&seed).await.exits(0);
    assert_eq!(column(&answer.json(), "Name"), [""; 0]);
    let summary = format!("{path}: 3 parameters, 0 versions captured, 3 already on record");
    assert_eq!(told(&answer), [&summary]);
    assert_eq!(facts().await, before);
}

#[tokio::test]
async fn coverage_begins_with_the_seed_and_only_then() {
    let world = World::on(Lane::Ministack).await;
    let path = &three_names(&world).await;
    let early = mark().await;
    world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
    let covered = mark().await;
    let new = &format!("{path}new");
    world.write(new, "x").await;
    let coverage = world.stores.index.coverage().await.unwrap();
    let seeded = Path::parse(path).unwrap();
    assert!(coverage.covers_path(&seeded, covered) && !coverage.covers_path(&seeded, early));
    for (at, change, code) in [(covered, "delete", 0), (early, "unknown", 1)] {
        let at = at.to_string();
        let preview = ["preview", new, &at, "--output", "json"];
        let answer = world.ssmbak(&preview).await;
        if change == "unknown" {
            assert!([1, 4].contains(&answer.code), "{code}: {answer:?}");
        } else {
            assert_eq!(column(&answer.exits(code).json(), "Change"), [change]);
        }
    }
    let history = ["history", path, "-R", "--output", "json"];
    let answer = world.ssmbak(&history).await.exits(0);
    assert_eq!(column(&answer.json(), "Source")[..2], ["event", "seed"]);
}
