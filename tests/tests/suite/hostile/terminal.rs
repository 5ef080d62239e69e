//! Whatever a value, a description, a label, a user's ARN or AWS itself says: a
//! terminal shows it and does not obey it.

use aws_sdk_ssm::types::{ParameterType, Tag};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::events::{deletion_call, parameter_event};
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy};

use crate::journeys::terminal::{on_terminal, plain};
use crate::world::{Answer, Lane, World, mark, now};

/// Sets the clipboard, clears, goes back, reorders, hides, and pretends.
const OBEYED: &str = "x\u{1b}]52;c;eA==\u{7}\u{1b}]8;;http://evil\u{7}\u{9b}2J\u{8}\u{7f}\u{85}\u{202e}\u{2066}\u{61c}\u{200b}\u{e0041}\nerror: pretended\nhint: pretended";

/// The first character that a terminal would obey or not show.
fn obeyed(text: &str) -> Option<char> {
    text.chars().find(|&c| {
        let hides = matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
        hides || c.is_control() && c != '\n'
    })
}

fn is_shown(what: &str, text: &str) {
    assert_eq!(obeyed(text), None, "{what}: {text:?}");
    // A line of ours begins in the first column.
    for line in text.lines() {
        let pretends = ["error: pretended", "hint: pretended"].contains(&line.trim_end());
        assert!(!pretends, "{what}: {text:?}");
    }
}

/// A world in which everything that can be is hostile, and an instant before
/// that of now.
async fn hostile_world() -> (World, String) {
    let world = World::emulated(Lane::Ministack, "who, labels and calls are made up").await;
    let put = async |name: &str, value: &str| {
        let put = world.ssm.put_parameter().name(name).value(value);
        let put = put.description(OBEYED).r#type(ParameterType::String);
        put.overwrite(true).send().await.unwrap();
    };
    put("/t/one", OBEYED).await;
    put("/t/gone", OBEYED).await;
    let tag = Tag::builder().key("k").value(OBEYED).build().unwrap();
    let tagged = world.ssm.add_tags_to_resource().resource_id("/t/one");
    let tagged = tagged.resource_type(aws_sdk_ssm::types::ResourceTypeForTagging::Parameter);
    tagged.tags(tag).send().await.unwrap();
    world.ssmbak(&["seed", "--do-it"]).await.exits(0);
    let mut label = parameter_event("/t/one", "LabelParameterVersion", now().millis());
    label["detail"]["label"] = OBEYED.into();
    label["detail"]["fromVersion"] = "".into();
    label["detail"]["toVersion"] = "1".into();
    assert_eq!(world.deliver(&[label]).await, 0);
    let at = mark().await.to_string();
    put("/t/one", &format!("{OBEYED} changed")).await;
    world.delete("/t/gone").await;
    let gone = now();
    let call = deletion_call(&["/t/gone"], OBEYED, OBEYED, gone.millis());
    let deleted = parameter_event("/t/gone", "Delete", gone.millis());
    assert_eq!(world.deliver(&[deleted, call]).await, 0);
    (world, at)
}

/// Each command that shows something to people.
fn commands(at: &str) -> Vec<Vec<String>> {
    let lines = [
        format!("preview /t/ {at} -R --all"),
        format!("diff /t/ {at} -R"),
        "history /t/ -R".into(),
        "history /t/ -R --values".into(),
        format!("show /t/one {at} --metadata"),
        format!("restore /t/ {at} -R --yes"),
        "runs".into(),
        "verify /t/".into(),
        "seed /t/".into(),
        "config".into(),
        "undo --yes --force".into(),
    ];
    let words = |line: &String| line.split(' ').map(str::to_owned).collect();
    lines.iter().map(words).collect()
}

async fn ssmbak(world: &World, words: &[String], more: &[&str]) -> Answer {
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect();
    let answer = world.ssmbak(&words).await;
    assert!([0, 3, 5].contains(&answer.code), "{words:?}: {answer:?}");
    answer
}

#[tokio::test]
async fn no_command_hands_a_terminal_what_it_would_obey() {
    let (world, at) = hostile_world().await;
    let mut escaped = 0;
    for words in commands(&at) {
        for more in [&[][..], &["--debug"], &["--output", "json"]] {
            let answer = ssmbak(&world, &words, more).await;
            is_shown(&format!("{words:?} {more:?}"), &answer.stdout);
            is_shown(&format!("{words:?} {more:?}"), &answer.stderr);
            escaped += usize::from(answer.stdout.contains("\\u{1b}]52"));
        }
    }
    assert!(
        escaped > 4,
        "hostile texts were not shown at all: {escaped}"
    );
}

