//! 5: value, then journal, then index; and the same change twice is one record.

mod command_line;

use serde_json::Value as Json;
use ssmbak_core::domain::{
    Attributes, Change, Instant, Pointer, Record, Source, Value, ValueState, Written,
};
use ssmbak_tests::disturbed::on_record::{self, All, OnRecord, about, pointers};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::events::{batch_of_events, failed_messages, parameter_event};
use ssmbak_tests::proxy::{Disturbance, Proxy, When};
use ssmbak_tests::runtime_api::{Function, Outcome};

use crate::world::{Lane, World, name, now};

/// Reads the value of every row; a pointer to nothing fails.
async fn values_of(world: &World, rows: &[Json]) -> Vec<String> {
    on_record::values_of(&world.stores, rows).await.unwrap()
}

/// The records of the journal.
async fn journal(world: &World) -> Vec<Json> {
    let records = on_record::journal(&world.s3, &world.location.bucket).await;
    records.unwrap()
}

/// All that is on record of a name, as far as it does not depend on the run.
async fn on_record(world: &World, of: &str) -> OnRecord {
    let all = All::new(world.rows().await, journal(world).await);
    all.about(&world.stores, of).await.unwrap()
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
            let event = world.announcement(of).await;
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

/// As a capture leaves a version that dies before the index: its value is stored, and it is in the journal.
async fn left_in_the_journal(world: &World, of: &str, at: Instant, version: u64) -> Record {
    let left = |pointer: Pointer| Record {
        name: name(of),
        at,
        change: Change::Written(Written {
            version: Some(version),
            creates: version == 1,
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
    let record = left(bucket.put_value(&draft, written, &value).await.unwrap());
    bucket.put_record(&record).await.unwrap();
    record
}

async fn on_record_of(world: &World, of: &str) -> Vec<Record> {
    let (first, last) = (Instant::EARLIEST, Instant::LATEST);
    let records = world.stores.index.between(&name(of), first, last).await;
    records.unwrap()
}

#[tokio::test]
async fn a_record_left_in_the_journal_is_indexed_and_not_called_lost() {
    let world = World::on(Lane::Ministack).await;
    let of = world.own("/app/left");
    let at = Instant::from_millis(now().millis() - 4_000_000);
    // Then the parameter is deleted, and the message comes again.
    let record = left_in_the_journal(&world, &of, at, 1).await;
    world.tell(&of, "Create", at).await;
    let pointer = record.present().unwrap().value.pointer().unwrap().clone();
    assert_eq!(on_record_of(&world, &of).await, [record]);
    let value = world.stores.bucket.value(&pointer).await.unwrap();
    assert_eq!(value, Value::new("saved"));
}

#[tokio::test]
async fn a_record_left_in_the_journal_is_indexed_where_another_of_its_second_is_on_record() {
    let world = World::on(Lane::Ministack).await;
    let of = world.own("/app/beside");
    let first = world.write(&of, "one").await;
    let at = first.second_end();
    let record = left_in_the_journal(&world, &of, at, 2).await;
    world.delete(&of).await;
    world.tell(&of, "Update", at).await;
    let records = on_record_of(&world, &of).await;
    assert_eq!(records.len(), 2, "{records:?}");
    assert_eq!(records[1], record);
}
