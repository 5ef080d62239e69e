//! What a reconciliation claims to know from then on: coverage, as a fact and as a row.

use crate::domain::coverage::{Coverage, Covered, Interval, after_reconciliation, after_surprise};
use crate::domain::{Instant, Path, stored};
use crate::store::{ErrorKind, StoreError, Stores};

/// Most steps of coverage that other reconciliations took and that this one comes after. More than
/// a few there are only where the table was set back to an earlier day.
const MOST_STEPS: usize = 1_000;

/// Ends what is claimed to be known of names under `path`.
pub(super) async fn close_coverage(stores: &Stores, path: &Path) -> Result<(), StoreError> {
    change_coverage(stores, &|before| after_surprise(before, path)).await
}

/// Begins coverage of `path` at `started`, or lets it go on; not where another reconciliation has
/// ended or begun it since: what was compared at `started` is no ground to claim anything then.
pub(super) async fn cover(
    stores: &Stores,
    path: &Path,
    started: Instant,
) -> Result<(), StoreError> {
    let after = |before: &Coverage| {
        let stands = !before.changed_since(path, started);
        let after = stands.then(|| after_reconciliation(before, path, started));
        after.into_iter().collect()
    };
    change_coverage(stores, &after).await
}

/// Applies a change to the coverage as it is when it is written: another
/// reconciliation may run at the same time. The fact first, then the row: the
/// journal alone rebuilds the index.
///
/// One fact follows another. Where one is there already, of a writer that was
/// faster or that died before it wrote the row, it counts: its row is written,
/// and the change is applied to that.
async fn change_coverage(
    stores: &Stores,
    change: &(dyn Fn(&Coverage) -> Vec<Covered> + Sync),
) -> Result<(), StoreError> {
    for _ in 0..MOST_STEPS {
        let before = stores.index.coverage().await?;
        let mut done = true;
        for (path, intervals) in change(&before) {
            let old = before.of(&path);
            if old == intervals {
                continue;
            }
            let told = put_coverage_fact(stores, &path, old, &intervals).await?;
            let written = stores.index.put_coverage(&path, old, &told).await?;
            done &= written && told == intervals;
        }
        if done {
            return Ok(());
        }
    }
    Err(StoreError::new(
        "write the coverage",
        ErrorKind::Throttled,
        "other reconciliations kept changing it",
    ))
}

/// Writes what follows `before`; returns what follows it, which another writer may have told.
async fn put_coverage_fact(
    stores: &Stores,
    path: &Path,
    before: &[Interval],
    intervals: &[Interval],
) -> Result<Vec<Interval>, StoreError> {
    let fact = stored::CoverageFact {
        format: stored::FIRST_FORMAT,
        path: path.clone(),
        finished: stores.now(),
        before: before.to_vec(),
        intervals: intervals.to_vec(),
    };
    let existing = stores.bucket.put_coverage_fact(&fact).await?;
    Ok(existing.unwrap_or(fact).intervals)
}
