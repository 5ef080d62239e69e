//! Metrics in CloudWatch's embedded format: a line of the log that CloudWatch
//! turns into metrics.

use std::io::{self, Write};

use serde_json::json;
use ssmbak_core::capture::Captured;
use ssmbak_core::domain::{Instant, Record, ValueState};

/// The namespace of every metric.
const NAMESPACE: &str = "ssmbak";

/// What the captures of one batch add up to.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    changes: usize,
    healed: usize,
    lost: usize,
    longest_lag_ms: Option<i64>,
}

impl Metrics {
    /// Adds one capture.
    pub(crate) fn add(&mut self, captured: &Captured) {
        self.changes += captured.records.len();
        self.healed += captured.healed;
        let lost = |r: &&Record| r.present().is_some_and(|w| w.value == ValueState::Lost);
        self.lost += captured.records.iter().filter(lost).count();
        let lags = captured.records.iter().filter_map(Record::lag_ms);
        self.longest_lag_ms = lags.chain(self.longest_lag_ms).max();
    }

    /// Writes the line.
    pub(crate) fn emit(&self, stack: &str, now: Instant) {
        let mut definitions = vec![
            json!({"Name": "ChangesRecorded", "Unit": "Count"}),
            json!({"Name": "GapsHealed", "Unit": "Count"}),
            json!({"Name": "ValuesLost", "Unit": "Count"}),
        ];
        let mut line = json!({
            "Stack": stack,
            "ChangesRecorded": self.changes,
            "GapsHealed": self.healed,
            "ValuesLost": self.lost,
        });
        if let Some(lag_ms) = self.longest_lag_ms {
            definitions.push(json!({"Name": "CaptureLag", "Unit": "Seconds"}));
            line["CaptureLag"] = seconds(lag_ms).into();
        }
        line["_aws"] = json!({
            "Timestamp": now.millis(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE, "Dimensions": [["Stack"]], "Metrics": definitions,
            }],
        });
        // A metric that cannot be written must not fail a capture.
        let _ = writeln!(io::stdout().lock(), "{line}");
    }
}

/// CloudWatch has no use for more than milliseconds of precision.
fn seconds(ms: i64) -> f64 {
    f64::from(i32::try_from(ms).unwrap_or(i32::MAX)) / 1_000.0
}
