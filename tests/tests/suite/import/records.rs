//! Which records an import leaves, beside those that are there.

use serde_json::Value as Json;
use ssmbak_core::domain::{Instant, Record, Source};

use super::{LANES, Lane, Move, World, field, hours_ago, name, plus};
use crate::world::next_second;

/// Two names: a re-created one and one that was deleted.
async fn two_names(moving: &Move) -> (String, String, Instant) {
    let base = hours_ago(5);
    let (a, b) = (moving.world.own("/i/a"), moving.world.own("/i/deep/b"));
    for (at, value) in [(0, "a one "), (60, "{{a}} \n two")] {
        moving.store(&a, value, plus(base, at)).await;
    }
    // In one second nobody could tell which came first.
    next_second().await;
    moving.mark(&a).await;
    next_second().await;
    moving.store(&a, "a three", plus(base, 300)).await;
    moving.store(&b, "b one", plus(base, 30)).await;
    moving.mark(&b).await;
    (a, b, base)
}

#[tokio::test]
async fn a_dry_import_tells_what_it_would_import_and_writes_nothing() {
    for lane in LANES {
        let moving = Move::on(lane).await;
        let (a, b, base) = two_names(&moving).await;
        let answer = moving.import(&[]).await.exits(0);
        let rows = answer.json();
        assert_eq!(field(&rows, "Name"), [&a, &b], "{lane:?}");
        let numbers = |row: &Json| (row["Versions"].clone(), row["Deletions"].clone());
        assert_eq!(numbers(&rows[0]), (3.into(), 1.into()));
        assert_eq!(numbers(&rows[1]), (1.into(), 1.into()));
        assert_eq!(rows[0]["From"], base.to_string());
        assert_eq!(rows[0]["To"], plus(base, 300).to_string());
        assert!(
            answer
                .stderr
                .ends_with("nothing was imported: pass --do-it for that\n")
        );
        assert!(moving.world.rows().await.is_empty());
        assert_eq!(moving.objects(&moving.world.location.bucket).await, 0);
    }
}

#[tokio::test]
async fn values_come_byte_for_byte_and_a_second_import_adds_only_what_is_new() {
    for lane in LANES {
        let moving = Move::on(lane).await;
        let (world, old) = (&moving.world, &moving.old);
        let (a, b, base) = two_names(&moving).await;
        let in_the_old = moving.objects(old).await;
        moving.import(&["--do-it"]).await.exits(0);
        let expected = [
            "0 Create a one ",
            "60 Update {{a}} \n two",
            "299 Delete -",
            "300 Create a three",
        ];
        assert_eq!(moving.told(&a, base).await, expected, "{lane:?}");
        let of_b = moving.records(&b).await;
        assert!(of_b[1].is_deletion() && of_b[1].at > hours_ago(1));
        for (of, shows) in [(&a, true), (&b, false)] {
            let shown = world.stores.bucket.shows_value(&name(of)).await.unwrap();
            assert_eq!(shown, shows, "{of}");
        }
        let own = &world.location.bucket;
        let (rows, objects) = (world.rows().await, moving.objects(own).await);
        // Four values, six records, the marker of what is gone.
        assert_eq!(objects, 4 + 6 + 1, "{lane:?}");
        assert_eq!(
            moving.objects(old).await,
            in_the_old,
            "the source is only read"
        );

        let answer = moving.import(&["--do-it"]).await.exits(0);
        assert_eq!(answer.json(), Json::Array(vec![]));
        let summary = "0 versions and 0 deletions imported, 6 already on record\n";
        assert!(answer.stderr.ends_with(summary), "{}", answer.stderr);
        assert_eq!(world.rows().await, rows, "{lane:?}");
        assert_eq!(moving.objects(own).await, objects, "{lane:?}");

        moving.store(&a, "a four", plus(base, 400)).await;
        let answer = moving.import(&["--do-it", "--prefix", &a]).await.exits(0);
        assert_eq!(field(&answer.json(), "Name"), [&a]);
        assert_eq!(moving.told(&a, base).await[4], "400 Update a four");
        assert_eq!(moving.objects(own).await, objects + 2, "{lane:?}");
        // What was there keeps its records.
        let before: Vec<&Json> = rows.iter().filter(|r| r["scope"] != "@names").collect();
        let now = world.rows().await;
        assert!(before.iter().all(|row| now.contains(row)), "{lane:?}");
    }
}

