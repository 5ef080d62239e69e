use super::*;

const TEMPLATE: &str = r#"
Parameters:
  Mode: { Type: String, Default: own }
  Days: { Type: Number, Default: 5 }
  Keys: { Type: CommaDelimitedList, Default: "" }
Conditions:
  Own: !Equals [!Ref Mode, own]
  HasKeys: !Not [!Equals [!Join ["", !Ref Keys], ""]]
  Both: !And [!Condition Own, !Condition HasKeys]
  Either: !Or [!Condition Own, !Condition HasKeys]
Resources:
  Bucket: { Type: "AWS::S3::Bucket" }
  Table: { Type: "AWS::DynamoDB::Table" }
  Queue: { Type: "AWS::SQS::Queue" }
  Key: { Type: "AWS::KMS::Key" }
  Role: { Type: "AWS::IAM::Role" }
  Rule: { Type: "AWS::Events::Rule" }
  Told:
    Type: AWS::SSM::Parameter
    Properties: { Name: /told, Value: !If [Own, !Ref Bucket, elsewhere] }
  Function:
    Type: AWS::Lambda::Function
    Properties: { FunctionName: !Sub "${AWS::StackName}-capture" }
  Log:
    Type: AWS::Logs::LogGroup
    Properties: { LogGroupName: !Sub "/aws/lambda/${AWS::StackName}-capture" }
"#;

fn setting() -> Setting {
    Setting {
        stack: "Prod".into(),
        partition: "aws".into(),
        region: "eu-west-1".into(),
        account: "123456789012".into(),
        ..Setting::default()
    }
}

/// Works out the node that `yaml` holds.
fn resolved_in(setting: &Setting, yaml: &str) -> Result<Option<Json>, IntrinsicError> {
    let template = parse(TEMPLATE).unwrap();
    Resolver::new(&template, setting).resolve(&parse(yaml).unwrap())
}

fn resolved(yaml: &str) -> Json {
    resolved_in(&setting(), yaml).unwrap().unwrap()
}

#[test]
fn what_has_no_function_stays_as_it_is() {
    let yaml = "{ a: [1, true, text, \"2\"], b: { Condition: x, Effect: Allow } }";
    let expected = json!({"a": [1, true, "text", "2"], "b": {"Condition": "x", "Effect": "Allow"}});
    assert_eq!(resolved(yaml), expected);
}

#[test]
fn short_and_long_forms_are_one() {
    let expected = "arn:aws:s3:::prod-bucket-*";
    for yaml in [
        "!GetAtt Bucket.Arn",
        "Fn::GetAtt: [Bucket, Arn]",
        "!Sub \"${Bucket.Arn}\"",
        "Fn::Sub: \"${Bucket.Arn}\"",
    ] {
        assert_eq!(resolved(yaml), expected, "{yaml}");
    }
}

#[test]
fn resources_that_are_not_there_yet_are_patterns() {
    for (yaml, expected) in [
        (
            "!GetAtt Table.Arn",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/Prod-Table-*",
        ),
        (
            "!GetAtt Queue.Arn",
            "arn:aws:sqs:eu-west-1:123456789012:Prod-Queue-*",
        ),
        ("!GetAtt Queue.QueueName", "Prod-Queue-*"),
        (
            "!GetAtt Key.Arn",
            "arn:aws:kms:eu-west-1:123456789012:key/*",
        ),
        (
            "!GetAtt Role.Arn",
            "arn:aws:iam::123456789012:role/Prod-Role-*",
        ),
        (
            "!GetAtt Rule.Arn",
            "arn:aws:events:eu-west-1:123456789012:rule/Prod-Rule-*",
        ),
        (
            "!GetAtt Function.Arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:Prod-capture",
        ),
        (
            "!GetAtt Log.Arn",
            "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/Prod-capture:*",
        ),
    ] {
        assert_eq!(resolved(yaml), expected, "{yaml}");
    }
}

