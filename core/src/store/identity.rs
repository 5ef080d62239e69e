//! Who is calling.

use aws_config::SdkConfig;
use aws_sdk_sts::Client;

/// The identity behind the credentials.
#[derive(Clone, Debug)]
pub struct Identity {
    client: Client,
}

impl Identity {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }

    /// The caller's ARN; none where it cannot be told. Needs no permission.
    pub async fn arn(&self) -> Option<String> {
        let answer = self.client.get_caller_identity().send().await;
        match answer {
            Ok(answer) => answer.arn,
            Err(error) => {
                let code = aws_smithy_types::error::metadata::ProvideErrorMetadata::code(&error);
                tracing::warn!(code, "who is calling could not be told");
                None
            }
        }
    }
}
