//! The reconciliation that the stack starts by itself.

use std::time::Duration;

use ssmbak_tests::binaries;
use ssmbak_tests::emulator::{Delivery, Ministack};

use super::column;
use crate::world::{World, run};

/// The emulator invokes in the background.
const PATIENCE: Duration = Duration::from_mins(2);

#[tokio::test]
async fn what_no_event_told_is_found_by_the_schedule() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let ssmbak = async |arguments: &[&str]| {
        let mut command = world.command(arguments);
        command
            .env_remove("SSMBAK_BUCKET")
            .env_remove("SSMBAK_TABLE");
        run(command).await.exits(0)
    };
    let zip = binaries::function_zip();
    let zip = zip.to_str().unwrap();
    ssmbak(&["stack", "daily", "create", "--function-zip", zip]).await;
    let control = ministack.control();
    let lost = Delivery {
        drop: Some(1.0),
        ..Delivery::default()
    };
    control.set_delivery(&lost).await.unwrap();
    world.put("/quiet/a", "x").await;
    world.put("/quiet/a", "y").await;
    let history = [
        "history", "/quiet/a", "--stack", "daily", "--output", "json",
    ];
    assert_eq!(ssmbak(&history).await.stdout.trim(), "[]");

    assert_eq!(control.fire_schedules().await.unwrap(), 1);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let told = loop {
        let told = ssmbak(&history).await.json();
        if told.as_array().unwrap().len() == 2 {
            break told;
        }
        assert!(tokio::time::Instant::now() < deadline, "{told}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(column(&told, "Operation"), ["Update", "Create"]);
    assert_eq!(column(&told, "Source"), ["reconcile", "reconcile"]);
}
