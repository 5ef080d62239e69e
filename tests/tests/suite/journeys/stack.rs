//! `ssmbak stack`, and the whole pipeline that it deploys.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ssmbak_tests::binaries;
use ssmbak_tests::emulator::Ministack;

use super::{Lane, World, column, told};
use crate::world::{Answer, aws, mark, next_second, run};

/// A real event takes most of a minute.
const PATIENCE: Duration = Duration::from_mins(5);

/// The command line without bucket and table: it has to find the stack.
async fn ssmbak(world: &World, arguments: &[&str]) -> Answer {
    let mut command = world.command(arguments);
    command
        .env_remove("SSMBAK_BUCKET")
        .env_remove("SSMBAK_TABLE");
    run(command).await
}

async fn create(world: &World, name: &str) -> Answer {
    // What is built here may not run on Lambda: there another may be named.
    let given = std::env::var_os("SSMBAK_TEST_FUNCTION_ZIP").map(PathBuf::from);
    let zip = given.unwrap_or_else(binaries::function_zip);
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
    let emulator = (!aws::wanted()).then(|| Ministack::start().unwrap());
    let (world, stack) = match &emulator {
        Some(ministack) => (World::of(ministack).await, "try".to_owned()),
        None => (World::on(Lane::Ministack).await, aws::stack()),
    };
    let stack = stack.as_str();
    let created = create(&world, stack).await.exits(0);
    assert!(created.stdout.contains("CREATE_COMPLETE"), "{created:?}");
    assert!(created.stdout.contains("AWS::Lambda::Function"));
    verbs(&world, stack).await;
    pipeline(&world, stack).await;

    let again = create(&world, stack).await.exits(1);
    let exists = format!("error: the stack {stack} exists");
    assert!(again.stderr.contains(&exists), "{again:?}");
    assert!(again.stderr.contains("hint: "), "{again:?}");
    let deleted = ssmbak(&world, &["stack", stack, "delete"]).await.exits(0);
    assert!(deleted.stderr.contains("kept: bucket "), "{deleted:?}");
    assert!(deleted.stderr.contains("kept: table "), "{deleted:?}");
    let gone = ssmbak(&world, &["stack", stack, "status"]).await.exits(1);
    let none = format!("error: there is no stack {stack}");
    assert!(gone.stderr.contains(&none), "{gone:?}");
}

/// Each verb that tells one thing tells it, alone on its line.
async fn verbs(world: &World, stack: &str) {
    let one = async |verb: &str| {
        let answer = ssmbak(world, &["stack", stack, verb]).await.exits(0);
        assert_eq!(answer.stdout.lines().count(), 1, "{answer:?}");
        answer.stdout.trim().to_owned()
    };
    let status = ["stack", stack, "status", "--output", "json"];
    let status = ssmbak(world, &status).await.exits(0).json();
    assert_eq!(status[0]["Status"], "CREATE_COMPLETE");
    let region = world.config.region().unwrap().as_ref();
    assert_eq!(one("region").await, region);
    assert_eq!(one("lambdaname").await, format!("{stack}-capture"));
    let listed = ["stack", stack, "resources", "--output", "json"];
    let listed = ssmbak(world, &listed).await.exits(0).json();
    let physical = column(&listed, "PhysicalId");
    assert!(physical.contains(&&*one("bucketname").await));
    assert!(physical.contains(&&*one("tablename").await));
    assert!(column(&listed, "Type").contains(&"AWS::SQS::Queue"));
}

/// A change goes through rule, queue and function; preview and restore find it.
async fn pipeline(world: &World, stack: &str) {
    let path = &world.own("/pipe/");
    let tree = [("a", " then "), ("b", "then"), ("c", "then")];
    for (leaf, value) in tree {
        world.put(&format!("{path}{leaf}"), value).await;
    }
    captured(world, stack, path, &["Create"; 3]).await;
    let at = &mark().await.to_string();
    world.put(&format!("{path}a"), "now").await;
    world.delete(&format!("{path}b")).await;
    next_second().await;
    let changed = ["Create", "Create", "Create", "Delete", "Update"];
    captured(world, stack, path, &changed).await;

    let preview = ["preview", path, at, "-R", "--stack", stack];
    let preview = [&preview[..], &["--output", "json"]].concat();
    let answer = ssmbak(world, &preview).await.exits(0);
    assert_eq!(column(&answer.json(), "Change"), ["update", "create"]);
    assert_eq!(column(&answer.json(), "Value"), [" then ", "then"]);
    let restore = ["restore", path, at, "-R", "--stack", stack, "--yes"];
    ssmbak(world, &restore).await.exits(0);
    for (leaf, value) in tree {
        let live = world.live(&format!("{path}{leaf}")).await;
        assert_eq!(live.as_deref(), Some(value));
    }
    let restored = [
        "Create", "Create", "Create", "Create", "Delete", "Update", "Update",
    ];
    captured(world, stack, path, &restored).await;
}

/// Waits until exactly these operations are on record.
async fn captured(world: &World, stack: &str, path: &str, operations: &[&str]) {
    let history = ["history", path, "-R", "--stack", stack, "--output", "json"];
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ssmbak(world, &history).await.exits(0).json();
        let mut told = column(&answer, "Operation");
        told.sort_unstable();
        if told == operations {
            return;
        }
        assert!(Instant::now() < deadline, "{answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
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
