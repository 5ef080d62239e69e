//! Parameter Store, a bucket and an index with any number of names and versions: every answer is
//! made from a formula, so that what is measured is the program and no emulator.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Method, Request};
use serde_json::{Value, json};
use ssmbak_core::domain::record::{Attributes, Change, Source, Written};
use ssmbak_core::domain::stored::StoredRecord;
use ssmbak_core::domain::{Instant, Name, Pointer, Record, ValueState, keys};

use super::answer;
use super::history::{attribute, bytes};
use crate::serve::{Answer, HangUp, Server};

/// `DynamoDB`'s.
const PAGE_BYTES: usize = 1 << 20;
/// 2024-01-01T00:00:00Z.
const BEGAN_MS: i64 = 1_704_067_200_000;
const DAY_MS: i64 = 86_400_000;
/// Names under one path of the second level.
const NAMES_A_GROUP: usize = 50;
/// Its bucket and its table.
const STORE: &str = "canned";

/// The three stores; they end when this is dropped.
///
/// Each name was written once a day from 2024-01-02 on, in the order of names, evenly over the
/// day: so any instant lies between two of them.
#[derive(Debug)]
pub struct CannedStores {
    shared: Arc<Shared>,
    server: Server,
}

#[derive(Debug)]
struct Shared {
    names: usize,
    /// All of them, in order.
    spelled: Vec<String>,
    versions: usize,
    latency: Duration,
    calls: Mutex<BTreeMap<String, usize>>,
}

impl CannedStores {
    /// Starts them, with so many names of so many versions each, and the time that each call takes
    /// beyond its work.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub fn start(names: usize, versions: usize, latency: Duration) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            names,
            spelled: (0..names).map(name).collect(),
            versions,
            latency,
            calls: Mutex::default(),
        });
        let handled = Arc::clone(&shared);
        let server = Server::start("canned stores", move |request, _| {
            handle(Arc::clone(&handled), request)
        })?;
        Ok(Self { shared, server })
    }

    /// Their URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// How often each operation was called since the last time.
    pub fn take_calls(&self) -> BTreeMap<String, usize> {
        let mut calls = self.shared.calls.lock();
        std::mem::take(calls.as_mut().unwrap_or_else(PoisonError::get_mut))
    }

    /// The latest instant since which the last `changed` names changed, and no other.
    pub fn before_the_last(&self, changed: usize) -> Instant {
        let shared = &self.shared;
        let last = shared.names.saturating_sub(changed + 1);
        shared.at(last, shared.versions)
    }

    /// The instant at which each name had half of its versions.
    pub fn in_the_middle(&self) -> Instant {
        let shared = &self.shared;
        shared.at(shared.names - 1, shared.versions / 2)
    }

    /// When a version of a name was written, and with which value.
    pub fn version(&self, number: usize, version: usize) -> (String, Instant, String) {
        let at = self.shared.at(number, version);
        (name(number), at, value(number, version))
    }
}

fn name(number: usize) -> String {
    let (group, own) = (number / NAMES_A_GROUP, number % NAMES_A_GROUP);
    format!("/scale/g{group:04}/p{own:02}")
}

fn number(name: &str) -> Option<usize> {
    let (group, own) = name.strip_prefix("/scale/g")?.split_once("/p")?;
    Some(group.parse::<usize>().ok()? * NAMES_A_GROUP + own.parse::<usize>().ok()?)
}

fn value(number: usize, version: usize) -> String {
    format!("value {version} of {number}")
}

impl Shared {
    fn at(&self, number: usize, version: usize) -> Instant {
        let ordinal = |n: usize| i64::try_from(n).unwrap_or(0);
        let within = DAY_MS * ordinal(number) / ordinal(self.names).max(1);
        Instant::from_millis(BEGAN_MS + DAY_MS * ordinal(version) + within)
    }

    /// The numbers of the names that begin so, which lie beside each other.
    fn under(&self, prefix: &str) -> std::ops::Range<usize> {
        let first = self.spelled.partition_point(|name| name.as_str() < prefix);
        let mut under = self.spelled[first..].iter();
        let end = under.position(|name| !name.starts_with(prefix));
        first..end.map_or(self.names, |count| first + count)
    }

