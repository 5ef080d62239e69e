//! A history longer than any emulator holds: pages, limits and calls.

use std::collections::BTreeSet;
use std::process::Stdio;

use ssmbak_tests::canned::{Asked, CannedHistory};
use ssmbak_tests::emulator::REGION;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::world::{Answer, bare_command, run};

const ROWS: usize = 20_000;

fn command(canned: &CannedHistory, options: &[&str]) -> Command {
    let mut command = bare_command(&["history", "/", "-R", "--bucket", "b", "--table", "t"]);
    command
        .args(options)
        .env("AWS_ENDPOINT_URL", canned.endpoint())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", REGION);
    command
}

async fn history(canned: &CannedHistory, options: &[&str]) -> (Answer, Asked) {
    let answer = run(command(canned, options)).await.exits(0);
    (answer, canned.take_asked())
}

#[tokio::test]
async fn every_page_is_followed_one_query_a_megabyte_and_nothing_else_is_called() {
    let canned = CannedHistory::start(ROWS).unwrap();
    let (answer, asked) = history(&canned, &["--output", "jsonl"]).await;
    let lines: Vec<&str> = answer.stdout.lines().collect();
    assert_eq!(lines.len(), canned.entries());
    let field = |line: &str, name: &str| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        json[name].as_str().unwrap_or_default().to_owned()
    };
    let times: Vec<String> = lines.iter().map(|line| field(line, "Time")).collect();
    assert!(times.is_sorted_by(|a, b| a > b), "newest first");
    let by_whom = lines
        .iter()
        .filter(|line| field(line, "SourceIp") == "203.0.113.7");
    let deleted = |line: &&&str| field(line, "Operation") == "Delete" && line.contains("true");
    let exact = lines.iter().filter(deleted).count();
    assert!(exact > 400, "{exact}");
    assert_eq!(by_whom.count(), exact);
    // Each page of `/` is a query without a limit, and none is asked for twice.
    assert!(asked.limits.iter().all(Option::is_none));
    let pages = asked.limits.len();
    assert!((5..=20).contains(&pages), "{pages}");
    // The intervals of the deletions that were only observed are longer than what is held back:
    // two queries of that name.
    let observed = ROWS / 5_000 * 20;
    let operations: BTreeSet<&str> = asked.calls.keys().map(String::as_str).collect();
    assert_eq!(operations, BTreeSet::from(["GetItem", "Query"]));
    assert!(asked.calls["Query"] <= pages + 2 * observed, "{asked:?}");
    assert_eq!(asked.calls["GetItem"], 1);
}

#[tokio::test]
async fn deletions_that_began_before_the_span_are_looked_up_several_at_once() {
    let canned = CannedHistory::start(ROWS).unwrap();
    // Twenty of them are among the newest 2,700 rows, and their intervals are a day long.
    let newest = ["--limit", "2700", "--output", "jsonl"];
    let (answer, _) = history(&canned, &newest).await;
    let oldest = answer.stdout.lines().last().unwrap();
    let oldest: serde_json::Value = serde_json::from_str(oldest).unwrap();
    let since = ["--since", oldest["Time"].as_str().unwrap()];
    let (since, asked) = history(&canned, &[&since[..], &["--output", "jsonl"]].concat()).await;
    assert_eq!(since.stdout, answer.stdout);
    assert!(asked.calls["Query"] - asked.limits.len() == 40, "{asked:?}");
    // Two queries each, of sixteen at once.
    assert!((8..=32).contains(&asked.at_once), "{asked:?}");
}

#[tokio::test]
async fn a_limit_is_handed_on_and_no_more_is_asked_for() {
    let canned = CannedHistory::start(ROWS).unwrap();
    let (answer, asked) = history(&canned, &["--limit", "10", "--output", "jsonl"]).await;
    assert_eq!(answer.stdout.lines().count(), 10);
    assert_eq!(asked.limits, [Some(26)]);
    let (all, _) = history(&canned, &["--output", "jsonl"]).await;
    assert!(all.stdout.starts_with(&answer.stdout));
    // More than a page of that size tells: the next is longer.
    let (many, asked) = history(&canned, &["--limit", "2700", "--output", "jsonl"]).await;
    assert!(all.stdout.starts_with(&many.stdout));
    assert_eq!(many.stdout.lines().count(), 2_700);
    assert!(asked.limits.len() <= 3, "{asked:?}");
}

#[tokio::test]
async fn under_a_filter_pages_are_read_until_the_limit_is_reached() {
    let canned = CannedHistory::start(ROWS).unwrap();
    let labels = ["--operation", "LABEL", "--limit", "3", "--output", "jsonl"];
    let (answer, asked) = history(&canned, &labels).await;
    assert_eq!(answer.stdout.lines().count(), 3);
    let told = |line: &str| line.contains("\"LabelParameterVersion\"");
    assert!(answer.stdout.lines().all(told), "{answer:?}");
    assert_eq!(asked.limits, [None]);
    let words = ["--operation", "delete,label", "--operation", "create"];
    let (answer, _) = history(&canned, &[&words[..], &["--output", "jsonl"]].concat()).await;
    let told = |line: &str| told(line) || line.contains("\"Delete\"");
    assert!(answer.stdout.lines().all(told));
    assert!(answer.stdout.lines().count() > 900);
    let (answer, asked) = history(&canned, &["--by", "nobody"]).await;
    assert_eq!(answer.stdout, "");
    assert!(asked.limits.len() > 4);
}

#[tokio::test]
async fn a_page_is_written_before_the_next_is_asked_for() {
    let canned = CannedHistory::start(ROWS).unwrap();
    for form in ["table", "jsonl", "json", "csv"] {
        let mut command = command(&canned, &["--output", form]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).await.unwrap();
        // The reader has seen enough: of the page it is in the middle of.
        drop(stdout);
        assert!(child.wait().await.unwrap().success(), "{form}");
        assert!(!line.is_empty(), "{form}");
        assert_eq!(canned.take_asked().limits.len(), 1, "{form}");
    }
}
