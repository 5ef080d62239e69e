//! A stack is made, and captures.

use aws_sdk_s3::types::BucketVersioningStatus;
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy};

use super::*;

#[tokio::test]
async fn the_template_is_printed_as_it_is() {
    let world = World::on(Lane::Ministack).await;
    let answer = ssmbak(&world, &["stack", "any", "template"]).await.exits(0);
    assert_eq!(answer.stdout, TEMPLATE);
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
    let deleted = delete(&world, stack).await.exits(0);
    assert!(deleted.stderr.contains("kept: bucket "), "{deleted:?}");
    assert!(deleted.stderr.contains("kept: table "), "{deleted:?}");
    let gone = ssmbak(&world, &["stack", stack, "status"]).await.exits(1);
    let none = format!("error: there is no stack {stack}");
    assert!(gone.stderr.contains(&none), "{gone:?}");
}

/// Each verb that tells one thing tells it, alone on its line.
async fn verbs(world: &World, stack: &str) {
    let one = async |verb: &str| one(world, stack, verb).await;
    assert_eq!(status(world, stack).await, "CREATE_COMPLETE");
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

/// Whether there is a stack, and whether there is a bucket of artifacts.
async fn is_untouched(world: &World, stack: &str) {
    let status = ssmbak(world, &["stack", stack, "status"]).await.exits(1);
    assert!(status.stderr.contains("there is no stack"), "{status:?}");
    let buckets = world.s3.list_buckets().send().await.unwrap();
    let mut names = buckets.buckets().iter().filter_map(|b| b.name());
    assert!(!names.any(|name| name.starts_with("ssmbak-artifacts-")));
}

#[tokio::test]
async fn a_zip_for_the_wrong_processor_is_refused_before_anything_is_created() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let (foreign, foreign_zip) = foreign_zip("foreign");
    let own = own_architecture();
    for (zip, asked, is) in [
        (&foreign_zip, own, foreign),
        (&function_zip(), foreign, own),
    ] {
        let create = ["stack", "no", "create", "--function-zip", zip];
        let refused = ssmbak(&world, &[&create[..], &["--arch", asked]].concat()).await;
        let refused = refused.exits(1);
        let said = format!("is for {is}, not for {asked}");
        assert!(refused.stderr.contains(&said), "{refused:?}");
    }
    is_untouched(&world, "no").await;
}

#[tokio::test]
async fn a_setting_that_makes_no_sense_is_refused_before_anything_is_asked() {
    let world = World::emulated(Lane::Ministack, "nothing is asked of it").await;
    for (options, said) in [
        (&["--log-retention-days", "2"][..], "one of 1, 3, 5"),
        (
            &["--keep-superseded", "3"],
            "means nothing without --expire-superseded-days",
        ),
        (
            &["--object-lock-mode", "compliance"],
            "means nothing without --object-lock-days",
        ),
    ] {
        let mut command = world.command(&[&["stack", "no", "create"], options].concat());
        // Whatever would be asked would not be answered.
        command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        let refused = run(command).await.exits(2);
        assert!(refused.stderr.contains(said), "{refused:?}");
    }
}

/// Whoever made the bucket of the zips may have come no further.
#[tokio::test]
async fn a_bucket_of_zips_that_was_left_unfinished_is_finished() {
    let ministack = Ministack::start().unwrap();
    let proxy = Proxy::start(&ministack.endpoint()).unwrap();
    let world = World::of(&ministack).await.behind(&proxy);
    let denied = ApiError::new(403, "AccessDenied", "not authorized to perform this");
    proxy.disturb(Disturbance::answer(denied).on("s3:PutBucketVersioning"));
    let stopped = create(&world, "zips").await.exits(1);
    let error = "error: s3:PutBucketVersioning: not authorized";
    assert!(stopped.stderr.contains(error), "{stopped:?}");
    let buckets = world.s3.list_buckets().send().await.unwrap();
    let mut names = buckets.buckets().iter().filter_map(|one| one.name());
    let zips = names.find(|name| name.starts_with("ssmbak-artifacts-"));
    let versioning = || world.s3.get_bucket_versioning().bucket(zips.unwrap());
    let before = versioning().send().await.unwrap();
    assert_eq!(before.status(), None);
    create(&world, "zips").await.exits(0);
    let after = versioning().send().await.unwrap();
    assert_eq!(after.status(), Some(&BucketVersioningStatus::Enabled));
}

#[tokio::test]
async fn what_is_set_is_set_and_what_it_means_is_told() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let options = [
        "--log-level=debug",
        "--log-retention-days=30",
        "--expire-superseded-days=90",
        "--keep-superseded=3",
        "--object-lock-days=365",
        "--object-lock-mode=compliance",
        "--deletions-from-cloudtrail=on",
        "--restorer-needs-mfa",
        "--tag=team=a",
    ];
    let created = create_with(&world, "set", &options).await.exits(0);
    for part in [
        "warning: with object lock in compliance mode nobody, not even the root user",
        "superseded for more than 90 days can no longer be restored",
        "object lock keeps each version for 365 days all the same",
    ] {
        assert!(created.stderr.contains(part), "{part} in {created:?}");
    }
    let (parameters, tags) = described(&world, "set").await;
    for (name, value) in [
        ("LogLevel", "DEBUG"),
        ("LogRetentionDays", "30"),
        ("SupersededDays", "90"),
        ("SupersededVersionsKept", "3"),
        ("ObjectLockMode", "COMPLIANCE"),
        ("DeletionsFromCloudTrail", "on"),
        ("RestorerNeedsMfa", "true"),
        ("ReconcileSchedule", "rate(1 day)"),
    ] {
        assert_eq!(parameters[name], value, "{name}");
    }
    assert_eq!(tags["team"], "a");
    assert_eq!(tags["ssmbak:version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn a_function_that_does_not_start_is_told_and_can_be_mended() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let dead = dead_zip("dead-at-birth");
    let failed = ssmbak(&world, &["stack", "ill", "create", "--function-zip", &dead]).await;
    let failed = failed.exits(1);
    let error = told(&failed)[0];
    assert!(error.starts_with("error: the stack ill stands, but its function does not work: "));
    let hint = "hint: give it another zip: ssmbak stack ill update --function-zip FILE; \
                or take the stack away: ssmbak stack ill delete";
    assert_eq!(told(&failed)[1], hint);
    assert_eq!(status(&world, "ill").await, "CREATE_COMPLETE");
    let options = ["--function-zip", &function_zip()];
    update(&world, "ill", &options).await.exits(0);
    world.put("/ill/a", "1").await;
    captured(&world, "ill", "/ill/", &["Create"]).await;
}
