//! An emulator with the real stack on it.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::commands::Ssmbak;
use super::screen::Screen;
use crate::binaries::{build_command, function_zip, target_directory};
use crate::emulator::{Control, Ministack, Options, REGION};

/// The stack's name, in a sandbox.
const STACK: &str = "sandbox";

/// How long events may take until they are captured.
const QUIET_LIMIT: Duration = Duration::from_secs(20);

const ACCESS_KEY: &str = "test";

/// A running emulator with the stack deployed and every parameter captured.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The emulator.
    pub(crate) ministack: Ministack,
    /// Its clock and queues.
    pub(crate) control: Control,
    /// The command line, pointed at it.
    pub(crate) ssmbak: Ssmbak,
}

impl Stage {
    /// Builds the binaries, starts the emulator, installing it on first use, deploys and seeds.
    pub(crate) async fn set(screen: Screen, options: Options) -> io::Result<Self> {
        screen.line("building the function and the command line")?;
        build().await?;
        let zip = blocking(|| Ok(function_zip())).await?;
        screen.line("starting the emulator (the first time, it is installed into target/)")?;
        let ministack = blocking(move || Ministack::start_with(&options)).await?;
        let endpoint = ministack.endpoint();
        screen.line(&format!("it answers at {endpoint}"))?;
        let stage = Self {
            control: ministack.control(),
            ssmbak: Ssmbak::new(exports(&endpoint), screen),
            ministack,
        };
        screen.heading("The stack")?;
        stage.deploy(&zip).await?;
        Ok(stage)
    }

    async fn deploy(&self, zip: &Path) -> io::Result<()> {
        let zip = zip.strip_prefix(target_directory()).unwrap_or(zip);
        let zip = zip.display().to_string();
        let create = ["stack", STACK, "create", "--function-zip", &zip];
        self.ssmbak.told(&create).await?;
        self.ssmbak.told(&["seed", "--do-it"]).await?;
        self.captured().await
    }

    /// Deletes the stack.
    pub(crate) async fn remove(&self) -> io::Result<()> {
        let delete = ["stack", STACK, "delete", "--yes"];
        self.ssmbak.told(&delete).await.map(drop)
    }

    /// Waits until every event has been captured; an error when one was given up.
    pub(crate) async fn captured(&self) -> io::Result<()> {
        self.control.wait_until_quiet(QUIET_LIMIT).await?;
        let queues = self.control.quiet().await?.queues;
        let given_up: u32 = queues
            .iter()
            .filter(|queue| queue.dead_letter)
            .map(|queue| queue.ready + queue.in_flight + queue.delayed)
            .sum();
        if given_up == 0 {
            return Ok(());
        }
        let log = fs::read_to_string(self.ministack.log()).unwrap_or_default();
        Err(io::Error::other(format!(
            "{given_up} events could not be captured: {log}"
        )))
    }
}

/// The variables that lead the AWS tools and `ssmbak` to a sandbox.
///
/// The region twice: the first generation of the `aws` command line reads only the second name.
pub(crate) fn exports(endpoint: &str) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", ACCESS_KEY.to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("SSMBAK_STACK", STACK.to_owned()),
    ]
}

/// Builds the binaries, with cargo's own progress and errors on standard error.
pub(crate) async fn build() -> io::Result<()> {
    let mut cargo = Command::from(build_command());
    let status = cargo
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other("the binaries do not build"))
}

/// Does what blocks without holding up signals.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
