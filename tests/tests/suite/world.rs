//! A world for one test: an account of its own on an emulator, with a bucket,
//! a table, Parameter Store, the stores of the core, the real function behind
//! a stand-in for Lambda, and the real command line.

pub(crate) mod aws;
pub(crate) mod make;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ssm::types::ParameterType;
use serde_json::Value as Json;
use ssmbak_core::domain::{Instant, Name, Path, Target};
use ssmbak_core::store::{Location, Stores};
use ssmbak_tests::binaries;
use ssmbak_tests::emulator::{Change, Control, Ministack, Moto, REGION, sdk_config};
use ssmbak_tests::events::{batch_of_events, failed_messages, parameter_event};
use ssmbak_tests::proxy::Proxy;
use ssmbak_tests::runtime_api::Function;
use ssmbak_tests::simulated::SimulatedAws;
use ssmbak_tests::stores::{self, row_as_json};
use tokio::process::Command;

/// What a world stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Ministack,
    Moto,
    /// AWS in memory: it has no endpoint that a process could call, so the
    /// function and the command line of such a world lead nowhere.
    Simulated,
}

pub(crate) struct World {
    pub(crate) endpoint: String,
    pub(crate) account: String,
    pub(crate) config: SdkConfig,
    pub(crate) ssm: aws_sdk_ssm::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) location: Location,
    pub(crate) stores: Stores,
    pub(crate) function: Function,
}

/// What the command line answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    /// Its standard output as JSON.
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }

    /// Itself, if it ended with `code`.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }
}

pub(crate) fn now() -> Instant {
    chrono::Utc::now().into()
}

/// An instant between what was done and what will be done.
pub(crate) async fn mark() -> Instant {
    tokio::time::sleep(Duration::from_millis(2)).await;
    let mark = now();
    tokio::time::sleep(Duration::from_millis(2)).await;
    mark
}

