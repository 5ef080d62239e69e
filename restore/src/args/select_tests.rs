use super::*;

const NAMES: [&str; 7] = [
    "/app/db",
    "/app/db2",
    "/app/web/db",
    "/app/web/url",
    "/app/web/deep/url",
    "/app/api/url",
    "/app/web",
];

/// The names under `/app/` that are selected.
fn selected(include: &[&str], exclude: &[&str]) -> Vec<&'static str> {
    let owned = |texts: &[&str]| texts.iter().map(|&t| t.to_owned()).collect();
    let args = SelectArgs {
        include: owned(include),
        exclude: owned(exclude),
        ..SelectArgs::default()
    };
    let selection = args.selection(&app()).unwrap();
    let takes = |name: &&str| selection.names.takes(&Name::parse(name).unwrap());
    NAMES.into_iter().filter(takes).collect()
}

fn app() -> Target {
    Target::parse("/app/", true).unwrap()
}

#[test]
fn a_pattern_without_a_slash_is_about_the_last_level_anywhere() {
    assert_eq!(selected(&["db"], &[]), ["/app/db", "/app/web/db"]);
    let both = ["/app/db", "/app/db2", "/app/web/db"];
    assert_eq!(selected(&["db*"], &[]), both);
}

#[test]
fn a_pattern_with_a_slash_is_relative_to_the_path() {
    assert_eq!(selected(&["web/*"], &[]), ["/app/web/db", "/app/web/url"]);
    let under = ["/app/web/db", "/app/web/url", "/app/web/deep/url"];
    assert_eq!(selected(&["web/**"], &[]), under);
    assert_eq!(selected(&["web/"], &[]), under);
    assert_eq!(selected(&["*/url"], &[]), ["/app/web/url", "/app/api/url"]);
}

#[test]
fn a_pattern_that_begins_with_a_slash_is_about_the_whole_name() {
    assert_eq!(selected(&["/app/d*"], &[]), ["/app/db", "/app/db2"]);
    assert_eq!(selected(&["/*"], &[]), [""; 0]);
    let urls = ["/app/web/url", "/app/web/deep/url", "/app/api/url"];
    assert_eq!(selected(&["/**/url"], &[]), urls);
}

#[test]
fn what_is_excluded_is_not_included() {
    assert_eq!(selected(&["db*"], &["web/**"]), ["/app/db", "/app/db2"]);
    assert_eq!(selected(&["db"], &["db"]), [""; 0]);
    let rest = ["/app/db2", "/app/api/url", "/app/web"];
    assert_eq!(selected(&[], &["/app/db", "web/**"]), rest);
    assert_eq!(selected(&[], &[]), NAMES);
}

#[test]
fn a_pattern_of_one_name_is_relative_to_what_stands_above_it() {
    let args = SelectArgs {
        include: vec!["web/u*".into()],
        ..SelectArgs::default()
    };
    let of = |path: &str| {
        let target = Target::parse(path, false).unwrap();
        let name = Name::parse(path).unwrap();
        args.selection(&target).unwrap().names.takes(&name)
    };
    assert!(!of("/app/web/url"));
    let args = SelectArgs {
        include: vec!["u*".into()],
        ..SelectArgs::default()
    };
    let name = Name::parse("/app/web/url").unwrap();
    let selection = args.selection(&Target::Name(name.clone())).unwrap();
    assert!(selection.names.takes(&name));
}

#[test]
fn a_pattern_that_is_none_is_refused_by_name() {
    for (pattern, why) in [("", "empty"), ("a[", "unclosed"), ("{a", "unclosed")] {
        let args = SelectArgs {
            exclude: vec![pattern.into()],
            ..SelectArgs::default()
        };
        let error = args.selection(&app()).unwrap_err();
        assert_eq!(error.exit(), crate::error::Exit::Usage);
        let told = error.to_string();
        assert!(told.contains(&format!("--exclude {pattern:?}")), "{told}");
        assert!(told.contains(why), "{told}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn a_pattern_without_end_is_refused_and_not_worked_out() {
    let target = Target::parse("/app/", true).unwrap();
    for text in [
        "?".repeat(120_000),
        "*".repeat(120_000),
        "[a-z]".repeat(24_000),
        "{a,".repeat(40_000),
        format!("{}{}", "{".repeat(60_000), "}".repeat(60_000)),
        "[\u{0}-\u{10ffff}]".repeat(10_000),
        "**/".repeat(40_000),
    ] {
        let Err(refused) = pattern("--only", &text, &target) else {
            panic!("taken: {}", &text[..20]);
        };
        assert!(refused.to_string().len() < 1_000);
    }
}

#[test]
fn the_longest_patterns_that_are_taken_are_worked_out() {
    let target = Target::parse("/app/", true).unwrap();
    let longest = |part: &str| part.repeat(PATTERN_BYTES_MAX / part.len());
    for text in [
        longest("?"),
        longest("*"),
        longest("a*"),
        longest("[a-z]"),
        longest("[\u{0}-\u{10ffff}]"),
        longest("**/"),
        longest("/**/a"),
        format!("{}a{}", "{".repeat(CHOICES_MAX), "}".repeat(CHOICES_MAX)),
        "{a*,**/b}/".repeat(CHOICES_MAX),
        format!("{{{}}}", longest("a,").trim_end_matches("a,")),
    ] {
        let _ = pattern("--only", &text, &target).map(|p| p.matches(&Name::parse("/a/b").unwrap()));
    }
}

proptest::proptest! {
    #[test]
    fn any_pattern_is_read_or_refused(
        text in "[a*?/{},!\\[\\]\\\\^-]{0,30}|\\PC{0,20}", name in "(/[ab.-]{1,3}){1,4}",
    ) {
        let target = Target::parse("/app/", true).unwrap();
        if let Ok(pattern) = pattern("--only", &text, &target) {
            let _ = pattern.matches(&Name::parse(&name).unwrap());
        }
    }
}
