//! `ssmbak restore --recreate`: what cannot be overwritten.

use std::process::Stdio;
use std::time::Duration;

use aws_sdk_ssm::types::{ParameterTier, ParameterType};
use serde_json::{Value as Json, json};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy, When};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::attributes::{label, put, seed, tag, tags_of, whole};
use super::{Lane, World, column};
use crate::world::{mark, next_second};

/// Nothing local refuses an early creation.
pub(super) const NO_WAIT: [(&str, &str); 1] = [("SSMBAK_TEST_RECREATION_WAIT_MS", "0")];

/// A standard parameter with a tag that has become advanced; returns the
/// instant before.
pub(super) async fn grown(world: &World, of: &str) -> String {
    let create = world.ssm.put_parameter().name(of).value("small");
    let create = create.r#type(ParameterType::String).tags(tag("team", "a"));
    create.send().await.unwrap();
    world.tell(of, "Create", world.written(of).await).await;
    let at = mark().await.to_string();
    let grown = "x".repeat(5_000);
    let advanced = put(world, of, &grown).tier(ParameterTier::Advanced);
    advanced.send().await.unwrap();
    at
}

#[tokio::test]
async fn a_downgrade_is_refused_with_the_way_and_done_only_by_creating_it_again() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/tier/db");
    let at = &grown(&world, of).await;
    let refused = world.ssmbak(&["restore", of, at, "--yes"]).await.exits(1);
    assert!(
        refused.stderr.contains("only --recreate can"),
        "{}",
        refused.stderr
    );
    let unasked = world
        .ssmbak(&["restore", of, at, "--recreate"])
        .await
        .exits(2);
    assert!(
        unasked.stderr.contains("would delete 1 parameter"),
        "{}",
        unasked.stderr
    );
    assert_eq!(world.version(of).await, 2);

    // Version 2 was told by nobody, and is gone from Parameter Store after this.
    let meanwhile = &mark().await.to_string();
    let restore = ["restore", of, at, "--recreate", "--yes", "--output", "json"];
    let answer = world.ssmbak_with(&NO_WAIT, &restore).await.exits(0);
    assert_eq!(column(&answer.json(), "Outcome"), ["restored"]);
    let now = whole(&world, of).await;
    assert_eq!(
        (now.value.as_str(), now.tier),
        ("small", Some(ParameterTier::Standard))
    );
    assert_eq!(now.tags.get("team").map(String::as_str), Some("a"));
    assert_eq!(world.version(of).await, 1);
    let shown = world.ssmbak(&["show", of, meanwhile]).await.exits(0);
    assert_eq!(shown.stdout, "x".repeat(5_000));
    let rows = world.rows().await;
    let mut of_run = rows
        .iter()
        .filter(|r| r["name"] == **of && r["outcome"] == "restored");
    assert_eq!(of_run.next().unwrap()["recreated"], json!(true));
    let again = world.ssmbak_with(&NO_WAIT, &restore).await.exits(0);
    assert_eq!(again.json(), json!([]));
}

#[tokio::test]
async fn a_tier_that_alone_is_higher_comes_down_only_if_asked_for() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/tier/alone");
    world.write(of, "same").await;
    let at = &mark().await.to_string();
    let advanced = put(&world, of, "same").tier(ParameterTier::Advanced);
    advanced.send().await.unwrap();
    let preview = ["preview", of, at, "--output", "json"];
    assert_eq!(world.ssmbak(&preview).await.exits(0).json(), json!([]));
    let restore = ["restore", of, at, "--recreate", "--yes"];
    world.ssmbak_with(&NO_WAIT, &restore).await.exits(0);
    assert_eq!(whole(&world, of).await.tier, Some(ParameterTier::Standard));
}

