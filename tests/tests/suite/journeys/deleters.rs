//! Who deleted: what `CloudTrail` tells stands with the deletion, however and whenever it comes.
//!
//! The events have the shape that `CloudTrail` documents. None of AWS's own has been seen yet.

use serde_json::{Value as Json, json};
use ssmbak_core::domain::{Instant, Name};
use ssmbak_tests::binaries;
use ssmbak_tests::emulator::{Ministack, sdk_config};
use ssmbak_tests::events::{deletion_call, parameter_event};

use super::{Lane, World, column};
use crate::world::{next_second, now};

const MALLORY: &str = "arn:aws:sts::000000000000:assumed-role/admin/mallory";
const FROM: &str = "203.0.113.7";

async fn history(world: &World, arguments: &[&str]) -> Json {
    let mut all = vec!["history", "--output", "json"];
    all.extend(arguments);
    world.ssmbak(&all).await.exits(0).json()
}

/// Deletes without telling anybody; returns when.
async fn delete(world: &World, name: &str) -> Instant {
    next_second().await;
    world.delete(name).await;
    now()
}

fn deleted(name: &str, at: Instant) -> Json {
    parameter_event(name, "Delete", at.millis())
}

fn call(names: &[&str], at: Instant) -> Json {
    deletion_call(names, MALLORY, FROM, at.millis())
}

/// Operation, who and from where of each row.
fn told(rows: &Json) -> Vec<(&str, &str, &str)> {
    let (operations, by, from) = (
        column(rows, "Operation"),
        column(rows, "ModifiedBy"),
        column(rows, "SourceIp"),
    );
    let all = operations.into_iter().zip(by).zip(from);
    all.map(|((operation, by), from)| (operation, by, from))
        .collect()
}

/// The rows of the table that tell of a deleter.
async fn rows_of_deleters(world: &World) -> Vec<Json> {
    let mut rows = world.rows().await;
    rows.retain(|row| row["operation"] == "DeletedBy");
    rows
}

#[tokio::test]
async fn who_deleted_stands_with_the_deletion_in_whatever_order_it_comes() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/who/");
    let mallory = ("Delete", MALLORY, FROM);
    let orders: [(&str, &[usize]); 4] = [
        ("late", &[0, 1]),
        ("before", &[1, 0]),
        ("repeated", &[1, 0, 1, 1]),
        ("at-once", &[]),
    ];
    for (order, deliveries) in orders {
        let name = &format!("{path}{order}");
        world.write(name, "x").await;
        let at = delete(&world, name).await;
        // The call is timed by another clock than the change.
        let events = [deleted(name, at), call(&[name], at.plus_millis(2_000))];
        for which in deliveries {
            let event = std::slice::from_ref(&events[*which]);
            assert_eq!(world.deliver(event).await, 0, "{order}");
        }
        if deliveries.is_empty() {
            assert_eq!(world.deliver(&events).await, 0);
        }
        let whose = history(&world, &[name]).await;
        assert_eq!(told(&whose)[0], mallory, "{order}");
        assert_eq!(column(&whose, "Operation"), ["Delete", "Create"], "{order}");
        assert_eq!(whose[0]["Time"], at.second_end().to_string());
    }
    let all = history(&world, &[path]).await;
    assert_eq!(all.as_array().unwrap().len(), 8);
    let by = history(&world, &[path, "--by", "MALLORY"]).await;
    assert_eq!(told(&by), [mallory; 4]);
    let alone = history(&world, &[path, "--operation", "deletedby"]).await;
    assert_eq!(alone, json!([]));
    let table = world.ssmbak(&["history", path, "--by", "mallory"]).await;
    let shown = format!("{MALLORY} from {FROM}");
    assert_eq!(table.exits(0).stdout.matches(&shown).count(), 4);
    // One record each: its own row, and one for each path above.
    let paths = Name::parse(&format!("{path}late")).unwrap();
    let rows = 1 + paths.paths_above().count();
    let kept = rows_of_deleters(&world).await;
    assert_eq!(kept.len(), 4 * rows);
    // Older programs go on reading all else; these rows they refuse, and with them the table.
    let format = |row: &Json| row["format"].to_string();
    assert!(kept.iter().all(|row| format(row).contains('2')), "{kept:?}");
    let others = world.rows().await;
    let of_two = others.iter().filter(|row| format(row).contains('2'));
    let of_two: Vec<_> = of_two
        .filter(|row| row["operation"] != "DeletedBy")
        .collect();
    assert_eq!(of_two.len(), 1);
    assert_eq!(of_two[0]["entry"], "format");
}

