//! The stand-in for the Lambda Runtime API, with a small function of its own behind it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use ssmbak_tests::events::{batch_of_events, failed_messages, parameter_event};
use ssmbak_tests::runtime_api::{Function, Outcome};
use tempfile::TempDir;

/// A runtime as simple as it gets; what it does with an event, the event says.
pub(super) const BOOTSTRAP: &str = r#"#!/usr/bin/env python3
import json, os, time, urllib.request
base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/"
print("started", flush=True)
while True:
    with urllib.request.urlopen(base + "next") as answer:
        request, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.load(answer)
    print("got", json.dumps(event), flush=True)
    wanted = event.get("do")
    if wanted == "die":
        os._exit(3)
    if wanted == "sleep":
        time.sleep(60)
    result = {"echo": event, "endpoint": os.environ["AWS_ENDPOINT_URL"]}
    if "Records" in event:
        bad = [r["messageId"] for r in event["Records"] if "wrong" in r["body"]]
        result = {"batchItemFailures": [{"itemIdentifier": i} for i in bad]}
    kind = "error" if wanted == "fail" else "response"
    urllib.request.urlopen(urllib.request.Request(base + request + "/" + kind, json.dumps(result).encode()))
"#;

fn bootstrap(directory: &TempDir) -> PathBuf {
    let path = directory.path().join("bootstrap");
    fs::write(&path, BOOTSTRAP).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn invocations_are_answered_one_by_one_by_one_process() {
    let directory = TempDir::new().unwrap();
    let function = Function::new(&bootstrap(&directory), "http://127.0.0.1:1").unwrap();
    for (number, cold) in [(1, true), (2, false)] {
        let invocation = function.invoke(&json!({"number": number})).await.unwrap();
        assert_eq!(invocation.cold, cold);
        let answer = invocation.response().unwrap();
        assert_eq!(answer["echo"]["number"], number);
        assert_eq!(answer["endpoint"], "http://127.0.0.1:1");
    }
    let failed = function.invoke(&json!({"do": "fail"})).await.unwrap();
    assert!(matches!(failed.outcome, Outcome::Error(_)));
    let logs = function.logs();
    assert_eq!(logs.iter().filter(|line| *line == "started").count(), 1);
    assert!(logs.contains(&r#"got {"number": 2}"#.to_owned()));
}

#[tokio::test]
async fn a_function_that_died_or_hung_is_started_again() {
    let directory = TempDir::new().unwrap();
    let function = Function::new(&bootstrap(&directory), "http://127.0.0.1:1").unwrap();
    let function = function.timeout(Duration::from_millis(700));
    let died = function.invoke(&json!({"do": "die"})).await.unwrap();
    assert_eq!(died.outcome, Outcome::Died("exit status: 3".to_owned()));
    let hung = function.invoke(&json!({"do": "sleep"})).await.unwrap();
    assert_eq!(hung.outcome, Outcome::TimedOut);
    let well = function.invoke(&json!({})).await.unwrap();
    assert!(well.cold);
    assert!(well.response().is_ok());
    let process = function.process_id().await.unwrap();
    drop(function);
    assert!(!PathBuf::from(format!("/proc/{process}")).exists());
}

#[tokio::test]
async fn failed_messages_are_told_by_their_ids() {
    let directory = TempDir::new().unwrap();
    let function = Function::new(&bootstrap(&directory), "http://127.0.0.1:1").unwrap();
    let events = [
        parameter_event("/good", "Create", 0),
        parameter_event("/wrong", "Update", 0),
    ];
    assert_eq!(events[0]["detail"]["name"], "good");
    assert_eq!(events[1]["time"], "1970-01-01T00:00:00Z");
    let batch = batch_of_events(&events);
    let answer = function.invoke(&batch).await.unwrap().response().unwrap();
    assert_eq!(
        failed_messages(&answer),
        [batch["Records"][1]["messageId"].as_str().unwrap()]
    );
}
