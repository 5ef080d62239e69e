//! The function's process and what it writes.

use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The lines of all processes of one function.
#[derive(Debug, Default)]
pub(super) struct Logs(Mutex<Vec<String>>);

impl Logs {
    pub(super) fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn collect(self: Arc<Self>, stream: impl Read + Send + 'static) {
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader
                .read_until(b'\n', &mut line)
                .is_ok_and(|read| read > 0)
            {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                self.0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(text);
                line.clear();
            }
        });
    }
}

/// A running process; it is killed on drop.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    pub(super) fn start(
        bootstrap: &Path,
        arguments: &[String],
        environment: &[(String, String)],
        logs: Arc<Logs>,
    ) -> io::Result<Self> {
        let mut child = Command::new(bootstrap)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(stdout) = child.stdout.take() {
            Arc::clone(&logs).collect(stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            logs.collect(stderr);
        }
        Ok(Self(child))
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Returns the process unless it has ended.
    pub(super) fn if_alive(mut self) -> Option<Self> {
        self.end().is_none().then_some(self)
    }

    /// Tells how it ended, if it did.
    pub(super) fn end(&mut self) -> Option<String> {
        match self.0.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    pub(super) fn kill(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
