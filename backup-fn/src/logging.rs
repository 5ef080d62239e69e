//! Logs: one JSON object a line on standard output. Never a value.

use std::panic;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging at `level` for this project's own crates; everyone else's
/// stays at warnings, since the SDK's debug logs hold requests, and so values.
pub(crate) fn start(level: &str) {
    let level = match level.to_ascii_lowercase().as_str() {
        "error" => Level::ERROR,
        "warn" => Level::WARN,
        "debug" => Level::DEBUG,
        _ => Level::INFO,
    };
    let own = ["bootstrap", "ssmbak_core"].map(|target| (target, level));
    let filter = Targets::new().with_default(Level::WARN).with_targets(own);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false);
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .init();
    // The place only: a panic's message could hold anything.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked");
    }));
}
