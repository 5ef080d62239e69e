//! A table with a history of any length, its rows made as they are asked for.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Incoming;
use serde_json::{Map, Value, json};
use ssmbak_core::domain::event::EventRef;
use ssmbak_core::domain::record::{Attributes, Change, Source, Written};
use ssmbak_core::domain::stored::StoredRecord;
use ssmbak_core::domain::{Deleter, Instant, Name, Pointer, Record, ValueState, keys};

use super::answer;
use crate::serve::{Answer, HangUp, Server};

/// The oldest row.
const BEGAN_MS: i64 = 1_600_000_000_000;
/// Rows lie this far apart.
const STEP_MS: i64 = 17_000;
/// Rows of one name come back after so many of others.
const NAMES: usize = 5_000;
/// The interval of an observed deletion.
const DAY_MS: i64 = 86_400_000;
/// What an answer of `DynamoDB` holds.
pub(super) const PAGE_BYTES: usize = 1 << 20;
/// How long a query of a name takes.
const ANSWERS_AFTER: Duration = Duration::from_millis(50);

/// What stands in a pattern for what differs from row to row.
const AT: &str = "2001-01-01T00:00:00.123Z";
const SECOND: &str = "2001-01-01T00:00:00.000Z";
const NOT_BEFORE: &str = "2000-01-01T00:00:00.000Z";
const NAME: &str = "/pattern/of/a/name";
const VERSION: u64 = 4_242_424_242;

/// The table, with so many rows under `/`; it ends when it is dropped.
#[derive(Debug)]
pub struct CannedHistory {
    shared: Arc<Shared>,
    server: Server,
}

/// What was asked of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// How often each operation was called.
    pub calls: BTreeMap<String, usize>,
    /// The rows that each query of `/` was limited to; none where it was not.
    pub limits: Vec<Option<u64>>,
    /// How many queries of names were under way at the same time, at most.
    pub at_once: usize,
}

#[derive(Debug)]
struct Shared {
    rows: usize,
    patterns: BTreeMap<Kind, String>,
    asked: Mutex<Asked>,
    under_way: AtomicUsize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Updated,
    Deleted,
    DeletedBy,
    Observed,
    Labelled,
}

impl CannedHistory {
    /// Starts one with so many rows. Of forty, one is a deletion and one tells who asked for it;
    /// of five thousand, twenty in a row are deletions that were observed a day after the name was
    /// last seen.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub fn start(rows: usize) -> io::Result<Self> {
        let kinds = [
            Kind::Updated,
            Kind::Deleted,
            Kind::DeletedBy,
            Kind::Observed,
            Kind::Labelled,
        ];
        let shared = Arc::new(Shared {
            rows,
            patterns: kinds.map(|kind| (kind, pattern(kind))).into(),
            asked: Mutex::default(),
            under_way: AtomicUsize::new(0),
        });
        let handled = Arc::clone(&shared);
        let server = Server::start("canned history", move |request, _| {
            handle(Arc::clone(&handled), request)
        })?;
        Ok(Self { shared, server })
    }

    /// Its URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// What was asked of it since the last time.
    pub fn take_asked(&self) -> Asked {
        let mut asked = self.shared.asked.lock();
        std::mem::take(asked.as_mut().unwrap_or_else(PoisonError::get_mut))
    }

    /// How many entries a history has to have: who asked for a deletion stands with it.
    pub fn entries(&self) -> usize {
        (0..self.shared.rows)
            .filter(|n| kind(*n) != Kind::DeletedBy)
            .count()
    }
}

fn kind(n: usize) -> Kind {
    match (n % NAMES, n % 40) {
        (2_500..2_520, _) => Kind::Observed,
        (_, 7) => Kind::Deleted,
        (_, 8) => Kind::DeletedBy,
        (_, 30) => Kind::Labelled,
        _ => Kind::Updated,
    }
}

/// When the n-th row happened; rises with n.
fn at(n: usize) -> Instant {
    let (of, later) = match kind(n) {
        // Two seconds after the deletion before it.
        Kind::DeletedBy => (n - 1, 2_000),
        Kind::Updated | Kind::Deleted | Kind::Observed | Kind::Labelled => (n, 0),
    };
    let ordinal = i64::try_from(of).unwrap_or(0);
    Instant::from_millis(BEGAN_MS + ordinal * STEP_MS + later)
}

