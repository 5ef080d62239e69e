//! A bucket, a table and Parameter Store of one's own, looked at directly; and ways to them through a
//! proxy, for the real function and the real command line.

use std::fmt;
use std::io;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_ssm::types::{ParameterType, ResourceTypeForTagging, Tag};
use serde_json::{Value as Json, json};
use ssmbak_core::domain::{Instant, Name, Record};
use ssmbak_core::store::{Location, Stores};
use tokio::process::Command;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::binaries;
use crate::emulator::{REGION, sdk_config};
use crate::events::{batch_of_events, failed_messages, parameter_event};
use crate::proxy::Proxy;
use crate::runtime_api::{Function, Outcome};
use crate::stores::{self, row_as_json};

/// Where parameters are changed, and what is on record of them.
#[derive(Debug)]
pub struct Place {
    pub(super) endpoint: String,
    account: String,
    pub(super) location: Location,
    pub(super) stores: Stores,
    pub(super) ssm: aws_sdk_ssm::Client,
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    /// Held while something is made ready that is the same for all.
    pub(super) readying: Mutex<()>,
}

/// A function and a command line whose calls go through a proxy.
#[derive(Debug)]
pub struct Way<'place> {
    /// Where it leads.
    pub place: &'place Place,
    /// What the calls go through.
    pub proxy: Proxy,
    pub(super) function: Function,
    delivered: AtomicUsize,
}

/// What the command line answered.
#[derive(Debug)]
pub(super) struct Said {
    /// None where it was killed.
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}\n{}\n{}", self.code, self.stdout, self.stderr)
    }
}

impl Said {
    /// Its rows; none where it told nothing.
    pub(super) fn rows(&self) -> io::Result<Vec<Json>> {
        if self.stdout.trim().is_empty() {
            return Ok(Vec::new());
        }
        serde_json::from_str(&self.stdout).map_err(io::Error::other)
    }
}

fn now() -> Instant {
    chrono::Utc::now().into()
}

/// A check that failed.
pub(super) fn wrong<T>(text: impl Into<String>) -> io::Result<T> {
    Err(io::Error::other(text.into()))
}

pub(super) fn name(text: &str) -> io::Result<Name> {
    Name::parse(text).map_err(io::Error::other)
}

/// An instant between what was done and what will be done.
pub(super) async fn mark() -> Instant {
    tokio::time::sleep(Duration::from_millis(2)).await;
    let mark = now();
    tokio::time::sleep(Duration::from_millis(2)).await;
    mark
}

/// Waits until the second in which something was deleted is over.
pub(super) async fn next_second() {
    let left_ms = 1_000 - now().millis().rem_euclid(1_000);
    tokio::time::sleep(Duration::from_millis(left_ms.unsigned_abs() + 5)).await;
}

impl Place {
    /// With a new bucket and table in `account`, on the emulator at `endpoint`.
    pub async fn make(endpoint: &str, account: &str) -> io::Result<Self> {
        let config = sdk_config(endpoint, account).await;
        let own = format!("ssmbak-test-{}", Uuid::new_v4().simple());
        let location = Location {
            bucket: own.clone(),
            table: own,
        };
        let place = Self {
            endpoint: endpoint.to_owned(),
            account: account.to_owned(),
            stores: Stores::new(&config, location.clone(), now),
            ssm: aws_sdk_ssm::Client::new(&config),
            s3: stores::s3(&config),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            location,
            readying: Mutex::new(()),
        };
        place.make_bucket(&place.location.bucket).await?;
        stores::make_table(&place.dynamodb, &place.location.table).await?;
        Ok(place)
    }

    /// A versioned bucket.
    pub(super) async fn make_bucket(&self, bucket: &str) -> io::Result<()> {
        stores::make_bucket(&self.s3, bucket).await
    }

