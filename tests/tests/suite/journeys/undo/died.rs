//! Undo of a run that was killed, or partly done.

use serde_json::{Value as Json, json};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy, When};

use super::super::attributes::{tag, whole};
use super::super::preview::changed_tree;
use super::super::recreate::{NO_WAIT, grown};
use super::{Lane, MESS, World, lives, runs, undo};
use crate::world::{mark, next_second};

/// Where a run dies: at which call of which kind.
const DEATHS: [(&str, usize, When); 9] = [
    ("ssm:PutParameter", 1, When::BeforeWork),
    ("ssm:PutParameter", 1, When::AfterWork),
    ("ssm:PutParameter", 2, When::BeforeWork),
    ("ssm:PutParameter", 2, When::AfterWork),
    ("ssm:PutParameter", 3, When::AfterWork),
    ("ssm:DeleteParameters", 1, When::BeforeWork),
    ("ssm:DeleteParameters", 1, When::AfterWork),
    // Its fact says that it finished, its rows do not.
    ("dynamodb:TransactWriteItems", 3, When::BeforeWork),
    ("dynamodb:TransactWriteItems", 3, When::AfterWork),
];

#[tokio::test]
async fn a_run_that_was_killed_anywhere_is_undone() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    for (operation, nth, when) in DEATHS {
        let world = World::emulated(Lane::Ministack, "the proxy").await;
        let world = world.behind(&proxy);
        let (path, then) = changed_tree(&world).await;
        next_second().await;
        let restore = ["restore", &path, &then.to_string(), "-R", "--yes"];
        proxy.reset();
        proxy.disturb(Disturbance::kill().on(operation).at(nth).when(when));
        let died = world.ssmbak(&restore).await;
        proxy.reset();
        let place = format!("{operation} {nth} {when:?}");
        assert_eq!(died.code, -1, "{place}: {died:?}");
        let run = &runs(&world).await[0];
        assert_eq!(run["Finished"], Json::Null, "{place}");
        assert_eq!(run["Restored"], Json::Null, "{place}");
        next_second().await;
        let answer = undo(&world, &[]).await;
        assert_eq!(answer.code, 0, "{place}: {answer:?}");
        let told = "what it did is found out from what lives";
        assert!(answer.stderr.contains(told), "{answer:?}");
        lives(&world, &path, MESS).await;
        assert_eq!(world.version(&format!("{path}same")).await, 1);
        // What it had not come to was not written again.
        let came_to = |leaf: &str| {
            let rows = answer.json();
            let rows = rows.as_array().unwrap().iter();
            rows.filter(|r| r["Name"] == format!("{path}{leaf}"))
                .count()
        };
        for leaf in ["changed", "deep/changed"] {
            let version = world.version(&format!("{path}{leaf}")).await;
            let expected = if came_to(leaf) == 1 { 4 } else { 2 };
            assert_eq!(version, expected, "{place}: {leaf}");
        }
    }
}

#[tokio::test]
async fn after_a_death_what_somebody_else_wrote_is_not_taken_for_the_runs() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let world = world.behind(&proxy);
    let (path, then) = changed_tree(&world).await;
    next_second().await;
    let restore = ["restore", &path, &then.to_string(), "-R", "--yes"];
    proxy.disturb(Disturbance::kill().on("ssm:PutParameter").at(2));
    assert_eq!(world.ssmbak(&restore).await.code, -1);
    proxy.reset();
    // The very version that the run was to write, with another value.
    let of = &format!("{path}deep/changed");
    assert_eq!(world.put(of, "somebody's").await, 3);
    let answer = undo(&world, &[]).await.exits(3);
    let told = "version 3 lives, and is not what the run was to write";
    assert!(answer.stderr.contains(told), "{answer:?}");
    assert_eq!(world.live(of).await.as_deref(), Some("somebody's"));
    let changed = world.live(&format!("{path}changed")).await;
    assert_eq!(changed.as_deref(), Some("now"));
}

#[tokio::test]
async fn of_a_run_that_was_partly_done_only_what_was_done_is_undone() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let world = world.behind(&proxy);
    let (path, then) = changed_tree(&world).await;
    next_second().await;
    let refused = ApiError::new(400, "ValidationException", "no");
    proxy.disturb(Disturbance::answer(refused).on("ssm:PutParameter").at(2));
    let restore = ["restore", &path, &then.to_string(), "-R", "--yes"];
    world.ssmbak(&restore).await.exits(3);
    proxy.reset();
    let run = &runs(&world).await[0];
    let counts = (&run["Restored"], &run["Deleted"], &run["Failed"]);
    assert_eq!(counts, (&json!(2), &json!(1), &json!(1)));
    next_second().await;
    let rows = undo(&world, &[]).await.exits(0).json();
    assert_eq!(rows.as_array().unwrap().len(), 3);
    lives(&world, &path, MESS).await;
    assert_eq!(world.version(&format!("{path}deep/changed")).await, 2);
}

