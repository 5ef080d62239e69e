//! The original Python tool: its function, which fills a bucket, and its
//! command line, which reads one.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::emulator::{ORIGINAL, ORIGINAL_FUNCTION, REGION};
use crate::runtime_api::Function;

/// Runs the original's handler on the payload that comes in.
const HANDLE: &str = "\
import json, sys
from ssmbak.backup.ssmbak import handler
handler(json.load(sys.stdin), None)
";

/// The original tool, pointed at an emulator and a bucket.
#[derive(Debug, Clone)]
pub struct Original {
    python: PathBuf,
    endpoint: String,
    access_key: String,
    bucket: String,
}

impl Original {
    /// The tool over `bucket`, installed on first use.
    pub fn over(endpoint: &str, access_key: &str, bucket: &str) -> io::Result<Self> {
        Ok(Self {
            python: ORIGINAL.python()?,
            endpoint: endpoint.to_owned(),
            access_key: access_key.to_owned(),
            bucket: bucket.to_owned(),
        })
    }

    /// Invokes its function, in a process of its own, with an SQS batch.
    pub async fn handle(&self, batch: &Value) -> io::Result<()> {
        let mut command = Command::new(&self.python);
        command
            .args(["-c", HANDLE])
            .env("SSMBAK_BUCKET", &self.bucket);
        self.run(command, &batch.to_string()).await.map(|_| ())
    }

    /// Its command line with these arguments, yet to be run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.python.with_file_name("ssmbak"));
        command.args(arguments);
        self.surround(&mut command);
        command
    }

    /// Runs `ssmbak preview PATH TIME --recursive` and returns the rows of its
    /// table: cells by column, as they are printed.
    pub async fn preview(&self, path: &str, time: &str) -> io::Result<Vec<Row>> {
        let mut command = Command::new(self.python.with_file_name("ssmbak"));
        command.args(["preview", path, time, "--recursive"]).args([
            "--bucket",
            &self.bucket,
            "--region",
            REGION,
        ]);
        let output = self.run(command, "").await?;
        Ok(rows(&String::from_utf8_lossy(&output.stdout)))
    }

    /// Runs `ssmbak-all --do-it`, which stores every parameter again.
    pub async fn back_up_all(&self) -> io::Result<()> {
        let mut command = Command::new(self.python.with_file_name("ssmbak-all"));
        command.args(["--do-it", "--bucket", &self.bucket, "--region", REGION]);
        self.run(command, "").await.map(drop)
    }

    fn surround(&self, command: &mut Command) {
        command
            .env_clear()
            .env("SSMBAK_BUCKET", &self.bucket)
            .env("AWS_ENDPOINT", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", &self.access_key)
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("PYTHONDONTWRITEBYTECODE", "1");
    }

    async fn run(&self, mut command: Command, input: &str) -> io::Result<Output> {
        self.surround(&mut command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).await?;
        }
        let output = child.wait_with_output().await?;
        if output.status.success() {
            return Ok(output);
        }
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(io::Error::other(format!("the original failed: {told}")))
    }
}

/// The original's function as Lambda's Python runs it, over `bucket`, its calls going to `endpoint`;
/// installed on first use.
pub fn function(endpoint: &str, bucket: &str) -> io::Result<Function> {
    let python = ORIGINAL_FUNCTION.python()?;
    let function = Function::new(&python, endpoint)?
        .arguments(&["-m", "awslambdaric", "ssmbak.backup.ssmbak.handler"])
        .env("AWS_ENDPOINT", endpoint)
        .env("SSMBAK_BUCKET", bucket);
    Ok(function)
}

/// One row of a table that the original prints.
pub type Row = BTreeMap<String, String>;

/// Reads a table of `| a | b |` lines. Cells that are broken over lines are not
/// joined: tests keep names and values short.
fn rows(table: &str) -> Vec<Row> {
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim().trim_matches('|');
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = table.lines().filter(|line| line.starts_with('|'));
    let Some(head) = lines.next().map(cells) else {
        return Vec::new();
    };
    let row = |line| head.iter().cloned().zip(cells(line)).collect();
    lines.map(row).collect()
}
