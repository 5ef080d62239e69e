//! Restore: applies a plan, and nothing but the plan.
//!
//! Invariants: a parameter that changed after it was planned is refused;
//! whatever live version is about to be overwritten or deleted is on record
//! first; the tool's own parameters are never touched.

mod delete;
mod ended;
mod put;
mod read_back;
mod ready;
mod recorded;
mod recreate;
mod tens;

use std::fmt::{self, Display};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use self::ended::Ending;
use self::recorded::{begin_run, finish_run};
use self::tens::Applying;
use crate::domain::plan::Problem;
use crate::domain::run::{Origin, Outcome};
use crate::domain::{Action, Instant, Name, Plan, Step};
use crate::store::{Destination, StoreError, Stores};

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
    let ending = Ending::new(progress);
    others
        .into_iter()
        .map(not_done)
        .for_each(|r| ending.done(r));
    if doable.is_empty() {
        return Ok(ending.end().reports);
    }
    let run = begin_run(to, plan, &doable, options.origin.clone()).await?;
    let applying = Applying {
        to,
        options,
        cancel,
        ending: &ending,
    };
    applying.all(&doable).await;
    let ended = ending.end();
    if let (Some(record), Some(run)) = (&to.record, run) {
        finish_run(record, run, &ended).await;
    }
    Ok(ended.reports)
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

fn interrupted(name: &Name) -> Report {
    let reason = Some("interrupted before it was its turn".into());
    report(name, Outcome::Skipped, reason)
}
