//! Changes are announced in AWS's exact shape, and delivered as a test asks.

use aws_sdk_ssm::types::ParameterType;
use serde_json::{Value, json};
use ssmbak_tests::emulator::{Change, Delivery, Ministack, Options};

use super::{code, put, ssm};

fn details(changes: &[Change]) -> Vec<Value> {
    changes
        .iter()
        .map(|change| change.event["detail"].clone())
        .collect()
}

#[tokio::test]
async fn each_operation_has_its_event_and_each_name_and_label_its_own() {
    let ministack = Ministack::start().unwrap();
    let (control, ssm) = (ministack.control(), ssm(&ministack, "test").await);
    control.set_clock(1_700_000_000_999).await.unwrap();
    put(&ssm, "/foo", "1")
        .description("told")
        .send()
        .await
        .unwrap();
    put(&ssm, "/a/b", "1")
        .r#type(ParameterType::SecureString)
        .send()
        .await
        .unwrap();
    put(&ssm, "foo", "2").description("").send().await.unwrap();
    let label = ssm
        .label_parameter_version()
        .name("/a/b")
        .labels("x")
        .labels("y");
    label.send().await.unwrap();
    put(&ssm, "/a/b", "2")
        .r#type(ParameterType::String)
        .send()
        .await
        .unwrap();
    ssm.label_parameter_version()
        .name("/a/b")
        .labels("x")
        .send()
        .await
        .unwrap();
    let delete = ssm
        .delete_parameters()
        .names("/foo")
        .names("/a/b")
        .names("/none");
    assert_eq!(delete.send().await.unwrap().invalid_parameters(), ["/none"]);
    let changes = control.changes().await.unwrap();
    let moved = |label: &str, kind: &str, from: &str, to: &str| {
        json!({"name": "/a/b", "type": kind, "operation": "LabelParameterVersion",
               "label": label, "fromVersion": from, "toVersion": to})
    };
    assert_eq!(
        details(&changes),
        [
            json!({"name": "foo", "type": "String", "operation": "Create", "description": "told"}),
            json!({"name": "/a/b", "type": "SecureString", "operation": "Create"}),
            json!({"name": "foo", "type": "String", "operation": "Update"}),
            moved("x", "SecureString", "", "1"),
            moved("y", "SecureString", "", "1"),
            json!({"name": "/a/b", "type": "String", "operation": "Update"}),
            moved("x", "String", "1", "2"),
            json!({"name": "foo", "type": "String", "operation": "Delete"}),
            json!({"name": "/a/b", "type": "String", "operation": "Delete"}),
        ]
    );
    let first = &changes[0];
    assert_eq!(
        (first.name.as_str(), first.time_ms),
        ("/foo", 1_700_000_000_999)
    );
    assert_eq!(first.event["time"], "2023-11-14T22:13:20Z");
    assert_eq!(first.event["source"], "aws.ssm");
    assert_eq!(first.event["detail-type"], "Parameter Store Change");
    let arn = "arn:aws:ssm:us-east-1:000000000000:parameter/foo";
    assert_eq!(first.event["resources"], json!([arn]));
    let mut fields: Vec<_> = first
        .event
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "account",
            "detail",
            "detail-type",
            "id",
            "region",
            "resources",
            "source",
            "time",
            "version"
        ]
    );
    assert!(
        !changes
            .iter()
            .any(|change| change.event.to_string().contains("\"value\""))
    );
}

#[tokio::test]
async fn refused_operations_announce_nothing() {
    let ministack = Ministack::start().unwrap();
    let (control, ssm) = (ministack.control(), ssm(&ministack, "test").await);
    put(&ssm, "a/b", "1").send().await.unwrap_err();
    put(&ssm, "/big", &"x".repeat(5000))
        .send()
        .await
        .unwrap_err();
    ssm.delete_parameter()
        .name("/none")
        .send()
        .await
        .unwrap_err();
    assert!(control.changes().await.unwrap().is_empty());
}

#[tokio::test]
async fn events_are_held_dropped_and_repeated_as_asked() {
    let ministack = Ministack::start().unwrap();
    let (control, ssm) = (ministack.control(), ssm(&ministack, "test").await);
    let deliveries = async || {
        let changes = control.changes().await.unwrap();
        changes
            .iter()
            .map(|change| (change.deliveries, change.dropped))
            .collect::<Vec<_>>()
    };
    control.hold(true).await.unwrap();
    put(&ssm, "/held", "1").send().await.unwrap();
    put(&ssm, "/held", "2").send().await.unwrap();
    assert_eq!(deliveries().await, [(0, false), (0, false)]);
    assert_eq!(control.quiet().await.unwrap().held, 2);
    assert_eq!(control.release(true).await.unwrap(), 2);
    assert_eq!(deliveries().await, [(1, false), (1, false)]);
    let certain = |drop: f64, duplicate: f64| Delivery {
        hold: Some(false),
        drop: Some(drop),
        duplicate: Some(duplicate),
        seed: Some(1),
        ..Delivery::default()
    };
    control.set_delivery(&certain(1.0, 0.0)).await.unwrap();
    put(&ssm, "/lost", "1").send().await.unwrap();
    control.set_delivery(&certain(0.0, 1.0)).await.unwrap();
    put(&ssm, "/twice", "1").send().await.unwrap();
    assert_eq!(deliveries().await[2..], [(0, true), (2, false)]);
    assert_eq!(control.replay(None, false).await.unwrap(), 4);
    control.clear().await.unwrap();
    assert!(control.changes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_reset_forgets_everything() {
    let ministack = Ministack::start().unwrap();
    let (control, ssm) = (ministack.control(), ssm(&ministack, "test").await);
    control.set_clock(1_000).await.unwrap();
    put(&ssm, "/gone", "1").send().await.unwrap();
    control.reset().await.unwrap();
    assert!(control.changes().await.unwrap().is_empty());
    assert!(control.now_ms().await.unwrap() > 1_000_000);
    assert!(
        ssm.describe_parameters()
            .send()
            .await
            .unwrap()
            .parameters()
            .is_empty()
    );
}

#[tokio::test]
async fn an_emulator_ends_with_its_owner() {
    let ministack = Ministack::start().unwrap();
    let process = ministack.process_id();
    assert!(std::path::Path::new(&format!("/proc/{process}")).exists());
    drop(ministack);
    assert!(!std::path::Path::new(&format!("/proc/{process}")).exists());
}

#[tokio::test]
async fn with_iam_enforced_callers_are_known_or_refused() {
    let options = Options {
        enforce_iam: true,
        ..Options::default()
    };
    let ministack = Ministack::start_with(&options).unwrap();
    put(&ssm(&ministack, "test").await, "/iam", "1")
        .send()
        .await
        .unwrap();
    let stranger = put(&ssm(&ministack, "AKIASTRANGER00000000").await, "/iam", "2");
    assert_eq!(code(stranger.send().await), "UnrecognizedClientException");
    let changes = ministack.control().changes().await.unwrap();
    assert_eq!(
        changes[0].user.as_deref(),
        Some("arn:aws:iam::000000000000:root")
    );
}

#[tokio::test]
async fn an_emulator_can_be_left_running_and_ended_later() {
    let options = Options {
        outlive_owner: true,
        ..Options::default()
    };
    let ministack = Ministack::start_with(&options).unwrap();
    let client = ssm(&ministack, "test").await;
    let process = ministack.leave_running();
    put(&client, "/left", "1").send().await.unwrap();
    Ministack::end(process).unwrap();
    assert!(put(&client, "/left", "2").send().await.is_err());
}
