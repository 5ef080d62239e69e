//! `history`, `show`, and what else only looks.

use clap::Args;

use super::{PATH_HELP, RECURSIVE_HELP, REVEAL_HELP, TIME_HELP};

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
no other one is ever called. Asks AWS nothing without --check.")]
pub(crate) struct ConfigArgs {
    /// Ask AWS who calls, and look the stack up
    #[arg(long)]
    pub(crate) check: bool,
}
