//! What is wrong is told in one clear message with a way out and the
//! documented exit code.

use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::Proxy;
use tokio::process::Command;

use super::world::{Answer, Lane, World, bare_command, mark, run};

/// What a message to a person never holds.
const RUBBISH: [&str; 14] = [
    "panicked",
    "stack backtrace",
    "RUST_BACKTRACE",
    "SdkError",
    "ServiceError",
    "DispatchFailure",
    "ConstructionFailure",
    "Unhandled",
    "ConnectorError",
    "Some(",
    "{ ",
    "StoreError",
    "Exception {",
    "unhandled error",
];

fn is_clear(answer: &Answer) {
    for rubbish in RUBBISH {
        assert!(!answer.stderr.contains(rubbish), "{rubbish}: {answer:?}");
    }
}

/// One error, a hint, nothing on standard output.
fn is_one_error(answer: &Answer, code: i32, says: &str) {
    is_clear(answer);
    assert_eq!(answer.code, code, "{answer:?}");
    assert_eq!(answer.stdout, "");
    let lines = |start: &str| {
        answer
            .stderr
            .lines()
            .filter(|l| l.starts_with(start))
            .count()
    };
    assert_eq!(lines("error: "), 1, "{answer:?}");
    assert_eq!(lines("hint: "), 1, "{answer:?}");
    assert!(answer.stderr.contains(says), "{says}: {answer:?}");
}

/// Something is told of `name`, and the rest is done.
fn is_partly(answer: &Answer, name: &str, says: &str) {
    is_clear(answer);
    assert_eq!(answer.code, 3, "{answer:?}");
    let warning = format!("warning: {name}: ");
    let warnings = answer.stderr.lines().filter(|l| l.starts_with(&warning));
    let warnings: Vec<&str> = warnings.collect();
    assert_eq!(warnings.len(), 1, "{answer:?}");
    assert!(warnings[0].contains(says), "{says}: {warnings:?}");
    assert!(answer.stderr.contains("hint: "), "{answer:?}");
}

#[tokio::test]
async fn times_that_are_none_are_usage_errors() {
    let world = World::on(Lane::Ministack).await;
    for (time, says) in [
        ("yesterday-ish", "is not a time"),
        ("2024-13-01", "is not a time"),
        ("2024-06-15T25:00:00", "is not a time"),
        ("", "is not a time"),
        ("2h", "is a duration"),
        ("2999-01-01T00:00:00", "is in the future"),
    ] {
        for command in ["preview", "restore", "show"] {
            let answer = world.ssmbak(&[command, "/app", time]).await;
            is_one_error(&answer, 2, says);
        }
    }
    let answer = world.ssmbak(&["history", "/app", "--since", "soon"]).await;
    is_one_error(&answer, 2, "is not a time");
}

#[tokio::test]
async fn paths_that_are_none_are_usage_errors() {
    let world = World::on(Lane::Ministack).await;
    for (path, says) in [
        ("a/b", "no leading '/'"),
        ("a/b/", "no leading '/'"),
        ("", "empty"),
        ("//", "empty level"),
        ("/a//b", "empty level"),
        ("/a b", "the character ' '"),
    ] {
        for arguments in [["preview", path, "now"], ["restore", path, "now"]] {
            let answer = world.ssmbak(&arguments).await;
            is_one_error(&answer, 2, says);
        }
        is_one_error(&world.ssmbak(&["history", path]).await, 2, says);
        is_one_error(&world.ssmbak(&["seed", path]).await, 2, says);
    }
    is_one_error(
        &world.ssmbak(&["seed", "/a"]).await,
        2,
        "a path ends in '/'",
    );
}

