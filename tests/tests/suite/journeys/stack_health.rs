//! `ssmbak stack NAME status`, `redrive` and `policy`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::{Duration, Instant};

use aws_sdk_cloudformation::types::{StackStatus, Tag};
use aws_sdk_cloudwatch::types::StateValue;
use aws_sdk_sqs::types::MessageAttributeValue;
use serde_json::{Value as Json, json};
use ssmbak_tests::binaries;
use ssmbak_tests::emulator::{Control, Ministack};
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy, When};
use tokio::process::Command;

use super::{column, told};
use crate::world::{Answer, Lane, World, run};

const STACK: &str = "well";
const PATIENCE: Duration = Duration::from_mins(1);

/// A stack with the real function on an emulator of its own, which the test may disturb.
struct Deployed {
    control: Control,
    world: World,
    outputs: BTreeMap<String, String>,
    ministack: Ministack,
}

/// The command line without bucket and table.
async fn ssmbak(world: &World, arguments: &[&str]) -> Answer {
    let mut command = world.command(arguments);
    command
        .env_remove("SSMBAK_BUCKET")
        .env_remove("SSMBAK_TABLE");
    run(command).await
}

/// One JSON list that the command line printed.
async fn json_of(world: &World, arguments: &[&str]) -> Json {
    let arguments = [arguments, &["--output", "json"]].concat();
    ssmbak(world, &arguments).await.exits(0).json()
}

/// A stack as far as `redrive` sees it: three queues, and nobody who takes from them.
const QUEUES: &str = r#"{"Description": "ssmbak: queues alone",
 "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}, "Dead": {"Type": "AWS::SQS::Queue"},
               "Undelivered": {"Type": "AWS::SQS::Queue"}},
 "Outputs": {"QueueUrl": {"Value": {"Ref": "Queue"}}, "DeadLetterQueueUrl": {"Value": {"Ref": "Dead"}},
             "RuleDeadLetterQueueUrl": {"Value": {"Ref": "Undelivered"}}}}"#;

impl Deployed {
    async fn new() -> Self {
        let ministack = Ministack::start().unwrap();
        let world = World::of(&ministack).await;
        let zip = binaries::function_zip();
        let zip = zip.to_str().unwrap();
        let create = ["stack", STACK, "create", "--function-zip", zip];
        ssmbak(&world, &create).await.exits(0);
        // The stack's own parameters are captured like any other.
        let control = ministack.control();
        control.wait_until_quiet(PATIENCE).await.unwrap();
        Self::with(ministack, world).await
    }

    async fn queues_alone() -> Self {
        let ministack = Ministack::start().unwrap();
        let world = World::of(&ministack).await;
        make_stack(&world, STACK, QUEUES, None).await;
        Self::with(ministack, world).await
    }

    async fn with(ministack: Ministack, world: World) -> Self {
        let stacks = aws_sdk_cloudformation::Client::new(&world.config);
        let described = stacks.describe_stacks().stack_name(STACK).send().await;
        let outputs = described.unwrap().stacks()[0].outputs().to_vec();
        let outputs = outputs.into_iter();
        Self {
            control: ministack.control(),
            world,
            outputs: outputs
                .map(|one| (one.output_key.unwrap(), one.output_value.unwrap()))
                .collect(),
            ministack,
        }
    }

    async fn ssmbak(&self, arguments: &[&str]) -> Answer {
        ssmbak(&self.world, arguments).await
    }

    async fn redrive(&self, flags: &[&str]) -> Answer {
        let redrive = ["stack", STACK, "redrive", "--output", "json"];
        self.ssmbak(&[&redrive, flags].concat()).await
    }

    async fn status(&self) -> Json {
        json_of(&self.world, &["stack", STACK, "status"]).await[0].clone()
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.world.config)
    }

    /// Lays a message into a queue, as EventBridge does where it could not deliver.
    async fn lay(&self, queue: &str, body: &str) {
        let why = MessageAttributeValue::builder()
            .data_type("String")
            .string_value("NO_PERMISSIONS");
        let send = self.sqs().send_message().queue_url(&self.outputs[queue]);
        let send = send.message_attributes("ERROR_CODE", why.build().unwrap());
        send.message_body(body).send().await.unwrap();
    }

    /// The bodies of what lies in a queue.
    async fn lies_in(&self, queue: &str) -> Vec<String> {
        let name = self.outputs[queue].rsplit('/').next().unwrap().to_owned();
        let queues = self.control.quiet().await.unwrap().queues;
        let found = queues.iter().find(|one| one.arn.ends_with(&name)).unwrap();
        let messages = self.control.messages(&found.arn).await.unwrap();
        messages.into_iter().map(|one| one.body).collect()
    }

    /// Lets the function fail until so many messages are given up.
    async fn until_given_up(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.lies_in("DeadLetterQueueUrl").await.len() < count {
            assert!(
                Instant::now() < deadline,
                "{:?}",
                self.control.quiet().await
            );
            self.control.redeliver().await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.control.wait_until_quiet(PATIENCE).await.unwrap();
    }

    async fn history(&self, path: &str) -> Json {
        let history = ["history", path, "-R", "--stack", STACK];
        json_of(&self.world, &history).await
    }
}

