//! What the emulator ignores is asserted on the template itself.

use super::*;
use saphyr::{LoadableYamlNode, Yaml};

fn parsed() -> Yaml<'static> {
    Yaml::load_from_str(template()).unwrap().remove(0)
}

/// Returns a node without its tag: `!Ref Key` is then `Key`.
fn plain<'a>(node: &'a Yaml<'static>) -> &'a Yaml<'static> {
    if let Yaml::Tagged(_, inner) = node {
        inner
    } else {
        node
    }
}

/// Returns the node at a path of keys below `node`; panics where there is none.
fn at<'a>(node: &'a Yaml<'static>, path: &str) -> &'a Yaml<'static> {
    path.split('/').fold(node, |node, key| {
        plain(node)
            .as_mapping_get(key)
            .unwrap_or_else(|| panic!("no {key} on the way to {path}"))
    })
}

fn text(node: &Yaml<'static>) -> String {
    let node = plain(node);
    node.as_str()
        .map(str::to_owned)
        .or_else(|| node.as_integer().map(|number| number.to_string()))
        .or_else(|| node.as_bool().map(|truth| truth.to_string()))
        .unwrap_or_else(|| panic!("no text: {node:?}"))
}

fn get(path: &str) -> String {
    text(at(&parsed(), path))
}

fn number(path: &str) -> i64 {
    at(&parsed(), path).as_integer().unwrap()
}

/// Returns a node as a list; a single one is a list of one.
fn list<'a>(node: &'a Yaml<'static>) -> Vec<&'a Yaml<'static>> {
    match plain(node).as_vec() {
        Some(items) => items.iter().collect(),
        None => vec![node],
    }
}

/// Whoever gets the policies of this template.
const PEOPLE: [&str; 3] = ["AuditorPolicy", "RestorerPolicy", "OperatorPolicy"];
const DEPLOYER: [&str; 2] = ["DeployerPolicy", "DeployerAccessPolicy"];

/// Returns a statement as it is where its condition holds: `!If [HasKey, {...}, ...]` is `{...}`.
fn held<'a>(node: &'a Yaml<'static>) -> &'a Yaml<'static> {
    if let Yaml::Tagged(tag, inner) = node
        && tag.suffix == "If"
    {
        &inner.as_vec().unwrap()[1]
    } else {
        node
    }
}

/// Returns every statement of every policy of an identity, with where it stands.
fn identity_statements(template: &Yaml<'static>) -> Vec<(String, Yaml<'static>)> {
    let mut statements = Vec::new();
    for name in PEOPLE.into_iter().chain(["FunctionPolicy"]).chain(DEPLOYER) {
        let path = format!("Resources/{name}/Properties/PolicyDocument/Statement");
        for one in list(at(template, &path)) {
            statements.push((name.to_owned(), held(one).clone()));
        }
    }
    for role in ["FunctionRole", "ReconcileRole"] {
        let attached = at(
            template,
            &format!("Resources/{role}/Properties/ManagedPolicyArns"),
        );
        assert_eq!(text(list(attached)[0]), "FunctionPolicy");
        let inline = at(template, &format!("Resources/{role}/Properties/Policies"));
        for policy in list(inline) {
            for one in list(at(policy, "PolicyDocument/Statement")) {
                statements.push((role.to_owned(), one.clone()));
            }
        }
    }
    statements
}

