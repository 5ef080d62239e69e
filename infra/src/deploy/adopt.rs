//! Whether a stack may take over a bucket and a table that another stack left.
//!
//! Everything is looked at before anything is created: two stacks on one bucket, or a bucket that
//! does not keep what is overwritten, would harm the history that is to be had back.

mod error;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{KeyType, ScalarAttributeType, TableDescription, TableStatus};
use aws_sdk_s3::Client as S3;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::{BucketVersioningStatus, PublicAccessBlockConfiguration};
use ssmbak_core::store::{ErrorKind, Location, Stores};

pub use self::error::AdoptError;
use super::settings::{EXISTING_BUCKET, EXISTING_TABLE, Encryption, is_key_arn};
use crate::artifact::{Whereabouts, whereabouts};
use crate::aws::{AwsError, cloudformation, s3, status};
use crate::stack::{self, Stack};

/// Bucket and table, found fit to be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The bucket.
    pub bucket: String,
    /// The table.
    pub table: String,
    /// What both are encrypted with.
    pub encryption: Encryption,
    /// What is not as a stack would have made it, and does not stand in the way.
    pub warnings: Vec<String>,
}

/// Looks whether a stack may take over `bucket` and `table`. Changes nothing.
pub async fn inspect(sdk: &SdkConfig, bucket: &str, table: &str) -> Result<Adopted, AdoptError> {
    let here = whereabouts(sdk).await?;
    let (account, region) = (&*here.account, &*here.region);
    let client = s3(sdk);
    bucket_is_here(&client, bucket, account, region).await?;
    let mut warnings = Vec::new();
    let stacks = stacks(sdk, bucket, table, &mut warnings).await?;
    for (what, name, parameter, output) in [
        ("bucket", bucket, EXISTING_BUCKET, "BucketName"),
        ("table", table, EXISTING_TABLE, "TableName"),
    ] {
        if let Some(stack) = user_of(&stacks, name, parameter, output) {
            return Err(AdoptError::InUse {
                what,
                name: name.into(),
                stack: stack.into(),
            });
        }
    }
    is_versioned(&client, bucket, account).await?;
    let described = index_table(sdk, table).await?;
    belong_together(sdk, bucket, table, &mut warnings).await?;
    let bucket_key = bucket_key(&client, bucket, &here).await?;
    let table_key = table_key(&described);
    if bucket_key != table_key {
        return Err(AdoptError::KeysDiffer {
            bucket: bucket_key,
            table: table_key,
        });
    }
    warnings.extend(bucket_warnings(&client, bucket, account).await?);
    if described.deletion_protection_enabled != Some(true) {
        warnings.push(format!(
            "the table {table} is not protected against deletion"
        ));
    }
    Ok(Adopted {
        bucket: bucket.into(),
        table: table.into(),
        encryption: bucket_key.map_or(Encryption::None, Encryption::Key),
        warnings,
    })
}

/// Returns the stacks of this tool. Who may deploy one need not see all of them: then what is not
/// known is said, and whoever goes on knows.
async fn stacks(
    sdk: &SdkConfig,
    bucket: &str,
    table: &str,
    warnings: &mut Vec<String>,
) -> Result<Vec<Stack>, AdoptError> {
    match stack::all(&cloudformation(sdk)).await {
        Err(error) if error.kind == ErrorKind::AccessDenied => {
            warnings.push(format!(
                "NOT CHECKED: whether another stack works on the bucket {bucket} or the table \
                 {table}. Two stacks on one history record everything twice. These credentials lack \
                 cloudformation:DescribeStacks on all stacks of the account and region: let somebody \
                 who has it look, and if there is such a stack, delete one of the two at once"
            ));
            Ok(Vec::new())
        }
        found => Ok(found?),
    }
}

/// Returns the name of the stack that works on `name`. One whose creation failed does not: nothing
/// of it runs.
fn user_of<'a>(stacks: &'a [Stack], name: &str, parameter: &str, output: &str) -> Option<&'a str> {
    let is_it = |value: Option<&String>| value.is_some_and(|value| value == name);
    stacks
        .iter()
        .filter(|stack| stack.status != "ROLLBACK_COMPLETE")
        .find(|stack| is_it(stack.outputs.get(output)) || is_it(stack.parameters.get(parameter)))
        .map(|stack| stack.name.as_str())
}

