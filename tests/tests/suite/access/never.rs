//! Nobody can delete a backup, and only a restorer writes a parameter: each way tried for real,
//! under each role. What no client here calls (keys, roles, code) is judged by the list of all
//! grants, `infra/src/granted_tests.rs`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, DeleteRequest, PointInTimeRecoverySpecification,
    TimeToLiveSpecification, TransactWriteItem, WriteRequest,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketVersioningStatus, ObjectLockConfiguration,
    ObjectLockRetention, ObjectLockRetentionMode, VersioningConfiguration,
};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_sdk_ssm::types::{ResourceTypeForTagging, Tag};
use ssmbak_tests::people::Person;

use super::{EVENTS, STACK, Scene, Stage, s3};

/// What is tried by everybody, each with what AWS names where it is refused.
const TRIED: &[&str] = &[
    "cloudformation:DeleteStack",
    "cloudformation:UpdateStack",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:DeleteItem in a transaction",
    "dynamodb:DeleteTable",
    "dynamodb:UpdateContinuousBackups",
    "dynamodb:UpdateTable",
    "dynamodb:UpdateTimeToLive",
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObject of the journal",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersion of the journal",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketPolicy",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
    "s3:PutObjectRetention",
    "sqs:DeleteQueue",
    "sqs:PurgeQueue",
    "sqs:SetQueueAttributes",
    "ssm:AddTagsToResource",
    "ssm:DeleteParameter",
    "ssm:DeleteParameters",
    "ssm:LabelParameterVersion",
    "ssm:PutParameter",
    "ssm:RemoveTagsFromResource",
];

/// Who may do one of these: to restore is to write parameters.
const MAY: &[(&str, &str)] = &[
    ("restorer", "ssm:AddTagsToResource"),
    ("restorer", "ssm:DeleteParameters"),
    ("restorer", "ssm:LabelParameterVersion"),
    ("restorer", "ssm:PutParameter"),
    ("restorer", "ssm:RemoveTagsFromResource"),
];

#[tokio::test]
async fn an_auditor_deletes_and_writes_nothing() {
    let stage = Stage::shared().await;
    tries_everything(stage, "auditor", &stage.auditor).await;
}

#[tokio::test]
async fn a_restorer_deletes_no_backup() {
    let stage = Stage::shared().await;
    tries_everything(stage, "restorer", &stage.restorer).await;
}

#[tokio::test]
async fn an_operator_writes_no_parameter_and_deletes_no_backup() {
    let stage = Stage::shared().await;
    tries_everything(stage, "operator", &stage.operator).await;
}

#[tokio::test]
async fn the_functions_role_writes_no_parameter_and_deletes_no_backup() {
    let stage = Stage::shared().await;
    for (role, output) in [
        ("capture", "FunctionName"),
        ("reconcile", "ReconcileFunctionName"),
    ] {
        let function = stage.function(output).await;
        tries_everything(stage, role, &function).await;
        // The session is the function's: what it needs, it may.
        let ssm = aws_sdk_ssm::Client::new(&function.config().await);
        let own = ssm.get_parameter_history();
        let own = own.name(format!("/_ssmbak/{STACK}/bucketname"));
        assert_eq!(own.send().await.unwrap().parameters().len(), 1);
    }
}

/// That of all that is tried just that is not refused which the role may do, and nothing is gone.
async fn tries_everything(stage: &Stage, role: &str, person: &Person) {
    let scene = Scene::set(stage, &format!("/never-{role}/")).await;
    let before = kept(stage, &scene).await;
    let config = person.config().await;
    let mut tried = BTreeMap::new();
    tried.extend(of_the_bucket(stage, &config, &scene).await);
    tried.extend(of_the_table(stage, &config, &scene).await);
    tried.extend(of_queues_and_stack(stage, &config).await);
    let events = EVENTS.read().await;
    tried.extend(of_parameters(stage, &config, &scene).await);
    stage.captured().await;
    drop(events);
    let all: Vec<_> = tried.keys().copied().collect();
    assert_eq!(all, TRIED);
    for (what, refusal) in tried {
        let action = what.split(' ').next().unwrap();
        match refusal {
            Some(told) => {
                assert!(!MAY.contains(&(role, what)), "{role}: {what}: {told}");
                assert!(
                    told.contains(&format!("{action} ")),
                    "{role}: {what}: {told}"
                );
            }
            None => assert!(MAY.contains(&(role, what)), "{role} was not refused {what}"),
        }
    }
    let after = kept(stage, &scene).await;
    assert!(after.is_superset(&before), "{role}: something is gone");
}

