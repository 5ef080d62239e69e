//! 5: value, then journal, then index; and the same change twice is one record.

mod command_line;

use std::collections::BTreeSet;

use serde_json::Value as Json;
use ssmbak_core::domain::{
    Attributes, Change, Instant, Pointer, Record, Source, Value, ValueState, Written,
};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::events::{batch_of_events, failed_messages, parameter_event};
use ssmbak_tests::proxy::{Disturbance, Proxy, When};
use ssmbak_tests::runtime_api::{Function, Outcome};

use crate::world::{Lane, World, name, now};

/// Every pointer of a row, wherever it stands.
fn pointers(row: &Json, found: &mut Vec<Pointer>) {
    let Some(fields) = row.as_object() else {
        return;
    };
    let text = |field: &str| fields.get(field)?.as_str().map(str::to_owned);
    if let (Some(bucket), Some(key), Some(version_id)) =
        (text("bucket"), text("key"), text("versionId"))
    {
        found.push(Pointer {
            bucket,
            key,
            version_id,
        });
    }
    for inner in fields.values() {
        pointers(inner, found);
    }
}

/// Reads the value of every row; a pointer to nothing fails.
async fn values_of(world: &World, rows: &[Json]) -> Vec<String> {
    let mut found = Vec::new();
    for row in rows {
        pointers(row, &mut found);
    }
    let mut values = Vec::new();
    for pointer in found {
        let value = world.stores.bucket.value(&pointer).await.unwrap();
        values.push(value.expose().to_owned());
    }
    values
}

/// The records of the journal.
async fn journal(world: &World) -> Vec<Json> {
    let bucket = &world.location.bucket;
    let list = world.s3.list_objects_v2().bucket(bucket);
    let list = list.prefix("_ssmbak/journal/").send().await.unwrap();
    let mut records = Vec::new();
    for object in list.contents() {
        let get = world.s3.get_object().bucket(bucket);
        let answer = get.key(object.key().unwrap()).send().await.unwrap();
        let bytes = answer.body.collect().await.unwrap().into_bytes();
        records.push(serde_json::from_slice(&bytes).unwrap());
    }
    records
}

fn about<'a>(all: &'a [Json], of: &str) -> Vec<&'a Json> {
    let concerned =
        |row: &&Json| row["name"] == of || (row["scope"] == "@names" && row["entry"] == of);
    all.iter().filter(concerned).collect()
}

/// What differs from one run to the next is left out or numbered.
fn comparable(rows: &[&Json], of: &str) -> Vec<String> {
    let times: BTreeSet<&str> = rows.iter().filter_map(|r| r["time"].as_str()).collect();
    let mut texts = Vec::new();
    for row in rows {
        let mut row = (*row).clone();
        forget(&mut row);
        let mut text = row.to_string().replace(of, "NAME");
        for (number, time) in times.iter().enumerate() {
            text = text.replace(time, &format!("TIME{number}"));
        }
        texts.push(text);
    }
    texts.sort();
    texts
}

fn forget(row: &mut Json) {
    if let Some(fields) = row.as_object_mut() {
        for field in ["recordedAt", "versionId", "event", "eventId", "eventTime"] {
            fields.remove(field);
        }
        fields.values_mut().for_each(forget);
    }
}

/// All that is on record of a name, as far as it does not depend on the run.
async fn on_record(world: &World, of: &str) -> (Vec<String>, Vec<String>, Vec<String>, bool) {
    let rows = world.rows().await;
    let rows = about(&rows, of);
    let copies: Vec<Json> = rows.iter().map(|r| (*r).clone()).collect();
    let mut values = values_of(world, &copies).await;
    values.sort();
    let entries = journal(world).await;
    let entries = about(&entries, of);
    let shown = world.stores.bucket.shows_value(&name(of)).await.unwrap();
    (
        comparable(&rows, of),
        comparable(&entries, of),
        values,
        shown,
    )
}

/// Makes the change that is to be captured, all before it being on record.
async fn change(world: &World, of: &str, operation: &str) -> Json {
    let before: &[&str] = match operation {
        "Create" | "Burst" => &[],
        _ => &["one", "two"],
    };
    if operation == "Burst" {
        // None of these is on record when the last one's event comes.
        for value in ["first", "second"] {
            world.put(of, value).await;
        }
    }
    for value in before {
        world.write(of, value).await;
    }
    let at = if operation == "Delete" {
        world.delete(of).await;
        now()
    } else {
        world.put(of, " last ").await;
        world.written(of).await
    };
    let told = if operation == "Burst" {
        "Update"
    } else {
        operation
    };
    parameter_event(of, told, at.millis())
}

