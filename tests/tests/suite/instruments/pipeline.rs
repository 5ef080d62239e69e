//! A change travels through `EventBridge` and SQS to a function, and what fails ends in the dead-letter queue.

use std::fs;
use std::io::{Cursor, Write as _};
use std::time::{Duration, Instant};

use aws_sdk_cloudformation::types::{Capability, StackStatus};
use aws_sdk_s3::primitives::ByteStream;
use ssmbak_tests::emulator::{Control, Ministack, Queue, sdk_config};
use ssmbak_tests::proxy::Proxy;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{put, runtime};

const TEMPLATE: &str = r#"{"Resources": {
 "Dead": {"Type": "AWS::SQS::Queue"},
 "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60,
  "RedrivePolicy": {"maxReceiveCount": 2, "deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}}}},
 "Rule": {"Type": "AWS::Events::Rule", "Properties": {
  "EventPattern": {"source": ["aws.ssm"], "detail-type": ["Parameter Store Change"]},
  "Targets": [{"Id": "queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}]}},
 "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17",
  "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}},
 "Function": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "provided.al2023", "Handler": "bootstrap",
  "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Timeout": 10, "Code": {"S3Bucket": "code", "S3Key": "function.zip"}}},
 "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"BatchSize": 10,
  "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}, "FunctionName": {"Ref": "Function"},
  "FunctionResponseTypes": ["ReportBatchItemFailures"]}}
}}"#;

fn function_zip() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", options).unwrap();
    zip.write_all(runtime::BOOTSTRAP.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

async fn deploy(config: &aws_config::SdkConfig) {
    let s3 = aws_sdk_s3::Client::new(config);
    s3.create_bucket().bucket("code").send().await.unwrap();
    let body = ByteStream::from(function_zip());
    s3.put_object()
        .bucket("code")
        .key("function.zip")
        .body(body)
        .send()
        .await
        .unwrap();
    let stacks = aws_sdk_cloudformation::Client::new(config);
    let create = stacks
        .create_stack()
        .stack_name("pipe")
        .template_body(TEMPLATE);
    create
        .capabilities(Capability::CapabilityIam)
        .send()
        .await
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = stacks
            .describe_stacks()
            .stack_name("pipe")
            .send()
            .await
            .unwrap();
        let stack = &answer.stacks()[0];
        if stack.stack_status() == Some(&StackStatus::CreateComplete) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{:?}: {:?}",
            stack.stack_status(),
            stack.stack_status_reason()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn dead_letters(control: &Control) -> Queue {
    let queues = control.quiet().await.unwrap().queues;
    queues.into_iter().find(|queue| queue.dead_letter).unwrap()
}

#[tokio::test]
async fn changes_reach_the_function_and_failures_the_dead_letter_queue() {
    let ministack = Ministack::start().unwrap();
    let control = ministack.control();
    let proxy = Proxy::start(&ministack.endpoint()).unwrap();
    control
        .set_function_endpoint(&proxy.endpoint())
        .await
        .unwrap();
    let config = sdk_config(&ministack.endpoint(), "test").await;
    deploy(&config).await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    for number in 0..25 {
        put(&ssm, &format!("/fine/{number}"), "1")
            .send()
            .await
            .unwrap();
    }
    control
        .wait_until_quiet(Duration::from_secs(20))
        .await
        .unwrap();
    assert_eq!(dead_letters(&control).await.ready, 0);
    put(&ssm, "/pipe/wrong", "1").send().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while dead_letters(&control).await.ready == 0 {
        assert!(Instant::now() < deadline, "{:?}", control.quiet().await);
        control.redeliver().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    control
        .wait_until_quiet(Duration::from_secs(5))
        .await
        .unwrap();
    let given_up = control
        .messages(&dead_letters(&control).await.arn)
        .await
        .unwrap();
    assert_eq!(given_up.len(), 1);
    assert_eq!(given_up[0].receive_count, 2);
    let event: serde_json::Value = serde_json::from_str(&given_up[0].body).unwrap();
    assert_eq!(event, control.changes().await.unwrap()[25].event);
    assert!(proxy.calls().is_empty(), "the function here calls nothing");
    let group = ministack.process_id();
    assert!(processes_in(group) >= 2, "the emulator and its function");
    drop(ministack);
    // All are killed at once; on a busy machine one may take a moment longer to die.
    let deadline = Instant::now() + Duration::from_secs(5);
    while processes_in(group) > 0 {
        assert!(Instant::now() < deadline, "a process outlives the emulator");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// How many living processes a process group has: its number is the third field after the name, which is in parentheses.
fn processes_in(group: u32) -> usize {
    let group = group.to_string();
    let stats = fs::read_dir("/proc").unwrap().flatten();
    let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let of_group = |stat: &String| {
        let fields = stat.rsplit_once(") ").map(|(_, fields)| fields.split(' '));
        fields.is_some_and(|mut fields| fields.next() != Some("Z") && fields.nth(1) == Some(&group))
    };
    stats.filter(of_group).count()
}
