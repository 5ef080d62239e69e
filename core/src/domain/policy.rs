//! Parameter policies, as far as a restore must understand them.

use serde_json::Value as Json;

use super::instant::Instant;

/// Whether putting this policy back would delete what was just restored: it is
/// an expiration whose time has come, or whose time nobody can read.
///
/// AWS documents `2018-12-02T21:34:33.000Z` and, for offsets, the unusual
/// `2019-11-01T22:13:48.87+10:30:00`, with seconds.
pub fn has_expired(policy: &str, now: Instant) -> bool {
    let Ok(policy) = serde_json::from_str::<Json>(policy) else {
        return false;
    };
    if policy["Type"] != "Expiration" {
        return false;
    }
    let timestamp = policy.pointer("/Attributes/Timestamp");
    let expires = timestamp.and_then(Json::as_str).and_then(read);
    expires.is_none_or(|expires| expires <= now)
}

/// The policies that can be put back at `now`: without an expiration that
/// [`has_expired`], and then without the notifications of it, which would
/// announce nothing.
pub fn restorable(policies: &[String], now: Instant) -> Vec<String> {
    let expired = policies.iter().any(|text| has_expired(text, now));
    let goes = |text: &str| has_expired(text, now) || (expired && is_notification_of_expiry(text));
    policies
        .iter()
        .filter(|text| !goes(text))
        .cloned()
        .collect()
}

/// Whether two lists hold the same policies, however their JSON is spaced and
/// in whatever order they are.
pub fn same_policies(one: &[String], other: &[String]) -> bool {
    let read = |texts: &[String]| {
        let mut policies: Vec<String> = texts
            .iter()
            .map(|text| {
                serde_json::from_str::<Json>(text)
                    .map_or_else(|_| text.clone(), |json| json.to_string())
            })
            .collect();
        policies.sort();
        policies
    };
    read(one) == read(other)
}

fn is_notification_of_expiry(policy: &str) -> bool {
    let policy: Json = serde_json::from_str(policy).unwrap_or_default();
    policy["Type"] == "ExpirationNotification"
}

fn read(text: &str) -> Option<Instant> {
    let without_seconds = || text.get(..text.len().checked_sub(3)?)?.parse().ok();
    text.parse().ok().or_else(without_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expiration(timestamp: &str) -> String {
        format!(
            r#"{{"Type":"Expiration","Version":"1.0","Attributes":{{"Timestamp":"{timestamp}"}}}}"#
        )
    }

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn an_expiry_in_the_past_would_delete_what_was_just_restored() {
        let policy = expiration("2026-01-01T00:00:00.000Z");
        assert!(has_expired(&policy, at("2026-01-01T00:00:00Z")));
        assert!(!has_expired(&policy, at("2025-12-31T23:59:59Z")));
    }

    #[test]
    fn an_offset_may_have_seconds() {
        let policy = expiration("2026-01-01T10:30:00.00+10:30:00");
        assert!(has_expired(&policy, at("2026-01-01T00:00:00Z")));
        assert!(!has_expired(&policy, at("2025-12-31T23:59:59Z")));
    }

    #[test]
    fn an_expiry_that_cannot_be_read_is_not_risked() {
        assert!(has_expired(
            &expiration("tomorrow"),
            at("2026-01-01T00:00:00Z")
        ));
    }

    #[test]
    fn the_notification_of_an_expiry_goes_with_it() {
        let notification = r#"{"Type":"ExpirationNotification","Version":"1.0","Attributes":{"Before":"15","Unit":"Days"}}"#;
        let other = r#"{"Type":"NoChangeNotification","Attributes":{"After":"20","Unit":"Days"}}"#;
        let policies = [
            expiration("2026-01-01T00:00:00.000Z"),
            notification.to_owned(),
            other.to_owned(),
        ];
        let before = at("2025-12-31T23:59:59Z");
        assert_eq!(restorable(&policies, before), policies);
        let after = at("2026-01-01T00:00:00Z");
        assert_eq!(restorable(&policies, after), [other]);
        assert_eq!(restorable(&policies[1..2], after), [notification]);
    }

    #[test]
    fn other_policies_never_delete() {
        let other = r#"{"Type":"NoChangeNotification","Attributes":{"After":"20","Unit":"Days"}}"#;
        assert!(!has_expired(other, at("2026-01-01T00:00:00Z")));
        assert!(!has_expired("no json", at("2026-01-01T00:00:00Z")));
    }
}
