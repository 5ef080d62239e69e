//! The settings of a stack: the template's parameters that a person chooses, each a type of its own
//! that takes nothing that CloudFormation or AWS would refuse later.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use saphyr::{LoadableYamlNode, Yaml};

use crate::template;

/// The parameter that names an adopted bucket.
pub const EXISTING_BUCKET: &str = "ExistingBucket";
/// The parameter that names an adopted table.
pub const EXISTING_TABLE: &str = "ExistingTable";
/// The parameter that names the key of bucket and table.
pub const ENCRYPTION_KEY: &str = "EncryptionKey";

/// The parameter that tells for how many days versions are locked.
pub(super) const OBJECT_LOCK_DAYS: &str = "ObjectLockDays";

/// How long the function's log can be kept, in days: CloudWatch takes no other number.
const RETENTION_DAYS: [u32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];
/// Below a minute CloudWatch has no data to judge by.
const ALARM_SECONDS_MIN: u32 = 60;
/// The longest that S3 locks a version, and longer than anyone keeps one.
const DAYS_MAX: u32 = 36_500;
/// A lifecycle rule of S3 that keeps none says so by leaving the number out.
const KEPT_MIN: u32 = 1;
/// The most superseded versions that a lifecycle rule of S3 can keep.
const KEPT_MAX: u32 = 100;

/// A text that a setting does not take. Its message tells what the setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be {0}")]
pub struct SettingError(&'static str);

/// What is set of a stack; what is not keeps the value it has, or the template's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The least severe kind of line that the function logs.
    pub log_level: Option<LogLevel>,
    /// How long its log is kept.
    pub log_retention: Option<RetentionDays>,
    /// Where alarms are sent to.
    pub alarm_topic: Option<AlarmTopic>,
    /// After how long a waiting event is an alarm.
    pub oldest_message_alarm: Option<AlarmSeconds>,
    /// How late a change may be captured before it is an alarm.
    pub capture_lag_alarm: Option<AlarmSeconds>,
    /// The keys of `SecureStrings` that may be used.
    pub secure_string_keys: Option<KeyArns>,
    /// The key that bucket and table are encrypted with. Settled when the stack is created.
    pub encryption: Option<Encryption>,
    /// For how long no version in the bucket can be deleted.
    pub object_lock_days: Option<Days>,
    /// Who may lift the lock.
    pub object_lock_mode: Option<ObjectLockMode>,
    /// After how long a superseded value expires.
    pub superseded_days: Option<Days>,
    /// How many superseded values of each parameter are kept whatever their age.
    pub superseded_kept: Option<Kept>,
    /// When everything is reconciled.
    pub reconcile_schedule: Option<Schedule>,
    /// Whether `CloudTrail` tells who deletes.
    pub deletions_from_cloudtrail: Option<Switch>,
    /// Whether the restorer's policy asks for a second factor.
    pub restorer_needs_mfa: Option<bool>,
    /// Whether the bucket refuses plain http.
    pub enforce_tls: Option<bool>,
}

impl Settings {
    /// Returns the template's parameters that are set, by name.
    pub fn parameters(&self) -> BTreeMap<String, String> {
        let text = |value: &Option<_>| value.as_ref().map(bool::to_string);
        let all = [
            ("LogLevel", told(self.log_level.as_ref())),
            ("LogRetentionDays", told(self.log_retention.as_ref())),
            ("AlarmTopicArn", told(self.alarm_topic.as_ref())),
            (
                "OldestMessageAlarmSeconds",
                told(self.oldest_message_alarm.as_ref()),
            ),
            (
                "CaptureLagAlarmSeconds",
                told(self.capture_lag_alarm.as_ref()),
            ),
            (
                "SecureStringKeyArns",
                told(self.secure_string_keys.as_ref()),
            ),
            (ENCRYPTION_KEY, told(self.encryption.as_ref())),
            (OBJECT_LOCK_DAYS, told(self.object_lock_days.as_ref())),
            ("ObjectLockMode", told(self.object_lock_mode.as_ref())),
            ("SupersededDays", told(self.superseded_days.as_ref())),
            (
                "SupersededVersionsKept",
                told(self.superseded_kept.as_ref()),
            ),
            ("ReconcileSchedule", told(self.reconcile_schedule.as_ref())),
            (
                "DeletionsFromCloudTrail",
                told(self.deletions_from_cloudtrail.as_ref()),
            ),
            ("RestorerNeedsMfa", text(&self.restorer_needs_mfa)),
            ("EnforceTls", text(&self.enforce_tls)),
        ];
        all.into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }
}

