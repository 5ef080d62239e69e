//! 1: unknown is never absent.

use ssmbak_core::domain::coverage::Interval;
use ssmbak_core::domain::{Instant, Path, Source};
use ssmbak_core::reconcile::{SeedReport, reconcile};
use ssmbak_core::store::{Clock, Stores};

use crate::world::{Lane, World, mark, name, now};

/// Every instant of `path` is covered.
async fn cover_always(world: &World, path: &str) {
    let always = Interval {
        from: Instant::EARLIEST,
        to: None,
        confirmed: Instant::EARLIEST,
    };
    let path = Path::parse(path).unwrap();
    let index = &world.stores.index;
    assert!(index.put_coverage(&path, &[], &[always]).await.unwrap());
}

#[tokio::test]
async fn a_first_captured_update_of_an_old_parameter_never_leads_to_a_deletion() {
    let world = World::emulated(Lane::Ministack, "a hundred quick writes").await;
    let path = &world.own("/old/");
    let of = &format!("{path}db");
    cover_always(&world, path).await;
    let before_all = mark().await;
    world.put(of, "0").await;
    let after_first = mark().await;
    // Parameter Store keeps a hundred versions: the first seven are gone.
    for number in 1..107 {
        world.put(of, &number.to_string()).await;
    }
    world.tell(of, "Update", world.written(of).await).await;
    for at in [before_all, after_first] {
        let at = at.to_string();
        let preview = ["preview", of, &at, "--output", "json"];
        let answer = world.ssmbak(&preview).await.exits(4);
        assert!(answer.stderr.contains("hint: the nearest known instant is"));
        for target in [of, path] {
            let restore = ["restore", target, &at, "-R", "--yes"];
            let answer = world.ssmbak(&restore).await;
            assert_ne!(answer.code, 0, "{answer:?}");
            assert_eq!(world.version(of).await, 107);
        }
    }
}

#[tokio::test]
async fn what_is_older_than_its_coverage_is_unknown_and_what_is_younger_was_absent() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/age/");
    let (old, new) = (&format!("{path}old"), &format!("{path}new"));
    let before_coverage = mark().await.to_string();
    world.put(old, "x").await;
    world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
    let in_coverage = mark().await.to_string();
    world.write(new, "x").await;
    let restore = ["restore", path, &before_coverage, "--yes"];
    let answer = world.ssmbak(&restore).await;
    assert!([3, 4].contains(&answer.code), "{answer:?}");
    assert!(world.live(old).await.is_some() && world.live(new).await.is_some());
    let restore = ["restore", path, &in_coverage, "--yes"];
    world.ssmbak(&restore).await.exits(0);
    assert!(world.live(old).await.is_some() && world.live(new).await.is_none());
}

/// A reconciliation whose present is `clock`'s.
async fn reconcile_at(world: &World, path: &Path, clock: Clock) -> SeedReport {
    let stores = Stores {
        clock,
        ..world.stores.clone()
    };
    let report = reconcile(&stores, path, true, Source::Reconcile, &|_, _| {}).await;
    let report = report.unwrap();
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    report
}

#[tokio::test]
async fn a_change_or_deletion_that_no_event_told_leaves_no_certainty_behind() {
    let world = World::on(Lane::Ministack).await;
    let path = Path::parse(&world.own("/quiet/")).unwrap();
    let (kept, gone) = (world.own("/quiet/kept"), world.own("/quiet/gone"));
    let covered = || async {
        let coverage = world.stores.index.coverage().await.unwrap();
        coverage.covers(&name(&gone), now())
    };
    world.put(&gone, "x").await;
    reconcile_at(&world, &path, now).await;
    assert!(covered().await);
    // Written an hour ago as this reconciliation sees it: an event is overdue.
    world.put(&kept, "x").await;
    let report = reconcile_at(&world, &path, || now().plus_millis(3_600_000)).await;
    assert_eq!((report.versions, report.deletions), (1, 0));
    assert!(!covered().await);

    let again = Path::parse(&world.own("/")).unwrap();
    reconcile_at(&world, &again, now).await;
    assert!(covered().await);
    world.delete(&gone).await;
    let report = reconcile_at(&world, &path, || now().plus_millis(7_200_000)).await;
    assert_eq!(report.deletions, 1);
    assert!(!covered().await, "the path above still claims to know");
}
