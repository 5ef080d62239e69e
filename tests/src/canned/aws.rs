//! AWS as one capture sees it, answered at once: what is measured is the function, not an emulator.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use ssmbak_core::domain::stored::StoredRecord;
use ssmbak_core::domain::{Instant, Name, Record, keys};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::history::{PAGE_BYTES, attribute, bytes};
use crate::proxy::operation::identify;
use crate::serve::{Answer, HangUp, Server};

/// AWS's own of `DescribeParameters`.
const DESCRIBE_PAGE: usize = 50;
const READ_UNIT_BYTES: usize = 4_096;
const WRITE_UNIT_BYTES: usize = 1_024;

/// Parameter Store, a bucket and a table; it ends when it is dropped.
///
/// Every name that is asked for has one version, written when this was started, and no record.
/// Names that are listed are all on record as they are.
#[derive(Debug)]
pub struct CannedAws {
    shared: Arc<Shared>,
    server: Server,
    certificate: Option<String>,
}

#[derive(Debug)]
struct Shared {
    written: Instant,
    listed: usize,
    used: Mutex<Used>,
}

/// What calls have used, as AWS counts it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// How often each operation was called.
    pub calls: BTreeMap<String, usize>,
    /// Read units of `DynamoDB`: one for each 4 KB that is read strongly consistently.
    pub read_units: usize,
    /// Write units of `DynamoDB`: one for each KB of a row, twice in a transaction.
    pub write_units: usize,
}

impl CannedAws {
    /// Over HTTP. So many names are listed and have heads.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub fn start(listed: usize) -> io::Result<Self> {
        Self::start_over(listed, None)
    }

    /// Over TLS, with a certificate of its own that names 127.0.0.1.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub fn start_with_tls() -> io::Result<Self> {
        Self::start_over(0, Some(acceptor()?))
    }

    fn start_over(listed: usize, tls: Option<(TlsAcceptor, String)>) -> io::Result<Self> {
        let now: Instant = chrono::Utc::now().into();
        let shared = Arc::new(Shared {
            written: now.second_start(),
            listed,
            used: Mutex::default(),
        });
        let (acceptor, certificate) = tls.unzip();
        let handled = Arc::clone(&shared);
        let server = Server::start_over("canned AWS", acceptor, move |request, _| {
            handle(Arc::clone(&handled), request)
        })?;
        Ok(Self {
            shared,
            server,
            certificate,
        })
    }

    /// Its URL.
    pub fn endpoint(&self) -> String {
        let scheme = match self.certificate {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}", self.server.address())
    }

    /// Its certificate in PEM, which whoever calls it must trust; none over HTTP.
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// When every version was written, in milliseconds.
    pub fn written_ms(&self) -> i64 {
        self.shared.written.millis()
    }

    /// What was used since the last time.
    pub fn take_used(&self) -> Used {
        let mut used = self.shared.used.lock();
        std::mem::take(used.as_mut().unwrap_or_else(PoisonError::get_mut))
    }
}

fn acceptor() -> io::Result<(TlsAcceptor, String)> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).map_err(io::Error::other)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let ring = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .map_err(io::Error::other)?;
    Ok((TlsAcceptor::from(Arc::new(config)), cert.pem()))
}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| HangUp)?.to_bytes();
    let operation = identify(&head, &body);
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (service, called) = operation.split_once(':').ok_or(HangUp)?;
    let text = match service {
        "s3" => String::new(),
        _ => answered(&shared, called, &asked).ok_or(HangUp)?,
    };
    note(&shared, &operation, &asked, &text);
    match service {
        "s3" => in_bucket(called),
        _ => super::answer("application/x-amz-json-1.1", text.into()),
    }
}

fn note(shared: &Shared, operation: &str, asked: &Value, answer: &str) {
    let mut used = shared.used.lock().unwrap_or_else(PoisonError::into_inner);
    *used.calls.entry(operation.to_owned()).or_default() += 1;
    match operation {
        "dynamodb:Query" | "dynamodb:GetItem" => {
            used.read_units += bytes(answer).div_ceil(READ_UNIT_BYTES).max(1);
        }
        "dynamodb:TransactWriteItems" => {
            let rows = asked["TransactItems"].as_array().into_iter().flatten();
            used.write_units += rows.map(|row| 2 * write_units(row)).sum::<usize>();
        }
        "dynamodb:PutItem" | "dynamodb:UpdateItem" => used.write_units += write_units(asked),
        _ => {}
    }
}

/// What one row takes, told from the request that writes it: a little more than the row itself.
fn write_units(request: &Value) -> usize {
    bytes(&request.to_string()).div_ceil(WRITE_UNIT_BYTES)
}