    fn number(&self, name: &str) -> Option<usize> {
        number(name).filter(|number| *number < self.names)
    }

    fn record(&self, number: usize, version: usize) -> Record {
        let at = self.at(number, version);
        let name = name(number);
        Record {
            name: Name::parse(&name).expect("it is a name"),
            at,
            change: Change::Written(Written {
                version: Some(version as u64),
                creates: version == 1,
                discriminator: String::new(),
                attributes: Attributes {
                    parameter_type: "String".into(),
                    tier: Some("Standard".into()),
                    data_type: Some("text".into()),
                    tags: Some(BTreeMap::new()),
                    ..Attributes::default()
                },
                modified_by: Some("arn:aws:iam::123456789012:user/somebody".into()),
                value: ValueState::Stored(Pointer {
                    bucket: STORE.into(),
                    key: name,
                    version_id: version.to_string(),
                }),
            }),
            source: Source::Event,
            event: None,
            recorded_at: at,
        }
    }

    fn stored(&self, number: usize, version: usize) -> Value {
        let record = StoredRecord::from(&self.record(number, version));
        serde_json::to_value(record).unwrap_or_default()
    }

    fn head(&self, number: usize) -> Value {
        let row = json!({
            "scope": keys::NAMES,
            "entry": name(number),
            "record": self.stored(number, self.versions),
        });
        attribute(&row)["M"].clone()
    }

    fn own_row(&self, number: usize, version: usize) -> Value {
        let mut row = self.stored(number, version);
        row["scope"] = name(number).into();
        row["entry"] = keys::own_entry(&self.record(number, version)).into();
        attribute(&row)["M"].clone()
    }

    fn metadata(&self, number: usize) -> Value {
        json!({
            "Name": name(number),
            "Type": "String",
            "Tier": "Standard",
            "DataType": "text",
            "Version": self.versions,
            "LastModifiedDate": seconds(self.at(number, self.versions)),
            "LastModifiedUser": "arn:aws:iam::123456789012:user/somebody",
            "Policies": [],
        })
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "milliseconds are exact in a float for 285,000 years"
)]
fn seconds(at: Instant) -> f64 {
    at.millis() as f64 / 1_000.0
}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| HangUp)?.to_bytes();
    let target = head.headers.get("x-amz-target");
    let target = target.and_then(|t| t.to_str().ok());
    // S3 has no such header.
    let operation = target.and_then(|t| t.rsplit_once('.'));
    let operation = operation.map_or(head.method.as_str(), |(_, operation)| operation);
    note(&shared, operation);
    tokio::time::sleep(shared.latency).await;
    if target.is_none() {
        let object = match head.method {
            Method::HEAD => Bytes::new(),
            _ => object(&shared, head.uri.path(), head.uri.query()).ok_or(HangUp)?,
        };
        return answer("application/octet-stream", object);
    }
    let asked: Value = serde_json::from_slice(&body).map_err(|_| HangUp)?;
    let told = match operation {
        "DescribeParameters" => listing(&shared, &asked),
        "GetParameters" => values(&shared, &asked),
        "ListTagsForResource" => json!({"TagList": []}),
        "GetItem" => item(&shared, &asked["Key"]),
        "Query" => query(&shared, &asked),
        _ => return Err(HangUp),
    };
    answer("application/x-amz-json-1.1", told.to_string().into())
}

fn note(shared: &Shared, operation: &str) {
    let mut calls = shared.calls.lock().unwrap_or_else(PoisonError::into_inner);
    *calls.entry(operation.to_owned()).or_default() += 1;
}

