//! `ssmbak stack`, and the whole pipeline that it deploys.

mod adopt;
mod create;
mod delete;
mod killed;
mod two;
mod update;
mod watch;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Cursor, Read as _, Write as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use ssmbak_tests::binaries;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::{Lane, World, column, told};
use crate::world::{Answer, aws, mark, next_second, run};

/// A real event takes most of a minute.
const PATIENCE: Duration = Duration::from_mins(5);

const TEMPLATE: &str = include_str!("../../../../../infra/template.yaml");

/// The command line without bucket and table: it has to find the stack.
fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.command(arguments);
    command
        .env_remove("SSMBAK_BUCKET")
        .env_remove("SSMBAK_TABLE");
    command
}

async fn ssmbak(world: &World, arguments: &[&str]) -> Answer {
    run(command(world, arguments)).await
}

/// The command line with `input` on its standard input, which is no terminal.
async fn ssmbak_with_input(world: &World, arguments: &[&str], input: &str) -> Answer {
    feed(command(world, arguments), input).await
}

/// The command line on a terminal where `input` is typed. What it tells is all on standard output.
async fn ssmbak_on_terminal(world: &World, arguments: &[&str], input: &str) -> Answer {
    const PTY: &str = "import os, pty, sys\n\
                       sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let inner = command(world, arguments);
    let inner = inner.as_std();
    let mut command = Command::new("python3");
    command.args(["-c", PTY]).arg(inner.get_program());
    command.args(inner.get_args()).env_clear();
    let environment = inner.get_envs();
    command
        .envs(environment.filter_map(|(name, value)| Some((name, value?))))
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("TERM", "dumb");
    feed(command, input).await
}

