//! The arguments: what can be asked, and the help that says so.

mod stack;

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

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

/// Options that every command takes: flags, then the environment, then the
/// profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Profile of the AWS configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// AWS region
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Endpoint in place of AWS's own
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Stack to find bucket and table by [default: ssmbak]
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "SSMBAK_STACK",
        hide_env_values = true
    )]
    pub(crate) stack: Option<String>,
    /// Bucket with values and journal
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "SSMBAK_BUCKET",
        hide_env_values = true
    )]
    pub(crate) bucket: Option<String>,
    /// Table with the index
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "SSMBAK_TABLE",
        hide_env_values = true
    )]
    pub(crate) table: Option<String>,
    /// Which of bucket and table were given as flags.
    #[arg(skip)]
    pub(crate) flags: Flags,
    /// Form of the output
    #[arg(long, global = true, value_enum, value_name = "FORM", default_value_t)]
    pub(crate) output: Format,
    /// No colours.
    #[arg(long, global = true, help = "No colours (as with NO_COLOR set)")]
    pub(crate) no_color: bool,
    /// Nothing on stderr but warnings and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Tell more on stderr (-vv: still more); never a value
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// Which of the options that the environment can give too were given as flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// `--bucket`
    pub(crate) bucket: bool,
    /// `--table`
    pub(crate) table: bool,
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

impl Cli {
    /// Reads what was matched. Where something was given is told beside it.
    pub(crate) fn from_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut cli = Self::from_arg_matches(matches)?;
        let is_flag = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        cli.global.flags = Flags {
            bucket: is_flag("bucket"),
            table: is_flag("table"),
        };
        Ok(cli)
    }
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a restore would do; changes nothing
    Preview(PreviewArgs),
    /// Put parameters back as they were
    Restore(RestoreArgs),
    /// List every change: when, what, which version, who
    History(HistoryArgs),
    /// Print one value as it was, raw, for pipes
    Show(ShowArgs),
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
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write all of them
    Man(ManArgs),
}

const PATH_HELP: &str = "Path ('/app/': what lies under it) or name ('/app') of a parameter";
const TIME_HELP: &str = "Instant: 2024-06-15T17:56:58, 2024-06-15, \"2h ago\", -2h, now";
const RECURSIVE_HELP: &str = "With all levels below the path, not only the first";
const REVEAL_HELP: &str = "Show the values of SecureStrings";
const LABELS_HELP: &str = "Put the labels of then back too; each leaves the version that has it";
const RECREATE_HELP: &str =
    "Delete, wait 30 s and create again what cannot be overwritten; its history stays on record";
const KEY_ID_HELP: &str =
    "Put SecureStrings under this KMS key, or those under OLD under NEW; can be repeated";

/// How a restore is to go about it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct HowArgs {
    /// Put labels back.
    #[arg(long, help = LABELS_HELP)]
    pub(crate) labels: bool,
    /// Recreate what cannot be overwritten.
    #[arg(long, help = RECREATE_HELP)]
    pub(crate) recreate: bool,
    /// Other keys.
    #[arg(long, value_name = "KEY|OLD=NEW", help = KEY_ID_HELP)]
    pub(crate) key_id: Vec<String>,
}

/// `ssmbak preview`.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[command(after_help = "\
Examples:
  ssmbak preview /app/ -2h -R
  ssmbak preview /app/db \"30m ago\" --reveal
  ssmbak preview /app/ 2024-06-15T17:56:58+02:00 -R --output json

Unchanged parameters are left out unless --all is given. SecureStrings are
shown as ******** unless --reveal is given.")]
pub(crate) struct PreviewArgs {
    /// What to look at.
    #[arg(help = PATH_HELP)]
    pub(crate) path: String,
    /// When.
    #[arg(help = TIME_HELP, allow_hyphen_values = true)]
    pub(crate) time: String,
    /// With all levels below.
    #[arg(short = 'R', long, help = RECURSIVE_HELP)]
    pub(crate) recursive: bool,
    /// Also those that are present and unchanged
    #[arg(long)]
    pub(crate) all: bool,
    /// Show secrets.
    #[arg(long, help = REVEAL_HELP)]
    pub(crate) reveal: bool,
    /// Exit with 5 where there are differences
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// As `restore` takes them.
    #[command(flatten)]
    pub(crate) how: HowArgs,
}

/// `ssmbak restore`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak restore /app/ -2h -R
  ssmbak restore /app/db 2024-06-15T17:56:58 --yes
  ssmbak restore /app/ -2h --labels --key-id alias/old=alias/new

Does what preview shows, and refuses a parameter that changed in between. On a
terminal it asks first. Without a terminal it goes on, unless something would
be deleted, for good or to be created again: that takes --yes.")]
pub(crate) struct RestoreArgs {
    /// What to restore.
    #[arg(help = PATH_HELP)]
    pub(crate) path: String,
    /// When.
    #[arg(help = TIME_HELP, allow_hyphen_values = true)]
    pub(crate) time: String,
    /// With all levels below.
    #[arg(short = 'R', long, help = RECURSIVE_HELP)]
    pub(crate) recursive: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Show secrets.
    #[arg(long, help = REVEAL_HELP)]
    pub(crate) reveal: bool,
    /// How to go about it.
    #[command(flatten)]
    pub(crate) how: HowArgs,
}

