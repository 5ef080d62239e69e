//! The states of names at an instant, and nothing of their values.

use std::collections::BTreeMap;

use super::{Asked, anything_known, assess_all, cases, nearest_known, records_until};
use crate::domain::{Instant, Name, State, Target};
use crate::store::{StoreError, Stores};

/// Returns the states of the names of `target` at `at`, and nothing of any
/// value. Whether anything is known and the nearest instant that is are told as
/// a survey tells them.
///
/// Reads no stored value and no live one, but for the look at a live parameter
/// that is not on record and changed since: that is made without values where
/// its key is denied.
pub async fn states(stores: &Stores, target: &Target, at: Instant) -> Result<States, StoreError> {
    let (cases, coverage) = cases(stores, target).await?;
    let asked = Asked {
        labels: true,
        tags: true,
        live_tags: false,
        trusted_tags: false,
    };
    let seen = match target {
        Target::Path { path, .. } => records_until(stores, path, &cases, at).await?,
        Target::Name(_) => BTreeMap::new(),
    };
    let states = assess_all(stores, cases, at, &coverage, (asked, seen)).await?;
    Ok(States {
        nearest_known: nearest_known(target, at, &coverage, &states),
        anything_known: anything_known(target, at, &coverage, &states),
        states: states.into_iter().map(|a| (a.name, a.state)).collect(),
    })
}

/// The states of names at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct States {
    /// Each name that lives or has records, with its state.
    pub states: BTreeMap<Name, State>,
    /// See [`crate::domain::Plan::nearest_known`].
    pub nearest_known: Option<Instant>,
    /// See [`crate::domain::Plan::anything_known`].
    pub anything_known: bool,
}