/// Makes a stack of a template that is not the tool's, and waits until it is there.
async fn make_stack(world: &World, stack: &str, template: &str, version: Option<&str>) {
    let stacks = aws_sdk_cloudformation::Client::new(&world.config);
    let tag = version.map(|version| Tag::builder().key("ssmbak:version").value(version).build());
    let create = stacks.create_stack().stack_name(stack);
    let create = create.template_body(template);
    let create = create.set_tags(tag.map(|tag| vec![tag]));
    create.send().await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let described = stacks.describe_stacks().stack_name(stack);
        let described = described.send().await.unwrap();
        if described.stacks()[0].stack_status() == Some(&StackStatus::CreateComplete) {
            return;
        }
        assert!(Instant::now() < deadline, "{described:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The events of what happened so far, oldest first.
async fn events(control: &Control) -> Vec<Json> {
    let changes = control.changes_under("/app/").await.unwrap();
    changes.into_iter().map(|change| change.event).collect()
}

/// The operations on record, sorted.
async fn operations(deployed: &Deployed) -> Vec<String> {
    let history = deployed.history("/app/").await;
    let told = column(&history, "Operation").into_iter();
    let mut operations: Vec<_> = told.map(str::to_owned).collect();
    operations.sort_unstable();
    operations
}

/// A way to `endpoint` on which one operation is never allowed.
fn failing_at(endpoint: &str, operation: &str) -> Proxy {
    let proxy = Proxy::start(endpoint).unwrap();
    let denied = ApiError::new(403, "AccessDenied", "not authorized to perform this");
    proxy.disturb(Disturbance::answer(denied).on(operation).times(usize::MAX));
    proxy
}

#[tokio::test]
async fn status_tells_facts_messages_and_alarms() {
    let deployed = Deployed::new().await;
    let status = deployed.status().await;
    assert_eq!(status["Stack"], STACK);
    assert_eq!(status["Status"], "CREATE_COMPLETE");
    assert_eq!(status["Version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["Bucket"], *deployed.outputs["BucketName"]);
    assert_eq!(status["Function"], format!("{STACK}-capture"));
    assert_eq!(status["ReconcileSchedule"], "rate(1 day)");
    assert_eq!(status["Adopted"], false);
    for queue in ["Waiting", "DeadLetters", "Undelivered"] {
        assert_eq!(status[queue], 0, "{queue}");
    }
    assert_eq!(status["NotRead"], json!({}));
    assert_eq!(status["Reconciled"], Json::Null);
    let seed = ["seed", "--do-it", "--stack", STACK];
    deployed.ssmbak(&seed).await.exits(0);
    let seeded = deployed.status().await;
    assert!(seeded["Reconciled"].is_string());
    assert_eq!(seeded["CoveredSince"], seeded["Reconciled"]);
    assert!(column(&status["Alarms"], "LogicalId").contains(&"DeadLetterAlarm"));

    deployed.lay("DeadLetterQueueUrl", "{}").await;
    let alarms = column(&status["Alarms"], "Name");
    let dead = alarms.iter().find(|name| name.contains("-DeadLetter"));
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&deployed.world.config);
    let ring = cloudwatch.set_alarm_state().alarm_name(*dead.unwrap());
    let ring = ring.state_value(StateValue::Alarm).state_reason("1 > 0");
    ring.send().await.unwrap();

    let table = deployed.ssmbak(&["stack", STACK, "status"]).await.exits(0);
    let rows: Vec<_> = table.stdout.lines().collect();
    assert!(rows[1].contains("Fact") && rows[1].contains("Value"));
    assert!(rows[4].contains("Status") && rows[4].contains("CREATE_COMPLETE"));
    let widths: BTreeSet<_> = rows.iter().map(|row| row.chars().count()).collect();
    assert_eq!(widths.len(), 1, "{}", table.stdout);
    let warnings = told(&table);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0]
            .starts_with("warning: 1 change could not be captured: ssmbak stack well redrive")
    );
    assert!(warnings[1].starts_with("warning: the alarm DeadLetterAlarm ("));
    assert!(warnings[1].contains("1 > 0"), "{}", warnings[1]);
    let status = deployed.status().await;
    assert_eq!(status["DeadLetters"], 1);
    assert!(column(&status["Alarms"], "State").contains(&"ALARM"));
}

#[tokio::test]
async fn what_may_not_be_read_is_told_and_keeps_nothing_else_back() {
    let deployed = Deployed::new().await;
    let proxy = Proxy::start(&deployed.world.endpoint).unwrap();
    let denied = ApiError::new(403, "AccessDenied", "not authorized to perform this");
    for operation in ["sqs:GetQueueAttributes", "cloudwatch:DescribeAlarms"] {
        let always = Disturbance::answer(denied.clone());
        let always = always.on(operation).times(usize::MAX);
        proxy.disturb(always);
    }
    let world = deployed.world.behind(&proxy);
    let status = json_of(&world, &["stack", STACK, "status"]).await[0].clone();
    assert_eq!(status["Status"], "CREATE_COMPLETE");
    assert_eq!(status["Waiting"], Json::Null);
    let queues = "not allowed (sqs:GetQueueAttributes)";
    let alarms = "not allowed (cloudwatch:DescribeAlarms)";
    let expected = json!({"Waiting": queues, "DeadLetters": queues, "Undelivered": queues,
                          "Alarms": alarms});
    assert_eq!(status["NotRead"], expected);
    let table = ssmbak(&world, &["stack", STACK, "status"]).await.exits(0);
    assert!(table.stdout.contains(queues) && table.stdout.contains(alarms));
}

#[tokio::test]
async fn a_function_of_another_version_is_told_with_the_way_out() {
    let world = World::emulated(Lane::Ministack, "stacks that no command makes").await;
    for (stack, version, way_out) in [
        ("older", Some("0.0.1"), "ssmbak stack older update"),
        ("newer", Some("999.0.0"), "update the command line"),
        ("nobody", None, "is unknown"),
    ] {
        make_stack(&world, stack, QUEUES, version).await;
        let answer = ssmbak(&world, &["stack", stack, "status"]).await.exits(0);
        let warnings = told(&answer);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(way_out), "{warnings:?}");
        assert!(answer.stdout.contains(version.unwrap_or("unknown")));
    }
}