fn name(n: usize) -> String {
    let of = if kind(n) == Kind::DeletedBy { n - 1 } else { n };
    format!("/canned/service-{:02}/component/{}", of % 50, of % NAMES)
}

/// A row of the kind, as `DynamoDB` sends it.
fn pattern(kind: Kind) -> String {
    let instant = |text: &str| text.parse::<Instant>().expect("it is an instant");
    let written = Written {
        version: Some(VERSION),
        creates: false,
        discriminator: String::new(),
        attributes: Attributes {
            parameter_type: "SecureString".into(),
            ..Attributes::default()
        },
        modified_by: Some("arn:aws:sts::123456789012:assumed-role/deploy/somebody".into()),
        value: ValueState::Stored(Pointer {
            bucket: "ssmbak-bucket-1a2b3c4d5e6f".into(),
            key: NAME.into(),
            version_id: "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY".into(),
        }),
    };
    let deleted = |not_before| Change::Deleted {
        not_before,
        parameter_type: Some("SecureString".into()),
    };
    let change = match kind {
        Kind::Updated => Change::Written(written),
        Kind::Deleted => deleted(None),
        Kind::DeletedBy => Change::DeletedBy(Deleter {
            by: Some("arn:aws:sts::123456789012:assumed-role/deploy/somebody".into()),
            from: Some("203.0.113.7".into()),
        }),
        Kind::Observed => deleted(Some(instant(NOT_BEFORE))),
        Kind::Labelled => Change::Labelled {
            label: "prod".into(),
            from: Some(1),
            to: 2,
        },
    };
    let record = Record {
        name: Name::parse(NAME).expect("it is a name"),
        at: instant(AT),
        change,
        source: Source::Event,
        event: Some(EventRef {
            id: "0e3c8a4e-7b6d-4c55-9f0a-3a1d2b9c8e77".into(),
            time: instant(SECOND),
        }),
        recorded_at: instant(AT),
    };
    let slim = serde_json::to_value(StoredRecord::from(&record).slim());
    let mut row = slim.expect("it is JSON");
    row["scope"] = "/".into();
    row["entry"] = keys::path_entry(&record).into();
    attribute(&row)["M"].to_string()
}

pub(super) fn attribute(json: &Value) -> Value {
    match json {
        Value::Null => json!({"NULL": true}),
        Value::Bool(truth) => json!({"BOOL": truth}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::String(text) => json!({"S": text}),
        Value::Array(list) => json!({"L": list.iter().map(attribute).collect::<Vec<_>>()}),
        Value::Object(map) => {
            let fields = map.iter().map(|(k, v)| (k.clone(), attribute(v)));
            json!({"M": fields.collect::<Map<_, _>>()})
        }
    }
}

fn row(shared: &Shared, n: usize) -> String {
    let version = n / NAMES + 1;
    shared.patterns[&kind(n)]
        .replace(NAME, &name(n))
        .replace(AT, &at(n).to_string())
        .replace(SECOND, &at(n).second_start().to_string())
        .replace(NOT_BEFORE, &at(n).plus_millis(-DAY_MS).to_string())
        .replace(
            &format!("\"N\":\"{VERSION}\""),
            &format!("\"N\":\"{version}\""),
        )
        .replace(&VERSION.to_string(), &format!("{version:010}"))
}

/// What `DynamoDB` counts of a row: names and values, not the signs around them.
pub(super) fn bytes(row: &str) -> usize {
    row.len() - row.matches('"').count() * 2 - row.matches('{').count()
}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| HangUp)?.to_bytes();
    let target = head.headers.get("x-amz-target");
    let target = target.and_then(|t| t.to_str().ok());
    // S3 has no such header.
    let operation = target.and_then(|t| t.rsplit_once('.'));
    let operation = operation.map_or(head.method.as_str(), |(_, operation)| operation);
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    note(&shared, operation, &asked);
    let text = match operation {
        "GetItem" if asked["Key"]["entry"]["S"] == "format" => {
            let item =
                json!({"scope": {"S": "@meta"}, "entry": {"S": "format"}, "format": {"N": "2"}});
            json!({ "Item": item }).to_string()
        }
        "Query" if is_of_root(&asked) => page(&shared, &asked),
        "Query" => nothing(&shared).await,
        _ => return Err(HangUp),
    };
    answer("application/x-amz-json-1.0", text.into())
}

