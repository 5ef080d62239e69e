//! AWS in memory: Parameter Store, S3 and `DynamoDB` behind the SDK's own HTTP
//! connector, so that everything above it, paging, patience and the mapping of
//! errors included, is the product's.
//!
//! There is no socket, no clock of its own and no chance but what a seed says:
//! a run is repeated exactly. Faults and crashes are asked for by call.

mod bucket;
pub mod clock;
mod connector;
mod expression;
pub mod faults;
mod items;
mod parameters;
pub mod run;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use serde_json::Value;
use ssmbak_core::store::{Clock, Location, Stores};

use self::bucket::Buckets;
use self::connector::Connector;
use self::faults::Faults;
use self::parameters::Parameters;
use self::table::Tables;
use crate::emulator::REGION;

pub use self::parameters::Refused;

/// Never called: the connector answers before any name is resolved.
const ENDPOINT: &str = "http://simulated.invalid";

/// The three services, and what disturbs them. Clones are the same one.
#[derive(Clone)]
pub struct SimulatedAws {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    state: Mutex<State>,
}

/// Everything there is.
#[derive(Debug)]
struct State {
    parameters: Parameters,
    buckets: Buckets,
    tables: Tables,
    faults: Faults,
    calls: BTreeMap<String, u64>,
}

impl SimulatedAws {
    /// An empty account. What is decided by chance is decided by `seed`.
    pub fn new(clock: Clock, seed: u64) -> Self {
        let state = State {
            parameters: Parameters::default(),
            buckets: Buckets::default(),
            tables: Tables::default(),
            faults: Faults::new(seed),
            calls: BTreeMap::new(),
        };
        let state = Mutex::new(state);
        Self {
            shared: Arc::new(Shared { clock, state }),
        }
    }

    /// The way to it for one process: crashes and faults can be asked for by process.
    ///
    /// Retries and time-outs are those that the command line and the function set.
    pub fn sdk_config(&self, process: usize) -> SdkConfig {
        let aws = self.clone();
        let client = http_client_fn(move |_, _| {
            let aws = aws.clone();
            SharedHttpConnector::new(Connector { aws, process })
        });
        let credentials = Credentials::new("simulated", "simulated", None, None, "simulated");
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_secs(30));
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(client)
            .region(Region::from_static(REGION))
            .endpoint_url(ENDPOINT)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::standard().with_max_attempts(5))
            .timeout_config(timeouts.build())
            .time_source(clock::Time)
            .build()
    }

    /// A versioned bucket and an index's table, both empty.
    pub fn make_stores(&self, location: &Location) {
        let mut state = self.state();
        state.buckets.make(&location.bucket);
        state.tables.make(&location.table);
    }

    /// The stores of the core for one process.
    pub fn stores(&self, process: usize, location: &Location) -> Stores {
        Stores::new(
            &self.sdk_config(process),
            location.clone(),
            self.shared.clock,
        )
    }

    /// Calls Parameter Store as somebody else does: it is never disturbed.
    pub fn call_parameter_store(&self, operation: &str, asked: &Value) -> Result<Value, Refused> {
        let now = (self.shared.clock)();
        self.state().parameters.answer(operation, asked, now)
    }

    /// The next history that is read of this name does not show its newest change yet.
    pub fn make_stale(&self, name: &str) {
        self.state().parameters.make_stale(name);
    }

    /// From now on no read is stale.
    pub fn forget_stale(&self) {
        self.state().parameters.forget_stale();
    }

    /// How often each operation was called, as `service:Operation`.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.state().calls.clone()
    }

    /// What disturbs calls: for changing it and for what it counted.
    pub fn with_faults<T>(&self, work: impl FnOnce(&mut Faults) -> T) -> T {
        work(&mut self.state().faults)
    }

    /// Every row of a table, as `DynamoDB` writes attributes, in order of keys.
    pub fn rows(&self, table: &str) -> Vec<Value> {
        self.state().tables.rows(table)
    }

    /// An empty table in the place of whatever was there.
    pub fn make_table(&self, table: &str) {
        self.state().tables.make(table);
    }

    /// The current objects of a bucket whose keys begin with `prefix`: key and body.
    pub fn objects(&self, bucket: &str, prefix: &str) -> Vec<(String, Vec<u8>)> {
        self.state().buckets.objects(bucket, prefix)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SimulatedAws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedAws")
    }
}
