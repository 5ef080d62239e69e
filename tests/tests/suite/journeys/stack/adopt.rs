//! A new stack goes on with the history that another left.

use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy};

use super::*;

/// Bucket and table of a stack.
async fn places(world: &World, stack: &str) -> (String, String) {
    (
        one(world, stack, "bucketname").await,
        one(world, stack, "tablename").await,
    )
}

async fn adopt(world: &World, stack: &str, (bucket, table): (&str, &str)) -> Answer {
    create_with(world, stack, &["--bucket", bucket, "--table", table]).await
}

/// What a preview of an instant tells of each name; `code` is how it ends.
async fn preview(
    world: &World,
    stack: &str,
    (path, at): (&str, &str),
    code: i32,
) -> Vec<(String, String)> {
    let preview = ["preview", path, at, "-R", "--all", "--stack", stack];
    let preview = [&preview[..], &["--output", "json"]].concat();
    let rows = ssmbak(world, &preview).await.exits(code).json();
    let own = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let names = own(column(&rows, "Name")).into_iter();
    names.zip(own(column(&rows, "Value"))).collect()
}

#[tokio::test]
async fn delete_and_create_again_lose_no_history() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    create(&world, "phoenix").await.exits(0);
    let (bucket, table) = places(&world, "phoenix").await;
    let seed = ["seed", "--do-it", "--stack", "phoenix"];
    ssmbak(&world, &seed).await.exits(0);
    world.put("/life/a", "first").await;
    world.put("/life/gone", "first").await;
    captured(&world, "phoenix", "/life/", &["Create", "Create"]).await;
    let at = &mark().await.to_string();
    world.put("/life/a", "second").await;
    world.delete("/life/gone").await;
    next_second().await;
    let first = ["Create", "Create", "Delete", "Update"];
    captured(&world, "phoenix", "/life/", &first).await;
    let then = preview(&world, "phoenix", ("/life/", at), 0).await;
    let before = history(&world, "phoenix", "/life/").await;
    delete(&world, "phoenix").await.exits(0);

    // Nobody is there to see it.
    world.put("/life/a", "unseen").await;
    world.put("/life/new", "unseen").await;
    let adopted = adopt(&world, "phoenix", (&bucket, &table)).await.exits(0);
    for line in [
        format!("adopted: bucket {bucket}, table {table}"),
        "`ssmbak seed --do-it --stack phoenix` finds what changed meanwhile".into(),
    ] {
        assert!(adopted.stderr.contains(&line), "{line} in {adopted:?}");
    }
    assert!(!adopted.stderr.contains("warning: "), "{adopted:?}");
    assert_eq!(
        places(&world, "phoenix").await,
        (bucket.clone(), table.clone())
    );
    assert_eq!(history(&world, "phoenix", "/life/").await, before);

    ssmbak(&world, &seed).await.exits(0);
    let found = ["Create", "Create", "Create", "Delete", "Update", "Update"];
    captured(&world, "phoenix", "/life/", &found).await;
    world.put("/life/new", "seen").await;
    let seen = [&found[..], &["Update"]].concat();
    captured(&world, "phoenix", "/life/", &seen).await;
    // Of a name that appeared while nobody looked, nobody knows since when it was not there.
    let mut now = preview(&world, "phoenix", ("/life/", at), 3).await;
    now.retain(|(name, _)| name != "/life/new");
    assert_eq!(now, then);
    let restore = ["restore", "/life/", at, "-R", "--yes", "--stack", "phoenix"];
    ssmbak(&world, &restore).await.exits(3);
    assert_eq!(world.live("/life/a").await.as_deref(), Some("first"));
    assert_eq!(world.live("/life/gone").await.as_deref(), Some("first"));

    // What was adopted is none of its resources, and is kept all the same.
    let deleted = delete(&world, "phoenix").await.exits(0);
    for line in [
        format!("kept: bucket {bucket}"),
        format!("kept: table {table}"),
        format!("to have it back: ssmbak stack phoenix create --bucket {bucket} --table {table}"),
    ] {
        assert!(
            told(&deleted).contains(&line.as_str()),
            "{line} in {deleted:?}"
        );
    }
    let kept = [
        "history", "/life/", "-R", "--bucket", &bucket, "--table", &table,
    ];
    let kept = ssmbak(&world, &[&kept[..], &["--output", "json"]].concat()).await;
    assert!(column(&kept.exits(0).json(), "Operation").len() >= seen.len());
}

