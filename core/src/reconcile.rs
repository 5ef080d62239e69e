//! Reconcile: what lives under a path against the heads; every difference is
//! captured. From the command line it is also the first seeding.

mod claim;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use crate::capture::{capture_listed, record_observed_deletion};
use crate::domain::coverage::Coverage;
use crate::domain::decide::{STALE_READ_MS, observed_deletion};
use crate::domain::state::is_recorded_as;
use crate::domain::unfinished::{Gone, Unfinished};
use crate::domain::{Instant, Live, Name, Path, Record, Source, Target};
use crate::store::{Heads, StoreError, Stores};

use self::claim::{close_coverage, cover};

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
    /// Deletions put on record that no event had told; in a dry run: names that
    /// are gone and would be looked at.
    pub deletions: usize,
    /// Names for which there was no time; the next run for the same path goes on with them.
    pub left: usize,
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
    let found = compare(stores, path, started).await?;
    let left = if do_it && !found.missing.is_empty() {
        stores.bucket.unfinished(path).await?
    } else {
        None
    };
    if !do_it {
        for name in &found.changed {
            progress(name, 0);
        }
        return Ok(SeedReport {
            versions: found.changed.len(),
            deletions: found.missing.len(),
            ..found.report
        });
    }
    let pace = Pace {
        source,
        until: None,
        progress,
    };
    begin(stores, path, started, found, left, &pace).await
}

/// As [`reconcile`], but captures nothing more once `until` has passed: what is left is kept in the
/// bucket, and the next call for the same path goes on with it, as the same reconciliation.
///
/// What was left more than [`Unfinished::GOOD_FOR_MS`] ago is not gone on with.
pub async fn reconcile_until(
    stores: &Stores,
    path: &Path,
    until: Instant,
    source: Source,
    progress: &(dyn Fn(&Name, usize) + Sync),
) -> Result<SeedReport, StoreError> {
    let pace = Pace {
        source,
        until: Some(until),
        progress,
    };
    let left = stores.bucket.unfinished(path).await?;
    let is_good = |left: &Unfinished| left.is_good_at(stores.now()) && !left.names.is_empty();
    match left {
        Some(left) if is_good(&left) => {
            let report = SeedReport {
                parameters: left.names.len(),
                ..SeedReport::default()
            };
            capture_until(stores, path, left, true, &Listed::new(), &pace, report).await
        }
        left => {
            let started = stores.now();
            let found = compare(stores, path, started).await?;
            begin(stores, path, started, found, left, &pace).await
        }
    }
}

/// How a reconciliation goes.
struct Pace<'a> {
    source: Source,
    /// No capture begins after this instant.
    until: Option<Instant>,
    progress: &'a (dyn Fn(&Name, usize) + Sync),
}

/// When the newest version was written of each name that the listing shows.
type Listed = BTreeMap<Name, Instant>;

/// What the listings show.
struct Compared {
    live: Vec<Live>,
    changed: Vec<Name>,
    missing: Vec<Record>,
    coverage: Coverage,
    report: SeedReport,
}

async fn compare(stores: &Stores, path: &Path, started: Instant) -> Result<Compared, StoreError> {
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
    let report = SeedReport {
        parameters: live.len(),
        already: live.len() - changed.len(),
        ..SeedReport::default()
    };
    let missing = gone_names(&heads, &live.iter().map(|l| &l.name).collect::<Vec<_>>());
    // A head from after the listing was sent cannot have been missed by it.
    let missing = missing.into_iter().filter(|head| head.at < started);
    Ok(Compared {
        missing: missing.cloned().collect(),
        live,
        changed,
        coverage,
        report,
    })
}

/// Records what is gone, then captures what differs. `left` is what stands in the bucket of one
/// before.
async fn begin(
    stores: &Stores,
    path: &Path,
    started: Instant,
    compared: Compared,
    left: Option<Unfinished>,
    pace: &Pace<'_>,
) -> Result<SeedReport, StoreError> {
    let Compared {
        live,
        changed,
        missing,
        coverage,
        mut report,
    } = compared;
    let is_kept = left.is_some();
    let left = left.filter(Unfinished::is_understood);
    let half_done = left.map(|left| left.gone).unwrap_or_default();
    let observed = observe(stores, &half_done, pace.source, &mut report).await;
    report.deletions = observed;
    let (gone, again) = still_gone(stores, missing, &mut report).await;
    if !gone.is_empty() || live_surprise(&live, &changed, &coverage, started) {
        // Before anything is captured: if this run dies, the next one finds no
        // difference, and must not go on as if nothing had been missed.
        close_coverage(stores, path).await?;
    }
    let mut work = Unfinished::new(path, started, Vec::new());
    work.gone = gone;
    if observed < half_done.len() {
        work.gone.extend(half_done);
    }
    let is_kept = if work.gone.is_empty() {
        is_kept
    } else {
        stores.bucket.put_unfinished(&work).await?;
        true
    };
    work.names = changed.into_iter().chain(again).collect();
    let listed = live.into_iter().map(|l| (l.name, l.modified)).collect();
    capture_until(stores, path, work, is_kept, &listed, pace, report).await
}

