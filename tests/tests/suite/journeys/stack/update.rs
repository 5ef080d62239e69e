//! A stack is updated: what would change is shown, and what does not work is taken back.

use ssmbak_tests::emulator::Ministack;

use super::*;

/// The rows of a change set, told as JSON.
fn row<'a>(changes: &'a Json, resource: &str) -> &'a Json {
    let mut rows = changes.as_array().unwrap().iter();
    rows.find(|row| row["LogicalId"] == resource)
        .unwrap_or_else(|| panic!("no {resource} in {changes}"))
}

/// Whether a change set waits for anybody.
pub(super) async fn no_change_set_is_left(world: &World, stack: &str) {
    let client = aws_sdk_cloudformation::Client::new(&world.config);
    let listed = client.list_change_sets().stack_name(stack).send().await;
    let listed = listed.unwrap();
    let waiting: Vec<_> = listed
        .summaries()
        .iter()
        .filter(|one| {
            one.execution_status()
                .is_some_and(|s| s.as_str() == "AVAILABLE")
        })
        .collect();
    assert!(waiting.is_empty(), "{waiting:?}");
}

#[tokio::test]
async fn an_update_shows_what_it_changes_and_changes_that_alone() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let options = ["--log-level=warn", "--tag=team=a"];
    create_with(&world, "up", &options).await.exits(0);
    let (before, _) = described(&world, "up").await;

    let zip = function_zip();
    let same = ["--function-zip", &zip];
    let nothing = update(&world, "up", &same).await.exits(0);
    assert_eq!(nothing.stdout, "");
    assert_eq!(*told(&nothing).last().unwrap(), "nothing to change");
    let none = [&same[..], &["--output", "json"]].concat();
    assert_eq!(update(&world, "up", &none).await.exits(0).stdout, "[]\n");
    let kept = update(&world, "up", &[]).await.exits(0);
    let code = "no zip was given and none lies beside ssmbak: the function's code stays";
    assert_eq!(told(&kept), [code, "nothing to change"]);

    let options = ["--log-level=debug", "--log-retention-days=30"];
    let dry = [&options[..], &["--dry-run", "--output", "json"]].concat();
    let dry = update(&world, "up", &dry).await.exits(0);
    let changes = dry.json();
    let function = row(&changes, "Function");
    assert_eq!(function["Action"], "Modify");
    assert_eq!(function["Replacement"], "False");
    let properties = function["Changes"].as_array().unwrap();
    assert!(properties.contains(&"Environment".into()), "{changes}");
    let group = row(&changes, "LogGroup");
    assert_eq!(group["Changes"], serde_json::json!(["RetentionInDays"]));
    assert_eq!(described(&world, "up").await.0, before);
    no_change_set_is_left(&world, "up").await;

    let updated = update(&world, "up", &options).await.exits(0);
    for part in ["RetentionInDays", "UPDATE_COMPLETE"] {
        assert!(updated.stdout.contains(part), "{updated:?}");
    }
    assert_eq!(*told(&updated).last().unwrap(), "updated up");
    let (after, tags) = described(&world, "up").await;
    assert_eq!(after["LogLevel"], "DEBUG");
    assert_eq!(after["LogRetentionDays"], "30");
    let untouched = |parameters: &BTreeMap<String, String>| {
        let mut parameters = parameters.clone();
        parameters.retain(|name, _| !["LogLevel", "LogRetentionDays"].contains(&name.as_str()));
        parameters
    };
    assert_eq!(untouched(&after), untouched(&before));
    assert_eq!(tags["team"], "a");
    world.put("/up/a", "1").await;
    captured(&world, "up", "/up/", &["Create"]).await;
}

#[tokio::test]
async fn a_new_zip_replaces_the_function_and_history_goes_on() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    create(&world, "code").await.exits(0);
    world.put("/code/a", "1").await;
    captured(&world, "code", "/code/", &["Create"]).await;
    let (before, _) = described(&world, "code").await;
    let zip = another_zip("another");
    let options = ["--function-zip", &zip, "--output", "json"];
    let updated = update(&world, "code", &options).await.exits(0);
    let changes = updated.json();
    assert_eq!(
        row(&changes, "Function")["Changes"],
        serde_json::json!(["Code"])
    );
    // A program that reads the rows finds no event among them.
    assert!(updated.stderr.contains("UPDATE_COMPLETE"), "{updated:?}");
    let (after, tags) = described(&world, "code").await;
    assert_ne!(after["CodeKey"], before["CodeKey"]);
    assert_eq!(tags["ssmbak:version"], env!("CARGO_PKG_VERSION"));
    world.put("/code/a", "2").await;
    captured(&world, "code", "/code/", &["Create", "Update"]).await;
}

