//! Each command for each role: it works, or it is refused for want of one action, which it names.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use ssmbak_tests::binaries;
use ssmbak_tests::people::Person;

use self::Verdict::{Refused, Works};
use super::{EVENTS, HUSH, STACK, Scene, Stage, s3, ssmbak};
use crate::world::{Answer, bare_command, mark, run};

/// How a command ends for somebody.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verdict {
    Works,
    Refused(&'static str),
}

/// One command, as it is typed, and how it ends for auditor, restorer and operator.
type Row = (&'static str, [Verdict; 3]);

const NO_LISTING: Verdict = Refused("ssm:DescribeParameters");
const NO_HISTORY: Verdict = Refused("ssm:GetParameterHistory");
const NO_VALUES: Verdict = Refused("s3:GetObjectVersion");
const LISTS_NO_BUCKET: Verdict = Refused("s3:ListBucket");
const NO_VERSIONS: Verdict = Refused("s3:ListBucketVersions");
const NO_EVENTS: Verdict = Refused("cloudformation:DescribeStackEvents");
const NO_CHANGE_SET: Verdict = Refused("cloudformation:CreateChangeSet");
const OF_ANOTHER_STACK: Verdict = Refused("cloudformation:DescribeStacks");

const COMMANDS: &[Row] = &[
    ("history {path} -R", [Works; 3]),
    ("history {path} -R --output json", [Works; 3]),
    ("history {path} --since -1h --output csv", [Works; 3]),
    ("history {path}name --until now", [Works; 3]),
    (
        "history {path} --bucket {bucket} --table {table}",
        [Works; 3],
    ),
    ("history {path} -R --by user --limit 3", [Works; 3]),
    ("history {path} -R --values", [NO_VALUES, Works, Works]),
    (
        "history {path}secret --values --reveal",
        [NO_VALUES, Works, Works],
    ),
    ("preview {path} {at} -R", [NO_LISTING, Works, Works]),
    ("preview {path}name {at} --all", [NO_HISTORY, Works, Works]),
    ("runs", [Works; 3]),
    ("runs {run}", [Works; 3]),
    ("undo {run} --dry-run", [NO_LISTING, Works, Works]),
    (
        "undo {run} --yes",
        [NO_LISTING, Works, Refused("ssm:PutParameter")],
    ),
    ("show {path}name {at}", [NO_HISTORY, Works, Works]),
    ("show {path}secret --reveal", [NO_HISTORY, Works, Works]),
    ("show {path}secret --metadata", [NO_LISTING, Works, Works]),
    ("diff {path} {at} -R", [NO_LISTING, Works, Works]),
    ("diff {path} {at} {at} -R", [NO_LISTING, Works, Works]),
    ("export {path} {at} -R --reveal", [NO_LISTING, Works, Works]),
    ("seed {path}", [NO_LISTING, Works, Works]),
    ("seed {path} --do-it", [NO_LISTING, Works, Works]),
    // Its source is another bucket, which no policy of the stack names.
    (
        "import --from-bucket another",
        [Refused("s3:ListBucketVersions"); 3],
    ),
    ("rebuild", [LISTS_NO_BUCKET, Works, Works]),
    ("verify {path}", [LISTS_NO_BUCKET, NO_VERSIONS, Works]),
    (
        "preview {path} {at} -R --plan {plan} --overwrite",
        [NO_LISTING, Works, Works],
    ),
    ("preview --from {export}", [NO_LISTING, Works, Works]),
    (
        "restore --plan {plan} --yes",
        [NO_LISTING, Works, Refused("ssm:PutParameter")],
    ),
    (
        "restore --from {export}",
        [NO_LISTING, Works, Refused("ssm:PutParameter")],
    ),
    (
        "restore {path} {at} -R --yes",
        [NO_LISTING, Works, Refused("ssm:PutParameter")],
    ),
    (
        "preview {path} {at} -R --to-path /there{path}",
        [NO_LISTING, Works, Works],
    ),
    (
        "copy {path} -R --to-path /copied{path} --dry-run",
        [NO_LISTING, Works, Works],
    ),
    (
        "copy {path} -R --to-path /copied{path}",
        [NO_LISTING, Works, Refused("ssm:PutParameter")],
    ),
    ("stack {stack} status", [Works; 3]),
    ("stack {stack} bucketname", [Works; 3]),
    ("stack {stack} tablename", [Works; 3]),
    ("stack {stack} lambdaname", [Works; 3]),
    ("stack {stack} region", [Works; 3]),
    ("stack {stack} template", [Works; 3]),
    ("stack {stack} resources", [Works; 3]),
    ("stack {stack} status --output json", [Works; 3]),
    ("stack {stack} policy restorer", [Works; 3]),
    // Of this stack only operator.rs does, alone: the messages are everybody's.
    ("stack another redrive", [OF_ANOTHER_STACK; 3]),
    ("stack {stack} update --yes", [NO_CHANGE_SET; 3]),
    ("stack {stack} delete --yes", [NO_EVENTS; 3]),
    (
        "stack another create --function-zip {zip}",
        [OF_ANOTHER_STACK; 3],
    ),
    ("config", [Works; 3]),
    ("config --check", [Works; 3]),
    ("completions bash", [Works; 3]),
    ("man", [Works; 3]),
];

/// Runs every command as one of the three, over `scene`.
pub(super) async fn judge(stage: &Stage, person: &Person, role: usize, scene: &Scene) {
    let zip = binaries::function_zip();
    let files = tempfile::tempdir().unwrap();
    let (plan, export) = files_of(stage, scene, files.path()).await;
    let run = run_to_undo(stage, scene).await;
    for (typed, verdicts) in COMMANDS {
        let words: Vec<String> = typed
            .split(' ')
            .map(|word| {
                word.replace("{path}", &scene.path)
                    .replace("{at}", &scene.at)
                    .replace("{run}", &run)
                    .replace("{stack}", STACK)
                    .replace("{bucket}", stage.bucket())
                    .replace("{table}", stage.table())
                    .replace("{plan}", &plan)
                    .replace("{export}", &export)
                    .replace("{zip}", &zip.display().to_string())
            })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if matches!(verdicts[role], Refused(_)) {
            // What an earlier command wrote is still on its way into the backups.
            let _events = EVENTS.read().await;
            stage.captured().await;
        }
        let before = world_of(stage, scene).await;
        let answer = ssmbak(person, &words).await;
        // The two others may read values.
        let is_told = format!("{answer:?}").contains(HUSH);
        assert!(role != 0 || !is_told, "{typed}: a value is told");
        match verdicts[role] {
            Works => assert_eq!(answer.code, 0, "{typed}: {answer:?}"),
            Refused(action) => {
                check_refusal(typed, action, &answer);
                assert_eq!(world_of(stage, scene).await, before, "{typed}");
            }
        }
    }
}

/// A plan of the scene, and an export with another value, which somebody else has made.
async fn files_of(stage: &Stage, scene: &Scene, directory: &Path) -> (String, String) {
    let at = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let (plan, export) = (at("plan.json"), at("export.json"));
    let preview = ["preview", &scene.path, &scene.at, "-R", "--plan", &plan];
    stage.administrator(&preview).await.exits(0);
    let name = scene.name("name");
    let parameter = json!({"Name": name, "Type": "String", "Value": format!("{HUSH}, exported")});
    let text = json!({
        "ssmbakExport": 1,
        "Path": scene.path,
        "Time": scene.at,
        "Parameters": [parameter],
    });
    std::fs::write(&export, text.to_string()).unwrap();
    (plan, export)
}

/// The id of a run that wrote one parameter under the path.
async fn run_to_undo(stage: &Stage, scene: &Scene) -> String {
    let _events = EVENTS.read().await;
    let name = scene.name("undone");
    scene.put("undone", &format!("{HUSH}, then")).await;
    stage.captured().await;
    let at = mark().await.to_string();
    scene.put("undone", &format!("{HUSH}, now")).await;
    stage.captured().await;
    stage.administrator(&["restore", &name, &at]).await.exits(0);
    stage.captured().await;
    let runs = ["runs", "--limit", "100", "--output", "json"];
    let runs = stage.administrator(&runs).await.exits(0).json();
    let mut runs = runs.as_array().unwrap().iter();
    let own = runs.find(|run| run["Target"] == *name).unwrap();
    own["Run"].as_str().unwrap().to_owned()
}

fn check_refusal(typed: &str, action: &str, answer: &Answer) {
    assert_eq!(answer.code, 1, "{typed}: {answer:?}");
    let told = answer.stderr.contains(action) || answer.stdout.contains(action);
    assert!(told, "{typed} does not name {action}: {answer:?}");
}

/// What lives under the path, and what of it is on record.
async fn world_of(stage: &Stage, scene: &Scene) -> (Vec<(String, i64, String)>, usize, usize) {
    let config = stage.administration().await;
    let list = s3(&config).list_object_versions().bucket(stage.bucket());
    let list = list.prefix(&scene.path).send().await.unwrap();
    let objects = list.versions().len() + list.delete_markers().len();
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    let mut pages = dynamodb
        .scan()
        .table_name(stage.table())
        .into_paginator()
        .items()
        .send();
    let mut rows = 0;
    while let Some(row) = pages.next().await {
        let row = row.unwrap();
        let text = |field: &str| row[field].as_s().unwrap().clone();
        // A run that was refused is a fact too.
        let is_run = text("scope") == "@meta";
        rows += usize::from(!is_run && format!("{row:?}").contains(&scene.path));
    }
    (scene.live().await, objects, rows)
}

#[tokio::test]
async fn no_command_is_missing_from_the_table() {
    let typed = |place: usize, of: &'static str| -> BTreeSet<String> {
        let rows = COMMANDS
            .iter()
            .map(|(typed, _)| typed.split(' ').collect::<Vec<_>>());
        let rows = rows.filter(|words| of.is_empty() || words[0] == of);
        rows.map(|words| words[place].to_owned()).collect()
    };
    let help = run(bare_command(&["--help"])).await.exits(0).stdout;
    let commands = section(&help, "Commands:");
    assert_eq!(commands, typed(0, ""));
    let help = run(bare_command(&["stack", "--help"])).await.exits(0);
    let verbs = section(&help.stdout, "Commands:");
    assert_eq!(verbs, typed(2, "stack"));
}

/// The first words of the lines after `title`, until a blank line; `help` is not a command of ours.
fn section(help: &str, title: &str) -> BTreeSet<String> {
    let lines = help.lines().skip_while(|line| *line != title).skip(1);
    let lines = lines.take_while(|line| !line.trim().is_empty());
    let words = lines.filter_map(|line| {
        line.trim()
            .trim_start_matches("- ")
            .split([' ', ':'])
            .next()
    });
    let words = words.filter(|word| *word != "help");
    let found: BTreeSet<String> = words.map(str::to_owned).collect();
    assert!(found.len() > 3, "{help}");
    found
}