/// Records what is gone and captures names until there are none left, or no time; with none left,
/// and no failure, the reconciliation is finished, and what `is_kept` of it in the bucket is done.
async fn capture_until(
    stores: &Stores,
    path: &Path,
    work: Unfinished,
    is_kept: bool,
    listed: &Listed,
    pace: &Pace<'_>,
    mut report: SeedReport,
) -> Result<SeedReport, StoreError> {
    let observed = observe(stores, &work.gone, pace.source, &mut report).await;
    report.deletions += observed;
    let all_observed = observed == work.gone.len();
    let coverage = stores.index.coverage().await?;
    let (started, looked) = (work.started, stores.now());
    let (found, left) = capture_all(stores, work.names, listed, pace, &mut report).await;
    report.versions = found.iter().filter(|r| r.present().is_some()).count();
    report.deletions += found.iter().filter(|r| r.is_deletion()).count();
    report.left = left.len();
    let late = surprises_since(&found, started, looked);
    if late || is_surprise(&found, &coverage, looked) {
        close_coverage(stores, path).await?;
    }
    if report.left > 0 {
        // What failed is tried again with the rest.
        let failed = report.failures.iter().map(|(name, _)| name.clone());
        let names = left.into_iter().chain(failed).collect();
        let mut left = Unfinished::new(path, started, names);
        left.gone = work.gone;
        stores.bucket.put_unfinished(&left).await?;
        return Ok(report);
    }
    // What was compared is no ground to claim anything for, where an event was lost since: the next
    // one compares anew.
    if report.failures.is_empty() && !late {
        cover(stores, path, started).await?;
    }
    if is_kept && all_observed {
        stores.bucket.forget_unfinished(path).await?;
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

/// Captures names, which are known to live; returns the records, and the names for which there was no
/// time.
async fn capture_all(
    stores: &Stores,
    names: Vec<Name>,
    listed: &Listed,
    pace: &Pace<'_>,
    report: &mut SeedReport,
) -> (Vec<Record>, Vec<Name>) {
    let mut captures = stream::iter(names)
        .map(|name| async move {
            if pace.until.is_some_and(|until| stores.now() >= until) {
                return (name, None);
            }
            let since = listed.get(&name).copied().unwrap_or(Instant::EARLIEST);
            let captured = capture_listed(stores, &name, since, pace.source).await;
            (name, Some(captured))
        })
        .buffer_unordered(NAMES_AT_ONCE);
    let (mut found, mut left) = (Vec::new(), Vec::new());
    while let Some((name, captured)) = captures.next().await {
        match captured {
            None => left.push(name),
            Some(Ok(captured)) => {
                if captured.sealed > 0 {
                    let why = format!(
                        "{} versions cannot be read while their KMS key is disabled",
                        captured.sealed
                    );
                    report.failures.push((name.clone(), why));
                }
                (pace.progress)(&name, captured.records.len());
                found.extend(captured.records);
            }
            Some(Err(error)) => report.failures.push((name, error.to_string())),
        }
    }
    (found, left)
}

/// Looks again at names that the listing missed: those still gone, each with
/// the instant at which that look was sent, and those that live after all and
/// are to be captured. What an event has told meanwhile is neither.
async fn still_gone(
    stores: &Stores,
    missing: Vec<Record>,
    report: &mut SeedReport,
) -> (Vec<Gone>, Vec<Name>) {
    if !missing.is_empty() {
        sleep(Duration::from_millis(SECOND_LOOK_AFTER_MS)).await;
    }
    let mut looks = stream::iter(missing)
        .map(|head| async move {
            let looked = async {
                let look = stores.parameters.history(&head.name).await?;
                let newest = stores
                    .index
                    .newest_until(&head.name, Instant::LATEST)
                    .await?;
                Ok::<_, StoreError>((look, newest))
            };
            let looked = looked.await;
            (head, looked)
        })
        .buffered(NAMES_AT_ONCE);
    let (mut gone, mut living) = (Vec::new(), Vec::new());
    while let Some((head, look)) = looks.next().await {
        match look {
            Ok((look, _)) if look.retained.is_some() => living.push(head.name),
            Ok((look, Some(newest))) if newest.present().is_some() => gone.push(Gone {
                name: head.name,
                last_seen: head.at,
                missed: look.sent,
            }),
            Ok(_) => {}
            Err(error) => report.failures.push((head.name, error.to_string())),
        }
    }
    (gone, living)
}

/// Records names as deleted at some time before the look that missed them;
/// returns how many. Not before the listing: that may take minutes, and what is
/// deleted meanwhile still lived when it began.
async fn observe(stores: &Stores, gone: &[Gone], source: Source, report: &mut SeedReport) -> usize {
    let mut observed = 0;
    for gone in gone {
        let Gone {
            name,
            last_seen,
            missed,
        } = gone;
        let record = observed_deletion(name, *last_seen, *missed, stores.now(), source);
        match record_observed_deletion(stores, record).await {
            Ok(_) => observed += 1,
            Err(error) => report.failures.push((name.clone(), error.to_string())),
        }
    }
    observed
}

/// Whether something was found that happened after the comparison, and that an
/// event should have told before it was looked at.
fn surprises_since(found: &[Record], started: Instant, looked: Instant) -> bool {
    let overdue = looked.plus_millis(-STALE_READ_MS);
    found
        .iter()
        .any(|record| record.at >= started && record.at < overdue)
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
/// others may have been that left no trace. Of a deletion that a capture found
/// out nobody knows how old it is, so it counts.
fn is_surprise(found: &[Record], coverage: &Coverage, started: Instant) -> bool {
    let overdue = started.plus_millis(-STALE_READ_MS);
    found.iter().any(|record| {
        let old = record.at < overdue || record.is_deletion();
        old && coverage.covers(&record.name, record.at)
    })
}
