//! A stack goes only where somebody meant it.

use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy};

use super::*;

#[tokio::test]
async fn a_stack_is_deleted_only_by_who_says_its_name_or_yes() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    create(&world, "goes").await.exits(0);
    let bucket = one(&world, "goes", "bucketname").await;
    let table = one(&world, "goes", "tablename").await;
    let delete = ["stack", "goes", "delete"];

    // What would go with it uncaptured is told before anybody agrees.
    let resources = ["stack", "goes", "resources", "--output", "json"];
    let resources = ssmbak(&world, &resources).await.exits(0).json();
    let mut resources = resources.as_array().unwrap().iter();
    let queue = resources.find(|one| one["LogicalId"] == "DeadLetterQueue");
    let send = aws_sdk_sqs::Client::new(&world.config).send_message();
    let send = send.queue_url(queue.unwrap()["PhysicalId"].as_str().unwrap());
    send.message_body("{}").send().await.unwrap();

    let nobody = ssmbak(&world, &delete).await.exits(2);
    let uncaptured = "1 messages that are not captured yet go with it";
    assert!(nobody.stderr.contains(uncaptured), "{nobody:?}");
    assert!(
        nobody.stderr.contains("error: nobody has agreed"),
        "{nobody:?}"
    );
    assert!(
        nobody
            .stderr
            .contains("hint: pass --yes, or the stack's name")
    );
    for wrong in ["goe\n", "Goes\n", "yes\n", "\n"] {
        let wrong = ssmbak_with_input(&world, &delete, wrong).await.exits(1);
        assert!(wrong.stderr.contains("declined"), "{wrong:?}");
    }
    let wrong = ssmbak_on_terminal(&world, &delete, "nope\n").await.exits(1);
    assert!(wrong.stdout.contains("declined"), "{wrong:?}");
    assert_eq!(status(&world, "goes").await, "CREATE_COMPLETE");

    let deleted = ssmbak_with_input(&world, &delete, "goes\n").await.exits(0);
    assert!(deleted.stdout.contains("DELETE_IN_PROGRESS"), "{deleted:?}");
    let told = told(&deleted);
    for line in [
        format!("kept: bucket {bucket}"),
        format!("kept: table {table}"),
        format!("to have it back: ssmbak stack goes create --bucket {bucket} --table {table}"),
    ] {
        // What is kept is told before, when it is asked, and after.
        assert!(told.contains(&line.as_str()), "{line} in {deleted:?}");
    }
    assert!(told.iter().any(|line| line.starts_with("kept: key ")));
    let gone = ssmbak(&world, &["stack", "goes", "status"]).await.exits(1);
    assert!(gone.stderr.contains("there is no stack goes"), "{gone:?}");
}

/// Who says yes beforehand is not asked, and is told all the same.
#[tokio::test]
async fn what_goes_uncaptured_is_told_with_yes_too() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    create(&world, "loses").await.exits(0);
    let resources = ["stack", "loses", "resources", "--output", "json"];
    let resources = ssmbak(&world, &resources).await.exits(0).json();
    let physical = |logical_id: &str| {
        let mut rows = resources.as_array().unwrap().iter();
        let row = rows.find(|one| one["LogicalId"] == logical_id).unwrap();
        row["PhysicalId"].as_str().unwrap().to_owned()
    };
    let send = aws_sdk_sqs::Client::new(&world.config).send_message();
    let send = send.queue_url(physical("DeadLetterQueue"));
    send.message_body("{}").send().await.unwrap();
    let deleted = delete(&world, "loses").await.exits(0);
    let said = told(&deleted);
    let warning = "warning: 1 messages that are not captured yet go with it: ";
    assert!(said[0].starts_with(warning), "{deleted:?}");
    // What people may still have is named with the way to be rid of it.
    for policy in ["AuditorPolicy", "DeployerAccessPolicy"] {
        let kept = format!("kept: policy {}", physical(policy));
        assert!(said.contains(&kept.as_str()), "{kept} in {deleted:?}");
    }
    assert!(!deleted.stderr.contains(&physical("FunctionPolicy")));
    let way_out = "aws iam delete-policy --policy-arn ARN";
    assert!(said.last().unwrap().contains(way_out), "{deleted:?}");
}

#[tokio::test]
async fn a_deletion_goes_on_where_the_queues_cannot_be_asked() {
    let ministack = Ministack::start().unwrap();
    let proxy = Proxy::start(&ministack.endpoint()).unwrap();
    let world = World::of(&ministack).await.behind(&proxy);
    create(&world, "deaf").await.exits(0);
    let denied = ApiError::new(403, "AccessDenied", "not authorized to perform this");
    let queues = Disturbance::answer(denied).on("sqs:GetQueueAttributes");
    proxy.disturb(queues.times(usize::MAX));
    let deleted = delete(&world, "deaf").await.exits(0);
    let warning = "warning: whether messages that are not captured yet go with it could not be told: \
                   not allowed (sqs:GetQueueAttributes)";
    assert_eq!(told(&deleted)[0], warning);
}

#[tokio::test]
async fn a_stack_of_another_tool_is_left_alone() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let foreign = "Description: mine\nResources:\n  Queue:\n    Type: AWS::SQS::Queue\n";
    let client = aws_sdk_cloudformation::Client::new(&world.config);
    let make = client.create_stack().stack_name("mine");
    make.template_body(foreign).send().await.unwrap();
    for verb in ["delete", "update"] {
        let refused = ssmbak(&world, &["stack", "mine", verb, "--yes"])
            .await
            .exits(1);
        let error = "error: the stack mine is not one of ssmbak";
        assert_eq!(told(&refused)[0], error, "{verb}");
    }
    let found = client.describe_stacks().stack_name("mine").send().await;
    let status = found.unwrap().stacks()[0].stack_status().unwrap().clone();
    assert_eq!(status.as_str(), "CREATE_COMPLETE");
}
