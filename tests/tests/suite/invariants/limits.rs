//! 9: every page is followed, every limit obeyed.

use std::time::Instant as Clock;

use futures_util::{StreamExt as _, stream};
use ssmbak_core::domain::record::{Change, Source, Written};
use ssmbak_core::domain::{Live, Pointer, Record, ValueState};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::Proxy;

use crate::world::{Lane, World, mark, under};

#[tokio::test]
async fn throttled_writes_slow_a_restore_and_never_fail_it() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy")
        .await
        .behind(&proxy);
    let path = world.own("/slow/");
    let names: Vec<String> = (0..8).map(|n| format!("{path}{n}")).collect();
    for of in &names {
        world.write(of, "then").await;
    }
    let at = mark().await.to_string();
    for of in &names {
        world.write(of, "now").await;
    }
    proxy.throttle("ssm:PutParameter", 3.0, 1);
    let started = Clock::now();
    world.ssmbak(&["restore", &path, &at]).await.exits(0);
    assert!(started.elapsed().as_millis() > 2_000, "it was throttled");
    for of in &names {
        assert_eq!(world.version(of).await, 3, "written once");
        assert_eq!(world.live(of).await.as_deref(), Some("then"));
    }
    let puts = proxy.count("ssm:PutParameter");
    assert!(
        puts > 8,
        "{puts} calls of PutParameter, throttled ones included"
    );
}

#[tokio::test]
async fn throttled_reads_slow_a_preview_and_never_fail_it() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy")
        .await
        .behind(&proxy);
    let path = world.own("/slow/");
    for number in 0..3 {
        world.write(&format!("{path}{number}"), "x").await;
    }
    for operation in [
        "ssm:DescribeParameters",
        "ssm:GetParameters",
        "dynamodb:Query",
    ] {
        proxy.throttle(operation, 2.0, 1);
    }
    let preview = ["preview", &path, "now", "-R", "--all", "--output", "json"];
    for _ in 0..2 {
        let answer = world.ssmbak(&preview).await.exits(0);
        assert_eq!(answer.json().as_array().unwrap().len(), 3);
    }
    let throttled = |call: &ssmbak_tests::proxy::Call| call.disturbed;
    assert!(proxy.calls().iter().any(throttled));
}

#[tokio::test]
async fn a_throttled_function_captures_all_the_same() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let mut world = World::emulated(Lane::Ministack, "the proxy").await;
    world.function = world.function_at(&proxy.endpoint());
    for operation in [
        "dynamodb:TransactWriteItems",
        "s3:PutObject",
        "ssm:GetParameterHistory",
    ] {
        proxy.throttle(operation, 4.0, 1);
    }
    for number in 0..3 {
        world.write(&format!("/slow/{number}"), "x").await;
    }
    let history = ["history", "/slow/", "--output", "json"];
    let history = world.ssmbak(&history).await.exits(0).json();
    assert_eq!(history.as_array().unwrap().len(), 3);
}

const MANY: usize = 1_050;

/// The record of what lives, its value nowhere: nobody has to read it.
fn recorded(live: &Live) -> Record {
    Record {
        name: live.name.clone(),
        at: live.modified,
        change: Change::Written(Written {
            version: Some(live.version),
            creates: live.version == 1,
            discriminator: String::new(),
            attributes: live.attributes.clone(),
            modified_by: live.modified_by.clone(),
            value: ValueState::Stored(Pointer {
                bucket: "never-read".into(),
                key: live.name.to_string(),
                version_id: "never-read".into(),
            }),
        }),
        source: Source::Seed,
        event: None,
        recorded_at: live.modified,
    }
}

#[tokio::test]
async fn more_than_a_thousand_names_and_a_megabyte_of_rows_are_restored_right() {
    let world = &World::emulated(Lane::Ministack, "the proxy").await;
    let path = "/many/";
    let description = "d".repeat(1_000);
    let put = |number: usize| {
        let put = world.ssm.put_parameter().name(format!("{path}{number:04}"));
        let put = put.value("then").description(&description);
        put.r#type(aws_sdk_ssm::types::ParameterType::String).send()
    };
    let puts = stream::iter(0..MANY).map(put).buffer_unordered(8);
    assert_eq!(
        puts.filter(|r| std::future::ready(r.is_ok())).count().await,
        MANY
    );
    let live = world.stores.parameters.list(&under(path)).await.unwrap();
    assert_eq!(live.len(), MANY);
    let index = &world.stores.index;
    stream::iter(&live)
        .for_each_concurrent(8, async |l| index.put(&recorded(l)).await.unwrap())
        .await;
    let changed = ["/many/0000", "/many/0777", "/many/1049"];
    let values = async |value: &str| {
        for of in changed {
            let put = world.ssm.put_parameter().name(of).value(value);
            put.overwrite(true).send().await.unwrap();
            world.tell_newest(of).await;
        }
    };
    values("right").await;
    let at = mark().await.to_string();
    values("wrong").await;
    let restore = ["restore", path, &at, "-R", "--output", "json"];
    let answer = world.ssmbak(&restore).await.exits(0);
    let rows = answer.json();
    let names: Vec<&str> = super::names_of(&rows);
    assert_eq!(names, changed);
    let unchanged = format!("{} unchanged", MANY - changed.len());
    assert!(answer.stderr.contains(&unchanged), "{}", answer.stderr);
    for of in changed {
        assert_eq!(world.live(of).await.as_deref(), Some("right"));
        assert_eq!(world.version(of).await, 4);
    }
    assert_eq!(world.version("/many/0001").await, 1);
    let history = ["history", path, "--output", "jsonl"];
    let lines = world.ssmbak(&history).await.exits(0).stdout;
    assert_eq!(lines.lines().count(), MANY + 2 * changed.len());
}
