//! An import that dies at any call is completed by the next, and nothing is on
//! record twice.

use serde_json::Value as Json;
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::{Disturbance, Proxy, When};

use super::{Lane, Move, World, hours_ago, name, plus};
use crate::world::run;

/// What is on record of a name, as far as it does not depend on the run; each
/// value is read.
async fn on_record(moving: &Move, of: &str) -> (Vec<String>, Vec<String>, bool) {
    let base = moving.records(of).await[0].at;
    let mut told = moving.told(of, base).await;
    // The last deletion stands where its marker was put: that depends on the run.
    let last = told.pop().unwrap();
    told.push(last.split_once(' ').unwrap().1.to_owned());
    let rows = moving.world.rows().await;
    let about = |row: &&Json| row["name"] == of || row["entry"] == of;
    let mut places: Vec<String> = rows
        .iter()
        .filter(about)
        .map(|row| {
            let scope = row["scope"].as_str().unwrap().replace(of, "NAME");
            let operation = row["operation"].as_str().unwrap_or("head");
            format!("{scope} {operation}")
        })
        .collect();
    places.sort();
    let bucket = &moving.world.stores.bucket;
    (told, places, bucket.shows_value(&name(of)).await.unwrap())
}

#[tokio::test]
async fn an_import_survives_a_death_at_any_call() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let direct = Move::from(world).await;
    let base = hours_ago(5);
    let import = |of: &str| {
        let import = [
            "import",
            "--from-bucket",
            &direct.old,
            "--prefix",
            of,
            "--do-it",
        ];
        let mut command = direct.world.command(&import);
        command.env("AWS_ENDPOINT_URL", proxy.endpoint());
        command
    };
    let stored = async |number: usize| {
        let of = direct.world.own(&format!("/kill/n{number:02}"));
        direct.store(&of, "one", base).await;
        direct.store(&of, " two ", plus(base, 60)).await;
        direct.mark(&of).await;
        direct.store(&of, "three", plus(base, 300)).await;
        direct.mark(&of).await;
        of
    };
    let of = stored(0).await;
    run(import(&of)).await.exits(0);
    let undisturbed = on_record(&direct, &of).await;
    assert_eq!((undisturbed.0.len(), undisturbed.2), (5, false));
    let mut killed = 0;
    for number in 1..80 {
        let of = stored(number).await;
        proxy.reset();
        proxy.disturb(Disturbance::kill().at(number).when(When::AfterWork));
        if run(import(&of)).await.code == 0 {
            break;
        }
        killed += 1;
        // What a reader finds meanwhile has its value.
        direct.told(&of, base).await;
        proxy.reset();
        run(import(&of)).await.exits(0);
        let after = on_record(&direct, &of).await;
        assert_eq!(after, undisturbed, "killed at call {number}");
    }
    println!("an import: killed after each of {killed} calls");
    assert!((20..79).contains(&killed), "{killed}");
}
