//! `ssmbak man`: the manual pages.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::args::{Cli, ManArgs};
use crate::compat;
use crate::error::{CliError, Exit};
use crate::ui::write_text;

/// Prints `ssmbak(1)`, or writes the pages of all commands.
pub(super) fn run(args: &ManArgs) -> Result<Exit, CliError> {
    if let Some(directory) = &args.to {
        write_all(directory).map_err(|error| CliError::Failed {
            message: format!(
                "cannot write manual pages to {}: {error}",
                directory.display()
            ),
            hint: None,
        })?;
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    Man::new(root()).render(&mut page)?;
    write_text(&page)
}

/// `ssmbak-stack` has no page of its own: that of `ssmbak stack` is called so.
fn write_all(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    clap_mangen::generate_to(root(), directory)?;
    for alias in compat::commands() {
        Man::new(alias).generate_to(directory)?;
    }
    Ok(())
}

/// Without `help`, which would have a page for each command again.
fn root() -> Command {
    Cli::command().disable_help_subcommand(true)
}