#[tokio::test]
async fn object_lock_is_turned_on_once_the_code_is_known_to_work() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    create(&world, "lock").await.exits(0);
    let before = described(&world, "lock").await;
    let zip = another_zip("another-before-the-lock");
    let code = ["--function-zip", &zip];
    let both = [&code[..], &["--object-lock-days=7"]].concat();
    let refused = update(&world, "lock", &both).await.exits(1);
    let said = told(&refused);
    let error = "error: the stack lock gets no object lock together with other code";
    assert!(said[1].starts_with(error), "{said:?}");
    let hint = "hint: first the code, without the lock; then again with it";
    assert!(said[2].starts_with(hint), "{said:?}");
    assert_eq!(described(&world, "lock").await, before);
    no_change_set_is_left(&world, "lock").await;
    update(&world, "lock", &code).await.exits(0);
    update(&world, "lock", &both).await.exits(0);
    assert_eq!(described(&world, "lock").await.0["ObjectLockDays"], "7");
}

#[tokio::test]
async fn an_update_asks_on_a_terminal() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    create(&world, "ask").await.exits(0);
    let (before, _) = described(&world, "ask").await;
    let louder = ["stack", "ask", "update", "--log-level", "debug"];
    let declined = ssmbak_on_terminal(&world, &louder, "n\n").await.exits(1);
    assert!(declined.stdout.contains("Go on? [y/N]"), "{declined:?}");
    assert!(declined.stdout.contains("nothing was changed: declined"));
    assert_eq!(described(&world, "ask").await.0, before);
    no_change_set_is_left(&world, "ask").await;

    // What is expired is told, and the bucket is changed where it is.
    let bucket = one(&world, "ask", "bucketname").await;
    let expire = ["--expire-superseded-days=90"];
    let expired = update(&world, "ask", &expire).await.exits(0);
    assert!(expired.stderr.contains("more than 90 days"), "{expired:?}");
    assert_eq!(one(&world, "ask", "bucketname").await, bucket);

    let agreed = ssmbak_on_terminal(&world, &louder, "y\n").await.exits(0);
    assert!(agreed.stdout.contains("updated ask"), "{agreed:?}");
}

#[tokio::test]
async fn without_a_terminal_an_update_takes_nothing_away_unasked() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let more = "\nResources:\n  Surplus:\n    Type: AWS::SQS::Queue\n";
    let template = TEMPLATE.replacen("\nResources:\n", more, 1);
    deploy(&world, "more", &template).await;
    let before = described(&world, "more").await;
    let refused = update(&world, "more", &[]).await.exits(2);
    let error = "error: this update would remove or replace Surplus, and there is no terminal";
    assert!(refused.stderr.contains(error), "{refused:?}");
    assert_eq!(described(&world, "more").await, before);
    no_change_set_is_left(&world, "more").await;
    update(&world, "more", &["--yes"]).await.exits(0);
    let listed = ["stack", "more", "resources", "--output", "json"];
    let listed = ssmbak(&world, &listed).await.exits(0).json();
    assert!(!column(&listed, "LogicalId").contains(&"Surplus"));
}

#[tokio::test]
async fn an_update_never_replaces_the_bucket() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    // A bucket with a name of its own: to lose that name would be to become another bucket.
    let bucket = "  Bucket:\n    Type: AWS::S3::Bucket\n";
    assert!(TEMPLATE.contains(bucket));
    let properties = TEMPLATE.find(bucket).unwrap();
    let properties = properties + TEMPLATE[properties..].find("    Properties:\n").unwrap();
    let (head, tail) = TEMPLATE.split_at(properties);
    let named = "    Properties:\n      BucketName: named-by-hand\n";
    let template = format!("{head}{}", tail.replacen("    Properties:\n", named, 1));
    deploy(&world, "hand", &template).await;
    let refused = update(&world, "hand", &["--yes"]).await.exits(1);
    let error = told(&refused);
    let error = error.iter().find(|l| l.starts_with("error: ")).unwrap();
    assert_eq!(
        *error,
        "error: refused: the update would take away what holds the history of hand: \
         Bucket (named-by-hand) perhaps replaced"
    );
    no_change_set_is_left(&world, "hand").await;
    assert_eq!(status(&world, "hand").await, "CREATE_COMPLETE");
}

