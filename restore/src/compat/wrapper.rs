//! What `ssmbak-stack` and `ssmbak-all` are as programs of their own: they
//! start the `ssmbak` beside them under their name. `cargo install` can make
//! programs, but no links.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::{env, io};

/// Turns this process into the `ssmbak` beside it, started as `name`. Returns
/// only if that cannot be.
pub(crate) fn become_ssmbak(name: &str) -> ExitCode {
    let told = match beside() {
        Ok(ssmbak) => {
            let error = Command::new(&ssmbak)
                .arg0(name)
                .args(env::args_os().skip(1))
                .exec();
            format!("cannot start {}: {error}", ssmbak.display())
        }
        Err(error) => format!("cannot tell where {name} lies: {error}"),
    };
    let hint = format!("{name} is another name of ssmbak, which must lie in the same directory");
    // Where stderr cannot be written, there is nobody to tell.
    let _ = writeln!(io::stderr(), "error: {told}\n\nhint: {hint}");
    ExitCode::FAILURE
}

/// Beside the program itself, not beside a link to it.
fn beside() -> io::Result<PathBuf> {
    let own = env::current_exe()?.canonicalize()?;
    Ok(own.with_file_name("ssmbak"))
}
