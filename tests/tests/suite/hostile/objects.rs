//! Objects in the bucket that somebody who may write to it has put there.

use aws_sdk_s3::primitives::ByteStream;
use serde_json::Value as Json;
use ssmbak_core::domain::{Pointer, keys};
use ssmbak_core::store::ErrorKind;

use super::measured;
use crate::world::{Lane, World, now, run};

const HUGE: usize = 100 * 1024 * 1024;
const MOST_MIB: u64 = 96;

async fn put(world: &World, key: &str, body: Vec<u8>) -> String {
    let put = world
        .s3
        .put_object()
        .bucket(&world.location.bucket)
        .key(key);
    let put = put.body(ByteStream::from(body)).send().await.unwrap();
    put.version_id.unwrap()
}

/// What each command that reads the journal makes of an object at a key of it.
async fn is_named(world: &World, key: &str, says: &str) {
    let later = now().plus_millis(600_000).to_string();
    for words in [&["verify", "/t/"][..], &["rebuild", "--do-it"]] {
        let mut command = world.command(words);
        command.env("SSMBAK_TEST_NOW", &later);
        let (answer, mib) = measured(&command).await;
        assert_ne!(answer.code, 0, "{words:?}: {answer:?}");
        let told = format!("{}{}", answer.stdout, answer.stderr);
        assert!(told.contains(key), "{words:?}: {answer:?}");
        assert!(told.contains(says), "{words:?}, {says}: {answer:?}");
        assert!(!told.contains("hunter2"), "{words:?}: {answer:?}");
        assert!(!told.contains("panicked"), "{words:?}: {answer:?}");
        assert!(mib < MOST_MIB, "{words:?}: {mib} MiB");
    }
}

#[tokio::test]
async fn an_object_of_the_journal_that_is_none_is_named_and_not_held() {
    let world = World::emulated(Lane::Ministack, "objects to tamper with").await;
    world.write("/t/one", "1").await;
    let of = keys::journal_key_of(&crate::world::name("/t/one"), now(), "x");
    for (body, says) in [
        (vec![b' '; HUGE], "more than"),
        (br#"{"format":3,"novel":"hunter2"}"#.to_vec(), "format 3"),
        (
            br#"{"format":1,"name":"/t/one","hunter2"#.to_vec(),
            "line 1, column",
        ),
        ("[".repeat(200_000).into_bytes(), "line 1, column"),
        (br#"{"format":1}"#.to_vec(), "line 1, column"),
        (Vec::new(), "line 1, column"),
    ] {
        let version = put(&world, &of, body).await;
        is_named(&world, &of, says).await;
        let delete = world.s3.delete_object().bucket(&world.location.bucket);
        delete.key(&of).version_id(version).send().await.unwrap();
        // What was begun is finished once it is gone.
        let mut command = world.command(&["rebuild", "--do-it"]);
        command.env("SSMBAK_TEST_NOW", now().plus_millis(600_000).to_string());
        run(command).await.exits(0);
    }
}

#[tokio::test]
async fn a_value_of_more_than_a_parameter_can_have_is_refused_and_not_held() {
    let world = World::emulated(Lane::Ministack, "objects to tamper with").await;
    let key = "/t/value";
    let pointer = |version_id| Pointer {
        bucket: world.location.bucket.clone(),
        key: key.into(),
        version_id,
    };
    let fits = put(&world, key, vec![b'x'; 1 << 20]).await;
    assert!(world.stores.bucket.value(&pointer(fits)).await.is_ok());
    let long = put(&world, key, vec![b'x'; (1 << 20) + 1]).await;
    let refused = world.stores.bucket.value(&pointer(long)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Format);
    assert!(
        refused.to_string().contains("more than 1048576"),
        "{refused}"
    );
    let wild = put(&world, key, b"\xff\xfe".to_vec()).await;
    let refused = world.stores.bucket.value(&pointer(wild)).await.unwrap_err();
    assert!(refused.to_string().contains("UTF-8"), "{refused}");
}

#[tokio::test]
async fn a_record_that_a_capture_finds_at_its_key_is_not_held_either() {
    let world = World::emulated(Lane::Ministack, "objects to tamper with").await;
    world.put("/t/one", "1").await;
    let at = world.written("/t/one").await;
    let of = keys::journal_key_of(&crate::world::name("/t/one"), at, "v0000000001");
    put(&world, &of, vec![b' '; 2 << 20]).await;
    let event = ssmbak_tests::events::parameter_event("/t/one", "Create", at.millis());
    assert_eq!(world.deliver(&[event]).await, 1, "not captured, and told");
    let log = world.function.logs().join("\n");
    assert!(log.contains("more than 1048576"), "{log}");
    let rows = world.rows().await;
    let about = |row: &&Json| row["scope"] != "@meta";
    assert_eq!(rows.iter().find(about), None, "no row without its record");
}
