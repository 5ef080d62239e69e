//! `ssmbak-stack` and `ssmbak-all`, as somebody who knows the original runs them.

use std::fs;
use std::os::unix::fs::symlink;

use ssmbak_tests::binaries;
use ssmbak_tests::emulator::{Ministack, REGION};
use tokio::process::Command;

use super::{Lane, World, column, told};
use crate::world::{Answer, aws, run};

/// One of the original's programs with this world's environment.
fn program(world: &World, name: &str, arguments: &[&str]) -> Command {
    let like = world.command(&[]);
    let mut command = Command::new(binaries::alias(name));
    let environment = like.as_std().get_envs();
    let environment = environment.filter_map(|(name, value)| Some((name, value?)));
    command.env_clear().envs(environment).args(arguments);
    command
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    command
}

async fn all(world: &World, arguments: &[&str]) -> Answer {
    run(program(world, "ssmbak-all", arguments)).await
}

/// `ssmbak-stack` finds nothing in its environment but the account.
async fn stack(world: &World, arguments: &[&str]) -> Answer {
    let mut command = program(world, "ssmbak-stack", arguments);
    command
        .env_remove("SSMBAK_BUCKET")
        .env_remove("SSMBAK_TABLE")
        .env_remove("AWS_REGION");
    run(command).await
}

/// Five parameters, four of which begin with `this` or `that`.
async fn five_names(world: &World) -> [String; 5] {
    let names = ["this", "this/a", "this-too", "that/deep/b", "other"];
    let names = names.map(|name| world.own(&format!("/{name}")));
    for name in &names {
        world.put(name, "one").await;
    }
    world.put(&names[1], "two").await;
    names
}

/// How many changes of a name are on record.
async fn recorded(world: &World, name: &str) -> usize {
    let history = ["history", name, "--output", "json"];
    let answer = world.ssmbak(&history).await;
    // Nothing is known of it.
    if answer.code == 4 {
        return 0;
    }
    answer.exits(0).json().as_array().unwrap().len()
}

#[tokio::test]
async fn ssmbak_all_lists_what_begins_with_its_prefixes_and_captures_nothing() {
    let world = World::on(Lane::Ministack).await;
    let names = five_names(&world).await;
    let (this, that) = (&world.own("/this"), &world.own("/that"));
    let answer = all(&world, &["-p", this, that]).await.exits(0);
    let closing = "\nThat's what would have been backed-up. --do-it to actually perform.\n";
    assert!(answer.stdout.ends_with(closing), "{answer:?}");
    for name in &names[..4] {
        let listed = answer
            .stdout
            .lines()
            .filter(|line| cells(line).contains(&name.as_str()));
        assert_eq!(listed.count(), 1, "{name}: {answer:?}");
    }
    assert!(!answer.stdout.contains(&names[4]), "{answer:?}");
    assert!(world.rows().await.is_empty());
}

fn cells(line: &str) -> Vec<&str> {
    line.split(['│', '┆', '|']).map(str::trim).collect()
}

#[tokio::test]
async fn ssmbak_all_backs_up_what_begins_with_its_prefixes_and_changes_no_parameter() {
    let world = World::on(Lane::Ministack).await;
    let names = five_names(&world).await;
    let mut before = Vec::new();
    for name in &names {
        before.push((world.version(name).await, world.written(name).await));
    }
    let (this, that) = (&world.own("/this"), &world.own("/that"));
    let answer = all(&world, &["--do-it", "-p", this, "-p", that]).await;
    let answer = answer.exits(0);
    assert!(
        answer.stdout.ends_with("\nAbove was backed-up.\n"),
        "{answer:?}"
    );
    for (name, versions) in names.iter().zip([1, 2, 1, 1, 0]) {
        assert_eq!(recorded(&world, name).await, versions, "{name}");
    }
    for (name, before) in names.iter().zip(before) {
        let now = (world.version(name).await, world.written(name).await);
        assert_eq!(now, before, "{name}");
    }
    let shown = world.ssmbak(&["show", &names[3]]).await.exits(0);
    assert_eq!(shown.stdout, "one");
    let again = all(&world, &["-p", this, that, "--do-it"]).await.exits(0);
    assert_eq!(recorded(&world, &names[1]).await, 2);
    assert!(!again.stdout.contains(this.as_str()), "{again:?}");
}

#[tokio::test]
async fn ssmbak_all_does_not_say_backed_up_where_nothing_was() {
    let world = World::on(Lane::Ministack).await;
    let names = five_names(&world).await;
    // One that is named beside the table of the environment may be of another stack.
    let mixed = all(&world, &["--do-it", "-b", "ssmbak-test-nowhere"]).await;
    mixed.exits(2);
    // A bucket that is not there takes no value.
    let mut command = program(&world, "ssmbak-all", &["--do-it"]);
    command.env("SSMBAK_BUCKET", "ssmbak-test-nowhere");
    let answer = run(command).await;
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(!answer.stdout.contains("backed-up"), "{answer:?}");
    assert!(
        told(&answer)[0].contains("ssmbak-test-nowhere"),
        "{answer:?}"
    );
    assert_eq!(recorded(&world, &names[0]).await, 0);
}

