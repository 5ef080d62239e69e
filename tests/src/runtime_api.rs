//! A stand-in for the Lambda Runtime API, with the real function behind it.

mod api;
mod process;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{Mutex, oneshot};
use uuid::Uuid;

use self::api::{Api, Job};
use self::process::Process;
use crate::emulator::REGION;

const POLL: Duration = Duration::from_millis(5);
/// How long an answer that was sent just before the end of the process may still be on its way.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// A function as Lambda would run it: one invocation at a time, started on the
/// first and again after each death. The process is killed on drop.
pub struct Function {
    bootstrap: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    timeout: Duration,
    api: Api,
    process: Mutex<Option<Process>>,
    logs: Arc<process::Logs>,
}

/// How one invocation went.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The function answered.
    Response(Value),
    /// The function reported an error: what it said.
    Error(Value),
    /// The process ended before it answered: how.
    Died(String),
    /// No answer within the function's timeout; the process was killed, as Lambda does.
    TimedOut,
}

/// One invocation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Invocation {
    /// How it went.
    pub outcome: Outcome,
    /// From the invocation to its end, the start of a new process included.
    pub duration: Duration,
    /// Whether a process had to be started for it.
    pub cold: bool,
}

impl Invocation {
    /// Returns the function's answer; an error that tells what came in its place.
    pub fn response(self) -> io::Result<Value> {
        match self.outcome {
            Outcome::Response(answer) => Ok(answer),
            other @ (Outcome::Error(_) | Outcome::Died(_) | Outcome::TimedOut) => {
                Err(io::Error::other(format!("no response but {other:?}")))
            }
        }
    }
}

impl Function {
    /// Prepares the function whose binary is `bootstrap`; it starts with the first invocation.
    ///
    /// Its environment is what Lambda sets, AWS calls going to `endpoint`, and nothing of this process.
    pub fn new(bootstrap: &Path, endpoint: &str) -> io::Result<Self> {
        let api = Api::start()?;
        let address = api.address();
        let given = [
            ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "ssmbak-test"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/ssmbak-test"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "test"),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", endpoint),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("TZ", ":UTC"),
            ("_HANDLER", "bootstrap"),
        ];
        let owned = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Self {
            bootstrap: bootstrap.to_owned(),
            arguments: Vec::new(),
            environment: owned.to_vec(),
            timeout: Duration::from_secs(30),
            api,
            process: Mutex::new(None),
            logs: Arc::default(),
        })
    }

    /// Gives the process arguments: for a function that is run by an interpreter.
    #[must_use]
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|&one| one.to_owned()).collect();
        self
    }

    /// Sets a variable of the function's environment, over what is there.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a variable out of the function's environment.
    #[must_use]
    pub fn env_remove(mut self, name: &str) -> Self {
        self.environment.retain(|(given, _)| given != name);
        self
    }

    /// Sets the function's timeout: 30 s if not set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Starts a new process, and returns how long it took until it asked for its first invocation.
    ///
    /// An error when it has not asked within the function's timeout.
    pub async fn start(&self) -> io::Result<Duration> {
        let mut slot = self.process.lock().await;
        slot.take();
        let started = Instant::now();
        *slot = Some(self.start_process()?);
        let ready = tokio::time::timeout(self.timeout, self.api.ready()).await;
        let ready = ready.ok().flatten();
        let ready = ready.ok_or_else(|| {
            io::Error::other(format!("it did not start: {}", self.logs().join("\n")))
        })?;
        Ok(ready.saturating_duration_since(started))
    }

    /// Invokes the function; the one before must have ended, or is waited for.
    pub async fn invoke(&self, payload: &Value) -> io::Result<Invocation> {
        let mut slot = self.process.lock().await;
        let started = Instant::now();
        let (mut process, cold) = match slot.take().and_then(Process::if_alive) {
            Some(process) => (process, false),
            None => (self.start_process()?, true),
        };
        let (answer, answered) = oneshot::channel();
        self.api.submit(Job {
            id: Uuid::new_v4().to_string(),
            payload: payload.to_string(),
            timeout: self.timeout,
            answer,
        });
        let outcome = self.outcome(&mut process, answered).await;
        *slot = process.if_alive();
        Ok(Invocation {
            outcome,
            duration: started.elapsed(),
            cold,
        })
    }

    /// The process that waits for the next invocation, if there is one.
    pub async fn process_id(&self) -> Option<u32> {
        self.process.lock().await.as_ref().map(Process::id)
    }

    /// Ends the process; the next invocation starts a new one.
    pub async fn stop(&self) {
        self.process.lock().await.take();
    }

    /// Every line that the function wrote to standard output and standard error, of all its processes.
    ///
    /// A line written just before an answer may take a moment to be here.
    pub fn logs(&self) -> Vec<String> {
        self.logs.lines()
    }

    fn start_process(&self) -> io::Result<Process> {
        self.api.renew();
        let logs = Arc::clone(&self.logs);
        Process::start(&self.bootstrap, &self.arguments, &self.environment, logs)
    }

    async fn outcome(
        &self,
        process: &mut Process,
        answered: oneshot::Receiver<Outcome>,
    ) -> Outcome {
        let deadline = Instant::now() + self.timeout;
        tokio::pin!(answered);
        loop {
            if let Ok(Ok(outcome)) = tokio::time::timeout(POLL, &mut answered).await {
                return outcome;
            }
            if let Some(status) = process.end() {
                let last = tokio::time::timeout(LAST_WORDS, &mut answered).await;
                return last
                    .ok()
                    .and_then(Result::ok)
                    .unwrap_or(Outcome::Died(status));
            }
            if Instant::now() > deadline {
                process.kill();
                return Outcome::TimedOut;
            }
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Function({})", self.bootstrap.display())
    }
}
