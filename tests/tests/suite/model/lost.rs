//! Events that never arrive: what one reconciliation makes of it.

use std::collections::BTreeSet;

use serde_json::json;
use ssmbak_core::domain::{Change, Instant, Record};
use ssmbak_tests::emulator::Ministack;

use super::{OPERATIONS, canonical, deliver_all, dice, happened, text};
use crate::world::{World, name};

/// Of a hundred events.
const LOST: usize = 5;

async fn records(world: &World, of: &str) -> Vec<Record> {
    let of = name(of);
    let all = world
        .stores
        .index
        .between(&of, Instant::EARLIEST, Instant::LATEST);
    all.await.unwrap()
}

/// Whether a deletion at `at` is told: in its very second, or by an interval that it lies in.
fn tells_deletion(record: &Record, at: Instant) -> bool {
    match &record.change {
        Change::Deleted {
            not_before: None, ..
        } => record.at.second_start() == at.second_start(),
        Change::Deleted {
            not_before: Some(after),
            ..
        } => *after <= at && at <= record.at,
        Change::Written(_)
        | Change::StillThere(_)
        | Change::Labelled { .. }
        | Change::Tagged { .. }
        | Change::DeletedBy(_) => false,
    }
}

#[tokio::test]
async fn with_one_event_in_twenty_lost_a_reconciliation_makes_the_record_whole() {
    let mut dice = dice();
    let ministack = Ministack::start().unwrap();
    let control = ministack.control();
    let (world, model) = happened(&ministack, &mut dice, OPERATIONS).await;
    let lost = deliver_all(&world, &control, &mut dice, LOST).await;
    assert!(lost > 3, "only {lost} events were lost");
    let task = json!({"task": "reconcile", "path": "/"});
    let done = world.function.invoke(&task).await.unwrap();
    let done = done.response().unwrap();
    println!("{lost} events lost; {done}");

    // The present: nothing differs from what is on record, and what lives is what was written.
    let preview = [
        "preview", "/", "now", "-R", "--all", "--reveal", "--output", "json", "-q",
    ];
    let rows = world.ssmbak(&preview).await.exits(0).json();
    let live: BTreeSet<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| text(&row["Name"]).unwrap())
        .collect();
    let expected: BTreeSet<_> = model.now.keys().cloned().collect();
    assert_eq!(live, expected);
    let heads = world
        .stores
        .index
        .heads(&crate::world::under("/"))
        .await
        .unwrap();
    for row in rows.as_array().unwrap() {
        let of = text(&row["Name"]).unwrap();
        assert_eq!(row["Change"], "none", "{of}");
        assert_eq!(row["Value"], model.now[&of].value, "{of}");
        let head = &heads[&name(&of)].record;
        assert_eq!(
            row["Version"],
            json!(head.present().unwrap().version),
            "{of}"
        );
    }

    let (mut exact, mut observed) = (0, 0);
    let changes = control.changes().await.unwrap();
    let names: BTreeSet<_> = changes
        .iter()
        .map(|change| canonical(&change.name))
        .collect();
    for of in &names {
        let records = records(&world, of).await;
        // Every version that is still retained has its own time.
        let look = world.stores.parameters.history(&name(of)).await.unwrap();
        for version in look.retained.unwrap_or_default() {
            let has = |r: &&Record| {
                r.at == version.modified
                    && r.present()
                        .is_some_and(|w| w.version == Some(version.version))
            };
            assert!(
                records.iter().any(|r| has(&r)),
                "{of}: version {}",
                version.version
            );
        }
        for change in changes
            .iter()
            .filter(|c| canonical(&c.name) == *of && c.operation == "Delete")
        {
            let at = Instant::from_millis(change.time_ms);
            let told: Vec<_> = records.iter().filter(|r| tells_deletion(r, at)).collect();
            assert!(
                !told.is_empty(),
                "{of}: the deletion at {at} is not told: {records:?}"
            );
            let by_event = |r: &&&Record| {
                matches!(
                    r.change,
                    Change::Deleted {
                        not_before: None,
                        ..
                    }
                )
            };
            if told.iter().any(|r| by_event(&r)) {
                exact += 1;
            } else {
                observed += 1;
            }
        }
    }
    println!("deletions: {exact} exact, {observed} by an interval");
    // And all that is on record agrees with itself and with what lives.
    let verify = ["verify", "--values", "--output", "json"];
    let verified = world.ssmbak(&verify).await;
    assert_eq!(verified.code, 0, "{}\n{}", verified.stdout, verified.stderr);
    assert!(exact > 0);
}
