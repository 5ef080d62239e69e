//! Logs: one JSON object a line on standard output. Never a value.

use std::panic;

use tracing_subscriber::EnvFilter;

/// Starts logging at `level` for this project's own crates; everyone else's
/// stays at warnings, since the SDK's debug logs hold requests, and so values.
pub(crate) fn start(level: &str) {
    let level = match level.to_ascii_lowercase().as_str() {
        known @ ("error" | "warn" | "debug") => known.to_owned(),
        _ => "info".to_owned(),
    };
    let filter = EnvFilter::new(format!("warn,bootstrap={level},ssmbak_core={level}"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter)
        .init();
    // The place only: a panic's message could hold anything.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked");
    }));
}
