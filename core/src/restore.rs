//! Restore: applies a plan, and nothing but the plan.
//!
//! Invariants: a parameter that changed after it was planned is refused;
//! whatever live version is about to be overwritten or deleted is on record
//! first; the tool's own parameters are never touched.

mod put;
mod recorded;
mod recreate;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use self::put::{Unwritten, is_unsure, write};
use self::recorded::{begin_run, finish_run};
use self::recreate::recreate;
use crate::capture::capture;
use crate::domain::plan::Problem;
use crate::domain::run::{Origin, Outcome};
use crate::domain::{Action, Instant, Name, Plan, Record, Source, Step, Written};
use crate::store::{
    Destination, ErrorKind, LOOKS_AFTER_MS, LiveValue, NAMES_A_CALL, StoreError, Stores,
};

/// Parameter Store refuses to create a name within this of its deletion.
pub const RECREATION_WAIT: Duration = Duration::from_secs(30);

/// How a plan is carried out.
#[derive(Clone)]
pub struct ApplyOptions<'a> {
    /// Whether a parameter may be deleted and created again where that turns out
    /// to be the only way. Steps that are planned so need no such leave.
    pub recreate: bool,
    /// How long to wait between its deletion and its creation.
    pub recreation_wait: Duration,
    /// Where the plan's states come from: goes on record with the run.
    pub origin: Origin,
    /// Tells what a person must know at once.
    pub tell: &'a (dyn Fn(&str) + Sync),
}

impl Default for ApplyOptions<'_> {
    fn default() -> Self {
        Self {
            recreate: false,
            recreation_wait: RECREATION_WAIT,
            origin: Origin::default(),
            tell: &|_| {},
        }
    }
}

impl fmt::Debug for ApplyOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplyOptions")
            .field("recreate", &self.recreate)
            .field("recreation_wait", &self.recreation_wait)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// What became of one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The parameter.
    pub name: Name,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was not done, or what is to be known about it.
    pub reason: Option<String>,
    /// The version that was written.
    pub written_version: Option<u64>,
    /// When, as it was read back; none where it could not be.
    pub written_at: Option<Instant>,
    /// It was deleted to be created again.
    pub recreated: bool,
}

/// As [`apply_with`], with the default options.
pub async fn apply(
    stores: &Stores,
    plan: &Plan,
    cancel: &AtomicBool,
    progress: &(dyn Fn(&Report) + Sync),
) -> Result<Vec<Report>, StoreError> {
    apply_with(stores, plan, &ApplyOptions::default(), cancel, progress).await
}

/// Carries out `plan`: one report for each step that changes something or is
/// unknown, in order of names.
///
/// Each parameter is checked against what was planned (same version, same
/// time) just before it is written or deleted, and read back afterwards. Once
/// `cancel` is set nothing more is begun and the rest is skipped. Throttling
/// slows it down and never fails it. The run is put on record before the
/// first write and again with every outcome after the last.
///
/// An error means that the run itself could not be put on record before
/// anything was written.
pub async fn apply_with(
    stores: &Stores,
    plan: &Plan,
    options: &ApplyOptions<'_>,
    cancel: &AtomicBool,
    progress: &(dyn Fn(&Report) + Sync),
) -> Result<Vec<Report>, StoreError> {
    apply_at(&Destination::from(stores), plan, options, cancel, progress).await
}

