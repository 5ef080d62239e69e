//! `preview`, `restore`, and what else writes parameters.

use std::path::PathBuf;

use clap::Args;

use super::{
    ElsewhereArgs, PATH_HELP, RECURSIVE_HELP, REVEAL_HELP, RUN_HELP, SelectArgs, TIME_HELP,
};

const LABELS_HELP: &str = "Put the labels of then back too; each leaves the version that has it";
const RECREATE_HELP: &str =
    "Delete, wait 30 s and create again what cannot be overwritten; its history stays on record";
pub(super) const KEY_ID_HELP: &str =
    "Put SecureStrings under this KMS key, or those under OLD under NEW; can be repeated";

pub(super) const TRUST_HELP: &str =
    "Ask only about names the index saw change; misses changes not captured yet";
/// What takes a look at every parameter, or is not about the record here.
const NOT_TRUSTING: [&str; 3] = ["labels", "from", "ElsewhereArgs"];

const NEW_PLAN_HELP: &str =
    "Also write the plan, for `ssmbak restore --plan`; only you can read it";
const PLAN_HELP: &str = "Do what this plan says, made by `ssmbak preview --plan`, and nothing else";
const RESTORE_USAGE: &str = "ssmbak restore [OPTIONS] PATH TIME
       ssmbak restore [OPTIONS] --plan FILE
       ssmbak restore [OPTIONS] --from FILE [PATH]";
const PREVIEW_USAGE: &str = "ssmbak preview [OPTIONS] PATH TIME
       ssmbak preview [OPTIONS] --from FILE [PATH]";
const FROM_HELP: &str = "What this file of `ssmbak export` says, json or yaml, in place of a TIME";
/// What a file says itself, and what a file is not for.
const NOT_WITH_A_FILE: [&str; 3] = ["time", "SelectArgs", "ElsewhereArgs"];
/// What a saved plan says itself.
const FIXED_BY_A_PLAN: [&str; 9] = [
    "SelectArgs",
    "ElsewhereArgs",
    "path",
    "time",
    "recursive",
    "labels",
    "recreate",
    "key_id",
    "from",
];

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
  ssmbak preview /app/ -2h -R --plan plan.json
  ssmbak preview --from export.json
  ssmbak preview /app/ -2h -R --only-deleted --exclude 'tmp*'
  ssmbak preview /app/ -2h -R --to-path /staging/

Unchanged parameters are left out unless --all is given. SecureStrings are
shown as ******** unless --reveal is given. A plan holds no value. With
--trust-index nothing is listed: faster, and what has not been captured yet
is not seen.")]
#[command(override_usage = PREVIEW_USAGE)]
pub(crate) struct PreviewArgs {
    /// What to look at.
    #[arg(help = PATH_HELP, required_unless_present = "from")]
    pub(crate) path: Option<String>,
    /// When.
    #[arg(help = TIME_HELP, required_unless_present = "from", allow_hyphen_values = true)]
    pub(crate) time: Option<String>,
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
    /// Take the index's word.
    #[arg(long, help = TRUST_HELP, conflicts_with = "all", conflicts_with_all = NOT_TRUSTING)]
    pub(crate) trust_index: bool,
    /// What a file says.
    #[arg(long, value_name = "FILE", help = FROM_HELP, conflicts_with_all = NOT_WITH_A_FILE)]
    pub(crate) from: Option<PathBuf>,
    /// Write the plan to a file.
    #[arg(long, conflicts_with_all = ["from", "ElsewhereArgs"], value_name = "FILE", help = NEW_PLAN_HELP)]
    pub(crate) plan: Option<PathBuf>,
    /// Write the plan over a file that is there
    #[arg(long, requires = "plan")]
    pub(crate) overwrite: bool,
    /// As `restore` takes them.
    #[command(flatten)]
    pub(crate) how: HowArgs,
    /// Which of them.
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// Where to.
    #[command(flatten)]
    pub(crate) to: ElsewhereArgs,
}

/// `ssmbak restore`.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[command(after_help = "\
Examples:
  ssmbak restore /app/ -2h -R
  ssmbak restore /app/db 2024-06-15T17:56:58 --yes
  ssmbak restore /app/ -2h --labels --key-id alias/old=alias/new
  ssmbak restore --plan plan.json
  ssmbak restore --from export.json
  ssmbak restore /app/ -2h -R --only-deleted --type SecureString
  ssmbak restore /app/ -2h -R --to-path /staging/ --on-conflict skip
  ssmbak restore /app/ -2h -R --to-region eu-west-1 --to-profile other

Does what preview shows, and refuses a parameter that changed in between. On a
terminal it asks first. Without a terminal it goes on, unless something would
be deleted, for good or to be created again: that takes --yes. A plan says
itself what is restored, and how; what moved since it was made is refused. Of
an exported file what it does not name is left alone.")]
#[command(override_usage = RESTORE_USAGE)]
pub(crate) struct RestoreArgs {
    /// What to restore.
    #[arg(help = PATH_HELP, required_unless_present_any = ["plan", "from"])]
    pub(crate) path: Option<String>,
    /// When.
    #[arg(help = TIME_HELP, required_unless_present_any = ["plan", "from"], allow_hyphen_values = true)]
    pub(crate) time: Option<String>,
    /// With all levels below.
    #[arg(short = 'R', long, help = RECURSIVE_HELP)]
    pub(crate) recursive: bool,
    /// Do what a saved plan says.
    #[arg(long, value_name = "FILE", help = PLAN_HELP, conflicts_with_all = FIXED_BY_A_PLAN)]
    pub(crate) plan: Option<PathBuf>,
    /// Put back what a file says.
    #[arg(long, value_name = "FILE", help = FROM_HELP, conflicts_with_all = NOT_WITH_A_FILE)]
    pub(crate) from: Option<PathBuf>,
    /// Write what has moved since the plan was made, too
    #[arg(long, requires = "plan", conflicts_with_all = ["path", "time", "from"])]
    pub(crate) force: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Take the index's word.
    #[arg(long, help = TRUST_HELP, conflicts_with = "plan", conflicts_with_all = NOT_TRUSTING)]
    pub(crate) trust_index: bool,
    /// Show secrets.
    #[arg(long, help = REVEAL_HELP)]
    pub(crate) reveal: bool,
    /// How to go about it.
    #[command(flatten)]
    pub(crate) how: HowArgs,
    /// Which of them.
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// Where to.
    #[command(flatten)]
    pub(crate) to: ElsewhereArgs,
}

/// `ssmbak undo`.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[command(after_help = "\
Examples:
  ssmbak undo --dry-run
  ssmbak undo
  ssmbak undo 5b0c2f7e --yes

Without RUN it is the last one: undo, and undo again takes the undo back. To
finish an undo that was interrupted, give it the same RUN again. `ssmbak runs`
lists them. A parameter that changed since the run is refused and named, the
others are done. Labels stay where the run put them.")]
pub(crate) struct UndoArgs {
    /// Which run.
    #[arg(help = RUN_HELP)]
    pub(crate) run: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Show what it would do, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also what changed since the run; each is named
    #[arg(long)]
    pub(crate) force: bool,
    /// Recreate what cannot be overwritten.
    #[arg(long, help = RECREATE_HELP)]
    pub(crate) recreate: bool,
    /// Show secrets.
    #[arg(long, help = REVEAL_HELP)]
    pub(crate) reveal: bool,
}
