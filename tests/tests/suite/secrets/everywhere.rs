//! Secrets planted wherever one can be, through every command.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ssmbak_core::domain::{Path, Source};
use ssmbak_core::reconcile::reconcile_until;
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::Proxy;

use super::planted::{Person, Planted, files_hold_none, planted_tree, talkative};
use super::{Search, put, watch_command_lines};
use crate::journeys::terminal::on_terminal;
use crate::world::now;

fn commands(at: &str, old_bucket: &str, plan: &str, file: &str) -> Vec<String> {
    let path = format!("/sec/ {at} -R");
    vec![
        format!("preview {path} --all --labels"),
        format!("preview {path} --output json"),
        format!("preview {path} --output jsonl"),
        format!("preview {path} --output csv"),
        format!("preview {path} --trust-index"),
        format!("show /sec/hidden {at}"),
        format!("show /sec/gone {at} --metadata"),
        format!("diff {path}"),
        format!("diff /sec/ {at} now -R --output json"),
        format!("export {path}"),
        format!("export {path} --format dotenv"),
        "history /sec/ -R --values".into(),
        "history /sec/ -R --values --output csv".into(),
        format!("preview {path} --plan {plan}"),
        format!("restore --plan {plan} --yes"),
        format!("restore --plan {plan} --yes --output json"),
        "runs".into(),
        "undo --dry-run".into(),
        "undo --yes --output json".into(),
        format!("restore {path} --to-path /elsewhere/ --yes"),
        "copy /sec/ -R --to-path /copied/ --yes".into(),
        "undo --yes".into(),
        format!("export {path} --reveal --to {file}"),
        format!("restore --from {file} --yes"),
        format!("restore {path} --yes --output csv"),
        "seed /sec/ --tags --do-it".into(),
        format!("import --from-bucket {old_bucket}"),
        format!("import --from-bucket {old_bucket} --do-it"),
        "verify / --values".into(),
        "verify / --values --heal --output json".into(),
        "rebuild".into(),
        "rebuild --do-it".into(),
        "config".into(),
        "config --output json".into(),
    ]
}

#[tokio::test]
async fn no_command_tells_a_planted_secret_and_nothing_keeps_one() {
    let mut planted = Planted::default();
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = talkative(&mut planted, &proxy).await;
    let at = planted_tree(&world, &mut planted).await;
    let old = world.another_bucket().await;
    let stored = world.s3.put_object().bucket(&old).key("/old/secret");
    let stored = stored.tagging("ssmbakTime=1600000000&ssmbakType=SecureString");
    let stored = stored.body(planted.secret().into_bytes().into());
    stored.send().await.unwrap();
    let asked = on_terminal(&world, 120, &["restore", "/sec/", &at, "-R"], "n\n").await;
    planted
        .secrets()
        .finds_nothing_in("a terminal", &asked.stdout);
    assert!(asked.stdout.contains("[y/N]"), "{asked:?}");
    let person = Person::new(&world, &mut planted);
    let directory = tempfile::tempdir().unwrap();
    let of = |name: &str| directory.path().join(name).display().to_string();
    let stop = Arc::new(AtomicBool::new(false));
    let watch = watch_lines(&planted, Arc::clone(&stop));
    let mut masked = 0;
    for words in commands(&at, &old, &of("plan"), &of("exported")) {
        for more in ["", " -v -v", " --debug"] {
            let once = ["undo --yes", "--plan", "--to ", "--to-path", "--from"];
            if !more.is_empty() && once.iter().any(|word| words.contains(word)) {
                continue;
            }
            let more = if once.iter().any(|word| words.contains(word)) {
                " --debug"
            } else {
                more
            };
            let answer = person.runs(&format!("{words}{more}")).await;
            let raw = words.starts_with("show /sec/hidden") || words.contains("export /sec/");
            let expected: &[i32] = match () {
                () if raw && !words.contains("--reveal") => &[2],
                () if words.starts_with("verify") => &[0, 5],
                () => &[0],
            };
            assert!(expected.contains(&answer.code), "{words}: {answer:?}");
            planted.not_told(&words, &answer);
            masked += answer.stdout.matches("********").count();
        }
    }
    assert!(masked > 10, "no secret was ever in question: {masked}");
    stop.store(true, Ordering::SeqCst);
    assert!(watch.join().unwrap() > 0);
    for number in 0..3 {
        let name = format!("/sec/unseen-{number}");
        put(&world, &name, &planted.secret(), Some("alias/planted")).await;
    }
    let (root, until) = (Path::root(), now());
    let nothing = |_: &_, _| {};
    let left = reconcile_until(&world.stores, &root, until, Source::Reconcile, &nothing).await;
    assert!(left.unwrap().left > 0, "nothing is left to be done");
    let keys = planted.not_kept(&world).await;
    for kind in ["journal/", "facts/coverage", "facts/run", "reconcile-"] {
        assert!(
            keys.iter().any(|key| key.contains(kind)),
            "{kind}: {keys:?}"
        );
    }
    // What was exported is for whoever asked for it; the plan is not.
    std::fs::remove_file(of("exported")).unwrap();
    assert_eq!(files_hold_none(&planted.all(), directory.path()), 1);
    assert_eq!(files_hold_none(&planted.all(), person.temporary.path()), 0);
}

/// The command lines of all processes at work; credentials are in the environment by right.
fn watch_lines(planted: &Planted, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<usize> {
    let values = planted.all().planted;
    // The first two are the function's credentials, the last two the person's.
    let credentials: Vec<&String> = planted.secrets.iter().take(2).collect();
    let credentials = [credentials, planted.secrets.iter().rev().take(2).collect()].concat();
    let planted = values
        .into_iter()
        .filter(|text| !credentials.contains(&text))
        .collect();
    watch_command_lines(Search { planted }, stop)
}