#[tokio::test]
async fn only_a_newer_import_becomes_head_and_before_the_oldest_all_is_unknown() {
    for lane in LANES {
        let moving = Move::on(lane).await;
        let world = &moving.world;
        let (of, gone) = (&world.own("/h/lives"), &world.own("/h/gone"));
        let path = &world.own("/h/");
        world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
        let written = world.write(of, "now").await;
        let base = hours_ago(5);
        moving.store(of, "then", base).await;
        moving.store(gone, "then", base).await;
        moving.import(&["--do-it"]).await.exits(0);
        let under = crate::world::under(path);
        let heads = world.stores.index.heads(&under).await.unwrap();
        let head = |of: &str| &heads[&name(of)].record;
        assert_eq!((head(of).at, head(of).source), (written, Source::Event));
        assert_eq!((head(gone).at, head(gone).source), (base, Source::Import));

        let preview = async |at: Instant| {
            let at = at.to_string();
            let preview = ["preview", path, &at, "-R", "--all", "--output", "json"];
            world.ssmbak(&preview).await
        };
        let rows = preview(plus(base, 1)).await.exits(0).json();
        assert_eq!(field(&rows, "Change"), ["create", "update"], "{lane:?}");
        let earlier = preview(plus(base, -1)).await;
        assert_eq!(earlier.code, 4, "{earlier:?}");
    }
}

/// Writes a version whose instant divides its second.
async fn written_inside_a_second(world: &World, of: &str, value: &str) -> Instant {
    loop {
        world.put(of, value).await;
        let at = world.written(of).await;
        if (3..990).contains(&(at.millis() % 1000)) {
            return at;
        }
    }
}

#[tokio::test]
async fn what_a_capture_has_with_its_milliseconds_is_not_shown_twice() {
    for lane in LANES {
        for import_first in [true, false] {
            let moving = Move::on(lane).await;
            let world = &moving.world;
            let (of, path) = (&world.own("/twice/x"), &world.own("/twice/"));
            world.put(of, "first").await;
            next_second().await;
            let at = written_inside_a_second(world, of, "second").await;
            let version = world.version(of).await;
            moving.store(of, "second", at).await;
            let imported = || async {
                let answer = moving.import(&["--do-it", "--prefix", of]).await.exits(0);
                assert_eq!(answer.json().as_array().unwrap().is_empty(), !import_first);
            };
            if import_first {
                imported().await;
            }
            world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
            if !import_first {
                imported().await;
            }
            // It lives no more: only the records can tell.
            let deleted = world.erase(of).await;
            assert!(deleted > at);
            let anonymous = |r: &Record| r.written().is_some_and(|w| w.version.is_none());
            let records = moving.records(of).await;
            assert_eq!(records.iter().any(anonymous), import_first, "{lane:?}");
            for target in [of, path] {
                let history = ["history", target, "-R", "--output", "json"];
                let history = world.ssmbak(&history).await.exits(0).json();
                let versions = history.as_array().unwrap().iter().skip(1);
                let versions = versions.map(|row| row["Version"].as_i64());
                let all: Vec<_> = (1..=version).rev().map(Some).collect();
                assert_eq!(versions.collect::<Vec<_>>(), all, "{lane:?} {target}");
            }
            for (instant, value) in [
                (at.second_start(), "first"),
                (at.plus_millis(-1), "first"),
                (at, "second"),
            ] {
                // Written again until its instant suited: the second is then another's.
                if version > 2 && value == "first" {
                    continue;
                }
                let show = ["show", of, &instant.to_string()];
                let shown = world.ssmbak(&show).await.exits(0).stdout;
                assert_eq!(shown, value, "{lane:?} {instant} {import_first}");
            }
        }
    }
}

#[tokio::test]
async fn what_the_original_did_not_keep_is_no_difference_and_is_left_as_it_is() {
    let moving = Move::on(Lane::Ministack).await;
    let world = &moving.world;
    let of = &world.own("/kept/x");
    let put = world.ssm.put_parameter().name(of).value("now");
    let put = put.r#type(aws_sdk_ssm::types::ParameterType::String);
    let put = put.allowed_pattern("[a-z]+").description("what: it (is)");
    put.send().await.unwrap();
    let base = hours_ago(5);
    let tags = |at: Instant| {
        let at = at.epoch_seconds();
        format!("ssmbakTime={at}&ssmbakType=String&ssmbakDescription=what%3A%20it%20is")
    };
    moving.put(of, "now", &tags(base)).await;
    moving.put(of, "then", &tags(plus(base, 60))).await;
    moving.import(&["--do-it"]).await.exits(0);
    let preview = async |at: Instant| {
        let at = at.to_string();
        let preview = ["preview", of, &at, "--all", "--output", "json"];
        world.ssmbak(&preview).await.exits(0).json()
    };
    assert_eq!(field(&preview(base).await, "Change"), ["none"]);
    let later = plus(base, 60);
    assert_eq!(field(&preview(later).await, "Change"), ["update"]);
    let restore = ["restore", of, &later.to_string()];
    let answer = world.ssmbak(&restore).await.exits(0);
    let warned = "warning: 1 of these are known from the original tool's bucket only";
    assert!(answer.stderr.contains(warned), "{}", answer.stderr);
    let described = world.ssm.describe_parameters().send().await.unwrap();
    let lives = described.parameters().iter().find(|p| p.name() == Some(of));
    let lives = lives.unwrap();
    assert_eq!(world.live(of).await.as_deref(), Some("then"));
    assert_eq!(lives.allowed_pattern(), Some("[a-z]+"));
    assert_eq!(lives.description(), Some("what: it (is)"));
}
