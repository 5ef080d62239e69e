//! Takes a stack away, and tells what of it is kept.

use aws_config::SdkConfig;

use super::settings::{ENCRYPTION_KEY, EXISTING_BUCKET, EXISTING_TABLE, is_key_arn};
use super::watch::{OnStep, Operation, Step, Watch, refused};
use super::{DeployError, Pace, Retained, RetainedKind, retained};
use crate::aws::cloudformation;
use crate::event::Feed;
use crate::stack::{self, Stack, StackResource};
use crate::stack_name::StackName;

/// What deleting a stack would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    name: StackName,
    id: String,
    kept: Vec<Retained>,
    goes: usize,
}

impl Deletion {
    /// Returns what is kept: bucket, table and key, adopted ones too, and the policies for people.
    pub fn kept(&self) -> &[Retained] {
        &self.kept
    }

    /// Returns how many resources go.
    pub fn goes(&self) -> usize {
        self.goes
    }

    /// Returns bucket and table, where both are kept: a stack can adopt them.
    pub fn can_be_adopted(&self) -> Option<(&str, &str)> {
        let of = |kind| {
            let mut kept = self.kept.iter();
            kept.find(|one| one.kind == kind)
                .map(|one| one.name.as_str())
        };
        of(RetainedKind::Bucket).zip(of(RetainedKind::Table))
    }
}

/// Returns what deleting the stack would do. One that was not made by this tool is refused.
pub async fn deletion(sdk: &SdkConfig, name: &StackName) -> Result<Deletion, DeployError> {
    let client = cloudformation(sdk);
    let Some(found) = stack::find(&client, name.as_str()).await? else {
        return Err(DeployError::NotFound {
            stack: name.to_string(),
            known: stack::known(sdk).await,
        });
    };
    if !found.is_ssmbak() {
        return Err(DeployError::NotSsmbak {
            stack: name.to_string(),
        });
    }
    let resources = stack::resources_of(&client, &found.id).await?;
    let there = resources.iter().filter(|one| {
        one.status != "DELETE_COMPLETE"
            && !one.physical_id.is_empty()
            && RetainedKind::of(one).is_none()
    });
    Ok(Deletion {
        name: name.clone(),
        goes: there.count(),
        kept: kept(&found, &resources),
        id: found.id,
    })
}

/// Deletes the stack. Each step is told to `on_step` as it happens.
pub async fn delete(
    sdk: &SdkConfig,
    deletion: &Deletion,
    pace: Pace,
    on_step: OnStep<'_>,
) -> Result<(), DeployError> {
    let client = cloudformation(sdk);
    let (name, id) = (&deletion.name, &deletion.id);
    let feed = Feed::from_now(&client, id).await?;
    on_step(Step::Begins);
    client
        .delete_stack()
        .stack_name(id)
        .send()
        .await
        .map_err(refused("cloudformation:DeleteStack"))?;
    let watch = Watch {
        client: &client,
        operation: Operation::Delete,
        name,
        id,
        pace,
    };
    let watched = watch.to_the_end(feed, on_step).await?;
    if watched.status() == "DELETE_COMPLETE" {
        Ok(())
    } else {
        Err(watch.failure(watched).await)
    }
}

