//! Who calls: the account, and the partition of AWS that it is in.

use aws_config::SdkConfig;

use crate::aws::AwsError;

/// The partition of most accounts.
const DEFAULT_PARTITION: &str = "aws";

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The number of the account.
    pub(crate) account: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
}

/// Asks AWS who calls; none where it names no account.
pub(crate) async fn caller(sdk: &SdkConfig) -> Result<Option<Caller>, AwsError> {
    let identity = ssmbak_core::told_client!(aws_sdk_sts, sdk)
        .get_caller_identity()
        .send()
        .await
        .map_err(|e| AwsError::new("sts:GetCallerIdentity", e))?;
    let partition = partition(identity.arn().unwrap_or_default());
    Ok(identity.account().map(|account| Caller {
        account: account.to_owned(),
        partition,
    }))
}

/// Returns the partition that an ARN names.
pub(crate) fn partition(arn: &str) -> String {
    let named = arn.split(':').nth(1).filter(|part| !part.is_empty());
    named.unwrap_or(DEFAULT_PARTITION).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_tells_the_partition() {
        assert_eq!(partition("arn:aws-cn:iam::1:user/a"), "aws-cn");
        assert_eq!(partition(""), "aws");
    }
}