#[tokio::test]
async fn a_creation_that_fails_is_tried_again_and_one_that_goes_on_failing_is_told_loudly() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let (once, ever) = (&world.own("/fails/once"), &world.own("/fails/ever"));
    let (at_once, at_ever) = (&grown(&world, once).await, &grown(&world, ever).await);
    let world = world.behind(&proxy);
    let refused = ApiError::new(400, "ValidationException", "Not just now.");
    let refused = Disturbance::answer(refused).on("ssm:PutParameter");
    proxy.disturb(refused.clone());
    let restore = async |of: &str, at: &str| {
        let restore = ["restore", of, at, "--recreate", "--yes", "--output", "json"];
        world.ssmbak_with(&NO_WAIT, &restore).await
    };
    restore(once, at_once).await.exits(0);
    assert_eq!(whole(&world, once).await.value, "small");

    proxy.disturb(refused.times(usize::MAX));
    let answer = restore(ever, at_ever).await.exits(1);
    let rows = answer.json();
    assert_eq!(rows[0]["Outcome"], "failed");
    let reason = rows[0]["Reason"].as_str().unwrap();
    assert!(reason.contains("IT IS MISSING NOW"), "{reason}");
    assert!(
        reason.contains("the same restore again creates it"),
        "{reason}"
    );
    assert!(
        answer.stderr.contains("IT IS MISSING NOW"),
        "{}",
        answer.stderr
    );
    assert_eq!(world.live(ever).await, None);

    proxy.reset();
    next_second().await;
    restore(ever, at_ever).await.exits(0);
    let back = whole(&world, ever).await;
    assert_eq!(
        (back.value.as_str(), back.tier),
        ("small", Some(ParameterTier::Standard))
    );
    assert_eq!(tags_of(&world, ever).await.len(), 1);
}

#[tokio::test]
async fn whoever_is_killed_before_the_creation_was_told_the_way_back() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let of = &world.own("/killed/db");
    let at = &grown(&world, of).await;
    let world = world.behind(&proxy);
    proxy.disturb(Disturbance::kill().on("ssm:PutParameter"));
    let restore = ["restore", of, at, "--recreate", "--yes"];
    let killed = world.ssmbak_with(&NO_WAIT, &restore).await;
    assert_eq!(killed.code, -1);
    let way = format!("{of}: it is deleted now");
    assert!(killed.stderr.contains(&way), "{}", killed.stderr);
    assert!(killed.stderr.contains("the same restore again creates it"));
    assert_eq!(world.live(of).await, None);
    next_second().await;
    world.ssmbak_with(&NO_WAIT, &restore).await.exits(0);
    let back = whole(&world, of).await;
    assert_eq!((back.value.as_str(), back.tags.len()), ("small", 1));
    assert_eq!(back.tier, Some(ParameterTier::Standard));
}

#[tokio::test]
async fn a_creation_whose_answers_were_lost_is_found_to_be_done() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let of = &world.own("/unsure/db");
    let at = &grown(&world, of).await;
    let world = world.behind(&proxy);
    let lost = ApiError::new(500, "InternalServerError", "An error occurred.");
    let lost = Disturbance::answer(lost);
    proxy.disturb(lost.clone().on("ssm:PutParameter").when(When::AfterWork));
    // What lives cannot be read right after it either: those before it are two checks.
    let unread = ApiError::new(400, "ValidationException", "Not just now.");
    let unread = Disturbance::answer(unread).on("ssm:GetParameters").at(3);
    proxy.disturb(unread);
    let restore = ["restore", of, at, "--recreate", "--yes", "--output", "json"];
    let answer = world.ssmbak_with(&NO_WAIT, &restore).await.exits(0);
    assert_eq!(answer.json()[0]["Reason"], Json::Null);
    assert_eq!(proxy.count("ssm:PutParameter"), 1);
    let back = whole(&world, of).await;
    assert_eq!((back.value.as_str(), back.tags.len()), ("small", 1));
}

#[tokio::test]
async fn what_is_not_wholly_on_record_is_not_deleted() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let of = &world.own("/unsafe/db");
    let at = &grown(&world, of).await;
    let world = world.behind(&proxy);
    let denied = ApiError::new(403, "AccessDenied", "Access Denied");
    let denied = Disturbance::answer(denied).on("s3:PutObject");
    // The first two writes are those of the run.
    proxy.disturb(denied.at(2).times(usize::MAX).when(When::BeforeWork));
    let restore = ["restore", of, at, "--recreate", "--yes", "--output", "json"];
    let answer = world.ssmbak_with(&NO_WAIT, &restore).await.exits(1);
    assert_eq!(answer.json()[0]["Outcome"], "failed");
    assert_eq!(proxy.count("ssm:DeleteParameters"), 0);
    assert_eq!(world.version(of).await, 2);
}

