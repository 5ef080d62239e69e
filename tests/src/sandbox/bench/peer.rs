//! The Python original beside ours: the same parameters, the same proxy, the same run.
//!
//! Both come upon a bucket that was filled by their own side from the same changes. The instant is
//! the one before the last change of every name, so that all of them differ.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_ssm::types::ParameterType;
use chrono::Utc;
use tokio::process::Command;

use super::measured::{Measured, measured};
use super::{Benchmark, Figure, Row, told};
use crate::emulator::{Ministack, REGION, sdk_config};
use crate::events::{batch_of_events, parameter_event};
use crate::original::Original;
use crate::proxy::Proxy;
use crate::stores;

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "peer",
    about: "preview and restore beside the original 0.5.2, 20 ms a call",
    run: |binary| Box::pin(run(binary)),
};

/// Names and versions of each, the smaller ones first.
const SIZES: [(usize, usize); 3] = [(20, 5), (100, 5), (100, 20)];
const LATENCY: Duration = Duration::from_millis(20);
const PATH: &str = "/peer/";
const OURS: &str = "peer-ours";
const THEIRS: &str = "peer-theirs";

async fn run(binary: PathBuf) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (names, versions) in SIZES {
        let bench = Bench::filled(binary.clone(), names, versions).await?;
        for what in ["preview", "restore"] {
            let ours = bench.ours(what).await?;
            if what == "restore" {
                // As it was before, for the other one.
                bench.put_all(versions).await?;
            }
            let theirs = bench.theirs(what).await?;
            rows.push(told(row(
                &format!("{what} {names}x{versions}"),
                ours,
                theirs,
            ))?);
        }
    }
    Ok(rows)
}

/// Calls and what a run took.
type Run = (usize, Measured);

fn row(what: &str, ours: Run, theirs: Run) -> Row {
    let seconds = |run: &Run| run.1.total.as_secs_f64();
    Row {
        what: what.to_owned(),
        figures: vec![
            Figure::count("calls", ours.0),
            Figure::count("original", theirs.0),
            Figure::seconds("s", seconds(&ours)),
            Figure::seconds("original s", seconds(&theirs)),
            Figure::seconds("times as fast", seconds(&theirs) / seconds(&ours)),
            Figure::peak("MiB", ours.1.peak_kib),
            Figure::peak("original MiB", theirs.1.peak_kib),
        ],
    }
}

struct Bench {
    binary: PathBuf,
    names: usize,
    /// The instant, as the original takes it: a whole second in UTC.
    at: String,
    proxy: Proxy,
    /// With the parameters and both buckets; it ends with this.
    ministack: Ministack,
    ssm: aws_sdk_ssm::Client,
}

impl Bench {
    async fn filled(binary: PathBuf, names: usize, versions: usize) -> io::Result<Self> {
        let ministack = Ministack::start()?;
        let proxy = Proxy::start(&ministack.endpoint())?;
        let config = sdk_config(&ministack.endpoint(), "test").await;
        make(&config).await?;
        let mut bench = Self {
            binary,
            names,
            at: String::new(),
            proxy,
            ministack,
            ssm: aws_sdk_ssm::Client::new(&config),
        };
        let original = Original::over(&bench.ministack.endpoint(), "test", THEIRS)?;
        for version in 1..=versions {
            if version == versions {
                tokio::time::sleep(Duration::from_millis(1_100)).await;
                bench.at = Utc::now().format("%Y-%m-%dT%H:%M:%S").to_string();
                tokio::time::sleep(Duration::from_millis(1_100)).await;
            }
            bench.put_all(version).await?;
            let now = Utc::now().timestamp_millis();
            let operation = if version == 1 { "Create" } else { "Update" };
            let events = (0..names).map(|n| parameter_event(&name(n), operation, now));
            let events: Vec<_> = events.collect();
            original.handle(&batch_of_events(&events)).await?;
        }
        let mut seed = bench.command(&bench.ministack.endpoint(), &["seed", PATH, "--do-it"]);
        let seeded = seed.output().await?;
        if !seeded.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&seeded.stderr)));
        }
        bench.proxy.set_latency(LATENCY);
        Ok(bench)
    }

    async fn put_all(&self, version: usize) -> io::Result<()> {
        for number in 0..self.names {
            let put = self.ssm.put_parameter().name(name(number));
            let put = put.value(format!("value {version}"));
            let put = put.r#type(ParameterType::String).overwrite(version > 1);
            put.send().await.map_err(failed)?;
        }
        Ok(())
    }

    fn command(&self, endpoint: &str, arguments: &[&str]) -> Command {
        let mut command = ours(&self.binary, endpoint);
        command.args(arguments);
        command
    }

    async fn ours(&self, what: &str) -> io::Result<Run> {
        let at = format!("{}Z", self.at);
        let mut command = self.command(&self.proxy.endpoint(), &[what, PATH, &at, "-R"]);
        if what == "restore" {
            command.arg("--yes");
        }
        self.counted(command).await
    }

    async fn theirs(&self, what: &str) -> io::Result<Run> {
        let original = Original::over(&self.proxy.endpoint(), "test", THEIRS)?;
        let arguments = [what, PATH, &self.at, "--recursive", "--bucket", THEIRS];
        let command = original.command(&[&arguments[..], &["--region", REGION]].concat());
        self.counted(command).await
    }

    /// Runs it, and makes sure of what it did: a restore changes every name.
    async fn counted(&self, command: Command) -> io::Result<Run> {
        self.proxy.reset_calls();
        let measured = measured(command).await?;
        if measured.lines < self.names {
            return Err(io::Error::other(format!(
                "it told {} lines",
                measured.lines
            )));
        }
        Ok((self.proxy.total(), measured))
    }
}

fn name(number: usize) -> String {
    format!("{PATH}{number:03}")
}

pub(super) fn failed(error: impl Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// Two buckets and a table.
pub(super) async fn make(config: &aws_config::SdkConfig) -> io::Result<()> {
    let s3 = stores::s3(config);
    for bucket in [OURS, THEIRS] {
        stores::make_bucket(&s3, bucket).await?;
    }
    stores::make_table(&aws_sdk_dynamodb::Client::new(config), OURS).await
}

pub(super) fn ours(binary: &Path, endpoint: &str) -> Command {
    let mut command = Command::new(binary);
    command
        .args(["--bucket", OURS, "--table", OURS])
        .env_clear()
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_REGION", REGION);
    command
}