fn note(shared: &Shared, operation: &str, asked: &Value) {
    let mut noted = shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
    *noted.calls.entry(operation.to_owned()).or_default() += 1;
    if operation == "Query" && is_of_root(asked) {
        noted.limits.push(asked["Limit"].as_u64());
    }
}

/// Of a name nothing is there. It takes as long as a real one does, so that who
/// asks for several at once is seen to.
async fn nothing(shared: &Shared) -> String {
    let under_way = shared.under_way.fetch_add(1, Ordering::Relaxed) + 1;
    {
        let mut noted = shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        noted.at_once = noted.at_once.max(under_way);
    }
    tokio::time::sleep(ANSWERS_AFTER).await;
    shared.under_way.fetch_sub(1, Ordering::Relaxed);
    r#"{"Count":0,"Items":[],"ScannedCount":0}"#.to_owned()
}

fn is_of_root(asked: &Value) -> bool {
    asked["ExpressionAttributeValues"][":s"]["S"] == "/"
}

/// Newest first, as much as an answer holds or was asked for.
fn page(shared: &Shared, asked: &Value) -> String {
    let values = &asked["ExpressionAttributeValues"];
    let text = |value: &Value| value["S"].as_str().unwrap_or_default().to_owned();
    // How many rows lie below a key.
    let below = |key: &str| {
        let time = key.split_once('#').map_or(key, |(time, _)| time);
        let mut rows = 0..shared.rows;
        while rows.start < rows.end {
            let middle = rows.start.midpoint(rows.end);
            if at(middle).to_string().as_str() < time {
                rows.start = middle + 1;
            } else {
                rows.end = middle;
            }
        }
        rows.start
    };
    let first = below(&text(&values[":a"]));
    let start = &asked["ExclusiveStartKey"]["entry"];
    let end = if start.is_null() {
        below(&text(&values[":z"]))
    } else {
        below(&text(start))
    };
    let limit = asked["Limit"].as_u64();
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let (mut items, mut size, mut count, mut next) = (String::new(), 0, 0, end);
    while next > first && size < PAGE_BYTES && limit.is_none_or(|limit| count < limit) {
        next -= 1;
        let row = row(shared, next);
        size += bytes(&row);
        count += 1;
        if count > 1 {
            items.push(',');
        }
        items.push_str(&row);
    }
    let last = if next > first || limit == Some(count) {
        let entry = format!("{}#", at(next));
        let key = json!({"scope": {"S": "/"}, "entry": {"S": entry}});
        format!(",\"LastEvaluatedKey\":{key}")
    } else {
        String::new()
    };
    format!("{{\"Count\":{count},\"ScannedCount\":{count},\"Items\":[{items}]{last}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_slim_copy_of_a_record() {
        let canned = CannedHistory::start(20_000).unwrap();
        for n in [1, 7, 8, 30, 2_500, 12_345] {
            let row: Value = serde_json::from_str(&row(&canned.shared, n)).unwrap();
            let plain = |field: &str| row[field]["S"].as_str().unwrap().to_owned();
            let record = Record {
                name: Name::parse(&plain("name")).unwrap(),
                at: plain("time").parse().unwrap(),
                ..record_of(&row)
            };
            assert_eq!(plain("entry"), keys::path_entry(&record), "{n}");
            assert_eq!(record.at, at(n));
        }
        assert!((0..19_999).all(|n| at(n) < at(n + 1)));
    }

    /// Reads a row as the index does.
    fn record_of(row: &Value) -> Record {
        let fields = row.as_object().unwrap().iter();
        let fields = fields.map(|(field, value)| (field.clone(), plain(value)));
        let stored: Value = Value::Object(fields.collect());
        let stored: StoredRecord = serde_json::from_value(stored).unwrap();
        stored.try_into().unwrap()
    }

    fn plain(value: &Value) -> Value {
        let (kind, held) = value.as_object().unwrap().iter().next().unwrap();
        match kind.as_str() {
            "N" => held.as_str().unwrap().parse::<u64>().unwrap().into(),
            "M" => {
                let fields = held.as_object().unwrap().iter();
                fields.map(|(k, v)| (k.clone(), plain(v))).collect()
            }
            _ => held.clone(),
        }
    }
}
