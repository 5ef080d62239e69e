//! `SSMBAK_TEST_AWS=1`: worlds that stand in a real account. See
//! `docs/testing.md`.

use std::env;
use std::time::Duration;

use aws_config::SdkConfig;
use ssmbak_core::store::{ConnectOptions, connect};

/// What every bucket, table and stack is called that a test may write to.
const PREFIX: &str = "ssmbak-test-";
/// A name that was deleted cannot be created again sooner.
const RECREATION: Duration = Duration::from_secs(31);

/// Whether the tests were asked to run against the account of the environment.
pub(crate) fn wanted() -> bool {
    env::var("SSMBAK_TEST_AWS").is_ok_and(|value| value == "1")
}

/// The environment's own endpoint, region and credentials.
pub(crate) async fn config() -> SdkConfig {
    let config = connect(&ConnectOptions::default()).await;
    assert!(
        config.region().is_some(),
        "SSMBAK_TEST_AWS needs AWS_REGION"
    );
    config
}

/// What of this process's environment leads to the account.
pub(crate) fn environment() -> Vec<(String, String)> {
    let leads = |name: &str| name.starts_with("AWS_") || name == "HOME" || name == "PATH";
    env::vars().filter(|(name, _)| leads(name)).collect()
}

/// The first level of every name that one world writes.
pub(crate) fn level() -> String {
    let unique = uuid::Uuid::new_v4().simple().to_string();
    format!("t-{}", &unique[..12])
}

/// The name of a bucket and table of one's own.
pub(crate) fn store_name(unique: &str) -> String {
    format!("{PREFIX}{unique}")
}

/// Refuses a bucket or table that no test made: a live function may use it.
pub(crate) fn refuse_foreign(name: &str) {
    assert!(
        name.starts_with(PREFIX),
        "refused: {name} is not a test's own (it does not begin with {PREFIX}), \
         and a live function may write to it"
    );
}

/// The throw-away stack: `SSMBAK_TEST_STACK`, which must not be there yet.
pub(crate) fn stack() -> String {
    let stack = env::var("SSMBAK_TEST_STACK").unwrap_or_default();
    assert!(
        stack.starts_with(PREFIX),
        "refused: SSMBAK_TEST_STACK={stack:?} does not begin with {PREFIX}; \
         the stack it names is created, used and deleted"
    );
    stack
}

/// Waits until a deleted name can be created again.
pub(crate) async fn wait_for_recreation() {
    tokio::time::sleep(RECREATION).await;
}

/// Tells that a test stays on the emulator, and why.
pub(crate) fn note_emulated(why: &str) {
    if wanted() {
        let test = std::thread::current();
        let test = test.name().unwrap_or("a test");
        println!("{test} skips AWS and runs on the emulator: it needs {why}");
    }
}