/// Returns the names of all parameters of the template.
pub(super) fn parameter_names() -> BTreeSet<String> {
    let documents = Yaml::load_from_str(template::template()).unwrap_or_default();
    let parameters = documents
        .first()
        .and_then(|template| template.as_mapping_get("Parameters"))
        .and_then(Yaml::as_mapping);
    parameters
        .into_iter()
        .flat_map(|parameters| parameters.keys())
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

fn told(value: Option<&impl fmt::Display>) -> Option<String> {
    value.map(ToString::to_string)
}

/// The least severe kind of line that the function logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Errors alone.
    Error,
    /// Warnings too.
    Warn,
    /// A line for each capture too.
    Info,
    /// Everything.
    Debug,
}

impl FromStr for LogLevel {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_uppercase().as_str() {
            "ERROR" => Ok(Self::Error),
            "WARN" => Ok(Self::Warn),
            "INFO" => Ok(Self::Info),
            "DEBUG" => Ok(Self::Debug),
            _ => Err(SettingError("error, warn, info or debug")),
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        })
    }
}

/// How long a log is kept: one of the numbers that CloudWatch takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionDays(u32);

impl FromStr for RetentionDays {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let days = text.parse().ok();
        days.filter(|days| RETENTION_DAYS.contains(days))
            .map(Self)
            .ok_or(SettingError(
                "one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, \
                 1827, 2192, 2557, 2922, 3288, 3653",
            ))
    }
}

impl fmt::Display for RetentionDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The ARN of an SNS topic, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmTopic(Option<String>);

impl FromStr for AlarmTopic {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self(None));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match arn(text, "sns") {
            Some(name) if !name.is_empty() && name.chars().all(fits) => {
                Ok(Self(Some(text.to_owned())))
            }
            _ => Err(SettingError(
                "none, or the ARN of an SNS topic: arn:aws:sns:REGION:ACCOUNT:NAME",
            )),
        }
    }
}

impl fmt::Display for AlarmTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or_default())
    }
}

/// How long something may take before it is an alarm: a minute at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmSeconds(u32);

impl FromStr for AlarmSeconds {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = text.parse().ok();
        seconds
            .filter(|seconds| *seconds >= ALARM_SECONDS_MIN)
            .map(Self)
            .ok_or(SettingError("a whole number of seconds, 60 at least"))
    }
}

impl fmt::Display for AlarmSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The ARNs of KMS keys; none: any key of the account and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyArns(Vec<String>);

impl FromStr for KeyArns {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "any" {
            return Ok(Self(Vec::new()));
        }
        // The role names them in its policy, where an alias means nothing.
        let arns: Vec<_> = text.split(',').map(|one| one.trim().to_owned()).collect();
        if arns.iter().all(|one| is_key_arn(one)) {
            Ok(Self(arns))
        } else {
            Err(SettingError(
                "any, or ARNs of KMS keys with commas between them: \
                 arn:aws:kms:REGION:ACCOUNT:key/ID (aliases do not do)",
            ))
        }
    }
}

impl fmt::Display for KeyArns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

/// What bucket and table are encrypted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// A key of the stack's own.
    Own,
    /// Keys that AWS holds.
    None,
    /// This key, by its ARN.
    Key(String),
}

impl FromStr for Encryption {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "own" => Ok(Self::Own),
            "none" => Ok(Self::None),
            key if is_key_arn(key) => Ok(Self::Key(key.to_owned())),
            _ => Err(SettingError(
                "own, none, or the ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID",
            )),
        }
    }
}

impl fmt::Display for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "own",
            Self::None => "none",
            Self::Key(arn) => arn,
        })
    }
}

/// A number of days; 0 means never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(u32);

impl Days {
    /// Returns the number, unless it means never.
    pub fn set(self) -> Option<u32> {
        (self.0 > 0).then_some(self.0)
    }
}

