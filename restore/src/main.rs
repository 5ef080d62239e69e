//! `ssmbak`: preview, restore and look into the history of AWS Systems Manager
//! Parameter Store. See `docs/` for what the commands promise.

mod args;
mod commands;
mod connection;
mod error;
#[cfg(test)]
mod fixtures;
mod interrupt;
mod logging;
mod output;
mod plan_report;
mod time;
mod ui;
mod view;

use std::env;
use std::ffi::OsStr;
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _};
use ssmbak_core::domain::Instant;

use crate::args::Cli;
use crate::commands::Context;
use crate::connection::Connection;
use crate::error::{CliError, Exit};
use crate::interrupt::Interrupt;
use crate::ui::{Ui, tell};

fn main() -> ExitCode {
    let cli = match parse_args() {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout, a usage error to stderr. Where that cannot
            // be written there is nobody to tell.
            let _ = error.print();
            if env::args_os().any(|arg| arg == OsStr::new("ago")) {
                tell("\nhint: write \"2h ago\" in quotes, or -2h");
            }
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            return exit.into();
        }
    };
    logging::init(cli.global.verbose);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            CliError::from(error).tell();
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(run_until_interrupted(&cli));
    // A question may still wait for its answer.
    runtime.shutdown_background();
    exit.into()
}

/// Parses the arguments. What clap prints is coloured before its own options
/// are read: `--no-color` is looked for here.
fn parse_args() -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    if env::args_os().any(|arg| arg == OsStr::new("--no-color")) {
        command = command.color(ColorChoice::Never);
    }
    Cli::from_arg_matches(&command.try_get_matches()?)
}

async fn run_until_interrupted(cli: &Cli) -> Exit {
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let context = Context {
        ui: Ui::new(&cli.global, no_color),
        connection: Connection::new(&cli.global),
        clock: present,
        interrupt: Interrupt::default(),
    };
    let result = tokio::select! {
        result = commands::run(&context, &cli.command) => result,
        () = context.interrupt.abandoned(tell) => Err(CliError::Interrupted),
    };
    result.unwrap_or_else(|error| {
        error.tell();
        error.exit()
    })
}

/// The present. `SSMBAK_TEST_NOW` (RFC 3339) takes its place, so that a test
/// on an emulator whose clock stands elsewhere can speak of the same moment.
fn present() -> Instant {
    let told = env::var("SSMBAK_TEST_NOW").ok();
    told.and_then(|now| now.parse().ok())
        .unwrap_or_else(|| Instant::from(chrono::Utc::now()))
}
