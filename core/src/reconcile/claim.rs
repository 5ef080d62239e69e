//! What a reconciliation claims to know from then on: coverage, as a fact and as a row.

use std::collections::BTreeSet;

use crate::domain::coverage::{Coverage, Covered, Interval, after_reconciliation, after_surprise};
use crate::domain::{Instant, Path, keys, stored};
use crate::store::{ErrorKind, StoreError, Stores};

/// Coverage that another reconciliation changes at the same time is tried again
/// this often.
const MOST_COVERAGE_RACES: usize = 8;

/// Ends what is claimed to be known of names under `path`.
pub(super) async fn close_coverage(stores: &Stores, path: &Path) -> Result<(), StoreError> {
    change_coverage(stores, &|before| after_surprise(before, path)).await
}

/// Begins coverage of `path` at `started`, or lets it go on.
pub(super) async fn cover(
    stores: &Stores,
    path: &Path,
    started: Instant,
) -> Result<(), StoreError> {
    let after = |before: &Coverage| vec![after_reconciliation(before, path, started)];
    change_coverage(stores, &after).await
}

/// Applies a change to the coverage as it is when it is written: another
/// reconciliation may run at the same time. The fact first, then the row: the
/// journal alone rebuilds the index.
async fn change_coverage(
    stores: &Stores,
    change: &(dyn Fn(&Coverage) -> Vec<Covered> + Sync),
) -> Result<(), StoreError> {
    // Paths whose fact was written and whose row was not: a fact must follow
    // that says what the row says.
    let mut raced = BTreeSet::new();
    for _ in 0..MOST_COVERAGE_RACES {
        let before = stores.index.coverage().await?;
        let lost = std::mem::take(&mut raced);
        for (path, intervals) in change(&before) {
            let old = before.of(&path);
            if old == intervals && !lost.contains(&path) {
                continue;
            }
            put_coverage_fact(stores, &path, old, &intervals).await?;
            if !stores.index.put_coverage(&path, old, &intervals).await? {
                raced.insert(path);
            }
        }
        if raced.is_empty() {
            return Ok(());
        }
    }
    Err(StoreError::new(
        "write the coverage",
        ErrorKind::Throttled,
        "other reconciliations kept changing it",
    ))
}

async fn put_coverage_fact(
    stores: &Stores,
    path: &Path,
    before: &[Interval],
    intervals: &[Interval],
) -> Result<(), StoreError> {
    let finished = stores.now();
    let fact = stored::CoverageFact {
        format: stored::FIRST_FORMAT,
        path: path.clone(),
        finished,
        before: before.to_vec(),
        intervals: intervals.to_vec(),
    };
    let id = uuid::Uuid::new_v4().to_string();
    let key = keys::coverage_fact_key(path, finished, &id);
    stores.bucket.put_fact(&key, stored::to_fact(&fact)?).await
}