async fn bucket_is_here(
    client: &S3,
    bucket: &str,
    account: &str,
    here: &str,
) -> Result<(), AdoptError> {
    let sent = client
        .head_bucket()
        .bucket(bucket)
        .expected_bucket_owner(account)
        .send()
        .await;
    let region = match sent {
        Ok(found) => found.bucket_region,
        Err(error) => match (status(&error), region_of(&error)) {
            (Some(404), _) => {
                return Err(AdoptError::NoBucket {
                    bucket: bucket.into(),
                });
            }
            // A bucket that lives elsewhere answers with where that is.
            (Some(301 | 400), Some(region)) => Some(region),
            _ => {
                let source = AwsError::new("s3:ListBucket", error);
                return Err(if source.kind == ErrorKind::AccessDenied {
                    AdoptError::NotOurs {
                        bucket: bucket.into(),
                        source,
                    }
                } else {
                    source.into()
                });
            }
        },
    };
    match region {
        Some(region) if region != here => Err(AdoptError::OtherRegion {
            bucket: bucket.into(),
            region,
            here: here.into(),
        }),
        _ => Ok(()),
    }
}

/// Where a bucket that is asked for in the wrong region lies.
fn region_of<E>(error: &SdkError<E>) -> Option<String> {
    let headers = error.raw_response()?.headers();
    headers.get("x-amz-bucket-region").map(str::to_owned)
}

async fn is_versioned(client: &S3, bucket: &str, account: &str) -> Result<(), AdoptError> {
    let versioning = client
        .get_bucket_versioning()
        .bucket(bucket)
        .expected_bucket_owner(account)
        .send()
        .await
        .map_err(|e| AwsError::new("s3:GetBucketVersioning", e))?;
    if versioning.status() == Some(&BucketVersioningStatus::Enabled) {
        Ok(())
    } else {
        Err(AdoptError::NotVersioned {
            bucket: bucket.into(),
        })
    }
}

async fn index_table(sdk: &SdkConfig, table: &str) -> Result<TableDescription, AdoptError> {
    let sent = ssmbak_core::told_client!(aws_sdk_dynamodb, sdk)
        .describe_table()
        .table_name(table)
        .send()
        .await;
    let described = match sent {
        Ok(answer) => answer
            .table
            .unwrap_or_else(|| TableDescription::builder().build()),
        Err(error) => {
            let error = AwsError::new("dynamodb:DescribeTable", error);
            return Err(match error.code.as_deref() {
                Some("ResourceNotFoundException") => AdoptError::NoTable {
                    table: table.into(),
                },
                _ => error.into(),
            });
        }
    };
    if !is_an_index(&described) {
        return Err(AdoptError::NotAnIndex {
            table: table.into(),
        });
    }
    match described.table_status() {
        Some(TableStatus::Active) => Ok(described),
        status => Err(AdoptError::TableNotReady {
            table: table.into(),
            status: status.map_or_else(String::new, |status| status.as_str().into()),
        }),
    }
}

/// Returns whether the table's keys are those of an index: `scope` and `entry`, both texts.
fn is_an_index(table: &TableDescription) -> bool {
    let is_key = |name: &str, kind: &KeyType| {
        let mut keys = table.key_schema().iter();
        let mut attributes = table.attribute_definitions().iter();
        keys.any(|key| key.attribute_name() == name && key.key_type() == kind)
            && attributes.any(|one| {
                one.attribute_name() == name && one.attribute_type() == &ScalarAttributeType::S
            })
    };
    table.key_schema().len() == 2
        && is_key("scope", &KeyType::Hash)
        && is_key("entry", &KeyType::Range)
}

/// The index must be of a format that can be written, and tell of values in this very bucket. One
/// that holds nothing yet goes with any bucket.
async fn belong_together(
    sdk: &SdkConfig,
    bucket: &str,
    table: &str,
    warnings: &mut Vec<String>,
) -> Result<(), AdoptError> {
    let location = Location {
        bucket: bucket.into(),
        table: table.into(),
    };
    let stores = Stores::new(sdk, location, || chrono::Utc::now().into());
    stores.check_format().await?;
    let pointer = match stores.index.some_pointer().await {
        Err(error) if error.kind() == ErrorKind::AccessDenied => {
            warnings.push(format!(
                "whether the table {table} tells of values in the bucket {bucket} could not be \
                 told: that takes dynamodb:Query on the table"
            ));
            None
        }
        found => found?,
    };
    match pointer {
        Some(pointer) if pointer.bucket != bucket => Err(AdoptError::OtherBucket {
            bucket: bucket.into(),
            table: table.into(),
            indexed: pointer.bucket,
        }),
        _ => Ok(()),
    }
}

