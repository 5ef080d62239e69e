//! Who is calling.

use aws_config::SdkConfig;

use super::error::{ErrorKind, StoreError};

/// The identity behind the credentials. Its client is made when it is asked
/// for: the function never asks, and so does not carry it.
#[derive(Clone, Debug)]
pub struct Identity {
    config: SdkConfig,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account's twelve digits.
    pub account: String,
    /// The ARN of the user or of the role's session.
    pub arn: String,
}

impl Identity {
    /// Of the credentials of `config`. Nothing is sent yet.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            config: config.clone(),
        }
    }

    /// Who calls. Needs no permission.
    pub async fn caller(&self) -> Result<Caller, StoreError> {
        let client = crate::told_client!(aws_sdk_sts, &self.config);
        let answer = client.get_caller_identity().send().await;
        let answer =
            answer.map_err(|e| StoreError::of("sts:GetCallerIdentity", "ask who is calling", e))?;
        Ok(Caller {
            account: answer.account.unwrap_or_default(),
            arn: answer.arn.unwrap_or_default(),
        })
    }

    /// The caller's ARN; none where it cannot be told. Needs no permission.
    pub async fn arn(&self) -> Option<String> {
        match self.caller().await {
            Ok(caller) => Some(caller.arn).filter(|arn| !arn.is_empty()),
            Err(error) => {
                tracing::warn!(code = error.code(), "who is calling could not be told");
                None
            }
        }
    }

    /// The caller's account. Needs no permission.
    pub async fn account(&self) -> Result<String, StoreError> {
        let account = self.caller().await?.account;
        if account.is_empty() {
            let told = "the answer does not say";
            return Err(StoreError::new(
                "tell whose account it is",
                ErrorKind::Refused,
                told,
            ));
        }
        Ok(account)
    }
}
