//! 7: values and secrets stay where they belong: in Parameter Store, in the
//! value store, and on standard output for whoever asked to see them.

mod everywhere;
mod planted;
mod trouble;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_ssm::types::ParameterType;
use sha2::{Digest as _, Sha256};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy};

use super::world::{Answer, Lane, World, mark};

/// Looks for planted texts, as they are and as a log might write them.
struct Search {
    planted: Vec<String>,
}

impl Search {
    fn new(texts: &[&str]) -> Self {
        let forms = |text: &str| {
            // A byte string that is logged is a list of numbers.
            let numbers = format!("{:?}", text.as_bytes());
            let digest = Sha256::digest(text.as_bytes());
            let digest = digest.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            let encoded = aws_smithy_types::base64::encode(text);
            [text.to_owned(), numbers, encoded, digest]
        };
        Self {
            planted: texts.iter().flat_map(|t| forms(t)).collect(),
        }
    }

    fn finds_nothing_in(&self, place: &str, text: &str) {
        for planted in &self.planted {
            assert!(
                !text.contains(planted.as_str()),
                "{place} holds {planted}: {text}"
            );
        }
    }
}

/// The command lines of this process's children, again and again.
fn watch_command_lines(search: Search, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<usize> {
    let own = std::process::id().to_string();
    std::thread::spawn(move || {
        let mut seen = 0;
        while !stop.load(Ordering::SeqCst) {
            let processes = std::fs::read_dir("/proc").unwrap().flatten();
            for entry in processes.filter(|e| is_child(&e.path(), &own)) {
                for file in ["cmdline", "environ"] {
                    let bytes = std::fs::read(entry.path().join(file)).unwrap_or_default();
                    search.finds_nothing_in(file, &String::from_utf8_lossy(&bytes));
                }
                seen += 1;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        seen
    })
}

/// The fields after the name, which is in parentheses: state, parent.
fn is_child(process: &Path, parent: &str) -> bool {
    let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
    let fields = stat.rsplit_once(") ").map(|(_, fields)| fields);
    fields.is_some_and(|fields| fields.split(' ').nth(1) == Some(parent))
}

/// Each version of each object beside the values: journal, facts, unfinished work. Returns
/// their keys.
async fn objects_beside_the_values(world: &World, search: &Search) -> Vec<String> {
    let bucket = &world.location.bucket;
    let list = world.s3.list_object_versions().bucket(bucket);
    let list = list.prefix("_ssmbak/").send().await.unwrap();
    assert_eq!(list.is_truncated(), Some(false), "more than one page");
    for version in list.versions() {
        let key = version.key().unwrap();
        let get = world.s3.get_object().bucket(bucket).key(key);
        let get = get.set_version_id(version.version_id.clone());
        let body = get.send().await.unwrap().body.collect().await.unwrap();
        let bytes = body.into_bytes();
        search.finds_nothing_in(key, &String::from_utf8_lossy(&bytes));
    }
    let keys = list.versions().iter();
    keys.map(|version| version.key().unwrap().to_owned())
        .collect()
}

async fn put(world: &World, name: &str, value: &str, key: Option<&str>) {
    let put = world
        .ssm
        .put_parameter()
        .name(name)
        .value(value)
        .overwrite(true);
    let kind = match key {
        Some(_) => ParameterType::SecureString,
        None => ParameterType::String,
    };
    let put = put.r#type(kind).set_key_id(key.map(str::to_owned));
    put.send().await.unwrap();
}

const OLD: &str = "Old0Secret-6f1ee7d2";
const NEW: &str = "New1Secret-93ab04cc";
const PLAIN: &str = "Plain2Value-5d8e21b0";

/// Everything a person can do short of asking for the secret.
async fn every_command(world: &World, at: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for command in [
        "seed /sec/ --do-it -vv",
        &format!("preview /sec/ {at} -R --all -vv"),
        &format!("preview /sec/ {at} -R --output json"),
        &format!("preview /sec/ {at} -R --output csv"),
        &format!("show /sec/hidden {at} -vv"),
        &format!("show /sec/hidden {at} --metadata -vv"),
        &format!("diff /sec/ {at} -R -vv"),
        &format!("diff /sec/ {at} -R --output json"),
        &format!("diff /sec/ {at} {at} -R --output csv"),
        &format!("export /sec/ {at} -R -vv"),
        "history /sec/ -R -vv",
        "history /sec/hidden --output json",
        &format!("restore /sec/ {at} -R --yes -vv"),
        &format!("restore /sec/ {at} -R --yes --output json"),
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        answers.push(world.ssmbak(&words).await);
    }
    answers
}

#[tokio::test]
async fn no_secret_leaves_its_place() {
    let world = World::emulated(Lane::Ministack, "keys that can be denied, and the proxy").await;
    let key = &format!("alias/secret-{}", world.account);
    let secrets = || Search::new(&[OLD, NEW]);
    let stop = Arc::new(AtomicBool::new(false));
    let watch = watch_command_lines(Search::new(&[OLD, NEW, PLAIN]), Arc::clone(&stop));
    let tell = async |name: &str| world.tell_newest(name).await;
    for (name, value, key) in [
        ("/sec/hidden", OLD, Some(key.as_str())),
        ("/sec/turned", OLD, Some(key.as_str())),
        ("/sec/plain", PLAIN, None),
    ] {
        put(&world, name, value, key).await;
        tell(name).await;
    }
    let at = mark().await.to_string();
    put(&world, "/sec/hidden", NEW, Some(key)).await;
    tell("/sec/hidden").await;
    put(&world, "/sec/turned", "no secret any more", None).await;
    put(&world, "/sec/plain", "another", None).await;
    let answers = every_command(&world, &at).await;
    for answer in &answers {
        secrets().finds_nothing_in("standard output", &answer.stdout);
        Search::new(&[OLD, NEW, PLAIN]).finds_nothing_in("standard error", &answer.stderr);
    }
    assert!(answers[1].stdout.contains("********"));
    assert!(answers[1].stdout.contains(PLAIN), "a plain value is shown");
    let revealed = ["show", "/sec/hidden", &at, "--reveal"];
    assert_eq!(world.ssmbak(&revealed).await.exits(0).stdout, OLD);
    stop.store(true, Ordering::SeqCst);
    assert!(watch.join().unwrap() > 0);
    let no_value = Search::new(&[OLD, NEW, PLAIN]);
    for row in world.rows().await {
        no_value.finds_nothing_in("the index", &row.to_string());
    }
    assert!(objects_beside_the_values(&world, &no_value).await.len() > 6);
    no_value.finds_nothing_in("the function's log", &world.function.logs().join("\n"));
    assert!(!world.function.logs().is_empty());
}

#[tokio::test]
async fn no_error_repeats_a_value() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let mut world = World::emulated(Lane::Ministack, "keys that can be denied, and the proxy")
        .await
        .behind(&proxy);
    world.function = world.function_at(&proxy.endpoint());
    let key = &format!("alias/refused-{}", world.account);
    put(&world, "/sec/hidden", OLD, Some(key)).await;
    put(&world, "/sec/plain", PLAIN, None).await;
    for name in ["/sec/hidden", "/sec/plain"] {
        world.tell(name, "Create", world.written(name).await).await;
    }
    let at = &mark().await.to_string();
    put(&world, "/sec/hidden", NEW, Some(key)).await;
    put(&world, "/sec/plain", NEW, None).await;
    // A refusal that repeats the value, as AWS does for a pattern.
    let told = format!(
        "Parameter value {OLD} {PLAIN}, cannot be validated against allowedPattern: [a-z]+"
    );
    let mismatch = ApiError::new(400, "ParameterPatternMismatchException", &told);
    proxy.disturb(
        Disturbance::answer(mismatch)
            .on("ssm:PutParameter")
            .times(2),
    );
    let mut answers = Vec::new();
    answers.push(world.ssmbak(&["restore", "/sec/hidden", at, "-vv"]).await);
    answers.push(world.ssmbak(&["restore", "/sec/hidden", at, "-vv"]).await);
    put(&world, "/sec/hidden", NEW, Some(key)).await;
    let control = world.control();
    control.deny_key(key, true).await.unwrap();
    let event = ssmbak_tests::events::parameter_event("/sec/hidden", "Update", 0);
    assert_eq!(world.deliver(&[event]).await, 1, "a denied key is no loss");
    answers.push(world.ssmbak(&["seed", "/sec/", "--do-it", "-vv"]).await);
    answers.push(world.ssmbak(&["preview", "/sec/hidden", at, "-vv"]).await);
    answers.push(world.ssmbak(&["restore", "/sec/hidden", at, "-vv"]).await);
    control.deny_key(key, false).await.unwrap();
    let secrets = Search::new(&[OLD, NEW]);
    for answer in &answers {
        assert_ne!(answer.code, 0, "{answer:?}");
        secrets.finds_nothing_in("standard error", &answer.stderr);
        secrets.finds_nothing_in("standard output", &answer.stdout);
    }
    let log = world.function.logs().join("\n");
    assert!(log.contains("AccessDenied"), "{log}");
    secrets.finds_nothing_in("the function's log", &log);
    objects_beside_the_values(&world, &Search::new(&[OLD, NEW, PLAIN])).await;
}
