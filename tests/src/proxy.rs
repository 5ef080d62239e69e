//! A reverse proxy between a client and an emulator: it counts the calls by API
//! operation, slows and throttles them, answers with errors, and kills clients.

mod answer;
mod befall;
mod body;
mod faults;
mod kill;
mod memory;
pub(crate) mod operation;
mod pages;
mod rules;

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::http::response::Parts;
use hyper::{Request, Response, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

pub use self::answer::ApiError;
use self::body::Body;
pub use self::faults::{Fault, Faults, draw};
use self::memory::Memory;
use self::pages::Pages;
pub use self::rules::{Disturbance, When};
use self::rules::{Effect, Rules, Victim};
use crate::serve::{Answer, HangUp, Server};

/// A running proxy; it ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    server: Server,
}

/// One call that came through, in the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The operation as IAM writes it, such as `ssm:PutParameter`.
    pub operation: String,
    /// The HTTP status the client got; `None` while it waits, and when it was killed or hung up on.
    pub status: Option<u16>,
    /// Whether the answer was the proxy's own.
    pub disturbed: bool,
    /// The bytes of the answer's body; none as for the status.
    pub answer_bytes: usize,
    /// When it arrived.
    pub began: Instant,
    /// When it was answered; `None` as for the status.
    pub ended: Option<Instant>,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    /// Where it listens itself; known before anybody can call.
    port: OnceLock<u16>,
    state: Mutex<State>,
    client: Client<HttpConnector, Full<Bytes>>,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<Call>,
    rules: Rules,
    killed: Vec<u32>,
    struck: BTreeMap<Fault, usize>,
    memory: Memory,
    pages: Pages,
}

impl Proxy {
    /// Starts a proxy on a free loopback port, in front of the emulator at the URL `upstream`.
    pub fn start(upstream: &str) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            upstream: upstream.trim_end_matches('/').to_owned(),
            port: OnceLock::new(),
            state: Mutex::default(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        });
        let handled = Arc::clone(&shared);
        let server = Server::start("proxy", move |request, peer| {
            handle(Arc::clone(&handled), request, peer)
        })?;
        shared.port.get_or_init(|| server.address().port());
        Ok(Self { shared, server })
    }

    /// The URL to give to clients in place of the emulator's.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// How often each operation was called since the last reset, throttled and failed calls included.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in &lock(&self.shared.state).calls {
            *counts.entry(call.operation.clone()).or_default() += 1;
        }
        counts
    }

    /// How often one operation was called since the last reset.
    pub fn count(&self, operation: &str) -> usize {
        self.counts().get(operation).copied().unwrap_or_default()
    }

    /// How many calls came through since the last reset.
    pub fn total(&self) -> usize {
        lock(&self.shared.state).calls.len()
    }

    /// Every call since the last reset, in order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.state).calls.clone()
    }

    /// How many round trips deep the calls since the last reset are: the longest chain of calls of
    /// which each arrived after the one before it was answered.
    ///
    /// Calls that do not wait for one another count as one trip only where their answers take longer
    /// than it takes to send them: set a latency.
    pub fn depth(&self) -> usize {
        let calls = self.calls();
        let mut depths: Vec<(Instant, usize)> = Vec::with_capacity(calls.len());
        for call in &calls {
            let before = depths.iter().filter(|(ended, _)| *ended <= call.began);
            let depth = before.map(|(_, depth)| *depth).max().unwrap_or(0) + 1;
            depths.extend(call.ended.map(|ended| (ended, depth)));
        }
        depths.iter().map(|(_, depth)| *depth).max().unwrap_or(0)
    }

    /// The processes that were killed since the last reset.
    pub fn killed(&self) -> Vec<u32> {
        lock(&self.shared.state).killed.clone()
    }

    /// Forgets the calls; latency, throttles, disturbances and faults stay.
    pub fn reset_calls(&self) {
        let mut state = lock(&self.shared.state);
        state.calls.clear();
        state.killed.clear();
        state.struck.clear();
    }

    /// Forgets calls, latency, throttles, disturbances and faults; not what was answered before.
    pub fn reset(&self) {
        let mut state = lock(&self.shared.state);
        let (memory, pages) = (mem::take(&mut state.memory), mem::take(&mut state.pages));
        *state = State {
            memory,
            pages,
            ..State::default()
        };
    }

    /// Lets calls go wrong from now on, in place of what was injected before.
    pub fn inject(&self, faults: Faults) {
        let mut state = lock(&self.shared.state);
        state.rules.faults = Some(faults);
        state.struck.clear();
    }

    /// Ends the faults; what they struck stays told.
    pub fn calm(&self) {
        lock(&self.shared.state).rules.faults = None;
    }

    /// Ends faults and disturbances; calls, and what was struck and killed, stay told.
    pub fn disarm(&self) {
        let rules = &mut lock(&self.shared.state).rules;
        rules.faults = None;
        rules.forget_disturbances();
    }

    /// How often each kind of fault really befell a call since the last injection.
    pub fn struck(&self) -> BTreeMap<Fault, usize> {
        lock(&self.shared.state).struck.clone()
    }

    /// Delays every answer by `latency` from now on.
    pub fn set_latency(&self, latency: Duration) {
        lock(&self.shared.state).rules.latency = latency;
    }

    /// Lets through at most `per_second` calls of `operation`, after a first `burst`; the others
    /// are answered as AWS answers them. One that ends in `*` means all that begin so, together.
    pub fn throttle(&self, operation: &str, per_second: f64, burst: u32) {
        let mut state = lock(&self.shared.state);
        state.rules.throttle(operation, per_second, burst);
    }

    /// Disturbs calls as described; counting of calls starts now.
    pub fn disturb(&self, disturbance: Disturbance) {
        lock(&self.shared.state).rules.arm(disturbance);
    }
}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>, peer: SocketAddr) -> Answer<Body> {
    let (mut head, body) = request.into_parts();
    let mut body = body.collect().await.map_err(|_| HangUp)?.to_bytes();
    lock(&shared.state).pages.follow(&mut head, &mut body);
    let operation = operation::identify(&head, &body);
    let (index, effect, latency) = shared.arrived(&operation);
    tokio::time::sleep(latency).await;
    let outcome = shared
        .carry_out(&operation, effect, Request::from_parts(head, body), peer)
        .await;
    shared.answered(index, &operation, &outcome);
    outcome.map(|(response, _)| response)
}