impl FromStr for Days {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let days = text.parse().ok();
        days.filter(|days| *days <= DAYS_MAX)
            .map(Self)
            .ok_or(SettingError(
                "a whole number of days, 36500 at most; 0 is off",
            ))
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who may delete a locked version before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectLockMode {
    /// Who has the permission to bypass the lock.
    Governance,
    /// Nobody, not even the root user.
    Compliance,
}

impl FromStr for ObjectLockMode {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_uppercase().as_str() {
            "GOVERNANCE" => Ok(Self::Governance),
            "COMPLIANCE" => Ok(Self::Compliance),
            _ => Err(SettingError("governance or compliance")),
        }
    }
}

impl fmt::Display for ObjectLockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        })
    }
}

/// How many superseded values of each parameter are kept whatever their age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept(u32);

impl FromStr for Kept {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kept = text.parse().ok();
        kept.filter(|kept| (KEPT_MIN..=KEPT_MAX).contains(kept))
            .map(Self)
            .ok_or(SettingError("a whole number from 1 to 100"))
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// When everything is reconciled, as EventBridge has it; or never.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(String);

impl FromStr for Schedule {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" || is_rate(text) || is_cron(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SettingError(
                "none, rate(1 hour), rate(N minutes|hours|days) or cron(...) with six fields",
            ))
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// EventBridge takes the singular with 1 and the plural with more, and nothing else.
fn is_rate(text: &str) -> bool {
    let inner = text.strip_prefix("rate(").and_then(|r| r.strip_suffix(')'));
    let Some((number, unit)) = inner.and_then(|inner| inner.split_once(' ')) else {
        return false;
    };
    match number.parse::<u32>() {
        Ok(1) => matches!(unit, "minute" | "hour" | "day"),
        Ok(2..) => matches!(unit, "minutes" | "hours" | "days"),
        Ok(0) | Err(_) => false,
    }
}

fn is_cron(text: &str) -> bool {
    let inner = text.strip_prefix("cron(").and_then(|r| r.strip_suffix(')'));
    let fits = |c: char| c.is_ascii_alphanumeric() || "*?,-/#".contains(c);
    inner.is_some_and(|inner| {
        let fields: Vec<_> = inner.split_ascii_whitespace().collect();
        fields.len() == 6
            && fields.iter().all(|field| field.chars().all(fits))
            // Of day of month and day of week, one must be left open.
            && (fields[2] == "?") != (fields[4] == "?")
    })
}

/// Whether something is done that is not done by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It is not.
    Off,
    /// It is.
    On,
}

impl FromStr for Switch {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            "on" => Ok(Self::On),
            _ => Err(SettingError("on or off")),
        }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::On => "on",
        })
    }
}

/// A tag of the stack, and with it of every resource: `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackTag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

impl FromStr for StackTag {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
        let reserved = |key: &str| {
            let key = key.to_ascii_lowercase();
            key.starts_with("aws:") || key.starts_with("ssmbak:")
        };
        match text.split_once('=') {
            Some((key, value))
                if !key.is_empty()
                    && key.chars().count() <= 128
                    && value.chars().count() <= 256
                    && text.chars().all(fits)
                    && !reserved(key) =>
            {
                Ok(Self {
                    key: key.to_owned(),
                    value: value.to_owned(),
                })
            }
            _ => Err(SettingError(
                "KEY=VALUE of letters, digits, spaces and _.:/=+-@; aws: and ssmbak: are not yours",
            )),
        }
    }
}

/// Returns whether `text` is the ARN of a KMS key, not of an alias.
pub(super) fn is_key_arn(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    arn(text, "kms")
        .and_then(|resource| resource.strip_prefix("key/"))
        .is_some_and(|id| !id.is_empty() && id.chars().all(fits))
}

/// Returns the resource of an ARN of `service` with region and account.
fn arn<'a>(text: &'a str, service: &str) -> Option<&'a str> {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next();
    let shape = next() == Some("arn")
        && next()?.starts_with("aws")
        && next() == Some(service)
        && !next()?.is_empty()
        && next().is_some_and(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()));
    if shape { next() } else { None }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
