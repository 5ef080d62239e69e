//! Why a bucket and a table cannot be taken over, and the way out.

use aws_sdk_dynamodb::types::TableStatus;
use ssmbak_core::store::StoreError;

use crate::artifact::ArtifactError;
use crate::aws::AwsError;

/// Why bucket and table cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// There is no such bucket.
    #[error("there is no bucket {bucket}")]
    NoBucket {
        /// The bucket.
        bucket: String,
    },
    /// The bucket is of another account, or may not be looked at.
    #[error("the bucket {bucket} is not this account's, or may not be used")]
    NotOurs {
        /// The bucket.
        bucket: String,
        /// What AWS said.
        #[source]
        source: AwsError,
    },
    /// The bucket lies in another region.
    #[error("the bucket {bucket} lies in {region}, not in {here}")]
    OtherRegion {
        /// The bucket.
        bucket: String,
        /// Where it lies.
        region: String,
        /// Where the stack would.
        here: String,
    },
    /// The bucket does not keep what is overwritten.
    #[error("the bucket {bucket} keeps no versions")]
    NotVersioned {
        /// The bucket.
        bucket: String,
    },
    /// Another stack works on it.
    #[error("the {what} {name} is used by the stack {stack}")]
    InUse {
        /// Bucket or table.
        what: &'static str,
        /// Its name.
        name: String,
        /// The stack.
        stack: String,
    },
    /// There is no such table.
    #[error("there is no table {table}")]
    NoTable {
        /// The table.
        table: String,
    },
    /// The table's keys are not those of an index.
    #[error("the table {table} is not an index of ssmbak")]
    NotAnIndex {
        /// The table.
        table: String,
    },
    /// The table is the index of another bucket.
    #[error("the table {table} is the index of the bucket {indexed}, not of {bucket}")]
    OtherBucket {
        /// The bucket.
        bucket: String,
        /// The table.
        table: String,
        /// The bucket that the table tells of.
        indexed: String,
    },
    /// The table cannot be used now.
    #[error("the table {table} cannot be used ({status})")]
    TableNotReady {
        /// The table.
        table: String,
        /// Its status.
        status: String,
    },
    /// Bucket and table are encrypted with different keys; none: with keys that AWS holds.
    #[error(
        "bucket and table are encrypted with different keys: the bucket with {}, the table with {}",
        spelled(bucket.as_deref()),
        spelled(table.as_deref())
    )]
    KeysDiffer {
        /// The bucket's key.
        bucket: Option<String>,
        /// The table's key.
        table: Option<String>,
    },
    /// The bucket names its key by an alias.
    #[error("the bucket {bucket} names its key by an alias: {key}")]
    KeyByAlias {
        /// The bucket.
        bucket: String,
        /// The alias.
        key: String,
    },
    /// The index is of another format, or cannot be read.
    #[error("failed to {0}")]
    Store(#[from] StoreError),
    /// Account or region are not known.
    #[error(transparent)]
    Whereabouts(#[from] ArtifactError),
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

fn spelled(key: Option<&str>) -> &str {
    key.unwrap_or("none of yours")
}

impl AdoptError {
    /// Returns the way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        const FIND: &str = "what a stack left is found by its tag: aws resourcegroupstaggingapi \
                            get-resources --tag-filters Key=ssmbak:stack,Values=NAME";
        Some(match self {
            Self::NoBucket { .. } | Self::NoTable { .. } | Self::NotAnIndex { .. } => FIND.into(),
            Self::NotOurs { bucket, .. } => {
                format!("use the account of {bucket}; s3:ListBucket on it is needed")
            }
            Self::OtherRegion { region, .. } => {
                format!("create the stack where its history lies: --region {region}")
            }
            Self::NotVersioned { bucket } => format!(
                "without versions nothing old can be restored; if it is the right one: \
                 aws s3api put-bucket-versioning --bucket {bucket} \
                 --versioning-configuration Status=Enabled"
            ),
            Self::InUse { stack, .. } => format!(
                "two stacks on one history would record everything twice; \
                 delete the other first: ssmbak stack {stack} delete"
            ),
            Self::OtherBucket { table, indexed, .. } => {
                format!("they belong together: --bucket {indexed} --table {table}")
            }
            Self::TableNotReady { status, .. }
                if status == TableStatus::InaccessibleEncryptionCredentials.as_str() =>
            {
                "its key is disabled, waits for deletion or is gone: enable it, then try again"
                    .into()
            }
            Self::TableNotReady { .. } => "wait until it is ACTIVE, then try again".into(),
            Self::KeysDiffer { .. } => {
                "bucket and table of one stack have one key: check that they belong together".into()
            }
            Self::KeyByAlias { .. } => {
                "an alias may come to mean another key: set the bucket's encryption to the key's \
                 ARN"
                .into()
            }
            Self::Store(error) => return error.hint(),
            Self::Whereabouts(error) => return error.hint(),
            Self::Aws(error) => return error.hint(),
        })
    }
}