#[tokio::test]
async fn a_new_function_that_does_not_work_gives_way_to_the_old_one() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    create_with(&world, "back", &["--tag=team=a"])
        .await
        .exits(0);
    let before = described(&world, "back").await;
    let dead = dead_zip("dead");
    let options = ["--function-zip", &dead, "--log-level=debug", "--tag=team=b"];
    let failed = update(&world, "back", &options).await.exits(1);
    let told = told(&failed);
    let error = told.iter().find(|l| l.starts_with("error: ")).unwrap();
    let begin = "error: the stack back was rolled back: its new function does not work: ";
    assert!(error.starts_with(begin), "{failed:?}");
    // What Lambda says of a process that ended: its words are its own.
    assert!(error[begin.len()..].starts_with("Runtime."), "{failed:?}");
    let hint = "hint: the stack is what it was, and captures";
    assert!(told.last().unwrap().starts_with(hint), "{failed:?}");
    assert_eq!(described(&world, "back").await, before);
    world.put("/back/a", "1").await;
    captured(&world, "back", "/back/", &["Create"]).await;
    let working = ["--function-zip", &function_zip()];
    let again = update(&world, "back", &working).await.exits(0);
    assert!(again.stderr.contains("nothing to change"), "{again:?}");
}

#[tokio::test]
async fn what_failed_before_the_update_is_not_held_against_the_new_function() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let dead = dead_zip("dead-before");
    let create = ["stack", "sick", "create", "--function-zip", &dead];
    ssmbak(&world, &create).await.exits(1);
    let options = ["--log-level=debug"];
    let failed = update(&world, "sick", &options).await.exits(1);
    let hint = "hint: the old function did not work before the update either";
    assert!(failed.stderr.contains(hint), "{failed:?}");
}

#[tokio::test]
async fn an_update_that_cloudformation_cannot_make_says_why_and_leaves_all_as_it_was() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    deploy(&world, "stop", &template_without("TableNameParameter")).await;
    let before = described(&world, "stop").await;
    // A name that the stack is to have is taken.
    world.put("/_ssmbak/stop/tablename", "in the way").await;
    let options = ["--yes", "--log-level=debug"];
    let failed = update(&world, "stop", &options).await.exits(1);
    assert!(
        failed.stdout.contains("UPDATE_ROLLBACK_COMPLETE"),
        "{failed:?}"
    );
    let told = told(&failed);
    let error = told.iter().find(|l| l.starts_with("error: ")).unwrap();
    for part in [
        "UPDATE_ROLLBACK_COMPLETE",
        "TableNameParameter",
        "already exists",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert!(
        told.last()
            .unwrap()
            .starts_with("hint: the stack is what it was")
    );
    assert_eq!(described(&world, "stop").await, before);
    world.delete("/_ssmbak/stop/tablename").await;
    let mended = update(&world, "stop", &options).await.exits(0);
    assert!(mended.stderr.contains("updated stop"), "{mended:?}");
}

#[tokio::test]
async fn a_zip_for_another_processor_is_taken_only_where_it_is_named() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    create(&world, "cpu").await.exits(0);
    let (foreign, zip) = foreign_zip("cpu");
    let own = own_architecture();
    let wrong = ["--function-zip", &zip, "--arch", own];
    let refused = update(&world, "cpu", &wrong).await.exits(1);
    let said = format!("is for {foreign}, not for {own}");
    assert!(refused.stderr.contains(&said), "{refused:?}");
    let none = update(&world, "cpu", &["--arch", foreign]).await.exits(1);
    assert!(
        none.stderr.contains("no zip of the function lies in"),
        "{none:?}"
    );
    let options = ["--function-zip", &zip, "--dry-run"];
    let dry = update(&world, "cpu", &options).await.exits(0);
    let said = format!("the function's processor changes from {own} to {foreign}");
    assert!(dry.stderr.contains(&said), "{dry:?}");
    assert!(dry.stdout.contains("Architectures"), "{dry:?}");
}

#[tokio::test]
async fn there_must_be_a_stack_to_update() {
    let world = World::emulated(Lane::Ministack, "it has no stacks").await;
    let none = update(&world, "none", &[]).await.exits(1);
    assert_eq!(told(&none), ["error: there is no stack none"]);
}
