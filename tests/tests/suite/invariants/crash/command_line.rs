//! A seed and a restore that are killed after each of their calls in turn, and run again.

use super::*;
use crate::world::{mark, next_second, under};

/// Kills the command after its `number`th call; whether it got that far.
async fn is_killed(world: &World, proxy: &Proxy, number: usize, arguments: &[&str]) -> bool {
    proxy.reset();
    proxy.disturb(Disturbance::kill().at(number).when(When::AfterWork));
    let answer = world.ssmbak(arguments).await;
    proxy.reset();
    assert!([0, -1].contains(&answer.code), "{answer:?}");
    answer.code == -1
}

/// All that is on record of the names under `path`, as far as it does not depend on the run.
async fn all_on_record(world: &World, path: &str, leaves: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for leaf in leaves {
        let of = format!("{path}{leaf}");
        let told = on_record(world, &of).await;
        all.push(format!("{told:?}").replace(path, "PATH"));
    }
    all
}

#[tokio::test]
async fn a_seed_survives_a_death_at_any_call() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy")
        .await
        .behind(&proxy);
    let leaves = ["a", "b"];
    let mut undisturbed = None;
    let mut killed = 0;
    for number in 0..80 {
        let path = format!("/seed/n{number:02}/");
        for value in ["one", " two "] {
            world.put(&format!("{path}a"), value).await;
        }
        world.put(&format!("{path}b"), "x").await;
        let seed = ["seed", &path, "--do-it"];
        let was_killed = number > 0 && is_killed(&world, &proxy, number, &seed).await;
        // Whatever is on record by now can be read.
        values_of(&world, &world.rows().await).await;
        world.ssmbak(&seed).await.exits(0);
        let after = all_on_record(&world, &path, &leaves).await;
        match &undisturbed {
            None => undisturbed = Some(after),
            Some(undisturbed) => assert_eq!(&after, undisturbed, "killed at call {number}"),
        }
        let coverage = world.stores.index.coverage().await.unwrap();
        assert!(coverage.covers(&name(&format!("{path}c")), now()));
        if number > 0 && !was_killed {
            break;
        }
        killed += usize::from(was_killed);
    }
    println!("seed: killed after each of {killed} calls");
    assert!((10..79).contains(&killed), "{killed}");
}

/// Three parameters to be written, deleted and created again, of which the one that is to be
/// overwritten is not on record; returns the instant to go back to.
async fn changed(world: &World, path: &str) -> Instant {
    let of = |leaf: &str| format!("{path}{leaf}");
    world.write(&of("changed"), "then").await;
    world.write(&of("gone"), "then").await;
    world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
    let at = mark().await;
    world.put(&of("changed"), "now").await;
    world.put(&of("new"), "now").await;
    world.erase(&of("gone")).await;
    next_second().await;
    at
}

#[tokio::test]
async fn a_restore_survives_a_death_at_any_call() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy")
        .await
        .behind(&proxy);
    let mut killed = 0;
    for number in 1..120 {
        let path = format!("/restore/n{number:03}/");
        let at = changed(&world, &path).await.to_string();
        let restore = ["restore", &path, &at, "-R", "--yes"];
        let was_killed = is_killed(&world, &proxy, number, &restore).await;
        values_of(&world, &world.rows().await).await;
        world.ssmbak(&restore).await.exits(0);
        for (leaf, value) in [
            ("changed", Some("then")),
            ("gone", Some("then")),
            ("new", None),
        ] {
            let live = world.live(&format!("{path}{leaf}")).await;
            assert_eq!(live.as_deref(), value, "{leaf}, killed at call {number}");
        }
        // Written once, and what was overwritten or deleted can be had back.
        assert_eq!(world.version(&format!("{path}changed")).await, 3);
        assert_eq!(world.version(&format!("{path}gone")).await, 1);
        for leaf in ["changed", "new"] {
            let of = name(&format!("{path}{leaf}"));
            let all = world
                .stores
                .index
                .between(&of, Instant::EARLIEST, Instant::LATEST);
            let kept: Vec<Json> = all.await.unwrap().iter().filter_map(pointer_of).collect();
            let values = values_of(&world, &kept).await;
            assert!(
                values.contains(&"now".to_owned()),
                "{leaf}, killed at call {number}"
            );
        }
        // Nothing differs any more.
        let preview = ["preview", &path, &at, "-R", "--exit-code"];
        world.ssmbak(&preview).await.exits(0);
        if !was_killed {
            break;
        }
        killed += 1;
    }
    println!("restore: killed after each of {killed} calls");
    assert!((20..119).contains(&killed), "{killed}");
    let live = world
        .stores
        .parameters
        .list(&under("/restore/"))
        .await
        .unwrap();
    assert_eq!(live.len(), 2 * (killed + 1));
}

fn pointer_of(record: &Record) -> Option<Json> {
    let pointer = record.present()?.value.pointer()?;
    Some(serde_json::json!({
        "bucket": pointer.bucket, "key": pointer.key, "versionId": pointer.version_id,
    }))
}
