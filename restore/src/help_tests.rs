//! Help: readable, complete, true, and the same as the README's.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory as _};

use super::Cli;

const README: &str = include_str!("../../README.md");
const WIDTH: usize = 80;

/// Every command and every verb, hidden ones too, with the words that lead to it.
fn walk(command: &Command, before: &[String], visit: &mut impl FnMut(&[String], &Command)) {
    for inner in command.get_subcommands().filter(|c| c.get_name() != "help") {
        let mut words = before.to_vec();
        words.push(inner.get_name().to_owned());
        visit(&words, inner);
        walk(inner, &words, visit);
    }
}

fn root() -> Command {
    let mut root = Cli::command().term_width(WIDTH);
    root.build();
    root
}

fn commands() -> Vec<(Vec<String>, Command)> {
    let mut found = vec![(Vec::new(), root())];
    walk(&root(), &[], &mut |words, command| {
        found.push((words.to_vec(), command.clone()));
    });
    // A walk that finds nothing would judge nothing.
    assert!(found.len() > 15, "{}", found.len());
    found
}

fn options(command: &Command) -> BTreeSet<String> {
    let long = command.get_arguments().filter_map(clap::Arg::get_long);
    let short = command.get_arguments().filter_map(clap::Arg::get_short);
    let long = long.map(|name| format!("--{name}"));
    long.chain(short.map(|name| format!("-{name}"))).collect()
}

#[test]
fn the_help_of_every_command_fits_80_columns_and_has_examples() {
    for (words, mut command) in commands() {
        for help in [command.render_help(), command.render_long_help()] {
            let help = help.to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= WIDTH, "{words:?}: {line:?}");
            }
            assert!(help.contains("Example"), "{words:?}:\n{help}");
        }
    }
}

#[test]
fn every_option_and_argument_of_every_command_is_documented() {
    for (words, command) in commands() {
        for argument in command.get_arguments() {
            let help = argument.get_help().map(ToString::to_string);
            let said = help.is_some_and(|text| !text.trim().is_empty());
            assert!(said, "{words:?}: {}", argument.get_id());
        }
        let about = command.get_about().map(ToString::to_string);
        assert!(about.is_some_and(|text| !text.is_empty()), "{words:?}");
    }
}

/// The lines of a text that run this program, as words; what they are piped to or from and
/// written to is left out, and what stands after the words is no part of them.
fn lines_run(text: &str) -> Vec<Vec<String>> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| {
        let line = line.trim();
        // A pipe into it, or a variable before it.
        let at = line.find("ssmbak ")?;
        let before = &line[..at];
        let leads = before.is_empty() || before.ends_with("| ") || before.ends_with("$(");
        leads.then(|| words(&line[at..]))
    });
    lines.filter(|words| words.len() > 1).collect()
}

/// The words of a shell's line, quotes and comments understood, up to a pipe, a redirection, a
/// second command, or two spaces, after which the help explains.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or(line);
    let mut words = Vec::new();
    let (mut word, mut quote, mut quoted, mut spaces) = (String::new(), None, false, 0);
    for c in line.chars() {
        match (quote, c) {
            (None, '\'' | '"') => (quote, quoted) = (Some(c), true),
            (Some(open), c) if open == c => quote = None,
            (None, ' ') => {
                if !word.is_empty() || quoted {
                    words.push(std::mem::take(&mut word));
                    quoted = false;
                }
                spaces += 1;
                if spaces > 1 {
                    return words;
                }
                continue;
            }
            (None, '|' | '>' | '<' | ';' | '&' | ')') => break,
            (_, c) => word.push(c),
        }
        spaces = 0;
    }
    if !word.is_empty() || quoted {
        words.push(word);
    }
    words
}

/// Capital words stand for something of the reader's.
fn filled(word: &str) -> String {
    let placeholder = match word {
        "PATH" | "PATH/" => "/app/",
        "NAME" => "app",
        "TIME" | "T1" | "T2" => "now",
        "SHELL" => "bash",
        "ARN" => "arn:aws:sns:eu-west-1:123456789012:alarms",
        other => other,
    };
    placeholder.to_owned()
}

fn check_parses(place: &str, line: &[String]) {
    let filled: Vec<String> = line.iter().map(|word| filled(word)).collect();
    if let Err(error) = Cli::command().try_get_matches_from(&filled) {
        assert_eq!(error.exit_code(), 0, "{place}: {}: {error}", line.join(" "));
    }
}

#[test]
fn every_example_of_the_help_can_be_typed() {
    let mut seen = 0;
    for (words, command) in commands() {
        let after = command.get_after_help().map(ToString::to_string);
        let after = after.unwrap_or_default();
        for line in lines_run(&after) {
            check_parses(&format!("{words:?}"), &line);
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}

/// The code of the README, without its prose.
fn readme_code() -> String {
    let blocks = README.split("```").skip(1).step_by(2);
    let shell = blocks.filter(|block| block.starts_with("sh\n"));
    shell.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_line_of_the_readme_can_be_typed() {
    let lines = lines_run(&readme_code());
    assert!(lines.len() > 10, "{lines:?}");
    for line in lines {
        check_parses("README", &line);
    }
}

fn section(title: &str) -> &'static str {
    let from = README.find(title).unwrap();
    let rest = &README[from + title.len()..];
    &rest[..rest.find("\n## ").unwrap_or(rest.len())]
}

#[test]
fn the_readme_tells_every_command_and_every_option_that_all_take() {
    let told = section("## Commands");
    for command in root().get_subcommands() {
        let name = command.get_name();
        let is_told = told.contains(&format!("ssmbak {name}")) || name == "help";
        assert!(is_told, "{name} is not in the README");
    }
    for argument in root().get_arguments().filter(|a| a.is_global_set()) {
        let option = match (argument.get_long(), argument.get_short()) {
            (_, Some(short)) => format!("-{short}"),
            (long, None) => format!("--{}", long.unwrap()),
        };
        let is_told = told
            .split([' ', '`', '\n', '.', ','])
            .any(|word| word == option);
        assert!(is_told, "{option} is not in the README");
    }
}

#[test]
fn the_readme_names_no_option_that_does_not_exist() {
    let known: BTreeSet<String> = commands().iter().flat_map(|(_, c)| options(c)).collect();
    let told = section("## Commands");
    let words = told.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let named: BTreeSet<&str> = words
        .filter(|word| word.starts_with("--") && word.len() > 3)
        .collect();
    assert!(named.len() > 5, "{named:?}");
    for option in named {
        assert!(known.contains(option), "{option} does not exist");
    }
}

#[test]
fn completions_of_every_shell_have_every_command_and_the_global_options() {
    use clap_complete::{Shell, generate};
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let mut script = Vec::new();
        generate(shell, &mut Cli::command(), "ssmbak", &mut script);
        let script = String::from_utf8(script).unwrap();
        for option in ["context", "debug", "region"] {
            assert!(script.contains(option), "{shell}: --{option}");
        }
        for command in Cli::command()
            .get_subcommands()
            .filter(|c| !c.is_hide_set())
        {
            assert!(
                script.contains(command.get_name()),
                "{shell}: {}",
                command.get_name()
            );
        }
    }
}