/// Returns what stays when the stack goes. What it adopted is none of its resources, and is told by
/// its outputs, or by its parameters where it never came to have outputs.
fn kept(stack: &Stack, resources: &[StackResource]) -> Vec<Retained> {
    let mut kept = retained(resources);
    let told = [
        (RetainedKind::Bucket, "BucketName", EXISTING_BUCKET),
        (RetainedKind::Table, "TableName", EXISTING_TABLE),
        (RetainedKind::Key, "KeyArn", ENCRYPTION_KEY),
    ];
    for (kind, output, parameter) in told {
        let of_parameter = stack.parameters.get(parameter);
        let of_parameter = of_parameter.filter(|v| kind != RetainedKind::Key || is_key_arn(v));
        let name = of_parameter
            .or_else(|| stack.outputs.get(output))
            .filter(|name| !name.is_empty());
        if let Some(name) = name
            && !kept.iter().any(|one| one.kind == kind)
        {
            kept.push(Retained {
                kind,
                name: name.clone(),
            });
        }
    }
    kept.sort_by_key(|one| one.kind);
    kept
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::deploy::tests::{resource, stack};

    const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234";

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    fn names(kept: &[Retained]) -> Vec<(&str, &str)> {
        let name = |one: &'_ Retained| one.kind.as_str();
        kept.iter().map(|k| (name(k), k.name.as_str())).collect()
    }

    #[test]
    fn a_stack_keeps_what_it_made() {
        let resources = [
            resource("AWS::KMS::Key", "1234", "CREATE_COMPLETE"),
            resource("AWS::DynamoDB::Table", "t", "CREATE_COMPLETE"),
            resource("AWS::S3::Bucket", "b", "CREATE_COMPLETE"),
            resource("AWS::SQS::Queue", "q", "CREATE_COMPLETE"),
        ];
        let mut stack = stack("CREATE_COMPLETE");
        stack.outputs = map(&[("BucketName", "b"), ("TableName", "t"), ("KeyArn", KEY)]);
        stack.parameters = map(&[("EncryptionKey", "own"), ("ExistingBucket", "")]);
        let kept = kept(&stack, &resources);
        assert_eq!(
            names(&kept),
            [("bucket", "b"), ("table", "t"), ("key", "1234")]
        );
    }

    #[test]
    fn policies_for_people_are_kept_and_the_functions_own_is_not() {
        let policy = |logical_id: &str| {
            let arn = format!("arn:aws:iam::123456789012:policy/prod-{logical_id}-1");
            StackResource {
                logical_id: logical_id.into(),
                ..resource("AWS::IAM::ManagedPolicy", &arn, "CREATE_COMPLETE")
            }
        };
        let resources = [
            policy("FunctionPolicy"),
            policy("DeployerPolicy"),
            resource("AWS::S3::Bucket", "b", "CREATE_COMPLETE"),
            policy("AuditorPolicy"),
        ];
        let kept = kept(&stack("CREATE_COMPLETE"), &resources);
        assert_eq!(
            names(&kept),
            [
                ("bucket", "b"),
                (
                    "policy",
                    "arn:aws:iam::123456789012:policy/prod-DeployerPolicy-1"
                ),
                (
                    "policy",
                    "arn:aws:iam::123456789012:policy/prod-AuditorPolicy-1"
                ),
            ]
        );
    }

    #[test]
    fn a_stack_keeps_what_it_adopted() {
        let mut stack = stack("CREATE_COMPLETE");
        stack.outputs = map(&[("BucketName", "b"), ("TableName", "t")]);
        stack.parameters = map(&[
            ("EncryptionKey", KEY),
            ("ExistingBucket", "b"),
            ("ExistingTable", "t"),
        ]);
        let kept = kept(&stack, &[]);
        assert_eq!(
            names(&kept),
            [("bucket", "b"), ("table", "t"), ("key", KEY)]
        );
    }

    #[test]
    fn a_stack_that_never_stood_keeps_what_it_was_to_adopt() {
        let mut stack = stack("ROLLBACK_COMPLETE");
        stack.parameters = map(&[
            ("EncryptionKey", "none"),
            ("ExistingBucket", "b"),
            ("ExistingTable", "t"),
        ]);
        let kept = kept(&stack, &[]);
        assert_eq!(names(&kept), [("bucket", "b"), ("table", "t")]);
    }

    #[test]
    fn only_a_bucket_with_its_table_can_be_adopted() {
        let one = |kind, name: &str| Retained {
            kind,
            name: name.into(),
        };
        let mut deletion = Deletion {
            name: "prod".parse().unwrap(),
            id: String::new(),
            kept: vec![one(RetainedKind::Table, "t")],
            goes: 0,
        };
        assert_eq!(deletion.can_be_adopted(), None);
        deletion.kept.push(one(RetainedKind::Bucket, "b"));
        assert_eq!(deletion.can_be_adopted(), Some(("b", "t")));
    }
}