#[test]
fn resources_that_are_there_are_named() {
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/Prod-Queue-X";
    let setting = Setting {
        resources: BTreeMap::from([
            ("Bucket".into(), "prod-bucket-x1".into()),
            ("Queue".into(), url.into()),
            ("Key".into(), "1234-5678".into()),
        ]),
        ..setting()
    };
    let told = |yaml| resolved_in(&setting, yaml).unwrap().unwrap();
    assert_eq!(
        told("!Sub \"${Bucket.Arn}/*\""),
        "arn:aws:s3:::prod-bucket-x1/*"
    );
    let queue = "arn:aws:sqs:eu-west-1:123456789012:Prod-Queue-X";
    assert_eq!(told("!GetAtt Queue.Arn"), queue);
    let key = "arn:aws:kms:eu-west-1:123456789012:key/1234-5678";
    assert_eq!(told("!GetAtt Key.Arn"), key);
    assert_eq!(told("!Ref Queue"), url);
}

#[test]
fn a_lookup_parameter_tells_what_it_holds() {
    assert_eq!(
        resolved("!Sub \"arn:aws:s3:::${Told.Value}/*\""),
        "arn:aws:s3:::prod-bucket-*/*"
    );
    let adopts = Setting {
        parameters: BTreeMap::from([("Mode".into(), "adopted".into())]),
        ..setting()
    };
    let told = resolved_in(&adopts, "!GetAtt Told.Value").unwrap().unwrap();
    assert_eq!(told, "elsewhere");
}

#[test]
fn conditions_choose_and_no_value_drops() {
    assert_eq!(
        resolved("[!If [Own, 1, 2], !If [HasKeys, 3, 4]]"),
        json!([1, 4])
    );
    assert_eq!(
        resolved("[!If [Both, yes, no], !If [Either, yes, no]]"),
        json!(["no", "yes"])
    );
    let drops = "{ a: !If [Both, x, !Ref AWS::NoValue], b: [!Ref AWS::NoValue, c] }";
    assert_eq!(resolved(drops), json!({"b": ["c"]}));
}

#[test]
fn parameters_are_the_stacks_own_or_their_defaults() {
    let setting = Setting {
        parameters: BTreeMap::from([
            ("Mode".into(), "none".into()),
            ("Keys".into(), "one, two".into()),
        ]),
        ..setting()
    };
    let told = |yaml| resolved_in(&setting, yaml).unwrap().unwrap();
    assert_eq!(told("!Ref Mode"), "none");
    assert_eq!(told("!Ref Days"), "5");
    assert_eq!(told("!Ref Keys"), json!(["one", "two"]));
    assert_eq!(told("!If [HasKeys, !Ref Keys, []]"), json!(["one", "two"]));
}

#[test]
fn a_branch_that_is_not_taken_is_not_looked_at() {
    assert_eq!(resolved("!If [Own, here, !GetAtt Nobody.Arn]"), "here");
}

#[test]
fn a_literal_in_a_sub_stays() {
    assert_eq!(
        resolved("!Sub \"${!aws:username}/${AWS::Region}\""),
        "${aws:username}/eu-west-1"
    );
}

#[test]
fn what_is_not_known_is_refused() {
    let refused = |yaml: &str| resolved_in(&setting(), yaml).unwrap_err();
    assert_eq!(
        refused("a: [!Select [0, [x]]]").to_string(),
        "the template uses Fn::Select, and only Ref, Fn::GetAtt, Fn::If, Fn::Join, Fn::Sub are known here"
    );
    assert_eq!(
        refused("!GetAtt Table.StreamArn").to_string(),
        "the attribute StreamArn of Table is not known here"
    );
    assert_eq!(
        refused("!Ref Nobody").to_string(),
        "the template has no Nobody"
    );
    assert_eq!(
        refused("!Sub \"${Nobody}\"").to_string(),
        "the template has no Nobody"
    );
    assert!(matches!(
        refused("!If [Own, x]"),
        IntrinsicError::Malformed { .. }
    ));
}
