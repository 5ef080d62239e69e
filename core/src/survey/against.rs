//! What turns what lives into what is wanted, wherever that is known from: a
//! run that is undone, a saved plan, a file, another path or account.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Assessed, NAMES_AT_ONCE, SurveyOptions, recorded_as, steps_of};
use crate::domain::plan::Problem;
use crate::domain::state::is_recorded_as;
use crate::domain::{Live, Name, State, Step};
use crate::store::{Destination, Heads, StoreError, Stores};

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
/// survey takes for those that may differ; with labels one look more for each that
/// lives and had any.
pub async fn against(
    stores: &Stores,
    wanted: Vec<Wanted>,
    options: &SurveyOptions,
    object: &(dyn Fn(&Name, Option<&Live>) -> Option<Problem> + Sync),
) -> Result<Vec<Step>, StoreError> {
    let names: BTreeSet<&Name> = wanted.iter().map(|w| &w.name).collect();
    let names: Vec<Name> = names.into_iter().cloned().collect();
    let there = Destination::from(stores);
    let (lives, heads) = tokio::try_join!(
        stores.parameters.list_names(&names),
        stores.index.heads_of(&names),
    )?;
    let mut steps = compared(&there, wanted, lives, &heads, options).await?;
    for step in &mut steps {
        let live = step.live.as_ref().map(|l| &l.live);
        if step.problem.is_none() && step.action.changes() {
            step.problem = object(&step.name, live);
        }
    }
    Ok(steps)
}

/// As [`against`], where a listing has told already what lives, and wherever
/// the parameters are to be written. Where nothing is recorded no row is read.
pub async fn against_living(
    there: &Destination,
    wanted: Vec<Wanted>,
    lives: Vec<Live>,
    options: &SurveyOptions,
) -> Result<Vec<Step>, StoreError> {
    let heads = match &there.record {
        Some(stores) => {
            let names: Vec<Name> = wanted.iter().map(|w| w.name.clone()).collect();
            stores.index.heads_of(&names).await?
        }
        None => Heads::new(),
    };
    compared(there, wanted, lives, &heads, options).await
}

async fn compared(
    there: &Destination,
    wanted: Vec<Wanted>,
    lives: Vec<Live>,
    heads: &Heads,
    options: &SurveyOptions,
) -> Result<Vec<Step>, StoreError> {
    let wanted: BTreeMap<Name, Wanted> = wanted.into_iter().map(|w| (w.name.clone(), w)).collect();
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
            tags_are_live: false,
            tags_are_recorded: false,
            at_hand: Vec::new(),
            unseen: None,
            state: wanted.state,
            name: wanted.name,
        }
    });
    let labelled = stream::iter(assessed)
        .map(|assessed| with_labels(there, assessed, options.labels))
        .buffered(NAMES_AT_ONCE)
        .try_collect();
    steps_of(there, labelled.await?, options).await
}

/// With the labels that the live version has, where they are wanted.
async fn with_labels(
    there: &Destination,
    mut assessed: Assessed,
    wants_labels: bool,
) -> Result<Assessed, StoreError> {
    let wanted = assessed.state.found().map(|f| &f.attributes.labels);
    let wanted = wants_labels && wanted.is_some_and(|labels| !labels.is_empty());
    if let (Some(live), true) = (&assessed.live, wanted) {
        assessed.live_labels = there.parameters.labels(live).await?;
    }
    Ok(assessed)
}
