//! What the calls cost, at list prices: counted, not guessed. `docs/costs.md` says what is left out.

mod preview;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use serde_json::json;

use super::function::{Whose, event, function};
use super::usage::cpu_ms;
use super::{Benchmark, Figure, Row, median};
use crate::canned::{CannedAws, Used};
use crate::events::batch_of_events;
use crate::original::Original;

/// List prices of us-east-1 in US dollars without free tiers, November 2026.
mod price {
    /// S3: a PUT, COPY, POST or LIST.
    pub(super) const S3_WRITE: f64 = 0.005 / 1_000.0;
    /// S3: a GET, HEAD or any other.
    pub(super) const S3_READ: f64 = 0.0004 / 1_000.0;
    /// DynamoDB on demand: a write unit.
    pub(super) const WRITE_UNIT: f64 = 0.625 / 1_000_000.0;
    /// DynamoDB on demand: a read unit.
    pub(super) const READ_UNIT: f64 = 0.125 / 1_000_000.0;
    /// Lambda on arm64: a GB for a second.
    pub(super) const GB_SECOND: f64 = 0.000_013_333_4;
    /// Lambda: an invocation.
    pub(super) const INVOCATION: f64 = 0.20 / 1_000_000.0;
    /// SQS: a request.
    pub(super) const SQS: f64 = 0.40 / 1_000_000.0;
    /// KMS: a request.
    pub(super) const KMS: f64 = 0.03 / 10_000.0;
}

const MILLION: f64 = 1_000_000.0;
/// Nights of a month.
const NIGHTS: f64 = 30.0;
/// Parameters of the account that is reconciled.
const NAMES: usize = 10_000;
/// The original's run over all of them is counted over so many.
const NAMES_OF_THE_ORIGINAL: usize = 100;
/// Memory that Lambda gives a whole processor for.
const MB_A_PROCESSOR: f64 = 1_769.0;
/// The functions' memory, as their templates have it.
const ORIGINAL_MB: f64 = 128.0;
const OURS_MB: f64 = 256.0;
/// A round trip to AWS from within its region: assumed, no emulator tells it.
const ROUND_TRIP_MS: f64 = 10.0;
/// Round trips that wait for one another; that of ours is a test: `budget::capture`.
const ORIGINAL_DEEP: f64 = 2.0;
const OURS_DEEP: f64 = 4.0;
/// `DescribeParameters` a second: about what AWS lets through.
const LISTINGS_A_SECOND: f64 = 3.0;
/// A message is sent, received and deleted.
const SQS_REQUESTS: f64 = 3.0;
/// Invocations whose processor time is measured.
const WARM: usize = 30;

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "cost",
    about: "US dollars at list prices, without free tiers, from counted calls",
    run: |bootstrap| Box::pin(run(bootstrap)),
};

/// Dollars by service.
#[derive(Debug, Clone, Copy, Default)]
struct Dollars {
    s3: f64,
    dynamodb: f64,
    lambda: f64,
    sqs: f64,
    kms: f64,
}

impl Dollars {
    fn times(self, factor: f64) -> Self {
        Self {
            s3: self.s3 * factor,
            dynamodb: self.dynamodb * factor,
            lambda: self.lambda * factor,
            sqs: self.sqs * factor,
            kms: self.kms * factor,
        }
    }

    /// What calls take of S3 and `DynamoDB`, and of KMS if all values are secrets. Calls of
    /// Parameter Store are free.
    fn of(used: &Used) -> Self {
        Self {
            s3: s3(&used.calls),
            dynamodb: count(used.read_units) * price::READ_UNIT
                + count(used.write_units) * price::WRITE_UNIT,
            kms: decrypted(&used.calls) * price::KMS,
            ..Self::default()
        }
    }

    /// With what running the function once takes.
    fn and_running(self, mb: f64, ms: f64) -> Self {
        let gb_seconds = mb / 1_024.0 * ms / 1_000.0;
        Self {
            lambda: price::INVOCATION + gb_seconds * price::GB_SECOND,
            ..self
        }
    }

    fn row(self, what: &str, calls: f64) -> Row {
        let figure = |name, value, decimals| Figure {
            name,
            value,
            decimals,
        };
        let total = self.s3 + self.dynamodb + self.lambda + self.sqs + self.kms;
        // A preview costs far less than a cent.
        let decimals = if total < 0.01 { 6 } else { 2 };
        Row {
            what: what.to_owned(),
            figures: vec![
                figure("calls", calls, 0),
                figure("S3", self.s3, decimals),
                figure("DynamoDB", self.dynamodb, decimals),
                figure("Lambda", self.lambda, decimals),
                figure("SQS", self.sqs, decimals),
                figure("KMS", self.kms, decimals),
                figure("dollars", total, decimals),
            ],
        }
    }
}

async fn run(bootstrap: PathBuf) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (whose, what, mb, deep) in [
        (Whose::Original, "original", ORIGINAL_MB, ORIGINAL_DEEP),
        (Whose::Ours, "ssmbak", OURS_MB, OURS_DEEP),
    ] {
        let (used, cpu_ms) = captured(whose, &bootstrap).await?;
        let ms = cpu_ms / (mb / MB_A_PROCESSOR) + deep * ROUND_TRIP_MS;
        let one = Dollars {
            sqs: SQS_REQUESTS * price::SQS,
            ..Dollars::of(&used).and_running(mb, ms)
        };
        let calls = total(&used) * MILLION;
        rows.push(
            one.times(MILLION)
                .row(&format!("a million changes, {what}"), calls),
        );
    }
    rows.extend(preview::rows().await?);
    rows.push(copied_nightly().await?);
    rows.push(reconciled_nightly(&bootstrap).await?);
    Ok(rows)
}

