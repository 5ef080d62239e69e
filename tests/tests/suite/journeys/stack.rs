//! `ssmbak stack`, and the whole pipeline that it deploys.

use std::time::Duration;

use ssmbak_tests::binaries;
use ssmbak_tests::emulator::{Control, Ministack};

use super::{Lane, World, column, told};
use crate::world::{Answer, now, run};

const PATIENCE: Duration = Duration::from_secs(20);

/// The command line without bucket and table: it has to find the stack.
async fn ssmbak(world: &World, arguments: &[&str]) -> Answer {
    let mut command = world.command(arguments);
    command
        .env_remove("SSMBAK_BUCKET")
        .env_remove("SSMBAK_TABLE");
    run(command).await
}

async fn create(world: &World, name: &str) -> Answer {
    let zip = binaries::function_zip();
    let zip = zip.to_str().unwrap();
    ssmbak(world, &["stack", name, "create", "--function-zip", zip]).await
}

#[tokio::test]
async fn the_template_is_printed_as_it_is() {
    let world = World::on(Lane::Ministack).await;
    let answer = ssmbak(&world, &["stack", "any", "template"]).await.exits(0);
    let template = include_str!("../../../../infra/template.yaml");
    assert_eq!(answer.stdout, template);
}

#[tokio::test]
async fn a_stack_is_deployed_captures_and_is_found_by_its_name_alone() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let control = ministack.control();
    let created = create(&world, "try").await.exits(0);
    assert!(created.stdout.contains("CREATE_COMPLETE"), "{created:?}");
    assert!(created.stdout.contains("AWS::Lambda::Function"));
    verbs(&world, "try").await;
    pipeline(&world, &control).await;

    let again = create(&world, "try").await.exits(1);
    assert!(
        again.stderr.contains("error: the stack try exists"),
        "{again:?}"
    );
    assert!(again.stderr.contains("hint: "), "{again:?}");
    let deleted = ssmbak(&world, &["stack", "try", "delete"]).await.exits(0);
    assert!(deleted.stderr.contains("kept: bucket "), "{deleted:?}");
    assert!(deleted.stderr.contains("kept: table "), "{deleted:?}");
    let gone = ssmbak(&world, &["stack", "try", "status"]).await.exits(1);
    assert!(gone.stderr.contains("error: there is no stack try"));
}

/// Each verb that tells one thing tells it, alone on its line.
async fn verbs(world: &World, stack: &str) {
    let one = async |verb: &str| {
        let answer = ssmbak(world, &["stack", stack, verb]).await.exits(0);
        assert_eq!(answer.stdout.lines().count(), 1, "{answer:?}");
        answer.stdout.trim().to_owned()
    };
    assert_eq!(one("status").await, "CREATE_COMPLETE");
    assert_eq!(one("region").await, "us-east-1");
    assert_eq!(one("lambdaname").await, format!("{stack}-capture"));
    let listed = ["stack", stack, "resources", "--output", "json"];
    let listed = ssmbak(world, &listed).await.exits(0).json();
    let physical = column(&listed, "PhysicalId");
    assert!(physical.contains(&&*one("bucketname").await));
    assert!(physical.contains(&&*one("tablename").await));
    assert!(column(&listed, "Type").contains(&"AWS::SQS::Queue"));
}

/// A change goes through rule, queue and function; preview and restore find it.
async fn pipeline(world: &World, control: &Control) {
    let path = "/pipe/";
    control
        .set_clock(now().plus_millis(-60_000).millis())
        .await
        .unwrap();
    for (leaf, value) in [("a", " then "), ("b", "then"), ("c", "then")] {
        world.put(&format!("{path}{leaf}"), value).await;
    }
    control.wait_until_quiet(PATIENCE).await.unwrap();
    let then = control.advance_clock(2_000).await.unwrap();
    let at = ssmbak_core::domain::Instant::from_millis(then).to_string();
    control.advance_clock(2_000).await.unwrap();
    world.put("/pipe/a", "now").await;
    world.delete("/pipe/b").await;
    control.wait_until_quiet(PATIENCE).await.unwrap();
    control.free_clock().await.unwrap();

    let preview = [
        "preview", path, &at, "-R", "--stack", "try", "--output", "json",
    ];
    let answer = ssmbak(world, &preview).await.exits(0);
    assert_eq!(column(&answer.json(), "Change"), ["update", "create"]);
    assert_eq!(column(&answer.json(), "Value"), [" then ", "then"]);
    let restore = ["restore", path, &at, "-R", "--stack", "try", "--yes"];
    ssmbak(world, &restore).await.exits(0);
    for (leaf, value) in [("a", " then "), ("b", "then"), ("c", "then")] {
        let live = world.live(&format!("{path}{leaf}")).await;
        assert_eq!(live.as_deref(), Some(value));
    }
    control.wait_until_quiet(PATIENCE).await.unwrap();
    let history = ["history", path, "-R", "--stack", "try", "--output", "json"];
    let answer = ssmbak(world, &history).await.exits(0).json();
    let mut newest: Vec<&str> = column(&answer, "Operation")[..2].to_vec();
    newest.sort_unstable();
    assert_eq!(newest, ["Create", "Update"]);
    assert_eq!(answer.as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn a_creation_that_fails_tells_its_reason() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    // A name that the stack is to have is taken.
    world.put("/_ssmbak/bad/bucketname", "in the way").await;
    let failed = create(&world, "bad").await.exits(1);
    assert!(failed.stdout.contains("ROLLBACK_COMPLETE"), "{failed:?}");
    let error = told(&failed)[0];
    for part in [
        "the stack bad failed",
        "BucketNameParameter",
        "already exists",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let hint = "hint: delete it first: ssmbak stack bad delete";
    assert_eq!(told(&failed)[1], hint);
    let again = create(&world, "bad").await.exits(1);
    assert!(again.stderr.contains(hint), "{again:?}");
}
