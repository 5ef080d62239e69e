//! What previews of many names cost: more of them than an emulator can be filled with in
//! reasonable time, so the stores are canned.

use std::collections::BTreeMap;
use std::time::Duration;

use ssmbak_tests::canned::CannedStores;
use ssmbak_tests::emulator::REGION;

use super::super::world::{bare_command, run};
use super::{at_most, with_few_changes};

/// The calls of a preview, and how many names differ.
async fn preview(canned: &CannedStores, path: &str, at: &str) -> (BTreeMap<String, usize>, usize) {
    canned.take_calls();
    let mut preview = vec!["preview", path, at, "--output", "json"];
    preview.extend(path.ends_with('/').then_some("-R"));
    let mut command = bare_command(&preview);
    command
        .args(["--bucket", "canned", "--table", "canned"])
        .env("AWS_ENDPOINT_URL", canned.endpoint())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", REGION);
    let rows = run(command).await.exits(0).json();
    (canned.take_calls(), rows.as_array().unwrap().len())
}

#[tokio::test]
async fn where_all_of_many_names_changed_the_newest_records_are_read_by_their_path() {
    const NAMES: usize = 600;
    let canned = CannedStores::start(NAMES, 4, Duration::ZERO).unwrap();
    let (counts, differ) = preview(&canned, "/scale/", &canned.in_the_middle().to_string()).await;
    assert_eq!(differ, NAMES);
    let total = counts.values().sum::<usize>();
    assert!(total <= at_most(NAMES, NAMES), "{total}: {counts:?}");
    // Coverage with the format, heads, and one page of the path; then rows by their keys.
    assert_eq!(counts["Query"], 3, "{counts:?}");
    assert_eq!(counts["TransactGetItems"], NAMES.div_ceil(25), "{counts:?}");
    // A few are asked for one by one.
    let (counts, differ) =
        preview(&canned, "/scale/", &canned.before_the_last(20).to_string()).await;
    assert_eq!(differ, 20);
    assert_eq!(counts["Query"], 2 + 20, "{counts:?}");
    assert!(
        counts.values().sum::<usize>() <= with_few_changes(NAMES, 20),
        "{counts:?}"
    );
}

#[tokio::test]
async fn of_one_name_with_a_hundred_versions_four_calls_tell_all() {
    let canned = CannedStores::start(120, 100, Duration::ZERO).unwrap();
    let one = canned.version(119, 1).0;
    for at in [
        canned.before_the_last(0),
        canned.before_the_last(1),
        canned.in_the_middle(),
    ] {
        let (counts, differ) = preview(&canned, &one, &at.to_string()).await;
        assert_eq!(differ, usize::from(at < canned.before_the_last(0)));
        assert!(counts.values().sum::<usize>() <= 4, "{counts:?}");
    }
}