/// What one change takes of a function that runs already, and its processor time over TLS.
async fn captured(whose: Whose, bootstrap: &std::path::Path) -> io::Result<(Used, f64)> {
    let aws = CannedAws::start_with_tls()?;
    let trusted = tempfile::NamedTempFile::new()?;
    std::fs::write(trusted.path(), aws.certificate().unwrap_or_default())?;
    let function = function(whose, bootstrap, &aws, trusted.path())?;
    function.start().await?;
    let process = function.process_id().await.unwrap_or_default();
    let mut used = Used::default();
    let mut cpu = Vec::new();
    for number in 0..=WARM {
        aws.take_used();
        let before = cpu_ms(process)?;
        let batch = batch_of_events(&[event(&aws, number)]);
        function.invoke(&batch).await?.response()?;
        cpu.push(cpu_ms(process)? - before);
        used = aws.take_used();
    }
    Ok((used, median(&cpu[1..])))
}

/// The original has no reconciliation; what comes nearest is to store all again, every night.
async fn copied_nightly() -> io::Result<Row> {
    let aws = CannedAws::start(NAMES_OF_THE_ORIGINAL)?;
    let original = Original::over(&aws.endpoint(), "test", "canned")?;
    original.back_up_all().await?;
    let used = aws.take_used();
    let factor = count(NAMES / NAMES_OF_THE_ORIGINAL) * NIGHTS;
    let dollars = Dollars::of(&used).times(factor);
    Ok(dollars.row(
        "30 nights, 10,000 names copied, original",
        total(&used) * factor,
    ))
}

async fn reconciled_nightly(bootstrap: &std::path::Path) -> io::Result<Row> {
    let aws = CannedAws::start(NAMES)?;
    let nowhere = std::path::Path::new("/dev/null");
    let function = function(Whose::Ours, bootstrap, &aws, nowhere)?;
    function.start().await?;
    aws.take_used();
    let process = function.process_id().await.unwrap_or_default();
    let before = cpu_ms(process)?;
    let answer = function
        .invoke(&json!({"task": "reconcile", "path": "/"}))
        .await?;
    let answer = answer.response()?;
    if answer != json!({"parameters": NAMES, "versions": 0, "deletions": 0}) {
        return Err(io::Error::other(format!(
            "it did not only compare: {answer}"
        )));
    }
    let used = aws.take_used();
    let listings = used.calls.get("ssm:DescribeParameters").copied();
    let listing_ms = count(listings.unwrap_or(0)) / LISTINGS_A_SECOND * 1_000.0;
    let ms = listing_ms + (cpu_ms(process)? - before) / (OURS_MB / MB_A_PROCESSOR);
    let dollars = Dollars::of(&used).and_running(OURS_MB, ms).times(NIGHTS);
    Ok(dollars.row(
        "30 nights, 10,000 names reconciled, ssmbak",
        total(&used) * NIGHTS,
    ))
}

fn s3(calls: &BTreeMap<String, usize>) -> f64 {
    let of = |(operation, times): (&String, &usize)| {
        let price = match operation.strip_prefix("s3:") {
            Some(what) if what.starts_with("Put") || what.starts_with("List") => price::S3_WRITE,
            Some(what) if what.starts_with("Delete") => 0.0,
            Some(_) => price::S3_READ,
            None => 0.0,
        };
        price * count(*times)
    };
    calls.iter().map(of).sum()
}

/// Values that Parameter Store decrypts, of names with one retained version.
fn decrypted(calls: &BTreeMap<String, usize>) -> f64 {
    let reading = ["ssm:GetParameter", "ssm:GetParameterHistory"];
    let of = |operation: &&str| calls.get(*operation).copied().unwrap_or(0);
    count(reading.iter().map(of).sum())
}

fn total(used: &Used) -> f64 {
    count(used.calls.values().sum())
}

#[allow(
    clippy::cast_precision_loss,
    reason = "no count comes near what a float holds exactly"
)]
fn count(of: usize) -> f64 {
    of as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_cost_what_the_price_list_says() {
        let calls = [
            ("s3:PutObject", 1_000),
            ("s3:ListObjectVersions", 1_000),
            ("s3:HeadObject", 10_000),
            ("s3:DeleteObject", 1_000_000),
            ("ssm:GetParameterHistory", 10_000),
            ("ssm:ListTagsForResource", 1_000_000),
        ];
        let used = Used {
            calls: calls.map(|(call, times)| (call.to_owned(), times)).into(),
            read_units: 8_000_000,
            write_units: 1_600_000,
        };
        // Half a second at 256 MB is an eighth of a GB-second.
        let cost = Dollars::of(&used).and_running(256.0, 500.0);
        let near = |found: f64, wanted: f64| (found - wanted).abs() < 1e-9;
        assert!(near(cost.s3, 0.014), "{cost:?}");
        assert!(near(cost.dynamodb, 2.0), "{cost:?}");
        assert!(near(cost.kms, 0.03), "{cost:?}");
        assert!(
            near(cost.lambda, 0.000_000_2 + 0.125 * 0.000_013_333_4),
            "{cost:?}"
        );
        assert!(near(cost.times(2.0).row("", 0.0).figure("S3"), 0.028));
    }
}
