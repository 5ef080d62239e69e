//! All that the template grants, to whomever, in one list to be looked at: no right comes in unseen.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::intrinsics;
use crate::template::template;

/// Every grant, as [`granted`] tells them. Who changes the template changes this list with it, and
/// has so looked at what they give.
const LIST: &str = include_str!("granted.txt");

/// What would delete or alter a backup, or let somebody do so.
const NEVER: &[&str] = &[
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:DeleteTable",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLUpdate",
    "dynamodb:RestoreTableToPointInTime",
    "dynamodb:UpdateTimeToLive",
    "kms:DisableKey",
    "lambda:UpdateFunctionCode",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:PutObjectRetention",
    "s3:PutObjectLegalHold",
    "s3:PutReplicationConfiguration",
    "sqs:PurgeQueue",
    "sts:AssumeRole",
    "dynamodb:UpdateTable",
    "dynamodb:UpdateContinuousBackups",
    "iam:AttachRolePolicy",
    "iam:CreatePolicyVersion",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketPolicy",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
];

/// Who has one of these all the same, and why.
const EXCEPT: &[(&str, &[&str], &str)] = &[
    (
        "DeployerPolicy",
        &[
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTable",
            "s3:DeleteBucket",
            "s3:DeleteBucketPolicy",
            "s3:PutBucketObjectLockConfiguration",
            "s3:PutBucketPolicy",
            "s3:PutBucketVersioning",
            "s3:PutLifecycleConfiguration",
        ],
        "makes bucket and table, and takes back an empty bucket where a creation fails",
    ),
    (
        "DeployerPolicy",
        &["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"],
        "makes the key, and takes it back where a creation fails: through CloudFormation only",
    ),
    (
        "DeployerPolicy",
        &["lambda:UpdateFunctionCode"],
        "brings the function to a newer version",
    ),
    (
        "DeployerAccessPolicy",
        &[
            "iam:AttachRolePolicy",
            "iam:CreatePolicyVersion",
            "iam:PassRole",
            "iam:PutRolePolicy",
            "iam:UpdateAssumeRolePolicy",
        ],
        "makes the roles and policies of this stack, and can do whatever those may do",
    ),
    (
        "KeyPolicy",
        &[
            "kms:DisableKey",
            "kms:PutKeyPolicy",
            "kms:ScheduleKeyDeletion",
        ],
        "leaves it to the account's IAM policies, of which none of the template allows it but the deployer's",
    ),
];

/// A statement and who it is for: the name of the policy, or of the resource that holds it.
struct Grant {
    owner: String,
    statement: Json,
}

fn list_of(node: &Json) -> Vec<&Json> {
    node.as_array()
        .map_or_else(|| vec![node], |many| many.iter().collect())
}

/// One that stands under a condition of the template; the others as they are.
fn held(statement: &Json) -> &Json {
    statement
        .get("Fn::If")
        .map_or(statement, |choice| &choice[1])
}

fn grants() -> Vec<Grant> {
    let parsed = intrinsics::parse(template()).unwrap();
    let mut found = Vec::new();
    for (name, resource) in parsed["Resources"].as_object().unwrap() {
        let of = &resource["Properties"];
        let mut documents = vec![
            (name.clone(), &of["PolicyDocument"]),
            ("KeyPolicy".to_owned(), &of["KeyPolicy"]),
            (
                format!("{name} is assumed"),
                &of["AssumeRolePolicyDocument"],
            ),
        ];
        for policy in of["Policies"].as_array().into_iter().flatten() {
            documents.push((name.clone(), &policy["PolicyDocument"]));
        }
        for (owner, document) in documents {
            for statement in document["Statement"].as_array().into_iter().flatten() {
                let (owner, statement) = (owner.clone(), held(statement).clone());
                found.push(Grant { owner, statement });
            }
        }
        if resource["Type"] == "AWS::Lambda::Permission" {
            let (owner, statement) = (name.clone(), of.clone());
            found.push(Grant { owner, statement });
        }
    }
    found
}

/// A line for each action of each statement, then on what, to whom and under which condition.
fn granted() -> String {
    let mut lines = Vec::new();
    for Grant { owner, statement } in grants() {
        let sid = statement["Sid"].as_str().unwrap_or("-");
        let effect = statement["Effect"].as_str().unwrap_or("Allow");
        let of = format!("{owner} {sid}");
        let actions = list_of(&statement["Action"]).into_iter();
        lines.extend(actions.map(|a| format!("{of} {effect}: {}", a.as_str().unwrap())));
        let more = statement.as_object().unwrap().iter();
        let is_more = |field: &str| !["Sid", "Effect", "Action"].contains(&field);
        let more = more.filter(|(field, _)| is_more(field));
        lines.extend(more.map(|(field, value)| format!("{of} {field}: {value}")));
    }
    lines.join("\n") + "\n"
}

#[test]
fn no_right_is_granted_unseen() {
    let granted = granted();
    if granted == LIST {
        return;
    }
    let (is, was): (BTreeSet<_>, BTreeSet<_>) = (granted.lines().collect(), LIST.lines().collect());
    let new: Vec<_> = is.difference(&was).collect();
    let gone: Vec<_> = was.difference(&is).collect();
    panic!(
        "infra/src/granted.txt is not what the template grants: new {new:#?}, gone {gone:#?}; all of it:\n{granted}"
    );
}

#[test]
fn nobody_may_delete_or_alter_a_backup_but_who_is_named() {
    let mut excepted = BTreeSet::new();
    for Grant { owner, statement } in grants() {
        if statement["Effect"] == "Deny" || owner.ends_with("is assumed") {
            continue;
        }
        for action in list_of(&statement["Action"]) {
            let action = action.as_str().unwrap();
            // With a wildcard an action would be allowed that is not spelled here.
            assert!(!action.contains(['*', '?']), "{owner}: {action}");
            if !NEVER.iter().any(|never| never.eq_ignore_ascii_case(action)) {
                continue;
            }
            // The zip's bucket holds no backup.
            let of_the_zip = statement["Sid"] == "Zip";
            let is_named =
                |(who, what, _): &&(&str, &[&str], &str)| *who == owner && what.contains(&action);
            let named = EXCEPT.iter().find(is_named);
            assert!(of_the_zip || named.is_some(), "{owner} may {action}");
            if named.is_some() {
                excepted.insert((owner.clone(), action.to_owned()));
            }
        }
    }
    for (owner, actions, why) in EXCEPT {
        for action in *actions {
            let is = excepted.contains(&((*owner).to_owned(), (*action).to_owned()));
            assert!(
                is,
                "{owner} has {action} no longer ({why}): the exception can go"
            );
            assert!(NEVER.contains(action), "{action} is no exception");
        }
    }
}