fn object(shared: &Shared, path: &str, query: Option<&str>) -> Option<Bytes> {
    let key = path.strip_prefix(&format!("/{STORE}/"))?;
    let key = format!("/{}", key.trim_start_matches('/').replace("%2F", "/"));
    let number = shared.number(&key)?;
    let mut fields = query?.split('&').filter_map(|field| field.split_once('='));
    let (_, version) = fields.find(|(field, _)| *field == "versionId")?;
    Some(value(number, version.parse().ok()?).into())
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn listing(shared: &Shared, asked: &Value) -> Value {
    let filter = &asked["ParameterFilters"][0];
    let listed: Vec<usize> = match filter["Key"].as_str() {
        Some("Name") => texts(&filter["Values"])
            .filter_map(|name| shared.number(name))
            .collect(),
        Some(_) => {
            let path = texts(&filter["Values"]).next().unwrap_or_default();
            shared.under(&format!("{path}/")).collect()
        }
        None => (0..shared.names).collect(),
    };
    let token = asked["NextToken"].as_str();
    let first: usize = token.and_then(|token| token.parse().ok()).unwrap_or(0);
    let page = asked["MaxResults"].as_u64().unwrap_or(50);
    let end = first + usize::try_from(page).unwrap_or(50);
    let rows = listed.iter().skip(first).take(end - first);
    let rows: Vec<Value> = rows.map(|number| shared.metadata(*number)).collect();
    let mut told = json!({ "Parameters": rows });
    if end < listed.len() {
        told["NextToken"] = end.to_string().into();
    }
    told
}

fn values(shared: &Shared, asked: &Value) -> Value {
    let numbers = texts(&asked["Names"]).filter_map(|name| shared.number(name));
    let rows = numbers.map(|number| {
        let mut row = shared.metadata(number);
        row["Value"] = value(number, shared.versions).into();
        row
    });
    json!({"Parameters": rows.collect::<Vec<_>>(), "InvalidParameters": []})
}

fn item(shared: &Shared, key: &Value) -> Value {
    let (scope, entry) = (key["scope"]["S"].as_str(), key["entry"]["S"].as_str());
    match (scope, entry) {
        (Some(keys::META), Some("format")) => {
            let row = json!({"scope": keys::META, "entry": "format", "format": 1});
            json!({"Item": attribute(&row)["M"]})
        }
        (Some(keys::NAMES), Some(name)) => match shared.number(name) {
            Some(number) => json!({"Item": shared.head(number)}),
            None => json!({}),
        },
        _ => json!({}),
    }
}

fn query(shared: &Shared, asked: &Value) -> Value {
    let values = &asked["ExpressionAttributeValues"];
    let text = |field: &str| values[field]["S"].as_str().unwrap_or_default();
    match text(":s") {
        keys::NAMES => heads(shared, text(":p"), &asked["ExclusiveStartKey"]),
        name => match shared.number(name) {
            Some(number) => versions(shared, number, (text(":a"), text(":z")), asked),
            None => page(&[], None),
        },
    }
}

fn page(items: &[Value], last: Option<Value>) -> Value {
    let mut told = json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items});
    if let Some(last) = last {
        told["LastEvaluatedKey"] = last;
    }
    told
}

/// As many heads as an answer holds.
fn heads(shared: &Shared, prefix: &str, start: &Value) -> Value {
    let all = shared.under(prefix);
    let start = start["entry"]["S"].as_str().and_then(number);
    let first = start.map_or(all.start, |number| number + 1);
    let (mut items, mut size) = (Vec::new(), 0);
    for number in first..all.end {
        let item = shared.head(number);
        size += bytes(&item.to_string());
        items.push(item);
        if size >= PAGE_BYTES && number + 1 < all.end {
            let key = json!({"scope": {"S": keys::NAMES}, "entry": {"S": name(number)}});
            return page(&items, Some(key));
        }
    }
    page(&items, None)
}

/// The rows of a name between two keys, as many as are asked for; what is measured
/// asks for one.
fn versions(shared: &Shared, number: usize, (from, to): (&str, &str), asked: &Value) -> Value {
    let entry = |version: &usize| keys::own_entry(&shared.record(number, *version));
    let within = |version: &usize| (from..=to).contains(&entry(version).as_str());
    let limit = asked["Limit"].as_u64().unwrap_or(u64::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let newest_first = asked["ScanIndexForward"] == Value::Bool(false);
    let row = |version| shared.own_row(number, version);
    let found: Vec<Value> = if newest_first {
        let all = (1..=shared.versions).rev().filter(within);
        all.take(limit).map(row).collect()
    } else {
        let all = (1..=shared.versions).filter(within);
        all.take(limit).map(row).collect()
    };
    page(&found, None)
}
