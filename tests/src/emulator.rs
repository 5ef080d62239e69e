//! The emulators as child processes, and SDK clients for them.

mod control;
mod install;
mod process;

use std::io;
use std::path::Path;
use std::sync::OnceLock;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

pub use self::control::{Change, Control, Delivery, Message, Queue, Quiet, Refusal};
use self::install::{MINISTACK, MOTO};
pub(crate) use self::install::{ORIGINAL, ORIGINAL_FUNCTION};
use self::process::Launched;

/// The account of every access key that is not itself an account number.
pub const ACCOUNT: &str = "000000000000";

/// The region that all instruments use.
pub const REGION: &str = "us-east-1";

/// A running ministack with Parameter Store as AWS has it.
///
/// It and the functions it started end when this is dropped or this process ends.
#[derive(Debug)]
pub struct Ministack(Launched);

/// How a [`Ministack`] is to be started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether IAM is enforced: functions run under their roles, and other
    /// callers need credentials that the emulator knows (`test` is an administrator).
    pub enforce_iam: bool,
    /// Where functions send their AWS calls, if not to the emulator itself.
    pub function_endpoint: Option<String>,
    /// The loopback port, a free one if not given.
    pub port: Option<u16>,
    /// Whether [`Ministack::leave_running`] is to be possible.
    pub outlive_owner: bool,
    /// The emulator's log level, WARNING if not given.
    pub log_level: Option<String>,
}

impl Ministack {
    /// Starts an emulator of one's own on a free loopback port, installing it on first use.
    pub fn start() -> io::Result<Self> {
        Self::start_with(&Options::default())
    }

    /// Starts an emulator of one's own with `options`.
    pub fn start_with(options: &Options) -> io::Result<Self> {
        let mut environment = Vec::new();
        if options.enforce_iam {
            environment.push(("AUTH", "true".to_owned()));
        }
        if let Some(endpoint) = &options.function_endpoint {
            environment.push(("SSMBAK_FUNCTION_ENDPOINT", endpoint.clone()));
        }
        if let Some(level) = &options.log_level {
            environment.push(("SSMBAK_EMULATOR_LOG", level.clone()));
        }
        let port = options.port.unwrap_or_default().to_string();
        let mut arguments = vec!["--port".to_owned(), port];
        if options.outlive_owner {
            arguments.push("--detached".to_owned());
        }
        let python = MINISTACK.python()?;
        Launched::start(&python, "launcher.py", &arguments, &environment).map(Self)
    }

    /// Returns the emulator that the tests of this process share.
    ///
    /// Its clock and its delivery of events are shared too: a test that
    /// changes them starts an emulator of its own.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Ministack> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().expect("ministack starts"))
    }

    /// The URL of the emulator.
    pub fn endpoint(&self) -> String {
        endpoint(&self.0)
    }

    /// The client for the clock, the events and the queues.
    pub fn control(&self) -> Control {
        Control::new(&self.endpoint())
    }

    /// The launcher's process, which is also the process group of its functions.
    pub fn process_id(&self) -> u32 {
        self.0.id()
    }

    /// Lets the emulator stay when this process ends, until [`Ministack::end`] is given what this returns.
    ///
    /// Only with [`Options::outlive_owner`]; without it, it ends with this process all the same.
    pub fn leave_running(self) -> u32 {
        self.0.leave()
    }

    /// Ends an emulator that was left running, with its functions.
    pub fn end(process_id: u32) -> io::Result<()> {
        process::end(process_id)
    }

    /// The file that the emulator logs to.
    pub fn log(&self) -> &Path {
        self.0.log()
    }
}

/// A running moto server.
#[derive(Debug)]
pub struct Moto(Launched);

impl Moto {
    /// Starts a server of one's own on a free loopback port, installing it on first use.
    pub fn start() -> io::Result<Self> {
        let python = MOTO.python()?;
        Launched::start(&python, "moto_launcher.py", &[], &[]).map(Self)
    }

    /// Returns the server that the tests of this process share.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Moto> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().expect("moto starts"))
    }

    /// The URL of the server.
    pub fn endpoint(&self) -> String {
        endpoint(&self.0)
    }

    /// The file that the server logs to.
    pub fn log(&self) -> &Path {
        self.0.log()
    }
}

fn endpoint(launched: &Launched) -> String {
    format!("http://127.0.0.1:{}", launched.port())
}

/// Returns the configuration of SDK clients that call `endpoint` as `access_key`.
///
/// A key of twelve digits is an account of its own; with ministack, that is
/// the cheapest way to keep the parameters of two tests apart.
pub async fn sdk_config(endpoint: &str, access_key: &str) -> SdkConfig {
    let credentials = Credentials::new(access_key, "test", None, None, "test");
    sdk_config_of(endpoint, credentials).await
}

/// Returns the configuration of SDK clients that call `endpoint` with `credentials`.
pub async fn sdk_config_of(endpoint: &str, credentials: Credentials) -> SdkConfig {
    let http_client = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http_client)
        .region(Region::from_static(REGION))
        .endpoint_url(endpoint)
        .credentials_provider(credentials)
        .load()
        .await
}
