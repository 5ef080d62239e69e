use std::path::Path;

use clap::Parser as _;

use super::*;
use crate::args::Cli;
use crate::error::Exit;

const ALL: &str = r#"
[contexts.prod]
profile = "context-profile"
region = "context-region"
endpoint-url = "http://context"
stack = "context-stack"
bucket = "context-bucket"
table = "context-table"
output = "jsonl"
account = "123456789012"

[contexts.bare]
"#;

fn global(line: &[&str]) -> Global {
    let words = ["ssmbak", "config"].into_iter().chain(line.iter().copied());
    Cli::try_parse_from(words).unwrap().global
}

fn environment(set: &[(&str, &str)]) -> Environment {
    Environment::from(|name| {
        let found = set.iter().find(|(own, _)| *own == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn place() -> Place {
    Place {
        path: "/etc/c.toml".into(),
        named: false,
    }
}

fn resolve_with(
    text: &str,
    line: &[&str],
    variables: &[(&str, &str)],
) -> Result<Settings, CliError> {
    let file = ConfigFile::parse(text).unwrap();
    Settings::resolve(
        &global(line),
        &environment(variables),
        Some(&place()),
        Some(&file),
    )
}

fn resolve(line: &[&str], variables: &[(&str, &str)]) -> Settings {
    resolve_with(ALL, line, variables).unwrap()
}

/// One setting, with its option, its variables (the first counts first) and its value in the
/// context.
type Layered = (
    fn(&Settings) -> &Text,
    &'static str,
    &'static [&'static str],
    &'static str,
);

const LAYERED: [Layered; 6] = [
    (
        |s| &s.profile,
        "--profile",
        &["AWS_PROFILE"],
        "context-profile",
    ),
    (
        |s| &s.region,
        "--region",
        &["AWS_REGION", "AWS_DEFAULT_REGION"],
        "context-region",
    ),
    (
        |s| &s.endpoint_url,
        "--endpoint-url",
        &["AWS_ENDPOINT_URL"],
        "http://context",
    ),
    (|s| &s.stack, "--stack", &["SSMBAK_STACK"], "context-stack"),
    (
        |s| &s.bucket,
        "--bucket",
        &["SSMBAK_BUCKET"],
        "context-bucket",
    ),
    (|s| &s.table, "--table", &["SSMBAK_TABLE"], "context-table"),
];

fn of_context(name: &str) -> Source {
    Source::Context {
        name: name.into(),
        file: "/etc/c.toml".into(),
    }
}

#[test]
fn flags_come_before_the_environment_and_that_before_the_context() {
    for (setting, option, variables, in_context) in LAYERED {
        let in_prod = ["--context", "prod"];
        let with_flag = [&in_prod[..], &[option, "by-flag"]].concat();
        let mut set: Vec<(&str, &str)> = variables.iter().map(|v| (*v, *v)).collect();
        let is = |line: &[&str], set: &[(&str, &str)], value: &str, source: Source| {
            let settings = resolve(line, set);
            let expected = Set {
                value: value.to_owned(),
                source,
            };
            assert_eq!(
                setting(&settings),
                &Some(expected),
                "{option}: {line:?} {set:?}"
            );
        };
        is(&with_flag, &set, "by-flag", Source::Flag(option));
        while let Some((first, _)) = set.first().copied() {
            let by = variables.iter().find(|name| **name == first).unwrap();
            is(&in_prod, &set, first, Source::Variable(by));
            set.remove(0);
        }
        is(&in_prod, &[], in_context, of_context("prod"));
        let empty: Vec<(&str, &str)> = variables.iter().map(|v| (*v, "")).collect();
        let with_empty = [&in_prod[..], &[option, ""]].concat();
        is(&with_empty, &empty, in_context, of_context("prod"));
        assert_eq!(setting(&resolve(&[], &[])), &None, "{option}");
        assert_eq!(setting(&resolve(&["--context", "bare"], &[])), &None);
    }
}

#[test]
fn the_form_of_the_output_is_an_option_or_the_contexts() {
    let of = |line: &[&str]| resolve(line, &[]).output.map(|set| (set.value, set.source));
    let flag = of(&["--context", "prod", "--output", "csv"]);
    assert_eq!(flag, Some((Format::Csv, Source::Flag("--output"))));
    let context = of(&["--context", "prod"]);
    assert_eq!(context, Some((Format::Jsonl, of_context("prod"))));
    assert_eq!(of(&[]), None);
    assert_eq!(resolve(&[], &[]).format(), Format::Table);
}

#[test]
fn an_account_is_told_by_the_context_alone() {
    let account = resolve(&["--context", "prod"], &[]).account.unwrap();
    assert_eq!(account.value, "123456789012");
    assert_eq!(resolve(&[], &[]).account, None);
}

#[test]
fn the_context_is_named_by_option_variable_or_file_in_this_order() {
    let text = "default-context = \"a\"\n[contexts.a]\n[contexts.b]\n[contexts.c]";
    let of = |line: &[&str], variables: &[(&str, &str)]| {
        let context = resolve_with(text, line, variables)
            .unwrap()
            .context
            .unwrap();
        (context.value, context.source)
    };
    let variable = [("SSMBAK_CONTEXT", "b")];
    let flag = of(&["--context", "c"], &variable);
    assert_eq!(flag, ("c".into(), Source::Flag("--context")));
    assert_eq!(
        of(&[], &variable),
        ("b".into(), Source::Variable("SSMBAK_CONTEXT"))
    );
    assert_eq!(
        of(&[], &[]),
        ("a".into(), Source::File("/etc/c.toml".into()))
    );
}

#[test]
fn colours_are_refused_by_option_or_variable() {
    let of = |line: &[&str], variables: &[(&str, &str)]| resolve(line, variables).no_color;
    let variable = [("NO_COLOR", "1")];
    assert_eq!(
        of(&["--no-color"], &variable),
        Some(Source::Flag("--no-color"))
    );
    assert_eq!(of(&[], &variable), Some(Source::Variable("NO_COLOR")));
    assert_eq!(of(&[], &[("NO_COLOR", "")]), None);
}

#[test]
fn who_names_another_stack_does_not_mean_the_contexts_bucket_and_table() {
    for (line, variables) in [
        (&["--context", "prod", "--stack", "other"][..], &[][..]),
        (&["--context", "prod"], &[("SSMBAK_STACK", "other")]),
    ] {
        let settings = resolve(line, variables);
        assert_eq!((settings.bucket, settings.table), (None, None), "{line:?}");
        let told = "not used: bucket of context prod (/etc/c.toml) and table of context prod";
        assert!(settings.warnings[0].starts_with(told), "{line:?}");
    }
    let both = resolve(
        &["--context", "prod", "--stack", "other", "--bucket", "b"],
        &[],
    );
    assert!(both.bucket.unwrap().is_flag() && both.table.is_none());
}

const STAGING: [(&str, &str); 3] = [
    ("SSMBAK_STACK", "staging"),
    ("SSMBAK_BUCKET", "staging-bucket"),
    ("SSMBAK_TABLE", "staging-table"),
];

#[test]
fn a_stack_given_as_an_option_does_not_get_the_environments_bucket_and_table() {
    let settings = resolve(&["--stack", "prod"], &STAGING);
    assert_eq!((&settings.bucket, &settings.table), (&None, &None));
    assert_eq!(
        settings.warnings,
        [
            "not used: SSMBAK_BUCKET and SSMBAK_TABLE, since --stack names the stack prod; \
          --bucket and --table would count"
        ]
    );
    let half = resolve(&["--stack", "prod", "--bucket", "b"], &STAGING);
    assert!(half.bucket.unwrap().is_flag() && half.table.is_none());
    assert!(half.warnings[0].starts_with("not used: SSMBAK_TABLE, since"));
    let both = ["--stack", "prod", "--bucket", "b", "--table", "t"];
    let both = resolve(&both, &STAGING);
    assert!(both.bucket.unwrap().is_flag() && both.table.unwrap().is_flag());
    assert_eq!(both.warnings, [""; 0]);
}

#[test]
fn who_names_stack_bucket_and_table_in_one_place_means_them() {
    for variables in [&STAGING[..], &STAGING[1..]] {
        let settings = resolve(&[], variables);
        let value = |set: Text| set.unwrap().value;
        assert_eq!(value(settings.bucket), "staging-bucket");
        assert_eq!(value(settings.table), "staging-table");
        assert_eq!(settings.warnings, [""; 0]);
    }
}

#[test]
fn bucket_and_table_of_two_layers_are_refused_with_both() {
    let refused = |line: &[&str], variables: &[(&str, &str)]| {
        let error = resolve(line, variables).refuse_mixed().unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        error.to_string()
    };
    assert_eq!(
        refused(&["--context", "prod"], &STAGING[1..2]),
        "the bucket is set by SSMBAK_BUCKET and the table by context prod (/etc/c.toml): they may \
         be of two stacks"
    );
    let told = refused(&["--table", "t"], &STAGING);
    assert!(
        told.contains("SSMBAK_BUCKET and the table by --table"),
        "{told}"
    );
    for (line, variables) in [
        (&["--context", "prod"][..], &[][..]),
        (&[], &STAGING[..]),
        (&["--bucket", "b", "--table", "t"], &STAGING),
        (&["--bucket", "b"], &[]),
    ] {
        resolve(line, variables).refuse_mixed().unwrap();
    }
}

#[test]
fn credentials_of_the_environment_before_a_contexts_profile_are_warned_of() {
    let key = [("AWS_ACCESS_KEY_ID", "set")];
    let warnings = resolve(&["--context", "prod"], &key).warnings;
    let [warning] = warnings.as_slice() else {
        panic!("{warnings:?}");
    };
    for part in [
        "AWS_ACCESS_KEY_ID",
        "context-profile",
        "prod",
        "/etc/c.toml",
    ] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
    let flag = ["--context", "prod", "--profile", "mine"];
    assert_eq!(resolve(&flag, &key).warnings, [""; 0]);
    assert_eq!(resolve(&["--context", "bare"], &key).warnings, [""; 0]);
    assert_eq!(resolve(&["--context", "prod"], &[]).warnings, [""; 0]);
}

#[test]
fn an_unknown_context_is_refused_with_those_there_are() {
    let error = resolve_with(ALL, &["--context", "prdo"], &[]).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(
        error.to_string(),
        "there is no context prdo (from --context)"
    );
    let hint = error.hint().unwrap();
    assert_eq!(hint, "the contexts in /etc/c.toml are: bare, prod");
    let default = resolve_with("default-context = \"x\"", &[], &[]).unwrap_err();
    assert!(
        default
            .to_string()
            .contains("no context x (from /etc/c.toml)")
    );
    let asked = global(&["--context", "x"]);
    let none = Settings::resolve(&asked, &environment(&[]), Some(&place()), None);
    let hint = none.unwrap_err().hint().unwrap();
    assert!(
        hint.contains("there is no configuration file /etc/c.toml"),
        "{hint}"
    );
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_line_and_key() {
    for (text, told) in [
        (
            "[contexts.a]\nregoin = \"x\"",
            "line 2: regoin: unknown field `regoin`",
        ),
        ("colour = 1", "line 1: colour: unknown field `colour`"),
        ("[contexts.a]\n\nregion = 5", "line 3: region: invalid type"),
        (
            "[contexts.a]\noutput = \"xml\"",
            "line 2: output: one of table",
        ),
        (
            "[contexts.a]\naccount = \"12345\"",
            "line 2: account: the twelve digits",
        ),
        (
            "[contexts.a]\naccount = 123456789012",
            "line 2: account: invalid type",
        ),
        ("[contexts.a\nregion = \"x\"", "line 1: "),
        (
            "[contexts.a]\nregion = \"x\"\nregion = \"y\"",
            "line 3: region: duplicate key",
        ),
        ("contexts = 3", "line 1: contexts: invalid type"),
    ] {
        let (why, hint) = ConfigFile::parse(text).unwrap_err();
        assert!(why.starts_with(told), "{why} for {text}");
        assert!(hint.contains("endpoint-url"), "{hint}");
    }
}

#[test]
fn what_a_file_wrongly_holds_is_not_repeated() {
    let text = "[contexts.a]\naws_secret_access_key = \"hush\"";
    let (why, _) = ConfigFile::parse(text).unwrap_err();
    assert!(
        why.contains("aws_secret_access_key") && !why.contains("hush"),
        "{why}"
    );
}

#[test]
fn the_file_is_where_xdg_says_or_where_it_is_named() {
    let path = |variables: &[(&str, &str)]| {
        let place = Place::of(&environment(variables));
        place.map(|place| (place.path.display().to_string(), place.named))
    };
    let (home, xdg) = (("HOME", "/h"), ("XDG_CONFIG_HOME", "/x"));
    let found = |path: &str, named| Some((path.to_owned(), named));
    assert_eq!(path(&[home]), found("/h/.config/ssmbak/config.toml", false));
    assert_eq!(path(&[home, xdg]), found("/x/ssmbak/config.toml", false));
    let relative = ("XDG_CONFIG_HOME", "x");
    assert_eq!(
        path(&[home, relative]),
        found("/h/.config/ssmbak/config.toml", false)
    );
    assert_eq!(path(&[home, xdg, ("SSMBAK_CONFIG", "c")]), found("c", true));
    assert_eq!(path(&[]), None);
}

#[test]
fn a_file_is_read_strictly_and_only_if_it_has_to_be_there_missed() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str, named| Place {
        path: directory.path().join(name),
        named,
    };
    assert_eq!(at("none", false).read().unwrap(), None);
    let told = |place: &Place| {
        let error = place.read().unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        let text = error.to_string();
        assert!(
            text.starts_with(&place.path.display().to_string()),
            "{text}"
        );
        text
    };
    assert!(told(&at("none", true)).contains("there is no such file"));
    let write =
        |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
    write("long", &vec![b'#'; 1024 * 1024 + 1]);
    assert!(told(&at("long", false)).contains("longer than 1 MiB"));
    write("longest", &vec![b'#'; 1024 * 1024]);
    assert_eq!(
        at("longest", false).read().unwrap(),
        Some(ConfigFile::default())
    );
    write("bytes", &[0xff, 0xfe]);
    assert!(told(&at("bytes", false)).contains("UTF-8"));
    write("wrong", b"x = 1");
    assert!(told(&at("wrong", false)).contains("line 1: x: "));
    assert!(told(&at(".", false)).contains("cannot be read"));
    assert!(Path::new("/dev/zero").exists());
    let endless = Place {
        path: "/dev/zero".into(),
        named: true,
    };
    assert!(told(&endless).contains("longer than 1 MiB"));
}
