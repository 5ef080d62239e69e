//! The versions of a name that changed since the instant.

use crate::domain::{Instant, Live, Name, Record, Retained};
use crate::store::{ErrorKind, Head, StoreError, Stores};

/// What is known of the versions of a name that changed since.
#[derive(Default)]
pub(crate) struct Versions {
    /// What Parameter Store retains, where that was asked.
    pub(super) retained: Vec<Retained>,
    /// The newest record until the instant.
    pub(super) before: Option<Record>,
    /// The oldest record, where there is nothing until the instant.
    pub(super) oldest: Option<Record>,
}

pub(super) async fn versions_until(
    stores: &Stores,
    name: &Name,
    head: Option<&Head>,
    at: Instant,
    looked_at: Option<&Live>,
    seen: Option<&Versions>,
) -> Result<Versions, StoreError> {
    let mut versions = Versions::default();
    if let Some(live) = looked_at {
        versions.retained = match seen {
            // What is retained now is the same whatever instant is asked of.
            Some(seen) if !seen.retained.is_empty() => seen.retained.clone(),
            Some(_) | None => look(stores, live).await?.unwrap_or_default(),
        };
    }
    let nothing_before = seen.is_some_and(|seen| {
        let oldest = seen.oldest.as_ref();
        seen.before.is_none() && oldest.is_some_and(|oldest| oldest.at > at)
    });
    let before = seen.and_then(|seen| seen.before.as_ref());
    versions.before = match before {
        _ if nothing_before => None,
        // Nothing lies between the two instants.
        Some(before) if before.at <= at => {
            known_better(stores, name, Some(before.clone()), at).await?
        }
        Some(_) | None => newest_until(stores, name, head, at).await?,
    };
    let retained_before = versions.retained.iter().any(|r| r.modified <= at);
    if versions.before.is_none() && head.is_some() && !retained_before {
        versions.oldest = match seen.and_then(|seen| seen.oldest.clone()) {
            Some(oldest) => Some(oldest),
            None => stores.index.oldest(name).await?,
        };
    }
    Ok(versions)
}

/// What Parameter Store retains of a live parameter that is not on record; none
/// where it was deleted meanwhile. A denied key must not hide the rest: then the
/// versions come without values.
async fn look(stores: &Stores, live: &Live) -> Result<Option<Vec<Retained>>, StoreError> {
    let (parameters, since) = (&stores.parameters, live.modified);
    match parameters.history_since(&live.name, since).await {
        Ok(look) => Ok(look.retained),
        Err(error) if error.kind() == ErrorKind::AccessDenied => {
            let sealed = parameters.sealed_history_since(&live.name, since).await;
            match sealed {
                Ok(look) => Ok(look.retained),
                Err(stale) if stale.kind() == ErrorKind::Stale => Err(stale),
                // Not the key but the action is denied: the first error says so.
                Err(_) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// The newest state-deciding record at or before `at`: the head itself, or
/// one query.
async fn newest_until(
    stores: &Stores,
    name: &Name,
    head: Option<&Head>,
    at: Instant,
) -> Result<Option<Record>, StoreError> {
    match head {
        None => Ok(None),
        Some(head) if head.record.at > at => {
            let newest = stores.index.newest_until(name, at).await?;
            known_better(stores, name, newest, at).await
        }
        Some(head) if head.trimmed => stores.index.own_row(&head.record).await,
        Some(head) => Ok(Some(head.record.clone())),
    }
}

/// An imported version has a whole second only. Where a captured one of that
/// second comes after `at`, it is the same change, which had not happened yet.
/// Costs nothing unless `at` divides the second of an imported version.
async fn known_better(
    stores: &Stores,
    name: &Name,
    newest: Option<Record>,
    at: Instant,
) -> Result<Option<Record>, StoreError> {
    let doubtful = |r: &Record| r.is_imported_version() && r.at.same_second(at);
    let Some(imported) = newest.as_ref().filter(|r| doubtful(r)) else {
        return Ok(newest);
    };
    if at == at.second_end() {
        return Ok(newest);
    }
    let (from, to) = (at.plus_millis(1), at.second_end());
    let later = stores.index.between(name, from, to).await?;
    if !later.iter().any(|r| r.numbered().is_some()) {
        return Ok(newest);
    }
    let before = imported.at.plus_millis(-1);
    stores.index.newest_until(name, before).await
}
