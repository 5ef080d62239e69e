//! The operator captures what lives, and changes no parameter.

use serde_json::json;

use super::{EVENTS, STACK, Scene, Stage, ssmbak, table};

#[tokio::test]
async fn an_operator_captures_and_reads_and_restores_nothing() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/operator/").await;
    table::judge(stage, &stage.operator, 2, &scene).await;
}

#[tokio::test]
async fn a_seed_captures_what_no_event_has_told() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/unheard/").await;
    let seed = ["seed", &scene.path, "--do-it", "--output", "json"];
    let seed = ssmbak(&stage.operator, &seed);
    let (seeded, rows) = scene.unheard(stage, seed).await;
    let seeded = seeded.exits(0);
    assert!(seeded.stderr.contains("2 versions captured"), "{seeded:?}");
    let by_seed = rows.as_array().unwrap().iter();
    let by_seed = by_seed.filter(|row| row["Source"] == "seed");
    assert_eq!(by_seed.count(), 3, "{rows}");
}

#[tokio::test]
async fn all_see_dead_letters_and_only_an_operator_puts_them_back() {
    let stage = Stage::shared().await;
    let _alone = EVENTS.write().await;
    let sqs = aws_sdk_sqs::Client::new(&stage.administration().await);
    // A reason to look at a name, no more: nothing is captured.
    let event = json!({"id": "dead-1", "time": "2026-11-20T10:23:30Z",
                       "detail-type": "Parameter Store Policy Action",
                       "detail": {"parameter-name": "/dead/nobody"}});
    for queue in ["DeadLetterQueueUrl", "RuleDeadLetterQueueUrl"] {
        let send = sqs.send_message().queue_url(&stage.outputs[queue]);
        let send = send.message_body(event.to_string());
        send.send().await.unwrap();
    }
    let redrive = ["stack", STACK, "redrive"];
    for person in [&stage.auditor, &stage.restorer] {
        let status = ["stack", STACK, "status", "--output", "json"];
        let status = ssmbak(person, &status).await.exits(0).json();
        assert_eq!(status[0]["DeadLetters"], 1, "{status}");
        assert_eq!(status[0]["Undelivered"], 1, "{status}");
        assert_eq!(status[0]["NotRead"], json!({}));
        let refused = ssmbak(person, &redrive).await.exits(1);
        assert!(refused.stderr.contains("sqs:ReceiveMessage"), "{refused:?}");
    }
    let done = ssmbak(&stage.operator, &redrive).await.exits(0);
    let summary = "redriven: 1 of 1 from the dead-letter queue, 1 of 1 undelivered events";
    assert!(done.stderr.contains(summary), "{done:?}");
    stage.captured().await;
}
