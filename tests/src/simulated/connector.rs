//! Where the SDK's requests end: each is told apart, disturbed, and answered in process.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame};
use hyper::http::request::Parts;
use serde_json::{Value, json};

use super::SimulatedAws;
use super::faults::{Fate, Fault};
use super::parameters::Refused;
use super::table::cancelled;
use crate::proxy::operation::identify;

/// Longer than anybody waits for an answer.
const NEVER: Duration = Duration::from_hours(1);

/// An answer of a service.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Answered {
    pub(super) fn xml(body: String) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "application/xml".to_owned())],
            body: body.into_bytes(),
        }
    }

    fn json(body: &Value) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "application/x-amz-json-1.1".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// A refusal, as the service that refuses writes it.
    fn refusal(service: &str, refused: &Refused) -> Self {
        let Refused { code, message, .. } = refused;
        let mut answer = if matches!(service, "s3" | "sts") {
            Self::xml(format!(
                "<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            ))
        } else {
            let mut body = json!({"__type": code, "message": message});
            if let Some(reasons) = &refused.reasons {
                body["CancellationReasons"] = reasons.clone();
            }
            Self::json(&body)
        };
        answer.status = refused.status;
        answer
    }
}

/// The way of one process to simulated AWS.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) aws: SimulatedAws,
    pub(super) process: usize,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.answer(request).await })
    }
}

impl Connector {
    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x();
        let request = request.map_err(|e| ConnectorError::user(e.into()))?;
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(ConnectorError::user)?;
        let body = body.to_bytes();
        let operation = identify(&head, &body);
        let fate = self.begin(&operation);
        yields(fate.yields.0).await;
        if fate.crash == Some(false) {
            return self.die().await;
        }
        self.disturb_before(&fate, &operation).await?;
        let short = fate.fault == Some(Fault::ShortPage);
        let answer = match refused_before(&fate, &operation, &head, &body) {
            Some(refused) => Err(refused),
            None => self.work(&operation, &head, &body, short),
        };
        let service = operation.split(':').next().unwrap_or_default();
        let mut answer = answer.unwrap_or_else(|refused| Answered::refusal(service, &refused));
        yields(fate.yields.1).await;
        if fate.crash == Some(true) {
            return self.die().await;
        }
        match fate.fault {
            Some(Fault::InternalAfter) => answer = Answered::refusal(service, &internal()),
            Some(Fault::ResetAfter) => return Err(reset()),
            Some(Fault::TimeOutAfter) => tokio::time::sleep(NEVER).await,
            _ => {}
        }
        respond(answer, fate.fault == Some(Fault::Truncated))
    }

    fn begin(&self, operation: &str) -> Fate {
        let mut state = self.aws.state();
        *state.calls.entry(operation.to_owned()).or_default() += 1;
        state.faults.next(self.process, operation)
    }

    /// Whoever waits for this waits for ever, until somebody drops it.
    async fn die(&self) -> Result<HttpResponse, ConnectorError> {
        self.aws.state().faults.died(self.process);
        std::future::pending().await
    }

    async fn disturb_before(&self, fate: &Fate, operation: &str) -> Result<(), ConnectorError> {
        match fate.fault {
            Some(Fault::Reset) => Err(reset()),
            Some(Fault::TimeOut) => {
                tokio::time::sleep(NEVER).await;
                Err(ConnectorError::timeout(operation.into()))
            }
            _ => Ok(()),
        }
    }

    fn work(
        &self,
        operation: &str,
        head: &Parts,
        body: &[u8],
        short: bool,
    ) -> Result<Answered, Refused> {
        let now = (self.aws.shared.clock)();
        let mut state = self.aws.state();
        let asked = || -> Value { serde_json::from_slice(body).unwrap_or_default() };
        match operation.split_once(':') {
            Some(("ssm", called)) => {
                let asked = asked();
                if short {
                    return Ok(Answered::json(&empty_page(&asked)));
                }
                let answer = state.parameters.answer(called, &asked, now)?;
                Ok(Answered::json(&answer))
            }
            Some(("dynamodb", called)) => {
                let most = short.then_some(1);
                let answer = state.tables.answer(called, &asked(), most)?;
                Ok(Answered::json(&answer))
            }
            Some(("s3", called)) => {
                let most = short.then_some(1);
                state.buckets.answer(called, head, body, most)
            }
            Some(("sts", "GetCallerIdentity")) => Ok(Answered::xml(CALLER.to_owned())),
            _ => Err(Refused::not_simulated(operation)),
        }
    }
}

const CALLER: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
    <Arn>arn:aws:iam::123456789012:user/somebody</Arn><Account>123456789012</Account>\
    <UserId>AIDAEXAMPLE</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// A page of Parameter Store with nothing on it and the way to where it should have begun.
fn empty_page(asked: &Value) -> Value {
    let token = asked["NextToken"].as_str().unwrap_or("true-0");
    let token = match asked.get("WithDecryption") {
        Some(_) => token,
        None => token.trim_start_matches("true-"),
    };
    json!({"Parameters": [], "NextToken": token})
}

/// What is refused before any work.
fn refused_before(fate: &Fate, operation: &str, head: &Parts, body: &[u8]) -> Option<Refused> {
    let service = operation.split(':').next().unwrap_or_default();
    match fate.fault? {
        Fault::Internal => Some(internal()),
        Fault::Throttled => Some(match service {
            "s3" => Refused::new(503, "SlowDown", "Please reduce your request rate."),
            "dynamodb" => Refused::bad("ProvisionedThroughputExceededException", "too many"),
            _ => Refused::bad("ThrottlingException", "Rate exceeded"),
        }),
        Fault::Conflict if service == "s3" => head
            .headers
            .contains_key("if-none-match")
            .then(|| Refused::new(409, "ConditionalRequestConflict", "another writes it")),
        Fault::Conflict => {
            let asked: Value = serde_json::from_slice(body).unwrap_or_default();
            let rows = asked["TransactItems"].as_array().map_or(0, Vec::len);
            let mut reasons = vec![json!({"Code": "None"}); rows];
            reasons[0] = json!({"Code": "TransactionConflict", "Message": "in the way"});
            Some(cancelled(reasons))
        }
        Fault::InternalAfter
        | Fault::Reset
        | Fault::ResetAfter
        | Fault::TimeOut
        | Fault::TimeOutAfter
        | Fault::Truncated
        | Fault::ShortPage => None,
    }
}

fn internal() -> Refused {
    Refused::new(
        500,
        "InternalServerError",
        "We encountered an internal error.",
    )
}

fn reset() -> ConnectorError {
    ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into())
}

async fn yields(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

fn respond(answer: Answered, truncated: bool) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(answer.status);
    let status = status.map_err(|e| ConnectorError::user(e.into()))?;
    let body = if truncated {
        let half = answer.body.len() / 2;
        SdkBody::from_body_1_x(BrokenOff(Some(answer.body[..half].to_vec().into())))
    } else {
        SdkBody::from(answer.body)
    };
    let mut response = HttpResponse::new(status, body);
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// A body that ends with an error.
struct BrokenOff(Option<Bytes>);

impl Body for BrokenOff {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(half) => Ok(Frame::data(half)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }))
    }
}
