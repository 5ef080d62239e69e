//! Reconcile: what lives under a path against the heads; every difference is
//! captured. From the command line it is also the first seeding.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use crate::capture::{capture, record_observed_deletion};
use crate::domain::coverage::{Coverage, Covered, Interval, after_reconciliation, after_surprise};
use crate::domain::decide::{STALE_READ_MS, observed_deletion};
use crate::domain::state::is_recorded_as;
use crate::domain::{Instant, Live, Name, Path, Record, Source, Target, keys, stored};
use crate::store::{ErrorKind, Heads, StoreError, Stores};

/// How many names are captured at once.
const NAMES_AT_ONCE: usize = 8;
/// A name that the listing missed is looked at again after this long.
const SECOND_LOOK_AFTER_MS: u64 = 2_000;

/// Coverage that another reconciliation changes at the same time is tried again
/// this often.
const MOST_COVERAGE_RACES: usize = 8;

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
    /// Deletions put on record that no event had told; in a dry run: names that
    /// are gone and would be looked at.
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
    let missing = gone_names(&heads, &live.iter().map(|l| &l.name).collect::<Vec<_>>());
    if !do_it {
        report.versions = changed.len();
        report.deletions = missing.len();
        for name in &changed {
            progress(name, 0);
        }
        return Ok(report);
    }
    let (gone, again) = still_gone(stores, &missing, started, &mut report).await;
    let early = !gone.is_empty() || live_surprise(&live, &changed, &coverage, started);
    if early {
        // Before anything is captured: if this run dies, the next one finds no
        // difference, and must not go on as if nothing had been missed.
        close_coverage(stores, path).await?;
    }
    let names = changed.into_iter().chain(again).collect();
    let mut found = capture_all(stores, names, source, progress, &mut report).await;
    let observed = observe(stores, gone, started, source, &mut report).await;
    found.extend(observed);
    report.versions = found.iter().filter(|r| r.present().is_some()).count();
    report.deletions = found.iter().filter(|r| r.is_deletion()).count();
    if !early && is_surprise(&found, &coverage, started) {
        close_coverage(stores, path).await?;
    }
    if report.failures.is_empty() {
        cover(stores, path, started).await?;
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
                if captured.sealed > 0 {
                    let why = format!(
                        "{} versions cannot be read while their KMS key is disabled",
                        captured.sealed
                    );
                    report.failures.push((name.clone(), why));
                }
                progress(&name, captured.records.len());
                found.extend(captured.records);
            }
            Err(error) => report.failures.push((name, error.to_string())),
        }
    }
    found
}

/// Looks again at names that the listing missed: those still gone, and those
/// that live after all and are to be captured.
async fn still_gone<'a>(
    stores: &Stores,
    missing: &[&'a Record],
    missed: Instant,
    report: &mut SeedReport,
) -> (Vec<&'a Record>, Vec<Name>) {
    if !missing.is_empty() {
        sleep(Duration::from_millis(SECOND_LOOK_AFTER_MS)).await;
    }
    let (mut gone, mut living) = (Vec::new(), Vec::new());
    for head in missing {
        match stores.parameters.history(&head.name).await {
            Ok(look) if look.retained.is_some() => living.push(head.name.clone()),
            // A head from after the listing was sent cannot have been missed by it.
            Ok(_) if head.at >= missed => {}
            Ok(_) => gone.push(*head),
            Err(error) => report.failures.push((head.name.clone(), error.to_string())),
        }
    }
    (gone, living)
}

/// Records names as deleted at some time before the listing.
async fn observe(
    stores: &Stores,
    gone: Vec<&Record>,
    missed: Instant,
    source: Source,
    report: &mut SeedReport,
) -> Vec<Record> {
    let mut observed = Vec::new();
    for head in gone {
        let now = stores.now();
        let record = observed_deletion(&head.name, head.at, missed, now, source);
        match record_observed_deletion(stores, record).await {
            Ok(record) => observed.push(record),
            Err(error) => report.failures.push((head.name.clone(), error.to_string())),
        }
    }
    observed
}

/// Whether the listing shows a change that an event should have told by now.
fn live_surprise(live: &[Live], changed: &[Name], coverage: &Coverage, started: Instant) -> bool {
    let overdue = started.plus_millis(-STALE_READ_MS);
    live.iter()
        .filter(|l| changed.binary_search(&l.name).is_ok())
        .any(|l| l.modified < overdue && coverage.covers(&l.name, l.modified))
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

/// Ends what is claimed to be known of names under `path`.
async fn close_coverage(stores: &Stores, path: &Path) -> Result<(), StoreError> {
    change_coverage(stores, &|before| after_surprise(before, path)).await
}

/// Begins coverage of `path` at `started`, or lets it go on.
async fn cover(stores: &Stores, path: &Path, started: Instant) -> Result<(), StoreError> {
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
        format: stored::FORMAT,
        path: path.clone(),
        finished,
        before: before.to_vec(),
        intervals: intervals.to_vec(),
    };
    let id = uuid::Uuid::new_v4().to_string();
    let key = keys::coverage_fact_key(path, finished, &id);
    stores.bucket.put_fact(&key, stored::to_fact(&fact)?).await
}