/// As [`apply_with`], wherever `plan` is to be carried out.
///
/// Where nothing is recorded, no run is put on record, and what would overwrite
/// or delete a live parameter fails.
pub async fn apply_at(
    to: &Destination,
    plan: &Plan,
    options: &ApplyOptions<'_>,
    cancel: &AtomicBool,
    progress: &(dyn Fn(&Report) + Sync),
) -> Result<Vec<Report>, StoreError> {
    let (doable, others): (Vec<&Step>, Vec<&Step>) = plan
        .steps
        .iter()
        .filter(|s| s.action != Action::None)
        .partition(|s| s.can_be_done() && !s.name.is_own());
    let mut ended = Ended {
        reports: others.into_iter().map(not_done).collect(),
        unsure: BTreeSet::new(),
    };
    ended.reports.iter().for_each(progress);
    if !doable.is_empty() {
        let run = begin_run(to, plan, &doable, options.origin.clone()).await?;
        for ten in doable.chunks(NAMES_A_CALL) {
            apply_ten(to, ten, options, cancel, progress, &mut ended).await;
        }
        if let (Some(record), Some(run)) = (&to.record, run) {
            finish_run(record, run, &ended).await;
        }
    }
    ended.reports.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(ended.reports)
}

/// How the steps of a run ended.
struct Ended {
    reports: Vec<Report>,
    /// Those that failed, and may have been written or deleted all the same.
    unsure: BTreeSet<Name>,
}

fn report(name: &Name, outcome: Outcome, reason: Option<String>) -> Report {
    Report {
        name: name.clone(),
        outcome,
        reason,
        written_version: None,
        written_at: None,
        recreated: false,
    }
}

fn failed(name: &Name, reason: &dyn Display) -> Report {
    report(name, Outcome::Failed, Some(reason.to_string()))
}

fn not_done(step: &Step) -> Report {
    match &step.problem {
        Some(problem @ (Problem::LeftAlone { .. } | Problem::HeldBack)) => {
            report(&step.name, Outcome::Skipped, Some(problem.to_string()))
        }
        Some(problem) => failed(&step.name, problem),
        None if step.name.is_own() => report(
            &step.name,
            Outcome::Skipped,
            Some("it is one of ssmbak's own parameters".into()),
        ),
        None => report(
            &step.name,
            Outcome::Skipped,
            Some("its state at that time is unknown".into()),
        ),
    }
}

/// Checks, captures, writes or deletes, and reads back up to ten parameters.
async fn apply_ten(
    to: &Destination,
    steps: &[&Step],
    options: &ApplyOptions<'_>,
    cancel: &AtomicBool,
    progress: &(dyn Fn(&Report) + Sync),
    ended: &mut Ended,
) {
    let Ended { reports, unsure } = ended;
    let mut done = |report: Report| {
        progress(&report);
        reports.push(report);
    };
    let mut written: Vec<(&Step, Report)> = Vec::new();
    let ready = ready_steps(to, steps, cancel, &mut done).await;
    let mut again: Vec<&Step> = Vec::new();
    for step in ready.iter().filter(|s| s.action != Action::Delete) {
        if cancel.load(Ordering::SeqCst) {
            done(interrupted(&step.name));
            continue;
        }
        if step.recreate {
            again.push(step);
            continue;
        }
        match write(to, step).await {
            Ok(report) if step.differences.version => written.push((step, report)),
            Err(Unwritten::NoRoom(_)) if options.recreate => again.push(step),
            Ok(report) | Err(Unwritten::Failed(report) | Unwritten::NoRoom(report)) => done(report),
            Err(Unwritten::Unsure(report)) => {
                unsure.insert(step.name.clone());
                done(report);
            }
        }
    }
    written.extend(recreate(to, &again, options, cancel, &mut done, unsure).await);
    let deletes: Vec<&Step> = ready
        .iter()
        .copied()
        .filter(|s| s.action == Action::Delete)
        .collect();
    if cancel.load(Ordering::SeqCst) {
        for s in deletes {
            done(interrupted(&s.name));
        }
    } else if !deletes.is_empty() {
        written.extend(delete(to, &deletes, &mut done, unsure).await);
    }
    for report in read_back(to, written).await {
        done(report);
    }
}

fn interrupted(name: &Name) -> Report {
    let reason = Some("interrupted before it was its turn".into());
    report(name, Outcome::Skipped, reason)
}

