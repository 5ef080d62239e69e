//! Reconcile: what lives under a path against the heads; every difference is
//! captured. From the command line it is also the first seeding.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use crate::capture::{capture, record_observed_deletion};
use crate::domain::coverage::{Coverage, Interval, after_reconciliation};
use crate::domain::decide::{STALE_READ_MS, observed_deletion};
use crate::domain::state::is_recorded_as;
use crate::domain::{Instant, Name, Path, Record, Source, Target, keys, stored};
use crate::store::{Heads, StoreError, Stores};

/// How many names are captured at once.
const NAMES_AT_ONCE: usize = 8;
/// A name that the listing missed is looked at again after this long.
const SECOND_LOOK_AFTER_MS: u64 = 2_000;

/// What a reconciliation found, and did if it was to.
#[derive(Debug, Default)]
pub struct SeedReport {
    /// Parameters that live under the path.
    pub parameters: usize,
    /// Versions put on record; in a dry run: parameters whose newest version
    /// is not.
    pub versions: usize,
    /// Parameters whose newest version was on record already.
    pub already: usize,
    /// Deletions put on record that no event had told.
    pub deletions: usize,
    /// What could not be captured, and why.
    pub failures: Vec<(Name, String)>,
}

/// Captures what lives under `path` and its retained history; where nothing
/// failed, coverage of the path begins or goes on.
///
/// `progress` is told each captured name with the number of its records. With
/// `do_it` false nothing is written, and it is told each name that would be
/// captured, with 0.
pub async fn seed(
    stores: &Stores,
    path: &Path,
    do_it: bool,
    progress: &(dyn Fn(&Name, usize) + Sync),
) -> Result<SeedReport, StoreError> {
    reconcile(stores, path, do_it, Source::Seed, progress).await
}

/// As [`seed`], for any source.
pub async fn reconcile(
    stores: &Stores,
    path: &Path,
    do_it: bool,
    source: Source,
    progress: &(dyn Fn(&Name, usize) + Sync),
) -> Result<SeedReport, StoreError> {
    let started = stores.now();
    let target = Target::Path {
        path: path.clone(),
        recursive: true,
    };
    let (live, heads, coverage) = tokio::try_join!(
        stores.parameters.list(&target),
        stores.index.heads(&target),
        stores.index.coverage(),
    )?;
    let head = |name: &Name| heads.get(name).map(|h| &h.record);
    let changed: Vec<Name> = live
        .iter()
        .filter(|l| !is_recorded_as(l, head(&l.name)))
        .map(|l| l.name.clone())
        .collect();
    let mut report = SeedReport {
        parameters: live.len(),
        already: live.len() - changed.len(),
        ..SeedReport::default()
    };
    if !do_it {
        report.versions = changed.len();
        for name in &changed {
            progress(name, 0);
        }
        return Ok(report);
    }
    let gone = gone_names(&heads, &live.iter().map(|l| &l.name).collect::<Vec<_>>());
    let mut found = capture_all(stores, changed, source, progress, &mut report).await;
    report.versions = found.iter().filter(|r| r.present().is_some()).count();
    report.deletions = found.iter().filter(|r| r.is_deletion()).count();
    let observed = observe_gone(stores, &gone, started, source, &mut report).await;
    report.deletions += observed.len();
    found.extend(observed);
    if report.failures.is_empty() {
        let surprise = is_surprise(&found, &coverage, started);
        for (path, intervals) in after_reconciliation(&coverage, path, started, surprise) {
            put_coverage(stores, &path, &intervals).await?;
        }
    }
    Ok(report)
}

/// Heads that say "present" of names that the listing does not have.
fn gone_names<'a>(heads: &'a Heads, live: &[&Name]) -> Vec<&'a Record> {
    heads
        .values()
        .map(|head| &head.record)
        .filter(|r| r.present().is_some() && live.binary_search(&&r.name).is_err())
        .collect()
}

async fn capture_all(
    stores: &Stores,
    names: Vec<Name>,
    source: Source,
    progress: &(dyn Fn(&Name, usize) + Sync),
    report: &mut SeedReport,
) -> Vec<Record> {
    let mut captures = stream::iter(names)
        .map(|name| async move {
            let captured = capture(stores, &name, &[], source).await;
            (name, captured)
        })
        .buffer_unordered(NAMES_AT_ONCE);
    let mut found = Vec::new();
    while let Some((name, captured)) = captures.next().await {
        match captured {
            Ok(captured) => {
                progress(&name, captured.records.len());
                found.extend(captured.records);
            }
            Err(error) => report.failures.push((name, error.to_string())),
        }
    }
    found
}

/// Looks again at names that the listing missed; those still gone are recorded
/// as deleted at some time before the listing.
async fn observe_gone(
    stores: &Stores,
    gone: &[&Record],
    missed: Instant,
    source: Source,
    report: &mut SeedReport,
) -> Vec<Record> {
    if !gone.is_empty() {
        sleep(Duration::from_millis(SECOND_LOOK_AFTER_MS)).await;
    }
    let mut observed = Vec::new();
    for head in gone {
        match observe_one(stores, head, missed, source).await {
            Ok(records) => observed.extend(records),
            Err(error) => report.failures.push((head.name.clone(), error.to_string())),
        }
    }
    observed
}

async fn observe_one(
    stores: &Stores,
    head: &Record,
    missed: Instant,
    source: Source,
) -> Result<Option<Record>, StoreError> {
    let look = stores.parameters.history(&head.name).await?;
    if look.retained.is_some() {
        return Ok(None);
    }
    // A head from after the listing was sent cannot have been missed by it.
    if head.at >= missed {
        return Ok(None);
    }
    let now = stores.now();
    let record = observed_deletion(&head.name, head.at, missed, now, source);
    record_observed_deletion(stores, record).await.map(Some)
}

/// Whether something was found that happened where coverage claims to know,
/// and that an event should have told by now: then events were lost, and
/// others may have been that left no trace. Of a deletion that was observed
/// nobody knows how old it is, so it counts.
fn is_surprise(found: &[Record], coverage: &Coverage, started: Instant) -> bool {
    let overdue = started.plus_millis(-STALE_READ_MS);
    found.iter().any(|record| {
        let old = record.at < overdue || record.is_deletion();
        old && coverage.covers(&record.name, record.at)
    })
}

/// The fact first, then the row: the journal alone rebuilds the index.
async fn put_coverage(
    stores: &Stores,
    path: &Path,
    intervals: &[Interval],
) -> Result<(), StoreError> {
    let finished = stores.now();
    let fact = stored::CoverageFact {
        format: stored::FORMAT,
        path: path.clone(),
        finished,
        intervals: intervals.to_vec(),
    };
    let id = uuid::Uuid::new_v4().to_string();
    let key = keys::coverage_fact_key(path, finished, &id);
    stores
        .bucket
        .put_fact(&key, stored::to_fact(&fact)?)
        .await?;
    stores.index.put_coverage(path, intervals).await
}
