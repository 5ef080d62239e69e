//! The arguments: what can be asked, and the help that says so.

mod elsewhere;
mod keeping;
mod looking;
mod restoring;
mod select;
mod stack;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use self::elsewhere::{CopyArgs, ElsewhereArgs};
pub(crate) use self::keeping::{ImportArgs, RebuildArgs, SeedArgs, VerifyArgs};
pub(crate) use self::looking::{
    ConfigArgs, DiffArgs, ExportArgs, ExportFormat, HistoryArgs, RunsArgs, ShowArgs,
};
pub(crate) use self::restoring::{HowArgs, PreviewArgs, RestoreArgs, UndoArgs};
pub(crate) use self::select::SelectArgs;
pub(crate) use self::stack::{
    Arch, CodeArgs, CreateArgs, DeleteArgs, PolicyArgs, RedriveArgs, SettingsArgs, StackArgs,
    StackVerb, UpdateArgs, Who,
};

/// A time machine for AWS Systems Manager Parameter Store.
///
/// Every change of a parameter is on record; any parameter or whole tree can
/// be shown, compared and restored as it was at any moment, deletions included.
#[derive(Debug, Parser)]
#[command(
    name = "ssmbak",
    version,
    max_term_width = 80,
    after_help = HELP_AFTER
)]
pub(crate) struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const HELP_AFTER: &str = "\
Examples:
  ssmbak preview /app/ \"2h ago\" -R
  ssmbak restore /app/ \"2h ago\" -R
  ssmbak history /app/ -R --since -7days

PATH: with a trailing '/' what lies under it, without one a single parameter.
TIME: 2024-06-15T17:56:58 (UTC), 2024-06-15T17:56:58+02:00, 2024-06-15,
      \"2h30m ago\", -2h or now.

Exit codes:
  0    done, or nothing to do
  1    failed, or declined
  2    wrong usage; or would delete, and neither a terminal nor --yes
  3    partly done: some parameters failed or are unknown at that time
  4    nothing is known at that time
  5    differences found (verify; otherwise with --exit-code)
  130  interrupted";

/// Options that every command takes: as they were given on the command line,
/// which come before the environment and the configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// A context.
    #[arg(long, global = true, value_name = "NAME", help = CONTEXT_HELP)]
    pub(crate) context: Option<String>,
    /// Profile of the AWS configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// AWS region
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Endpoint in place of AWS's own
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// A stack.
    #[arg(long, global = true, value_name = "NAME", help = STACK_HELP)]
    pub(crate) stack: Option<String>,
    /// A bucket.
    #[arg(long, global = true, value_name = "NAME", help = BUCKET_HELP)]
    pub(crate) bucket: Option<String>,
    /// A table.
    #[arg(long, global = true, value_name = "NAME", help = TABLE_HELP)]
    pub(crate) table: Option<String>,
    /// Form of the output [default: table]
    #[arg(long, global = true, value_enum, value_name = "FORM")]
    pub(crate) output: Option<Format>,
    /// No colours.
    #[arg(long, global = true, help = "No colours (as with NO_COLOR set)")]
    pub(crate) no_color: bool,
    /// Nothing on stderr but warnings and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Tell more on stderr (-vv: still more); never a value
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// As -vv, and each call to AWS: operation, time, status; never a value
    #[arg(long, global = true)]
    pub(crate) debug: bool,
}

/// The form of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Format {
    /// A table for people.
    #[default]
    Table,
    /// A JSON list.
    Json,
    /// A JSON object a line.
    Jsonl,
    /// Comma-separated values; cells that a spreadsheet would take for a
    /// formula begin with an apostrophe.
    Csv,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a restore would do; changes nothing
    Preview(PreviewArgs),
    /// Put parameters back as they were
    Restore(RestoreArgs),
    /// Take back what a restore did, as a new run
    Undo(UndoArgs),
    /// List the restores and undos: when, who, what became of them
    Runs(RunsArgs),
    /// Write what lives now under another path, region or account
    Copy(CopyArgs),
    /// List every change: when, what, which version, who
    History(HistoryArgs),
    /// Print one value as it was, raw, for pipes
    Show(ShowArgs),
    /// Show what differs between two instants, or an instant and now
    Diff(DiffArgs),
    /// Write what was as JSON, YAML, dotenv, tfvars or CSV
    Export(ExportArgs),
    /// Capture what lives now and its retained history
    Seed(SeedArgs),
    /// Take over what the original Python tool backed up
    Import(ImportArgs),
    /// Make the index anew from the journal
    Rebuild(RebuildArgs),
    /// Compare what lives, index, journal and values with each other
    Verify(VerifyArgs),
    /// Create, update, delete or ask about the stack in AWS
    Stack(StackArgs),
    /// Show what is set, and by whom
    Config(ConfigArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write all of them
    Man(ManArgs),
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

impl Command {
    /// Whether it may ask AWS something, or tells how that would be done.
    pub(crate) fn asks_aws(&self) -> bool {
        !matches!(self, Self::Completions(_) | Self::Man(_))
    }
}

const CONTEXT_HELP: &str = "Context of the configuration file [env: SSMBAK_CONTEXT]";
const STACK_HELP: &str = "Stack to find bucket and table by [env: SSMBAK_STACK] [default: ssmbak]";
const BUCKET_HELP: &str = "Bucket with values and journal [env: SSMBAK_BUCKET]";
const TABLE_HELP: &str = "Table with the index [env: SSMBAK_TABLE]";
const PATH_HELP: &str = "Path ('/app/': what lies under it) or name ('/app') of a parameter";
const TIME_HELP: &str = "Instant: 2024-06-15T17:56:58, 2024-06-15, \"2h ago\", -2h, now";
const RECURSIVE_HELP: &str = "With all levels below the path, not only the first";
const RUN_HELP: &str = "Id of a run, four characters of it at least, or `last`";
const REVEAL_HELP: &str = "Show the values of SecureStrings";

/// `ssmbak completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak completions bash > ~/.local/share/bash-completion/completions/ssmbak
  ssmbak completions zsh > ~/.zfunc/_ssmbak
  ssmbak completions fish > ~/.config/fish/completions/ssmbak.fish")]
pub(crate) struct CompletionsArgs {
    /// Shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// `ssmbak man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak man > ssmbak.1
  ssmbak man --to ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Directory for the pages of all commands; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "help_tests.rs"]
mod help_tests;
