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
    /// Its status
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
