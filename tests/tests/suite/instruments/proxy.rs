//! The proxy counts, throttles, errs and kills.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use ssmbak_tests::emulator::{Ministack, sdk_config};
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy, When};

use super::{code, put};

/// The proxy in front of the shared emulator, and a client that never tries twice.
pub(super) async fn proxied(account: &str) -> (Proxy, aws_config::SdkConfig) {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let config = sdk_config(&proxy.endpoint(), account).await.into_builder();
    let config = config
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .build();
    (proxy, config)
}

#[tokio::test]
async fn calls_are_counted_by_their_operation() {
    let (proxy, config) = proxied("300000000001").await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    put(&ssm, "/counted", "1").send().await.unwrap();
    put(&ssm, "/counted", "2").send().await.unwrap();
    ssm.get_parameter().name("/none").send().await.unwrap_err();
    let s3 = aws_sdk_s3::Client::new(&config);
    let bucket = "counted-300000000001";
    s3.create_bucket().bucket(bucket).send().await.unwrap();
    s3.head_bucket().bucket(bucket).send().await.unwrap();
    let body = ByteStream::from_static(b"  exact \n");
    s3.put_object()
        .bucket(bucket)
        .key("/k/ey")
        .body(body)
        .send()
        .await
        .unwrap();
    let head = s3
        .head_object()
        .bucket(bucket)
        .key("/k/ey")
        .send()
        .await
        .unwrap();
    assert_eq!(head.content_length(), Some(9));
    let got = s3
        .get_object()
        .bucket(bucket)
        .key("/k/ey")
        .send()
        .await
        .unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes(), "  exact \n");
    s3.list_object_versions()
        .bucket(bucket)
        .send()
        .await
        .unwrap();
    s3.list_objects_v2().bucket(bucket).send().await.unwrap();
    s3.get_object_tagging()
        .bucket(bucket)
        .key("/k/ey")
        .send()
        .await
        .unwrap();
    s3.copy_object()
        .bucket(bucket)
        .key("copy")
        .copy_source(format!("{bucket}//k/ey"))
        .send()
        .await
        .unwrap();
    s3.delete_object()
        .bucket(bucket)
        .key("copy")
        .send()
        .await
        .unwrap();
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    dynamodb.list_tables().send().await.unwrap();
    let cloudformation = aws_sdk_cloudformation::Client::new(&config);
    cloudformation.describe_stacks().send().await.unwrap();
    let counts = proxy.counts();
    let counted: Vec<_> = counts
        .iter()
        .map(|(operation, count)| (operation.as_str(), *count))
        .collect();
    assert_eq!(
        counted,
        [
            ("cloudformation:DescribeStacks", 1),
            ("dynamodb:ListTables", 1),
            ("s3:CopyObject", 1),
            ("s3:CreateBucket", 1),
            ("s3:DeleteObject", 1),
            ("s3:GetObject", 1),
            ("s3:GetObjectTagging", 1),
            ("s3:HeadBucket", 1),
            ("s3:HeadObject", 1),
            ("s3:ListObjectVersions", 1),
            ("s3:ListObjectsV2", 1),
            ("s3:PutObject", 1),
            ("ssm:GetParameter", 1),
            ("ssm:PutParameter", 2),
        ]
    );
    assert_eq!(proxy.calls()[2].status, Some(400));
    proxy.reset_calls();
    assert_eq!(proxy.total(), 0);
}

