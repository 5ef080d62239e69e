//! Coverage and runs against their facts.

use super::cure::Cure;
use super::{Finding, Kind, Verification, VerifyReport};
use crate::domain::journal::{self, FACT_BYTES_MAX};
use crate::domain::{Path, Target, keys};
use crate::rebuild::runs::telling;
use crate::rebuild::{coverage, one_object};
use crate::store::{ErrorKind, StoreError};

pub(super) async fn verify(
    this: &Verification<'_>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    verify_coverage(this, report).await?;
    let everything =
        matches!(&this.options.target, Target::Path { path, .. } if *path == Path::root());
    if everything {
        verify_runs(this, report).await?;
    }
    Ok(())
}

async fn verify_coverage(
    this: &Verification<'_>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    // The rows before the facts: what a row says then stands in a fact.
    let rows = this.stores.index.coverage().await?;
    let facts = match coverage::told_by_facts(this.stores).await {
        Ok(facts) => facts,
        Err(error) if error.kind() == ErrorKind::Format => {
            let told = format!("its facts cannot be read: {error}");
            let finding = Finding::new(Kind::CoverageDiffers, this.options.target.as_str(), told);
            return this.tell(vec![finding], report).await;
        }
        Err(error) => return Err(error),
    };
    let concerned = |path: &Path| match &this.options.target {
        Target::Name(name) => path.contains(name),
        Target::Path { path: own, .. } => own.covers(path) || path.covers(own),
    };
    let paths: std::collections::BTreeSet<&Path> = rows.paths().chain(facts.keys()).collect();
    let told = |path: &Path| facts.get(path).map_or(&[][..], Vec::as_slice);
    let mut differ: Vec<Finding> = paths
        .into_iter()
        .filter(|path| concerned(path) && rows.of(path) != told(path))
        .map(|path| {
            let (row, facts) = (rows.of(path).len(), told(path).len());
            let detail =
                format!("the row has {row} intervals, the facts tell of {facts}, or others");
            Finding::new(Kind::CoverageDiffers, path.as_str(), detail)
        })
        .collect();
    if this.options.heal && !differ.is_empty() {
        // What the facts claim rests on records: where some cannot be read, a rebuild that left
        // them out has taken the claims back, and they must not come again.
        let heals = report.unreadable == 0;
        if heals {
            coverage::rebuild(this.stores).await?;
        }
        for finding in &mut differ {
            finding.healed = Some(heals);
            if !heals {
                finding
                    .detail
                    .push_str("; not healed: objects of the journal cannot be read");
            }
        }
    }
    this.tell(differ, report).await
}

async fn verify_runs(this: &Verification<'_>, report: &mut VerifyReport) -> Result<(), StoreError> {
    let (mut finished, mut start) = (None, None);
    loop {
        let (page, next) = this.stores.bucket.list(keys::RUN_FACTS, start).await?;
        for object in telling(page, &mut finished) {
            let run = one_object(this.stores, &object, FACT_BYTES_MAX, journal::run_at).await?;
            let finding = match run {
                Err(why) => Finding::new(Kind::JournalUnreadable, object.key, why),
                Ok(run) => {
                    let entry = keys::run_entry(run.started, &run.id);
                    if this.stores.index.has_row(keys::META, &entry).await? {
                        continue;
                    }
                    let told = format!("no rows for {}", object.key);
                    let finding = Finding::new(Kind::RunMissing, run.target.clone(), told);
                    Finding {
                        time: Some(run.started),
                        ..finding.cured_by(Cure::Run(Box::new(run)))
                    }
                }
            };
            this.tell(vec![finding], report).await?;
        }
        start = next;
        if start.is_none() {
            return Ok(());
        }
    }
}
