//! Puts the function's zip where CloudFormation can fetch it.
//!
//! The bucket is one for each account and region, shared by all stacks there. The zip's key is its
//! own hash: the same zip is stored once, and a stack that is updated points to another key.

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, VersioningConfiguration,
};

use crate::aws::{AwsError, ErrorKind, s3, status};
use crate::caller::caller;
use crate::function_zip::FunctionZip;

/// Where a zip lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The artifact bucket of this account and region.
    pub bucket: String,
    /// The zip's key: its hash.
    pub key: String,
    /// Whether it was put there just now, and did not lie there already.
    pub uploaded: bool,
}

/// Returns the name of the artifact bucket of an account in a region.
pub fn bucket_name(account: &str, region: &str) -> String {
    format!("ssmbak-artifacts-{account}-{region}")
}

/// Returns the key that a zip has in the artifact bucket.
pub fn key(zip: &FunctionZip) -> String {
    format!("{}.zip", zip.sha256())
}

/// Makes sure that `zip` lies in the artifact bucket of this account and region.
///
/// The bucket is created if it is missing: no public access, versioned, encrypted. The first two are
/// set before anything is put into it, whoever created it: who did may have come no further. A bucket
/// of that name in another account is never written to.
pub async fn upload(sdk: &SdkConfig, zip: &FunctionZip) -> Result<Artifact, ArtifactError> {
    let here = whereabouts(sdk).await?;
    let Whereabouts {
        account, region, ..
    } = &here;
    let place = here.artifact(zip);
    let Artifact { bucket, key, .. } = &place;
    let client = s3(sdk);
    if !bucket_exists(&client, bucket, account).await? {
        create_bucket(&client, bucket, account, region).await?;
    }
    let uploaded = !object_exists(&client, bucket, key, account).await?;
    if uploaded {
        close_bucket(&client, bucket, account).await?;
        client
            .put_object()
            .bucket(bucket)
            .key(key)
            .expected_bucket_owner(account)
            .content_type("application/zip")
            .body(ByteStream::from(zip.bytes().to_vec()))
            .send()
            .await
            .map_err(|e| AwsError::new("s3:PutObject", e))?;
    }
    Ok(Artifact { uploaded, ..place })
}

/// Returns where `zip` lies once it is uploaded; nothing is created.
pub(crate) async fn place(sdk: &SdkConfig, zip: &FunctionZip) -> Result<Artifact, ArtifactError> {
    Ok(whereabouts(sdk).await?.artifact(zip))
}

/// Where these credentials work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whereabouts {
    /// The number of the account.
    pub(crate) account: String,
    /// The region.
    pub(crate) region: String,
    /// The part of AWS: `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
}

impl Whereabouts {
    fn artifact(&self, zip: &FunctionZip) -> Artifact {
        Artifact {
            bucket: bucket_name(&self.account, &self.region),
            key: key(zip),
            uploaded: false,
        }
    }

    /// Returns the ARN of the key with this id.
    pub(crate) fn key_arn(&self, id: &str) -> String {
        let Self {
            account,
            region,
            partition,
        } = self;
        format!("arn:{partition}:kms:{region}:{account}:key/{id}")
    }
}

/// Returns where these credentials work.
pub(crate) async fn whereabouts(sdk: &SdkConfig) -> Result<Whereabouts, ArtifactError> {
    let region = sdk.region().ok_or(ArtifactError::NoRegion)?.to_string();
    let caller = caller(sdk).await?.ok_or(ArtifactError::NoAccount)?;
    Ok(Whereabouts {
        account: caller.account,
        region,
        partition: caller.partition,
    })
}

async fn bucket_exists(client: &Client, bucket: &str, owner: &str) -> Result<bool, ArtifactError> {
    let sent = client
        .head_bucket()
        .bucket(bucket)
        .expected_bucket_owner(owner)
        .send()
        .await;
    match sent {
        Ok(_) => Ok(true),
        Err(error) if status(&error) == Some(404) => Ok(false),
        Err(error) => Err(match AwsError::new("s3:ListBucket", error) {
            source if source.kind == ErrorKind::AccessDenied => ArtifactError::NotOurs {
                bucket: bucket.into(),
                source,
            },
            source => source.into(),
        }),
    }
}

