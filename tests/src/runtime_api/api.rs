//! The HTTP side: `next` hands out invocations, `response` and `error` take what became of them.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use super::Outcome;
use crate::serve::{Answer, HangUp, Server};

const PREFIX: &str = "/2018-06-01/runtime/";
const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:ssmbak-test";

/// An invocation for the process to fetch.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) payload: String,
    pub(super) timeout: Duration,
    pub(super) answer: oneshot::Sender<Outcome>,
}

/// The server that the function's process talks to.
#[derive(Debug)]
pub(super) struct Api {
    shared: Arc<Shared>,
    server: Server,
}

type Queue = Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Job>>>;

/// Each process has a queue of its own: one that died may have left a request
/// for the next invocation behind, which must not take a later one.
#[derive(Debug)]
struct Shared {
    line: Mutex<(mpsc::UnboundedSender<Job>, Queue)>,
    current: Mutex<Option<(String, oneshot::Sender<Outcome>)>>,
    /// When the present process first asked for an invocation.
    ready: watch::Sender<Option<Instant>>,
}

impl Api {
    pub(super) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared {
            line: Mutex::new(new_line()),
            current: Mutex::default(),
            ready: watch::Sender::default(),
        });
        let handled = Arc::clone(&shared);
        let server = Server::start("runtime-api", move |request, _| {
            handle(Arc::clone(&handled), request)
        })?;
        Ok(Self { shared, server })
    }

    /// Host and port, as `AWS_LAMBDA_RUNTIME_API` has them.
    pub(super) fn address(&self) -> String {
        self.server.address().to_string()
    }

    /// Makes ready for a new process.
    pub(super) fn renew(&self) {
        *lock(&self.shared.line) = new_line();
        lock(&self.shared.current).take();
        self.shared.ready.send_replace(None);
    }

    /// Waits until the process asks for its first invocation; returns when it did.
    pub(super) async fn ready(&self) -> Option<Instant> {
        let mut ready = self.shared.ready.subscribe();
        ready
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|at| *at)
    }

    pub(super) fn submit(&self, job: Job) {
        // The receiver is kept beside the sender, so there is always one.
        lock(&self.shared.line).0.send(job).ok();
    }
}

fn new_line() -> (mpsc::UnboundedSender<Job>, Queue) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, Arc::new(tokio::sync::Mutex::new(receiver)))
}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let parts: Vec<&str> = path
        .strip_prefix(PREFIX)
        .unwrap_or_default()
        .split('/')
        .collect();
    match (request.method().clone(), parts.as_slice()) {
        (Method::GET, ["invocation", "next"]) => next(&shared).await,
        (Method::POST, ["invocation", id, "response"]) => {
            let body = json_body(request).await?;
            Ok(shared.finish(Some(id), Outcome::Response(body)))
        }
        (Method::POST, ["invocation", id, "error"]) => {
            let body = json_body(request).await?;
            Ok(shared.finish(Some(id), Outcome::Error(body)))
        }
        (Method::POST, ["init", "error"]) => {
            let body = json_body(request).await?;
            Ok(shared.finish(None, Outcome::Error(body)))
        }
        _ => Ok(status(404)),
    }
}

async fn next(shared: &Shared) -> Answer {
    shared.ready.send_if_modified(|ready| {
        let first = ready.is_none();
        ready.get_or_insert_with(Instant::now);
        first
    });
    let queue = Arc::clone(&lock(&shared.line).1);
    let job = queue.lock().await.recv().await.ok_or(HangUp)?;
    let deadline = SystemTime::now() + job.timeout;
    let deadline_ms = deadline
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    *lock(&shared.current) = Some((job.id.clone(), job.answer));
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", job.id)
        .header("lambda-runtime-deadline-ms", deadline_ms.to_string())
        .header("lambda-runtime-invoked-function-arn", ARN)
        .header(
            "lambda-runtime-trace-id",
            "Root=1-00000000-000000000000000000000000;Sampled=0",
        )
        .body(Full::new(Bytes::from(job.payload)))
        .map_err(|_| HangUp)
}

impl Shared {
    /// Hands the outcome to whoever invoked; an id that is not the current one is refused, as Lambda does.
    fn finish(&self, id: Option<&str>, outcome: Outcome) -> Response<Full<Bytes>> {
        let mut current = lock(&self.current);
        let known = |(current, _): &mut (String, _)| id.is_none_or(|id| id == current);
        match current.take_if(known) {
            Some((_, answer)) => {
                answer.send(outcome).ok();
                status(202)
            }
            None if id.is_none() => status(202),
            None => status(400),
        }
    }
}

async fn json_body(request: Request<Incoming>) -> Result<Value, HangUp> {
    let body = request.into_body().collect().await.map_err(|_| HangUp)?;
    let bytes = body.to_bytes();
    let text = || Value::from(String::from_utf8_lossy(&bytes).into_owned());
    Ok(serde_json::from_slice(&bytes).unwrap_or_else(|_| text()))
}

fn status(code: u16) -> Response<Full<Bytes>> {
    let body = Full::new(Bytes::from_static(b"{}"));
    Response::builder()
        .status(code)
        .body(body)
        .unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
