//! `preview`, `restore`, and what else writes parameters.

use clap::Args;

use super::{PATH_HELP, RECURSIVE_HELP, REVEAL_HELP, TIME_HELP};

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
