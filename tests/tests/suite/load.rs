//! Load through queue and function: nothing is lost, the queue is empty in the end, the lag is
//! told, and the function does not grow. Nothing here depends on how long it takes.
//!
//! The long form: `cargo test --workspace --test suite -- --ignored load:: --nocapture`.

use std::time::Duration;

use ssmbak_tests::load::{self, Figures, GROWN_IN_A_BURST_MAX, GROWN_STEADILY_MAX, LoadStage};

fn check(figures: &Figures, changes: usize, grown_kib_max: u64) {
    println!("{figures}");
    let faults = figures.faults(grown_kib_max);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(figures.changes, changes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_and_then_a_steady_stream_drain_and_nothing_is_lost() {
    let stage = LoadStage::set().await.unwrap();
    check(
        &load::burst(&stage, 200).await.unwrap(),
        200,
        GROWN_IN_A_BURST_MAX,
    );
    let steady = load::steady(&stage, 10, Duration::from_secs(5)).await;
    check(&steady.unwrap(), 50, GROWN_STEADILY_MAX);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute or more"]
async fn a_thousand_changes_at_once_drain_and_nothing_is_lost() {
    let stage = LoadStage::set().await.unwrap();
    check(
        &load::burst(&stage, 1_000).await.unwrap(),
        1_000,
        GROWN_IN_A_BURST_MAX,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes ten minutes"]
async fn ten_changes_a_second_for_ten_minutes_drain_and_nothing_is_lost() {
    let stage = LoadStage::set().await.unwrap();
    let steady = load::steady(&stage, 10, Duration::from_mins(10)).await;
    check(&steady.unwrap(), 6_000, GROWN_STEADILY_MAX);
}