/// The steps whose parameter is still what was planned and is on record; the
/// others are reported.
async fn ready_steps<'a>(
    to: &Destination,
    steps: &[&'a Step],
    cancel: &AtomicBool,
    done: &mut impl FnMut(Report),
) -> Vec<&'a Step> {
    if cancel.load(Ordering::SeqCst) {
        for s in steps {
            done(interrupted(&s.name));
        }
        return Vec::new();
    }
    let names: Vec<Name> = steps.iter().map(|s| s.name.clone()).collect();
    let mut lives = match to.parameters.values(&names).await {
        Ok(lives) => lives,
        Err(error) => {
            for s in steps {
                done(failed(&s.name, &error));
            }
            return Vec::new();
        }
    };
    let mut ready = Vec::new();
    for step in steps {
        match still_as_planned(step, lives.remove(&step.name)) {
            Err(reason) => done(failed(&step.name, &reason)),
            Ok(()) => match put_on_record(to, step).await {
                Ok(()) => ready.push(*step),
                Err(error) => done(failed(
                    &step.name,
                    &format!("what lives could not be put on record first: {error}"),
                )),
            },
        }
    }
    ready
}

/// The error says what is there instead.
fn still_as_planned(
    step: &Step,
    live: Option<Result<LiveValue, StoreError>>,
) -> Result<(), String> {
    match (&step.live, live) {
        (_, Some(Err(error))) => Err(error.to_string()),
        (None, None) => Ok(()),
        (None, Some(Ok(live))) => Err(format!(
            "it changed after it was planned: version {} was created",
            live.version
        )),
        (Some(_), None) => Err("it changed after it was planned: it was deleted".into()),
        (Some(planned), Some(Ok(live))) => {
            let planned = &planned.live;
            if planned.version == live.version && planned.modified == live.modified {
                Ok(())
            } else {
                Err(format!(
                    "it changed after it was planned: version {} of {} is now version {} of {}",
                    planned.version, planned.modified, live.version, live.modified
                ))
            }
        }
    }
}

/// Captures the live version, unless it is on record with its value, and makes
/// sure that it is: a look may be stale.
async fn put_on_record(to: &Destination, step: &Step) -> Result<(), StoreError> {
    let Some(live) = &step.live else {
        return Ok(());
    };
    let record = to.recorded("capture it")?;
    let recorded = live.recorded.as_ref();
    if recorded.is_some_and(|r| r.pointer.is_some()) {
        // Tags that nobody told of are overwritten, or go with it.
        let tags = match step.action {
            Action::Delete => to.parameters.tags(&step.name).await?,
            Action::Create | Action::Update | Action::None | Action::Unknown => {
                live.tags.clone().filter(|_| step.differences.tags)
            }
        };
        let known = recorded.and_then(|r| r.tags.clone()).unwrap_or_default();
        if tags.is_some_and(|tags| tags != known) {
            capture(record, &step.name, &[], Source::Restore).await?;
        }
        return Ok(());
    }
    for wait_ms in LOOKS_AFTER_MS {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        capture(record, &step.name, &[], Source::Restore).await?;
        let (index, at) = (&record.index, live.live.modified);
        let found = index.between(&step.name, at, at).await?;
        let is_live = |w: &Written| w.version == Some(live.live.version);
        let kept = found
            .iter()
            .filter_map(Record::present)
            .filter(|w| is_live(w));
        if kept.into_iter().any(|w| w.value.pointer().is_some()) {
            return Ok(());
        }
    }
    Err(StoreError::new(
        format!("capture version {}", live.live.version),
        ErrorKind::Refused,
        "its value could not be read, and would be gone",
    ))
}