async fn feed(mut command: Command, input: &str) -> Answer {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = child.unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    Answer {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The function's zip. What is built here may not run on Lambda: there another may be named.
fn function_zip() -> String {
    let given = std::env::var_os("SSMBAK_TEST_FUNCTION_ZIP").map(PathBuf::from);
    let zip = given.unwrap_or_else(binaries::function_zip);
    zip.to_str().unwrap().to_owned()
}

async fn create(world: &World, name: &str) -> Answer {
    create_with(world, name, &[]).await
}

pub(super) async fn create_with(world: &World, name: &str, options: &[&str]) -> Answer {
    let zip = function_zip();
    let create = ["stack", name, "create", "--function-zip", &zip];
    ssmbak(world, &[&create, options].concat()).await
}

async fn update(world: &World, name: &str, options: &[&str]) -> Answer {
    ssmbak(world, &[&["stack", name, "update"], options].concat()).await
}

async fn delete(world: &World, name: &str) -> Answer {
    ssmbak(world, &["stack", name, "delete", "--yes"]).await
}

/// What a verb that tells one thing tells.
async fn one(world: &World, stack: &str, verb: &str) -> String {
    let answer = ssmbak(world, &["stack", stack, verb]).await.exits(0);
    assert_eq!(answer.stdout.lines().count(), 1, "{answer:?}");
    answer.stdout.trim().to_owned()
}

/// The stack's status.
async fn status(world: &World, stack: &str) -> String {
    let status = ["stack", stack, "status", "--output", "json"];
    let status = ssmbak(world, &status).await.exits(0).json();
    status[0]["Status"].as_str().unwrap().to_owned()
}

/// The stack as `CloudFormation` tells it, parameters and tags.
async fn described(
    world: &World,
    stack: &str,
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let client = aws_sdk_cloudformation::Client::new(&world.config);
    let answer = client.describe_stacks().stack_name(stack).send().await;
    let answer = answer.unwrap();
    let stack = &answer.stacks()[0];
    let parameters = stack.parameters().iter();
    let parameters = parameters.map(|one| {
        let value = one.parameter_value().unwrap_or_default();
        (one.parameter_key().unwrap().into(), value.into())
    });
    let tags = stack.tags().iter();
    let tags = tags.map(|one| (one.key().unwrap().into(), one.value().unwrap().into()));
    (parameters.collect(), tags.collect())
}

/// The history under a path, found by the stack's name.
async fn history(world: &World, stack: &str, path: &str) -> Json {
    let history = ["history", path, "-R", "--stack", stack, "--output", "json"];
    ssmbak(world, &history).await.exits(0).json()
}

/// Waits until exactly these operations are on record.
async fn captured(world: &World, stack: &str, path: &str, operations: &[&str]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = history(world, stack, path).await;
        let mut told = column(&answer, "Operation");
        told.sort_unstable();
        if told == operations {
            return;
        }
        assert!(Instant::now() < deadline, "{answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The text of a template of ours without one of its resources.
fn template_without(resource: &str) -> String {
    let begin = TEMPLATE.find(&format!("\n  {resource}:\n")).unwrap() + 1;
    let rest = &TEMPLATE[begin..];
    let is_next = |(at, _): &(usize, &str)| {
        let after = rest.as_bytes().get(at + 3);
        after.is_some_and(u8::is_ascii_uppercase) || after == Some(&b'#')
    };
    let (length, _) = rest.match_indices("\n  ").find(is_next).unwrap();
    format!("{}{}", &TEMPLATE[..begin], &rest[length + 1..])
}

/// Deploys a template of one's own with our function, by hand.
async fn deploy(world: &World, stack: &str, template: &str) {
    use aws_sdk_cloudformation::types::{Capability, Parameter, StackStatus};
    let zip = function_zip();
    let bucket = format!("code-of-{stack}");
    world
        .s3
        .create_bucket()
        .bucket(&bucket)
        .send()
        .await
        .unwrap();
    let put = world.s3.put_object().bucket(&bucket).key("f.zip");
    let put = put.body(fs::read(zip).unwrap().into());
    put.send().await.unwrap();
    let parameter = |key: &str, value: &str| {
        let parameter = Parameter::builder().parameter_key(key);
        parameter.parameter_value(value).build()
    };
    let client = aws_sdk_cloudformation::Client::new(&world.config);
    let create = client
        .create_stack()
        .stack_name(stack)
        .template_body(ssmbak_infra::template::without_comments(template))
        .parameters(parameter("Architecture", own_architecture()))
        .parameters(parameter("CodeBucket", &bucket))
        .parameters(parameter("CodeKey", "f.zip"))
        .capabilities(Capability::CapabilityIam);
    create.send().await.unwrap();
    loop {
        let answer = client.describe_stacks().stack_name(stack).send().await;
        let status = answer.unwrap().stacks()[0].stack_status().cloned();
        if status != Some(StackStatus::CreateInProgress) {
            return assert_eq!(status, Some(StackStatus::CreateComplete));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn own_architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    }
}

/// A zip whose `bootstrap` is `binary`.
fn zip_of(name: &str, binary: &[u8]) -> String {
    write_zip(name, |zip| {
        zip.start_file("bootstrap", executable()).unwrap();
        zip.write_all(binary).unwrap();
    })
}

/// The function's zip with one more file in it: another zip with the same function.
fn another_zip(name: &str) -> String {
    let bytes = fs::read(function_zip()).unwrap();
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    write_zip(name, |zip| {
        let bootstrap = archive.by_name("bootstrap").unwrap();
        zip.raw_copy_file(bootstrap).unwrap();
        zip.start_file("note", executable()).unwrap();
        zip.write_all(name.as_bytes()).unwrap();
    })
}

/// A zip with a function that ends as soon as it is started.
fn dead_zip(name: &str) -> String {
    zip_of(name, &fs::read("/bin/false").unwrap())
}

/// The name that a processor which is not this machine's has, and a zip for it.
fn foreign_zip(name: &str) -> (&'static str, String) {
    let mut header = Vec::new();
    let running = File::open(std::env::current_exe().unwrap()).unwrap();
    running.take(64).read_to_end(&mut header).unwrap();
    let (foreign, machine) = match own_architecture() {
        "arm64" => ("x86_64", 0x3e),
        _ => ("arm64", 0xb7),
    };
    header[18] = machine;
    (foreign, zip_of(name, &header))
}

fn executable() -> SimpleFileOptions {
    SimpleFileOptions::default().unix_permissions(0o755)
}

/// Written under a name of its own and then renamed: another test process may be reading it.
fn write_zip(name: &str, fill: impl FnOnce(&mut ZipWriter<File>)) -> String {
    let directory = binaries::target_directory().join("function");
    fs::create_dir_all(&directory).unwrap();
    let unfinished = directory.join(format!("{name}-{}.zip", std::process::id()));
    let mut zip = ZipWriter::new(File::create(&unfinished).unwrap());
    fill(&mut zip);
    zip.finish().unwrap();
    let finished = directory.join(format!("{name}.zip"));
    fs::rename(&unfinished, &finished).unwrap();
    finished.to_str().unwrap().to_owned()
}
