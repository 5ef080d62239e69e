//! 8: preview changes nothing, restore does what preview showed.

use ssmbak_core::domain::run::Outcome;
use ssmbak_core::restore::apply;
use ssmbak_core::survey::{SurveyOptions, survey};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy};

use crate::world::{Lane, World, mark, next_second, run, under};

const READS: [&str; 8] = [
    "dynamodb:GetItem",
    "dynamodb:Query",
    "s3:GetObject",
    "s3:HeadBucket",
    "ssm:DescribeParameters",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
    "ssm:ListTagsForResource",
];

#[tokio::test]
async fn a_preview_only_reads() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy")
        .await
        .behind(&proxy);
    let path = world.own("/app/");
    for leaf in ["a", "b", "gone"] {
        world.write(&format!("{path}{leaf}"), "then").await;
    }
    let at = mark().await.to_string();
    world.write(&format!("{path}a"), "now").await;
    world.put(&format!("{path}b"), "nobody told").await;
    world.put(&format!("{path}new"), "nobody told").await;
    world.erase(&format!("{path}gone")).await;
    let before = world.rows().await;
    let preview = ["preview", &path, &at, "-R", "--all", "--reveal"];
    let answer = world.ssmbak(&preview).await.exits(3);
    assert!(
        answer.stderr.contains("2 to update, 1 to create"),
        "{answer:?}"
    );
    for operation in proxy.counts().keys() {
        assert!(READS.contains(&operation.as_str()), "{operation}");
    }
    assert_eq!(world.rows().await, before);
}

#[tokio::test]
async fn what_changed_after_it_was_planned_is_refused() {
    let world = World::on(Lane::Ministack).await;
    let path = world.own("/raced/");
    let of = |leaf: &str| format!("{path}{leaf}");
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    for leaf in ["deleted", "fine", "updated"] {
        world.write(&of(leaf), "then").await;
    }
    world.write(&of("created"), "then").await;
    let at = mark().await;
    for leaf in ["deleted", "fine", "updated", "unwanted"] {
        world.write(&of(leaf), "now").await;
    }
    world.erase(&of("created")).await;
    let stores = &world.stores;
    let options = SurveyOptions::default();
    let plan = survey(stores, &under(&path), at, &options).await.unwrap();
    next_second().await;
    world.delete(&of("deleted")).await;
    world.put(&of("updated"), "meanwhile").await;
    world.put(&of("created"), "meanwhile").await;
    world.put(&of("unwanted"), "meanwhile").await;
    let cancel = false.into();
    let reports = apply(stores, &plan, &cancel, &|_| {}).await.unwrap();
    let refused: Vec<_> = reports
        .iter()
        .filter(|r| r.outcome == Outcome::Failed)
        .map(|r| r.name.as_str())
        .collect();
    let raced = ["created", "deleted", "unwanted", "updated"].map(of);
    assert_eq!(refused, raced);
    for report in reports.iter().filter(|r| r.outcome == Outcome::Failed) {
        let reason = report.reason.as_deref().unwrap();
        assert!(reason.contains("changed after it was planned"), "{reason}");
    }
    assert_eq!(world.live(&of("fine")).await.as_deref(), Some("then"));
    assert_eq!(world.live(&of("deleted")).await, None);
    for leaf in ["created", "unwanted", "updated"] {
        assert_eq!(world.live(&of(leaf)).await.as_deref(), Some("meanwhile"));
    }
}