/// Why a call was refused for want of a right; none if it was not.
fn refusal<T, E, R>(answer: Result<T, SdkError<E, R>>) -> Option<String>
where
    SdkError<E, R>: ProvideErrorMetadata,
{
    let error = answer.err()?;
    let code = error.code().unwrap_or_default().to_owned();
    let told = error.message().unwrap_or_default();
    code.starts_with("AccessDenied")
        .then(|| format!("{code}: {told}"))
}

type Tried = Vec<(&'static str, Option<String>)>;

async fn of_the_bucket(stage: &Stage, config: &SdkConfig, scene: &Scene) -> Tried {
    let admin = s3(&stage.administration().await);
    let bucket = stage.bucket();
    let version_of = async |key: &str| {
        let list = admin.list_object_versions().bucket(bucket).prefix(key);
        let list = list.send().await.unwrap();
        list.versions()[0].version_id().unwrap().to_owned()
    };
    let name = scene.name("name");
    let journal = admin.list_objects_v2().bucket(bucket).prefix("_ssmbak/");
    let journal = journal.send().await.unwrap();
    let entry = journal.contents()[0].key().unwrap();
    let objects = s3(config);
    let delete = |key: &str| objects.delete_object().bucket(bucket).key(key);
    let value = delete(&name).version_id(version_of(&name).await);
    let fact = delete(entry).version_id(version_of(entry).await);
    let bypass = value.clone().bypass_governance_retention(true);
    let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended);
    let versioning = versioning.build();
    let rules = BucketLifecycleConfiguration::builder().set_rules(Some(Vec::new()));
    let retention = ObjectLockRetention::builder().mode(ObjectLockRetentionMode::Governance);
    let empty = objects.delete_bucket().bucket(bucket);
    let no_policy = objects.delete_bucket_policy().bucket(bucket);
    let policy = objects.put_bucket_policy().bucket(bucket).policy("{}");
    let versioning = objects
        .put_bucket_versioning()
        .bucket(bucket)
        .versioning_configuration(versioning);
    let lifecycle = objects.put_bucket_lifecycle_configuration().bucket(bucket);
    let lifecycle = lifecycle.lifecycle_configuration(rules.build().unwrap());
    let lock = objects.put_object_lock_configuration().bucket(bucket);
    let lock = lock.object_lock_configuration(ObjectLockConfiguration::builder().build());
    let retention = objects
        .put_object_retention()
        .bucket(bucket)
        .key(&name)
        .retention(retention.build());
    vec![
        ("s3:DeleteObjectVersion", refusal(value.send().await)),
        (
            "s3:DeleteObjectVersion of the journal",
            refusal(fact.send().await),
        ),
        (
            "s3:DeleteObject of the journal",
            refusal(delete(entry).send().await),
        ),
        // Two rights are missing; either may be named.
        (
            "s3:BypassGovernanceRetention",
            refusal(bypass.send().await)
                .map(|told| told.replace("DeleteObjectVersion", "BypassGovernanceRetention")),
        ),
        ("s3:DeleteBucket", refusal(empty.send().await)),
        ("s3:DeleteBucketPolicy", refusal(no_policy.send().await)),
        ("s3:PutBucketPolicy", refusal(policy.send().await)),
        ("s3:PutBucketVersioning", refusal(versioning.send().await)),
        (
            "s3:PutLifecycleConfiguration",
            refusal(lifecycle.send().await),
        ),
        (
            "s3:PutBucketObjectLockConfiguration",
            refusal(lock.send().await),
        ),
        ("s3:PutObjectRetention", refusal(retention.send().await)),
    ]
}

