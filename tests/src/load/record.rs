//! What is on record, beside what happened.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::emulator::Change;

/// A change, as both sides tell it: name, operation, instant, version, and the hash of its value.
type Fact = (String, String, String, Option<i64>, Option<String>);

/// Tells what is missing, doubled or otherwise than it happened.
pub(super) fn compare(happened: &[Change], recorded: &[Value]) -> Vec<String> {
    // How often each happened, and is on record.
    let mut facts: BTreeMap<Fact, (usize, usize)> = BTreeMap::new();
    for change in happened {
        facts.entry(fact_of(change)).or_default().0 += 1;
    }
    for row in recorded {
        facts.entry(fact_of_row(row)).or_default().1 += 1;
    }
    let differs = facts.into_iter().filter(|(_, (is, told))| is != told);
    differs
        .map(|(fact, (is, told))| format!("{fact:?} happened {is} times and is on record {told}"))
        .collect()
}

/// A deletion is dated with the end of its event's second.
fn fact_of(change: &Change) -> Fact {
    let is_deletion = change.operation == "Delete";
    let ms = if is_deletion {
        change.time_ms - change.time_ms.rem_euclid(1_000) + 999
    } else {
        change.time_ms
    };
    let at = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    (
        change.name.clone(),
        change.operation.clone(),
        at.to_rfc3339_opts(SecondsFormat::Millis, true),
        change.version.filter(|_| !is_deletion),
        change.value_sha256.clone().filter(|_| !is_deletion),
    )
}

fn fact_of_row(row: &Value) -> Fact {
    let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let value = row["Value"].as_str();
    (
        text("Name"),
        text("Operation"),
        text("Time"),
        row["Version"].as_i64(),
        value.map(|value| hex(&Sha256::digest(value))),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