#[tokio::test]
async fn one_call_that_deleted_several_is_told_with_each() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/many/");
    let names: Vec<String> = ["a", "b", "c/d"].map(|n| format!("{path}{n}")).into();
    for name in &names {
        world.write(name, "x").await;
    }
    next_second().await;
    for name in &names {
        world.delete(name).await;
    }
    let at = now();
    let never = format!("{path}never");
    let mut asked: Vec<&str> = names.iter().map(String::as_str).collect();
    asked.push(&never);
    asked.push("no/name");
    let mut events: Vec<Json> = names.iter().map(|name| deleted(name, at)).collect();
    events.push(call(&asked, at));
    assert_eq!(world.deliver(&events).await, 0);
    let all = history(&world, &[path, "-R", "--by", "mallory"]).await;
    let mut listed: Vec<_> = column(&all, "Name").into_iter().zip(told(&all)).collect();
    listed.sort_unstable();
    let with = |name: &'static str| move |n: &String| (n.clone(), name);
    let mut expected: Vec<_> = names.iter().map(with("Delete")).collect();
    expected.push((never, "DeletedBy"));
    expected.sort_unstable();
    let listed: Vec<_> = listed
        .into_iter()
        .map(|(name, (operation, ..))| (name.to_owned(), operation))
        .collect();
    let expected: Vec<_> = expected.into_iter().collect();
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn without_its_event_nothing_is_invented_and_what_is_observed_later_takes_it() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/silent/");
    let (name, lives) = (&format!("{path}gone"), &format!("{path}lives"));
    world.put(lives, "1").await;
    world.write(name, "x").await;
    world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
    let at = delete(&world, name).await;
    assert_eq!(world.deliver(&[call(&[name, lives], at)]).await, 0);
    let alone = ("DeletedBy", MALLORY, FROM);
    for arguments in [&[name.as_str()][..], &[path, "--operation", "deletedby"]] {
        let rows = history(&world, arguments).await;
        assert!(told(&rows).contains(&alone), "{rows}");
        assert!(!column(&rows, "Operation").contains(&"Delete"), "{rows}");
    }
    // What lives is looked at, and stays as it is: the call says nothing about its state.
    let shown = world.ssmbak(&["show", lives]).await.exits(0);
    assert_eq!(shown.stdout, "1");
    next_second().await;
    world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
    for arguments in [
        &[name.as_str()][..],
        &[path, "--by", "mallory", "--operation", "delete"],
    ] {
        let rows = history(&world, arguments).await;
        assert_eq!(told(&rows)[0], ("Delete", MALLORY, FROM), "{rows}");
        assert_eq!(rows[0]["Exact"], false);
    }
    let whose = history(&world, &[lives]).await;
    assert_eq!(told(&whose)[0], alone);
    // The version since began before the span does: the index is asked for the rest.
    let since = at.second_start().plus_millis(1_000).to_string();
    let rows = history(&world, &[path, "--since", &since]).await;
    assert_eq!(told(&rows), [("Delete", MALLORY, FROM)], "{rows}");
}

#[tokio::test]
async fn a_change_that_no_event_told_is_captured_when_somebody_asks_for_its_deletion() {
    let world = World::on(Lane::Ministack).await;
    let name = &world.own("/hint/a");
    world.put(name, "x").await;
    assert_eq!(world.deliver(&[call(&[name], now())]).await, 0);
    let rows = history(&world, &[name]).await;
    let mut operations = column(&rows, "Operation");
    operations.sort_unstable();
    assert_eq!(operations, ["Create", "DeletedBy"]);
}

#[tokio::test]
async fn the_stack_hears_of_it_only_where_it_is_asked_to() {
    let ministack = Ministack::start().unwrap();
    let control = ministack.control();
    let world = World::of(&ministack).await;
    let zip = binaries::function_zip();
    let zip = zip.to_str().unwrap();
    let stack = async |words: &[&str]| {
        let mut command = world.command(&[&["stack", "who"], words].concat());
        command
            .env_remove("SSMBAK_BUCKET")
            .env_remove("SSMBAK_TABLE");
        crate::world::run(command).await.exits(0)
    };
    stack(&["create", "--function-zip", zip]).await;
    let publish = async |event: &Json| {
        let detail = event["detail"].clone();
        let kind = event["detail-type"].as_str();
        control.publish(detail, kind).await.unwrap();
        let limit = std::time::Duration::from_mins(2);
        control.wait_until_quiet(limit).await.unwrap();
    };
    let table = stack(&["tablename"]).await.stdout.trim().to_owned();
    let deleters = async || {
        let mut rows = world.rows_of(&table).await;
        rows.retain(|r| r["operation"] == "DeletedBy" && r["scope"] == "/");
        rows.len()
    };
    let event = call(&["/who/a", "/who/b"], now());
    publish(&event).await;
    assert_eq!(deleters().await, 0);
    stack(&["update", "--deletions-from-cloudtrail", "on", "--yes"]).await;
    let mut failed = event.clone();
    failed["detail"]["errorCode"] = "ParameterNotFound".into();
    let mut other = event.clone();
    other["detail"]["eventName"] = "PutParameter".into();
    publish(&failed).await;
    publish(&other).await;
    assert_eq!(deleters().await, 0);
    publish(&event).await;
    assert_eq!(deleters().await, 2);
    publish(&event).await;
    assert_eq!(deleters().await, 2, "the same call again");
    stack(&["update", "--deletions-from-cloudtrail", "off", "--yes"]).await;
    publish(&call(&["/who/c"], now())).await;
    assert_eq!(deleters().await, 2);
    // Nothing was refused on the way.
    let config = sdk_config(&ministack.endpoint(), "test").await;
    let queues = aws_sdk_sqs::Client::new(&config);
    for url in queues.list_queues().send().await.unwrap().queue_urls() {
        let count = aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessages;
        let told = queues.get_queue_attributes().queue_url(url);
        let told = told.attribute_names(count.clone()).send().await.unwrap();
        let waiting = told.attributes().and_then(|all| all.get(&count));
        assert_eq!(waiting.map(String::as_str), Some("0"), "{url}");
    }
}
