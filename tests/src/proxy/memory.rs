//! What reads of Parameter Store were answered before: for answers that are out of date.

use std::collections::HashMap;

use bytes::Bytes;
use hyper::header;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::body::Body;

/// More than one is kept, since the newest may be what is true now.
const KEPT: usize = 2;

/// The newest answers to each read, oldest first.
#[derive(Debug, Default)]
pub(super) struct Memory(HashMap<Asked, Vec<(StatusCode, Bytes)>>);

/// Who asked, and what.
type Asked = (String, Bytes);

/// A read as it is remembered: the account that asks, and its question.
pub(super) fn asked(head: &Parts, body: &Bytes) -> Asked {
    let signed = head.headers.get(header::AUTHORIZATION);
    let signed = signed.and_then(|text| text.to_str().ok());
    let who = signed.and_then(|text| text.split_once("Credential="));
    let who = who.and_then(|(_, text)| text.split('/').next());
    let operation = head.headers.get("x-amz-target");
    let operation = operation.and_then(|text| text.to_str().ok());
    let who = format!(
        "{} {}",
        who.unwrap_or_default(),
        operation.unwrap_or_default()
    );
    (who, body.clone())
}

impl Memory {
    /// Keeps an answer that differs from the one before it.
    pub(super) fn keep(&mut self, asked: Asked, status: StatusCode, body: &Bytes) {
        let answers = self.0.entry(asked).or_default();
        let answer = (status, body.clone());
        answers.retain(|known| *known != answer);
        answers.push(answer);
        if answers.len() > KEPT {
            answers.remove(0);
        }
    }

    /// An answer from before `now`: the newest that was another one, else that nothing is there.
    /// None where nothing is there now either.
    pub(super) fn stale(
        &self,
        asked: &Asked,
        operation: &str,
        now: (StatusCode, &Bytes),
    ) -> Option<Response<Body>> {
        let known = self.0.get(asked).map(Vec::as_slice).unwrap_or_default();
        let before = known
            .iter()
            .rev()
            .find(|(status, body)| (*status, body) != now);
        let (status, body) = match before {
            Some((status, body)) => (*status, body.clone()),
            None if now.0 == StatusCode::OK => nothing(operation, &asked.1)?,
            None => return None,
        };
        let answer = Response::builder()
            .status(status)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amzn-requestid", "00000000-0000-0000-0000-000000000000");
        answer.body(Body::whole(body)).ok()
    }
}

/// What a read answers where no such parameter is there.
fn nothing(operation: &str, asked: &Bytes) -> Option<(StatusCode, Bytes)> {
    let (status, answer) = match operation {
        "ssm:GetParameters" => {
            let asked: Value = serde_json::from_slice(asked).ok()?;
            let names = &asked["Names"];
            let none = json!({"Parameters": [], "InvalidParameters": names});
            (StatusCode::OK, none)
        }
        _ => (
            StatusCode::BAD_REQUEST,
            json!({"__type": "ParameterNotFound", "message": ""}),
        ),
    };
    Some((status, Bytes::from(answer.to_string())))
}