#[tokio::test]
async fn what_ssmbak_all_cannot_read_is_told_and_the_rest_is_backed_up() {
    let world = World::emulated(Lane::Ministack, "keys that can be denied").await;
    let key = format!("alias/denied-{}", world.account);
    let [plain, secret, beside] = ["/deny/plain", "/deny/secret", "/deny2"];
    world.put(plain, "kept").await;
    world.put_secret(secret, "hidden", &key).await;
    world.put_secret(beside, "hidden", &key).await;
    let control = world.control();
    control.deny_key(&key, true).await.unwrap();
    let answer = all(&world, &["--do-it", "-p", "/deny"]).await.exits(3);
    for name in [secret, beside] {
        let warning = format!("warning: {name}: ");
        let warned = told(&answer)
            .into_iter()
            .find(|line| line.starts_with(&warning));
        assert!(warned.unwrap().contains("AccessDenied"), "{answer:?}");
    }
    assert!(!answer.stdout.contains("backed-up"), "{answer:?}");
    for (name, changes) in [(plain, 1), (secret, 0), (beside, 0)] {
        assert_eq!(recorded(&world, name).await, changes, "{name}");
    }
    control.deny_key(&key, false).await.unwrap();
    let again = all(&world, &["--do-it", "-p", "/deny"]).await.exits(0);
    assert!(
        again.stdout.ends_with("\nAbove was backed-up.\n"),
        "{again:?}"
    );
    assert_eq!(recorded(&world, beside).await, 1);
}

#[tokio::test]
async fn wrong_arguments_of_ssmbak_all_are_usage_errors() {
    let world = World::on(Lane::Ministack).await;
    for arguments in [&["/this"][..], &["-p"], &["-p", "a/b"], &["--nonsense"]] {
        let answer = all(&world, arguments).await.exits(2);
        assert!(
            answer.stdout.is_empty() && answer.stderr.contains("error: "),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn ssmbak_stack_creates_a_stack_and_ends_as_the_original_does() {
    aws::note_emulated("a stack of its own beside the journey's");
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let zip = binaries::function_zip();
    let create = ["-r", REGION, "old", "create", "--function-zip"];
    let create = [&create[..], &[zip.to_str().unwrap()]].concat();
    let created = stack(&world, &create).await.exits(0);
    let one = async |verb: &str| {
        let answer = stack(&world, &["old", verb, "-r", REGION]).await.exits(0);
        assert_eq!(answer.stdout.lines().count(), 1, "{answer:?}");
        answer.stdout.trim_end().to_owned()
    };
    let (function, bucket) = (one("lambdaname").await, one("bucketname").await);
    assert_eq!(function, "old-capture");
    let closing = format!(
        "\nLambda: {function}\nBucket: {bucket}\nCloudwatch log group: /aws/lambda/{function}\n\n\
         ssmbak-all will back up all ssm params if provided --do-it, list if not\n\n"
    );
    assert!(created.stdout.ends_with(&closing), "{created:?}");
    assert!(created.stdout.contains("CREATE_COMPLETE"), "{created:?}");
    assert_eq!(one("status").await, "CREATE_COMPLETE");
    assert_eq!(one("region").await, REGION);
    let twice = stack(&world, &create).await.exits(1);
    assert!(!twice.stdout.contains("Lambda:"), "{twice:?}");

    // The original's programs know one stack, whatever it is called.
    let name = &world.own("/old");
    world.put(name, "kept").await;
    let mut found = program(&world, "ssmbak-all", &["--do-it", "-r", REGION]);
    found
        .env_remove("SSMBAK_BUCKET")
        .env_remove("SSMBAK_TABLE")
        .env_remove("AWS_REGION");
    let found = run(found).await.exits(0);
    assert!(
        found.stdout.ends_with("\nAbove was backed-up.\n"),
        "{found:?}"
    );
    assert!(told(&found).contains(&"the stack is old"), "{found:?}");
    let mut history = world.command(&["history", name, "--stack", "old", "--output", "json"]);
    history
        .env_remove("SSMBAK_BUCKET")
        .env_remove("SSMBAK_TABLE");
    let history = run(history).await.exits(0).json();
    assert_eq!(column(&history, "Operation"), ["Create"]);

    let deleted = stack(&world, &["old", "delete", "--yes", "-r", REGION])
        .await
        .exits(0);
    assert!(
        deleted.stderr.contains(&format!("kept: bucket {bucket}")),
        "{deleted:?}"
    );
}

#[tokio::test]
async fn what_ssmbak_stack_does_not_know_is_not_a_command() {
    let world = World::on(Lane::Ministack).await;
    let answer = stack(&world, &["old", "explode", "-r", REGION])
        .await
        .exits(2);
    assert_eq!(answer.stdout, "Not a command.\n");
    assert!(told(&answer)[0].starts_with("hint: "), "{answer:?}");
    let answer = stack(&world, &["old"]).await.exits(2);
    assert_eq!(answer.stdout, "");
}

#[tokio::test]
async fn a_program_of_the_original_starts_the_ssmbak_beside_it() {
    let world = World::on(Lane::Ministack).await;
    let directory = tempfile::tempdir().unwrap();
    let start = async |file: &str| {
        let mut command = Command::new(directory.path().join(file));
        command.env_clear().arg("--help");
        run(command).await
    };
    // A link to where both lie, as a package manager puts it into a PATH.
    let there = binaries::alias("ssmbak-all");
    symlink(&there, directory.path().join("linked")).unwrap();
    let answer = start("linked").await.exits(0);
    assert!(answer.stdout.contains("--do-it"), "{answer:?}");
    // The program itself under its other name needs no helper.
    symlink(binaries::ssmbak(), directory.path().join("ssmbak-all")).unwrap();
    assert_eq!(start("ssmbak-all").await.exits(0).stdout, answer.stdout);
    // Alone it can only say so.
    fs::copy(
        binaries::alias("ssmbak-stack"),
        directory.path().join("ssmbak-stack"),
    )
    .unwrap();
    let alone = start("ssmbak-stack").await.exits(1);
    assert!(
        told(&alone)[0].starts_with("error: cannot start "),
        "{alone:?}"
    );
    let hint = "hint: ssmbak-stack is another name of ssmbak, which must lie in the same directory";
    assert_eq!(told(&alone)[1], hint);
    drop(world);
}
