//! What `-v` tells.

use std::io;

use tracing_subscriber::EnvFilter;

/// Sends what this project's own crates have to tell to stderr: nothing,
/// `-v` info, `-vv` debug.
///
/// Other crates stay silent, and the environment cannot change that: the AWS
/// SDK's logs hold whole requests and answers, secrets included.
pub(crate) fn init(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => "info",
        2.. => "debug",
    };
    let filter = ["ssmbak", "ssmbak_core", "ssmbak_infra"]
        .map(|own| format!("{own}={level}"))
        .join(",");
    // Fails only where a subscriber is set already: then that one stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        .with_ansi(false)
        .try_init();
}