async fn object_exists(
    client: &Client,
    bucket: &str,
    key: &str,
    owner: &str,
) -> Result<bool, ArtifactError> {
    let sent = client
        .head_object()
        .bucket(bucket)
        .key(key)
        .expected_bucket_owner(owner)
        .send()
        .await;
    match sent {
        Ok(_) => Ok(true),
        Err(error) if status(&error) == Some(404) => Ok(false),
        Err(error) => Err(AwsError::new("s3:GetObject", error).into()),
    }
}

async fn create_bucket(
    client: &Client,
    bucket: &str,
    owner: &str,
    region: &str,
) -> Result<(), ArtifactError> {
    // The oldest region is the one that must not be named.
    let location = (region != "us-east-1").then(|| {
        CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::from(region))
            .build()
    });
    client
        .create_bucket()
        .bucket(bucket)
        .set_create_bucket_configuration(location)
        .send()
        .await
        .map_err(|e| AwsError::new("s3:CreateBucket", e))?;
    client
        .put_bucket_encryption()
        .bucket(bucket)
        .expected_bucket_owner(owner)
        .server_side_encryption_configuration(encryption()?)
        .send()
        .await
        .map_err(|e| AwsError::new("s3:PutEncryptionConfiguration", e))?;
    Ok(())
}

/// Closes the bucket to the public, and has it keep versions.
async fn close_bucket(client: &Client, bucket: &str, owner: &str) -> Result<(), ArtifactError> {
    client
        .put_public_access_block()
        .bucket(bucket)
        .expected_bucket_owner(owner)
        .public_access_block_configuration(no_public_access())
        .send()
        .await
        .map_err(|e| AwsError::new("s3:PutBucketPublicAccessBlock", e))?;
    client
        .put_bucket_versioning()
        .bucket(bucket)
        .expected_bucket_owner(owner)
        .versioning_configuration(
            VersioningConfiguration::builder()
                .status(BucketVersioningStatus::Enabled)
                .build(),
        )
        .send()
        .await
        .map_err(|e| AwsError::new("s3:PutBucketVersioning", e))?;
    Ok(())
}

fn no_public_access() -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .block_public_policy(true)
        .ignore_public_acls(true)
        .restrict_public_buckets(true)
        .build()
}

fn encryption() -> Result<ServerSideEncryptionConfiguration, ArtifactError> {
    let by_default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::Aes256)
        .build()?;
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(by_default)
        .build();
    Ok(ServerSideEncryptionConfiguration::builder()
        .rules(rule)
        .build()?)
}

/// Why the zip could not be put in place.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// No region is set: the bucket is one for each region.
    #[error("no region is set")]
    NoRegion,
    /// AWS did not tell the account.
    #[error("AWS told no account for these credentials")]
    NoAccount,
    /// The artifact bucket belongs to another account, or may not be read.
    #[error("the artifact bucket {bucket} may not be used")]
    NotOurs {
        /// The bucket.
        bucket: String,
        /// What AWS said.
        #[source]
        source: AwsError,
    },
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// A request could not be built.
    #[error("a request to S3 could not be built")]
    Request(#[from] aws_smithy_types::error::operation::BuildError),
}

impl ArtifactError {
    /// Returns the way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoRegion => {
                Some("set a region with --region, AWS_REGION or in the profile".into())
            }
            Self::NotOurs { bucket, .. } => Some(format!(
                "these credentials need s3:ListBucket on {bucket}, and the bucket must be of their own account"
            )),
            Self::Aws(error) => error.hint(),
            Self::NoAccount | Self::Request(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_lies_in_the_partition_of_its_account() {
        let here = Whereabouts {
            account: "123456789012".into(),
            region: "cn-north-1".into(),
            partition: "aws-cn".into(),
        };
        assert_eq!(
            here.key_arn("1-2"),
            "arn:aws-cn:kms:cn-north-1:123456789012:key/1-2"
        );
    }

    #[test]
    fn one_bucket_for_each_account_and_region() {
        assert_eq!(
            bucket_name("123456789012", "eu-central-1"),
            "ssmbak-artifacts-123456789012-eu-central-1"
        );
    }

    #[test]
    fn the_bucket_is_closed_to_the_public_and_encrypted() {
        let closed = no_public_access();
        assert_eq!(closed.block_public_acls(), Some(true));
        assert_eq!(closed.block_public_policy(), Some(true));
        assert_eq!(closed.ignore_public_acls(), Some(true));
        assert_eq!(closed.restrict_public_buckets(), Some(true));
        assert_eq!(encryption().unwrap().rules().len(), 1);
    }
}
