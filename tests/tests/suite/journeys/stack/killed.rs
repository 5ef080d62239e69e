//! The command line is killed after each call that changes something: the same again completes it,
//! nothing is there twice, and what is kept stays.

use std::collections::BTreeMap;

use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::{Disturbance, Proxy, When};

use super::update::no_change_set_is_left;
use super::*;

/// The calls that change something, in order: each with the how many-eth of its operation it is.
fn changing(proxy: &Proxy) -> Vec<(String, usize)> {
    const VERBS: [&str; 7] = [
        "Create", "Delete", "Execute", "Invoke", "Put", "Tag", "Update",
    ];
    let mut seen = BTreeMap::<String, usize>::new();
    let calls = proxy.calls().into_iter().map(|call| call.operation);
    let numbered = calls.map(|operation| {
        let nth = seen.entry(operation.clone()).or_default();
        *nth += 1;
        (operation, *nth)
    });
    let changes = |(operation, _): &(String, usize)| {
        let (_, verb) = operation.split_once(':').unwrap();
        VERBS.iter().any(|one| verb.starts_with(one))
    };
    numbered.filter(changes).collect()
}

/// Runs a verb that is killed after that call has done its work.
async fn killed(world: &World, proxy: &Proxy, call: &(String, usize), arguments: &[&str]) {
    proxy.reset();
    let kill = Disturbance::kill().on(&call.0).at(call.1);
    proxy.disturb(kill.when(When::AfterWork));
    let answer = ssmbak(world, arguments).await;
    assert_eq!(answer.code, -1, "{call:?}: {answer:?}");
    proxy.reset();
}

/// Waits until nothing goes on in CloudFormation any more; none where there is no stack.
async fn settled(world: &World, stack: &str) -> Option<String> {
    let client = aws_sdk_cloudformation::Client::new(&world.config);
    loop {
        let answer = client.describe_stacks().stack_name(stack).send().await;
        let status = answer.ok()?.stacks()[0].stack_status().cloned()?;
        match status.as_str() {
            "DELETE_COMPLETE" | "REVIEW_IN_PROGRESS" => return None,
            status if !status.ends_with("_IN_PROGRESS") => return Some(status.to_owned()),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

#[tokio::test]
async fn a_creation_that_is_killed_at_any_call_is_completed_by_the_next() {
    let stack = "killed";
    let calls = {
        let ministack = Ministack::start().unwrap();
        let proxy = Proxy::start(&ministack.endpoint()).unwrap();
        let world = World::of(&ministack).await.behind(&proxy);
        create(&world, stack).await.exits(0);
        changing(&proxy)
    };
    println!("{calls:?}");
    assert!(calls.len() >= 3, "{calls:?}");
    let zip = function_zip();
    for call in &calls {
        // A place of its own: some of it is made for the first stack alone.
        let ministack = Ministack::start().unwrap();
        let proxy = Proxy::start(&ministack.endpoint()).unwrap();
        let world = World::of(&ministack).await.behind(&proxy);
        let verb = ["stack", stack, "create", "--function-zip", &zip];
        killed(&world, &proxy, call, &verb).await;
        let begun = settled(&world, stack).await;
        let again = ssmbak(&world, &verb).await;
        match begun.as_deref() {
            None => _ = again.exits(0),
            // CloudFormation has gone on with it alone.
            Some("CREATE_COMPLETE") => {
                let again = again.exits(1);
                assert!(again.stderr.contains("exists"), "{call:?}: {again:?}");
            }
            Some(other) => panic!("{call:?}: {other}"),
        }
        assert_eq!(status(&world, stack).await, "CREATE_COMPLETE", "{call:?}");
        world.put("/of/a", "x").await;
        captured(&world, stack, "/of/", &["Create"]).await;
        let buckets = world.s3.list_buckets().send().await.unwrap();
        let names = buckets.buckets().iter().filter_map(|b| b.name());
        let (artifacts, others): (Vec<_>, Vec<_>) =
            names.partition(|name| name.starts_with("ssmbak-artifacts-"));
        assert_eq!((artifacts.len(), others.len()), (1, 2), "{buckets:?}");
    }
}

#[tokio::test]
async fn an_update_that_is_killed_at_any_call_is_completed_by_the_next() {
    let ministack = Ministack::start().unwrap();
    let proxy = Proxy::start(&ministack.endpoint()).unwrap();
    let world = World::of(&ministack).await.behind(&proxy);
    create(&world, "up").await.exits(0);
    let bucket = one(&world, "up", "bucketname").await;
    world.put("/kept", "x").await;
    captured(&world, "up", "/kept", &["Create"]).await;
    let zip = another_zip("killed-update");
    proxy.reset();
    let whole = ["--log-level=warn", "--yes", "--function-zip", &zip];
    update(&world, "up", &whole).await.exits(0);
    let calls = changing(&proxy);
    assert!(calls.len() >= 3, "{calls:?}");
    for (number, call) in calls.iter().enumerate() {
        let level = ["debug", "info"][number % 2];
        let option = format!("--log-level={level}");
        // Another zip each time, or there is none to be sent.
        let zip = another_zip(&format!("killed-update-{number}"));
        let verb = [
            "stack",
            "up",
            "update",
            &option,
            "--yes",
            "--function-zip",
            &zip,
        ];
        killed(&world, &proxy, call, &verb).await;
        settled(&world, "up").await;
        ssmbak(&world, &verb).await.exits(0);
        let (parameters, _) = described(&world, "up").await;
        assert_eq!(parameters["LogLevel"], level.to_uppercase(), "{call:?}");
        no_change_set_is_left(&world, "up").await;
    }
    assert_eq!(one(&world, "up", "bucketname").await, bucket);
    captured(&world, "up", "/kept", &["Create"]).await;
}

#[tokio::test]
async fn a_deletion_that_is_killed_at_any_call_is_completed_and_keeps_what_is_kept() {
    let ministack = Ministack::start().unwrap();
    let proxy = Proxy::start(&ministack.endpoint()).unwrap();
    let world = World::of(&ministack).await.behind(&proxy);
    create(&world, "whole").await.exits(0);
    proxy.reset();
    delete(&world, "whole").await.exits(0);
    let calls = changing(&proxy);
    assert!(!calls.is_empty());
    for (number, call) in calls.iter().enumerate() {
        let stack = &format!("gone{number}");
        create(&world, stack).await.exits(0);
        let bucket = one(&world, stack, "bucketname").await;
        let table = one(&world, stack, "tablename").await;
        let path = format!("/of{number}/");
        world.put(&format!("{path}a"), "x").await;
        captured(&world, stack, &path, &["Create"]).await;
        let verb = ["stack", stack, "delete", "--yes"];
        killed(&world, &proxy, call, &verb).await;
        let left = settled(&world, stack).await;
        let again = ssmbak(&world, &verb).await;
        if left.is_some() {
            again.exits(0);
        } else {
            let again = again.exits(1);
            assert!(again.stderr.contains("there is no stack"), "{again:?}");
        }
        assert_eq!(settled(&world, stack).await, None, "{call:?}");
        // Bucket and table with all that they hold, by their names alone.
        let kept = ["--bucket", &bucket, "--table", &table, "--output", "json"];
        let kept = [&["history", &path, "-R"], &kept[..]].concat();
        let kept = ssmbak(&world, &kept).await.exits(0);
        assert_eq!(column(&kept.json(), "Operation"), ["Create"], "{call:?}");
    }
}
