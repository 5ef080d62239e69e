//! Parameters that cannot be overwritten: deleted and created again.
//!
//! Invariant: nothing is deleted before every version that Parameter Store
//! retains is on record, and what was deleted is created before anything else
//! is begun, interrupted or not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::delete::delete;
use super::ended::Ending;
use super::put::{Unwritten, found, put_beside_created, put_version};
use super::{ApplyOptions, Report, failed, interrupted, report};
use crate::capture::capture;
use crate::domain::retained::Tags;
use crate::domain::run::Outcome;
use crate::domain::{Instant, Record, Retained, RetainedValue, Source, Step};
use crate::store::{Destination, LOOKS_AFTER_MS, StoreError, Stores};

/// A creation that fails is tried again after these parts of the wait.
const AGAIN_AFTER: [u32; 3] = [6, 3, 2];

/// One parameter that is ready to be deleted and created again.
struct Ready<'a> {
    step: &'a Step,
    /// The tags to create it with.
    tags: Option<Tags>,
}

/// Deletes and creates up to ten parameters again; those that were created are
/// returned, the others reported.
pub(super) async fn recreate<'a>(
    to: &Destination,
    steps: &[&'a Step],
    options: &ApplyOptions<'_>,
    cancel: &AtomicBool,
    ending: &Ending<'_>,
) -> Vec<(&'a Step, Report)> {
    let mut ready = Vec::with_capacity(steps.len());
    for step in steps {
        if cancel.load(Ordering::SeqCst) {
            ending.done(interrupted(&step.name));
            continue;
        }
        match prepare(to, step).await {
            Ok(tags) => ready.push(Ready { step, tags }),
            Err(why) => ending.done(failed(
                &step.name,
                &format!("it was not deleted to be created again: {why}"),
            )),
        }
    }
    // The last chance: what is deleted is created.
    if cancel.load(Ordering::SeqCst) {
        ready
            .drain(..)
            .for_each(|r| ending.done(interrupted(&r.step.name)));
    }
    let planned: Vec<&Step> = ready.iter().map(|r| r.step).collect();
    if planned.is_empty() {
        return Vec::new();
    }
    for step in &planned {
        (options.tell)(&format!(
            "{}: it is deleted now, and created again in {} s; if this ends before, the same restore again creates it",
            step.name,
            options.recreation_wait.as_secs()
        ));
    }
    let deleted: Vec<_> = delete(to, &planned, ending).await;
    ready.retain(|r| deleted.iter().any(|(step, _)| step.name == r.step.name));
    if ready.is_empty() {
        return Vec::new();
    }
    // Parameter Store refuses a creation sooner. Nobody may interrupt this.
    tokio::time::sleep(options.recreation_wait).await;
    let mut created = Vec::with_capacity(ready.len());
    for one in ready {
        match create(to, &one, options.recreation_wait).await {
            Ok(report) => created.push((one.step, report)),
            Err(report) => ending.done(report),
        }
    }
    created
}

/// Puts everything on record that the deletion takes away. Returns the tags to
/// create it with: those that it has where nobody knows what they were. The
/// error is a fragment.
async fn prepare(to: &Destination, step: &Step) -> Result<Option<Tags>, String> {
    let record = to.recorded("put it on record");
    let record = record.map_err(|error| error.to_string())?;
    let known = found(step).map_err(|r| r.reason.unwrap_or_default())?;
    if step.value.is_none() {
        return Err("its value is not at hand".into());
    }
    let text = |error: StoreError| error.to_string();
    let tags = match &known.attributes.tags {
        Some(tags) => Some(tags.clone()),
        None => to.parameters.tags(&step.name).await.map_err(text)?,
    };
    for wait_ms in LOOKS_AFTER_MS {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        let captured = capture(record, &step.name, &[], Source::Restore);
        captured.await.map_err(text)?;
        if is_on_record(record, step).await.map_err(text)? {
            return Ok(tags);
        }
    }
    Err("not every version that Parameter Store retains could be put on record".into())
}

/// Whether each retained version is on record, with its value if it has one.
async fn is_on_record(stores: &Stores, step: &Step) -> Result<bool, StoreError> {
    let look = stores.parameters.history(&step.name).await?;
    let retained = look.retained.unwrap_or_default();
    let live = step.live.as_ref().map(|l| &l.live);
    // A look may be stale.
    let shows_live = |r: &Retained| live.is_some_and(|l| l.version == r.version);
    let span: Option<(Instant, Instant)> = match (retained.first(), retained.last()) {
        (Some(first), Some(last)) if shows_live(last) => Some((first.modified, last.modified)),
        _ => None,
    };
    let Some((from, to)) = span else {
        return Ok(false);
    };
    let recorded = stores.index.between(&step.name, from, to).await?;
    let kept = |version: &Retained| {
        let same = |r: &&Record| r.numbered() == Some((version.modified, version.version));
        let record = recorded.iter().find(same).and_then(Record::written);
        let lost = version.value == RetainedValue::Lost;
        record.is_some_and(|w| lost || w.value.pointer().is_some())
    };
    Ok(retained.iter().all(kept))
}

/// Creates what was deleted. It is tried until there is no hope: it is missing.
async fn create(to: &Destination, one: &Ready<'_>, wait: Duration) -> Result<Report, Report> {
    let mut parts = AGAIN_AFTER.iter();
    loop {
        let put = put_version(to, one.step, None, one.tags.as_ref()).await;
        let report = match put {
            Ok(report) => {
                return Ok(Report {
                    recreated: true,
                    ..report
                });
            }
            Err(
                Unwritten::Failed(report) | Unwritten::Unsure(report) | Unwritten::NoRoom(report),
            ) => report,
        };
        // It was created; what is missing is beside it.
        if report.written_version.is_some() {
            return Err(Report {
                recreated: true,
                ..report
            });
        }
        if let Some(settled) = lives_after_all(to, one).await {
            return settled;
        }
        let Some(part) = parts.next() else {
            return Err(missing(report));
        };
        tokio::time::sleep(wait / *part).await;
    }
}

/// What became of a creation that failed, if the name lives all the same: an
/// answer may have been lost, or someone else may have created it.
async fn lives_after_all(to: &Destination, one: &Ready<'_>) -> Option<Result<Report, Report>> {
    let step = one.step;
    let names = std::slice::from_ref(&step.name);
    let mut lives = to.parameters.values(names).await.ok()?;
    let live = lives.remove(&step.name)?.ok()?;
    if live.version != 1 || step.value.as_ref() != Some(&live.value) {
        let why = format!(
            "it was deleted to be created again, and someone created it meanwhile: version {} lives; what it was is on record",
            live.version
        );
        return Some(Err(Report {
            recreated: true,
            ..failed(&step.name, &why)
        }));
    }
    let beside = put_beside_created(to, step, one.tags.as_ref()).await;
    let created = Report {
        written_version: Some(1),
        recreated: true,
        ..report(&step.name, Outcome::Restored, None)
    };
    Some(beside.map(|()| created.clone()).map_err(|why| Report {
        outcome: Outcome::Failed,
        reason: Some(format!("version 1 was written, but {why}")),
        ..created
    }))
}

fn missing(report: Report) -> Report {
    let why = report.reason.unwrap_or_default();
    Report {
        outcome: Outcome::Failed,
        reason: Some(format!(
            "IT IS MISSING NOW: it was deleted, and could not be created again: {why}; its versions are on record, and the same restore again creates it"
        )),
        recreated: true,
        ..report
    }
}
