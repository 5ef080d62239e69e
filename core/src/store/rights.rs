//! Which right a refused call lacks, and which of the stack's policies has it.

/// The stack's policies for people, least mighty first, each with the actions that it allows and
/// that this tool asks for.
const POLICIES: [(&str, &[&str]); 4] = [
    (
        "auditor",
        &[
            "cloudformation:DescribeStackResources",
            "cloudformation:DescribeStacks",
            "cloudwatch:DescribeAlarms",
            "dynamodb:GetItem",
            "dynamodb:Query",
            "sqs:GetQueueAttributes",
        ],
    ),
    (
        "restorer",
        &[
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "kms:Decrypt",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:ListBucket",
            "s3:PutObject",
            "s3:PutObjectTagging",
            "ssm:AddTagsToResource",
            "ssm:DeleteParameters",
            "ssm:DescribeParameters",
            "ssm:GetParameter",
            "ssm:GetParameterHistory",
            "ssm:GetParameters",
            "ssm:LabelParameterVersion",
            "ssm:ListTagsForResource",
            "ssm:PutParameter",
            "ssm:RemoveTagsFromResource",
        ],
    ),
    (
        "operator",
        &[
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:PutObject",
            "s3:PutObjectTagging",
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
            "ssm:DescribeParameters",
            "ssm:GetParameter",
            "ssm:GetParameterHistory",
            "ssm:GetParameters",
            "ssm:ListTagsForResource",
        ],
    ),
    (
        "deployer",
        &[
            "cloudformation:CreateChangeSet",
            "cloudformation:CreateStack",
            "cloudformation:DeleteStack",
            "cloudformation:DescribeChangeSet",
            "cloudformation:DescribeStackEvents",
            "lambda:InvokeFunction",
        ],
    ),
];

/// Returns which of the stack's policies are for those who need `action`, the least mighty first.
pub fn policies_with(action: &str) -> Vec<&'static str> {
    let has = |(_, actions): &&(&str, &[&str])| actions.contains(&action);
    POLICIES.iter().filter(has).map(|(who, _)| *who).collect()
}

/// Returns each policy with the actions that are told to be in it, for a comparison with the
/// template.
pub fn policies() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    POLICIES.into_iter()
}

/// Returns what to do about a refusal. Where the service's message names caller, action and
/// resource, these count: what the call needed besides (a key) may be what was refused.
pub(super) fn way_out(action: &str, message: &str, of_key: bool) -> String {
    let word_after = |sign: &str| {
        let rest = message.split_once(sign)?.1;
        let word = rest.split_whitespace().next()?;
        Some(word.trim_end_matches(['.', ',']).to_owned())
    };
    let is_action = |word: &String| word.contains(':') && !word.starts_with("arn:");
    let named = word_after("not authorized to perform: ").filter(is_action);
    let key = of_key || message.contains("ciphertext refers to a customer master key");
    let action = match named {
        Some(named) => named,
        None if key => "kms:Decrypt".to_owned(),
        None => action.to_owned(),
    };
    let caller = word_after("User: ").map_or(String::new(), |arn| format!(" ({arn})"));
    let on = word_after("on resource: ").map_or(String::new(), |on| format!(" on {on}"));
    if message.contains("explicit deny") {
        return format!(
            "a policy denies {action}{on} to your credentials{caller} explicitly: whoever wrote it \
             has to change it"
        );
    }
    let has = match policies_with(&action).as_slice() {
        [] => "add it to your user or role".to_owned(),
        some => {
            let printed = some[0];
            format!(
                "attach the stack's policy for {}, or what `ssmbak stack NAME policy {printed}` \
                 prints",
                people(some)
            )
        }
    };
    format!("your credentials{caller} need {action}{on}: {has}")
}

/// `restorers or operators`.
fn people(who: &[&str]) -> String {
    let many: Vec<String> = who.iter().map(|who| format!("{who}s")).collect();
    many.join(" or ")
}
