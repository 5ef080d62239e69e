//! What lives against the heads.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Finding, Kind, Verification, VerifyReport};
use crate::capture::capture_listed;
use crate::domain::decide::STALE_READ_MS;
use crate::domain::state::is_recorded_as;
use crate::domain::{Instant, Live, Name, Record, Source, Target};
use crate::reconcile::reconcile;
use crate::store::{HeadRow, NAMES_A_CALL, StoreError};

/// Names whose second look is made at once.
const LOOKS_AT_ONCE: usize = 4;

pub(super) async fn verify(
    this: &Verification<'_>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let target = &this.options.target;
    let target = match target {
        Target::Name(_) => target.clone(),
        // With all levels, whatever was asked.
        Target::Path { path, .. } => Target::Path {
            path: path.clone(),
            recursive: true,
        },
    };
    let live = this.stores.parameters.list(&target).await?;
    report.live = live.len();
    let mut live: BTreeMap<Name, Live> = live.into_iter().map(|l| (l.name.clone(), l)).collect();
    let overdue = this.stores.now().plus_millis(-STALE_READ_MS);
    let (mut differ, mut gone, mut start) = (Vec::new(), Vec::new(), None);
    loop {
        let (heads, next) = this.stores.index.head_rows(&target, None, start).await?;
        let mut same = Vec::new();
        for head in heads {
            let record = record_of(&head);
            match live.remove(&head.name) {
                None => gone.extend(record.filter(|r| r.present().is_some())),
                Some(live) if is_recorded_as(&live, record.as_ref()) => same.extend(record),
                Some(live) => differ.push(live),
            }
        }
        if this.options.values {
            this.tell(values(this, same).await?, report).await?;
        }
        start = next;
        if start.is_none() {
            break;
        }
    }
    differ.extend(live.into_values());
    let mut findings = Vec::new();
    for live in differ {
        // Where the head alone is wrong, its own pass tells.
        let newest = newest(this, &live.name).await?;
        if !is_recorded_as(&live, newest.as_ref()) {
            not_recorded(&live, overdue, &mut findings, report);
        }
    }
    let gone: Vec<Option<Finding>> = stream::iter(gone)
        .map(|record| still_gone(this, record))
        .buffer_unordered(LOOKS_AT_ONCE)
        .try_collect()
        .await?;
    findings.extend(gone.into_iter().flatten());
    if this.options.heal {
        heal(this, &mut findings).await?;
    }
    this.tell(findings, report).await
}

/// The newest record that decides the state, from the rows of the name.
async fn newest(this: &Verification<'_>, name: &Name) -> Result<Option<Record>, StoreError> {
    let index = &this.stores.index;
    index
        .newest_until(name, Instant::LATEST.plus_millis(-1))
        .await
}

fn record_of(head: &HeadRow) -> Option<Record> {
    head.kind("head")?.1?.clone().try_into().ok()
}

/// A change of the last minutes may be on its way.
fn not_recorded(
    live: &Live,
    overdue: Instant,
    findings: &mut Vec<Finding>,
    report: &mut VerifyReport,
) {
    if live.modified >= overdue {
        report.on_their_way += 1;
        return;
    }
    let told = "it lives and is not on record";
    findings.push(Finding {
        version: Some(live.version),
        time: Some(live.modified),
        ..Finding::new(Kind::LiveNotRecorded, live.name.as_str(), told)
    });
}

/// A listing may be stale, and a deletion be recorded meanwhile.
async fn still_gone(
    this: &Verification<'_>,
    record: Record,
) -> Result<Option<Finding>, StoreError> {
    super::before_the_second_look().await;
    let look = this.stores.parameters.history(&record.name).await?;
    let newest = newest(this, &record.name).await?;
    if look.retained.is_some() || newest.is_none_or(|r| r.present().is_none()) {
        return Ok(None);
    }
    let told = "it is gone, and its deletion is not on record";
    Ok(Some(Finding::of(Kind::GoneNotRecorded, &record, told)))
}

/// The live values of names that are on record as they live, against what is
/// kept of them.
async fn values(this: &Verification<'_>, same: Vec<Record>) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    for some in same.chunks(NAMES_A_CALL) {
        let names: Vec<Name> = some.iter().map(|r| r.name.clone()).collect();
        let mut live = this.stores.parameters.values(&names).await?;
        for record in some {
            let Some(written) = record.present() else {
                continue;
            };
            let (Some(Ok(live)), Some(pointer)) =
                (live.remove(&record.name), written.value.pointer())
            else {
                continue;
            };
            // What is missing was told with its rows.
            let Ok(kept) = this.stores.bucket.value(pointer).await else {
                continue;
            };
            if Some(live.version) == written.version && live.value != kept {
                let told = "what is kept of the version that lives is not its value";
                findings.push(Finding::of(Kind::ValueDiffers, record, told));
            }
        }
    }
    Ok(findings)
}

/// As a reconciliation heals: it closes coverage where it must.
async fn heal(this: &Verification<'_>, findings: &mut [Finding]) -> Result<(), StoreError> {
    if findings.is_empty() {
        return Ok(());
    }
    match &this.options.target {
        Target::Path { path, .. } => {
            let healed = reconcile(this.stores, path, true, Source::Reconcile, &|_, _| {}).await?;
            let failed: BTreeMap<&str, &str> = healed
                .failures
                .iter()
                .map(|(name, why)| (name.as_str(), why.as_str()))
                .collect();
            for finding in findings {
                let why = failed.get(finding.subject.as_str());
                finding.healed = Some(why.is_none());
                if let Some(why) = why {
                    finding.detail = format!("{}; not healed: {why}", finding.detail);
                }
            }
        }
        Target::Name(name) => {
            for finding in findings {
                // One that is gone is recorded when its path is reconciled.
                let lives = finding.kind == Kind::LiveNotRecorded;
                if lives {
                    let since = finding.time.unwrap_or(Instant::EARLIEST);
                    capture_listed(this.stores, name, since, Source::Reconcile).await?;
                } else {
                    finding.detail = format!("{}; verify its path to heal it", finding.detail);
                }
                finding.healed = Some(lives);
            }
        }
    }
    Ok(())
}
