//! What `-v` tells.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;

use crate::output::printable;

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
        .with_writer(|| OneLine(io::stderr()))
        .with_ansi(false)
        .try_init();
}

/// Writes each event as one line in which nothing moves or hides: what it tells
/// may come from a service.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    /// Whole events come, each with a new line at its end.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        self.0
            .write_all(format!("{}\n", printable(line)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_it_tells() {
        let mut told = Vec::new();
        let event = "WARN it says \u{1b}[2J\nerror: x\u{9b}1m\n";
        let written = OneLine(&mut told).write(event.as_bytes()).unwrap();
        assert_eq!(written, event.len());
        assert_eq!(
            String::from_utf8(told).unwrap(),
            "WARN it says \\u{1b}[2J\\nerror: x\\u{9b}1m\n"
        );
    }
}
