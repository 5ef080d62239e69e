use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    let words = line.split('|').filter(|word| !word.is_empty());
    Cli::try_parse_from(std::iter::once("ssmbak").chain(words))
}

fn preview(line: &str) -> PreviewArgs {
    let Command::Preview(args) = parse(line).unwrap().command else {
        panic!("not a preview");
    };
    args
}

#[test]
fn the_arguments_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn a_time_may_begin_with_a_minus_wherever_the_flags_are() {
    for line in [
        "preview|/app/|-2h|-R",
        "preview|/app/|-R|-2h",
        "preview|-R|/app/|-2h",
        "preview|/app/|-2h|--recursive",
        "preview|/app/|--recursive|--|-2h",
    ] {
        let args = preview(line);
        let (path, time) = (args.path.as_deref(), args.time.as_deref());
        assert_eq!((path, time), (Some("/app/"), Some("-2h")));
        assert!(args.recursive, "{line}");
        assert!(!args.all && !args.reveal && !args.exit_code, "{line}");
    }
    let args = preview("preview|/app/|-2h30m|--all|--reveal|--exit-code|-q");
    assert_eq!(args.time.as_deref(), Some("-2h30m"));
    assert!(args.all && args.reveal && args.exit_code && !args.recursive);
}

#[test]
fn every_command_with_a_time_takes_a_minus() {
    let cli = parse("restore|/app/|-1day|-R|--yes").unwrap();
    assert!(
        matches!(cli.command, Command::Restore(a) if a.yes && a.recursive && a.time.as_deref() == Some("-1day"))
    );
    let cli = parse("show|/app/db|-2h|--reveal").unwrap();
    assert!(matches!(cli.command, Command::Show(a) if a.reveal && a.time == "-2h"));
    let cli = parse("diff|/app/|-2h|-1h|-R|--exit-code").unwrap();
    assert!(
        matches!(cli.command, Command::Diff(a) if a.recursive && a.exit_code
        && (a.from.as_str(), a.to.as_str()) == ("-2h", "-1h"))
    );
    let cli = parse("export|/app/|-2h|--format|yaml|--to|f").unwrap();
    assert!(
        matches!(cli.command, Command::Export(a) if a.time == "-2h" && !a.reveal
        && a.format == ExportFormat::Yaml && a.to.is_some())
    );
    let cli = parse("history|/app/|-R|--since|-2h|--until|-1h").unwrap();
    assert!(matches!(cli.command, Command::History(a) if a.recursive
        && a.since.as_deref() == Some("-2h") && a.until.as_deref() == Some("-1h")));
}

#[test]
fn a_plan_says_itself_what_is_restored_and_how() {
    let cli = parse("restore|--plan|plan.json|--yes|--force|--reveal").unwrap();
    assert!(matches!(cli.command, Command::Restore(a) if a.plan.is_some() && a.force));
    for more in [
        "/app/",
        "/app/|-2h",
        "-R",
        "--labels",
        "--recreate",
        "--key-id|k",
    ] {
        let error = parse(&format!("restore|--plan|plan.json|{more}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{more}");
    }
    for line in ["restore", "restore|/app/", "restore|/app/|-2h|--force"] {
        let told = parse(line).unwrap_err().to_string();
        assert!(
            told.contains("ssmbak restore [OPTIONS] PATH TIME\n"),
            "{told}"
        );
        assert!(
            told.contains("ssmbak restore [OPTIONS] --plan FILE"),
            "{told}"
        );
    }
    for command in ["preview", "restore"] {
        assert!(parse(&format!("{command}|--from|f.json")).is_ok());
        assert!(parse(&format!("{command}|--from|f.json|/app/|-R|--labels")).is_ok());
        assert!(parse(&format!("{command}|--from|f.json|/app/|-2h")).is_err());
        assert!(parse(&format!("{command}|--from|f.json|--plan|p.json")).is_err());
    }
    assert!(parse("restore|--from|f.json|--force").is_err());
    assert!(parse("preview|/app/|-2h|--overwrite").is_err());
    assert!(parse("preview|/app/|-2h|--plan|p|--overwrite").is_ok());
}

#[test]
fn the_defaults_are_now_everything_and_a_table() {
    let cli = parse("show|/app/db").unwrap();
    assert!(matches!(cli.command, Command::Show(a) if a.time == "now"));
    let cli = parse("diff|/app/|-2h").unwrap();
    assert!(matches!(cli.command, Command::Diff(a) if a.to == "now" && !a.reveal));
    let cli = parse("export|/app/|now").unwrap();
    assert!(
        matches!(cli.command, Command::Export(a) if a.format == ExportFormat::Json
        && !a.overwrite && !a.strip_prefix)
    );
    let cli = parse("seed").unwrap();
    assert!(matches!(cli.command, Command::Seed(a) if a.paths == ["/"] && !a.do_it));
    assert_eq!(cli.global.output, None);
}

#[test]
fn an_import_names_the_bucket_it_reads_and_takes_everything() {
    let cli = parse("import|--from-bucket|old").unwrap();
    assert!(
        matches!(cli.command, Command::Import(a) if a.from_bucket == "old" && a.prefix == "/"
        && !a.do_it && a.from_profile.is_none() && a.from_region.is_none())
    );
    assert_eq!(parse("import|--do-it").unwrap_err().exit_code(), 2);
}

#[test]
fn global_options_may_stand_before_or_after_the_command() {
    for line in [
        "--region|eu-west-1|--output|json|-vv|history|/app/",
        "history|/app/|--region|eu-west-1|--output|json|-v|-v",
    ] {
        let global = parse(line).unwrap().global;
        assert_eq!(global.region.as_deref(), Some("eu-west-1"));
        assert_eq!((global.output, global.verbose), (Some(Format::Json), 2));
    }
}

#[test]
fn a_stack_has_a_name_and_a_verb() {
    let cli = parse("stack|prod|create|--function-zip|f.zip|--arch|x86_64").unwrap();
    let Command::Stack(args) = cli.command else {
        panic!("not a stack");
    };
    assert_eq!(args.name, "prod");
    assert!(matches!(args.verb, StackVerb::Create(a) if a.code.arch == Some(Arch::X8664)));
    for verb in [
        "update",
        "delete",
        "status",
        "resources",
        "bucketname",
        "tablename",
        "lambdaname",
        "region",
        "template",
    ] {
        assert!(parse(&format!("stack|prod|{verb}")).is_ok(), "{verb}");
    }
}

#[test]
fn wrong_usage_exits_with_2_and_help_with_0() {
    for line in [
        "",
        "preview",
        "preview|/app/",
        "preview|/app/|2h|ago",
        "preview|/app/|now|--nonsense",
        "history|/app/|--output|xml",
        "diff|/app/",
        "export|/app/",
        "export|/app/|now|--format|xml",
        "export|/app/|now|--overwrite",
        "show|/app/db|--metadata|--reveal",
        "stack|prod|explode",
        "completions|cobol",
        "nonsense",
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
    for line in ["--help", "--version", "preview|--help", "-h"] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 0, "{line}");
        assert!(matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
        ));
    }
}

