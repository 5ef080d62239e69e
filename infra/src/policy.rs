//! The template's managed policies as documents: for an account that attaches its policies by
//! hand, and for whoever deploys the stack, who needs one before it exists.
//!
//! Each policy is told once, in the template. What is printed is that telling, its intrinsic
//! functions worked out here.

use aws_config::SdkConfig;
use serde_json::Value as Json;

use crate::aws::{AwsError, ErrorKind, cloudformation};
use crate::caller::{caller, partition};
use crate::intrinsics::{self, IntrinsicError, Resolver, Setting};
use crate::stack::{self, Stack, StackResource};
use crate::stack_name::StackName;
use crate::template::template;

/// A managed policy of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Reads who changed what and when, never a value.
    Auditor,
    /// Reads backups, writes and deletes parameters.
    Restorer,
    /// Captures what lives now, changes no parameter.
    Operator,
    /// Creates, updates and deletes the stack: first half. IAM takes no policy as long as both.
    Deployer,
    /// The second half.
    DeployerAccess,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Auditor,
        Self::Restorer,
        Self::Operator,
        Self::Deployer,
        Self::DeployerAccess,
    ];

    /// Returns its name in the template.
    pub fn logical_id(self) -> &'static str {
        match self {
            Self::Auditor => "AuditorPolicy",
            Self::Restorer => "RestorerPolicy",
            Self::Operator => "OperatorPolicy",
            Self::Deployer => "DeployerPolicy",
            Self::DeployerAccess => "DeployerAccessPolicy",
        }
    }
}

/// What a policy's ARNs go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The stack's own resources.
    Stack,
    /// Patterns that the resources of a stack of that name will match: there is none yet.
    Patterns,
    /// The same, since whether there is a stack may not be asked.
    NotAllowed,
}

/// A policy's document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The document, as IAM takes it.
    pub json: Json,
    /// What its ARNs go by.
    pub basis: Basis,
}

/// Returns the document of a policy: of the stack of that name, or of the one that it will be.
pub async fn document(
    sdk: &SdkConfig,
    stack: &StackName,
    policy: Policy,
) -> Result<Document, PolicyError> {
    let client = cloudformation(sdk);
    let (setting, basis) = match stack::find(&client, stack.as_str()).await {
        Ok(Some(found)) => {
            let resources = stack::resources_of(&client, &found.id).await?;
            (of_stack(found, resources), Basis::Stack)
        }
        Ok(None) => (to_be(sdk, stack).await?, Basis::Patterns),
        Err(error) if error.kind == ErrorKind::AccessDenied => {
            (to_be(sdk, stack).await?, Basis::NotAllowed)
        }
        Err(error) => return Err(error.into()),
    };
    let json = render(template(), policy, &setting)?;
    Ok(Document { json, basis })
}

/// The ARN of a stack tells partition, region and account.
fn of_stack(stack: Stack, resources: Vec<StackResource>) -> Setting {
    let part = |number| {
        stack
            .id
            .split(':')
            .nth(number)
            .unwrap_or_default()
            .to_owned()
    };
    let there = |one: &StackResource| {
        let gone = one.status.starts_with("DELETE_") || one.status == "CREATE_FAILED";
        !gone && !one.physical_id.is_empty()
    };
    Setting {
        partition: partition(&stack.id),
        region: part(3),
        account: part(4),
        stack: stack.name,
        stack_id: Some(stack.id),
        parameters: stack.parameters,
        resources: resources
            .into_iter()
            .filter(there)
            .map(|one| (one.logical_id, one.physical_id))
            .collect(),
    }
}

async fn to_be(sdk: &SdkConfig, stack: &StackName) -> Result<Setting, PolicyError> {
    let caller = caller(sdk).await?.ok_or(PolicyError::NoAccount)?;
    Ok(Setting {
        stack: stack.to_string(),
        partition: caller.partition,
        region: sdk.region().ok_or(PolicyError::NoRegion)?.to_string(),
        account: caller.account,
        ..Setting::default()
    })
}

