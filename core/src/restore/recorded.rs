//! The run as a fact: on record before the first write, and again with every
//! outcome after the last. Holds no value.

use std::collections::BTreeMap;

use super::Report;
use super::ended::Ended;
use crate::domain::plan::LiveParameter;
use crate::domain::run::{Origin, Phase, Run, RunName};
use crate::domain::state::FoundValue;
use crate::domain::stored::{self, StoredPointer};
use crate::domain::{Instant, Name, Plan, Step, Target, keys};
use crate::store::{Destination, StoreError, Stores};

/// Puts the run of `steps` on record, before anything is done; none where
/// nothing is recorded.
pub(super) async fn begin_run(
    to: &Destination,
    plan: &Plan,
    steps: &[&Step],
    origin: Origin,
) -> Result<Option<Run>, StoreError> {
    let Some(record) = &to.record else {
        return Ok(None);
    };
    let by = to.identity.arn().await;
    let run = planned_run(record, plan, steps, origin, by);
    put_run(record, &run).await?;
    Ok(Some(run))
}

/// Puts the run on record with every outcome. What was done is done: a failure
/// is only told.
pub(super) async fn finish_run(record: &Stores, mut run: Run, ended: &Ended) {
    finish(&mut run, ended, record.now());
    if let Err(error) = put_run(record, &run).await {
        tracing::warn!(%error, "the outcome of the run could not be put on record");
    }
}

fn planned_run(
    stores: &Stores,
    plan: &Plan,
    steps: &[&Step],
    origin: Origin,
    by: Option<String>,
) -> Run {
    Run {
        format: stored::FIRST_FORMAT,
        id: uuid::Uuid::new_v4().to_string(),
        started: stores.now(),
        finished: None,
        phase: Phase::Planned,
        by,
        target: plan.target.to_string(),
        recursive: matches!(
            plan.target,
            Target::Path {
                recursive: true,
                ..
            }
        ),
        at: plan.at,
        origin,
        counts: None,
        names: steps.iter().map(|step| run_name(step)).collect(),
    }
}

fn run_name(step: &Step) -> RunName {
    let found = step.state.found();
    let live = step.live.as_ref();
    let entry_of_live = |l: &LiveParameter| format!("{}#v{:010}", l.live.modified, l.live.version);
    let pointer = found.and_then(|f| match &f.value {
        FoundValue::Stored(pointer) => Some(pointer.clone()),
        FoundValue::Live
        | FoundValue::Retained(_)
        | FoundValue::Given(_)
        | FoundValue::Sealed
        | FoundValue::Lost => None,
    });
    RunName {
        name: step.name.clone(),
        change: step.action.as_str().into(),
        before: live.map(|l| {
            let recorded = l.recorded.as_ref().map(|r| r.entry.clone());
            recorded.unwrap_or_else(|| entry_of_live(l))
        }),
        before_version: live.map(|l| l.live.version),
        before_tags: live
            .filter(|_| step.differences.tags)
            .and_then(|l| l.tags.clone()),
        after_tags: found
            .filter(|_| step.differences.tags)
            .and_then(|f| f.attributes.tags.clone()),
        restored: found.and_then(|f| {
            let is_given = matches!(f.value, FoundValue::Given(_));
            let version = f.version.filter(|_| !is_given)?;
            Some(format!("{}#v{version:010}", f.modified))
        }),
        pointer: pointer.map(|p| StoredPointer {
            bucket: p.bucket,
            key: p.key,
            version_id: p.version_id,
        }),
        alone: step
            .differences
            .alone()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        labels: step.differences.labels.clone(),
        recreated: step.recreate,
        written_version: None,
        written_at: None,
        outcome: None,
        unsure: false,
        reason: None,
    }
}

/// The run with every outcome.
fn finish(run: &mut Run, ended: &Ended, now: Instant) {
    let by_name: BTreeMap<&Name, &Report> = ended.reports.iter().map(|r| (&r.name, r)).collect();
    for name in &mut run.names {
        if let Some(report) = by_name.get(&name.name) {
            name.outcome = Some(report.outcome);
            name.reason.clone_from(&report.reason);
            name.written_version = report.written_version;
            name.written_at = report.written_at;
            name.recreated |= report.recreated;
            name.unsure = ended.unsure.contains(&name.name);
        }
    }
    run.finished = Some(now);
    run.phase = Phase::Finished;
}

/// The fact first, then the rows.
async fn put_run(stores: &Stores, run: &Run) -> Result<(), StoreError> {
    let phase = match run.phase {
        Phase::Planned => "planned",
        Phase::Finished => "finished",
    };
    let key = keys::run_fact_key(run.started, &run.id, phase);
    stores.bucket.put_fact(&key, stored::to_fact(run)?).await?;
    stores.index.put_run(run).await
}