/// The answer, and whether it is the proxy's own.
type Outcome = Result<(Response<Body>, bool), HangUp>;

impl Shared {
    fn arrived(&self, operation: &str) -> (usize, Effect, Duration) {
        let mut state = lock(&self.state);
        state.calls.push(Call {
            operation: operation.to_owned(),
            status: None,
            disturbed: false,
            answer_bytes: 0,
            began: Instant::now(),
            ended: None,
        });
        let effect = state.rules.effect_on(operation);
        (state.calls.len() - 1, effect, state.rules.latency)
    }

    /// A reset since the arrival may have taken the call off the log: then there is nothing to note.
    fn answered(&self, index: usize, operation: &str, outcome: &Outcome) {
        let mut state = lock(&self.state);
        let Some(call) = state.calls.get_mut(index) else {
            return;
        };
        if call.operation == operation {
            let answer = outcome.as_ref().ok().map(|(answer, _)| answer);
            call.status = answer.map(|answer| answer.status().as_u16());
            call.answer_bytes = answer.map_or(0, |answer| answer.body().length());
            call.ended = call.status.map(|_| Instant::now());
            call.disturbed = outcome.as_ref().map_or(true, |(_, disturbed)| *disturbed);
        }
    }

    async fn carry_out(
        &self,
        operation: &str,
        effect: Effect,
        request: Request<Bytes>,
        peer: SocketAddr,
    ) -> Outcome {
        let disturbance = match effect {
            Effect::None => return self.pass(operation, request).await,
            Effect::Throttle => {
                return Ok((answer::throttled(operation).respond(operation), true));
            }
            Effect::Fault(fault, silence) => {
                return self.befall(fault, silence, operation, request).await;
            }
            Effect::Disturb(disturbance) => disturbance,
        };
        if disturbance.when == When::AfterWork {
            self.forward(request).await?;
        }
        if let Some(error) = &disturbance.error {
            return Ok((error.respond(operation), true));
        }
        self.kill(disturbance.victim, peer);
        Err(HangUp)
    }

    fn kill(&self, victim: Victim, peer: SocketAddr) {
        let process = match victim {
            Victim::Nobody => None,
            Victim::Client => {
                let port = self.port.get().copied();
                port.and_then(|port| kill::client_process(peer.port(), port))
            }
        };
        if let Some(process) = process.filter(|process| kill::kill(*process)) {
            lock(&self.state).killed.push(process);
        }
    }

    /// What the emulator answers, kept where it is a read that may be out of date some day.
    async fn pass(&self, operation: &str, request: Request<Bytes>) -> Outcome {
        let (head, body) = request.into_parts();
        let asked = Fault::Stale
            .concerns(operation)
            .then(|| memory::asked(&head, &body));
        let (head, body) = self.forward(Request::from_parts(head, body)).await?;
        if let Some(asked) = asked {
            lock(&self.state).memory.keep(asked, head.status, &body);
        }
        Ok((Response::from_parts(head, Body::whole(body)), false))
    }

    async fn forward(&self, request: Request<Bytes>) -> Result<(Parts, Bytes), HangUp> {
        let (mut head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let target = format!("{}{path}", self.upstream);
        head.uri = target.parse().map_err(|_| HangUp)?;
        for name in [
            header::CONNECTION,
            header::CONTENT_LENGTH,
            header::TRANSFER_ENCODING,
            header::EXPECT,
        ] {
            head.headers.remove(name);
        }
        let request = Request::from_parts(head, Full::new(body));
        let response = self.client.request(request).await.map_err(|_| HangUp)?;
        let (mut head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| HangUp)?.to_bytes();
        for name in [header::CONNECTION, header::TRANSFER_ENCODING] {
            head.headers.remove(name);
        }
        Ok((head, body))
    }
}

/// A panic elsewhere leaves nothing half done here, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