fn actions_of(owner: &str) -> Vec<String> {
    identity_statements(&parsed())
        .iter()
        .filter(|(name, _)| name == owner)
        .flat_map(|(_, one)| {
            list(at(one, "Action"))
                .into_iter()
                .map(text)
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn it_fits_in_a_request_and_says_what_it_is() {
    // 51,200 are taken: what is added next has room.
    assert!(body().len() < 48_000, "{} bytes", body().len());
    assert_eq!(Yaml::load_from_str(&body()).unwrap()[0], parsed());
    assert!(get("Description").starts_with(DESCRIPTION_PREFIX));
}

#[test]
fn every_parameter_has_a_default() {
    let template = parsed();
    let parameters = at(&template, "Parameters").as_mapping().unwrap();
    assert!(parameters.len() >= 10);
    for (name, one) in parameters {
        assert!(one.as_mapping_get("Default").is_some(), "{name:?}");
        assert!(one.as_mapping_get("Description").is_some(), "{name:?}");
    }
    for name in [ARCHITECTURE, CODE_BUCKET, CODE_KEY, ENFORCE_TLS] {
        at(&template, &format!("Parameters/{name}"));
    }
    assert_eq!(get("Parameters/EnforceTls/Default"), "true");
}

#[test]
fn bucket_table_and_key_outlive_the_stack() {
    for (name, policy) in [
        ("Bucket", "RetainExceptOnCreate"),
        ("BucketPolicy", "RetainExceptOnCreate"),
        ("Key", "RetainExceptOnCreate"),
        ("Table", "Retain"),
    ] {
        assert_eq!(get(&format!("Resources/{name}/DeletionPolicy")), policy);
        let replaced = get(&format!("Resources/{name}/UpdateReplacePolicy"));
        assert_eq!(replaced, "Retain");
    }
}

#[test]
fn what_outlives_the_stack_tells_whose_it_was() {
    let template = parsed();
    for name in ["Bucket", "Key", "Table"] {
        let tags = at(&template, &format!("Resources/{name}/Properties/Tags"));
        let tag = list(tags)[0];
        assert_eq!(text(at(tag, "Key")), "ssmbak:stack");
        assert_eq!(text(at(tag, "Value")), "AWS::StackName");
    }
}

/// The stack's own key, or the one that it was given.
fn assert_key_of_the_stack(node: &Yaml<'static>) {
    let choice: Vec<_> = list(node).into_iter().map(text).collect();
    assert_eq!(choice, ["OwnsKey", "Key.Arn", "EncryptionKey"]);
}

#[test]
fn the_bucket_is_versioned_encrypted_and_closed() {
    let bucket = "Resources/Bucket/Properties";
    assert_eq!(
        get(&format!("{bucket}/VersioningConfiguration/Status")),
        "Enabled"
    );
    let template = parsed();
    let rules = at(
        &template,
        &format!("{bucket}/BucketEncryption/ServerSideEncryptionConfiguration"),
    );
    let choice = list(list(rules)[0]);
    assert_eq!(text(choice[0]), "HasKey");
    assert_eq!(text(at(choice[1], "BucketKeyEnabled")), "true");
    let by_default = at(choice[1], "ServerSideEncryptionByDefault");
    assert_eq!(text(at(by_default, "SSEAlgorithm")), "aws:kms");
    assert_key_of_the_stack(at(by_default, "KMSMasterKeyID"));
    let without = at(choice[2], "ServerSideEncryptionByDefault/SSEAlgorithm");
    assert_eq!(text(without), "AES256");
    for what in [
        "BlockPublicAcls",
        "BlockPublicPolicy",
        "IgnorePublicAcls",
        "RestrictPublicBuckets",
    ] {
        let path = format!("{bucket}/PublicAccessBlockConfiguration/{what}");
        assert_eq!(get(&path), "true");
    }
}

#[test]
fn the_bucket_policy_refuses_plain_http_and_hiding_the_journal() {
    let template = parsed();
    let path = "Resources/BucketPolicy/Properties/PolicyDocument/Statement";
    let statements = list(at(&template, path));
    let journal = statements[0];
    assert_eq!(text(at(journal, "Effect")), "Deny");
    assert_eq!(text(at(journal, "Action")), "s3:DeleteObject");
    let choice = list(statements[1]);
    assert_eq!(text(choice[0]), "TlsIsEnforced");
    assert_eq!(text(at(choice[1], "Effect")), "Deny");
    assert_eq!(
        text(at(choice[1], "Condition/Bool/aws:SecureTransport")),
        "false"
    );
}

#[test]
fn the_table_is_keyed_encrypted_and_protected() {
    let table = "Resources/Table/Properties";
    let template = parsed();
    let keys: Vec<_> = list(at(&template, &format!("{table}/KeySchema")))
        .into_iter()
        .map(|one| (text(at(one, "AttributeName")), text(at(one, "KeyType"))))
        .collect();
    assert_eq!(
        keys,
        [
            ("scope".to_owned(), "HASH".to_owned()),
            ("entry".to_owned(), "RANGE".to_owned())
        ]
    );
    assert_eq!(get(&format!("{table}/BillingMode")), "PAY_PER_REQUEST");
    assert_eq!(get(&format!("{table}/DeletionProtectionEnabled")), "true");
    let recovery = "PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled";
    assert_eq!(get(&format!("{table}/{recovery}")), "true");
    let choice = list(at(&template, &format!("{table}/SSESpecification")));
    assert_eq!(text(choice[0]), "HasKey");
    assert_eq!(text(at(choice[1], "SSEEnabled")), "true");
    assert_key_of_the_stack(at(choice[1], "KMSMasterKeyId"));
}

#[test]
fn the_key_rotates() {
    assert_eq!(get("Resources/Key/Properties/EnableKeyRotation"), "true");
}

#[test]
fn a_message_is_tried_for_longer_than_a_lost_version_needs() {
    let timeout_s = number("Resources/Function/Properties/Timeout");
    let visibility_s = number("Resources/Queue/Properties/VisibilityTimeout");
    let receives = number("Resources/Queue/Properties/RedrivePolicy/maxReceiveCount");
    assert!(visibility_s >= 6 * timeout_s);
    assert_eq!(receives, 5);
    assert!(
        (receives - 1) * visibility_s > 2 * 300,
        "five minutes, well over"
    );
    for queue in ["Queue", "DeadLetterQueue", "RuleDeadLetterQueue"] {
        let of = format!("Resources/{queue}/Properties");
        assert_eq!(
            number(&format!("{of}/MessageRetentionPeriod")),
            14 * 24 * 3600
        );
        assert_eq!(get(&format!("{of}/SqsManagedSseEnabled")), "true");
    }
}

#[test]
fn messages_fail_one_by_one() {
    let mapping = "Resources/EventSourceMapping/Properties";
    let template = parsed();
    let types = list(at(&template, &format!("{mapping}/FunctionResponseTypes")));
    assert_eq!(text(types[0]), "ReportBatchItemFailures");
    assert_eq!(number(&format!("{mapping}/BatchSize")), 10);
}

#[test]
fn the_rule_hears_changes_policy_actions_and_tags_and_has_its_own_dead_letters() {
    let template = parsed();
    let rule = at(&template, "Resources/Rule/Properties");
    let kinds: Vec<_> = list(at(rule, "EventPattern/$or"))
        .into_iter()
        .flat_map(|one| list(at(one, "detail-type")))
        .map(text)
        .collect();
    assert_eq!(
        kinds,
        [
            "Parameter Store Change",
            "Parameter Store Policy Action",
            "Tag Change on Resource"
        ]
    );
    let target = list(at(rule, "Targets"))[0];
    assert_eq!(text(at(target, "Arn")), "Queue.Arn");
    assert_eq!(
        text(at(target, "DeadLetterConfig/Arn")),
        "RuleDeadLetterQueue.Arn"
    );
    for policy in ["QueuePolicy", "RuleDeadLetterQueuePolicy"] {
        let path = format!("Resources/{policy}/Properties/PolicyDocument/Statement");
        let statement = list(at(&template, &path))[0];
        let source = list(at(statement, "Condition/ArnEquals/aws:SourceArn"));
        assert_eq!(text(source[0]), "Rule.Arn");
    }
}

#[test]
fn only_where_it_is_asked_for_deletions_that_cloudtrail_tells_reach_the_queue() {
    let template = parsed();
    assert_eq!(get("Parameters/DeletionsFromCloudTrail/Default"), "off");
    assert_eq!(get("Resources/DeletionRule/Condition"), "HearsCloudTrail");
    let rule = at(&template, "Resources/DeletionRule/Properties");
    let all = |path: &str| -> Vec<String> {
        let found = list(at(rule, path));
        found.into_iter().map(text).collect()
    };
    assert_eq!(all("EventPattern/source"), ["aws.ssm"]);
    let kind = ["AWS API Call via CloudTrail"];
    assert_eq!(all("EventPattern/detail-type"), kind);
    let calls = ["DeleteParameter", "DeleteParameters"];
    assert_eq!(all("EventPattern/detail/eventName"), calls);
    let service = ["ssm.amazonaws.com"];
    assert_eq!(all("EventPattern/detail/eventSource"), service);
    let failed = list(at(rule, "EventPattern/detail/errorCode"));
    assert_eq!(text(at(failed[0], "exists")), "false");
    let target = list(at(rule, "Targets"))[0];
    assert_eq!(text(at(target, "Arn")), "Queue.Arn");
    assert_eq!(
        text(at(target, "DeadLetterConfig/Arn")),
        "RuleDeadLetterQueue.Arn"
    );
    for policy in ["QueuePolicy", "RuleDeadLetterQueuePolicy"] {
        let path = format!("Resources/{policy}/Properties/PolicyDocument/Statement");
        let statement = list(at(&template, &path))[0];
        let source = list(at(statement, "Condition/ArnEquals/aws:SourceArn"));
        let choice: Vec<_> = list(source[1]).into_iter().map(text).collect();
        let expected = ["HearsCloudTrail", "DeletionRule.Arn", "AWS::NoValue"];
        assert_eq!(choice, expected, "{policy}");
    }
}

#[test]
fn nobody_is_allowed_a_wildcard_action() {
    let template = parsed();
    let key_policy = at(&template, "Resources/Key/Properties/KeyPolicy/Statement");
    let mut statements = identity_statements(&template);
    statements.extend(
        list(key_policy)
            .into_iter()
            .map(|one| ("Key".into(), one.clone())),
    );
    for (owner, statement) in statements {
        for action in list(at(&statement, "Action")) {
            assert!(!text(action).contains('*'), "{owner}: {action:?}");
        }
    }
}

#[test]
fn nothing_is_allowed_on_everything_that_aws_lets_be_narrowed() {
    const NO_NARROWER: [&str; 7] = [
        "kms:CreateKey",
        "kms:ListAliases",
        "lambda:CreateEventSourceMapping",
        "lambda:DeleteEventSourceMapping",
        "lambda:GetEventSourceMapping",
        "lambda:UpdateEventSourceMapping",
        "ssm:DescribeParameters",
    ];
    for (owner, statement) in identity_statements(&parsed()) {
        let on_all = list(at(&statement, "Resource"))
            .into_iter()
            .any(|one| plain(one).as_str() == Some("*"));
        if !on_all {
            continue;
        }
        for action in list(at(&statement, "Action")) {
            let action = text(action);
            assert!(NO_NARROWER.contains(&action.as_str()), "{owner}: {action}");
            if action.contains("EventSourceMapping") {
                at(&statement, "Condition/ArnLike/lambda:FunctionArn");
            }
        }
    }
}

#[test]
fn keys_are_used_through_one_service_only() {
    for (owner, statement) in identity_statements(&parsed()) {
        let uses_keys = list(at(&statement, "Action")).into_iter().any(|one| {
            [
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:Encrypt",
                "kms:GenerateDataKey",
            ]
            .contains(&text(one).as_str())
        });
        if uses_keys {
            let via = at(&statement, "Condition/StringEquals/kms:ViaService");
            assert!(!list(via).is_empty(), "{owner}");
        }
    }
}

/// Returns the statement of that name; panics where there are none or several.
fn statement(owner: &str, sid: &str) -> Yaml<'static> {
    let mut found = identity_statements(&parsed())
        .into_iter()
        .filter(|(name, one)| name == owner && text(at(one, "Sid")) == sid);
    let (_, one) = found.next().unwrap();
    assert!(found.next().is_none(), "{owner}: {sid}");
    one
}

fn acts(statement: &Yaml<'static>) -> Vec<String> {
    let actions = list(at(statement, "Action"));
    actions.into_iter().map(text).collect()
}

/// Returns the value of one key of a condition; unlike [`at`], the key may hold a slash.
fn asked(statement: &Yaml<'static>, operator: &str, key: &str) -> String {
    let keys = at(statement, "Condition").as_mapping_get(operator);
    text(keys.unwrap().as_mapping_get(key).unwrap())
}

/// A tag that a key was just given may count for nothing for minutes: what the creation of a stack
/// does next asks for no tag.
#[test]
fn a_deployer_tags_a_new_key_and_manages_keys_through_cloudformation_only() {
    let deployer = "DeployerPolicy";
    let tag = statement(deployer, "TagNewKey");
    assert_eq!(acts(&tag), ["kms:TagResource"]);
    assert!(text(at(&tag, "Resource")).ends_with(":key/*"));
    let asked_for = asked(&tag, "StringEquals", "aws:RequestTag/ssmbak:stack");
    assert_eq!(asked_for, "AWS::StackName");
    let manage = statement(deployer, "Key");
    for action in [
        "kms:DescribeKey",
        "kms:EnableKeyRotation",
        "kms:GetKeyPolicy",
        "kms:GetKeyRotationStatus",
        "kms:ListResourceTags",
        "kms:ScheduleKeyDeletion",
        "kms:TagResource",
    ] {
        assert!(acts(&manage).contains(&action.to_owned()), "{action}");
    }
    let via = asked(&manage, "ForAnyValue:StringEquals", "aws:CalledVia");
    assert_eq!(via, "cloudformation.amazonaws.com");
    let conditions = at(&manage, "Condition").as_mapping().unwrap();
    assert_eq!(conditions.len(), 1, "no tag besides");
}

/// `CloudFormation` calls in the deployer's name, and no emulator judges these calls.
#[test]
fn a_deployer_may_do_what_the_resource_handlers_do() {
    for (owner, sid, actions) in [
        (
            "DeployerPolicy",
            "Stack",
            &["cloudformation:ContinueUpdateRollback"][..],
        ),
        ("DeployerPolicy", "NewKey", &["kms:ListAliases"]),
        (
            "DeployerPolicy",
            "KeyOfTheTable",
            &[
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
        ),
        (
            "DeployerPolicy",
            "Table",
            &[
                "dynamodb:DescribeContributorInsights",
                "dynamodb:DescribeKinesisStreamingDestination",
                "dynamodb:DescribeTimeToLive",
                "dynamodb:GetResourcePolicy",
            ],
        ),
        ("DeployerPolicy", "Queues", &["sqs:GetQueueUrl"]),
        (
            "DeployerPolicy",
            "Functions",
            &[
                "lambda:GetFunctionCodeSigningConfig",
                "lambda:GetFunctionRecursionConfig",
                "lambda:GetRuntimeManagementConfig",
            ],
        ),
        (
            "DeployerAccessPolicy",
            "Roles",
            &["iam:UpdateRoleDescription"],
        ),
        (
            "DeployerAccessPolicy",
            "Logs",
            &["logs:DescribeIndexPolicies", "logs:GetDataProtectionPolicy"],
        ),
    ] {
        let granted = acts(&statement(owner, sid));
        for action in actions {
            assert!(granted.contains(&(*action).to_owned()), "{sid}: {action}");
        }
    }
    // Asked for until it is not found: by then it has no function to narrow it by.
    let gone = statement("DeployerAccessPolicy", "TagsOfMappings");
    assert!(acts(&gone).contains(&"lambda:GetEventSourceMapping".to_owned()));
    assert!(gone.as_mapping_get("Condition").is_none());
    // Whether any stack uses the bucket and the table that are to be adopted.
    let stacks = statement("DeployerPolicy", "Stacks");
    assert_eq!(acts(&stacks), ["cloudformation:DescribeStacks"]);
    assert!(text(at(&stacks, "Resource")).ends_with(":stack/*/*"));
}

#[test]
fn what_people_have_attached_is_kept_and_never_made_anew() {
    for (policy, description) in [
        (
            "AuditorPolicy",
            "reads who changed what and when, never a value",
        ),
        (
            "RestorerPolicy",
            "reads backups and writes parameters; cannot delete a backup",
        ),
        (
            "OperatorPolicy",
            "captures what lives, puts dead letters back; changes no parameter",
        ),
        (
            "DeployerPolicy",
            "deploys the stack, first half: what is kept, queues and functions; reads no value",
        ),
        (
            "DeployerAccessPolicy",
            "deploys the stack, second half: rules, roles, policies, logs, alarms, lookup",
        ),
    ] {
        let of = format!("Resources/{policy}");
        assert_eq!(get(&format!("{of}/DeletionPolicy")), "RetainExceptOnCreate");
        assert_eq!(get(&format!("{of}/UpdateReplacePolicy")), "Retain");
        // Another text is another policy, attached to nobody.
        let told = get(&format!("{of}/Properties/Description"));
        assert_eq!(told, format!("ssmbak ${{AWS::StackName}}: {description}"));
    }
    // Only the roles of the stack have this one, and it goes with them.
    let functions = "Resources/FunctionPolicy";
    assert!(
        at(&parsed(), functions)
            .as_mapping_get("DeletionPolicy")
            .is_none()
    );
    let told = get(&format!("{functions}/Properties/Description"));
    assert_eq!(told, "ssmbak ${AWS::StackName}: what its functions need");
}

#[test]
fn the_longest_name_of_a_stack_leaves_room_for_every_name_made_up_of_it() {
    // A hyphen and what makes it unique.
    const MADE_UP: usize = 14;
    let template = parsed();
    for (name, resource) in at(&template, "Resources").as_mapping().unwrap() {
        let longest = match text(at(resource, "Type")).as_str() {
            "AWS::S3::Bucket" => 63,
            "AWS::IAM::Role" | "AWS::Events::Rule" => 64,
            "AWS::SQS::Queue" => 80,
            "AWS::IAM::ManagedPolicy" => 128,
            _ => 255,
        };
        let len = crate::stack_name::MAX_LEN + 1 + text(name).len() + MADE_UP;
        assert!(len <= longest, "{name:?}: {len}");
    }
}

#[test]
fn nobody_may_delete_a_backup_or_a_row() {
    const DELETES: [&str; 6] = [
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:DeleteTable",
        "s3:BypassGovernanceRetention",
        "s3:DeleteObjectVersion",
        "s3:PutObjectRetention",
    ];
    for (owner, statement) in identity_statements(&parsed()) {
        for action in list(at(&statement, "Action")) {
            assert!(
                !DELETES.contains(&text(action).as_str()),
                "{owner}: {action:?}"
            );
        }
    }
}

#[test]
fn an_auditor_reads_no_value() {
    let actions = actions_of("AuditorPolicy");
    assert!(actions.contains(&"dynamodb:Query".to_owned()));
    assert!(!actions.iter().any(|action| action.starts_with("s3:")));
    let template = parsed();
    let (_, find) = identity_statements(&template).remove(0);
    for resource in list(at(&find, "Resource")) {
        assert!(
            text(resource).contains(":parameter/_ssmbak"),
            "{resource:?}"
        );
    }
}

#[test]
fn only_a_restorer_writes_parameters() {
    for writes in [
        "ssm:DeleteParameters",
        "ssm:LabelParameterVersion",
        "ssm:PutParameter",
    ] {
        let writes = writes.to_owned();
        assert!(actions_of("RestorerPolicy").contains(&writes), "{writes}");
        for owner in ["FunctionPolicy", "AuditorPolicy", "OperatorPolicy"] {
            assert!(!actions_of(owner).contains(&writes), "{owner}");
        }
    }
}

#[test]
fn an_operator_lists_the_versions_of_the_bucket() {
    let find = acts(&statement("OperatorPolicy", "FindObjects"));
    assert_eq!(find, ["s3:ListBucket", "s3:ListBucketVersions"]);
}

/// Emulators encrypt nothing, and neither take messages nor write a log under the function's role.
#[test]
fn what_no_emulator_judges_is_granted() {
    let template = parsed();
    let statements = identity_statements(&template);
    let granted = |owner: &str, action: &str, through: Option<&str>| {
        statements.iter().any(|(name, one)| {
            let acts = list(at(one, "Action"))
                .into_iter()
                .any(|a| text(a) == action);
            let via = || list(at(one, "Condition/StringEquals/kms:ViaService"));
            // A choice between the stack's own key and the one it was given.
            let resource = || list(at(one, "Resource"))[0];
            let is_through = |service: &str| {
                plain(resource()).as_str() == Some("OwnsKey")
                    && via().into_iter().any(|one| text(one).starts_with(service))
            };
            name == owner && acts && through.is_none_or(is_through)
        })
    };
    for action in [
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ] {
        assert!(granted("FunctionRole", action, None), "{action}");
    }
    for owner in ["FunctionPolicy", "RestorerPolicy", "OperatorPolicy"] {
        for service in ["s3.", "dynamodb."] {
            for action in ["kms:Decrypt", "kms:GenerateDataKey"] {
                assert!(granted(owner, action, Some(service)), "{owner}: {action}");
            }
        }
    }
    assert!(granted("AuditorPolicy", "kms:Decrypt", Some("dynamodb.")));
    assert!(!granted("AuditorPolicy", "kms:Decrypt", Some("s3.")));
}

#[test]
fn the_functions_are_told_where_to_write() {
    for function in ["Function", "ReconcileFunction"] {
        let of = format!("Resources/{function}/Properties");
        assert_eq!(get(&format!("{of}/Runtime")), "provided.al2023");
        assert_eq!(get(&format!("{of}/Handler")), "bootstrap");
        for (name, value) in [
            ("SSMBAK_BUCKET", "BucketNameParameter.Value"),
            ("SSMBAK_TABLE", "TableNameParameter.Value"),
            ("SSMBAK_STACK", "AWS::StackName"),
            ("LOG_LEVEL", "LogLevel"),
        ] {
            assert_eq!(get(&format!("{of}/Environment/Variables/{name}")), value);
        }
    }
}

#[test]
fn bucket_and_table_are_the_stacks_own_or_those_it_was_given() {
    let template = parsed();
    for (resource, condition, given) in [
        ("Bucket", "OwnsBucket", "ExistingBucket"),
        ("Table", "OwnsTable", "ExistingTable"),
    ] {
        assert_eq!(get(&format!("Resources/{resource}/Condition")), condition);
        let told = format!("Resources/{resource}NameParameter/Properties/Value");
        let choice: Vec<_> = list(at(&template, &told)).into_iter().map(text).collect();
        assert_eq!(choice, [condition, resource, given]);
    }
    assert_eq!(get("Resources/BucketPolicy/Condition"), "OwnsBucket");
    assert_eq!(get("Resources/Key/Condition"), "OwnsKey");
    assert_eq!(get("Resources/KeyAlias/Condition"), "OwnsKey");
}

#[test]
fn objects_are_locked_where_days_are_given() {
    let template = parsed();
    let bucket = at(&template, "Resources/Bucket/Properties");
    let enabled = list(at(bucket, "ObjectLockEnabled"));
    assert_eq!(text(enabled[0]), "LocksObjects");
    assert_eq!(text(enabled[1]), "true");
    assert_eq!(text(enabled[2]), "AWS::NoValue");
    let choice = list(at(bucket, "ObjectLockConfiguration"));
    assert_eq!(text(choice[0]), "LocksObjects");
    let retention = at(choice[1], "Rule/DefaultRetention");
    assert_eq!(text(at(retention, "Mode")), "ObjectLockMode");
    assert_eq!(text(at(retention, "Days")), "ObjectLockDays");
    assert_eq!(get("Parameters/ObjectLockDays/Default"), "0");
}

#[test]
fn superseded_values_expire_only_where_days_are_given_and_the_journal_never() {
    let template = parsed();
    let rules = list(at(
        &template,
        "Resources/Bucket/Properties/LifecycleConfiguration/Rules",
    ));
    assert_eq!(text(at(rules[0], "Id")), "AbortIncompleteUploads");
    assert!(
        rules[0]
            .as_mapping_get("NoncurrentVersionExpiration")
            .is_none()
    );
    assert_eq!(rules.len(), 2);
    let choice = list(rules[1]);
    assert_eq!(text(choice[0]), "ExpiresSuperseded");
    assert_eq!(text(choice[2]), "AWS::NoValue");
    let prefix = text(at(choice[1], "Prefix"));
    assert_eq!(prefix, "/");
    for kept in ["_ssmbak/journal/", "_ssmbak/facts/"] {
        assert!(!kept.starts_with(&prefix));
    }
    let expiry = at(choice[1], "NoncurrentVersionExpiration");
    assert_eq!(text(at(expiry, "NoncurrentDays")), "SupersededDays");
    assert_eq!(
        text(at(expiry, "NewerNoncurrentVersions")),
        "SupersededVersionsKept"
    );
    assert_eq!(get("Parameters/SupersededDays/Default"), "0");
}

#[test]
fn a_whole_account_is_reconciled_on_a_schedule_by_a_function_with_the_time_for_it() {
    assert_eq!(
        number("Resources/ReconcileFunction/Properties/Timeout"),
        900
    );
    let template = parsed();
    let rule = at(&template, "Resources/ReconcileRule");
    assert_eq!(text(at(rule, "Condition")), "IsReconciled");
    assert_eq!(
        text(at(rule, "Properties/ScheduleExpression")),
        "ReconcileSchedule"
    );
    let target = list(at(rule, "Properties/Targets"))[0];
    assert_eq!(text(at(target, "Arn")), "ReconcileFunction.Arn");
    let input: serde_json::Value = serde_json::from_str(&text(at(target, "Input"))).unwrap();
    assert_eq!(input, serde_json::json!({"task": "reconcile", "path": "/"}));
    let permission = "Resources/ReconcilePermission/Properties";
    assert_eq!(get(&format!("{permission}/SourceArn")), "ReconcileRule.Arn");
}

#[test]
fn without_a_second_factor_a_restorer_can_do_no_more_than_an_auditor_where_it_is_needed() {
    let auditor = actions_of("AuditorPolicy");
    let mut guarded = Vec::new();
    for (owner, statement) in identity_statements(&parsed()) {
        // The key alone opens nothing: what is encrypted with it is asked for by other rights.
        if owner != "RestorerPolicy" || text(at(&statement, "Sid")) == "UseKeyOfTheStack" {
            continue;
        }
        let actions = acts(&statement);
        if actions.iter().all(|one| auditor.contains(one)) {
            continue;
        }
        let condition = at(&statement, "Condition");
        let bool_if = condition.as_mapping_get("Bool").unwrap_or(condition);
        let choice = list(bool_if);
        assert_eq!(text(choice[0]), "MfaIsNeeded", "{actions:?}");
        let needed = choice[1].as_mapping_get("Bool").unwrap_or(choice[1]);
        let mfa = needed.as_mapping_get("aws:MultiFactorAuthPresent").unwrap();
        assert_eq!(text(mfa), "true");
        guarded.extend(actions);
    }
    for action in [
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "kms:Decrypt",
        "kms:Encrypt",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "ssm:DeleteParameters",
        "ssm:DescribeParameters",
        "ssm:GetParameterHistory",
        "ssm:GetParameters",
        "ssm:LabelParameterVersion",
        "ssm:PutParameter",
    ] {
        assert!(guarded.contains(&action.to_owned()), "{action}");
    }
    assert_eq!(get("Parameters/RestorerNeedsMfa/Default"), "false");
}

#[test]
fn the_lookup_parameters_are_those_that_are_looked_up() {
    let stack = "${AWS::StackName}";
    for (resource, leaf) in [
        ("StackNameParameter", "stackname"),
        ("BucketNameParameter", "bucketname"),
        ("TableNameParameter", "tablename"),
    ] {
        let of = format!("Resources/{resource}/Properties");
        let name = format!("{}/{stack}/{leaf}", crate::lookup::PREFIX);
        assert_eq!(get(&format!("{of}/Name")), name);
        assert!(!get(&format!("{of}/Description")).is_empty());
    }
}

#[test]
fn nothing_is_named_alike_in_two_stacks() {
    let template = parsed();
    for (name, output) in at(&template, "Outputs").as_mapping().unwrap() {
        let export = text(at(output, "Export/Name"));
        let wanted = format!("${{AWS::StackName}}-{}", name.as_str().unwrap());
        assert_eq!(export, wanted);
    }
    let named = [
        "RoleName",
        "ManagedPolicyName",
        "QueueName",
        "TableName",
        "BucketName",
    ];
    for (name, resource) in at(&template, "Resources").as_mapping().unwrap() {
        for property in named {
            let properties = at(resource, "Properties");
            assert!(
                properties.as_mapping_get(property).is_none(),
                "{name:?}: {property}"
            );
        }
    }
}
