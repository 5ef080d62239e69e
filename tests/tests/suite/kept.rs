//! What the bucket keeps: object versions that nobody can delete, and what becomes of a restore
//! where versions have gone.
//!
//! No emulator sets Object Lock through `CloudFormation`, nor expires anything: the lock is set
//! through S3 itself, and what a lifecycle rule would delete is deleted by hand.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{
    DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode,
    ObjectLockRule,
};
use serde_json::json;
use ssmbak_core::domain::{Instant, Pointer};

use super::world::{Lane, World, mark, name, next_second};

const LANES: [Lane; 2] = [Lane::Ministack, Lane::Moto];

/// Locks every object version from now on for `days`.
async fn lock(world: &World, mode: ObjectLockRetentionMode, days: i32) {
    let retention = DefaultRetention::builder().mode(mode).days(days).build();
    let configuration = ObjectLockConfiguration::builder()
        .object_lock_enabled(ObjectLockEnabled::Enabled)
        .rule(
            ObjectLockRule::builder()
                .default_retention(retention)
                .build(),
        )
        .build();
    let put = world.s3.put_object_lock_configuration();
    let put = put.bucket(&world.location.bucket);
    put.object_lock_configuration(configuration)
        .send()
        .await
        .unwrap();
}

/// Where the values of a name are kept, oldest first.
async fn pointers(world: &World, of: &str) -> Vec<Pointer> {
    let of = name(of);
    let all = world
        .stores
        .index
        .between(&of, Instant::EARLIEST, Instant::LATEST);
    let records = all.await.unwrap();
    let kept = records
        .iter()
        .filter_map(|r| r.present()?.value.pointer().cloned());
    kept.collect()
}

/// Deletes one version of an object; if refused, tells the code.
async fn delete_version(world: &World, key: &str, version_id: &str) -> Result<(), String> {
    let delete = world.s3.delete_object().bucket(&world.location.bucket);
    let deleted = delete.key(key).version_id(version_id).send().await;
    deleted
        .map(|_| ())
        .map_err(|error| error.code().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn locked_versions_and_journal_entries_cannot_be_deleted_and_everything_else_works() {
    for lane in LANES {
        for mode in [
            ObjectLockRetentionMode::Governance,
            ObjectLockRetentionMode::Compliance,
        ] {
            let world = World::emulated(lane, "a locked bucket would stay").await;
            lock(&world, mode, 1).await;
            let of = &world.own("/app/db");
            world.write(of, "then").await;
            let at = &mark().await.to_string();
            world.write(of, "now").await;
            world.erase(of).await;

            let versions = world
                .s3
                .list_object_versions()
                .bucket(&world.location.bucket);
            let versions = versions.send().await.unwrap();
            let objects: Vec<_> = versions.versions().iter().collect();
            // Two values, and an entry for each of them and for the deletion.
            let keys = |prefix| {
                objects
                    .iter()
                    .filter(|one| one.key().unwrap().starts_with(prefix))
                    .count()
            };
            assert_eq!((keys("/"), keys("_ssmbak/journal/")), (2, 3), "{lane:?}");
            for object in &objects {
                let (key, version) = (object.key().unwrap(), object.version_id().unwrap());
                let refused = delete_version(&world, key, version).await;
                assert_eq!(refused, Err("AccessDenied".into()), "{lane:?}: {key}");
            }
            next_second().await;
            world.ssmbak(&["restore", of, at]).await.exits(0);
            assert_eq!(world.live(of).await.as_deref(), Some("then"), "{lane:?}");
        }
    }
}

#[tokio::test]
async fn what_has_expired_in_the_bucket_is_said_so_and_holds_nothing_else_up() {
    for lane in LANES {
        let world = World::on(lane).await;
        let path = &world.own("/app/");
        let (gone, kept) = (&format!("{path}gone"), &format!("{path}kept"));
        for of in [gone, kept] {
            world.write(of, "before").await;
            world.write(of, "then").await;
        }
        let at = &mark().await.to_string();
        // Created again, it has none of its versions in Parameter Store either.
        world.erase(gone).await;
        next_second().await;
        let next = world.write(gone, "now").await;
        world.write(kept, "now").await;
        for expired in &pointers(&world, gone).await[..2] {
            let deleted = delete_version(&world, &expired.key, &expired.version_id);
            deleted.await.unwrap();
        }

        let preview = ["preview", path, at, "-R", "--output", "json"];
        let told = world.ssmbak(&preview).await.exits(3);
        let row = &told.json()[0];
        assert_eq!(
            (&row["Value"], &row["ValueState"]),
            (&json!(null), &json!("lost"))
        );
        let why = "its value is no longer in the bucket: it has expired there, or was deleted";
        assert!(told.stderr.contains(why), "{told:?}");
        assert!(!told.stderr.contains("hint:"), "nothing mends it: {told:?}");

        let restored = world
            .ssmbak(&["restore", path, at, "-R", "--output", "json"])
            .await
            .exits(3);
        let rows = restored.json();
        assert_eq!(rows[0]["Outcome"], "failed");
        // The one before it is gone, so only the one after it is named.
        let reason = format!("{why}; the nearest instant with a value: {next}");
        assert_eq!(rows[0]["Reason"], reason);
        assert_eq!(rows[1]["Outcome"], "restored", "{lane:?}");
        assert_eq!(world.live(gone).await.as_deref(), Some("now"));
        assert_eq!(world.live(kept).await.as_deref(), Some("then"));

        let shown = world.ssmbak(&["show", gone, at]).await.exits(1);
        assert!(shown.stderr.contains(why), "{shown:?}");
    }
}
