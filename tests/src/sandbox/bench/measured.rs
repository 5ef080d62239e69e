//! One run of a program, measured from outside.

use std::fs;
use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

/// How often the kernel is asked for the most memory so far.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    /// Until the first line of standard output was there.
    pub(super) first_line: Duration,
    /// Until the program had ended.
    pub(super) total: Duration,
    /// The most memory it had at once, as Linux counts it (`VmHWM`).
    pub(super) peak_kib: u64,
    /// Lines of standard output.
    pub(super) lines: usize,
}

/// Runs a program to its end and measures it. Its output is read, and forgotten.
///
/// An error when it exits with anything but 0.
pub(super) async fn measured(mut command: Command) -> io::Result<Measured> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let started = Instant::now();
    let mut child = command.spawn()?;
    let peak = peak_of(&child);
    let missing = || io::Error::other("its output is not read");
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;
    let reading = read(stdout, stderr, started);
    tokio::pin!(reading);
    let mut peak_kib = 0;
    let (first_line, lines, told) = loop {
        tokio::select! {
            read = &mut reading => break read?,
            () = tokio::time::sleep(LOOK_EVERY) => peak_kib = peak().max(peak_kib),
        }
    };
    let status = child.wait().await?;
    let total = started.elapsed();
    if status.success() {
        return Ok(Measured {
            first_line,
            total,
            peak_kib,
            lines,
        });
    }
    Err(io::Error::other(format!("it ended with {status}: {told}")))
}

/// When the first line came, how many there were, and what standard error told.
async fn read(
    stdout: ChildStdout,
    mut stderr: ChildStderr,
    started: Instant,
) -> io::Result<(Duration, usize, String)> {
    let mut stdout = BufReader::new(stdout);
    let lines = async {
        let (mut first, mut count, mut line) = (None, 0, Vec::new());
        while stdout.read_until(b'\n', &mut line).await? > 0 {
            first.get_or_insert_with(|| started.elapsed());
            count += 1;
            line.clear();
        }
        Ok::<_, io::Error>((first.unwrap_or_default(), count))
    };
    let mut told = String::new();
    let ((first, count), _) = tokio::try_join!(lines, stderr.read_to_string(&mut told))?;
    Ok((first, count, told))
}

/// Asks for the most memory that a process had so far.
fn peak_of(child: &Child) -> impl Fn() -> u64 + use<> {
    let status = child.id().map(|id| format!("/proc/{id}/status"));
    move || {
        let text = status
            .as_ref()
            .and_then(|path| fs::read_to_string(path).ok());
        let text = text.unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|told| told.trim().trim_end_matches(" kB").parse().ok());
        kib.unwrap_or(0)
    }
}
