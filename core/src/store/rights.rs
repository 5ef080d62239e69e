//! Which right a refused call lacks, and which of the stack's policies has it.

/// Each action that this tool asks for, and which of the stack's policies for people have it, the
/// least mighty first; the deployer's only where no other one has it.
const RIGHTS: &[(&str, &[&str])] = &[
    ("cloudformation:CreateChangeSet", &["deployer"]),
    ("cloudformation:CreateStack", &["deployer"]),
    ("cloudformation:DeleteStack", &["deployer"]),
    ("cloudformation:DescribeChangeSet", &["deployer"]),
    ("cloudformation:DescribeStackEvents", &["deployer"]),
    (
        "cloudformation:DescribeStackResources",
        &["auditor", "restorer", "operator"],
    ),
    (
        "cloudformation:DescribeStacks",
        &["auditor", "restorer", "operator"],
    ),
    (
        "cloudwatch:DescribeAlarms",
        &["auditor", "restorer", "operator"],
    ),
    ("dynamodb:DescribeTable", &["deployer"]),
    ("dynamodb:GetItem", &["auditor", "restorer", "operator"]),
    ("dynamodb:PutItem", &["restorer", "operator"]),
    ("dynamodb:Query", &["auditor", "restorer", "operator"]),
    ("dynamodb:UpdateItem", &["restorer", "operator"]),
    ("kms:Decrypt", &["restorer", "operator"]),
    ("kms:Encrypt", &["restorer"]),
    ("kms:GenerateDataKey", &["restorer", "operator"]),
    ("lambda:InvokeFunction", &["deployer"]),
    ("s3:CreateBucket", &["deployer"]),
    ("s3:DeleteObject", &["restorer", "operator"]),
    ("s3:GetObject", &["restorer", "operator"]),
    ("s3:GetObjectVersion", &["restorer", "operator"]),
    ("s3:ListBucket", &["restorer", "operator"]),
    ("s3:ListBucketVersions", &["operator"]),
    ("s3:PutObject", &["restorer", "operator"]),
    ("s3:PutObjectTagging", &["restorer", "operator"]),
    ("sqs:ChangeMessageVisibility", &["operator"]),
    ("sqs:DeleteMessage", &["operator"]),
    (
        "sqs:GetQueueAttributes",
        &["auditor", "restorer", "operator"],
    ),
    ("sqs:ReceiveMessage", &["operator"]),
    ("sqs:SendMessage", &["operator"]),
    ("ssm:AddTagsToResource", &["restorer"]),
    ("ssm:DeleteParameters", &["restorer"]),
    ("ssm:DescribeParameters", &["restorer", "operator"]),
    ("ssm:GetParameter", &["restorer", "operator"]),
    ("ssm:GetParameterHistory", &["restorer", "operator"]),
    ("ssm:GetParameters", &["auditor", "restorer", "operator"]),
    ("ssm:LabelParameterVersion", &["restorer"]),
    ("ssm:ListTagsForResource", &["restorer", "operator"]),
    ("ssm:PutParameter", &["restorer"]),
    ("ssm:RemoveTagsFromResource", &["restorer"]),
];

/// Returns which of the stack's policies are for those who need `action`, the least mighty first.
pub fn policies_with(action: &str) -> &'static [&'static str] {
    let found = RIGHTS.iter().find(|(own, _)| *own == action);
    found.map_or(&[], |(_, who)| who)
}

/// Returns every action with the policies that are told to have it, to be compared with the template.
pub fn all() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    RIGHTS.iter().copied()
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
    let has = match policies_with(&action) {
        [] => "add it to your user or role".to_owned(),
        some => {
            let printed = some[0];
            // A policy whose condition is not met allows nothing, and AWS says no more than that.
            let factor = if some.contains(&"restorer") {
                " (or sign in with a second factor, where the stack asks for one)"
            } else {
                ""
            };
            format!(
                "attach the stack's policy for {}, or what `ssmbak stack NAME policy {printed}` \
                 prints{factor}",
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
