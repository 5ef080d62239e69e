//! What a person does with the command line, through the real binary.

mod attributes;
mod compat;
mod config;
mod deleters;
mod diff;
mod elsewhere;
mod export;
mod from_file;
mod history;
mod long_history;
mod package;
mod plan_file;
mod plan_refused;
mod preview;
mod recreate;
mod restore;
mod schedule;
mod seed;
mod select;
mod show;
mod stack;
mod stack_health;
mod tags;
pub(crate) mod terminal;
mod three_am;
mod undo;

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::world::{Answer, Lane, World};

/// The names of the fields of an object.
fn keys(object: &Json) -> BTreeSet<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// The values of one field, of one object after the other.
fn column<'a>(rows: &'a Json, field: &str) -> Vec<&'a str> {
    let rows = rows.as_array().unwrap();
    let text = |row: &'a Json| row[field].as_str().unwrap_or("-");
    rows.iter().map(text).collect()
}

/// The lines of standard error that are there, without the blank ones.
fn told(answer: &Answer) -> Vec<&str> {
    answer.stderr.lines().filter(|l| !l.is_empty()).collect()
}

#[tokio::test]
async fn every_shell_gets_its_completions() {
    let world = World::on(Lane::Ministack).await;
    for shell in ["bash", "zsh", "fish"] {
        let answer = world.ssmbak(&["completions", shell]).await.exits(0);
        assert!(answer.stdout.contains("preview"), "{shell}");
        assert!(answer.stdout.contains("reveal"), "{shell}");
        assert_eq!(answer.stderr, "");
        check_syntax(shell, &answer.stdout).await;
    }
}

/// The shell itself judges its completions, where it is on this machine.
async fn check_syntax(shell: &str, script: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script).unwrap();
    let mut command = tokio::process::Command::new(shell);
    match command.arg("-n").arg(file.path()).output().await {
        Ok(output) => assert!(output.status.success(), "{shell}: {output:?}"),
        Err(_) => println!("{shell} is not on this machine: its completions are not judged"),
    }
}
