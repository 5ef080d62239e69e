//! A call that AWS did not answer as hoped.

use std::error::Error;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};

/// What kind of trouble a call met: decides hint, retry and exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AwsErrorKind {
    /// The caller may not do this.
    Denied,
    /// No credentials were found, or they are no longer valid.
    Credentials,
    /// No region is set.
    Region,
    /// Nobody answered, or the connection broke.
    Unreachable,
    /// Too many calls, even after the SDK's own retries.
    Throttled,
    /// AWS understood the call and refused it.
    Refused,
}

/// A call that AWS did not answer as hoped.
///
/// The message is what AWS said, or what kept the call from reaching it; the SDK's own error is
/// the source, and never part of the message.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {message}")]
pub struct AwsError {
    /// The operation, as AWS spells it, with its service: `cloudformation:CreateStack`.
    pub operation: &'static str,
    /// The kind of trouble.
    pub kind: AwsErrorKind,
    /// The code that AWS answered with, where it answered.
    pub code: Option<String>,
    /// What AWS said.
    pub message: String,
    /// The SDK's error.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl AwsError {
    /// Wraps what `operation` failed with.
    pub(crate) fn new<E>(operation: &'static str, error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let code = error.code().map(str::to_owned);
        let status = status(&error);
        let chain = chain(&error);
        let kind = kind(code.as_deref(), status, &chain);
        let message = match (error.message(), code.as_deref(), status) {
            (Some(message), _, _) => message.to_owned(),
            (None, Some(code), _) => code.to_owned(),
            (None, None, Some(status)) => format!("answered with HTTP status {status}"),
            (None, None, None) if kind == AwsErrorKind::Credentials => {
                "no usable AWS credentials were found".to_owned()
            }
            // The chain goes from "dispatch failure" to what really happened.
            (None, None, None) => {
                let deepest = chain.rsplit(": ").next().unwrap_or(&chain);
                format!("no answer: {deepest}")
            }
        };
        Self {
            operation,
            kind,
            code,
            message,
            source: Box::new(error),
        }
    }

    /// Returns the way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self.kind {
            AwsErrorKind::Denied => Some(format!(
                "these credentials need the permission {}",
                self.operation
            )),
            AwsErrorKind::Credentials => {
                Some("sign in, or choose a profile with --profile or AWS_PROFILE".into())
            }
            AwsErrorKind::Region => {
                Some("set a region with --region, AWS_REGION or in the profile".into())
            }
            AwsErrorKind::Unreachable => {
                Some("check the network, --region and --endpoint-url".into())
            }
            AwsErrorKind::Throttled => Some("try again in a minute".into()),
            AwsErrorKind::Refused => None,
        }
    }
}

fn kind(code: Option<&str>, status: Option<u16>, chain: &str) -> AwsErrorKind {
    match code {
        Some("AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation") => {
            AwsErrorKind::Denied
        }
        Some(
            "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException",
        ) => AwsErrorKind::Credentials,
        Some("Throttling" | "ThrottlingException" | "TooManyRequestsException" | "SlowDown") => {
            AwsErrorKind::Throttled
        }
        Some(_) => AwsErrorKind::Refused,
        None if status == Some(403) => AwsErrorKind::Denied,
        None if status.is_some() => AwsErrorKind::Refused,
        None if chain.to_lowercase().contains("region") => AwsErrorKind::Region,
        None if chain.to_lowercase().contains("credential") => AwsErrorKind::Credentials,
        None => AwsErrorKind::Unreachable,
    }
}

/// Returns the status of the answer, if there was one. An answer to a HEAD request has no body, hence
/// no code: only its status and headers tell.
pub(crate) fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

/// Returns what `error` and its causes say, in one line.
fn chain(error: &dyn Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        cause = error.source();
    }
    parts.join(": ")
}

pub(crate) fn cloudformation(sdk: &SdkConfig) -> aws_sdk_cloudformation::Client {
    aws_sdk_cloudformation::Client::new(sdk)
}

/// Returns an S3 client that speaks path-style where the endpoint is not AWS's own: a name before
/// a custom host resolves to nothing.
pub(crate) fn s3(sdk: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(sdk)
        .force_path_style(sdk.endpoint_url().is_some())
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_the_kind() {
        assert_eq!(
            kind(Some("AccessDenied"), Some(403), ""),
            AwsErrorKind::Denied
        );
        assert_eq!(
            kind(Some("ExpiredToken"), Some(403), ""),
            AwsErrorKind::Credentials
        );
        assert_eq!(
            kind(Some("Throttling"), Some(400), ""),
            AwsErrorKind::Throttled
        );
        assert_eq!(
            kind(Some("ValidationError"), Some(400), ""),
            AwsErrorKind::Refused
        );
    }

    #[test]
    fn without_an_answer_the_causes_decide() {
        let missing = "dispatch failure: other: the credential provider was not enabled";
        assert_eq!(kind(None, None, missing), AwsErrorKind::Credentials);
        assert_eq!(
            kind(
                None,
                None,
                "Invalid Configuration: A region must be set when sending requests"
            ),
            AwsErrorKind::Region
        );
        assert_eq!(
            kind(None, None, "dispatch failure: io error"),
            AwsErrorKind::Unreachable
        );
        assert_eq!(kind(None, Some(403), "service error"), AwsErrorKind::Denied);
    }
}