/// `ssmbak history`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak history /app/ -R
  ssmbak history /app/db --since \"7days ago\"
  ssmbak history / -R --since 2024-06-15 --until 2024-06-16 --output csv

Newest first. Needs no access to values.")]
pub(crate) struct HistoryArgs {
    /// What to look at.
    #[arg(help = PATH_HELP)]
    pub(crate) path: String,
    /// With all levels below.
    #[arg(short = 'R', long, help = RECURSIVE_HELP)]
    pub(crate) recursive: bool,
    /// Only changes at or after this instant
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// Only changes at or before this instant
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,
}

/// `ssmbak show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak show /app/config > config.json
  ssmbak show /app/db -2h --reveal

The value's exact bytes go to a pipe or file; on a terminal a newline follows.
The --output option does not matter. A SecureString needs --reveal.")]
pub(crate) struct ShowArgs {
    /// Name of the parameter
    pub(crate) name: String,
    /// When.
    #[arg(help = TIME_HELP, allow_hyphen_values = true, default_value = "now")]
    pub(crate) time: String,
    /// Show secrets.
    #[arg(long, help = REVEAL_HELP)]
    pub(crate) reveal: bool,
}

/// `ssmbak seed`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak seed                        what would be captured of everything
  ssmbak seed --do-it                capture it
  ssmbak seed /app/ /web/ --do-it    only what lies under two paths
  ssmbak seed --tags --do-it         also tags that changed on their own

Captures each version that Parameter Store still retains (up to 100 of each
parameter) and is not on record yet. Can be repeated.")]
pub(crate) struct SeedArgs {
    /// Paths, with all levels below
    #[arg(value_name = "PATH", default_value = "/")]
    pub(crate) paths: Vec<String>,
    /// Capture; without it, only tell what would be captured
    #[arg(long)]
    pub(crate) do_it: bool,
    /// Read the tags of each parameter too: a call for each
    #[arg(long)]
    pub(crate) tags: bool,
}

/// `ssmbak import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak import --from-bucket old-bucket             what would be imported
  ssmbak import --from-bucket old-bucket --do-it     import it
  ssmbak import --from-bucket old-bucket --prefix /app/ --do-it
  ssmbak import --from-bucket old-bucket --from-region us-west-2 --do-it

Copies what the original Python tool (ssmbak 0.5) stored; its bucket is only
read. Can be repeated: what is on record is not imported again. Import first,
then seed.")]
pub(crate) struct ImportArgs {
    /// Bucket that the original tool wrote
    #[arg(long, value_name = "NAME")]
    pub(crate) from_bucket: String,
    /// Only what lies under this path, or this one parameter
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub(crate) prefix: String,
    /// Profile that reads that bucket [default: that of --profile]
    #[arg(long, value_name = "NAME")]
    pub(crate) from_profile: Option<String>,
    /// Region of that bucket [default: that of --region]
    #[arg(long, value_name = "REGION")]
    pub(crate) from_region: Option<String>,
    /// Import; without it, only tell what would be imported
    #[arg(long)]
    pub(crate) do_it: bool,
}

/// `ssmbak rebuild`.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[command(after_help = "\
Examples:
  ssmbak rebuild                               what there is to rebuild from
  ssmbak rebuild --do-it                       into the stack's own table
  ssmbak rebuild --create-table --do-it        the table is gone
  ssmbak rebuild --to-table other --do-it      beside the old one

Needs the bucket alone. Until it has finished, other commands refuse the table;
captures go on. Interrupted, it goes on where it stopped when run again.")]
pub(crate) struct RebuildArgs {
    /// Table to write to, in place of the one that is used otherwise
    #[arg(long, value_name = "NAME")]
    pub(crate) to_table: Option<String>,
    /// Create the table if it does not exist (no policy of the stack allows
    /// this)
    #[arg(long)]
    pub(crate) create_table: bool,
    /// KMS key that a created table is encrypted with
    #[arg(long, value_name = "KEY", requires = "create_table")]
    pub(crate) table_key: Option<String>,
    /// Finish even though objects cannot be read; no path is covered then
    #[arg(long)]
    pub(crate) leave_out_unreadable: bool,
    /// Rebuild; without it, only tell what there is to rebuild from
    #[arg(long)]
    pub(crate) do_it: bool,
}

/// `ssmbak verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak verify                        everything
  ssmbak verify /app/ --values         read every value back, too
  ssmbak verify /app/ --heal           put right what can be

Changes nothing without --heal. Exits with 5 where something disagrees, and
with --heal where something is left. Looks at every record and object version:
takes its time. Needs s3:ListBucketVersions.")]
pub(crate) struct VerifyArgs {
    /// What to look at, with all levels below.
    #[arg(help = PATH_HELP, default_value = "/")]
    pub(crate) path: String,
    /// Go on at this name, where an earlier one was stopped
    #[arg(long, value_name = "NAME")]
    pub(crate) from: Option<String>,
    /// Read every stored value; compare the newest with what lives
    #[arg(long)]
    pub(crate) values: bool,
    /// Put right what can be
    #[arg(long)]
    pub(crate) heal: bool,
}

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
