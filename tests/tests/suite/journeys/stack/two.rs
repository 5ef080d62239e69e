//! Stacks live side by side.

use ssmbak_tests::emulator::Ministack;

use super::*;

#[tokio::test]
async fn two_stacks_each_capture_every_change_and_know_nothing_of_each_other() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    for stack in ["one", "two"] {
        create(&world, stack).await.exits(0);
    }
    let mut places = Vec::new();
    for stack in ["one", "two"] {
        let bucket = one(&world, stack, "bucketname").await;
        places.push((bucket, one(&world, stack, "tablename").await));
    }
    assert_ne!(places[0].0, places[1].0);
    assert_ne!(places[0].1, places[1].1);

    world.put("/two/a", "1").await;
    world.put("/two/a", "2").await;
    world.put("/two/b", "1").await;
    let changes = ["Create", "Create", "Update"];
    for stack in ["one", "two"] {
        captured(&world, stack, "/two/", &changes).await;
    }

    delete(&world, "one").await.exits(0);
    world.put("/two/c", "1").await;
    captured(
        &world,
        "two",
        "/two/",
        &["Create", "Create", "Create", "Update"],
    )
    .await;
    let (bucket, table) = &places[0];
    let kept = [
        "history", "/two/", "-R", "--bucket", bucket, "--table", table,
    ];
    let kept = ssmbak(&world, &[&kept[..], &["--output", "json"]].concat()).await;
    let kept = kept.exits(0).json();
    let mut operations = column(&kept, "Operation");
    operations.sort_unstable();
    assert_eq!(operations, changes);
}
