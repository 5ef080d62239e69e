//! A reconciliation that runs out of time is gone on with, as the same one.

use std::sync::atomic::{AtomicI64, Ordering};

use ssmbak_core::domain::{Instant, Path, Source};
use ssmbak_core::reconcile::{SeedReport, reconcile, reconcile_until};
use ssmbak_core::store::Stores;
use ssmbak_tests::emulator::{Ministack, sdk_config};
use ssmbak_tests::proxy::Proxy;

use crate::world::{Lane, World, name, now};

/// The present of the reconciliations here; each name captured takes a second of it.
static PRESENT_MS: AtomicI64 = AtomicI64::new(0);

fn present() -> Instant {
    Instant::from_millis(PRESENT_MS.load(Ordering::SeqCst))
}

/// Reconciles with time for about `seconds` names.
async fn reconcile_for(stores: &Stores, path: &Path, seconds: i64) -> SeedReport {
    let until = present().plus_millis(seconds * 1_000);
    let takes_time = |_: &_, _| {
        PRESENT_MS.fetch_add(1_000, Ordering::SeqCst);
    };
    let report = reconcile_until(stores, path, until, Source::Reconcile, &takes_time).await;
    report.unwrap()
}

#[tokio::test]
async fn what_was_left_is_captured_without_listing_again_and_coverage_begins_at_the_first_start() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let path = &Path::parse(&world.own("/many/")).unwrap();
    for number in 0..40 {
        world.put(&format!("{path}{number:02}"), "x").await;
    }
    let counted = sdk_config(&proxy.endpoint(), &world.account).await;
    PRESENT_MS.store(now().millis(), Ordering::SeqCst);
    let started = present();
    let stores = Stores::new(&counted, world.location.clone(), present);

    let first = reconcile_for(&stores, path, 12).await;
    assert!(first.failures.is_empty(), "{:?}", first.failures);
    assert!((1..=28).contains(&first.left), "{first:?}");
    assert_eq!(first.versions + first.left, 40);
    let of = name(&format!("{path}nobody"));
    assert!(
        !stores
            .index
            .coverage()
            .await
            .unwrap()
            .covers(&of, present()),
        "unfinished"
    );

    let listed = proxy.count("ssm:DescribeParameters");
    assert!(listed > 0);
    let second = reconcile_for(&stores, path, 1_000).await;
    assert_eq!((second.left, second.versions), (0, first.left));
    assert_eq!(
        proxy.count("ssm:DescribeParameters"),
        listed,
        "compared once"
    );
    let coverage = stores.index.coverage().await.unwrap();
    assert!(coverage.covers(&of, started));
    assert!(!coverage.covers(&of, started.plus_millis(-1)));

    let third = reconcile_for(&stores, path, 1_000).await;
    assert_eq!(
        (third.parameters, third.already, third.versions),
        (40, 40, 0)
    );
    assert!(
        proxy.count("ssm:DescribeParameters") > listed,
        "compared anew"
    );
}

/// A present that goes on with each look at it, as it does where a listing takes long.
static TICKING_MS: AtomicI64 = AtomicI64::new(0);

fn ticking() -> Instant {
    Instant::from_millis(TICKING_MS.fetch_add(1_000, Ordering::SeqCst))
}

#[tokio::test]
async fn a_deletion_is_observed_by_the_look_that_missed_it_not_by_the_start_of_the_listing() {
    let world = World::on(Lane::Ministack).await;
    let path = &Path::parse(&world.own("/slow/")).unwrap();
    let of = format!("{path}gone");
    world.write(&of, "x").await;
    world.delete(&of).await;
    let begins = now().plus_millis(1_000);
    TICKING_MS.store(begins.millis(), Ordering::SeqCst);
    let stores = Stores {
        clock: ticking,
        ..world.stores.clone()
    };
    let report = reconcile(&stores, path, true, Source::Reconcile, &|_, _| {}).await;
    assert_eq!(report.unwrap().deletions, 1);
    let newest = stores.index.newest_until(&name(&of), Instant::LATEST).await;
    let deletion = newest.unwrap().unwrap();
    assert!(deletion.is_deletion());
    // The first tick is the start of the listing.
    assert!(
        deletion.at > begins,
        "{} is no later than {begins}",
        deletion.at
    );
}