#[tokio::test]
async fn throttles_answer_as_each_service_does() {
    let (proxy, config) = proxied("300000000002").await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    proxy.throttle("ssm:PutParameter", 20.0, 1);
    put(&ssm, "/t", "1").send().await.unwrap();
    assert_eq!(
        code(put(&ssm, "/t", "2").send().await),
        "ThrottlingException"
    );
    tokio::time::sleep(Duration::from_millis(60)).await;
    put(&ssm, "/t", "3").send().await.unwrap();
    assert_eq!(proxy.count("ssm:PutParameter"), 3);
    proxy.throttle("s3:ListBuckets", 0.0, 1);
    let s3 = aws_sdk_s3::Client::new(&config);
    s3.list_buckets().send().await.unwrap();
    let slow = s3.list_buckets().send().await;
    assert_eq!(
        slow.as_ref()
            .unwrap_err()
            .raw_response()
            .unwrap()
            .status()
            .as_u16(),
        503
    );
    assert_eq!(code(slow), "SlowDown");
    proxy.throttle("dynamodb:ListTables", 0.0, 1);
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    dynamodb.list_tables().send().await.unwrap();
    let exceeded = dynamodb.list_tables().send().await;
    assert_eq!(code(exceeded), "ProvisionedThroughputExceededException");
}

#[tokio::test]
async fn an_error_can_come_before_or_after_the_work() {
    let (proxy, config) = proxied("300000000003").await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    let error = || ApiError::new(400, "AccessDeniedException", "not you");
    let on_put = Disturbance::answer(error()).on("ssm:PutParameter").at(2);
    proxy.disturb(on_put.clone());
    put(&ssm, "/e", "1").send().await.unwrap();
    ssm.get_parameter().name("/e").send().await.unwrap();
    assert_eq!(
        code(put(&ssm, "/e", "2").send().await),
        "AccessDeniedException"
    );
    assert_eq!(put(&ssm, "/e", "3").send().await.unwrap().version(), 2);
    proxy.disturb(on_put.at(1).times(2).when(When::AfterWork));
    for value in ["4", "5"] {
        assert_eq!(
            code(put(&ssm, "/e", value).send().await),
            "AccessDeniedException"
        );
    }
    assert_eq!(put(&ssm, "/e", "6").send().await.unwrap().version(), 5);
    proxy.disturb(Disturbance::answer(ApiError::internal()));
    let broken = ssm.get_parameter().name("/e").send().await;
    assert_eq!(code(broken), "InternalServerError");
    proxy.disturb(Disturbance::hang_up());
    let hung = ssm.get_parameter().name("/e").send().await;
    assert!(hung.unwrap_err().as_service_error().is_none());
    assert_eq!(proxy.calls().last().unwrap().status, None);
}

#[tokio::test]
async fn latency_is_added_to_each_call() {
    let (proxy, config) = proxied("300000000004").await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    proxy.set_latency(Duration::from_millis(150));
    let started = Instant::now();
    ssm.describe_parameters().send().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn the_clients_process_is_killed_at_the_nth_call() {
    let (proxy, config) = proxied("300000000005").await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    let client = |name: &str| {
        let script = format!(
            "import json,urllib.request\n\
             for value in ['1','2','3']:\n\
             \x20body = json.dumps(dict(Name='{name}', Value=value, Type='String', Overwrite=True)).encode()\n\
             \x20headers = {{'X-Amz-Target': 'AmazonSSM.PutParameter', 'Authorization': 'AWS4-HMAC-SHA256 Credential=300000000005/20260101/us-east-1/ssm/aws4_request'}}\n\
             \x20urllib.request.urlopen(urllib.request.Request('{}', body, headers))\n",
            proxy.endpoint()
        );
        let mut command = Command::new("python3");
        command.args(["-c", &script]).stdin(Stdio::null());
        command
    };
    let version = async |name: &str| {
        let answer = ssm.get_parameter().name(name).send().await.unwrap();
        answer.parameter().unwrap().version()
    };
    proxy.disturb(Disturbance::kill().on("ssm:PutParameter").at(2));
    let mut killed = client("/before").spawn().unwrap();
    assert!(!killed.wait().unwrap().success());
    assert_eq!(version("/before").await, 1);
    assert_eq!(proxy.killed(), [killed.id()]);
    proxy.disturb(Disturbance::kill().at(2).when(When::AfterWork));
    assert!(!client("/after").status().unwrap().success());
    assert_eq!(version("/after").await, 2);
    assert!(client("/whole").status().unwrap().success());
}
