//! A journal of any length and a table that swallows everything: what a
//! command needs of memory must not depend on how long the history is, and no
//! emulator can hold one long enough to tell.

mod aws;
mod history;
mod stores;

pub use aws::{CannedAws, Used};
pub use history::{Asked, CannedHistory};
pub use stores::CannedStores;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, header};
use ssmbak_core::domain::record::{Attributes, Change, Source, Written};
use ssmbak_core::domain::stored::to_journal;
use ssmbak_core::domain::{Instant, Name, Pointer, Record, ValueState, keys};

use crate::serve::{Answer, HangUp, Server};

/// S3's own.
const PAGE: usize = 1_000;
/// Records lie this far apart.
const STEP_MS: i64 = 17_000;
/// Records of one name come back after so many of others.
const NAMES: usize = 5_000;

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub struct Canned {
    shared: Arc<Shared>,
    server: Server,
}

#[derive(Debug)]
struct Shared {
    /// Keys in order, with the number of the record.
    objects: BTreeMap<String, usize>,
    batches: AtomicUsize,
}

impl Canned {
    /// Starts one with so many records in its journal.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub fn start(records: usize) -> io::Result<Self> {
        let objects = (0..records).map(|n| (keys::journal_key(&record(n)), n));
        let shared = Arc::new(Shared {
            objects: objects.collect(),
            batches: AtomicUsize::new(0),
        });
        let handled = Arc::clone(&shared);
        let server = Server::start("canned", move |request, _| {
            handle(Arc::clone(&handled), request)
        })?;
        Ok(Self { shared, server })
    }

    /// Its URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// How many batches of rows were written to its table.
    pub fn batches(&self) -> usize {
        self.shared.batches.load(Ordering::Relaxed)
    }
}

/// The n-th record: as long as those of real parameters are.
fn record(n: usize) -> Record {
    let name = format!("/canned/service-{:02}/component/{}", n % 50, n % NAMES);
    let ordinal = i64::try_from(n).unwrap_or(0);
    let at = Instant::from_millis(1_600_000_000_000 + ordinal * STEP_MS);
    let version = u64::try_from(n / NAMES).unwrap_or(0) + 1;
    Record {
        name: Name::parse(&name).expect("it is a name"),
        at,
        change: Change::Written(Written {
            version: Some(version),
            creates: version == 1,
            discriminator: String::new(),
            attributes: Attributes {
                parameter_type: "SecureString".into(),
                description: Some("x".repeat(200)),
                tier: Some("Standard".into()),
                key_id: Some("alias/aws/ssm".into()),
                data_type: Some("text".into()),
                tags: Some(
                    (0..5)
                        .map(|t| (format!("tag-{t}"), "a value".into()))
                        .collect(),
                ),
                ..Attributes::default()
            },
            modified_by: Some("arn:aws:iam::123456789012:user/someone".into()),
            value: ValueState::Stored(Pointer {
                bucket: "canned".into(),
                key: name,
                version_id: "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY".into(),
            }),
        }),
        source: Source::Event,
        event: None,
        recorded_at: at,
    }
}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    body.collect().await.map_err(|_| HangUp)?;
    if let Some(target) = head.headers.get("x-amz-target") {
        let target = target.to_str().unwrap_or_default();
        return answer("application/x-amz-json-1.0", table(&shared, target).into());
    }
    let query = head.uri.query().unwrap_or_default();
    if head.method == Method::HEAD {
        return answer("application/xml", Bytes::new());
    }
    if query.contains("list-type=2") {
        return answer("application/xml", listing(&shared, query).into());
    }
    let key = head.uri.path().splitn(3, '/').nth(2).unwrap_or_default();
    let number = shared.objects.get(key).copied().ok_or(HangUp)?;
    let body = to_journal(&record(number)).map_err(|_| HangUp)?;
    answer("application/json", body.into())
}

fn answer(kind: &str, body: Bytes) -> Answer {
    let response = Response::builder().header(header::CONTENT_TYPE, kind);
    response.body(Full::new(body)).map_err(|_| HangUp)
}

/// Nothing is there, and everything that is written is taken.
fn table(shared: &Shared, target: &str) -> &'static str {
    match target.rsplit_once('.').map(|(_, operation)| operation) {
        Some("BatchWriteItem") => {
            shared.batches.fetch_add(1, Ordering::Relaxed);
            r#"{"UnprocessedItems":{}}"#
        }
        Some("Query") => r#"{"Count":0,"Items":[],"ScannedCount":0}"#,
        _ => "{}",
    }
}

fn listing(shared: &Shared, query: &str) -> String {
    let decoded = |text: &str| text.replace("%2F", "/").replace("%2f", "/");
    let field = |name: &str| {
        let mut fields = query.split('&').filter_map(|f| f.split_once('='));
        fields
            .find(|(own, _)| *own == name)
            .map(|(_, v)| decoded(v))
    };
    let prefix = field("prefix").unwrap_or_default();
    let from = field("continuation-token").unwrap_or_else(|| prefix.clone());
    let under = shared.objects.range(from..);
    let mut under = under.take_while(|(key, _)| key.starts_with(&prefix));
    let (mut rows, mut next) = (String::new(), None);
    if field("delimiter").is_some() {
        let inner = under.filter_map(|(key, _)| {
            let (level, _) = key[prefix.len()..].split_once('/')?;
            Some(format!("{prefix}{level}/"))
        });
        let mut inner: Vec<String> = inner.collect();
        inner.dedup();
        for level in inner {
            let _ = write!(
                rows,
                "<CommonPrefixes><Prefix>{level}</Prefix></CommonPrefixes>"
            );
        }
    } else {
        for (key, _) in under.by_ref().take(PAGE) {
            let _ = write!(
                rows,
                "<Contents><Key>{key}</Key><Size>900</Size></Contents>"
            );
        }
        next = under.next().map(|(key, _)| key.clone());
    }
    let token = next.map_or(String::new(), |key| {
        format!(
            "<NextContinuationToken>{key}</NextContinuationToken><IsTruncated>true</IsTruncated>"
        )
    });
    format!("<ListBucketResult>{rows}{token}</ListBucketResult>")
}
