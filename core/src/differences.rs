//! What differs under a path between two instants, or an instant and now.
//! Changes nothing.
//!
//! Live parameters, heads and coverage are listed once for both instants. A name
//! that did not change since the first costs nothing more, and a value is read
//! only where the two versions are not the same.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::domain::differences::{Difference, Side, difference, sides, values_needed};
use crate::domain::plan::{Nearest, Problem};
use crate::domain::state::{Found, FoundValue};
use crate::domain::{Action, Instant, Name, State, Target};
use crate::store::{ErrorKind, LiveValue, StoreError, Stores};
use crate::survey::{
    Asked, Assessed, NAMES_AT_ONCE, Purpose, SurveyOptions, anything_known, assess, cases,
    nearest_known, survey,
};

/// What differs between two instants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// What was asked about.
    pub target: Target,
    /// The first instant.
    pub from: Instant,
    /// The second; none for what lives now.
    pub to: Option<Instant>,
    /// What differs or is unknown, in order of names.
    pub differences: Vec<Difference>,
    /// Names of which no difference is known although something of them could
    /// not be read.
    pub doubtful: Vec<(Name, Problem)>,
    /// How many were present at both and do not differ.
    pub unchanged: usize,
    /// At which of the two instants nothing at all is known, with the first
    /// later instant at which something is.
    pub nothing_known: Option<(Instant, Option<Instant>)>,
}

/// Returns what differs of `target` between `from` and `to`, or now.
///
/// Names that are absent at both are left out, and so are the tool's own
/// parameters. What differs from now is what a [`survey`] would put back. A value
/// that cannot be read is a problem of its side, not an error.
///
/// With `trusts_index`, which is for what lives now only, as in
/// [`SurveyOptions::trusts_index`].
pub async fn differences(
    stores: &Stores,
    target: &Target,
    from: Instant,
    to: Option<Instant>,
    trusts_index: bool,
) -> Result<Comparison, StoreError> {
    match to {
        None => from_now(stores, target, from, trusts_index).await,
        Some(to) => between(stores, target, from, to).await,
    }
}

async fn from_now(
    stores: &Stores,
    target: &Target,
    from: Instant,
    trusts_index: bool,
) -> Result<Comparison, StoreError> {
    let options = SurveyOptions {
        purpose: Purpose::Comparison,
        trusts_index,
        ..SurveyOptions::default()
    };
    let plan = survey(stores, target, from, &options).await?;
    let now = stores.now();
    let unchanged = |s: &&_| is_unchanged(s);
    let mut comparison = Comparison {
        nothing_known: plan
            .knows_nothing()
            .then_some((from, plan.nearest_known.filter(|at| *at > from))),
        unchanged: plan.steps.iter().filter(unchanged).count(),
        target: target.clone(),
        from,
        to: None,
        differences: Vec::new(),
        doubtful: Vec::new(),
    };
    for step in plan.steps {
        let (old, new) = sides(&step);
        match (difference(step.name.clone(), old, new, now), step.problem) {
            (Some(found), _) => comparison.differences.push(found),
            (None, Some(problem)) => comparison.doubtful.push((step.name, problem)),
            (None, None) => {}
        }
    }
    Ok(comparison)
}

fn is_unchanged(step: &crate::domain::Step) -> bool {
    step.action == Action::None && step.state.found().is_some()
}