fn render(template: &str, policy: Policy, setting: &Setting) -> Result<Json, PolicyError> {
    let template = intrinsics::parse(template)?;
    let id = policy.logical_id();
    let missing = || IntrinsicError::UnknownName { name: id.into() };
    let document = template
        .get("Resources")
        .and_then(|resources| resources.get(id))
        .and_then(|resource| resource.get("Properties")?.get("PolicyDocument"))
        .ok_or_else(missing)?;
    let resolved = Resolver::new(&template, setting).resolve(document)?;
    Ok(resolved.ok_or_else(missing)?)
}

/// Why a policy could not be told.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// No region is set.
    #[error("no region is set")]
    NoRegion,
    /// AWS did not tell the account.
    #[error("AWS told no account for these credentials")]
    NoAccount,
    /// The template says something that is not understood here.
    #[error(transparent)]
    Template(#[from] IntrinsicError),
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl PolicyError {
    /// Returns the way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoRegion => {
                Some("set a region with --region, AWS_REGION or in the profile".into())
            }
            Self::Aws(error) => error.hint(),
            Self::NoAccount | Self::Template(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    /// More than this IAM does not take, white space not counted.
    const LONGEST: usize = 6_144;

    fn setting() -> Setting {
        Setting {
            stack: "ssmbak".into(),
            partition: "aws".into(),
            region: "eu-west-1".into(),
            account: "123456789012".into(),
            ..Setting::default()
        }
    }

    /// Each policy that the template has, with the name and without a stack.
    fn documents() -> Vec<(String, Json)> {
        let parsed = intrinsics::parse(template()).unwrap();
        let resources = parsed["Resources"].as_object().unwrap();
        let setting = setting();
        let resolver = Resolver::new(&parsed, &setting);
        resources
            .iter()
            .filter(|(_, one)| one["Type"] == "AWS::IAM::ManagedPolicy")
            .map(|(name, one)| {
                let document = resolver.resolve(&one["Properties"]["PolicyDocument"]);
                let document = document.unwrap_or_else(|e| panic!("{name}: {e}"));
                (name.clone(), document.unwrap())
            })
            .collect()
    }

    #[test]
    fn every_policy_of_the_template_is_understood_and_fits() {
        let documents = documents();
        assert!(documents.len() >= 3);
        for (name, document) in documents {
            let text = document.to_string();
            assert!(!text.contains("${") && !text.contains("Fn::"), "{name}");
            assert!(!text.contains("\"Ref\""), "{name}: {text}");
            assert!(text.len() <= LONGEST, "{name}: {} characters", text.len());
            assert_eq!(document["Version"], "2012-10-17");
            for statement in document["Statement"].as_array().unwrap() {
                assert_ne!(statement["Action"], "*", "{name}");
                assert!(!statement["Resource"].is_null(), "{name}: {statement}");
            }
        }
    }

    #[test]
    fn a_refusal_names_the_policies_that_the_template_gives_the_action() {
        let documents = documents();
        let has = |policy: &str, action: &str| {
            let found = documents.iter().find(|(name, _)| name == policy);
            let statements = found.unwrap().1["Statement"].as_array().unwrap();
            statements
                .iter()
                // To the auditor the stack's own key opens the index alone.
                .filter(|one| policy != "AuditorPolicy" || one["Sid"] != "UseKeyOfTheStack")
                .any(|statement| {
                    let actions = &statement["Action"];
                    let among = |many: &Vec<Json>| many.iter().any(|one| one == action);
                    actions == action || actions.as_array().is_some_and(among)
                })
        };
        let people = [
            ("auditor", "AuditorPolicy"),
            ("restorer", "RestorerPolicy"),
            ("operator", "OperatorPolicy"),
        ];
        for (action, told) in ssmbak_core::store::rights::all() {
            let mut expected: Vec<_> = people
                .iter()
                .filter(|(_, policy)| has(policy, action))
                .map(|(who, _)| *who)
                .collect();
            if expected.is_empty() && has("DeployerPolicy", action) {
                expected.push("deployer");
            }
            assert_eq!(told, expected, "{action}");
        }
    }

    /// The stack with the longest name, and ids as long as they come.
    fn longest() -> Setting {
        let stack = "n".repeat(crate::stack_name::MAX_LEN);
        let (region, account) = ("ap-southeast-1", "123456789012");
        let key = |number| format!("arn:aws:kms:{region}:{account}:key/{number:036}");
        let keys: Vec<String> = (0..30).map(key).collect();
        let resources = [
            ("Key", format!("{:036}", 0)),
            ("Bucket", format!("{stack}-bucket-123456789012")),
            ("Table", format!("{stack}-Table-1234567890123")),
        ]
        .map(|(name, id)| (name.to_owned(), id));
        let queues = ["Queue", "DeadLetterQueue", "RuleDeadLetterQueue"].map(|name| {
            let host = format!("https://sqs.{region}.amazonaws.com");
            let id = format!("{host}/{account}/{stack}-{name}-123456789012");
            (name.to_owned(), id)
        });
        let parameters = [
            ("SecureStringKeyArns", keys.join(",")),
            ("RestorerNeedsMfa", "true".into()),
        ];
        Setting {
            resources: resources.into_iter().chain(queues).collect(),
            parameters: parameters.map(|(name, value)| (name.into(), value)).into(),
            stack,
            region: region.into(),
            account: account.into(),
            ..setting()
        }
    }

    #[test]
    fn every_policy_fits_under_the_longest_name_and_with_thirty_keys() {
        let longest = longest();
        for policy in Policy::ALL {
            let document = render(template(), policy, &longest).unwrap();
            let text = document.to_string();
            assert!(
                text.len() <= LONGEST,
                "{policy:?}: {} characters",
                text.len()
            );
            let has_keys = matches!(policy, Policy::Restorer | Policy::Operator);
            assert_eq!(text.contains(&format!("{:036}", 29)), has_keys);
        }
    }

    #[test]
    fn each_policy_for_people_can_be_asked_for() {
        for policy in Policy::ALL {
            let document = render(template(), policy, &setting());
            assert!(document.is_ok(), "{policy:?}: {document:?}");
        }
        // The functions' own is nothing to attach by hand.
        let names: Vec<_> = documents().into_iter().map(|(name, _)| name).collect();
        for name in names.iter().filter(|name| *name != "FunctionPolicy") {
            let asked = Policy::ALL.iter().any(|one| one.logical_id() == name);
            assert!(asked, "{name} cannot be asked for");
        }
    }

    fn stack() -> Stack {
        Stack {
            name: "ssmbak".into(),
            id: "arn:aws-cn:cloudformation:cn-north-1:123456789012:stack/ssmbak/1".into(),
            status: "UPDATE_COMPLETE".into(),
            status_reason: None,
            created: DateTime::UNIX_EPOCH,
            updated: None,
            description: String::new(),
            outputs: BTreeMap::new(),
            parameters: BTreeMap::from([("SecureStringKeyArns".into(), "arn:k1,arn:k2".into())]),
            tags: BTreeMap::new(),
        }
    }

    fn resource(logical_id: &str, physical_id: &str, status: &str) -> StackResource {
        StackResource {
            time: DateTime::UNIX_EPOCH,
            status: status.into(),
            logical_id: logical_id.into(),
            physical_id: physical_id.into(),
            resource_type: String::new(),
        }
    }

    #[test]
    fn a_stack_tells_its_own_ids_parameters_and_place() {
        let resources = vec![
            resource("Table", "the-table", "CREATE_COMPLETE"),
            resource("Bucket", "gone", "DELETE_COMPLETE"),
        ];
        let setting = of_stack(stack(), resources);
        let document = render(template(), Policy::Restorer, &setting).unwrap();
        let text = document.to_string();
        assert!(text.contains("\"arn:aws-cn:dynamodb:cn-north-1:123456789012:table/the-table\""));
        assert!(text.contains("arn:aws-cn:s3:::ssmbak-bucket-*"), "{text}");
        assert!(text.contains(&json!(["arn:k1", "arn:k2"]).to_string()));
    }

    #[test]
    fn a_policy_that_the_template_lacks_is_told() {
        let error = render("Resources: {}", Policy::Deployer, &setting()).unwrap_err();
        assert_eq!(error.to_string(), "the template has no DeployerPolicy");
    }
}
