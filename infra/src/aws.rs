//! A call that AWS did not answer as hoped.

use std::error::Error;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
pub use ssmbak_core::store::ErrorKind;
use ssmbak_core::store::Trouble;

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
    pub kind: ErrorKind,
    /// The code that AWS answered with, where it answered.
    pub code: Option<Box<str>>,
    /// What AWS said.
    pub message: String,
    /// The way out that goes with exactly this failure, where there is one.
    pub way_out: Option<Box<str>>,
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
        let trouble = Trouble::of(operation, &error);
        let told = trouble.told.or_else(|| trouble.code.clone());
        Self {
            operation,
            kind: trouble.kind,
            code: trouble.code.map(Into::into),
            message: told.unwrap_or_else(|| "the call failed".to_owned()),
            way_out: trouble.way_out.map(Into::into),
            source: Box::new(error),
        }
    }

    /// Returns the way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        self.way_out
            .as_deref()
            .map(str::to_owned)
            .or_else(|| match self.kind {
                ErrorKind::Unreachable => {
                    Some("check the network, --region and --endpoint-url".into())
                }
                ErrorKind::Throttled => {
                    Some("AWS throttles this account; try again in a minute".into())
                }
                ErrorKind::AccessDenied
                | ErrorKind::Credentials
                | ErrorKind::Region
                | ErrorKind::Clock
                | ErrorKind::Key
                | ErrorKind::KeyGone
                | ErrorKind::Missing
                | ErrorKind::Format
                | ErrorKind::Unfinished
                | ErrorKind::Stale
                | ErrorKind::Refused => None,
            })
    }
}

/// Returns the status of the answer, if there was one. An answer to a HEAD request has no body, hence
/// no code: only its status and headers tell.
pub(crate) fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

pub(crate) fn cloudformation(sdk: &SdkConfig) -> aws_sdk_cloudformation::Client {
    ssmbak_core::told_client!(aws_sdk_cloudformation, sdk)
}

/// Returns an S3 client that speaks path-style where the endpoint is not AWS's own: a name before
/// a custom host resolves to nothing.
pub(crate) fn s3(sdk: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(sdk)
        .force_path_style(sdk.endpoint_url().is_some())
        .interceptor(ssmbak_core::store::Calls)
        .interceptor(ssmbak_core::store::WholeDocuments)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}