#[tokio::test]
async fn what_was_done_although_the_answer_was_lost_is_undone() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    // The second look of one and the third of the other is to tell what became of it.
    for (operation, leaf, look) in [
        ("ssm:PutParameter", "changed", 2),
        ("ssm:DeleteParameters", "new", 3),
    ] {
        let world = World::emulated(Lane::Ministack, "the proxy").await;
        let world = world.behind(&proxy);
        let (path, then) = changed_tree(&world).await;
        let of = &format!("{path}{leaf}");
        next_second().await;
        proxy.reset();
        let lost = ApiError::new(500, "InternalServerError", "An error occurred.");
        let lost = Disturbance::answer(lost).on(operation);
        let lost = lost.when(When::AfterWork).times(usize::MAX);
        proxy.disturb(lost);
        let unread = ApiError::new(400, "ValidationException", "Not just now.");
        let unread = Disturbance::answer(unread).on("ssm:GetParameters");
        proxy.disturb(unread.at(look).times(usize::MAX));
        let restore = ["restore", of, &then.to_string(), "--yes"];
        world.ssmbak(&restore).await.exits(1);
        proxy.reset();
        assert_ne!(world.live(of).await.as_deref(), Some("now"), "{of}");
        let run = &runs(&world).await[0];
        assert_eq!((&run["Failed"], &run["Restored"]), (&json!(1), &json!(0)));
        next_second().await;
        let rows = undo(&world, &[]).await.exits(0).json();
        assert_eq!(rows[0]["Outcome"], "restored", "{of}: {rows}");
        assert_eq!(world.live(of).await.as_deref(), Some("now"), "{of}");
    }
}

#[tokio::test]
async fn an_undo_that_was_killed_between_deletion_and_creation_is_finished_by_its_run() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let world = world.behind(&proxy);
    let (path, of) = (&world.own("/tier/"), &world.own("/tier/db"));
    grown(&world, of).await;
    world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
    let grown = &mark().await.to_string();
    let small = world.ssm.put_parameter().name(of).value("small");
    world.delete(of).await;
    let small = small.r#type(aws_sdk_ssm::types::ParameterType::String);
    small.tags(tag("team", "b")).send().await.unwrap();
    world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
    let before = whole(&world, of).await;
    next_second().await;
    world.ssmbak(&["restore", of, grown]).await.exits(0);
    let run = runs(&world).await[0]["Run"].as_str().unwrap().to_owned();
    next_second().await;
    proxy.disturb(Disturbance::kill().on("ssm:PutParameter"));
    let undo = ["undo", &run, "--recreate", "--yes"];
    let died = world.ssmbak_with(&NO_WAIT, &undo).await;
    proxy.reset();
    assert_eq!((died.code, world.live(of).await), (-1, None));
    next_second().await;
    world.ssmbak_with(&NO_WAIT, &undo).await.exits(0);
    assert_eq!(whole(&world, of).await, before);
}

#[tokio::test]
async fn a_killed_run_that_put_a_secret_under_another_key_is_undone() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "keys of any name").await;
    let world = world.behind(&proxy);
    let (path, of) = (&world.own("/key/"), &world.own("/key/db"));
    world.put_secret(of, "then", "alias/old").await;
    world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
    let at = &mark().await.to_string();
    world.put_secret(of, "now", "alias/old").await;
    let key = "alias/old=alias/new";
    let kill = Disturbance::kill().on("ssm:PutParameter");
    proxy.disturb(kill.when(When::AfterWork));
    let restore = ["restore", of, at, "--key-id", key];
    assert_eq!(world.ssmbak(&restore).await.code, -1);
    proxy.reset();
    let done = whole(&world, of).await;
    let done = (done.value.as_str(), done.key_id.as_deref());
    assert_eq!(done, ("then", Some("alias/new")));
    next_second().await;
    undo(&world, &[]).await.exits(0);
    assert_eq!(world.live(of).await.as_deref(), Some("now"));
}

#[tokio::test]
async fn what_a_killed_recreation_left_deleted_comes_back() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let world = world.behind(&proxy);
    let of = &world.own("/tier/db");
    let at = &grown(&world, of).await;
    let before = whole(&world, of).await;
    proxy.disturb(Disturbance::kill().on("ssm:PutParameter"));
    let restore = ["restore", of, at, "--recreate", "--yes"];
    let died = world.ssmbak_with(&NO_WAIT, &restore).await;
    proxy.reset();
    assert_eq!((died.code, world.live(of).await), (-1, None));
    next_second().await;
    undo(&world, &[]).await.exits(0);
    assert_eq!(whole(&world, of).await, before);
}
