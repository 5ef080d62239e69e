//! What can go wrong with a store, and the way out.

use std::error::Error as StdError;
use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

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
    /// No answer.
    Unreachable,
    /// What is stored cannot be read by this program.
    Format,
    /// The index is being rebuilt: it does not have everything yet.
    Unfinished,
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
}

impl StoreError {
    /// An error of our own making.
    pub fn new(attempted: impl Into<String>, kind: ErrorKind, told: impl Into<String>) -> Self {
        Self {
            attempted: attempted.into(),
            kind,
            code: None,
            told: Some(told.into()),
        }
    }

    /// The error of a call; `attempted` says what it was for.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "the SDK's error ends here: its debug form may hold values"
    )]
    pub(crate) fn of<E>(attempted: impl Into<String>, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let code = error.code().map(str::to_owned);
        let status = error.raw_response().map(|r| r.status().as_u16());
        let told = error.message().map(str::to_owned).or_else(|| {
            let told = |status| format!("the service answered with HTTP status {status}");
            status.map(told)
        });
        let kind = match (&error, code.as_deref()) {
            (SdkError::ServiceError(_), Some(code)) => kind_of_code(code, told.as_deref()),
            (SdkError::ServiceError(_), None) => kind_of_status(status),
            _ => kind_of_chain(&error),
        };
        Self {
            attempted: attempted.into(),
            kind,
            code,
            told,
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
        self
    }

    /// The way out, where there is one.
    pub fn hint(&self) -> Option<String> {
        Some(match self.kind {
            ErrorKind::AccessDenied => {
                "the message names the action or key that is missing: add it to your role or policy"
                    .into()
            }
            ErrorKind::Credentials => {
                "sign in (aws sso login, aws configure), or name a profile with --profile".into()
            }
            ErrorKind::KeyGone => "restore an instant before the key was used".into(),
            ErrorKind::Key => {
                "the KMS key must exist and be enabled; cancel its deletion or enable it again".into()
            }
            ErrorKind::Missing => {
                "check --stack, --bucket, --table and --region; `ssmbak stack NAME status` shows what is there"
                    .into()
            }
            ErrorKind::Throttled => "AWS throttles this account; try again in a minute".into(),
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
            ErrorKind::Refused => return None,
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
                    ErrorKind::Key
                    | ErrorKind::KeyGone
                    | ErrorKind::Format
                    | ErrorKind::Unfinished
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
        }
    }
}

fn kind_of_code(code: &str, told: Option<&str>) -> ErrorKind {
    // Parameter Store wraps what KMS said in a code of its own.
    let told_of = |text: &str| told.is_some_and(|t| t.contains(text));
    match code {
        "AccessDeniedException"
        | "AccessDenied"
        | "UnauthorizedOperation"
        | "KMSAccessDeniedException" => ErrorKind::AccessDenied,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "MissingAuthenticationToken"
        | "IncompleteSignature" => ErrorKind::Credentials,
        "KMS.NotFoundException" => ErrorKind::KeyGone,
        "InvalidKeyId" if told_of("NotFoundException") => ErrorKind::KeyGone,
        "InvalidKeyId"
        | "KMSInvalidStateException"
        | "KMS.DisabledException"
        | "KMSKeyInvalidStateException"
        | "KMS.KMSInvalidStateException" => ErrorKind::Key,
        "ResourceNotFoundException"
        | "NoSuchBucket"
        | "NoSuchKey"
        | "NoSuchVersion"
        | "NotFound"
        | "ParameterNotFound" => ErrorKind::Missing,
        "ThrottlingException"
        | "Throttling"
        | "TooManyUpdates"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        // Another writer's transaction holds the row for a moment.
        | "TransactionConflictException"
        | "ProvisionedThroughputExceededException"
        | "SlowDown" => ErrorKind::Throttled,
        "ValidationException"
            if told_of("key element") || told_of("Key element") || told_of("key schema") =>
        {
            ErrorKind::Format
        }
        _ => ErrorKind::Refused,
    }
}

/// A HEAD request has no body and so no code: its status must do.
fn kind_of_status(status: Option<u16>) -> ErrorKind {
    match status {
        Some(403) => ErrorKind::AccessDenied,
        Some(404) => ErrorKind::Missing,
        _ => ErrorKind::Refused,
    }
}

/// No answer came: was it for want of credentials?
fn kind_of_chain(error: &(dyn StdError + 'static)) -> ErrorKind {
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string().to_lowercase();
        if text.contains("credential") || text.contains("identity") || text.contains("token") {
            return ErrorKind::Credentials;
        }
        next = error.source();
    }
    ErrorKind::Unreachable
}
