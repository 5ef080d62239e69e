//! The arguments of `ssmbak stack`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `ssmbak stack`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak stack ssmbak create
  ssmbak stack ssmbak create --function-zip bootstrap.zip --arch arm64
  ssmbak stack ssmbak status
  ssmbak stack ssmbak template > template.yaml

Bucket, table and key are kept when the stack is deleted.")]
pub(crate) struct StackArgs {
    /// Name of the stack
    pub(crate) name: String,
    /// What to do, or to ask about it.
    #[command(subcommand)]
    pub(crate) verb: StackVerb,
}

/// What can be done with a stack.
#[derive(Debug, Subcommand)]
pub(crate) enum StackVerb {
    /// Create it; its events are shown as they happen
    Create(CreateArgs),
    /// Delete it; bucket, table and key are kept
    Delete,
    /// How it does: status, version, messages, alarms
    Status,
    /// Its resources
    Resources,
    /// Name of its bucket
    Bucketname,
    /// Name of its table
    Tablename,
    /// Name of its function
    Lambdaname,
    /// The region it is in
    Region,
    /// The template
    Template,
    /// Put back what could not be captured
    Redrive(RedriveArgs),
    /// Print an IAM policy, to be attached by hand
    Policy(PolicyArgs),
}

/// `ssmbak stack NAME create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Zip of the function [default: beside ssmbak]
    #[arg(long, value_name = "FILE")]
    pub(crate) function_zip: Option<PathBuf>,
    /// Processor of the function [default: the zip's]
    #[arg(long, value_enum)]
    pub(crate) arch: Option<Arch>,
}

/// The processor of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Arch {
    /// Graviton
    #[value(name = "arm64")]
    Arm64,
    /// Intel and AMD
    #[value(name = "x86_64")]
    X8664,
}

/// `ssmbak stack NAME redrive`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak stack ssmbak redrive --dry-run    what would be put back
  ssmbak stack ssmbak redrive

Puts the messages of both dead-letter queues back into the queue, where the
function takes them again. Mend first what kept it from capturing them: the log
/aws/lambda/NAME-capture tells. A message that can never be understood is left
where it is.")]
pub(crate) struct RedriveArgs {
    /// Only show what would be put back
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Put back also what cannot be understood; it will come again
    #[arg(long)]
    pub(crate) all: bool,
}

/// `ssmbak stack NAME policy`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak stack ssmbak policy deployer > deployer.json
  aws iam create-policy --policy-name ssmbak-deployer \\
      --policy-document file://deployer.json

The stack makes the same policies. Whoever deploys it needs the deployer's two
before it exists: its ARNs are then patterns that the stack will match.")]
pub(crate) struct PolicyArgs {
    /// Whose policy
    #[arg(value_enum)]
    pub(crate) who: Who,
}

/// Whom a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Who {
    /// Reads who changed what and when; never a value
    Auditor,
    /// Reads backups, writes and deletes parameters
    Restorer,
    /// Captures what lives, puts dead letters back; changes no parameter
    Operator,
    /// Creates, updates and deletes the stack: first half
    Deployer,
    /// The second half
    DeployerAccess,
}
