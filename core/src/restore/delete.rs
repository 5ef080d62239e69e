//! Deletions, ten with one call.

use super::ended::Ending;
use super::put::is_unsure;
use super::ready::still_as_planned;
use super::{Report, failed, report};
use crate::domain::run::Outcome;
use crate::domain::{Name, Step};
use crate::store::Destination;

/// Deletes up to ten parameters with one call, those that are still what was
/// planned: the writes before may have taken their time, and a delete, unlike
/// a put, does not tell what it met.
pub(super) async fn delete<'a>(
    to: &Destination,
    steps: &[&'a Step],
    ending: &Ending<'_>,
) -> Vec<(&'a Step, Report)> {
    let names = |steps: &[&Step]| -> Vec<Name> { steps.iter().map(|s| s.name.clone()).collect() };
    let mut lives = match to.parameters.values(&names(steps)).await {
        Ok(lives) => lives,
        Err(error) => {
            for step in steps {
                ending.done(failed(&step.name, &error));
            }
            return Vec::new();
        }
    };
    let mut planned: Vec<&Step> = Vec::with_capacity(steps.len());
    for step in steps {
        match still_as_planned(step, lives.remove(&step.name)) {
            Ok(()) => planned.push(step),
            Err(reason) => ending.done(failed(&step.name, &reason)),
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
            Ok(_) => ending.done(failed(
                &step.name,
                &"Parameter Store did not say that it was deleted",
            )),
            Err(error) => {
                if is_unsure(error) {
                    ending.unsure(&step.name);
                }
                ending.done(failed(&step.name, error));
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
