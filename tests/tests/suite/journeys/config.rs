//! `ssmbak config`, contexts, credentials from everywhere, and `--debug`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value as Json, json};
use ssmbak_tests::emulator::{Ministack, REGION};
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy};
use tokio::process::Command;

use crate::world::{Answer, Lane, World, bare_command, mark, run};

/// A home of a test's own, with its AWS configuration and its contexts.
struct Home(tempfile::TempDir);

impl Home {
    fn new(aws_config: &str, contexts: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write(".aws/config", aws_config);
        if !contexts.is_empty() {
            home.write(".config/ssmbak/config.toml", contexts);
        }
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// A program that prints `text` and ends with `code`.
    fn program(&self, name: &str, text: &str, code: u8) -> String {
        let text = text.replace('\'', "");
        self.script(
            name,
            &format!("echo '{text}'\necho hush >&2\nexit {code}\n"),
        )
    }

    /// A program of the shell.
    fn script(&self, name: &str, text: &str) -> String {
        let path = self.write(name, &format!("#!/bin/sh\n{text}"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The command line at this home, with nothing else in its environment.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = bare_command(words);
        command.env("HOME", self.path());
        command
    }
}

fn rows(answer: &Answer) -> Vec<(String, Json, String)> {
    let rows = answer.json();
    let text = |row: &Json, key: &str| row[key].as_str().unwrap().to_owned();
    let row = |row: &Json| {
        (
            text(row, "Setting"),
            row["Value"].clone(),
            text(row, "Source"),
        )
    };
    rows.as_array().unwrap().iter().map(row).collect()
}

fn row<'a>(rows: &'a [(String, Json, String)], setting: &str) -> (&'a Json, &'a str) {
    let found = rows.iter().find(|(name, ..)| name == setting);
    let (_, value, source) = found.unwrap_or_else(|| panic!("{setting}: {rows:?}"));
    (value, source)
}

const PROD: &str = "default-context = \"prod\"\n[contexts.prod]\nprofile = \"prod\"\n\
                    stack = \"backups\"\noutput = \"json\"\n[contexts.test]\n";

#[tokio::test]
async fn each_setting_is_shown_with_who_set_it_and_no_secret() {
    let home = Home::new(
        "[profile prod]\nregion = eu-central-1\naws_access_key_id = AKIAHUSH\n\
         aws_secret_access_key = hush\n",
        PROD,
    );
    let mut command = home.command(&["config", "--table", "mine"]);
    // Nobody listens there: nothing may be asked.
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let answer = run(command).await.exits(0);
    assert_eq!(answer.stderr, "");
    assert!(!answer.stdout.contains("HUSH") && !answer.stdout.contains("hush"));
    let rows = rows(&answer);
    let file = home.path().join(".config/ssmbak/config.toml");
    let context = format!("context prod ({})", file.display());
    for (setting, value, source) in [
        ("config-file", json!(file), "default"),
        ("context", json!("prod"), &file.display().to_string()),
        ("profile", json!("prod"), &context),
        ("region", json!("eu-central-1"), "profile prod"),
        (
            "endpoint-url",
            json!("http://127.0.0.1:9"),
            "AWS_ENDPOINT_URL",
        ),
        (
            "credentials",
            json!("keys in the AWS files"),
            "profile prod",
        ),
        ("stack", json!("backups"), &context),
        ("bucket", Json::Null, "looked up by stack (not asked)"),
        ("table", json!("mine"), "--table"),
        ("output", json!("json"), &context),
        ("colour", json!("on a terminal"), "default"),
        ("account", Json::Null, "not set"),
    ] {
        assert_eq!(row(&rows, setting), (&value, source), "{setting}");
    }
    let bare = [
        "config",
        "--context",
        "test",
        "--output",
        "json",
        "--region",
        "x",
    ];
    let answer = run(home.command(&bare)).await.exits(0);
    let rows = super::config::rows(&answer);
    assert_eq!(row(&rows, "region"), (&json!("x"), "--region"));
    assert_eq!(row(&rows, "stack"), (&json!("ssmbak"), "default"));
}

#[tokio::test]
async fn a_check_asks_who_calls_and_where_the_records_are() {
    let world = World::emulated(Lane::Ministack, "an account of digits").await;
    let check = ["config", "--check", "--output", "json"];
    let answer = world.ssmbak(&check).await.exits(0);
    let rows = rows(&answer);
    assert_eq!(row(&rows, "caller-account"), (&json!(world.account), "AWS"));
    assert!(
        row(&rows, "caller-arn")
            .0
            .as_str()
            .unwrap()
            .starts_with("arn:aws")
    );
    assert_eq!(
        row(&rows, "found-bucket"),
        (&json!(world.location.bucket), "AWS")
    );
    assert_eq!(
        row(&rows, "found-table"),
        (&json!(world.location.table), "AWS")
    );
    let mut lost = world.command(&["config", "--check", "--stack", "none-such"]);
    lost.env("SSMBAK_STACK", "another");
    let lost = run(lost).await.exits(1);
    // Those of the environment are not those of the stack that is named.
    assert!(
        lost.stderr.contains(
            "warning: not used: SSMBAK_BUCKET and SSMBAK_TABLE, since --stack names the stack \
             none-such"
        ),
        "{lost:?}"
    );
    assert!(
        lost.stdout.contains("none-such"),
        "what is set is shown: {lost:?}"
    );
    assert!(
        lost.stderr.contains("there is no stack none-such"),
        "{lost:?}"
    );
    assert!(lost.stderr.contains("hint: "), "{lost:?}");
}

#[tokio::test]
async fn another_account_than_the_contexts_is_never_touched() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "accounts and the proxy").await;
    let world = world.behind(&proxy);
    let contexts = format!(
        "[contexts.right]\naccount = \"{}\"\n[contexts.wrong]\naccount = \"999999999999\"\n",
        world.account
    );
    let home = Home::new("", &contexts);
    let history = async |context| {
        let mut command = world.command(&["history", "/app/", "--context", context]);
        command.env("HOME", home.path());
        proxy.reset_calls();
        run(command).await
    };
    history("right").await.exits(0);
    assert!(proxy.count("sts:GetCallerIdentity") == 1 && proxy.total() > 1);
    let refused = history("wrong").await.exits(1);
    assert_eq!(
        (proxy.total(), proxy.count("sts:GetCallerIdentity")),
        (1, 1)
    );
    for part in [world.account.as_str(), "999999999999", "wrong", "hint: "] {
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
    let unknown = history("rihgt").await.exits(2);
    assert_eq!(proxy.total(), 0);
    assert!(unknown.stderr.contains("right, wrong"), "{unknown:?}");
}

#[tokio::test]
async fn keys_of_the_environment_come_before_a_contexts_profile_and_after_a_named_one() {
    let world = World::emulated(Lane::Ministack, "accounts of digits").await;
    let home = Home::new(
        "[profile other]\naws_access_key_id = 888888888888\naws_secret_access_key = x\n",
        "[contexts.there]\nprofile = \"other\"\n",
    );
    let caller = async |more: &[&str], keys: bool| {
        let words = [&["config", "--check", "--output", "json"][..], more].concat();
        let mut command = world.command(&words);
        command.env("HOME", home.path());
        if !keys {
            command.env_remove("AWS_ACCESS_KEY_ID");
            command.env_remove("AWS_SECRET_ACCESS_KEY");
        }
        let answer = run(command).await.exits(0);
        let account = row(&rows(&answer), "caller-account").0.clone();
        (account, answer.stderr)
    };
    let (account, told) = caller(&["--context", "there"], true).await;
    assert_eq!(account, json!(world.account));
    assert!(
        told.contains("warning: ") && told.contains("AWS_ACCESS_KEY_ID"),
        "{told}"
    );
    assert!(told.contains("profile other of context there"), "{told}");
    for (more, keys) in [
        (&["--context", "there"][..], false),
        (&["--context", "there", "--profile", "other"], true),
    ] {
        let (account, told) = caller(more, keys).await;
        assert_eq!(
            (account, told.as_str()),
            (json!("888888888888"), ""),
            "{more:?}"
        );
    }
}

#[tokio::test]
async fn a_file_that_makes_no_sense_is_refused_but_for_completions() {
    let home = Home::new("", "[contexts.a]\nregoin = \"x\"\n");
    let file = home.path().join(".config/ssmbak/config.toml");
    let refused = run(home.command(&["history", "/app"])).await.exits(2);
    let told = format!("error: {}: line 2: regoin: ", file.display());
    assert!(refused.stderr.starts_with(&told), "{refused:?}");
    run(home.command(&["completions", "bash"])).await.exits(0);
    let mut named = Home::new("", "").command(&["config"]);
    named.env("SSMBAK_CONFIG", "/none/such.toml");
    let named = run(named).await.exits(2);
    assert!(
        named
            .stderr
            .contains("/none/such.toml: there is no such file"),
        "{named:?}"
    );
}

/// Everything that gives credentials, over one bucket and table.
struct Sources {
    world: World,
    home: Home,
    proxy: Proxy,
}

impl Sources {
    async fn new() -> Self {
        let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
        let world = World::emulated(Lane::Ministack, "accounts and the proxy").await;
        let home = Home::new("", "");
        let keys = json!({
            "Version": 1, "AccessKeyId": world.account, "SecretAccessKey": "hush-key"
        });
        let works = home.program("works", &keys.to_string(), 0);
        let fails = home.program("fails", "hush-output", 3);
        let garbage = home.program("garbage", "hush-garbage", 0);
        // It speaks as the SDK does of a profile.
        let talks = home.script(
            "talks",
            "echo 'no credential source for profile p (token hush)' >&2\nexit 3\n",
        );
        let account = &world.account;
        let config = format!(
            "[profile works]\ncredential_process = {works}\n\
             [profile fails]\ncredential_process = {fails}\n\
             [profile garbage]\ncredential_process = {garbage}\n\
             [profile gone]\ncredential_process = /none/such\n\
             [profile talks]\ncredential_process = {talks}\n\
             [profile keys]\naws_access_key_id = {account}\naws_secret_access_key = hush-key\n\
             [profile role]\nrole_arn = arn:aws:iam::{account}:role/r\nsource_profile = keys\n\
             [profile mfa]\nrole_arn = arn:aws:iam::{account}:role/r\nsource_profile = keys\n\
             mfa_serial = arn:aws:iam::{account}:mfa/u\n\
             [profile orphan]\nrole_arn = arn:aws:iam::{account}:role/r\nsource_profile = none\n\
             [profile sso]\nsso_session = s\nsso_account_id = {account}\nsso_role_name = r\n\
             [sso-session s]\nsso_region = {REGION}\nsso_start_url = https://x.awsapps.com/start\n"
        );
        home.write(".aws/config", &config);
        Self { world, home, proxy }
    }

