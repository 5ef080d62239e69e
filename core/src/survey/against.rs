//! What turns what lives into what is wanted, wherever that is known from: a
//! run that is undone, a saved plan, a file, another path or account.

use std::collections::BTreeMap;

use super::{Assessed, NAMES_AT_ONCE, SurveyOptions, recorded_as, steps_of};
use crate::domain::plan::Problem;
use crate::domain::state::is_recorded_as;
use crate::domain::{Live, Name, State, Step};
use crate::store::{StoreError, Stores};
use futures_util::{TryStreamExt as _, stream};

/// One parameter as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The parameter.
    pub name: Name,
    /// What it is to be; one that is unknown is left alone.
    pub state: State,
}

/// Returns a step for each of `wanted`, in order of names, also for what needs
/// no change. Changes nothing.
///
/// `object` is asked of what lives before its step is decided: what it returns
/// becomes the step's problem, unless there is a worse one.
///
/// Takes a listing for every 25 names, one row of the index for each, and what a
/// survey takes for those that may differ.
pub async fn against(
    stores: &Stores,
    wanted: Vec<Wanted>,
    options: &SurveyOptions,
    object: &(dyn Fn(&Name, Option<&Live>) -> Option<Problem> + Sync),
) -> Result<Vec<Step>, StoreError> {
    let wanted: BTreeMap<Name, Wanted> = wanted.into_iter().map(|w| (w.name.clone(), w)).collect();
    let names: Vec<Name> = wanted.keys().cloned().collect();
    let (lives, heads) = tokio::try_join!(
        stores.parameters.list_names(&names),
        stores.index.heads_of(&names),
    )?;
    let mut lives: BTreeMap<Name, Live> = lives.into_iter().map(|l| (l.name.clone(), l)).collect();
    let assessed = wanted.into_values().map(|wanted| {
        let live = lives.remove(&wanted.name);
        let head = heads.get(&wanted.name);
        let is_head = |l: &Live| is_recorded_as(l, head.map(|h| &h.record));
        Assessed {
            recorded: head
                .filter(|_| live.as_ref().is_some_and(is_head))
                .map(recorded_as),
            live,
            live_labels: None,
            tags_changed: false,
            state: wanted.state,
            name: wanted.name,
        }
    });
    let mut assessed: Vec<Assessed> = assessed.collect();
    if options.labels {
        read_labels(stores, &mut assessed).await?;
    }
    let mut steps = steps_of(stores, assessed, options).await?;
    for step in &mut steps {
        let live = step.live.as_ref().map(|l| &l.live);
        if step.problem.is_none() && step.action.changes() {
            step.problem = object(&step.name, live);
        }
    }
    Ok(steps)
}

/// Reads the live labels of what is to have some: a look at each.
async fn read_labels(stores: &Stores, assessed: &mut [Assessed]) -> Result<(), StoreError> {
    let labelled = |a: &&mut Assessed| {
        let found = a.state.found();
        a.live.is_some() && found.is_some_and(|f| !f.attributes.labels.is_empty())
    };
    stream::iter(assessed.iter_mut().filter(labelled).map(Ok))
        .try_for_each_concurrent(NAMES_AT_ONCE, async |assessed| {
            let retained = stores.parameters.sealed_history(&assessed.name).await?;
            let live = assessed.live.as_ref();
            let is_live = |l: &Live| {
                let mut versions = retained.iter().flatten();
                let same = versions.find(|r| r.version == l.version && r.modified == l.modified);
                same.map(|r| r.attributes.labels.clone())
            };
            assessed.live_labels = live.and_then(is_live);
            Ok(())
        })
        .await
}