/// Waits until the second in which something was deleted is over; in a real account until
/// it can be created again.
pub(crate) async fn next_second() {
    if aws::wanted() {
        return aws::wait_for_recreation().await;
    }
    let left_ms = 1_000 - now().millis().rem_euclid(1_000);
    tokio::time::sleep(Duration::from_millis(left_ms.unsigned_abs() + 5)).await;
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn under(path: &str) -> Target {
    Target::Path {
        path: Path::parse(path).unwrap(),
        recursive: true,
    }
}

impl World {
    /// On the emulator that the tests share; with `SSMBAK_TEST_AWS=1` in a real account.
    pub(crate) async fn on(lane: Lane) -> Self {
        if aws::wanted() && lane != Lane::Simulated {
            return Self::made(aws::config().await, "", &aws::level()).await;
        }
        Self::on_emulator(lane).await
    }

    /// On the emulator that the tests share, whatever the others stand on: it needs `why`.
    pub(crate) async fn emulated(lane: Lane, why: &str) -> Self {
        aws::note_emulated(why);
        Self::on_emulator(lane).await
    }

    async fn on_emulator(lane: Lane) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let account = format!("7{number:011}");
        let endpoint = match lane {
            Lane::Ministack => Ministack::shared().endpoint(),
            Lane::Moto => Moto::shared().endpoint(),
            Lane::Simulated => {
                let config = SimulatedAws::new(now, number).sdk_config(0);
                return Self::made(config, "http://simulated.invalid", &account).await;
            }
        };
        Self::at(&endpoint, &account).await
    }

    /// On an emulator of the test's own, whose clock and delivery it may change.
    pub(crate) async fn of(ministack: &Ministack) -> Self {
        Self::at(&ministack.endpoint(), "test").await
    }

    /// Calls go to `endpoint`, which may be a proxy's.
    pub(crate) async fn at(endpoint: &str, account: &str) -> Self {
        let config = sdk_config(endpoint, account).await;
        Self::made(config, endpoint, account).await
    }

    /// With a new bucket and table. Without an endpoint it is a real account, and
    /// `account` is the first level of all names.
    async fn made(config: SdkConfig, endpoint: &str, account: &str) -> Self {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let own = aws::store_name(&unique);
        let location = Location {
            bucket: own.clone(),
            table: own,
        };
        let s3 = stores::s3(&config);
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        make::bucket(&s3, &location.bucket).await;
        make::table(&dynamodb, &location.table).await;
        Self {
            endpoint: endpoint.to_owned(),
            account: account.to_owned(),
            ssm: aws_sdk_ssm::Client::new(&config),
            stores: Stores::new(&config, location.clone(), now),
            config,
            s3,
            dynamodb,
            function: make::function(endpoint, account, &location),
            location,
        }
    }

    /// A second versioned bucket.
    pub(crate) async fn another_bucket(&self) -> String {
        let bucket = aws::store_name(&uuid::Uuid::new_v4().simple().to_string());
        make::bucket(&self.s3, &bucket).await;
        bucket
    }

    /// Whether it stands in a real account.
    pub(crate) fn is_real(&self) -> bool {
        self.endpoint.is_empty()
    }

    /// In a real account nothing is written beside the test's own names.
    fn check_own(&self, name: &str) {
        let own = self.own("/");
        assert!(
            !self.is_real() || name.starts_with(&own),
            "refused: {name} does not lie under {own}"
        );
    }

    /// Itself, its command line calling through `proxy`.
    pub(crate) fn behind(mut self, proxy: &Proxy) -> Self {
        self.endpoint = proxy.endpoint();
        self
    }

    /// One more function over this bucket and table, its calls going to `endpoint`.
    pub(crate) fn function_at(&self, endpoint: &str) -> Function {
        make::function(endpoint, &self.account, &self.location)
    }

    /// The control of the emulator below, for changes of this world's account.
    pub(crate) fn control(&self) -> Control {
        let control = Ministack::shared().control();
        control.for_account(&self.account)
    }

    /// A name that no other world has: moto keeps all accounts in one.
    pub(crate) fn own(&self, name: &str) -> String {
        format!("/{}{name}", self.account)
    }

    /// Writes a String, over what is there. The next write of it falls into another millisecond, since that is
    /// as exactly as Parameter Store tells when it was.
    pub(crate) async fn put(&self, name: &str, value: &str) -> i64 {
        self.check_own(name);
        let put = self.ssm.put_parameter().name(name).value(value);
        let put = put.r#type(ParameterType::String).overwrite(true);
        let version = put.send().await.unwrap().version();
        tokio::time::sleep(Duration::from_millis(2)).await;
        version
    }

    /// Writes a `SecureString` under a key, over what is there.
    pub(crate) async fn put_secret(&self, name: &str, value: &str, key: &str) {
        self.check_own(name);
        let put = self.ssm.put_parameter().name(name).value(value);
        let put = put.r#type(ParameterType::SecureString).key_id(key);
        put.overwrite(true).send().await.unwrap();
    }

    /// When the live version was written.
    pub(crate) async fn written(&self, name: &str) -> Instant {
        let answer = self.ssm.get_parameter().name(name).send().await.unwrap();
        let modified = answer.parameter.unwrap().last_modified_date.unwrap();
        Instant::from_float_parts(modified.secs(), modified.subsec_nanos())
    }

    /// The number of the live version.
    pub(crate) async fn version(&self, name: &str) -> i64 {
        let answer = self.ssm.get_parameter().name(name).send().await.unwrap();
        answer.parameter.unwrap().version
    }

    /// Writes a String and tells the function; returns when it was written.
    pub(crate) async fn write(&self, name: &str, value: &str) -> Instant {
        let version = self.put(name, value).await;
        let operation = if version == 1 { "Create" } else { "Update" };
        let at = self.written(name).await;
        self.tell(name, operation, at).await;
        at
    }

    /// Deletes and tells the function; returns where the deletion stands.
    pub(crate) async fn erase(&self, name: &str) -> Instant {
        self.delete(name).await;
        let at = now();
        self.tell(name, "Delete", at).await;
        at.second_end()
    }

    /// Tells the function of a change, which must be captured.
    pub(crate) async fn tell(&self, name: &str, operation: &str, at: Instant) {
        let event = parameter_event(name, operation, at.millis());
        assert_eq!(self.deliver(&[event]).await, 0, "{name}: {operation}");
    }

    /// The event that announces the newest version, as Parameter Store does.
    pub(crate) async fn announcement(&self, name: &str) -> Json {
        let operation = match self.version(name).await {
            1 => "Create",
            _ => "Update",
        };
        parameter_event(name, operation, self.written(name).await.millis())
    }

    /// Tells the function of the newest version.
    pub(crate) async fn tell_newest(&self, name: &str) {
        let event = self.announcement(name).await;
        assert_eq!(self.deliver(&[event]).await, 0, "{name}");
    }

    pub(crate) async fn delete(&self, name: &str) {
        self.check_own(name);
        let delete = self.ssm.delete_parameter().name(name);
        delete.send().await.unwrap();
    }

    /// The live value; none where it does not live.
    pub(crate) async fn live(&self, name: &str) -> Option<String> {
        let get = self.ssm.get_parameter().name(name).with_decryption(true);
        let answer = get.send().await.ok()?;
        answer.parameter?.value
    }

    /// Invokes the function with these events and returns how many messages
    /// are to come again.
    pub(crate) async fn deliver(&self, events: &[Json]) -> usize {
        let batch = batch_of_events(events);
        let answer = self.function.invoke(&batch).await.unwrap();
        failed_messages(&answer.response().unwrap()).len()
    }

    /// The events of these changes, delivered in batches of ten.
    pub(crate) async fn deliver_changes(&self, changes: &[Change]) {
        for ten in changes.chunks(10) {
            let events: Vec<Json> = ten.iter().map(|c| c.event.clone()).collect();
            assert_eq!(self.deliver(&events).await, 0);
        }
    }

    /// Runs the command line with this world's bucket and table.
    pub(crate) async fn ssmbak(&self, arguments: &[&str]) -> Answer {
        self.ssmbak_with(&[], arguments).await
    }

    /// As [`Self::ssmbak`], with more environment.
    pub(crate) async fn ssmbak_with(
        &self,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> Answer {
        let mut command = self.command(arguments);
        command.envs(environment.iter().copied());
        run(command).await
    }

    /// The command line with this world's bucket and table, nobody at the terminal.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare_command(arguments);
        if self.is_real() {
            command.envs(aws::environment());
        } else {
            command
                .env("AWS_ENDPOINT_URL", &self.endpoint)
                .env("AWS_ACCESS_KEY_ID", &self.account)
                .env("AWS_SECRET_ACCESS_KEY", "test")
                .env("AWS_REGION", REGION);
        }
        command
            .env("SSMBAK_BUCKET", &self.location.bucket)
            .env("SSMBAK_TABLE", &self.location.table);
        command
    }

    /// Deletes the table; the bucket is all that is left.
    pub(crate) async fn lose_table(&self) {
        let delete = self.dynamodb.delete_table();
        let delete = delete.table_name(&self.location.table);
        delete.send().await.unwrap();
        loop {
            let described = self.dynamodb.describe_table();
            let described = described.table_name(&self.location.table);
            if described.send().await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// An empty table in the place of the one there was.
    pub(crate) async fn empty_table(&self) {
        self.lose_table().await;
        make::table(&self.dynamodb, &self.location.table).await;
    }

    /// Every row of the table, in order of keys.
    pub(crate) async fn rows(&self) -> Vec<Json> {
        self.rows_of(&self.location.table).await
    }

    /// Every row of a table, in order of keys.
    pub(crate) async fn rows_of(&self, table: &str) -> Vec<Json> {
        let mut rows: Vec<Json> = Vec::new();
        let mut start = None;
        loop {
            let scan = self.dynamodb.scan().table_name(table);
            let page = scan.set_exclusive_start_key(start).send().await.unwrap();
            rows.extend(page.items().iter().map(|row| row_as_json(row).unwrap()));
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        rows.sort_by_key(ToString::to_string);
        rows
    }
}

/// The command line with nothing in its environment that leads anywhere.
pub(crate) fn bare_command(arguments: &[&str]) -> Command {
    let mut command = Command::new(ssmbak());
    command
        .args(arguments)
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs the command line to its end.
pub(crate) async fn run(mut command: Command) -> Answer {
    let output = command.output().await.unwrap();
    Answer {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn bootstrap() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(binaries::bootstrap)
}

pub(crate) fn ssmbak() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(binaries::ssmbak)
}
