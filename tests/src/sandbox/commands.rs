//! The real `ssmbak` as a child process, its command and output told as a terminal shows them.

use std::io::{self, BufRead as _, BufReader, PipeReader};
use std::process::{ExitStatus, Stdio};

use serde_json::Value;
use tokio::process::Command;

use super::screen::Screen;
use crate::binaries::{ssmbak, target_directory};

/// Runs `ssmbak` with nothing in its environment but what leads to one sandbox.
#[derive(Debug)]
pub(crate) struct Ssmbak {
    environment: Vec<(&'static str, String)>,
    screen: Screen,
}

impl Ssmbak {
    /// A command line that `environment` points at a sandbox.
    pub(crate) fn new(environment: Vec<(&'static str, String)>, screen: Screen) -> Self {
        Self {
            environment,
            screen,
        }
    }

    /// Runs a command and tells it with all its output, line by line as it comes; returns that output.
    ///
    /// An error when it exits with anything but 0.
    pub(crate) async fn told(&self, arguments: &[&str]) -> io::Result<String> {
        self.tell(arguments)?;
        let (reader, writer) = io::pipe()?;
        let mut child = self
            .command(arguments)
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        let screen = self.screen;
        let output = tokio::task::spawn_blocking(move || copy_lines(reader, screen));
        let status = child.wait().await?;
        let output = output.await.map_err(io::Error::other)??;
        expect_success(arguments, status, "")?;
        Ok(output)
    }

    /// Tells a command that is run without telling its output.
    pub(crate) fn tell(&self, arguments: &[&str]) -> io::Result<()> {
        self.screen.line(&format!("\n$ {}", spelled(arguments)))
    }

    /// Runs a command without telling it; returns the bytes of its standard output.
    ///
    /// An error when it exits with anything but 0.
    pub(crate) async fn output(&self, arguments: &[&str]) -> io::Result<Vec<u8>> {
        let output = self.command(arguments).output().await?;
        let told = String::from_utf8_lossy(&output.stderr);
        expect_success(arguments, output.status, &told)?;
        Ok(output.stdout)
    }

    /// Runs a command with `--output json`, without telling it; returns the objects of the list.
    pub(crate) async fn json(&self, arguments: &[&str]) -> io::Result<Vec<Value>> {
        let arguments = [arguments, &["--output", "json"]].concat();
        let output = self.output(&arguments).await?;
        serde_json::from_slice(&output).map_err(|error| {
            let command = spelled(&arguments);
            io::Error::other(format!("`{command}` answered no JSON list: {error}"))
        })
    }

    /// The child dies with the future that waits for it, so an interrupted run leaves none.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(ssmbak());
        command
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(target_directory())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

/// How a person would type it.
fn spelled(arguments: &[&str]) -> String {
    let words = arguments.iter().map(|word| {
        if word.contains([' ', '"', '$']) {
            format!("'{word}'")
        } else {
            (*word).to_owned()
        }
    });
    format!("ssmbak {}", words.collect::<Vec<_>>().join(" "))
}

fn copy_lines(reader: PipeReader, screen: Screen) -> io::Result<String> {
    let mut output = String::new();
    for line in BufReader::new(reader).lines() {
        let line = line?;
        screen.line(&line)?;
        output.push_str(&line);
        output.push('\n');
    }
    Ok(output)
}

fn expect_success(arguments: &[&str], status: ExitStatus, told: &str) -> io::Result<()> {
    if status.success() {
        return Ok(());
    }
    let command = spelled(arguments);
    Err(io::Error::other(format!(
        "`{command}` ended with {status}\n{told}"
    )))
}
