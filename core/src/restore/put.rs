//! Putting one parameter back as it was.

use super::{Report, failed, report};
use crate::domain::plan::LiveParameter;
use crate::domain::policy::has_expired;
use crate::domain::record::Attributes;
use crate::domain::retained::Tags;
use crate::domain::run::Outcome;
use crate::domain::state::Found;
use crate::domain::{Instant, Step};
use crate::store::{ErrorKind, PutRequest, StoreError, Stores};

/// A put whose fate is unknown is sent this often at most.
const MOST_PUTS: usize = 4;

/// Writes one parameter as it was. The error is the report of its failure.
pub(super) async fn write(stores: &Stores, step: &Step) -> Result<Report, Report> {
    let refused = |reason: &'static str| failed(&step.name, &reason);
    let found = step
        .state
        .found()
        .ok_or_else(|| refused("it has no state to restore"))?;
    let value = step
        .value
        .as_ref()
        .ok_or_else(|| refused("its value is not at hand"))?;
    let live = step.live.as_ref().map(|l| &l.live);
    let (attributes, note) = what_to_put(found, step.live.as_ref(), stores.now());
    let request = PutRequest {
        name: &step.name,
        value,
        attributes: &attributes,
        overwrite: live.is_some(),
        clear_policies: live.is_some_and(|l| !l.attributes.policies.is_empty()),
    };
    let expected = live.map_or(1, |l| l.version + 1);
    let version = put_once(stores, step, &request, expected).await?;
    let not_as_planned = |reason: String| Report {
        written_version: Some(version),
        ..failed(&step.name, &reason)
    };
    if version > expected {
        return Err(not_as_planned(format!(
            "conflict: someone wrote version {} at the same moment, and version {version} was written over it; `ssmbak history {}` shows both",
            version - 1,
            step.name
        )));
    }
    if version < expected {
        return Err(not_as_planned(format!(
            "conflict: someone deleted it at the same moment; it was created again as version {version}"
        )));
    }
    if let Err(error) = put_tags(stores, step, found).await {
        return Err(not_as_planned(format!(
            "version {version} was written, but its tags were not: {error}"
        )));
    }
    Ok(Report {
        written_version: Some(version),
        ..report(&step.name, Outcome::Restored, note)
    })
}

/// Writes exactly one version. A put whose answer was lost may have been done
/// all the same: what lives then tells whether to send it again.
async fn put_once(
    stores: &Stores,
    step: &Step,
    request: &PutRequest<'_>,
    expected: u64,
) -> Result<u64, Report> {
    for _ in 1..MOST_PUTS {
        let error = match stores.parameters.put(request).await {
            Ok(version) => return Ok(version),
            Err(error) if is_unsure(&error) => error,
            Err(error) => return Err(failed(&step.name, &error)),
        };
        let names = std::slice::from_ref(&step.name);
        let lives = stores.parameters.values(names).await;
        let mut lives = lives.map_err(|_| failed(&step.name, &error))?;
        match lives.remove(&step.name) {
            Some(Ok(live)) if live.version == expected && live.value == *request.value => {
                return Ok(expected);
            }
            Some(Ok(live)) if live.version + 1 == expected => {}
            None if expected == 1 => {}
            _ => return Err(failed(&step.name, &error)),
        }
    }
    let answer = stores.parameters.put(request).await;
    answer.map_err(|error| failed(&step.name, &error))
}

/// Whether the write may have been done although an error came back.
fn is_unsure(error: &StoreError) -> bool {
    let code = error.code().unwrap_or_default();
    error.kind() == ErrorKind::Unreachable
        || error.code().is_none()
        || code.starts_with("Internal")
        || code == "ServiceUnavailable"
}

/// The attributes to send: the tier only where it rises, no expiry that has
/// passed already. The note tells what was left out.
fn what_to_put(
    found: &Found,
    live: Option<&LiveParameter>,
    now: Instant,
) -> (Attributes, Option<String>) {
    let mut attributes = match live {
        Some(live) => found.attributes.completed_from(&live.live.attributes),
        None => found.attributes.clone(),
    };
    let live_tier = live.and_then(|l| l.live.attributes.tier.as_deref());
    if live_tier.is_some()
        && (attributes.tier.as_deref() == live_tier || live_tier == Some("Advanced"))
    {
        attributes.tier = None;
    }
    let all = attributes.policies.len();
    attributes.policies.retain(|text| !has_expired(text, now));
    let note = (attributes.policies.len() < all).then(|| {
        "its expiration policy lies in the past, or cannot be read, and was left out".to_owned()
    });
    (attributes, note)
}

/// Puts the tags back, where they are known. Tags cannot be sent with an
/// overwrite.
async fn put_tags(stores: &Stores, step: &Step, found: &Found) -> Result<(), StoreError> {
    let Some(wanted) = &found.attributes.tags else {
        return Ok(());
    };
    let none = Tags::new();
    let now = match &step.live {
        None => &none,
        Some(live) => live.tags.as_ref().unwrap_or(&none),
    };
    stores.parameters.set_tags(&step.name, now, wanted).await
}
