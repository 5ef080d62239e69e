//! What can go wrong with a store, and the way out.

use std::error::Error as StdError;
use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::trouble::Trouble;
use crate::domain::stored::StoredError;

/// What kind of failure it was: decides the hint, the exit code and whether a
/// message is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A permission, or the use of a key, is missing.
    AccessDenied,
    /// No credentials, or ones that AWS does not accept.
    Credentials,
    /// A key that is disabled, waits for deletion or is wrong: what it
    /// encrypted cannot be read for now.
    Key,
    /// A key that does not exist any more: what it encrypted can never be read.
    KeyGone,
    /// The bucket, table, object or parameter does not exist.
    Missing,
    /// Too many calls, for longer than we were ready to wait.
    Throttled,
    /// No region is set.
    Region,
    /// This machine's clock is wrong: what it signs is refused.
    Clock,
    /// No answer.
    Unreachable,
    /// What is stored cannot be read by this program.
    Format,
    /// The index is being rebuilt: it does not have everything yet.
    Unfinished,
    /// What a listing shows is not found, for longer than we were ready to wait.
    Stale,
    /// Anything else that a service refused.
    Refused,
}

/// A call to a store that failed.
///
/// Its text is a fragment that reads well after "failed to": what was
/// attempted, then the service's own words. It never holds a value.
pub struct StoreError {
    attempted: String,
    kind: ErrorKind,
    code: Option<String>,
    told: Option<String>,
    way_out: Option<String>,
}

impl StoreError {
    /// An error of our own making.
    pub fn new(attempted: impl Into<String>, kind: ErrorKind, told: impl Into<String>) -> Self {
        Self {
            attempted: attempted.into(),
            kind,
            code: None,
            told: Some(told.into()),
            way_out: None,
        }
    }

    /// The error of a call: `action` is the right that it takes, as IAM spells
    /// it; `attempted` says what it was for.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "the SDK's error ends here: its debug form may hold values"
    )]
    pub(crate) fn of<E>(
        action: &'static str,
        attempted: impl Into<String>,
        error: SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let trouble = Trouble::of(action, &error);
        Self {
            attempted: attempted.into(),
            kind: trouble.kind,
            code: trouble.code,
            told: trouble.told,
            way_out: trouble.way_out,
        }
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The service's error code, where it gave one.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Keeps a value that was sent out of what the service told: replaced, or
    /// for a `secret`, of which a service may repeat parts, all left out.
    #[must_use]
    pub(crate) fn without(mut self, value: &str, secret: bool) -> Self {
        let safe = |told: String| told.replace(value, "********");
        self.told = self
            .told
            .filter(|_| !secret || self.kind != ErrorKind::Refused)
            .map(safe);
        self.way_out = self.way_out.map(safe);
        self
    }

    /// The way out, where there is one.
    pub fn hint(&self) -> Option<String> {
        if let Some(way_out) = &self.way_out {
            return Some(way_out.clone());
        }
        Some(match self.kind {
            ErrorKind::KeyGone => "restore an instant before the key was used".into(),
            ErrorKind::Key => {
                "the KMS key must exist and be enabled; cancel its deletion or enable it again".into()
            }
            ErrorKind::Missing => {
                "check --stack, --bucket, --table and --region; `ssmbak stack NAME status` shows what is there"
                    .into()
            }
            ErrorKind::Throttled => "AWS throttles this account; try again in a minute".into(),
            ErrorKind::Stale => {
                "Parameter Store answers as of before a change for a while; try again in a minute".into()
            }
            ErrorKind::Unreachable => {
                "check the network, --region and --endpoint-url".into()
            }
            ErrorKind::Format => {
                "a newer ssmbak wrote it, or the table is not an ssmbak index: update the command line, or check --table"
                    .into()
            }
            ErrorKind::Unfinished => {
                "the index has not everything yet: run `ssmbak rebuild --do-it`, with the same table, to finish it"
                    .into()
            }
            ErrorKind::AccessDenied
            | ErrorKind::Credentials
            | ErrorKind::Region
            | ErrorKind::Clock
            | ErrorKind::Refused => return None,
        })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.attempted)?;
        match (&self.code, &self.told) {
            (Some(code), Some(told)) => write!(f, ": {code}: {told}"),
            (Some(code), None) => write!(f, ": {code}"),
            (None, Some(told)) => write!(f, ": {told}"),
            (None, None) => write!(
                f,
                ": {}",
                match self.kind {
                    ErrorKind::Credentials => "no usable AWS credentials were found",
                    ErrorKind::Unreachable => "the service did not answer",
                    ErrorKind::Missing => "it does not exist",
                    ErrorKind::AccessDenied => "access denied",
                    ErrorKind::Throttled => "throttled",
                    ErrorKind::Region
                    | ErrorKind::Clock
                    | ErrorKind::Key
                    | ErrorKind::KeyGone
                    | ErrorKind::Format
                    | ErrorKind::Unfinished
                    | ErrorKind::Stale
                    | ErrorKind::Refused => {
                        "the call failed"
                    }
                }
            ),
        }
    }
}

/// The SDK's own error is not kept: its debug form holds the response, and so
/// may hold values.
impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for StoreError {}

impl From<StoredError> for StoreError {
    fn from(error: StoredError) -> Self {
        Self {
            attempted: "read what is stored".into(),
            kind: ErrorKind::Format,
            code: None,
            told: Some(error.to_string()),
            way_out: None,
        }
    }
}