async fn of_the_table(stage: &Stage, config: &SdkConfig, scene: &Scene) -> Tried {
    let table = aws_sdk_dynamodb::Client::new(config);
    let own = stage.table();
    let row = [("scope", "@names"), ("entry", &*scene.name("name"))];
    let row = row.map(|(field, text)| (field.to_owned(), AttributeValue::S(text.into())));
    let row = HashMap::from(row);
    let delete = table
        .delete_item()
        .table_name(own)
        .set_key(Some(row.clone()));
    let request = DeleteRequest::builder().set_key(Some(row.clone())).build();
    let request = WriteRequest::builder().delete_request(request.unwrap());
    let batch = table.batch_write_item();
    let batch = batch.request_items(own, vec![request.build()]);
    let item = Delete::builder().table_name(own).set_key(Some(row)).build();
    let item = TransactWriteItem::builder().delete(item.unwrap()).build();
    let transaction = table.transact_write_items().transact_items(item);
    let unprotect = table.update_table().table_name(own);
    let unprotect = unprotect.deletion_protection_enabled(false);
    let live = TimeToLiveSpecification::builder().enabled(true);
    let live = live.attribute_name("scope").build().unwrap();
    let live = table
        .update_time_to_live()
        .table_name(own)
        .time_to_live_specification(live);
    let recovery = PointInTimeRecoverySpecification::builder();
    let recovery = recovery.point_in_time_recovery_enabled(false).build();
    let backups = table.update_continuous_backups().table_name(own);
    let backups = backups.point_in_time_recovery_specification(recovery.unwrap());
    let drop = table.delete_table().table_name(own);
    vec![
        ("dynamodb:DeleteItem", refusal(delete.send().await)),
        ("dynamodb:BatchWriteItem", refusal(batch.send().await)),
        (
            "dynamodb:DeleteItem in a transaction",
            refusal(transaction.send().await),
        ),
        ("dynamodb:UpdateTable", refusal(unprotect.send().await)),
        ("dynamodb:UpdateTimeToLive", refusal(live.send().await)),
        (
            "dynamodb:UpdateContinuousBackups",
            refusal(backups.send().await),
        ),
        ("dynamodb:DeleteTable", refusal(drop.send().await)),
    ]
}

async fn of_queues_and_stack(stage: &Stage, config: &SdkConfig) -> Tried {
    let sqs = aws_sdk_sqs::Client::new(config);
    let url = &stage.outputs["QueueUrl"];
    let purge = sqs.purge_queue().queue_url(url);
    let drop = sqs.delete_queue().queue_url(url);
    let shorten = sqs.set_queue_attributes().queue_url(url);
    let shorten = shorten.attributes(QueueAttributeName::MessageRetentionPeriod, "60");
    let stacks = aws_sdk_cloudformation::Client::new(config);
    let delete = stacks.delete_stack().stack_name(STACK);
    let update = stacks.update_stack().stack_name(STACK);
    let update = update.use_previous_template(true);
    vec![
        ("sqs:PurgeQueue", refusal(purge.send().await)),
        ("sqs:DeleteQueue", refusal(drop.send().await)),
        ("sqs:SetQueueAttributes", refusal(shorten.send().await)),
        ("cloudformation:DeleteStack", refusal(delete.send().await)),
        ("cloudformation:UpdateStack", refusal(update.send().await)),
    ]
}

/// Last of all: a restorer may.
async fn of_parameters(stage: &Stage, config: &SdkConfig, scene: &Scene) -> Tried {
    let ssm = aws_sdk_ssm::Client::new(config);
    let name = scene.name("name");
    let kind = ResourceTypeForTagging::Parameter;
    let put = ssm.put_parameter().name(&name).value("x").overwrite(true);
    let label = ssm.label_parameter_version().name(&name).labels("x");
    let tag = Tag::builder().key("k").value("v").build().unwrap();
    let tag = ssm
        .add_tags_to_resource()
        .tags(tag)
        .resource_type(kind.clone());
    let untag = ssm
        .remove_tags_from_resource()
        .tag_keys("k")
        .resource_type(kind);
    let delete = ssm.delete_parameter().name(&name);
    let several = ssm.delete_parameters().names(&name);
    let put = refusal(put.send().await);
    // Of a version that is deleted before anybody looked nobody can tell the value.
    stage.captured().await;
    vec![
        ("ssm:PutParameter", put),
        ("ssm:LabelParameterVersion", refusal(label.send().await)),
        (
            "ssm:AddTagsToResource",
            refusal(tag.resource_id(&name).send().await),
        ),
        (
            "ssm:RemoveTagsFromResource",
            refusal(untag.resource_id(&name).send().await),
        ),
        ("ssm:DeleteParameter", refusal(delete.send().await)),
        ("ssm:DeleteParameters", refusal(several.send().await)),
    ]
}

/// Every object version under the scene's path, and every row of its names.
async fn kept(stage: &Stage, scene: &Scene) -> BTreeSet<String> {
    let config = stage.administration().await;
    let list = s3(&config).list_object_versions().bucket(stage.bucket());
    let list = list.prefix(&scene.path).send().await.unwrap();
    let versions = list.versions().iter();
    let mut kept: BTreeSet<String> = versions
        .map(|one| format!("{:?} {:?}", one.key(), one.version_id()))
        .collect();
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    let scan = dynamodb.scan().table_name(stage.table());
    let mut rows = scan.into_paginator().items().send();
    while let Some(row) = rows.next().await {
        let row = row.unwrap();
        let key = format!("{:?} {:?}", row["scope"], row["entry"]);
        kept.extend(key.contains(&scene.path).then_some(key));
    }
    assert!(kept.len() > 10, "{kept:?}");
    kept
}
