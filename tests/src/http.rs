//! A client for the small JSON APIs of the emulators' launchers.

use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Sends `body` as JSON and returns the answer; an answer that is not 200 is an error.
///
/// No connection is kept: each test has its own runtime, and a pooled
/// connection would outlive the one that drives it.
pub(crate) async fn call(method: Method, url: &str, body: Option<&Value>) -> io::Result<Value> {
    let bytes = body.map(Value::to_string).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(bytes)))
        .map_err(io::Error::other)?;
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build_http();
    let response = client.request(request).await.map_err(io::Error::other)?;
    let status = response.status();
    let body = response.into_body().collect().await;
    let body = body.map_err(io::Error::other)?.to_bytes();
    if !status.is_success() {
        let text = String::from_utf8_lossy(&body);
        return Err(io::Error::other(format!("{url} answered {status}: {text}")));
    }
    serde_json::from_slice(&body).map_err(io::Error::other)
}