/// Deletes up to ten parameters with one call, those that are still what was
/// planned: the writes before may have taken their time, and a delete, unlike
/// a put, does not tell what it met.
async fn delete<'a>(
    to: &Destination,
    steps: &[&'a Step],
    done: &mut impl FnMut(Report),
    unsure: &mut BTreeSet<Name>,
) -> Vec<(&'a Step, Report)> {
    let names = |steps: &[&Step]| -> Vec<Name> { steps.iter().map(|s| s.name.clone()).collect() };
    let mut lives = match to.parameters.values(&names(steps)).await {
        Ok(lives) => lives,
        Err(error) => {
            for step in steps {
                done(failed(&step.name, &error));
            }
            return Vec::new();
        }
    };
    let mut planned: Vec<&Step> = Vec::with_capacity(steps.len());
    for step in steps {
        match still_as_planned(step, lives.remove(&step.name)) {
            Ok(()) => planned.push(step),
            Err(reason) => done(failed(&step.name, &reason)),
        }
    }
    if planned.is_empty() {
        return Vec::new();
    }
    // They lived a moment ago: one that is missing now was deleted by a first
    // attempt whose answer was lost.
    let answer = to.parameters.delete(&names(&planned)).await;
    let gone = match &answer {
        Ok(answer) => [&*answer.deleted, &*answer.missing].concat(),
        Err(_) => gone_of(to, names(&planned)).await,
    };
    let mut deleted = Vec::new();
    for step in planned {
        match &answer {
            _ if gone.contains(&step.name) => {
                deleted.push((step, report(&step.name, Outcome::Deleted, None)));
            }
            Ok(_) => done(failed(
                &step.name,
                &"Parameter Store did not say that it was deleted",
            )),
            Err(error) => {
                if is_unsure(error) {
                    unsure.insert(step.name.clone());
                }
                done(failed(&step.name, error));
            }
        }
    }
    deleted
}

/// Those of `names` that do not live; none where that cannot be told.
async fn gone_of(to: &Destination, names: Vec<Name>) -> Vec<Name> {
    let lives = to.parameters.values(&names).await;
    let lives = lives.ok();
    let gone = |name: &Name| lives.as_ref().is_some_and(|l| !l.contains_key(name));
    names.into_iter().filter(gone).collect()
}

/// Reads back what was written or deleted; what is not as it should be fails.
async fn read_back(to: &Destination, written: Vec<(&Step, Report)>) -> Vec<Report> {
    if written.is_empty() {
        return Vec::new();
    }
    let names: Vec<Name> = written.iter().map(|(s, _)| s.name.clone()).collect();
    let lives = match to.parameters.values(&names).await {
        Ok(lives) => lives,
        Err(error) => {
            let unread = |(_, report): (&Step, Report)| Report {
                reason: Some(format!("written, but it could not be read back: {error}")),
                ..report
            };
            return written.into_iter().map(unread).collect();
        }
    };
    written
        .into_iter()
        .map(|(step, report)| checked(step, report, &lives))
        .collect()
}

/// A read may be stale, so only what contradicts the write is a failure.
fn checked(
    step: &Step,
    report: Report,
    lives: &BTreeMap<Name, Result<LiveValue, StoreError>>,
) -> Report {
    let expected = report.written_version;
    match (expected, lives.get(&step.name)) {
        (Some(expected), Some(Ok(live))) if live.version == expected => {
            if step.value.as_ref() == Some(&live.value) {
                Report {
                    written_at: Some(live.modified),
                    ..report
                }
            } else {
                Report {
                    written_version: Some(expected),
                    written_at: Some(live.modified),
                    ..failed(&step.name, &"it was read back with another value")
                }
            }
        }
        (Some(expected), Some(Ok(live))) if live.version > expected => {
            let reason = format!(
                "it was restored, and changed again to version {}",
                live.version
            );
            Report {
                written_version: Some(expected),
                ..failed(&step.name, &reason)
            }
        }
        (None, Some(Ok(live))) => Report {
            reason: Some(format!(
                "deleted; a read right after still showed version {}",
                live.version
            )),
            ..report
        },
        _ => report,
    }
}
