//! Putting one parameter back as it was.

use super::{Report, failed, report};
use crate::domain::plan::LiveParameter;
use crate::domain::record::Attributes;
use crate::domain::retained::Tags;
use crate::domain::run::Outcome;
use crate::domain::state::Found;
use crate::domain::{Instant, Step, Value};
use crate::store::{ErrorKind, PutRequest, StoreError, Stores};

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
    let version = match stores.parameters.put(&request).await {
        Ok(version) => version,
        Err(error) => settle_put(stores, step, value, expected, error).await?,
    };
    if version != expected {
        return Err(failed(
            &step.name,
            &format!(
                "conflict: someone wrote version {} at the same moment, and it was overwritten by version {version}; `ssmbak history {}` shows both",
                version - 1,
                step.name
            ),
        ));
    }
    if let Err(error) = put_tags(stores, step, found).await {
        let reason = format!("version {version} was written, but its tags were not: {error}");
        return Err(failed(&step.name, &reason));
    }
    Ok(Report {
        written_version: Some(version),
        ..report(&step.name, Outcome::Restored, note)
    })
}

/// A put whose answer was lost may have been done all the same.
async fn settle_put(
    stores: &Stores,
    step: &Step,
    value: &Value,
    expected: u64,
    error: StoreError,
) -> Result<u64, Report> {
    let code = error.code().unwrap_or_default();
    let unsure = error.kind() == ErrorKind::Unreachable || code.starts_with("InternalServer");
    if unsure {
        let names = std::slice::from_ref(&step.name);
        let live = stores.parameters.values(names).await;
        let live = live.ok().and_then(|mut l| l.remove(&step.name));
        if let Some(Ok(live)) = live
            && live.version == expected
            && live.value == *value
        {
            return Ok(expected);
        }
    }
    Err(failed(&step.name, &error))
}

/// The attributes to send: the tier only where it rises, no expiry that has
/// passed already. The note tells what was left out.
fn what_to_put(
    found: &Found,
    live: Option<&LiveParameter>,
    now: Instant,
) -> (Attributes, Option<String>) {
    let mut attributes = found.attributes.clone();
    let live_tier = live.and_then(|l| l.live.attributes.tier.as_deref());
    if live_tier.is_some()
        && (attributes.tier.as_deref() == live_tier || live_tier == Some("Advanced"))
    {
        attributes.tier = None;
    }
    let all = attributes.policies.len();
    attributes.policies.retain(|text| !has_expired(text, now));
    let note = (attributes.policies.len() < all)
        .then(|| "its expiration policy lies in the past and was left out".to_owned());
    (attributes, note)
}

/// Whether a policy would delete what was just restored.
fn has_expired(policy: &str, now: Instant) -> bool {
    let Ok(policy) = serde_json::from_str::<serde_json::Value>(policy) else {
        return false;
    };
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let timestamp = policy
        .pointer("/Attributes/Timestamp")
        .and_then(text)
        .and_then(|t| t.parse::<Instant>().ok());
    policy["Type"] == "Expiration" && timestamp.is_some_and(|t| t <= now)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn an_expiry_in_the_past_would_delete_what_was_just_restored() {
        let policy = r#"{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2026-01-01T00:00:00.000Z"}}"#;
        assert!(has_expired(policy, at("2026-01-01T00:00:00Z")));
        assert!(!has_expired(policy, at("2025-12-31T23:59:59Z")));
        let other = r#"{"Type":"NoChangeNotification","Attributes":{"After":"20","Unit":"Days"}}"#;
        assert!(!has_expired(other, at("2026-01-01T00:00:00Z")));
        assert!(!has_expired("no json", at("2026-01-01T00:00:00Z")));
    }
}