#[tokio::test]
async fn a_version_that_cannot_be_read_for_now_keeps_the_parameter_from_being_deleted() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let mut world = World::emulated(Lane::Ministack, "the proxy").await;
    world.function = world.function_at(&proxy.endpoint());
    let of = &world.own("/sealed/db");
    // Version 1 is under a key that is disabled: a history with values fails, the one without
    // after it does not, and neither can the value be had alone.
    let disabled = ApiError::new(400, "InvalidKeyId", "The key is disabled.");
    let disabled = Disturbance::answer(disabled);
    let disable = |histories: usize| {
        proxy.reset();
        for failing in (1..).step_by(2).take(histories) {
            let history = disabled.clone().on("ssm:GetParameterHistory");
            proxy.disturb(history.at(failing));
        }
        let value = disabled.clone().on("ssm:GetParameter");
        proxy.disturb(value.times(usize::MAX));
    };
    // Its first invocation warms up with a call of its own.
    world.write(&world.own("/sealed/other"), "v").await;
    world.put_secret(of, "sealed", "alias/disabled").await;
    disable(1);
    world.write(of, "then").await;
    let at = &mark().await.to_string();
    let advanced = put(&world, of, "now").tier(ParameterTier::Advanced);
    advanced.send().await.unwrap();
    disable(1);
    world.tell(of, "Update", world.written(of).await).await;

    let world = world.behind(&proxy);
    disable(6);
    let restore = ["restore", of, at, "--recreate", "--yes", "--output", "json"];
    let answer = world.ssmbak_with(&NO_WAIT, &restore).await.exits(1);
    let rows = answer.json();
    let reason = rows[0]["Reason"].as_str().unwrap();
    assert!(reason.contains("not every version"), "{reason}");
    assert_eq!(proxy.count("ssm:DeleteParameters"), 0);
    assert_eq!(world.version(of).await, 3);
    // Enabled again, it can be captured, and the rest follows.
    proxy.reset();
    world.ssmbak_with(&NO_WAIT, &restore).await.exits(0);
    assert_eq!(whole(&world, of).await.value, "then");
}

#[tokio::test]
async fn an_interruption_between_deletion_and_creation_waits_for_the_creation() {
    let world = World::emulated(Lane::Ministack, "a signal").await;
    let of = &world.own("/interrupted/db");
    let at = &grown(&world, of).await;
    let restore = ["restore", of, at, "--recreate", "--yes", "--output", "json"];
    let mut command = world.command(&restore);
    command.env("SSMBAK_TEST_RECREATION_WAIT_MS", "1500");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    loop {
        let line = told.next_line().await.unwrap().expect("it ended too early");
        if line.contains("it is deleted now, and created again") {
            break;
        }
    }
    while world.live(of).await.is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let process = child.id().unwrap().to_string();
    let kill = ["-c", r#"kill -INT "$1""#, "sh", &process];
    let sent = tokio::process::Command::new("/bin/sh").args(kill).status();
    assert!(sent.await.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(130));
    let rows: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rows[0]["Outcome"], "restored");
    assert_eq!(whole(&world, of).await.value, "small");
}

#[tokio::test]
async fn a_parameter_with_no_room_for_a_version_is_told_with_the_way_and_created_again() {
    let world = World::emulated(Lane::Ministack, "a hundred versions").await;
    let of = &world.own("/full/db");
    world.put(of, "then").await;
    label(&world, of, 1, &["first"]).await;
    seed(&world, &world.own("/full/")).await;
    let at = &mark().await.to_string();
    for number in 2..=100 {
        world.put(of, &number.to_string()).await;
    }
    let last = &mark().await.to_string();
    let refused = world.ssmbak(&["restore", of, at]).await.exits(1);
    assert!(
        refused.stderr.contains("carries a label"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("let --recreate delete it"),
        "{}",
        refused.stderr
    );
    assert_eq!(world.version(of).await, 100);
    // Without a terminal only --yes agrees to a deletion.
    let restore = ["restore", of, at, "--recreate"];
    world.ssmbak_with(&NO_WAIT, &restore).await.exits(1);
    assert_eq!(world.version(of).await, 100);
    let restore = ["restore", of, at, "--recreate", "--labels", "--yes"];
    world.ssmbak_with(&NO_WAIT, &restore).await.exits(0);
    let now = whole(&world, of).await;
    assert_eq!((now.value.as_str(), world.version(of).await), ("then", 1));
    assert_eq!(now.labels, ["first".to_owned()].into());
    let shown = world.ssmbak(&["show", of, last]).await.exits(0);
    assert_eq!(shown.stdout, "100");
}
