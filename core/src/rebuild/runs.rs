//! Runs: as their facts tell, the finished one where there is one.

use futures_util::{StreamExt, stream};

use super::{Progress, RebuildReport, Told, is_object, one_object};
use crate::domain::journal::{self, FACT_BYTES_MAX};
use crate::domain::keys;
use crate::domain::run::Phase;
use crate::store::{Listed, StoreError, Stores};

/// A run of many parameters is long: few at once.
const RUNS_AT_ONCE: usize = 2;

pub(super) async fn rebuild(
    stores: &Stores,
    progress: Progress<'_>,
    report: &mut RebuildReport,
) -> Result<(), StoreError> {
    let (mut finished, mut start) = (None, None);
    loop {
        let (page, next) = stores.bucket.list(keys::RUN_FACTS, start).await?;
        let mut runs = stream::iter(telling(page, &mut finished))
            .map(|object| async move { (one_run(stores, &object).await, object.key) })
            .buffer_unordered(RUNS_AT_ONCE);
        while let Some((run, key)) = runs.next().await {
            match run? {
                Ok(()) => report.runs += 1,
                Err(why) => {
                    progress(Told::Unreadable(&key, &why));
                    report.unreadable += 1;
                }
            }
        }
        start = next;
        if start.is_none() {
            return Ok(());
        }
    }
}

/// Leaves out the plan of each run that has finished: in order of keys it
/// comes right after the outcome, perhaps on the next page.
pub(crate) fn telling(page: Vec<Listed>, finished: &mut Option<String>) -> Vec<Listed> {
    let mut telling = Vec::with_capacity(page.len());
    for object in page.into_iter().filter(is_object) {
        let run = journal::run_of_key(&object.key);
        if run.is_some() && run == finished.as_deref() {
            continue;
        }
        *finished = run.map(str::to_owned);
        telling.push(object);
    }
    telling
}

async fn one_run(stores: &Stores, object: &Listed) -> Result<Result<(), String>, StoreError> {
    let run = match one_object(stores, object, FACT_BYTES_MAX, journal::run_at).await? {
        Ok(run) => run,
        Err(why) => return Ok(Err(why)),
    };
    match run.phase {
        Phase::Finished => stores.index.put_run(&run).await?,
        // It may be going on at this moment, and be told as finished any time.
        Phase::Planned => stores.index.put_run_if_new(&run).await?,
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_run_that_finished_only_the_outcome_is_read() {
        let of = |run: &str, phase: &str| Listed {
            key: format!("{}2026/11/20/{run}-{phase}.json", keys::RUN_FACTS),
            bytes: 9,
        };
        let mut finished = None;
        let first = vec![of("1", "finished"), of("1", "planned"), of("2", "planned")];
        let left = telling(first, &mut finished);
        assert_eq!(left, [of("1", "finished"), of("2", "planned")]);
        let left = telling(vec![of("3", "finished")], &mut finished);
        assert_eq!(left, [of("3", "finished")]);
        let left = telling(vec![of("3", "planned"), of("4", "planned")], &mut finished);
        assert_eq!(left, [of("4", "planned")]);
    }
}
