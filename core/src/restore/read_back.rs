//! After a write: what lives is what was written.

use std::collections::BTreeMap;

use super::{Report, failed};
use crate::domain::{Name, Step};
use crate::store::{Destination, LiveValue, StoreError};

/// Reads back what was written or deleted; what is not as it should be fails.
pub(super) async fn read_back(to: &Destination, written: Vec<(&Step, Report)>) -> Vec<Report> {
    if written.is_empty() {
        return Vec::new();
    }
    let names: Vec<Name> = written.iter().map(|(s, _)| s.name.clone()).collect();
    let lives = match to.parameters.values(&names).await {
        Ok(lives) => lives,
        Err(error) => {
            let unread = |(_, report): (&Step, Report)| Report {
                reason: Some(format!("written, but it could not be read back: {error}")),
                ..report
            };
            return written.into_iter().map(unread).collect();
        }
    };
    written
        .into_iter()
        .map(|(step, report)| checked(step, report, &lives))
        .collect()
}

/// A read may be stale, so only what contradicts the write is a failure.
fn checked(
    step: &Step,
    report: Report,
    lives: &BTreeMap<Name, Result<LiveValue, StoreError>>,
) -> Report {
    let expected = report.written_version;
    match (expected, lives.get(&step.name)) {
        (Some(expected), Some(Ok(live))) if live.version == expected => {
            if step.value.as_ref() == Some(&live.value) {
                Report {
                    written_at: Some(live.modified),
                    ..report
                }
            } else {
                Report {
                    written_version: Some(expected),
                    written_at: Some(live.modified),
                    ..failed(&step.name, &"it was read back with another value")
                }
            }
        }
        (Some(expected), Some(Ok(live))) if live.version > expected => {
            let reason = format!(
                "it was restored, and changed again to version {}",
                live.version
            );
            Report {
                written_version: Some(expected),
                ..failed(&step.name, &reason)
            }
        }
        (None, Some(Ok(live))) => Report {
            reason: Some(format!(
                "deleted; a read right after still showed version {}",
                live.version
            )),
            ..report
        },
        _ => report,
    }
}