async fn between(
    stores: &Stores,
    target: &Target,
    from: Instant,
    to: Instant,
) -> Result<Comparison, StoreError> {
    let (cases, coverage) = cases(stores, target).await?;
    let asked = Asked {
        labels: false,
        tags: true,
        live_tags: false,
        trusted_tags: false,
    };
    let pairs: Vec<(Assessed, Assessed)> = stream::iter(cases)
        .map(async |case| {
            let covered = |at| coverage.covers(&case.name, at);
            let (new, seen) = assess(stores, &case, to, covered(to), asked, None).await?;
            let seen = Some(&seen);
            let (old, _) = assess(stores, &case, from, covered(from), asked, seen).await?;
            Ok::<_, StoreError>((old, new))
        })
        .buffered(NAMES_AT_ONCE)
        .try_collect()
        .await?;
    let (old, new): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let nothing_known = [(from, &old), (to, &new)]
        .into_iter()
        .find_map(|(at, states)| {
            let nearest =
                || nearest_known(target, at, &coverage, states).filter(|known| *known > at);
            (!anything_known(target, at, &coverage, states)).then(|| (at, nearest()))
        });
    let pairs: Vec<_> = old
        .into_iter()
        .zip(new)
        .map(|(old, new)| (old.name, old.state, new.state))
        .collect();
    let live = live_values(stores, &pairs).await?;
    let now = stores.now();
    let compared: Vec<_> = stream::iter(pairs)
        .map(async |(name, old, new)| {
            let (old_needed, new_needed) = values_needed(&old, &new);
            let both_present = old.found().is_some() && new.found().is_some();
            let old = side(stores, &name, old, old_needed, &live).await?;
            let new = side(stores, &name, new, new_needed, &live).await?;
            Ok::<_, StoreError>((difference(name, old, new, now), both_present))
        })
        .buffered(NAMES_AT_ONCE)
        .try_collect()
        .await?;
    let unchanged =
        |(difference, both): &&(Option<Difference>, bool)| difference.is_none() && *both;
    Ok(Comparison {
        target: target.clone(),
        from,
        to: Some(to),
        unchanged: compared.iter().filter(unchanged).count(),
        differences: compared.into_iter().filter_map(|(d, _)| d).collect(),
        doubtful: Vec::new(),
        nothing_known,
    })
}

type LiveValues = BTreeMap<Name, Result<LiveValue, StoreError>>;

/// The values of the live versions that are to be compared or shown.
async fn live_values(
    stores: &Stores,
    pairs: &[(Name, State, State)],
) -> Result<LiveValues, StoreError> {
    let is_live = |state: &State| state.found().is_some_and(|f| f.value == FoundValue::Live);
    let wanted = pairs.iter().filter(|(_, old, new)| {
        let (old_needed, new_needed) = values_needed(old, new);
        (old_needed && is_live(old)) || (new_needed && is_live(new))
    });
    let wanted: Vec<Name> = wanted.map(|(name, ..)| name.clone()).collect();
    stores.parameters.values(&wanted).await
}

async fn side(
    stores: &Stores,
    name: &Name,
    state: State,
    needed: bool,
    live: &LiveValues,
) -> Result<Side, StoreError> {
    let mut side = Side::of(state);
    let Some(found) = side.state.found().filter(|_| needed) else {
        return Ok(side);
    };
    let unreadable = |why: &str| Problem::LiveUnreadable(why.to_owned());
    match &found.value {
        FoundValue::Live => match live.get(name) {
            Some(Ok(read)) if is_version(read, found) => {
                side.value = Some(read.value.clone());
            }
            Some(Ok(_)) | None => {
                side.problem = Some(unreadable("it was written or deleted meanwhile"));
            }
            Some(Err(error)) => side.problem = Some(unreadable(&error.to_string())),
        },
        FoundValue::Retained(value) | FoundValue::Given(value) => {
            side.value = Some(value.clone());
        }
        FoundValue::Stored(pointer) => match stores.bucket.value(pointer).await {
            Ok(value) => side.value = Some(value),
            Err(error) if error.kind() == ErrorKind::Missing => {
                side.problem = Some(Problem::Gone(Nearest::default()));
            }
            Err(error) => side.problem = Some(Problem::StoredUnreadable(error.to_string())),
        },
        FoundValue::Lost => side.problem = Some(Problem::Lost(Nearest::default())),
        FoundValue::Sealed => side.problem = Some(Problem::Sealed),
    }
    Ok(side)
}

fn is_version(read: &LiveValue, found: &Found) -> bool {
    Some(read.version) == found.version && read.modified == found.modified
}