fn assert_narrow(help: &str) {
    for line in help.lines() {
        assert!(line.chars().count() <= 80, "{line:?} in\n{help}");
    }
}

#[test]
fn a_setting_is_refused_by_name_with_what_is_allowed() {
    for (option, value, allowed) in [
        ("--log-level", "loud", "error, warn, info or debug"),
        ("--log-retention-days", "2", "one of 1, 3, 5"),
        ("--alarm-topic", "alarms", "the ARN of an SNS topic"),
        ("--oldest-message-alarm", "5", "60 at least"),
        ("--capture-lag-alarm", "-5", "60 at least"),
        ("--secure-string-keys", "alias/a", "ARNs of KMS keys"),
        ("--object-lock-days", "-1", "0 is off"),
        ("--object-lock-mode", "strict", "governance or compliance"),
        ("--expire-superseded-days", "x", "0 is off"),
        ("--keep-superseded", "0", "from 1 to 100"),
        ("--reconcile-schedule", "daily", "rate(1 hour)"),
        ("--tag", "team", "KEY=VALUE"),
    ] {
        for verb in ["create", "update"] {
            let error = parse(&format!("stack|prod|{verb}|{option}={value}")).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let told = error.to_string();
            for part in [option, value, allowed] {
                assert!(told.contains(part), "{part} in {told}");
            }
        }
    }
    let error = parse("stack|prod|create|--encryption|mine").unwrap_err();
    assert!(error.to_string().contains("own, none, or the ARN"));
    assert!(parse("stack|prod|update|--encryption|own").is_err());
}

#[test]
fn a_switch_of_a_stack_is_on_off_or_not_said() {
    let said = |switch: &str| {
        let cli = parse(&format!("stack|prod|update|{switch}")).unwrap();
        let Command::Stack(StackArgs {
            verb: StackVerb::Update(args),
            ..
        }) = cli.command
        else {
            panic!("not an update");
        };
        args.settings.settings().restorer_needs_mfa
    };
    assert_eq!(said(""), None);
    assert_eq!(said("--restorer-needs-mfa"), Some(true));
    assert_eq!(said("--restorer-needs-mfa=false"), Some(false));
}

#[test]
fn the_switch_for_emulators_is_hidden_in_the_short_help() {
    let mut root = Cli::command().term_width(80);
    root.build();
    let stack = root.find_subcommand_mut("stack").unwrap();
    for verb in ["create", "update"] {
        let verb = stack.find_subcommand_mut(verb).unwrap();
        let (short, long) = (verb.render_help(), verb.render_long_help());
        assert!(!short.to_string().contains("--enforce-tls"));
        assert!(long.to_string().contains("--enforce-tls"));
        for help in [short, long] {
            assert_narrow(&help.to_string());
        }
    }
}
