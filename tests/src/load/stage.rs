//! An emulator with the real stack, for load.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use tokio::process::Command;

use crate::binaries::{function_zip, ssmbak};
use crate::emulator::{Control, Ministack, REGION, sdk_config};

const STACK: &str = "load";

/// An emulator on which nothing happens but the load.
#[derive(Debug)]
pub struct LoadStage {
    ministack: Ministack,
    paths: AtomicU32,
}

impl LoadStage {
    /// Starts the emulator and deploys the stack as the command line does.
    pub async fn set() -> io::Result<Self> {
        let start = || -> io::Result<_> { Ok((function_zip(), Ministack::start()?)) };
        let started = tokio::task::spawn_blocking(start).await;
        let (zip, ministack) = started.map_err(io::Error::other)??;
        let stage = Self {
            ministack,
            paths: AtomicU32::new(0),
        };
        let zip = zip.display().to_string();
        let create = ["stack", STACK, "create", "--function-zip", &zip];
        stage.ssmbak(&create).await?;
        stage.ssmbak(&["seed", "--do-it"]).await?;
        Ok(stage)
    }

    /// The emulator's clock, events and queues.
    pub fn control(&self) -> Control {
        self.ministack.control()
    }

    /// The emulator's process; its functions are of its group.
    pub(super) fn process_id(&self) -> u32 {
        self.ministack.process_id()
    }

    pub(super) async fn ssm(&self) -> aws_sdk_ssm::Client {
        aws_sdk_ssm::Client::new(&sdk_config(&self.ministack.endpoint(), "test").await)
    }

    /// A path that nothing lies under yet.
    pub(super) fn new_path(&self) -> String {
        let number = self.paths.fetch_add(1, Ordering::Relaxed);
        format!("/load/{number}/")
    }

    /// What the function has logged.
    pub(super) async fn log_lines(&self) -> io::Result<Vec<String>> {
        let group = format!("/aws/lambda/{STACK}-capture");
        self.control().log_lines(&group).await
    }

    /// Every change on record under a path, with its value.
    pub(super) async fn history(&self, path: &str) -> io::Result<Vec<Value>> {
        let history = ["history", path, "-R", "--values", "--output", "json"];
        let told = self.ssmbak(&history).await?;
        serde_json::from_slice(&told).map_err(io::Error::other)
    }

    async fn ssmbak(&self, arguments: &[&str]) -> io::Result<Vec<u8>> {
        let command = Command::new(ssmbak())
            .args(arguments)
            .env_clear()
            .env("AWS_ENDPOINT_URL", self.ministack.endpoint())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", REGION)
            .env("SSMBAK_STACK", STACK)
            .kill_on_drop(true)
            .output()
            .await?;
        if command.status.success() {
            return Ok(command.stdout);
        }
        let told = String::from_utf8_lossy(&command.stderr).into_owned();
        Err(io::Error::other(format!("ssmbak {arguments:?}: {told}")))
    }
}
