//! The sandbox: an emulator with the real stack, for a demonstration and for work by hand; and the
//! package of a release.

mod background;
mod bench;
mod commands;
mod demo;
mod package;
mod screen;
mod soak;
mod stage;
mod story;
mod tree;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use self::bench::BenchArgs;
use self::package::PackageArgs;
use self::screen::Screen;
use self::soak::SoakArgs;

/// How long work that cannot be broken off, a build or an installation, may
/// hold up the end of an interrupted run.
const BREAK_OFF_LIMIT: Duration = Duration::from_secs(20);

/// The whole of ssmbak on this machine: emulated AWS, the real stack, the real binaries.
#[derive(Debug, Parser)]
#[command(name = "cargo sandbox", bin_name = "cargo sandbox")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Tell the story: change, lose and restore parameters, and check every step
    Demo,
    /// Leave a sandbox running: eval "$(cargo sandbox up)" lets aws and ssmbak use it
    Up,
    /// End the sandbox that `up` left running
    Down,
    /// Measure time, memory and calls of the real ssmbak; what it finds is no failure
    Bench(BenchArgs),
    /// Play generated histories until the time is over, and compare every answer with a model
    Soak(SoakArgs),
    /// Make what a release publishes: programs, function, manual pages, completions, checksums
    Package(PackageArgs),
}

/// Does what the arguments of this process ask for.
///
/// However it ends, by a failure and by a signal too, no emulator stays but
/// the one that `up` leaves running when it succeeds.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let exit = runtime.block_on(async {
        // Interrupted or not, a soak tells what it has found.
        if let Command::Soak(args) = &arguments.command {
            return done(soak::soak(args, interrupted()).await);
        }
        tokio::select! {
            ended = run(arguments.command) => done(ended),
            exit = interrupted() => exit,
        }
    });
    // An emulator that is just being started ends here, once it has started.
    runtime.shutdown_timeout(BREAK_OFF_LIMIT);
    exit
}

async fn run(command: Command) -> io::Result<ExitCode> {
    match command {
        Command::Demo => demo::demo(Screen::stdout()).await?,
        Command::Up => background::up().await?,
        Command::Down => background::down().await?,
        Command::Bench(args) => bench::bench(&args).await?,
        Command::Soak(args) => return soak::soak(&args, std::future::pending()).await,
        Command::Package(args) => package::package(&args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn done(ended: io::Result<ExitCode>) -> ExitCode {
    ended.unwrap_or_else(|error| failed(&error))
}

/// Waits for the first signal that asks this process to end; its exit code is the shell's for that signal.
async fn interrupted() -> ExitCode {
    let signals = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    );
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = signals else {
        // Without handlers, a signal ends the process, and the emulator with it.
        return std::future::pending().await;
    };
    let number = tokio::select! {
        _ = interrupt.recv() => 2,
        _ = terminate.recv() => 15,
        _ = hangup.recv() => 1,
    };
    Screen::stderr().line("interrupted: cleaning up").ok();
    ExitCode::from(128 + number)
}

fn failed(error: &io::Error) -> ExitCode {
    Screen::stderr().line(&format!("error: {error}")).ok();
    ExitCode::FAILURE
}
