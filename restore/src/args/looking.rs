//! `history`, `show`, `diff`, `export`: what only looks.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ssmbak_core::domain::record::Operation;

use super::restoring::TRUST_HELP;
use super::{PATH_HELP, RECURSIVE_HELP, REVEAL_HELP, RUN_HELP, TIME_HELP};

/// `ssmbak history`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak history /app/ -R
  ssmbak history /app/db --since \"7days ago\"
  ssmbak history / -R --since 2024-06-15 --until 2024-06-16 --output csv
  ssmbak history / -R --operation delete --by alice --limit 20
  ssmbak history /app/db --values

Newest first, shown as they arrive. Needs no access to values, unless --values
is given. Operations: create, update, delete, stillthere, label, tags,
deletedby.")]
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
    /// Only these operations, with commas between them; can be repeated
    #[arg(long, value_name = "OP", value_delimiter = ',', value_parser = operation)]
    pub(crate) operation: Vec<Operation>,
    /// Only changes by whom this is a part of the ARN of
    #[arg(long, value_name = "WHO")]
    pub(crate) by: Option<String>,
    /// At most so many changes: the newest
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Also what each version changed, and its value
    #[arg(long)]
    pub(crate) values: bool,
    /// Show secrets.
    #[arg(long, help = REVEAL_HELP, requires = "values")]
    pub(crate) reveal: bool,
}

impl HistoryArgs {
    /// How many changes are shown at most.
    pub(crate) fn limit(&self) -> Option<usize> {
        self.limit.map(|limit| limit as usize)
    }
}

/// An operation by its word, however that is cased, or `label`.
fn operation(word: &str) -> Result<Operation, String> {
    let word = word.trim();
    if word.eq_ignore_ascii_case("label") {
        return Ok(Operation::LabelParameterVersion);
    }
    let mut all = Operation::ALL.into_iter();
    all.find(|o| o.as_str().eq_ignore_ascii_case(word))
        .ok_or_else(|| {
            let words = Operation::ALL.map(|o| o.as_str().to_lowercase());
            format!("it must be one of {} or label", words.join(", "))
        })
}

/// `ssmbak show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak show /app/config > config.json
  ssmbak show /app/db -2h --reveal
  ssmbak show /app/db -2h --metadata

The value's exact bytes go to a pipe or file; on a terminal a newline follows.
The --output option matters for --metadata only. A SecureString needs --reveal.")]
pub(crate) struct ShowArgs {
    /// Name of the parameter
    pub(crate) name: String,
    /// When.
    #[arg(help = TIME_HELP, allow_hyphen_values = true, default_value = "now")]
    pub(crate) time: String,
    /// Everything but the value: type, version, who wrote it, tags and so on
    #[arg(long, conflicts_with = "reveal")]
    pub(crate) metadata: bool,
    /// Show secrets.
    #[arg(long, help = REVEAL_HELP)]
    pub(crate) reveal: bool,
}

/// `ssmbak config`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak config
  ssmbak config --context prod --check
  ssmbak config --output json

Flags come first, then the environment, then the context, then the AWS profile.
A context is a few lines in ~/.config/ssmbak/config.toml (in $XDG_CONFIG_HOME
where that is set; SSMBAK_CONFIG names another file):

  default-context = \"prod\"
  [contexts.prod]
  profile = \"prod\"
  region = \"eu-west-1\"
  stack = \"ssmbak\"
  account = \"123456789012\"

It may also set bucket, table, endpoint-url and output. Where it has an account,
no other one is ever called, but for what --to-profile and --from-profile name.
Asks AWS nothing without --check.")]
pub(crate) struct ConfigArgs {
    /// Ask AWS who calls, and look the stack up
    #[arg(long)]
    pub(crate) check: bool,
}

/// `ssmbak diff`.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[command(after_help = "\
Examples:
  ssmbak diff /app/ -2h -R
  ssmbak diff /app/ 2024-06-15 2024-06-16 -R
  ssmbak diff /app/db -1day --reveal --exit-code

Without a second TIME it compares with what lives now, and shows what a restore
to TIME would take back. Of SecureStrings only that they differ is shown,
unless --reveal is given.")]
pub(crate) struct DiffArgs {
    /// What to look at.
    #[arg(help = PATH_HELP)]
    pub(crate) path: String,
    /// From when.
    #[arg(value_name = "TIME", help = TIME_HELP, allow_hyphen_values = true)]
    pub(crate) from: String,
    /// Until when.
    #[arg(
        value_name = "TIME2",
        help = "Later instant to compare with",
        allow_hyphen_values = true,
        default_value = "now"
    )]
    pub(crate) to: String,
    /// With all levels below.
    #[arg(short = 'R', long, help = RECURSIVE_HELP)]
    pub(crate) recursive: bool,
    /// Show secrets.
    #[arg(long, help = REVEAL_HELP)]
    pub(crate) reveal: bool,
    /// Exit with 5 where there are differences
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Take the index's word.
    #[arg(long, help = TRUST_HELP, conflicts_with = "to")]
    pub(crate) trust_index: bool,
}

/// `ssmbak export`.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[command(after_help = "\
Examples:
  ssmbak export /app/ now -R > app.json
  ssmbak export /app/ -2h --format dotenv --strip-prefix --to .env --reveal
  ssmbak export /app/ 2024-06-15 -R --format yaml --to app.yaml

json and yaml hold everything that can be put back; dotenv, tfvars and csv hold
values. In csv a cell that a spreadsheet would take for a formula begins with an
apostrophe. SecureStrings need --reveal. The --output option does not matter.")]
pub(crate) struct ExportArgs {
    /// What to export.
    #[arg(help = PATH_HELP)]
    pub(crate) path: String,
    /// When.
    #[arg(help = TIME_HELP, allow_hyphen_values = true)]
    pub(crate) time: String,
    /// With all levels below.
    #[arg(short = 'R', long, help = RECURSIVE_HELP)]
    pub(crate) recursive: bool,
    /// Form of the file
    #[arg(long, value_enum, value_name = "FORM", default_value_t)]
    pub(crate) format: ExportFormat,
    /// Leave the path out of the names
    #[arg(long)]
    pub(crate) strip_prefix: bool,
    /// Write to this file, which only you can read, and not to stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// Replace the file where it is there already
    #[arg(long, requires = "to")]
    pub(crate) overwrite: bool,
    /// Write secrets.
    #[arg(long, help = "Write the values of SecureStrings")]
    pub(crate) reveal: bool,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Complete, as JSON.
    #[default]
    Json,
    /// Complete, as YAML.
    Yaml,
    /// `KEY=value` lines for shells, Docker and dotenv libraries.
    Dotenv,
    /// Values of Terraform variables.
    Tfvars,
    /// Comma-separated values.
    Csv,
}

/// `ssmbak runs`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak runs
  ssmbak runs --limit 100 --output json
  ssmbak runs last
  ssmbak runs 5b0c2f7e

Newest first. With RUN, the parameters of that run. Needs no access to values.")]
pub(crate) struct RunsArgs {
    /// Which run.
    #[arg(help = RUN_HELP)]
    pub(crate) run: Option<String>,
    /// How many runs at most
    #[arg(long, value_name = "N", default_value_t = 20, conflicts_with = "run",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}