#[tokio::test]
async fn what_the_function_failed_on_is_captured_after_a_redrive_with_its_own_time() {
    let deployed = Deployed::new().await;
    let (world, control) = (&deployed.world, &deployed.control);
    world.put("/app/gone", "another").await;
    control.wait_until_quiet(PATIENCE).await.unwrap();
    let proxy = failing_at(&world.endpoint, "dynamodb:Query");
    control
        .set_function_endpoint(&proxy.endpoint())
        .await
        .unwrap();
    world.put("/app/kept", "a value").await;
    world.delete("/app/gone").await;
    deployed.until_given_up(2).await;
    assert_eq!(operations(&deployed).await, ["Create"]);
    let events = events(control).await;
    let deleted = events.last().unwrap();
    assert_eq!(deleted["detail"]["operation"], "Delete");

    let dry = deployed.redrive(&["--dry-run"]).await.exits(0);
    let rows = dry.json();
    assert_eq!(column(&rows, "Outcome"), ["movable"; 2]);
    let dead: BTreeSet<_> = column(&rows, "Operation").into_iter().collect();
    assert_eq!(dead, BTreeSet::from(["Create", "Delete"]));
    assert!(!dry.stdout.contains("a value"), "{}", dry.stdout);
    let told_by_dry = told(&dry).join("\n");
    let to_come = "to redrive: 2 of 2 from the dead-letter queue, 0 of 0 undelivered events";
    assert!(told_by_dry.contains(to_come), "{told_by_dry}");
    assert_eq!(deployed.lies_in("DeadLetterQueueUrl").await.len(), 2);
    assert!(deployed.lies_in("QueueUrl").await.is_empty());

    control
        .set_function_endpoint(&world.endpoint)
        .await
        .unwrap();
    let done = deployed.redrive(&[]).await.exits(0);
    assert_eq!(column(&done.json(), "Outcome"), ["moved"; 2]);
    let summary = "redriven: 2 of 2 from the dead-letter queue, 0 of 0 undelivered events";
    assert!(done.stderr.contains(summary), "{}", done.stderr);
    control.wait_until_quiet(PATIENCE).await.unwrap();
    assert!(deployed.lies_in("DeadLetterQueueUrl").await.is_empty());

    assert_eq!(operations(&deployed).await, ["Create", "Create", "Delete"]);
    let history = deployed.history("/app/").await;
    let rows = history.as_array().unwrap();
    let deletion = rows
        .iter()
        .find(|row| row["Operation"] == "Delete")
        .unwrap();
    let second = deleted["time"].as_str().unwrap().trim_end_matches('Z');
    assert_eq!(deletion["Time"], format!("{second}.999Z"));
    let again = deployed.redrive(&[]).await.exits(0);
    assert_eq!(again.json(), json!([]));
    let none = "redriven: 0 of 0 from the dead-letter queue, 0 of 0 undelivered events";
    assert!(again.stderr.contains(none), "{}", again.stderr);
}