#[tokio::test]
async fn what_is_raw_for_a_pipe_is_escaped_on_a_terminal_and_that_is_told() {
    let (world, at) = hostile_world().await;
    let exact = world.ssmbak(&["show", "/t/one", &at]).await.exits(0);
    assert_eq!(exact.stdout, OBEYED);
    assert!(!exact.stderr.contains("escaped"), "{exact:?}");
    // A value that is data is shown in its own lines.
    let raw = [
        (&["show", "/t/one", &at][..], true),
        (&["export", "/t/one", &at, "--format", "dotenv"], true),
        (&["export", "/t/one", &at, "--format", "csv"], true),
        (&["export", "/t/one", &at, "--format", "yaml"], false),
    ];
    for (words, told) in raw {
        let answer = on_terminal(&world, 120, words, "").await.exits(0);
        // Colours and the ends of lines are ours.
        let shown = plain(&answer.stdout);
        assert_eq!(obeyed(&shown), None, "{words:?}: {shown:?}");
        let tells = shown.contains("are escaped here");
        assert!(tells || !told, "{words:?}: {shown}");
    }
    for words in [
        &["export", "/t/one", &at, "--format", "tfvars"][..],
        &["export", "/t/one", &at, "--format", "json"],
        &["preview", "/t/", &at, "--output", "jsonl"],
        &["history", "/t/", "--output", "jsonl"],
        &["preview", "/t/", &at, "--no-color"],
    ] {
        let answer = on_terminal(&world, 120, words, "").await.exits(0);
        is_shown(&format!("{words:?}"), &plain(&answer.stdout));
    }
}

#[tokio::test]
async fn what_is_asked_on_a_terminal_shows_what_it_would_obey() {
    let (world, at) = hostile_world().await;
    let (declined, done) = ("n\n", "y\n");
    for (words, typed, code) in [
        (&["restore", "/t/", &at, "-R"][..], declined, 1),
        (&["restore", "/t/", &at, "-R"], done, 0),
        (&["undo", "--force"], declined, 1),
        (&["copy", "/t/", "-R", "--to-path", "/c/"], declined, 1),
    ] {
        let answer = on_terminal(&world, 120, words, typed).await.exits(code);
        let shown = plain(&answer.stdout);
        assert!(shown.contains("[y/N]"), "{words:?}: {shown}");
        assert!(shown.contains("\\u{1b}]52"), "{words:?}: {shown}");
        is_shown(&format!("{words:?}"), &shown);
    }
}

#[tokio::test]
async fn what_aws_says_is_no_line_of_its_own() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy answers").await;
    world.put("/t/one", "1").await;
    let world = world.behind(&proxy);
    for (operation, words) in [
        ("dynamodb:Query", &["history", "/t/one"][..]),
        ("ssm:DescribeParameters", &["seed", "/t/"]),
        ("ssm:GetParameterHistory", &["seed", "/t/", "--do-it"]),
        ("ssm:DescribeParameters", &["preview", "/t/", "now"]),
        (
            "cloudformation:DescribeStacks",
            &["stack", "some", "status"],
        ),
    ] {
        for (status, code) in [(400, "ValidationException"), (400, "AccessDeniedException")] {
            let hostile = if operation.starts_with("cloudformation") {
                // XML holds no control characters.
                "x\u{9b}2J\u{202e}\nerror: pretended\nhint: pretended"
            } else {
                OBEYED
            };
            let refusal = ApiError::new(status, code, hostile);
            proxy.disturb(Disturbance::answer(refusal).on(operation).times(usize::MAX));
            let debug = [words, &["--debug"]].concat();
            let answer = world.ssmbak(&debug).await;
            assert_ne!(answer.code, 0, "{operation}: {answer:?}");
            is_shown(operation, &answer.stderr);
            is_shown(operation, &answer.stdout);
            assert!(
                answer.stderr.contains("pretended"),
                "{operation}: {answer:?}"
            );
            proxy.reset();
        }
    }
}

#[tokio::test]
async fn the_name_of_a_file_is_no_line_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let name = format!(
        "a\nerror: pretended\nhint: pretended{}",
        OBEYED.replace('\0', "")
    );
    let name: String = name.chars().filter(|c| *c != '/').collect();
    let file = directory.path().join(name);
    std::fs::write(&file, "hunter2").unwrap();
    let path = file.to_str().unwrap();
    let world = World::on(Lane::Ministack).await;
    for words in [
        &["restore", "--plan", path][..],
        &["restore", "--from", path],
        &["preview", "/t/", "now", "--plan", path],
        &["export", "/t/", "now", "--to", path],
    ] {
        let answer = world.ssmbak(words).await.exits(2);
        is_shown(words[0], &answer.stderr);
    }
    let answer = world
        .ssmbak_with(&[("SSMBAK_CONFIG", path)], &["history", "/"])
        .await;
    is_shown("config", &answer.exits(2).stderr);
}
