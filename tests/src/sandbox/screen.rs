//! Where the sandbox tells what it does.

use std::io::{self, Write as _};

/// Standard output or standard error, written line by line.
///
/// A reader that went away is an error like any other: the run ends and cleans up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    to_stderr: bool,
}

impl Screen {
    /// Standard output.
    pub(crate) fn stdout() -> Self {
        Self { to_stderr: false }
    }

    /// Standard error.
    pub(crate) fn stderr() -> Self {
        Self { to_stderr: true }
    }

    /// Writes one line, at once.
    pub(crate) fn line(self, text: &str) -> io::Result<()> {
        if self.to_stderr {
            return writeln!(io::stderr(), "{text}");
        }
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}")?;
        stdout.flush()
    }

    /// Begins a part of what is told.
    pub(crate) fn heading(self, text: &str) -> io::Result<()> {
        self.line(&format!("\n== {text}"))
    }

    /// Tells of something that was checked and is so.
    pub(crate) fn held(self, text: &str) -> io::Result<()> {
        self.line(&format!("   ok: {text}"))
    }
}
