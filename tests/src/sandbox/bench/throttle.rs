//! How near a restore comes to what the limits of Parameter Store leave.
//!
//! The proxy throttles as AWS does: `PutParameter` 3 a second (10 with the paid setting), all
//! `Get*` together 40, `DeleteParameters` and, after the first 20, `DescribeParameters` 5.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_ssm::types::ParameterType;
use chrono::Utc;
use tokio::process::Command;

use super::measured::measured;
use super::peer::{failed, make, ours};
use super::{Benchmark, Figure, Row, told};
use crate::emulator::{Ministack, sdk_config};
use crate::proxy::{Call, Proxy};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "throttle",
    about: "restores under the limits of Parameter Store; least s: what they leave",
    run: |binary| Box::pin(run(binary)),
};

const PATH: &str = "/throttle/";
const NAMES: [u32; 2] = [60, 200];
/// Writes a second.
const RATES: [f64; 2] = [3.0, 10.0];
const LATENCY: Duration = Duration::from_millis(20);
/// Limits that are the same in every run, and how many calls they let through at once.
pub(super) const LIMITS: [(&str, f64, u32); 3] = [
    ("ssm:Get*", 40.0, 40),
    ("ssm:DescribeParameters", 5.0, 20),
    ("ssm:DeleteParameters", 5.0, 1),
];

async fn run(binary: PathBuf) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for names in NAMES {
        let ministack = Ministack::start()?;
        let proxy = Proxy::start(&ministack.endpoint())?;
        let config = sdk_config(&ministack.endpoint(), "test").await;
        make(&config).await?;
        let ssm = aws_sdk_ssm::Client::new(&config);
        let direct = ministack.endpoint();
        put_all(&ssm, names, "then").await?;
        seed(&binary, &direct).await?;
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let at = Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        proxy.set_latency(LATENCY);
        for (operation, a_second, burst) in LIMITS {
            proxy.throttle(operation, a_second, burst);
        }
        for a_second in RATES {
            put_all(&ssm, names, "now").await?;
            seed(&binary, &direct).await?;
            proxy.throttle("ssm:PutParameter", a_second, 1);
            proxy.reset_calls();
            let mut restore = ours(&binary, &proxy.endpoint());
            restore.args(["restore", PATH, &at, "-R", "--yes"]);
            let took = measured(restore).await?.total.as_secs_f64();
            let least = f64::from(names - 1) / a_second;
            let calls = proxy.calls();
            let throttled = calls.iter().filter(|call| call.disturbed).count();
            let writing = writing(&calls).as_secs_f64();
            rows.push(told(Row {
                what: format!("restore of {names}, {a_second} writes a second"),
                figures: vec![
                    Figure::seconds("s", took),
                    Figure::seconds("least s", least),
                    Figure::seconds("ratio", took / least),
                    Figure::seconds("first to last write s", writing),
                    Figure::seconds("its ratio", writing / least),
                    Figure::count("calls", calls.len() - throttled),
                    Figure::count("throttled", throttled),
                ],
            })?);
        }
    }
    Ok(rows)
}

/// From the first write that was let through to the last.
fn writing(calls: &[Call]) -> Duration {
    let puts = calls
        .iter()
        .filter(|call| call.operation == "ssm:PutParameter");
    let began = puts.filter(|call| !call.disturbed).map(|call| call.began);
    let (first, last) = (began.clone().min(), began.max());
    let between = first.zip(last).map(|(first, last)| last - first);
    between.unwrap_or_default()
}

async fn put_all(ssm: &aws_sdk_ssm::Client, names: u32, value: &str) -> io::Result<()> {
    for number in 0..names {
        let put = ssm.put_parameter().name(format!("{PATH}{number:03}"));
        let put = put.value(value).r#type(ParameterType::String);
        put.overwrite(true).send().await.map_err(failed)?;
    }
    Ok(())
}

/// Puts what lives on record, so that a restore has nothing to capture.
async fn seed(binary: &Path, endpoint: &str) -> io::Result<()> {
    let mut seed: Command = ours(binary, endpoint);
    let seeded = seed.args(["seed", PATH, "--do-it"]).output().await?;
    if seeded.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&seeded.stderr)))
}