    /// A function and a command line of one's own, through a proxy of one's own.
    pub fn way(&self) -> io::Result<Way<'_>> {
        let proxy = Proxy::start(&self.endpoint)?;
        let function = Function::new(&binaries::bootstrap(), &proxy.endpoint())?
            .env("AWS_ACCESS_KEY_ID", &self.account)
            .env("SSMBAK_BUCKET", &self.location.bucket)
            .env("SSMBAK_TABLE", &self.location.table)
            .env("SSMBAK_STACK", "test");
        Ok(Way {
            place: self,
            proxy,
            function,
            delivered: AtomicUsize::new(0),
        })
    }

    /// Writes a String over what is there; returns its version and when it was written.
    pub(super) async fn put(&self, of: &str, value: &str) -> io::Result<(i64, Instant)> {
        let put = self.ssm.put_parameter().name(of).value(value);
        let put = put.r#type(ParameterType::String).overwrite(true);
        let version = put.send().await.map_err(io::Error::other)?.version();
        let get = self.ssm.get_parameter().name(of).send().await;
        let live = get.map_err(io::Error::other)?.parameter;
        let at = live.and_then(|live| live.last_modified_date);
        let at = at.map(|at| Instant::from_float_parts(at.secs(), at.subsec_nanos()));
        at.map_or_else(
            || wrong(format!("{of} does not say when")),
            |at| Ok((version, at)),
        )
    }

    pub(super) async fn delete(&self, of: &str) -> io::Result<Instant> {
        let deleted = self.ssm.delete_parameter().name(of).send().await;
        deleted.map_err(io::Error::other)?;
        Ok(now())
    }

    /// Moves a label to a version.
    pub(super) async fn label(&self, of: &str, version: i64, label: &str) -> io::Result<Instant> {
        let call = self.ssm.label_parameter_version().name(of);
        let call = call.parameter_version(version).labels(label);
        call.send().await.map_err(io::Error::other)?;
        Ok(now())
    }

    /// Gives a tag.
    pub(super) async fn tag(&self, of: &str, key: &str, value: &str) -> io::Result<Instant> {
        let tag = Tag::builder().key(key).value(value).build();
        let call = self.ssm.add_tags_to_resource().resource_id(of);
        let call = call.resource_type(ResourceTypeForTagging::Parameter);
        let call = call.tags(tag.map_err(io::Error::other)?);
        call.send().await.map_err(io::Error::other)?;
        Ok(now())
    }

    /// The live value and version; none where the name does not live.
    pub(super) async fn live(&self, of: &str) -> io::Result<Option<(String, i64)>> {
        let get = self.ssm.get_parameter().name(of).with_decryption(true);
        match get.send().await {
            Ok(answer) => Ok(answer
                .parameter
                .map(|p| (p.value.unwrap_or_default(), p.version))),
            Err(error) => {
                let error = error.into_service_error();
                if error.is_parameter_not_found() {
                    return Ok(None);
                }
                Err(io::Error::other(error))
            }
        }
    }

    /// The live tags.
    pub(super) async fn tags(&self, of: &str) -> io::Result<Vec<(String, String)>> {
        let list = self.ssm.list_tags_for_resource().resource_id(of);
        let list = list.resource_type(ResourceTypeForTagging::Parameter);
        let answer = list.send().await.map_err(io::Error::other)?;
        let tags = answer.tag_list.unwrap_or_default();
        let mut tags: Vec<_> = tags.into_iter().map(|t| (t.key, t.value)).collect();
        tags.sort();
        Ok(tags)
    }

    /// What decides the state of a name, oldest first, each with its value.
    pub(super) async fn told(&self, of: &str) -> io::Result<Vec<String>> {
        let (first, last) = (Instant::EARLIEST, Instant::LATEST);
        let records = self.stores.index.between(&name(of)?, first, last).await;
        let mut told = Vec::new();
        for record in records.map_err(io::Error::other)? {
            let pointer = record.present().and_then(|w| w.value.pointer());
            let value = match pointer {
                None => "-".to_owned(),
                Some(pointer) => {
                    let value = self.stores.bucket.value(pointer).await;
                    value.map_err(io::Error::other)?.expose().to_owned()
                }
            };
            let version = record.present().and_then(|w| w.version);
            told.push(format!(
                "{} {version:?} {value}",
                Record::operation(&record)
            ));
        }
        Ok(told)
    }

    /// Every row of a table, in order.
    pub(super) async fn rows_of(&self, table: &str) -> io::Result<Vec<Json>> {
        let mut rows: Vec<Json> = Vec::new();
        let mut start = None;
        loop {
            let scan = self.dynamodb.scan().table_name(table);
            let page = scan.set_exclusive_start_key(start).send().await;
            let page = page.map_err(io::Error::other)?;
            for row in page.items() {
                rows.push(row_as_json(row)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        rows.sort_by_key(ToString::to_string);
        Ok(rows)
    }
}

impl Way<'_> {
    /// How often the function was handed an event.
    pub(super) fn delivered(&self) -> usize {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Invokes the function with one event; whether it was captured.
    pub(super) async fn deliver(&self, event: &Json) -> io::Result<bool> {
        self.delivered.fetch_add(1, Ordering::Relaxed);
        let invoked = self.function.invoke(&batch_of_events([event])).await?;
        Ok(match invoked.outcome {
            Outcome::Response(answer) => failed_messages(&answer).is_empty(),
            Outcome::Error(_) | Outcome::Died(_) | Outcome::TimedOut => false,
        })
    }

    /// Delivers an event until it is captured.
    pub(super) async fn deliver_at_last(&self, event: &Json) -> io::Result<()> {
        for _ in 0..4 {
            if self.deliver(event).await? {
                return Ok(());
            }
        }
        let logs = self.function.logs();
        let last = logs.iter().rev().take(5).cloned().collect::<Vec<_>>();
        wrong(format!("never captured: {event}\n{}", last.join("\n")))
    }

    /// Writes a String and tells the function.
    pub(super) async fn write(&self, of: &str, value: &str) -> io::Result<Instant> {
        let (version, at) = self.place.put(of, value).await?;
        let operation = if version == 1 { "Create" } else { "Update" };
        let event = parameter_event(of, operation, at.millis());
        self.deliver_at_last(&event).await?;
        Ok(at)
    }

    /// Deletes and tells the function.
    pub(super) async fn erase(&self, of: &str) -> io::Result<()> {
        let at = self.place.delete(of).await?;
        let event = parameter_event(of, "Delete", at.millis());
        self.deliver_at_last(&event).await
    }

    /// Invokes the function's reconciliation of a path; whether it finished.
    pub(super) async fn reconcile(&self, path: &str) -> io::Result<bool> {
        let task = json!({"task": "reconcile", "path": path});
        let invoked = self.function.invoke(&task).await?;
        Ok(matches!(invoked.outcome, Outcome::Response(_)))
    }

    /// Runs the command line to its end.
    pub(super) async fn ssmbak(&self, arguments: &[&str]) -> io::Result<Said> {
        self.ssmbak_with(&[], arguments).await
    }

    /// As [`Self::ssmbak`], with more environment.
    pub(super) async fn ssmbak_with(
        &self,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> io::Result<Said> {
        let mut command = Command::new(binaries::ssmbak());
        command
            .args(arguments)
            .env_clear()
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", self.proxy.endpoint())
            .env("AWS_ACCESS_KEY_ID", &self.place.account)
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", REGION)
            .env("SSMBAK_BUCKET", &self.place.location.bucket)
            .env("SSMBAK_TABLE", &self.place.location.table)
            .env("SSMBAK_TEST_RECREATION_WAIT_MS", "0")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command.output().await?;
        let text = |bytes| String::from_utf8(bytes).map_err(io::Error::other);
        Ok(Said {
            code: output.status.code(),
            stdout: text(output.stdout)?,
            stderr: text(output.stderr)?,
        })
    }

    /// As [`Self::ssmbak`], of a command that must end well.
    pub(super) async fn done(&self, arguments: &[&str]) -> io::Result<Said> {
        let said = self.ssmbak(arguments).await?;
        if said.code == Some(0) {
            return Ok(said);
        }
        wrong(format!("{arguments:?} did not end well: {said}"))
    }

    /// That everything on record under a path agrees with itself and with what lives, values included.
    pub(super) async fn verify(&self, path: &str) -> io::Result<()> {
        match self.disagreements(path).await?.as_slice() {
            [] => Ok(()),
            found => wrong(format!("it does not agree: {found:#?}")),
        }
    }

    /// What does not agree, as of later, when nothing can be on its way any more.
    pub(super) async fn disagreements(&self, path: &str) -> io::Result<Vec<Json>> {
        let later = now().plus_millis(600_000).to_string();
        let verify = ["verify", path, "--values", "--output", "json"];
        let later = [("SSMBAK_TEST_NOW", later.as_str())];
        let said = self.ssmbak_with(&later, &verify).await?;
        match said.code {
            Some(0) => Ok(Vec::new()),
            Some(5) => said.rows(),
            _ => wrong(format!("it could not be verified: {said}")),
        }
    }
}
