//! Where IAM is enforced, a call is judged as AWS judges it.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::Capability;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, DeleteRequest, Put, PutRequest, TransactWriteItem, Update, WriteRequest,
};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_ssm::types::ParameterType;
use serde_json::{Value, json};
use ssmbak_tests::emulator::{Ministack, Options, sdk_config};
use ssmbak_tests::people::{Person, created};

use crate::access::{refused, s3};

const TABLE: &str = "ssmbak-test-t";
const KEY: &str = "11111111-2222-3333-4444-555555555555";

fn enforcing() -> Ministack {
    let options = Options {
        enforce_iam: true,
        ..Options::default()
    };
    Ministack::start_with(&options).unwrap()
}

async fn stack(config: &SdkConfig, name: &str, resources: Value) -> HashMap<String, String> {
    let stacks = aws_sdk_cloudformation::Client::new(config);
    let logical: Vec<String> = resources.as_object().unwrap().keys().cloned().collect();
    let outputs = logical
        .iter()
        .map(|id| (id.clone(), json!({"Value": {"Ref": id}})));
    let outputs: serde_json::Map<String, Value> = outputs.collect();
    let template = json!({"Resources": resources, "Outputs": outputs}).to_string();
    let create = stacks
        .create_stack()
        .stack_name(name)
        .template_body(template);
    let create = create.capabilities(Capability::CapabilityIam);
    create.send().await.unwrap();
    let made = created(&stacks, name).await.unwrap();
    let outputs = made.outputs.unwrap_or_default().into_iter();
    outputs
        .map(|o| (o.output_key.unwrap(), o.output_value.unwrap()))
        .collect()
}

