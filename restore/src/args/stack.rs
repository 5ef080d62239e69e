//! The arguments of `ssmbak stack`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ssmbak_infra::deploy::settings::{
    AlarmSeconds, AlarmTopic, Days, Encryption, Kept, KeyArns, LogLevel, ObjectLockMode,
    RetentionDays, Schedule, Settings, StackTag, Switch,
};

/// `ssmbak stack`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak stack ssmbak create
  ssmbak stack ssmbak create --function-zip bootstrap.zip --arch arm64
  ssmbak stack ssmbak update --log-retention-days 30
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
    Create(Box<CreateArgs>),
    /// Update it; what would change is shown first
    Update(Box<UpdateArgs>),
    /// Delete it; bucket, table and key are kept
    Delete(DeleteArgs),
    /// How it does: status, version, messages, alarms
    #[command(
        after_help = "Examples:\n  ssmbak stack ssmbak status\n  ssmbak stack ssmbak status --output json"
    )]
    Status,
    /// Its resources
    #[command(
        after_help = "Examples:\n  ssmbak stack ssmbak resources\n  ssmbak stack ssmbak resources --output csv"
    )]
    Resources,
    /// Name of its bucket
    #[command(after_help = "Example:\n  ssmbak stack ssmbak bucketname")]
    Bucketname,
    /// Name of its table
    #[command(after_help = "Example:\n  ssmbak stack ssmbak tablename")]
    Tablename,
    /// Name of its function
    #[command(after_help = "Example:\n  ssmbak stack ssmbak lambdaname")]
    Lambdaname,
    /// The region it is in
    #[command(after_help = "Example:\n  ssmbak stack ssmbak region")]
    Region,
    /// The template
    #[command(after_help = "Example:\n  ssmbak stack ssmbak template > template.yaml")]
    Template,
    /// Put back what could not be captured
    Redrive(RedriveArgs),
    /// Print an IAM policy, to be attached by hand
    Policy(PolicyArgs),
}

/// `ssmbak stack NAME create`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak stack prod create
  ssmbak stack prod create --alarm-topic ARN --log-retention-days 365
  ssmbak stack prod create --bucket BUCKET --table TABLE

With --bucket and --table, given as options, the stack goes on with the
history that another stack left in them. The environment alone adopts nothing.")]
pub(crate) struct CreateArgs {
    /// What the function runs.
    #[command(flatten)]
    pub(crate) code: CodeArgs,
    /// Key of bucket and table: own, none or the ARN of a KMS key [default: own]
    #[arg(long, value_name = "KEY", help_heading = HEADING)]
    pub(crate) encryption: Option<Encryption>,
    /// What is set.
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// `ssmbak stack NAME update`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak stack prod update --dry-run
  ssmbak stack prod update --function-zip ssmbak-function-arm64.zip
  ssmbak stack prod update --log-level debug --yes

What is not given stays as it is. Shows what would change, and asks on a
terminal. Without one it goes on, unless a resource would be removed or
replaced: that takes --yes. Bucket, table and key are never replaced. If the new
function does not work, the stack gets back what it had.")]
pub(crate) struct UpdateArgs {
    /// What the function runs.
    #[command(flatten)]
    pub(crate) code: CodeArgs,
    /// Only show what would change
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// What is set.
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// `ssmbak stack NAME delete`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssmbak stack prod delete
  ssmbak stack prod delete --yes
  echo prod | ssmbak stack prod delete

Asks for the stack's name. Without a terminal it takes --yes, or the name as a
line on standard input. Bucket, table and key are kept.")]
pub(crate) struct DeleteArgs {
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

const HEADING: &str = "Settings";

/// What the function runs.
#[derive(Debug, Args)]
pub(crate) struct CodeArgs {
    /// Zip of the function [default: beside ssmbak]
    #[arg(long, value_name = "FILE")]
    pub(crate) function_zip: Option<PathBuf>,
    /// Processor of the function [default: the zip's]
    #[arg(long, value_enum)]
    pub(crate) arch: Option<Arch>,
}

/// The settings of a stack: those that an update can change.
#[derive(Debug, Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct SettingsArgs {
    /// Least severe lines that the function logs: error, warn, info or debug
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<LogLevel>,
    /// Days that its log is kept
    #[arg(long, value_name = "DAYS")]
    pub(crate) log_retention_days: Option<RetentionDays>,
    /// SNS topic that alarms are sent to, or none
    #[arg(long, value_name = "ARN")]
    pub(crate) alarm_topic: Option<AlarmTopic>,
    /// An event that waits for longer is an alarm
    #[arg(long, value_name = "SECONDS")]
    pub(crate) oldest_message_alarm: Option<AlarmSeconds>,
    /// A change captured later is an alarm
    #[arg(long, value_name = "SECONDS")]
    pub(crate) capture_lag_alarm: Option<AlarmSeconds>,
    /// Keys of secrets.
    #[arg(
        long,
        value_name = "ARN[,ARN]",
        help = "KMS keys of SecureStrings, with commas between them, or any"
    )]
    pub(crate) secure_string_keys: Option<KeyArns>,
    /// Days for which nobody can delete a backup; cannot be turned off again
    #[arg(long, value_name = "DAYS")]
    pub(crate) object_lock_days: Option<Days>,
    /// Who may lift that lock: governance (whoever may) or compliance (nobody)
    #[arg(long, value_name = "MODE")]
    pub(crate) object_lock_mode: Option<ObjectLockMode>,
    /// Days after which a superseded value is deleted for good; 0 is never
    #[arg(long, value_name = "DAYS")]
    pub(crate) expire_superseded_days: Option<Days>,
    /// So many superseded values of each parameter are kept all the same
    #[arg(long, value_name = "NUMBER")]
    pub(crate) keep_superseded: Option<Kept>,
    /// When all is reconciled: 'rate(1 day)', 'cron(...)' or none
    #[arg(long, value_name = "WHEN")]
    pub(crate) reconcile_schedule: Option<Schedule>,
    /// Who deletes.
    #[arg(
        long,
        value_name = "SWITCH",
        help = "Whether CloudTrail tells who deletes; it takes a trail: on or off"
    )]
    pub(crate) deletions_from_cloudtrail: Option<Switch>,
    /// Whether the restorer's policy asks for a second factor
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    pub(crate) restorer_needs_mfa: Option<bool>,
    /// Whether the bucket refuses plain http; false is for emulators
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", hide_short_help = true)]
    pub(crate) enforce_tls: Option<bool>,
    /// Tag of the stack and all its resources; can be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub(crate) tags: Vec<StackTag>,
}

impl SettingsArgs {
    /// What is set.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            log_level: self.log_level,
            log_retention: self.log_retention_days,
            alarm_topic: self.alarm_topic.clone(),
            oldest_message_alarm: self.oldest_message_alarm,
            capture_lag_alarm: self.capture_lag_alarm,
            secure_string_keys: self.secure_string_keys.clone(),
            encryption: None,
            object_lock_days: self.object_lock_days,
            object_lock_mode: self.object_lock_mode,
            superseded_days: self.expire_superseded_days,
            superseded_kept: self.keep_superseded,
            reconcile_schedule: self.reconcile_schedule.clone(),
            deletions_from_cloudtrail: self.deletions_from_cloudtrail,
            restorer_needs_mfa: self.restorer_needs_mfa,
            enforce_tls: self.enforce_tls,
        }
    }
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
before it exists: its ARNs are then patterns that the stack will match. No
stack has been created on AWS under exactly these two yet.")]
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
