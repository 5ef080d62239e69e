//! What keeps the record whole: `seed`, `import`, `rebuild` and `verify`.

use clap::Args;

use super::PATH_HELP;

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