#[tokio::test]
async fn the_environment_alone_adopts_nothing() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let zip = function_zip();
    let create = ["stack", "own", "create", "--function-zip", &zip];
    // With the world's bucket and table in the environment.
    let created = world.ssmbak(&create).await.exits(0);
    let note = "SSMBAK_BUCKET and SSMBAK_TABLE are ignored";
    assert!(created.stderr.contains(note), "{created:?}");
    assert_ne!(places(&world, "own").await.0, world.location.bucket);
}

#[tokio::test]
async fn what_cannot_be_adopted_is_refused_before_anything_is_created() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let (bucket, table) = (&*world.location.bucket, &*world.location.table);
    for (half, missing) in [
        (["--bucket", bucket], "--table"),
        (["--table", table], "--bucket"),
    ] {
        // A variable does not make up for the other option.
        let zip = function_zip();
        let create = ["stack", "no", "create", "--function-zip", &zip];
        let refused = world.ssmbak(&[&create[..], &half].concat()).await.exits(2);
        let error = format!("error: {missing} is missing");
        assert!(refused.stderr.contains(&error), "{refused:?}");
    }
    let both = ["--bucket", bucket, "--table", table];
    for option in [
        "--encryption=own",
        "--object-lock-days=1",
        "--expire-superseded-days=1",
    ] {
        let refused = create_with(&world, "no", &[&both[..], &[option]].concat()).await;
        let refused = refused.exits(2);
        assert!(
            refused.stderr.contains("does not go with --bucket"),
            "{refused:?}"
        );
    }

    create(&world, "user").await.exits(0);
    let (used_bucket, used_table) = places(&world, "user").await;
    world
        .s3
        .create_bucket()
        .bucket("forgets")
        .send()
        .await
        .unwrap();
    other_table(&world, "other").await;
    for ((bucket, table), error) in [
        (
            (&*used_bucket, table),
            format!("the bucket {used_bucket} is used by the stack user"),
        ),
        (
            (bucket, &*used_table),
            format!("the table {used_table} is used by the stack user"),
        ),
        (
            ("forgets", table),
            "the bucket forgets keeps no versions".into(),
        ),
        (("nowhere", table), "there is no bucket nowhere".into()),
        ((bucket, "nowhere"), "there is no table nowhere".into()),
        (
            (bucket, "other"),
            "the table other is not an index of ssmbak".into(),
        ),
    ] {
        let refused = adopt(&world, "no", (bucket, table)).await.exits(1);
        assert_eq!(told(&refused)[0], format!("error: {error}"));
        assert!(told(&refused)[1].starts_with("hint: "), "{refused:?}");
    }
    let other = World::of(&ministack).await;
    other.write("/other/a", "1").await;
    let refused = adopt(&world, "no", (bucket, &other.location.table)).await;
    let indexed = &other.location.bucket;
    let error = format!("is the index of the bucket {indexed}, not of {bucket}");
    assert!(refused.exits(1).stderr.contains(&error));
    newer_format(&world).await;
    let refused = adopt(&world, "no", (bucket, table)).await.exits(1);
    assert!(refused.stderr.contains("it is of format 99"), "{refused:?}");
    let status = ssmbak(&world, &["stack", "no", "status"]).await.exits(1);
    assert!(status.stderr.contains("there is no stack no"), "{status:?}");
}

/// A table of somebody else.
async fn other_table(world: &World, table: &str) {
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    };
    let definition = AttributeDefinition::builder()
        .attribute_name("id")
        .attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder()
        .attribute_name("id")
        .key_type(KeyType::Hash);
    let create = world.dynamodb.create_table().table_name(table);
    let create = create
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(definition.build().unwrap())
        .key_schema(key.build().unwrap());
    create.send().await.unwrap();
}