/// The administrator's clients, and those of somebody who may do this and no more.
async fn somebody(ministack: &Ministack, statements: Value) -> (SdkConfig, SdkConfig) {
    let administration = sdk_config(&ministack.endpoint(), "test").await;
    let policy = json!({"Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
        "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}}});
    let made = stack(&administration, "policy", policy).await;
    let policies = [&*made["Policy"]];
    let endpoint = ministack.endpoint();
    let hired = Person::hired(&endpoint, "somebody", &policies).await;
    (administration, hired.unwrap().config().await)
}

fn allow(actions: &[&str], resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

#[tokio::test]
async fn each_name_of_a_call_and_the_key_of_a_secret_are_judged() {
    let ministack = enforcing();
    let actions = ["ssm:GetParameters", "ssm:DeleteParameters"];
    let some = "arn:aws:ssm:us-east-1:000000000000:parameter/a/*";
    let (administration, config) = somebody(&ministack, json!([allow(&actions, some)])).await;
    let all = aws_sdk_ssm::Client::new(&administration);
    for (name, key) in [
        ("/a/x", None),
        ("/b/x", None),
        ("/a/own", Some(KEY)),
        ("/a/aws", Some("alias/aws/ssm")),
    ] {
        let kind = key.map_or(ParameterType::String, |_| ParameterType::SecureString);
        let put = all.put_parameter().name(name).value("v").r#type(kind);
        put.set_key_id(key.map(str::to_owned)).send().await.unwrap();
    }
    let ssm = aws_sdk_ssm::Client::new(&config);
    let get = ssm.get_parameters().names("/a/x").names("/a/none");
    assert_eq!(get.send().await.unwrap().parameters().len(), 1);
    for names in [["/a/x", "/b/x"], ["/b/x", "/a/x"]].map(|names| names.map(str::to_owned)) {
        let get = ssm.get_parameters().set_names(Some(names.to_vec()));
        refused(get.send().await, "ssm:GetParameters");
        let delete = ssm.delete_parameters().set_names(Some(names.to_vec()));
        refused(delete.send().await, "ssm:DeleteParameters");
    }
    let rest = all.get_parameters().names("/a/x").names("/b/x");
    assert_eq!(rest.send().await.unwrap().parameters().len(), 2);

    let secret = |name: &str| ssm.get_parameters().names(name).with_decryption(true);
    refused(secret("/a/own").send().await, "kms:Decrypt");
    assert_eq!(secret("/a/aws").send().await.unwrap().parameters().len(), 1);
    let unread = ssm.get_parameters().names("/a/own").send().await;
    assert_ne!(unread.unwrap().parameters()[0].value(), Some("v"));
}

#[tokio::test]
async fn an_object_is_judged_by_its_key_its_tags_and_its_absence() {
    let ministack = enforcing();
    let actions = ["s3:GetObject", "s3:PutObject"];
    let statements = json!([
        allow(&actions, "arn:aws:s3:::kept//app/*"),
        allow(&["s3:GetObject"], "arn:aws:s3:::plain/*"),
        {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::plain/*",
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ]);
    let (administration, config) = somebody(&ministack, statements).await;
    let all = s3(&administration);
    for bucket in ["kept", "plain"] {
        all.create_bucket().bucket(bucket).send().await.unwrap();
        for key in ["/app/db", "app/db"] {
            let put = all.put_object().bucket(bucket).key(key);
            put.body(ByteStream::from_static(b"v"))
                .send()
                .await
                .unwrap();
        }
    }
    let own = s3(&config);
    let get = |key: &str| own.get_object().bucket("kept").key(key);
    get("/app/db").send().await.unwrap();
    refused(get("app/db").send().await, "s3:GetObject");
    refused(get("/app/none").send().await, "s3:ListBucket");
    let put = || own.put_object().bucket("kept").key("/app/new");
    refused(put().tagging("a=b").send().await, "s3:PutObjectTagging");
    put().send().await.unwrap();
    let plain = own.get_object().bucket("plain").key("app/db");
    refused(plain.send().await, "s3:GetObject");
}

#[tokio::test]
async fn a_transaction_is_judged_by_what_it_does_and_a_batch_as_a_batch() {
    let ministack = enforcing();
    let table = "arn:aws:dynamodb:us-east-1:000000000000:table/ssmbak-test-t";
    let statements = json!([allow(&["dynamodb:PutItem"], table)]);
    let (administration, config) = somebody(&ministack, statements).await;
    crate::world::make::table(&aws_sdk_dynamodb::Client::new(&administration), TABLE).await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    let row = ["scope", "entry"].map(|f| (f.to_owned(), AttributeValue::S("x".into())));
    let row = HashMap::from(row);
    let put = Put::builder().table_name(TABLE).set_item(Some(row.clone()));
    let put = TransactWriteItem::builder()
        .put(put.build().unwrap())
        .build();
    let transact = dynamodb.transact_write_items().transact_items(put);
    transact.clone().send().await.unwrap();
    let update = Update::builder()
        .table_name(TABLE)
        .set_key(Some(row.clone()));
    let update = update.update_expression("REMOVE a").build().unwrap();
    let update = TransactWriteItem::builder().update(update).build();
    refused(
        transact.clone().transact_items(update).send().await,
        "dynamodb:UpdateItem",
    );
    let delete = Delete::builder()
        .table_name(TABLE)
        .set_key(Some(row.clone()));
    let delete = TransactWriteItem::builder().delete(delete.build().unwrap());
    refused(
        dynamodb
            .transact_write_items()
            .transact_items(delete.build())
            .send()
            .await,
        "dynamodb:DeleteItem",
    );
    // One right for both: whoever may write a batch may delete in one.
    let put = PutRequest::builder().set_item(Some(row.clone())).build();
    let put = WriteRequest::builder().put_request(put.unwrap()).build();
    let delete = DeleteRequest::builder().set_key(Some(row)).build();
    let delete = WriteRequest::builder().delete_request(delete.unwrap());
    for request in [put, delete.build()] {
        let batch = dynamodb.batch_write_item();
        let batch = batch.request_items(TABLE, vec![request]);
        refused(batch.send().await, "dynamodb:BatchWriteItem");
    }
}

#[tokio::test]
async fn an_event_reaches_a_queue_only_where_its_policy_lets_the_rule() {
    let ministack = enforcing();
    let config = sdk_config(&ministack.endpoint(), "test").await;
    let arn = |of: &str| json!({"Fn::GetAtt": [of, "Arn"]});
    let rule = |queue: &str| {
        json!({"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["aws.ssm"]},
            "Targets": [{"Id": "queue", "Arn": arn(queue)}]}})
    };
    let policy = json!({"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": "Open"}],
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn("Open"), "Condition": {"ArnEquals": {"aws:SourceArn": arn("ToOpen")}}}]}}});
    let resources = json!({"Open": {"Type": "AWS::SQS::Queue"}, "Shut": {"Type": "AWS::SQS::Queue"},
        "ToOpen": rule("Open"), "ToShut": rule("Shut"), "Policy": policy});
    stack(&config, "queues", resources).await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    super::put(&ssm, "/a", "1").send().await.unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        let queues = ministack.control().quiet().await.unwrap().queues;
        let ready = |name: &str| {
            let found = queues.iter().find(|queue| queue.arn.contains(name));
            found.unwrap().ready
        };
        assert_eq!(ready("Shut"), 0);
        let change = ministack.control().changes().await.unwrap();
        if ready("Open") == 1 && change[0].deliveries == 1 {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{queues:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn alarms_are_judged_and_every_refusal_is_remembered() {
    let ministack = enforcing();
    let queue = "arn:aws:sqs:us-east-1:000000000000:x";
    let document =
        json!({"Version": "2012-10-17", "Statement": [allow(&["sqs:SendMessage"], queue)]});
    let endpoint = ministack.endpoint();
    let person = Person::hired_under(&endpoint, "watcher", &[document]).await;
    let person = person.unwrap();
    let alarms = aws_sdk_cloudwatch::Client::new(&person.config().await);
    let told = alarms.describe_alarms().send().await;
    assert!(told.is_err(), "{told:?}");
    let refused = ministack.control().refused(person.access_key()).await;
    let refused = refused.unwrap();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].action, "cloudwatch:DescribeAlarms");
}