#[tokio::test]
async fn undelivered_events_are_redriven_with_all_they_have_and_each_once() {
    let deployed = Deployed::new().await;
    let (world, control) = (&deployed.world, &deployed.control);
    control.hold(true).await.unwrap();
    for number in 0..23 {
        world.put(&format!("/app/{number}"), "x").await;
    }
    for event in events(control).await {
        deployed
            .lay("RuleDeadLetterQueueUrl", &event.to_string())
            .await;
    }
    control.clear().await.unwrap();
    let done = deployed.redrive(&[]).await.exits(0);
    let summary = "redriven: 0 of 0 from the dead-letter queue, 23 of 23 undelivered events";
    assert!(done.stderr.contains(summary), "{}", done.stderr);
    let names: BTreeSet<_> = column(&done.json(), "Name")
        .into_iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(names.len(), 23);
    control.wait_until_quiet(PATIENCE).await.unwrap();
    let history = deployed.history("/app/").await;
    assert_eq!(column(&history, "Operation"), ["Create"; 23]);
    assert!(deployed.lies_in("RuleDeadLetterQueueUrl").await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_understood_stays_unless_all_is_asked_for() {
    let deployed = Deployed::queues_alone().await;
    deployed.control.hold(true).await.unwrap();
    deployed.world.put("/app/a", "x").await;
    let event = events(&deployed.control).await.remove(0).to_string();
    for body in ["hunter2 is no JSON", "{\"hunter2\": 1}", &event] {
        deployed.lay("DeadLetterQueueUrl", body).await;
    }
    let done = deployed.redrive(&[]).await.exits(0);
    let mut outcomes = column(&done.json(), "Outcome")
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["left", "left", "moved"]);
    assert!(
        done.stderr
            .contains("redriven: 1 of 3 from the dead-letter queue")
    );
    assert!(
        done.stderr.contains("--all puts them back too"),
        "{}",
        done.stderr
    );
    assert!(!format!("{done:?}").contains("hunter2"));
    // Left at once for the next one, not only when half a minute is over.
    let again = deployed.redrive(&["--dry-run"]).await.exits(0);
    assert_eq!(column(&again.json(), "Outcome"), ["left", "left"]);
    assert_eq!(deployed.lies_in("DeadLetterQueueUrl").await.len(), 2);
    let all = deployed.redrive(&["--all"]).await.exits(0);
    assert_eq!(column(&all.json(), "Outcome"), ["moved", "moved"]);
    assert!(!format!("{all:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_message_is_never_nowhere_and_takes_its_attributes_along() {
    let deployed = Deployed::queues_alone().await;
    let event = |name: &str| {
        json!({"id": format!("id-{name}"), "time": "2026-11-20T10:23:30Z",
               "detail-type": "Parameter Store Change",
               "detail": {"name": format!("/app/{name}"), "type": "String",
                          "operation": "Update"}})
        .to_string()
    };
    let bodies = ["a", "b"].map(event);
    for body in &bodies {
        deployed.lay("RuleDeadLetterQueueUrl", body).await;
    }
    let proxy = Proxy::start(&deployed.world.endpoint).unwrap();
    let denied = ApiError::new(403, "AccessDenied", "not authorized to perform this");
    proxy.disturb(Disturbance::answer(denied.clone()).on("sqs:SendMessageBatch"));
    let world = World::of(&deployed.ministack).await.behind(&proxy);
    let redrive = ["stack", STACK, "redrive", "--output", "json"];
    let refused = ssmbak(&world, &redrive).await.exits(1);
    assert!(refused.stderr.contains("sqs:SendMessage"), "{refused:?}");
    assert_eq!(column(&refused.json(), "Outcome"), ["failed", "failed"]);
    assert_eq!(deployed.lies_in("RuleDeadLetterQueueUrl").await.len(), 2);
    assert!(deployed.lies_in("QueueUrl").await.is_empty());

    // Sent, and then the line breaks: there twice, never gone.
    proxy.disturb(Disturbance::answer(denied).on("sqs:DeleteMessageBatch"));
    let twice = ssmbak(&world, &redrive).await.exits(1);
    assert!(twice.stderr.contains("it may come twice"), "{twice:?}");
    assert_eq!(deployed.lies_in("RuleDeadLetterQueueUrl").await.len(), 2);
    let mut sent = deployed.lies_in("QueueUrl").await;
    sent.sort();
    assert_eq!(sent, bodies);

    let sqs = deployed.sqs();
    let receive = sqs
        .receive_message()
        .queue_url(&deployed.outputs["QueueUrl"]);
    let receive = receive.message_attribute_names("All").wait_time_seconds(5);
    let received = receive.max_number_of_messages(1).send().await.unwrap();
    let attributes = received.messages()[0].message_attributes().unwrap();
    assert_eq!(
        attributes["ERROR_CODE"].string_value(),
        Some("NO_PERMISSIONS")
    );
}

/// Killed after each of its calls in turn and run again: all are in the queue, and none is left behind.
#[tokio::test]
async fn a_redrive_that_is_killed_at_any_call_is_completed_by_the_next() {
    let deployed = Deployed::queues_alone().await;
    let proxy = Proxy::start(&deployed.world.endpoint).unwrap();
    let world = World::of(&deployed.ministack).await.behind(&proxy);
    let redrive = ["stack", STACK, "redrive", "--all", "--output", "json"];
    let mut expected = BTreeSet::new();
    let mut killed = 0;
    for number in 1..40 {
        for message in 0..12 {
            let body = json!({"id": format!("{number}-{message}")}).to_string();
            deployed.lay("RuleDeadLetterQueueUrl", &body).await;
            expected.insert(body);
        }
        proxy.reset();
        proxy.disturb(Disturbance::kill().at(number).when(When::AfterWork));
        let answer = ssmbak(&world, &redrive).await;
        proxy.reset();
        // Nobody has them any more: what it held is shown again.
        deployed.control.redeliver().await.unwrap();
        let sent = deployed.lies_in("QueueUrl").await;
        let left = deployed.lies_in("RuleDeadLetterQueueUrl").await;
        let anywhere: BTreeSet<String> = sent.into_iter().chain(left).collect();
        assert_eq!(anywhere, expected, "killed at call {number}");
        if answer.code != -1 {
            break;
        }
        killed += 1;
        ssmbak(&world, &redrive).await.exits(0);
        assert!(deployed.lies_in("RuleDeadLetterQueueUrl").await.is_empty());
        let sent: BTreeSet<String> = deployed.lies_in("QueueUrl").await.into_iter().collect();
        assert_eq!(sent, expected, "killed at call {number}");
    }
    assert!((5..39).contains(&killed), "{killed}");
}

/// Somebody else holds them: they are neither moved nor forgotten.
#[tokio::test]
async fn what_another_one_holds_is_told_and_the_exit_code_says_so() {
    let deployed = Deployed::queues_alone().await;
    deployed.lay("DeadLetterQueueUrl", "{}").await;
    let sqs = deployed.sqs();
    let receive = sqs.receive_message();
    let receive = receive.queue_url(&deployed.outputs["DeadLetterQueueUrl"]);
    let held = receive.visibility_timeout(600).send().await.unwrap();
    assert_eq!(held.messages().len(), 1);
    let answer = deployed.redrive(&["--all"]).await.exits(3);
    assert_eq!(answer.json(), json!([]));
    let told = "warning: 1 from the dead-letter queue could not be received";
    assert!(answer.stderr.contains(told), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("redriven: 0 of 1 from"),
        "{}",
        answer.stderr
    );
}

/// Ctrl-C while a batch is under way: that batch is finished, and nothing after it is begun.
#[tokio::test]
async fn an_interrupted_run_ends_between_two_batches() {
    let deployed = Deployed::queues_alone().await;
    for _ in 0..25 {
        deployed.lay("DeadLetterQueueUrl", "{}").await;
    }
    let proxy = Proxy::start(&deployed.world.endpoint).unwrap();
    proxy.set_latency(Duration::from_millis(300));
    let world = World::of(&deployed.ministack).await.behind(&proxy);
    let mut command = world.command(&["stack", STACK, "redrive", "--all", "--output", "json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let process = child.id().unwrap().to_string();
    let deadline = Instant::now() + PATIENCE;
    let sent = || {
        let calls = proxy.calls();
        calls
            .iter()
            .any(|call| call.operation == "sqs:SendMessageBatch")
    };
    while !sent() {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let kill = Command::new("kill").args(["-INT", &process]).status();
    assert!(kill.await.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("redriven: 10 of 25 from"), "{stderr}");
    assert_eq!(deployed.lies_in("QueueUrl").await.len(), 10);
    assert_eq!(deployed.lies_in("DeadLetterQueueUrl").await.len(), 15);
}

#[tokio::test]
async fn policies_are_told_before_the_stack_exists_and_with_its_own_names_after() {
    let deployed = Deployed::new().await;
    for who in [
        "auditor",
        "restorer",
        "operator",
        "deployer",
        "deployer-access",
    ] {
        for stack in ["to-be", STACK] {
            let answer = deployed.ssmbak(&["stack", stack, "policy", who]).await;
            let answer = answer.exits(0);
            let document = answer.json();
            assert_eq!(document["Version"], "2012-10-17");
            assert!(!document["Statement"].as_array().unwrap().is_empty());
            let text = document.to_string();
            assert!(!text.contains("${") && text.len() <= 6_144, "{who}: {text}");
            assert!(!text.contains("\"Action\":\"*\""));
            let patterns = answer.stderr.contains("there is no stack to-be");
            assert_eq!(patterns, stack == "to-be", "{}", answer.stderr);
        }
    }
    let policy = async |stack| {
        let operator = ["stack", stack, "policy", "operator"];
        let answer = deployed.ssmbak(&operator).await.exits(0);
        answer.json().to_string()
    };
    let (before, after) = (policy("to-be").await, policy(STACK).await);
    assert!(before.contains(":table/to-be-Table-*\""), "{before}");
    assert!(before.contains("arn:aws:s3:::to-be-bucket-*"), "{before}");
    let bucket = format!("\"arn:aws:s3:::{}/*\"", deployed.outputs["BucketName"]);
    assert!(after.contains(&bucket), "{after}");
    assert!(after.contains(&deployed.outputs["TableName"]), "{after}");
    assert!(after.contains(&deployed.outputs["KeyArn"]), "{after}");
    let deployer = ["stack", "to-be", "policy", "deployer"];
    let deployer = deployed.ssmbak(&deployer).await;
    assert!(deployer.stderr.contains("policy deployer-access"));
}

#[tokio::test]
async fn without_an_account_a_policy_of_no_stack_cannot_be_told() {
    let world = World::emulated(Lane::Ministack, "an answer that AWS would not give").await;
    let proxy = Proxy::start(&world.endpoint).unwrap();
    let expired = ApiError::new(403, "ExpiredToken", "the token has expired");
    proxy.disturb(Disturbance::answer(expired).on("sts:GetCallerIdentity"));
    let world = world.behind(&proxy);
    let answer = ssmbak(&world, &["stack", "none", "policy", "deployer"]).await;
    let answer = answer.exits(1);
    assert_eq!(answer.stdout, "");
    assert!(
        answer.stderr.contains("sts:GetCallerIdentity"),
        "{answer:?}"
    );
    assert!(answer.stderr.contains("hint: "), "{answer:?}");
}

#[tokio::test]
async fn a_name_that_is_not_there_is_told_with_those_that_are() {
    let deployed = Deployed::queues_alone().await;
    for verb in [&["status"][..], &["redrive"], &["redrive", "--dry-run"]] {
        let asked = [&["stack", "wel"], verb].concat();
        let answer = deployed.ssmbak(&asked).await.exits(1);
        assert!(
            answer.stderr.contains("error: there is no stack wel"),
            "{answer:?}"
        );
        let hint = format!("hint: the stacks of ssmbak here are: {STACK}");
        assert!(answer.stderr.contains(&hint), "{answer:?}");
    }
}