/// The index is that of a program to come.
async fn newer_format(world: &World) {
    use aws_sdk_dynamodb::types::AttributeValue;
    let put = world.dynamodb.put_item().table_name(&world.location.table);
    let put = put
        .item("scope", AttributeValue::S("@meta".into()))
        .item("entry", AttributeValue::S("format".into()))
        .item("format", AttributeValue::N("99".into()));
    put.send().await.unwrap();
}

#[tokio::test]
async fn a_bucket_that_no_stack_made_is_adopted_with_a_warning() {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let location = (&*world.location.bucket, &*world.location.table);
    let adopted = adopt(&world, "bare", location).await.exits(0);
    for warning in [
        "keeps delete markers off the journal",
        "does not block public access",
        "is not protected against deletion",
    ] {
        assert!(adopted.stderr.contains(warning), "{warning} in {adopted:?}");
    }
    world.put("/bare/a", "1").await;
    captured(&world, "bare", "/bare/", &["Create"]).await;
    let rows = world.rows().await;
    let own = |row: &&Json| row["scope"] == "/bare/a";
    assert_eq!(rows.iter().filter(own).count(), 1, "{rows:?}");
}

/// Who may not see all stacks is told what nobody looked at, and goes on knowing it.
#[tokio::test]
async fn what_could_not_be_checked_of_other_stacks_is_told_loudly() {
    let ministack = Ministack::start().unwrap();
    let proxy = Proxy::start(&ministack.endpoint()).unwrap();
    let world = World::of(&ministack).await.behind(&proxy);
    let denied = ApiError::new(403, "AccessDenied", "not authorized to perform this");
    // The first look is at all stacks.
    proxy.disturb(Disturbance::answer(denied).on("cloudformation:DescribeStacks"));
    let (bucket, table) = (&*world.location.bucket, &*world.location.table);
    let both = ["--bucket", bucket, "--table", table, "--quiet"];
    let adopted = create_with(&world, "unsure", &both).await.exits(0);
    let warning = format!(
        "warning: NOT CHECKED: whether another stack works on the bucket {bucket} or the table \
         {table}. Two stacks on one history record everything twice."
    );
    assert!(told(&adopted)[0].starts_with(&warning), "{adopted:?}");
}

/// The key that the bucket is encrypted with from now on.
async fn encrypt_bucket(world: &World, key: &str) {
    use aws_sdk_s3::types::{
        ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
        ServerSideEncryptionRule,
    };
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::AwsKms)
        .kms_master_key_id(key);
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default.build().unwrap());
    let rules = ServerSideEncryptionConfiguration::builder().rules(rule.build());
    let put = world.s3.put_bucket_encryption();
    let put = put.bucket(&world.location.bucket);
    put.server_side_encryption_configuration(rules.build().unwrap())
        .send()
        .await
        .unwrap();
}

/// The key that the table is encrypted with from now on.
async fn encrypt_table(world: &World, key: &str) {
    use aws_sdk_dynamodb::types::{SseSpecification, SseType};
    let specification = SseSpecification::builder()
        .enabled(true)
        .sse_type(SseType::Kms)
        .kms_master_key_id(key);
    let update = world.dynamodb.update_table();
    let update = update.table_name(&world.location.table);
    update
        .sse_specification(specification.build())
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn the_new_stack_gets_the_key_that_bucket_and_table_have() {
    const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/0f0e0d0c-1111-2222-3333-444455556666";
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let location = (&*world.location.bucket, &*world.location.table);
    encrypt_bucket(&world, KEY).await;
    let refused = adopt(&world, "keyed", location).await.exits(1);
    let error = format!(
        "error: bucket and table are encrypted with different keys: the bucket with {KEY}, \
         the table with none of yours"
    );
    assert_eq!(told(&refused)[0], error);
    encrypt_table(&world, KEY).await;
    adopt(&world, "keyed", location).await.exits(0);
    let (parameters, _) = described(&world, "keyed").await;
    assert_eq!(parameters["EncryptionKey"], KEY);
    let deleted = delete(&world, "keyed").await.exits(0);
    let kept = format!("kept: key {KEY}");
    assert!(told(&deleted).contains(&kept.as_str()), "{deleted:?}");
}