    async fn history(&self, profile: &str) -> Answer {
        self.ssmbak(&["history", "/app/", "--profile", profile, "--debug"])
            .await
    }

    async fn ssmbak(&self, words: &[&str]) -> Answer {
        let mut command = self.home.command(words);
        command
            .env("AWS_ENDPOINT_URL", self.proxy.endpoint())
            .env("AWS_REGION", REGION)
            .env("SSMBAK_BUCKET", &self.world.location.bucket)
            .env("SSMBAK_TABLE", &self.world.location.table);
        let answer = run(command).await;
        assert!(!format!("{answer:?}").contains("hush"), "{answer:?}");
        answer
    }

    /// Refuses every call of `operation`.
    fn deny(&self, operation: &str) {
        self.proxy.reset();
        let error = ApiError::new(403, "AccessDenied", "Access Denied");
        self.proxy.disturb(Disturbance::answer(error).on(operation));
    }
}

#[tokio::test]
async fn credentials_come_from_processes_roles_and_files() {
    let sources = Sources::new().await;
    for profile in ["works", "keys", "role"] {
        sources.history(profile).await.exits(0);
    }
    assert_eq!(sources.proxy.count("sts:AssumeRole"), 1);
    let mfa = sources.history("mfa").await;
    assert!(
        mfa.stderr.contains("warning: profile mfa has mfa_serial"),
        "{mfa:?}"
    );
}

#[tokio::test]
async fn each_way_to_have_no_credentials_is_told_with_its_way_out() {
    let sources = Sources::new().await;
    let process = "the credential_process of the profile gave no credentials";
    for (profile, told, hint) in [
        ("fails", process, "run the command"),
        ("garbage", process, "run the command"),
        ("gone", process, "run the command"),
        ("talks", process, "run the command"),
        (
            "orphan",
            "could not find source profile none",
            "aws configure list-profiles",
        ),
        (
            "sso",
            "there is no single sign-on session",
            "aws sso login --profile sso",
        ),
        (
            "none-such",
            "there is no profile none-such in ",
            "the profiles there are: fails, ",
        ),
    ] {
        let answer = sources.history(profile).await.exits(1);
        assert!(answer.stderr.contains(told), "{profile}: {answer:?}");
        assert!(answer.stderr.contains(hint), "{profile}: {answer:?}");
    }
    // The SHA-1 of the session's name, as every tool of AWS names it.
    let token = json!({
        "accessToken": "hush-token", "expiresAt": "2020-01-01T00:00:00Z",
        "region": REGION, "startUrl": "https://x.awsapps.com/start"
    });
    let cache = ".aws/sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json";
    sources.home.write(cache, &token.to_string());
    let expired = sources.history("sso").await.exits(1);
    assert!(
        expired
            .stderr
            .contains("the single sign-on session has expired"),
        "{expired:?}"
    );
    assert!(
        expired
            .stderr
            .contains("hint: sign in: aws sso login --profile sso")
    );

    let refuse = |operation, status, code, message| {
        let error = ApiError::new(status, code, message);
        sources.proxy.reset();
        sources
            .proxy
            .disturb(Disturbance::answer(error).on(operation));
    };
    refuse(
        "sts:AssumeRole",
        403,
        "AccessDenied",
        "is not authorized to perform: sts:AssumeRole",
    );
    let denied = sources.history("role").await.exits(1);
    assert!(
        denied
            .stderr
            .contains("the role of the profile cannot be assumed"),
        "{denied:?}"
    );
    refuse(
        "dynamodb:GetItem",
        400,
        "ExpiredTokenException",
        "The token is expired",
    );
    let expired = sources.history("keys").await.exits(1);
    assert!(
        expired
            .stderr
            .contains("the temporary credentials have expired"),
        "{expired:?}"
    );
    refuse("dynamodb:GetItem", 400, "AccessDeniedException", "no");
    let denied = sources.history("keys").await.exits(1);
    assert!(
        denied.stderr.contains("need dynamodb:GetItem: attach"),
        "{denied:?}"
    );
}

#[tokio::test]
async fn a_hint_names_the_profile_of_the_end_that_it_is_about() {
    let sources = Sources::new().await;
    for (profile, to_profile) in [("keys", "sso"), ("sso", "keys")] {
        let words = ["copy", "/app/", "-R", "--to-region", "eu-west-1", "--yes"];
        let profiles = ["--profile", profile, "--to-profile", to_profile];
        let answer = sources.ssmbak(&[&words[..], &profiles].concat()).await;
        let hint = "hint: sign in: aws sso login --profile sso\n";
        assert!(answer.exits(1).stderr.contains(hint), "{profile}");
    }
}

#[tokio::test]
async fn a_hint_names_the_stack_that_was_asked_about() {
    let sources = Sources::new().await;
    sources.deny("cloudformation:DescribeStacks");
    let words = ["stack", "prod", "status", "--profile", "keys"];
    let denied = sources.ssmbak(&words).await;
    let hint = "`ssmbak stack prod policy auditor`";
    assert!(denied.stderr.contains(hint), "{denied:?}");
}

#[tokio::test]
async fn a_denied_value_is_told_with_its_right_and_the_way_without() {
    let sources = Sources::new().await;
    let name = sources.world.own("/app/db");
    sources.world.write(&name, "one").await;
    sources.world.write(&name, "two").await;
    sources.deny("s3:GetObject");
    let words = ["history", &name, "--values", "--profile", "keys"];
    let denied = sources.ssmbak(&words).await.exits(1);
    for part in [
        "your credentials need s3:GetObjectVersion: attach",
        "policy restorer`",
        "without --values no value is read",
    ] {
        assert!(denied.stderr.contains(part), "{part}: {denied:?}");
    }
}

#[tokio::test]
async fn debug_tells_each_call_and_no_value() {
    let world = World::on(Lane::Ministack).await;
    let (name, secret) = (world.own("/debug/db"), "Hush-4f1c7be2");
    world.put_secret(&name, secret, "alias/aws/ssm").await;
    world
        .tell(&name, "Create", world.written(&name).await)
        .await;
    let at = mark().await.to_string();
    world
        .put_secret(&name, "Hush-now-77ab", "alias/aws/ssm")
        .await;
    world
        .tell(&name, "Update", world.written(&name).await)
        .await;
    for words in [
        &["preview", &name, &at, "--debug"][..],
        &["show", &name, &at, "--reveal", "--debug"],
        &["restore", &name, &at, "--yes", "--debug"],
    ] {
        let answer = world.ssmbak(words).await.exits(0);
        assert!(
            !answer.stderr.contains("Hush"),
            "{words:?}: {}",
            answer.stderr
        );
        let secret_key = ["Signature=", "Credential=", "AWS4-HMAC"];
        let leaks = secret_key.iter().any(|part| answer.stderr.contains(part));
        assert!(!leaks, "{}", answer.stderr);
        let line = answer
            .stderr
            .lines()
            .find(|l| l.contains("operation=\"TransactGetItems\""));
        let line = line.unwrap_or_else(|| panic!("{}", answer.stderr));
        for part in [
            "service=\"DynamoDB\"",
            "region=",
            "ms=",
            "status=200",
            "attempts=1",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
    let quiet = world.ssmbak(&["preview", &name, &at, "-vv"]).await.exits(0);
    assert!(!quiet.stderr.contains("operation="), "{}", quiet.stderr);
}
