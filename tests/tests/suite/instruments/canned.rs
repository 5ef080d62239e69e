//! The canned stores answer as the emulator does: else what is measured on them
//! tells nothing.

use std::time::Duration;

use serde_json::Value as Json;
use ssmbak_tests::canned::CannedStores;
use ssmbak_tests::emulator::{Ministack, REGION};

use crate::world::{World, bare_command, run};

const NAMES: usize = 60;
const VERSIONS: usize = 3;

/// The rows without the user, who is another one there.
fn rows(answer: &str) -> Vec<Json> {
    let mut rows: Vec<Json> = serde_json::from_str(answer).unwrap();
    for row in &mut rows {
        row.as_object_mut().unwrap().remove("ModifiedBy");
    }
    rows
}

#[tokio::test]
async fn a_preview_of_the_canned_stores_is_that_of_the_emulator() {
    let canned = CannedStores::start(NAMES, VERSIONS, Duration::ZERO).unwrap();
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let control = ministack.control();
    for version in 1..=VERSIONS {
        for number in 0..NAMES {
            let (name, at, value) = canned.version(number, version);
            control.set_clock(at.millis()).await.unwrap();
            world.put(&name, &value).await;
        }
        // Tags are known of the versions that live when they are captured.
        let seed = ["seed", "/scale/", "--do-it", "--tags"];
        world.ssmbak(&seed).await.exits(0);
    }
    let instants = [
        (canned.before_the_last(0), 0),
        (canned.before_the_last(7), 7),
        (canned.in_the_middle(), NAMES),
    ];
    for (at, changed) in instants {
        for (path, most) in [
            ("/scale/", NAMES),
            ("/scale/g0001/", 10),
            ("/scale/g0001/p09", 1),
        ] {
            for trusting in [false, true] {
                let at = at.to_string();
                let mut preview = vec!["preview", path, &at, "--output", "json"];
                preview.extend(path.ends_with('/').then_some("-R"));
                preview.extend(trusting.then_some("--trust-index"));
                let there = world.ssmbak(&preview).await.exits(0);
                let mut command = bare_command(&preview);
                command
                    .args(["--bucket", "canned", "--table", "canned"])
                    .env("AWS_ENDPOINT_URL", canned.endpoint())
                    .env("AWS_ACCESS_KEY_ID", "test")
                    .env("AWS_SECRET_ACCESS_KEY", "test")
                    .env("AWS_REGION", REGION);
                let here = run(command).await.exits(0);
                assert_eq!(rows(&here.stdout), rows(&there.stdout), "{preview:?}");
                assert_eq!(rows(&here.stdout).len(), changed.min(most), "{preview:?}");
            }
        }
    }
}