fn in_bucket(operation: &str) -> Answer {
    let (status, body) = match operation {
        "GetObject" | "HeadObject" => (404, "<Error><Code>NoSuchKey</Code></Error>"),
        "PutObject" | "HeadBucket" | "DeleteObject" => (200, ""),
        _ => return Err(HangUp),
    };
    Response::builder()
        .status(status)
        .header("content-type", "application/xml")
        .header("etag", "\"d41d8cd98f00b204e9800998ecf8427e\"")
        .header("x-amz-version-id", "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY")
        .body(Full::new(Bytes::from_static(body.as_bytes())))
        .map_err(|_| HangUp)
}

fn answered(shared: &Shared, operation: &str, asked: &Value) -> Option<String> {
    let name = asked["Name"].as_str().unwrap_or_default();
    let answer = match operation {
        "GetParameterHistory" => json!({"Parameters": [parameter(shared, name)]}),
        "GetParameter" => json!({"Parameter": parameter(shared, name)}),
        "ListTagsForResource" => json!({"TagList": [{"Key": "team", "Value": "a"}]}),
        "DescribeParameters" => described(shared, asked),
        "GetItem" if asked["Key"]["entry"]["S"] == "format" => json!({"Item": {
            "scope": {"S": keys::META}, "entry": {"S": "format"}, "format": {"N": "1"},
        }}),
        "Query" if asked["ExpressionAttributeValues"][":s"]["S"] == keys::NAMES => {
            return Some(heads(shared, asked));
        }
        "Query" => json!({"Count": 0, "Items": [], "ScannedCount": 0}),
        "GetItem" | "PutItem" | "UpdateItem" | "TransactWriteItems" => json!({}),
        _ => return None,
    };
    Some(answer.to_string())
}

fn seconds(at: Instant) -> i64 {
    at.millis() / 1_000
}

fn parameter(shared: &Shared, name: &str) -> Value {
    json!({
        "Name": name,
        "Type": "String",
        "Value": "a value as long as that of many a parameter is",
        "Version": 1,
        "LastModifiedDate": seconds(shared.written),
        "LastModifiedUser": "arn:aws:iam::123456789012:user/someone",
        "Tier": "Standard",
        "DataType": "text",
    })
}

/// The n-th listed name as it is on record; names sort as their numbers do.
fn listed(shared: &Shared, n: usize) -> Record {
    let name = format!("/canned/service-{:02}/component/{n:06}", n / 1_000);
    let mut record = super::record(n);
    record.name = Name::parse(&name).expect("it is a name");
    record.at = shared.written;
    record
}

fn described(shared: &Shared, asked: &Value) -> Value {
    let token = asked["NextToken"].as_str().and_then(|t| t.parse().ok());
    let first: usize = token.unwrap_or(0);
    let end = (first + DESCRIBE_PAGE).min(shared.listed);
    let row = |n| {
        let record = listed(shared, n);
        let written = record.present().expect("it is written");
        let attributes = &written.attributes;
        json!({
            "Name": record.name.as_str(),
            "Type": attributes.parameter_type,
            "KeyId": attributes.key_id,
            "Description": attributes.description,
            "Tier": attributes.tier,
            "DataType": attributes.data_type,
            "Version": written.version,
            "LastModifiedDate": seconds(record.at),
            "LastModifiedUser": written.modified_by,
        })
    };
    let rows: Vec<Value> = (first..end).map(row).collect();
    let next = (end < shared.listed).then(|| end.to_string());
    json!({"Parameters": rows, "NextToken": next})
}

fn heads(shared: &Shared, asked: &Value) -> String {
    let start = asked["ExclusiveStartKey"]["entry"]["S"].as_str();
    let after = start.and_then(|name| name.rsplit('/').next()?.parse::<usize>().ok());
    let mut next = after.map_or(0, |n| n + 1);
    let (mut items, mut size) = (Vec::new(), 0);
    while next < shared.listed && size < PAGE_BYTES {
        let record = listed(shared, next);
        let held = StoredRecord::from(&record).for_head();
        let row = json!({
            "scope": keys::NAMES,
            "entry": record.name.as_str(),
            "head": record.entry(),
            "record": serde_json::to_value(held).expect("it is JSON"),
        });
        let row = attribute(&row)["M"].to_string();
        size += bytes(&row);
        items.push(row);
        next += 1;
    }
    let last = (next < shared.listed).then(|| {
        let entry = listed(shared, next - 1).name;
        let key = json!({"scope": {"S": keys::NAMES}, "entry": {"S": entry.as_str()}});
        format!(",\"LastEvaluatedKey\":{key}")
    });
    let (count, items) = (items.len(), items.join(","));
    let last = last.unwrap_or_default();
    format!("{{\"Count\":{count},\"ScannedCount\":{count},\"Items\":[{items}]{last}}}")
}
