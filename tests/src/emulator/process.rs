//! A launcher as a child process that cannot outlive this one.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::binaries::target_directory;

const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(5);

static STARTED: AtomicU32 = AtomicU32::new(0);

/// A launcher that said `ready`, with the directory that is its home.
///
/// The launcher ends itself and its group when its standard input closes: on
/// drop, and whenever this process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Launched {
    child: Child,
    port: u16,
    log: PathBuf,
    detached: bool,
    home: TempDir,
}

impl Launched {
    /// Starts `script` with nothing in its environment but `environment`, and waits until it is ready.
    pub(crate) fn start(
        python: &Path,
        script: &str,
        arguments: &[String],
        environment: &[(&str, String)],
    ) -> io::Result<Self> {
        let home = TempDir::with_prefix("ssmbak-emulator-")?;
        let log = log_file(script)?;
        let mut child = Command::new(python)
            .arg(
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("emulator")
                    .join(script),
            )
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .process_group(0)
            .spawn()?;
        let ready = child.stdout.take().map(wait_until_ready);
        let Some(Ok(port)) = ready else {
            child.kill().ok();
            child.wait().ok();
            let told = fs::read_to_string(&log).unwrap_or_default();
            return Err(io::Error::other(format!("{script} did not start: {told}")));
        };
        Ok(Self {
            child,
            port,
            log,
            detached: arguments.iter().any(|argument| argument == "--detached"),
            home,
        })
    }

    /// Lets go of a launcher that was started with `--detached`: it stays when this process ends.
    pub(crate) fn leave(mut self) -> u32 {
        self.home.disable_cleanup(true);
        let process = self.id();
        std::mem::forget(self);
        process
    }

    /// The loopback port it answers on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The process, which is also the process group of the functions it starts.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it and ministack logged.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if self.detached {
            end(self.id()).ok();
        }
        let deadline = Instant::now() + STOP_LIMIT;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Ends a launcher that was left running, and its group; waits until it is gone.
pub(crate) fn end(process: u32) -> io::Result<()> {
    let script = r#"kill -TERM "$1""#;
    let arguments = ["-c", script, "sh", &process.to_string()];
    Command::new("/bin/sh").args(arguments).output()?;
    let deadline = Instant::now() + STOP_LIMIT;
    while is_alive(process) {
        if Instant::now() > deadline {
            return Err(io::Error::other(format!("process {process} does not end")));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// A process that its parent has not waited for yet is a zombie, and not alive.
fn is_alive(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn log_file(script: &str) -> io::Result<PathBuf> {
    let logs = target_directory().join("emulators/logs");
    fs::create_dir_all(&logs)?;
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    Ok(logs.join(format!("{script}-{process}-{number}.log")))
}

/// Reads the port from the line `ready <port>`, and goes on reading so that the pipe never fills.
fn wait_until_ready(stdout: ChildStdout) -> io::Result<u16> {
    let (sender, ready) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(port) = line.strip_prefix("ready ") {
                sender.send(port.parse::<u16>()).ok();
            }
        }
    });
    let port = ready.recv_timeout(START_LIMIT).map_err(io::Error::other)?;
    port.map_err(io::Error::other)
}
