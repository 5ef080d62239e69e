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
/// What one page of values has.
const VALUES_A_PAGE: usize = 10;
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
    /// How large the copy of a record is under a path.
    slim_bytes: usize,
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
        let mut shared = Shared {
            names,
            spelled: (0..names).map(name).collect(),
            versions,
            slim_bytes: 0,
            latency,
            calls: Mutex::default(),
        };
        shared.slim_bytes = shared.slim_row_bytes();
        let shared = Arc::new(shared);
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

    /// Which version of which name stands at a sort key of the name's own rows.
    fn at_entry(&self, name: &str, entry: &str) -> Option<(usize, usize)> {
        let number = self.number(name)?;
        let (_, suffix) = keys::parse_own_entry(entry)?;
        let version = suffix.strip_prefix('v')?.parse().ok()?;
        let known = (1..=self.versions).contains(&version);
        let own = keys::own_entry(&self.record(number, version));
        (known && own == entry).then_some((number, version))
    }

    fn slim_row_bytes(&self) -> usize {
        let record = self.record(0, 1);
        let mut row = serde_json::to_value(StoredRecord::from(&record).slim()).unwrap_or_default();
        row["scope"] = "/scale/".into();
        row["entry"] = keys::path_entry(&record).into();
        bytes(&attribute(&row)["M"].to_string())
    }

    fn metadata(&self, number: usize) -> Value {
        self.metadata_of(number, self.versions)
    }

    fn metadata_of(&self, number: usize, version: usize) -> Value {
        json!({
            "Name": name(number),
            "Type": "String",
            "Tier": "Standard",
            "DataType": "text",
            "Version": version,
            "LastModifiedDate": seconds(self.at(number, version)),
            "LastModifiedUser": "arn:aws:iam::123456789012:user/somebody",
            "Policies": [],
        })
    }

    /// A version with its value.
    fn version(&self, number: usize, version: usize) -> Value {
        let mut row = self.metadata_of(number, version);
        row["Value"] = value(number, version).into();
        row
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
        "GetParametersByPath" => values_by_path(&shared, &asked),
        "GetParameterHistory" => history(&shared, &asked),
        "GetParameters" => values(&shared, &asked),
        "ListTagsForResource" => json!({"TagList": []}),
        "GetItem" => item(&shared, &asked["Key"]),
        "TransactGetItems" => items_together(&shared, &asked),
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
    let rows = numbers.map(|number| shared.version(number, shared.versions));
    json!({"Parameters": rows.collect::<Vec<_>>(), "InvalidParameters": []})
}

/// Ten a page, in order.
fn values_by_path(shared: &Shared, asked: &Value) -> Value {
    let path = asked["Path"].as_str().unwrap_or_default();
    let listed = shared.under(&format!("{}/", path.trim_end_matches('/')));
    let token = asked["NextToken"].as_str();
    let first = token.and_then(|token| token.parse().ok());
    let first = first.unwrap_or(listed.start);
    let end = (first + VALUES_A_PAGE).min(listed.end);
    let rows: Vec<Value> = (first..end)
        .map(|number| shared.version(number, shared.versions))
        .collect();
    let mut told = json!({ "Parameters": rows });
    if end < listed.end {
        told["NextToken"] = end.to_string().into();
    }
    told
}

/// Every version: canned names have a hundred at most.
fn history(shared: &Shared, asked: &Value) -> Value {
    let Some(number) = asked["Name"].as_str().and_then(|name| shared.number(name)) else {
        return json!({ "Parameters": [] });
    };
    let token = asked["NextToken"].as_str();
    let before: usize = token.and_then(|token| token.parse().ok()).unwrap_or(0);
    let page = asked["MaxResults"].as_u64().unwrap_or(50);
    let last = (before + usize::try_from(page).unwrap_or(50)).min(shared.versions);
    let rows: Vec<Value> = (before + 1..=last)
        .map(|version| shared.version(number, version))
        .collect();
    let mut told = json!({ "Parameters": rows });
    if last < shared.versions {
        told["NextToken"] = last.to_string().into();
    }
    told
}

fn items_together(shared: &Shared, asked: &Value) -> Value {
    let gets = asked["TransactItems"].as_array();
    let rows = gets.into_iter().flatten();
    let rows = rows.map(|get| item(shared, &get["Get"]["Key"]));
    json!({ "Responses": rows.collect::<Vec<_>>() })
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
        (Some(name), Some(entry)) => match shared.at_entry(name, entry) {
            Some((number, version)) => json!({"Item": shared.own_row(number, version)}),
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
        path if path.ends_with('/') => changes(shared, path, text(":z"), asked),
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

/// The rows of a path up to a key, newest first, as many as an answer holds.
fn changes(shared: &Shared, path: &str, to: &str, asked: &Value) -> Value {
    let under = shared.under(path);
    let started = asked["ExclusiveStartKey"]["entry"]["S"].as_str();
    let below = started.map_or_else(|| to.to_owned(), str::to_owned);
    let entry = |number, version| keys::path_entry(&shared.record(number, version));
    // Every name is written once a day, in their order.
    let all = (1..=shared.versions).rev();
    let all = all.flat_map(|version| under.clone().rev().map(move |number| (number, version)));
    let (mut items, mut size, mut last): (Vec<Value>, usize, Option<String>) = (vec![], 0, None);
    for (number, version) in all {
        if shared.at(number, version).to_string().as_str() > below.as_str() {
            continue;
        }
        let entry = entry(number, version);
        if entry >= below {
            continue;
        }
        if size >= PAGE_BYTES {
            let key = json!({"scope": {"S": path}, "entry": {"S": last}});
            return page(&items, Some(key));
        }
        size += shared.slim_bytes;
        items.push(json!({"entry": {"S": entry}}));
        last = Some(entry);
    }
    page(&items, None)
}

/// The rows of a name between two keys, as many as are asked for.
fn versions(shared: &Shared, number: usize, (from, to): (&str, &str), asked: &Value) -> Value {
    let entry = |version: &usize| keys::own_entry(&shared.record(number, *version));
    let within = |version: &usize| (from..=to).contains(&entry(version).as_str());
    let limit = asked["Limit"].as_u64().unwrap_or(u64::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let newest_first = asked["ScanIndexForward"] == Value::Bool(false);
    let mut found: Vec<usize> = (1..=shared.versions).filter(within).collect();
    if newest_first {
        found.reverse();
    }
    let last = found.get(limit).map(|_| found[limit - 1]);
    found.truncate(limit);
    let last =
        last.map(|version| json!({"scope": {"S": name(number)}, "entry": {"S": entry(&version)}}));
    let row = |version: &usize| shared.own_row(number, *version);
    page(&found.iter().map(row).collect::<Vec<_>>(), last)
}