async fn captured(function: &Function, event: &Json) -> bool {
    let invocation = function.invoke(&batch_of_events([event])).await.unwrap();
    match invocation.outcome {
        Outcome::Response(answer) => {
            assert!(failed_messages(&answer).is_empty(), "{answer}");
            true
        }
        Outcome::Died(_) => false,
        other @ (Outcome::Error(_) | Outcome::TimedOut) => panic!("{other:?}"),
    }
}

/// Kills the function after each of its calls in turn, then delivers again.
async fn killed_at_every_call(operation: &str) {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let function = world.function_at(&proxy.endpoint());
    let of = |number: usize| format!("/kill/n{number:02}");
    let event = change(&world, &of(0), operation).await;
    assert!(captured(&function, &event).await);
    let undisturbed = on_record(&world, &of(0)).await;
    let mut killed = 0;
    for number in 1..40 {
        let event = change(&world, &of(number), operation).await;
        function.stop().await;
        proxy.reset();
        proxy.disturb(Disturbance::kill().at(number).when(When::AfterWork));
        if captured(&function, &event).await {
            break;
        }
        killed += 1;
        values_of(&world, &world.rows().await).await;
        proxy.reset();
        assert!(captured(&function, &event).await);
        let after = on_record(&world, &of(number)).await;
        assert_eq!(after, undisturbed, "killed at call {number}");
    }
    println!("{operation}: killed after each of {killed} calls");
    assert!((7..39).contains(&killed), "{killed}");
}

#[tokio::test]
async fn a_creation_survives_a_death_at_any_call() {
    killed_at_every_call("Create").await;
}

#[tokio::test]
async fn an_update_survives_a_death_at_any_call() {
    killed_at_every_call("Update").await;
}

#[tokio::test]
async fn a_deletion_survives_a_death_at_any_call() {
    killed_at_every_call("Delete").await;
}

#[tokio::test]
async fn a_burst_survives_a_death_at_any_call() {
    killed_at_every_call("Burst").await;
}

#[tokio::test]
async fn two_functions_at_once_leave_one_record() {
    for lane in [Lane::Ministack, Lane::Moto] {
        let world = World::on(lane).await;
        let others = [(); 2].map(|()| world.function_at(&world.endpoint));
        let of = &world.own("/both/at-once");
        for round in 1..=5 {
            world.put(of, &format!("value {round}")).await;
            let at = world.written(of).await;
            let event = parameter_event(of, "Update", at.millis());
            let [one, other] = &others;
            let done = tokio::join!(captured(one, &event), captured(other, &event));
            assert_eq!(done, (true, true));
        }
        let (first, last) = (Instant::EARLIEST, Instant::LATEST);
        let index = &world.stores.index;
        let records = index.between(&name(of), first, last).await.unwrap();
        assert_eq!(records.len(), 5, "{lane:?}");
        let journal = journal(&world).await;
        assert_eq!(about(&journal, of).len(), 5, "{lane:?}");
        let mut in_journal = Vec::new();
        for record in &journal {
            pointers(record, &mut in_journal);
        }
        for record in records {
            let pointer = record.present().unwrap().value.pointer().unwrap();
            assert!(
                in_journal.contains(pointer),
                "the winner's counts: {lane:?}"
            );
        }
        values_of(&world, &world.rows().await).await;
    }
}

#[tokio::test]
async fn a_record_left_in_the_journal_is_indexed_and_not_called_lost() {
    let world = World::on(Lane::Ministack).await;
    let of = world.own("/app/left");
    let at = Instant::from_millis(now().millis() - 4_000_000);
    // As a capture leaves it that dies before the index; then the parameter is
    // deleted, and the message comes again.
    let left = |pointer: Pointer| Record {
        name: name(&of),
        at,
        change: Change::Written(Written {
            version: Some(1),
            creates: true,
            discriminator: String::new(),
            attributes: Attributes {
                parameter_type: "String".into(),
                ..Attributes::default()
            },
            modified_by: None,
            value: ValueState::Stored(pointer),
        }),
        source: Source::Event,
        event: None,
        recorded_at: at,
    };
    let nowhere = Pointer {
        bucket: String::new(),
        key: String::new(),
        version_id: String::new(),
    };
    let bucket = &world.stores.bucket;
    let (draft, value) = (left(nowhere), Value::new("saved"));
    let written = draft.present().unwrap();
    let pointer = bucket.put_value(&draft, written, &value).await.unwrap();
    let record = left(pointer.clone());
    bucket.put_record(&record).await.unwrap();

    world.tell(&of, "Create", at).await;
    let (index, of) = (&world.stores.index, name(&of));
    let found = index
        .between(&of, Instant::EARLIEST, Instant::LATEST)
        .await
        .unwrap();
    assert_eq!(found, [record]);
    assert_eq!(bucket.value(&pointer).await.unwrap(), value);
}
