//! What previews and restores cost: it depends on how many names there are and
//! how many changed, never on how many versions are stored.

mod many;
mod one;
mod plans;
mod trusting;

mod capture;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::{StreamExt as _, stream};
use serde_json::Value as Json;
use ssmbak_core::domain::record::{Attributes, Change, Source, Written};
use ssmbak_core::domain::stored::StoredRecord;
use ssmbak_core::domain::{Instant, Pointer, Record, ValueState, keys};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::events::{parameter_event, tag_event};
use ssmbak_tests::proxy::Proxy;

use super::world::{Lane, World, mark, name, next_second, now};

const NAMES: usize = 100;
const CHANGED: usize = 3;

/// The most calls of a preview of so many names, however many of them changed.
fn at_most(names: usize, changed: usize) -> usize {
    names.div_ceil(200) + names.div_ceil(10) + 3 * changed + 10
}

/// The same where under a twentieth of them changed.
fn with_few_changes(names: usize, changed: usize) -> usize {
    names.div_ceil(50) + names.div_ceil(200) + 3 * changed + changed.div_ceil(10) + 10
}

fn of(number: usize) -> String {
    format!("/budget/{number:03}")
}

/// A version of an earlier life of the name, and at the end of that its deletion.
fn earlier(of: &str, at: Instant, version: u64, deleted: bool) -> Record {
    let written = Change::Written(Written {
        version: Some(version),
        creates: version == 1,
        discriminator: String::new(),
        attributes: Attributes {
            parameter_type: "String".into(),
            ..Attributes::default()
        },
        modified_by: Some("arn:aws:iam::000000000000:user/someone".into()),
        value: ValueState::Stored(Pointer {
            bucket: "never-read".into(),
            key: of.into(),
            version_id: "never-read".into(),
        }),
    });
    let gone = Change::Deleted {
        not_before: None,
        parameter_type: Some("String".into()),
    };
    Record {
        name: name(of),
        at,
        change: if deleted { gone } else { written },
        source: Source::Event,
        event: None,
        recorded_at: at,
    }
}

fn attribute(json: &Json) -> AttributeValue {
    match json {
        Json::Null => AttributeValue::Null(true),
        Json::Bool(flag) => AttributeValue::Bool(*flag),
        Json::Number(number) => AttributeValue::N(number.to_string()),
        Json::String(text) => AttributeValue::S(text.clone()),
        Json::Array(list) => AttributeValue::L(list.iter().map(attribute).collect()),
        Json::Object(map) => AttributeValue::M(item(map)),
    }
}

fn item(map: &serde_json::Map<String, Json>) -> HashMap<String, AttributeValue> {
    let fields = map.iter().map(|(k, v)| (k.clone(), attribute(v)));
    fields.collect()
}

fn row(scope: &str, entry: &str, stored: &StoredRecord) -> WriteRequest {
    let mut json = serde_json::to_value(stored).unwrap();
    json["scope"] = scope.into();
    json["entry"] = entry.into();
    let put = PutRequest::builder().set_item(Some(item(json.as_object().unwrap())));
    let request = WriteRequest::builder().put_request(put.build().unwrap());
    request.build()
}

/// The rows that capturing the record would have written; the head is a later one's.
fn rows(record: &Record) -> Vec<WriteRequest> {
    let stored = StoredRecord::from(record);
    let mut rows = vec![row(record.name.as_str(), &keys::own_entry(record), &stored)];
    for path in record.name.paths_above() {
        rows.push(row(
            path.as_str(),
            &keys::path_entry(record),
            &stored.slim(),
        ));
    }
    rows
}

/// Adds older records, from the `from`-th before the present life to the `to`-th.
async fn age(world: &World, born: Instant, from: usize, to: usize) {
    let record = |number: usize, back: usize| {
        let at = born.plus_millis(-60_000 * i64::try_from(back).unwrap());
        earlier(&of(number), at, (1_000 - back) as u64, back == 1)
    };
    let backs = from..to;
    let requests = (0..NAMES).flat_map(|n| backs.clone().map(move |b| (n, b)));
    let requests: Vec<WriteRequest> = requests.flat_map(|(n, b)| rows(&record(n, b))).collect();
    let batches = requests.chunks(25).map(<[WriteRequest]>::to_vec);
    stream::iter(batches)
        .for_each_concurrent(8, async |batch| {
            let write = world.dynamodb.batch_write_item();
            let write = write.request_items(&world.location.table, batch);
            let answer = write.send().await.unwrap();
            assert!(answer.unprocessed_items.unwrap_or_default().is_empty());
        })
        .await;
}

/// Writes names and has the function told, ten at a time.
async fn write(world: &World, numbers: std::ops::Range<usize>, value: &str) {
    let mut events = Vec::new();
    for number in numbers {
        let of = of(number);
        world.put(&of, value).await;
        events.push(world.announcement(&of).await);
    }
    for ten in events.chunks(10) {
        assert_eq!(world.deliver(ten).await, 0);
    }
}

#[tokio::test]
async fn a_preview_costs_the_same_however_many_versions_are_stored() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy")
        .await
        .behind(&proxy);
    let born = now();
    write(&world, 0..NAMES, "then").await;
    let at = mark().await.to_string();
    write(&world, 40..40 + CHANGED, "now").await;
    let preview = ["preview", "/budget/", &at, "-R", "--output", "json"];
    let mut costs = Vec::new();
    let mut stored = 1;
    for versions in [5, 40, 100] {
        age(&world, born, stored, versions).await;
        stored = versions;
        let of = name(&of(0));
        let all = world
            .stores
            .index
            .between(&of, Instant::EARLIEST, Instant::LATEST);
        assert_eq!(all.await.unwrap().len(), versions);
        proxy.reset_calls();
        let answer = world.ssmbak(&preview).await.exits(0);
        let rows = answer.json();
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), CHANGED);
        assert!(rows.iter().all(|r| r["Value"] == "then"));
        println!(
            "{versions} versions each: {} calls, {:?}",
            proxy.total(),
            proxy.counts()
        );
        costs.push(proxy.counts());
    }
    assert_eq!(costs[0], costs[1]);
    assert_eq!(costs[0], costs[2]);
    assert!(costs[0].values().sum::<usize>() <= with_few_changes(NAMES, CHANGED));
}

#[tokio::test]
async fn a_change_of_tags_costs_only_the_names_it_concerns() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy")
        .await
        .behind(&proxy);
    write(&world, 0..20, "then").await;
    let tagged = async |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let event = tag_event(&of(number), &[("team", "a")], now().millis());
            assert_eq!(world.deliver(&[event]).await, 0);
        }
    };
    let preview = async |at: &str| {
        proxy.reset_calls();
        let preview = ["preview", "/budget/", at, "-R", "--output", "json"];
        world.ssmbak(&preview).await.exits(0);
        proxy.counts()
    };
    let before = mark().await.to_string();
    let mut costs = preview(&before).await;
    tagged(0..3).await;
    next_second().await;
    let after = mark().await.to_string();
    // Changes before the instant cost nothing.
    assert_eq!(preview(&after).await, costs);
    // Each change after it takes a query and the live tags; ten names share the call for the values.
    let more = [
        ("dynamodb:Query", 3),
        ("ssm:ListTagsForResource", 3),
        ("ssm:GetParameters", 1),
    ];
    for (operation, calls) in more {
        *costs.entry(operation.to_owned()).or_default() += calls;
    }
    assert_eq!(preview(&before).await, costs);
}
