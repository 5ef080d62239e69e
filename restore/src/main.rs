//! `ssmbak`: preview, restore and look into the history of AWS Systems Manager
//! Parameter Store. See `docs/` for what the commands promise.

mod args;
mod carry_out;
mod commands;
mod compat;
mod config;
mod connection;
mod difference_report;
mod error;
mod export;
mod export_file;
#[cfg(test)]
mod fixtures;
mod from_file;
mod interrupt;
mod logging;
mod output;
mod panics;
mod plan_file;
mod plan_report;
mod time;
mod ui;
mod view;

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _};
use ssmbak_core::domain::Instant;

use crate::args::{Cli, Command, Global};
use crate::commands::Context;
use crate::compat::Alias;
use crate::config::{Environment, Settings, Text};
use crate::connection::Connection;
use crate::error::{CliError, Exit, Known};
use crate::interrupt::Interrupt;
use crate::ui::{Ui, tell, warn};

fn main() -> ExitCode {
    panics::tell_their_place_only();
    let arguments: Vec<OsString> = env::args_os().collect();
    if let Some(alias) = Alias::of(arguments.first()) {
        return alias.run(arguments);
    }
    let command = Cli::command().color(color_choice(&arguments));
    let parsed = command.try_get_matches_from(arguments);
    match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => run_about(
            &cli.global,
            about(&cli.command),
            cli.command.asks_aws(),
            async |context| commands::run(context, &cli.command).await,
        ),
        Err(error) => refused(&error),
    }
}

/// What clap prints is coloured before its own options are read: `--no-color`
/// is looked for here.
fn color_choice(arguments: &[OsString]) -> ColorChoice {
    if arguments.iter().any(|word| word == "--no-color") {
        ColorChoice::Never
    } else {
        ColorChoice::Auto
    }
}

/// Tells why the arguments are not taken, or gives the help that they ask for.
fn refused(error: &clap::Error) -> ExitCode {
    // Help goes to stdout, a usage error to stderr. Where that cannot be
    // written there is nobody to tell.
    let told = error.render().to_string();
    if output::printable_lines(&told) == told {
        let _ = error.print();
    } else {
        // It repeats an argument that a terminal would obey.
        tell(&told);
    }
    if env::args_os().any(|arg| arg == OsStr::new("ago")) {
        tell("\nhint: write \"2h ago\" in quotes, or -2h");
    }
    let exit = if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    };
    exit.into()
}

/// What the command itself names, to be put into hints.
fn about(command: &Command) -> Known {
    let other = match command {
        Command::Preview(args) => &args.to.to_profile,
        Command::Restore(args) => &args.to.to_profile,
        Command::Copy(args) => &args.to.to_profile,
        Command::Import(args) => &args.from_profile,
        Command::Stack(args) => {
            return Known {
                stack: Some(args.name.clone()),
                ..Known::default()
            };
        }
        Command::Undo(_)
        | Command::Runs(_)
        | Command::History(_)
        | Command::Show(_)
        | Command::Diff(_)
        | Command::Export(_)
        | Command::Seed(_)
        | Command::Rebuild(_)
        | Command::Verify(_)
        | Command::Config(_)
        | Command::Completions(_)
        | Command::Man(_) => &None,
    };
    Known {
        other_profile: other.clone().filter(|name| !name.is_empty()),
        ..Known::default()
    }
}

/// As [`run_about`], where the arguments name nothing more.
fn run_to_end(
    global: &Global,
    asks_aws: bool,
    work: impl AsyncFnOnce(&Context) -> Result<Exit, CliError>,
) -> ExitCode {
    run_about(global, Known::default(), asks_aws, work)
}

/// Does `work` with what `global` describes, until it ends or is interrupted.
///
/// Where nothing is asked of AWS, the configuration file is not read: no mistake in it keeps a
/// shell from its completions.
fn run_about(
    global: &Global,
    about: Known,
    asks_aws: bool,
    work: impl AsyncFnOnce(&Context) -> Result<Exit, CliError>,
) -> ExitCode {
    logging::init(global.verbose, global.debug);
    let environment = Environment::read();
    let settings = if asks_aws {
        Settings::load(global, &environment)
    } else {
        Ok(Settings::without_file(global, &environment))
    };
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => {
            error.tell(&Known::default());
            return error.exit().into();
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            CliError::from(error).tell(&Known::default());
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(run_until_interrupted(
        global,
        about,
        settings,
        &environment,
        work,
    ));
    // A question may still wait for its answer.
    runtime.shutdown_background();
    exit.into()
}

async fn run_until_interrupted(
    global: &Global,
    about: Known,
    settings: Settings,
    environment: &Environment,
    work: impl AsyncFnOnce(&Context) -> Result<Exit, CliError>,
) -> Exit {
    for text in &settings.warnings {
        warn(text);
    }
    let value = |set: &Text| set.as_ref().map(|set| set.value.clone());
    let known = Known {
        profile: value(&settings.profile),
        stack: about
            .stack
            .or_else(|| Some(settings.stack_name().to_owned())),
        ..about
    };
    let context = Context {
        ui: Ui::new(global, &settings),
        connection: Connection::new(settings, environment),
        clock: present,
        interrupt: Interrupt::default(),
    };
    let result = tokio::select! {
        result = work(&context) => result,
        error = context.interrupt.abandoned(tell) => Err(error),
    };
    result.unwrap_or_else(|error| {
        error.tell(&known);
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
