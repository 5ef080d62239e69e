//! What `-v` tells.

use std::io;

use tracing_subscriber::EnvFilter;

/// Sends what this project's own crates have to tell to stderr: nothing,
/// `-v` info, `-vv` debug; `--debug` that and each call to AWS.
///
/// Other crates stay silent, and the environment cannot change that: the AWS
/// SDK's logs hold whole requests and answers, secrets included.
pub(crate) fn init(verbose: u8, debug: bool) {
    let level = match (debug, verbose) {
        (false, 0) => return,
        (false, 1) => "info",
        (true, _) | (false, 2..) => "debug",
    };
    let mut filter = ["ssmbak", "ssmbak_core", "ssmbak_infra"]
        .map(|own| format!("{own}={level}"))
        .join(",");
    if debug {
        filter.push_str(",ssmbak_core::store::calls=trace");
    }
    // Fails only where a subscriber is set already: then that one stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        .with_ansi(false)
        .try_init();
}