#[tokio::test]
async fn without_region_credentials_or_an_answer_nothing_hangs() {
    let world = World::emulated(Lane::Ministack, "an endpoint to miss").await;
    let preview = ["preview", "/app/", "now"];
    let bare = |more: &[(&str, &str)]| -> Command {
        let mut command = bare_command(&preview);
        command
            .env("HOME", "/nonexistent")
            .env("SSMBAK_BUCKET", &world.location.bucket)
            .env("SSMBAK_TABLE", &world.location.table)
            .envs(more.iter().copied());
        command
    };
    let endpoint = ("AWS_ENDPOINT_URL", &*world.endpoint);
    let (region, id) = (("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "test"));
    let secret = ("AWS_SECRET_ACCESS_KEY", "test");
    let answer = run(bare(&[endpoint, id, secret])).await;
    is_one_error(&answer, 1, "no AWS region is set");
    let answer = run(bare(&[endpoint, region])).await;
    is_one_error(&answer, 1, "credentials");
    let nobody = ("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let answer = run(bare(&[nobody, region, id, secret])).await;
    is_one_error(&answer, 1, "hint: check the network");
    let mut profile = bare(&[endpoint, region]);
    profile.args(["--profile", "none-such"]);
    is_one_error(&run(profile).await, 1, "there is no profile none-such");
}

#[tokio::test]
async fn an_unknown_stack_is_told_with_the_way_to_one() {
    let world = World::on(Lane::Ministack).await;
    for command in ["preview /app/ now", "history /app/", "seed", "show /app"] {
        let mut words: Vec<&str> = command.split(' ').collect();
        words.extend(["--stack", "none-such"]);
        let mut command = world.command(&words);
        command
            .env_remove("SSMBAK_BUCKET")
            .env_remove("SSMBAK_TABLE");
        is_one_error(&run(command).await, 1, "there is no stack none-such");
    }
    let status = world.ssmbak(&["stack", "none-such", "status"]).await;
    is_one_error(&status, 1, "there is no stack none-such");
    let name = world.ssmbak(&["stack", "1!", "status"]).await;
    is_one_error(&name, 2, "1!");
}

/// Every command that needs the stores.
const COMMANDS: [&str; 6] = [
    "preview / now -R",
    "restore / now -R --yes",
    "history / -R",
    "show /app",
    "seed",
    "seed --do-it",
];

async fn each(world: &World, more: &[&str], code: i32, says: &str, commands: &[&str]) {
    for command in commands {
        let mut words: Vec<&str> = command.split(' ').collect();
        words.extend(more);
        is_one_error(&world.ssmbak(&words).await, code, says);
    }
}

#[tokio::test]
async fn a_missing_bucket_or_table_is_told_by_its_name() {
    let world = World::emulated(Lane::Ministack, "names at the root").await;
    world.put("/app", "x").await;
    let own = world.location.clone();
    let table = ["--bucket", &own.bucket, "--table", "none-such-table"];
    each(&world, &table, 1, "none-such-table", &COMMANDS).await;
    world.put("/seen", "then").await;
    world
        .tell("/seen", "Create", world.written("/seen").await)
        .await;
    let at = mark().await.to_string();
    world.put("/seen", "now").await;
    let bucket = ["--table", &own.table, "--bucket", "none-such-bucket"];
    let commands = ["seed --do-it", &format!("restore /seen {at}")];
    each(&world, &bucket, 1, "none-such-bucket", &commands).await;
    assert_eq!(world.version("/seen").await, 2);
}

#[tokio::test]
async fn a_bucket_and_a_table_of_two_places_are_refused_before_anything_is_asked() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let world = world.behind(&proxy);
    let table = ["--table", &world.location.table.clone()];
    let told = "the bucket is set by SSMBAK_BUCKET and the table by --table";
    proxy.reset_calls();
    each(&world, &table, 2, told, &COMMANDS).await;
    assert_eq!(proxy.total(), 0);
}

#[tokio::test]
async fn a_table_of_another_format_is_left_alone() {
    use aws_sdk_dynamodb::types::AttributeValue::{N, S};
    let world = World::emulated(Lane::Ministack, "names at the root").await;
    let put = world.dynamodb.put_item().table_name(&world.location.table);
    let put = put
        .item("scope", S("@meta".into()))
        .item("entry", S("format".into()));
    put.item("format", N("999".into())).send().await.unwrap();
    world.put("/app", "x").await;
    let before = world.rows().await;
    each(&world, &[], 1, "format 999", &COMMANDS).await;
    assert_eq!(world.rows().await, before);
}

#[tokio::test]
async fn a_table_that_is_no_index_is_told_as_such() {
    use aws_sdk_dynamodb::types as t;
    let world = World::emulated(Lane::Ministack, "a table to throw away").await;
    let table = &format!("other-{}", world.location.table);
    let key = t::KeySchemaElement::builder().attribute_name("id");
    let key = key.key_type(t::KeyType::Hash).build().unwrap();
    let attribute = t::AttributeDefinition::builder().attribute_name("id");
    let attribute = attribute.attribute_type(t::ScalarAttributeType::S);
    let create = world.dynamodb.create_table().table_name(table);
    let create = create
        .key_schema(key)
        .attribute_definitions(attribute.build().unwrap());
    let create = create.billing_mode(t::BillingMode::PayPerRequest);
    create.send().await.unwrap();
    let both = ["--bucket", &world.location.bucket, "--table", table];
    each(&world, &both, 1, table, &COMMANDS).await;
}

#[tokio::test]
async fn a_denied_key_is_told_and_hides_nothing_else() {
    let world = World::emulated(Lane::Ministack, "keys that can be denied").await;
    let key = format!("alias/denied-{}", world.account);
    let path = "/keys/";
    let (plain, secret) = ("/keys/plain", "/keys/secret");
    let seed = ["seed", path, "--do-it"];
    world.put(plain, "then").await;
    world.put_secret(secret, "then", &key).await;
    world.ssmbak(&seed).await.exits(0);
    let at = mark().await.to_string();
    world.put(plain, "now").await;
    world.put_secret(secret, "now", &key).await;
    let control = world.control();
    control.deny_key(&key, true).await.unwrap();
    let denied = "AccessDenied";
    is_partly(&world.ssmbak(&["preview", path, &at]).await, secret, denied);
    is_partly(&world.ssmbak(&seed).await, secret, denied);
    let shown = world.ssmbak(&["show", secret, "--reveal"]).await;
    is_one_error(&shown, 1, denied);
    is_partly(&world.ssmbak(&["restore", path, &at]).await, secret, denied);
    assert_eq!(world.live(plain).await.as_deref(), Some("then"));
    let one = world.ssmbak(&["restore", secret, &at]).await;
    is_clear(&one);
    assert_eq!(one.code, 1, "{one:?}");
    assert!(one.stderr.contains("hint: "), "{one:?}");
    control.deny_key(&key, false).await.unwrap();
    assert_eq!(world.version(secret).await, 2);
}