/// Returns the ARN of the key that the bucket is encrypted with; none: with keys that S3 holds.
async fn bucket_key(
    client: &S3,
    bucket: &str,
    here: &Whereabouts,
) -> Result<Option<String>, AdoptError> {
    let sent = client
        .get_bucket_encryption()
        .bucket(bucket)
        .expected_bucket_owner(&here.account)
        .send()
        .await;
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) => {
            let error = AwsError::new("s3:GetEncryptionConfiguration", error);
            return match error.code.as_deref() {
                Some("ServerSideEncryptionConfigurationNotFoundError") => Ok(None),
                _ => Err(error.into()),
            };
        }
    };
    let key = answer
        .server_side_encryption_configuration()
        .and_then(|configuration| configuration.rules().first())
        .and_then(|rule| rule.apply_server_side_encryption_by_default())
        .and_then(|default| default.kms_master_key_id());
    match key {
        None | Some("") => Ok(None),
        Some(arn) if is_key_arn(arn) => Ok(Some(arn.to_owned())),
        Some(other) => {
            // S3 takes a bare id as well.
            let arn = here.key_arn(other);
            if is_key_arn(&arn) {
                Ok(Some(arn))
            } else {
                Err(AdoptError::KeyByAlias {
                    bucket: bucket.into(),
                    key: other.into(),
                })
            }
        }
    }
}

fn table_key(table: &TableDescription) -> Option<String> {
    table
        .sse_description()
        .and_then(|sse| sse.kms_master_key_arn())
        .filter(|arn| !arn.is_empty())
        .map(str::to_owned)
}

/// Returns what a stack would have done for the bucket and nobody did.
async fn bucket_warnings(
    client: &S3,
    bucket: &str,
    account: &str,
) -> Result<Vec<String>, AdoptError> {
    let mut warnings = Vec::new();
    let policy = client
        .get_bucket_policy()
        .bucket(bucket)
        .expected_bucket_owner(account)
        .send()
        .await;
    let protects = match policy {
        Ok(answer) => answer.policy().is_some_and(protects_the_journal),
        Err(error) => match AwsError::new("s3:GetBucketPolicy", error) {
            error if error.code.as_deref() == Some("NoSuchBucketPolicy") => false,
            error => return Err(error.into()),
        },
    };
    if !protects {
        warnings.push(format!(
            "no policy of the bucket {bucket} keeps delete markers off the journal; \
             `ssmbak stack NAME template` has the one that a stack gives it (BucketPolicy)"
        ));
    }
    let access = client
        .get_public_access_block()
        .bucket(bucket)
        .expected_bucket_owner(account)
        .send()
        .await;
    let closed = match access {
        Ok(answer) => answer
            .public_access_block_configuration()
            .is_some_and(is_closed),
        Err(error) => match AwsError::new("s3:GetBucketPublicAccessBlock", error) {
            error if error.code.as_deref() == Some("NoSuchPublicAccessBlockConfiguration") => false,
            error => return Err(error.into()),
        },
    };
    if !closed {
        warnings.push(format!(
            "the bucket {bucket} does not block public access; \
             block it in the console, or with `aws s3api put-public-access-block`"
        ));
    }
    Ok(warnings)
}

/// Returns whether a bucket's policy forbids delete markers on the journal.
fn protects_the_journal(policy: &str) -> bool {
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap_or_default();
    let holds = |value: &serde_json::Value, text: &str| value.to_string().contains(text);
    policy["Statement"].as_array().is_some_and(|statements| {
        statements.iter().any(|one| {
            one["Effect"] == "Deny"
                && holds(&one["Action"], "s3:DeleteObject")
                && holds(&one["Resource"], "/_ssmbak/journal/*")
        })
    })
}

fn is_closed(access: &PublicAccessBlockConfiguration) -> bool {
    let all = [
        access.block_public_acls(),
        access.block_public_policy(),
        access.ignore_public_acls(),
        access.restrict_public_buckets(),
    ];
    all.iter().all(|one| *one == Some(true))
}

#[cfg(test)]
#[path = "adopt_tests.rs"]
mod tests;
