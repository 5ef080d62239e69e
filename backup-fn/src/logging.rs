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

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Set for the process that panics.
    const PANICS: &str = "SSMBAK_TEST_PANICS";

    #[test]
    fn a_panic_tells_its_place_and_nothing_that_it_said() {
        if std::env::var_os(PANICS).is_some() {
            start("debug");
            let _ = panic::catch_unwind(|| panic!("{}", ["hunter", "2"].concat()));
            return;
        }
        // A hook and a log are the process's: another one has them.
        let test = "logging::tests::a_panic_tells_its_place_and_nothing_that_it_said";
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(PANICS, "1")
            .env("RUST_BACKTRACE", "full")
            .output()
            .unwrap();
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8(told).unwrap();
        assert!(output.status.success(), "{told}");
        assert!(told.contains(r#""message":"panicked""#), "{told}");
        assert!(told.contains("logging.rs:"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}
