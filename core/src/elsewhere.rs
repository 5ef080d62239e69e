//! Somewhere else: what parameters were, or are, written under another path, in
//! another region or account. Changes nothing; [`crate::restore`] does.
//!
//! Invariant: nothing is deleted somewhere else.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::domain::elsewhere::{Mapping, Refused, Sourced, Terms, settle};
use crate::domain::plan::Problem;
use crate::domain::state::FoundValue;
use crate::domain::{Found, Instant, Live, Name, Plan, Selection, State, Target};
use crate::store::{Destination, LiveValue, Parameters, StoreError};
use crate::survey::{NAMES_AT_ONCE, SurveyOptions, Wanted, against_living};

/// What lives, to be written somewhere else.
#[derive(Clone, Debug)]
pub struct Living {
    /// The parameters.
    pub sourced: Vec<Sourced>,
    /// How many were left out since they are not selected.
    pub left_out: usize,
}

/// Reads what lives of `target` and is selected: a listing, a call for every ten
/// values, and one for the tags of each; with `labels` one more for each. The
/// tool's own parameters are not among it.
///
/// What changes while it is read is a problem of its parameter.
pub async fn living(
    parameters: &Parameters,
    target: &Target,
    selection: &Selection,
    labels: bool,
) -> Result<Living, StoreError> {
    let listed = parameters.list(target).await?;
    let takes = |live: &Live| {
        selection.names.takes(&live.name)
            && selection.takes_type(Some(&live.attributes.parameter_type))
    };
    let (lives, others): (Vec<Live>, Vec<Live>) = listed
        .into_iter()
        .filter(|live| !live.name.is_own())
        .partition(takes);
    let names: Vec<Name> = lives.iter().map(|l| l.name.clone()).collect();
    let mut values = parameters.values(&names).await?;
    let lives: Vec<_> = lives
        .into_iter()
        .map(|live| {
            let value = values.remove(&live.name);
            (live, value)
        })
        .collect();
    let sourced = stream::iter(lives)
        .map(|(live, value)| read_beside(parameters, live, value, labels))
        .buffered(NAMES_AT_ONCE)
        .try_collect()
        .await?;
    Ok(Living {
        sourced,
        left_out: others.len(),
    })
}

/// A live parameter with its tags, and its labels where they are wanted.
async fn read_beside(
    parameters: &Parameters,
    live: Live,
    value: Option<Result<LiveValue, StoreError>>,
    labels: bool,
) -> Result<Sourced, StoreError> {
    let mut attributes = live.attributes.clone();
    let name = live.name.clone();
    let unreadable = |error: StoreError| Problem::LiveUnreadable(error.to_string());
    let same = |read: &LiveValue| read.version == live.version && read.modified == live.modified;
    let mut problem = None;
    let value = match value {
        Some(Ok(read)) if same(&read) => FoundValue::Given(read.value),
        Some(Err(error)) => {
            problem = Some(unreadable(error));
            FoundValue::Sealed
        }
        Some(Ok(_)) | None => {
            let told = "it changed while it was read: run this again";
            problem = Some(Problem::LiveUnreadable(told.into()));
            FoundValue::Sealed
        }
    };
    match parameters.tags(&name).await {
        Ok(tags) => attributes.tags = tags,
        Err(error) => problem = problem.or(Some(unreadable(error))),
    }
    if labels {
        attributes.labels = parameters.labels(&live).await?.unwrap_or_default();
    }
    Ok(Sourced {
        name,
        problem,
        state: State::Present(Found {
            modified: live.modified,
            version: Some(live.version),
            modified_by: live.modified_by,
            attributes,
            value,
            inexact: false,
        }),
    })
}

/// What is to be done somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct There {
    /// The plan, by the names there.
    pub plan: Plan,
    /// How many others live there, in the target, and are left alone.
    pub others: usize,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Some names cannot be written there.
    #[error("{} of the names cannot be written there", .0.len())]
    Refused(Vec<Refused>),
}

/// Plans to write what was `sourced` at `at` to `there`, under the names of
/// `mapping`. Nothing is deleted, and what is unknown is left alone.
///
/// Takes a listing of the mapped target, one row of the index for each name
/// where there is a record, and the values and tags of those that live there.
pub async fn plan_there(
    there: &Destination,
    mapping: &Mapping,
    at: Instant,
    sourced: Vec<Sourced>,
    options: &SurveyOptions,
    terms: &Terms<'_>,
) -> Result<There, PlanError> {
    let names = sourced.iter().map(|s| &s.name);
    let names = mapping.of_all(names, terms.from == terms.to);
    let names = names.map_err(PlanError::Refused)?;
    let listed = there.parameters.list(mapping.to()).await?;
    let mut problems = BTreeMap::new();
    let mut wanted = Vec::with_capacity(sourced.len());
    let mut lost = BTreeSet::new();
    for Sourced {
        name,
        mut state,
        problem,
    } in sourced
    {
        let Some(name) = names.get(&name).cloned() else {
            continue;
        };
        if let State::Present(found) = &mut state
            && found.value == FoundValue::Lost
        {
            // The values nearest to it are those of its source: not to be looked for here.
            found.value = FoundValue::Sealed;
            lost.insert(name.clone());
        }
        problems.extend(problem.map(|problem| (name.clone(), problem)));
        wanted.push(Wanted { name, state });
    }
    let written: BTreeSet<Name> = wanted.iter().map(|w| w.name.clone()).collect();
    let is_other = |live: &&Live| !written.contains(&live.name) && !live.name.is_own();
    let others = listed.iter().filter(is_other).count();
    let mut steps = against_living(there, wanted, listed, options).await?;
    for step in &mut steps {
        if let State::Present(found) = &mut step.state
            && lost.contains(&step.name)
        {
            found.value = FoundValue::Lost;
        }
    }
    Ok(There {
        others,
        plan: Plan {
            target: mapping.to().clone(),
            at,
            steps: settle(steps, &problems, terms),
            nearest_known: None,
            anything_known: true,
        },
    })
}
