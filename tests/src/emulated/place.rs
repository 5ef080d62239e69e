//! An account of its own on an emulator: bucket, table, Parameter Store, two
//! of the real functions over them, and the real command line.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value as Json;
use ssmbak_core::domain::Instant;
use ssmbak_core::store::Location;
use tokio::process::Command;
use uuid::Uuid;

use crate::binaries;
use crate::emulator::{Control, Ministack, REGION, sdk_config};
use crate::events::{batch_of_events, failed_messages};
use crate::runtime_api::Function;
use crate::stores;

/// How often a message comes again before it would be given up.
const RECEIVES: usize = 5;

/// Where one history happens.
#[derive(Debug)]
pub struct Place {
    /// Its clock and its stale reads.
    pub control: Control,
    /// Parameter Store.
    pub ssm: aws_sdk_ssm::Client,
    endpoint: String,
    account: String,
    location: Location,
    functions: [Function; 2],
}

/// What the command line answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its exit code.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// And to standard error.
    pub stderr: String,
}

impl Answer {
    /// The rows of its JSON; none where it wrote nothing.
    pub fn rows(&self) -> io::Result<Vec<Json>> {
        if self.stdout.trim().is_empty() {
            return Ok(Vec::new());
        }
        serde_json::from_str(&self.stdout)
            .map_err(|error| io::Error::other(format!("{error}: {} {}", self.stdout, self.stderr)))
    }

    /// Itself; an error where it ended with another exit code.
    pub fn exits(self, codes: &[i32]) -> io::Result<Self> {
        if codes.contains(&self.code) {
            return Ok(self);
        }
        Err(io::Error::other(format!(
            "it ended with {}: {}\n{}",
            self.code, self.stdout, self.stderr
        )))
    }
}

impl Place {
    /// An account that no other has, with a new bucket and table.
    pub async fn new(ministack: &Ministack) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let account = format!("8{:011}", NEXT.fetch_add(1, Ordering::Relaxed));
        let own = format!("ssmbak-soak-{}", Uuid::new_v4().simple());
        let location = Location {
            bucket: own.clone(),
            table: own,
        };
        let config = sdk_config(&ministack.endpoint(), &account).await;
        stores::make_bucket(&stores::s3(&config), &location.bucket).await?;
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        stores::make_table(&dynamodb, &location.table).await?;
        Self::over(ministack, &account, location).await
    }

    /// Over a bucket and a table that are there.
    pub async fn over(
        ministack: &Ministack,
        account: &str,
        location: Location,
    ) -> io::Result<Self> {
        let endpoint = ministack.endpoint();
        let config = sdk_config(&endpoint, account).await;
        let function = || function(&endpoint, account, &location);
        Ok(Self {
            control: ministack.control().for_account(account),
            ssm: aws_sdk_ssm::Client::new(&config),
            functions: [function()?, function()?],
            endpoint,
            account: account.to_owned(),
            location,
        })
    }

    /// Hands events to one of the two functions; those that it fails come again
    /// until they are given up, which is an error.
    pub async fn deliver(&self, function: usize, events: Vec<Json>) -> io::Result<()> {
        let function = &self.functions[function % self.functions.len()];
        let mut left = events;
        for _ in 0..RECEIVES {
            let batch = batch_of_events(&left);
            let answer = function.invoke(&batch).await?.response()?;
            let failed = failed_messages(&answer);
            let messages = batch["Records"].as_array().into_iter().flatten();
            let again = messages
                .zip(&left)
                .filter(|(message, _)| failed.iter().any(|id| message["messageId"] == id.as_str()));
            left = again.map(|(_, event)| event.clone()).collect();
            if left.is_empty() {
                return Ok(());
            }
        }
        let logs = function.logs();
        let last = logs.iter().rev().take(20).rev().cloned();
        let told = last.collect::<Vec<_>>().join("\n");
        Err(io::Error::other(format!("given up: {left:?}\n{told}")))
    }

    /// Runs the command line, at the instant `now`.
    pub async fn ssmbak(&self, now: Instant, arguments: &[&str]) -> io::Result<Answer> {
        let output = Command::new(ssmbak())
            .args(arguments)
            .env_clear()
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", &self.account)
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", REGION)
            .env("SSMBAK_BUCKET", &self.location.bucket)
            .env("SSMBAK_TABLE", &self.location.table)
            .env("SSMBAK_TEST_NOW", now.to_string())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await?;
        Ok(Answer {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Most memory that a function held so far, in KiB; 0 where it cannot be told.
    pub async fn peak_memory_kib(&self) -> u64 {
        let mut peak = 0;
        for function in &self.functions {
            if let Some(process) = function.process_id().await {
                peak = peak.max(high_water_mark(process).unwrap_or(0));
            }
        }
        peak
    }
}

fn high_water_mark(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn function(endpoint: &str, account: &str, location: &Location) -> io::Result<Function> {
    let function = Function::new(bootstrap(), endpoint)?
        .env("AWS_ACCESS_KEY_ID", account)
        .env("SSMBAK_BUCKET", &location.bucket)
        .env("SSMBAK_TABLE", &location.table)
        .env("SSMBAK_STACK", "soak");
    Ok(function)
}

fn bootstrap() -> &'static Path {
    static PATH: OnceLock<std::path::PathBuf> = OnceLock::new();
    PATH.get_or_init(binaries::bootstrap)
}

fn ssmbak() -> &'static Path {
    static PATH: OnceLock<std::path::PathBuf> = OnceLock::new();
    PATH.get_or_init(binaries::ssmbak)
}
