//! `ssmbak completions`.

use clap::CommandFactory as _;

use crate::args::{Cli, CompletionsArgs};
use crate::error::{CliError, Exit};
use crate::ui::write_text;

/// Prints the completions of a shell.
pub(super) fn run(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ssmbak", &mut script);
    write_text(&script)
}