#[tokio::test]
async fn a_parameter_refused_for_that_is_told_and_the_rest_is_done() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy")
        .await
        .behind(&proxy);
    let path = world.own("/told/");
    let (raced, fine) = (&format!("{path}raced"), &format!("{path}fine"));
    for of in [raced, fine] {
        world.write(of, "then").await;
    }
    let at = mark().await.to_string();
    for of in [raced, fine] {
        world.write(of, "now").await;
    }
    // The run is put on record between plan and writes: there it has to wait.
    let busy = ApiError::new(503, "SlowDown", "Please reduce your request rate.");
    let busy = Disturbance::answer(busy).on("s3:PutObject").times(3);
    proxy.disturb(busy);
    let restore = ["restore", &path, &at, "--output", "json"];
    let running = tokio::spawn(run(world.command(&restore)));
    while proxy.count("s3:PutObject") == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    world.put(raced, "meanwhile").await;
    let answer = running.await.unwrap().exits(3);
    let rows = answer.json();
    assert_eq!(rows[0]["Outcome"], "restored");
    assert_eq!(rows[1]["Outcome"], "failed");
    let reason = rows[1]["Reason"].as_str().unwrap();
    assert!(reason.contains("changed after it was planned"), "{reason}");
    assert!(answer.stderr.contains(&format!("warning: {raced}: failed")));
    assert_eq!(world.live(raced).await.as_deref(), Some("meanwhile"));
    assert_eq!(world.live(fine).await.as_deref(), Some("then"));
}

#[tokio::test]
async fn what_is_overwritten_or_deleted_is_on_record_first() {
    let world = World::on(Lane::Ministack).await;
    let path = world.own("/late/");
    let (kept, new) = (&format!("{path}kept"), &format!("{path}new"));
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    world.write(kept, "then").await;
    let at = mark().await.to_string();
    world.put(kept, "unseen, and soon gone").await;
    world.put(new, "unseen too").await;
    let unseen = mark().await.to_string();
    let restore = ["restore", &path, &at, "--yes"];
    world.ssmbak(&restore).await.exits(0);
    assert_eq!(world.live(new).await, None);
    let history = ["history", &path, "--until", &unseen, "--output", "json"];
    let history = world.ssmbak(&history).await.exits(0).json();
    let seen = |row: &serde_json::Value| format!("{} {}", row["Name"], row["Source"]);
    assert_eq!(seen(&history[0]), format!("{new:?} \"restore\""));
    assert_eq!(seen(&history[1]), format!("{kept:?} \"restore\""));
    let shown = world.ssmbak(&["show", new, &unseen]).await.exits(0);
    assert_eq!(shown.stdout, "unseen too");
    next_second().await;
    let back = ["restore", &path, &unseen, "--yes"];
    world.ssmbak(&back).await.exits(0);
    assert_eq!(world.live(kept).await.unwrap(), "unseen, and soon gone");
    assert_eq!(world.live(new).await.unwrap(), "unseen too");
}

#[tokio::test]
async fn a_path_never_touches_its_neighbours() {
    let world = World::on(Lane::Ministack).await;
    let top = &world.own("/app");
    let (inside, beside) = (&format!("{top}/x"), &format!("{top}2"));
    let beside_below = &format!("{top}2/x");
    let all = [top, inside, beside, beside_below];
    for of in all {
        world.write(of, "then").await;
    }
    let at = mark().await.to_string();
    for of in all {
        world.write(of, "now").await;
    }
    let versions = async || {
        let mut versions = Vec::new();
        for of in all {
            versions.push(world.version(of).await);
        }
        versions
    };
    let path = format!("{top}/");
    let restore = async |target: &str| {
        let restore = ["restore", target, &at, "-R", "--yes"];
        world.ssmbak(&restore).await.exits(0);
    };
    restore(&path).await;
    assert_eq!(versions().await, [2, 3, 2, 2]);
    restore(top).await;
    assert_eq!(versions().await, [3, 3, 2, 2]);
}

#[tokio::test]
async fn the_tools_own_parameters_are_never_touched() {
    let world = World::emulated(Lane::Ministack, "the whole account").await;
    let (own, other) = ("/_ssmbak/live/bucketname", "/own-else");
    for of in [own, other] {
        world.write(of, "then").await;
    }
    let at = mark().await.to_string();
    for of in [own, other] {
        world.write(of, "now").await;
    }
    for target in ["/", "/_ssmbak/", own] {
        world.ssmbak(&["restore", target, &at, "-R", "--yes"]).await;
    }
    assert_eq!(world.version(own).await, 2);
    assert_eq!(world.live(own).await.as_deref(), Some("now"));
    assert_eq!(world.live(other).await.as_deref(), Some("then"));
}
