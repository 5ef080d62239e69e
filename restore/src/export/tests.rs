use std::collections::BTreeMap;
use std::process::Command;

use proptest::prelude::*;
use ssmbak_core::domain::{Attributes, Target, Value};

use super::*;
use crate::error::Exit;
use crate::export_file::ExportedParameter;

fn parameter(name: &str, kind: &str, value: &str) -> ExportedParameter {
    ExportedParameter {
        name: Name::parse(name).unwrap(),
        value: Value::new(value),
        attributes: Attributes {
            parameter_type: kind.into(),
            ..Attributes::default()
        },
        version: Some(1),
        modified: None,
        modified_by: None,
    }
}

fn exported(prefix: Option<&str>, parameters: &[(&str, &str, &str)]) -> Exported {
    Exported {
        target: Target::parse("/", true).unwrap(),
        at: "2026-11-20T10:23:31.999Z".parse().unwrap(),
        prefix: prefix.map(|path| Path::parse(path).unwrap()),
        parameters: parameters
            .iter()
            .map(|(n, k, v)| parameter(n, k, v))
            .collect(),
    }
}

fn text(format: ExportFormat, exported: &Exported) -> String {
    rendered(exported, format).unwrap().0
}

#[test]
fn names_become_variables_whole_or_below_the_prefix() {
    let tree = [
        ("/app/db-1/user.name", "String", "x"),
        ("/app/2nd", "String", "y"),
    ];
    let whole = exported(None, &tree);
    let below = exported(Some("/app/"), &tree);
    let dotenv = text(ExportFormat::Dotenv, &whole);
    assert_eq!(dotenv, "APP_DB_1_USER_NAME=x\nAPP_2ND=y\n");
    let dotenv = text(ExportFormat::Dotenv, &below);
    assert_eq!(dotenv, "DB_1_USER_NAME=x\n_2ND=y\n");
    let tfvars = text(ExportFormat::Tfvars, &whole);
    assert_eq!(tfvars, "app_db-1_user_name = \"x\"\napp_2nd = \"y\"\n");
    let tfvars = text(ExportFormat::Tfvars, &below);
    assert_eq!(tfvars, "db-1_user_name = \"x\"\n_2nd = \"y\"\n");
    let csv = text(ExportFormat::Csv, &below);
    assert!(csv.contains("\ndb-1/user.name,String,x,1,"), "{csv}");
}

#[test]
fn two_names_that_would_be_one_variable_are_refused_by_both_names() {
    let both = exported(None, &[("/a/b", "String", "x"), ("/a_b", "String", "y")]);
    for format in [ExportFormat::Dotenv, ExportFormat::Tfvars] {
        let error = rendered(&both, format).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        let told = error.to_string().to_lowercase();
        assert_eq!(told, "/a/b and /a_b would both be a_b");
    }
    // Case is told apart by Terraform.
    let cases = exported(None, &[("/A", "String", "x"), ("/a", "String", "y")]);
    assert!(rendered(&cases, ExportFormat::Dotenv).is_err());
    assert!(rendered(&cases, ExportFormat::Tfvars).is_ok());
    assert!(rendered(&both, ExportFormat::Csv).is_ok());
}

#[test]
fn dotenv_quotes_only_what_needs_it() {
    let tree = [
        ("/a", "String", "postgres://u:p@h:5432/db?x=1"),
        ("/b", "String", "plain-1.2_3/4:5@6%7+8,9=0"),
        ("/c", "String", "two\nlines # $x `y` \"z\" \\n"),
        ("/d", "String", "it's $5 \"or\" `so` \\n"),
        ("/e", "String", "~"),
        ("/f", "StringList", "a,b"),
    ];
    let expected = "\
A='postgres://u:p@h:5432/db?x=1'
B=plain-1.2_3/4:5@6%7+8,9=0
C='two
lines # $x `y` \"z\" \\n'
D=\"it's \\$5 \\\"or\\\" \\`so\\` \\\\n\"
E='~'
F=a,b
";
    assert_eq!(text(ExportFormat::Dotenv, &exported(None, &tree)), expected);
    let null = exported(None, &[("/a", "String", "a\0b")]);
    let error = rendered(&null, ExportFormat::Dotenv).unwrap_err();
    assert_eq!(error.to_string(), "/a holds a null character");
}

#[test]
fn variables_that_a_shell_takes_for_its_own_are_told() {
    let tree = exported(
        Some("/app/"),
        &[("/app/path", "String", "x"), ("/app/x", "String", "x")],
    );
    let (_, warning) = rendered(&tree, ExportFormat::Dotenv).unwrap();
    assert_eq!(
        warning.unwrap(),
        "a shell that sources this takes PATH for its own"
    );
    let tree = exported(None, &[("/app/path", "String", "x")]);
    assert_eq!(rendered(&tree, ExportFormat::Dotenv).unwrap().1, None);
}

#[test]
fn values_that_a_reader_of_single_lines_takes_apart_are_told() {
    let tree = exported(
        Some("/app/"),
        &[
            ("/app/a", "String", "x\nLD_PRELOAD=/evil"),
            ("/app/b", "String", "x\\n"),
            ("/app/c", "String", "x\rPATH=/evil"),
            ("/app/home", "String", "x"),
        ],
    );
    let (_, warning) = rendered(&tree, ExportFormat::Dotenv).unwrap();
    let told = "a shell that sources this takes HOME for its own; there are line breaks in A, C: \
                `docker run --env-file` takes each line for a variable of its own";
    assert_eq!(warning.unwrap(), told);
}

#[test]
fn a_list_is_a_list_of_strings_for_terraform() {
    let tree = [
        ("/l", "StringList", "a,b c,,${d}"),
        ("/s", "SecureString", "a,b"),
    ];
    let expected = "l = [\"a\", \"b c\", \"\", \"$${d}\"]\ns = \"a,b\"\n";
    assert_eq!(text(ExportFormat::Tfvars, &exported(None, &tree)), expected);
}

#[test]
fn no_template_is_left_in_a_terraform_string() {
    for (value, written) in [
        ("${a}", "\"$${a}\""),
        ("%{if x}", "\"%%{if x}\""),
        ("$${a}", "\"$\\u0024{a}\""),
        ("%%%{a}", "\"%%\\u0025{a}\""),
        ("$%{a}", "\"$%%{a}\""),
        ("$5 100% {x}", "\"$5 100% {x}\""),
        (
            "a\r\n\t\"b\" \\ \u{1b}",
            "\"a\\r\\n\\t\\\"b\\\" \\\\ \\u001B\"",
        ),
        ("é💾", "\"é💾\""),
    ] {
        let tree = exported(None, &[("/a", "String", value)]);
        assert_eq!(
            text(ExportFormat::Tfvars, &tree),
            format!("a = {written}\n")
        );
    }
}

#[test]
fn no_cell_of_csv_can_pass_for_a_formula_and_cells_are_quoted() {
    let tree = [("/a", "String", "=1+1"), ("/b", "String", "a,\"b\"\nc")];
    let csv = text(ExportFormat::Csv, &exported(None, &tree));
    let expected = "\
Name,Type,Value,Version,Modified,ModifiedBy,Description,Tier,DataType,KeyId,AllowedPattern,\
Policies,Labels,Tags
/a,String,'=1+1,1,,,,,,,,[],[],
/b,String,\"a,\"\"b\"\"
c\",1,,,,,,,,[],[],
";
    assert_eq!(csv, expected);
}

#[test]
fn a_file_is_its_owners_alone_and_nothing_is_replaced_unasked() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.env");
    refuse_existing(&path).unwrap();
    write(&path, "A=1\n", false).unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    for error in [
        refuse_existing(&path).unwrap_err(),
        write(&path, "B", false).unwrap_err(),
    ] {
        assert_eq!(error.exit(), Exit::Usage);
        assert!(
            error.to_string().ends_with("out.env is there already"),
            "{error}"
        );
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "A=1\n");
    // What others could read before, they cannot afterwards.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    write(&path, "B=2\n", true).unwrap();
    assert_eq!(
        (mode(&path), std::fs::read_to_string(&path).unwrap()),
        (0o600, "B=2\n".into())
    );
    let link = directory.path().join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    assert!(refuse_existing(&link).is_err());
    let missing = directory.path().join("none/out.env");
    let error = write(&missing, "x", false).unwrap_err();
    assert_eq!(error.exit(), Exit::Failed);
    // Nothing half written is left behind.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}

/// The value of `A` for a shell that sources the file.
fn sourced(text: &str) -> Vec<u8> {
    let mut variables = all_sourced(text);
    variables.remove(&b"A"[..]).unwrap()
}

/// Every variable of a shell that had none and sources the file.
fn all_sourced(text: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".env");
    std::fs::write(&path, text).unwrap();
    let script = "set -aeu; . \"$1\"; exec /usr/bin/env -0";
    let mut shell = Command::new("/bin/sh");
    let output = shell
        .args(["-c", script, "sh"])
        .arg(&path)
        .env_clear()
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    // Nothing was written beside it, by whatever a value says.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    let pairs = output.stdout.split(|byte| *byte == 0);
    let pairs = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=').unwrap();
        (pair[..equals].to_vec(), pair[equals + 1..].to_vec())
    });
    // A shell has a few of its own.
    let own: [&[u8]; 4] = [b"PWD", b"OLDPWD", b"SHLVL", b"_"];
    pairs.filter(|(key, _)| !own.contains(&&key[..])).collect()
}

/// The value of `A` as python-dotenv reads it, without its variables: single
/// quotes undo `\'` and `\\`, double quotes those and `\"`.
fn read_as_dotenv(text: &str) -> String {
    let value = text.strip_prefix("A=").unwrap().strip_suffix('\n').unwrap();
    let Some(quote) = value.chars().next().filter(|c| "'\"".contains(*c)) else {
        let end = value.find(" #").unwrap_or(value.len());
        return value[..end].trim_end().to_owned();
    };
    let escapes: &[char] = if quote == '\'' {
        &['\'', '\\']
    } else {
        &['"', '\'', '\\']
    };
    let mut read = String::new();
    let mut chars = value[1..].chars().peekable();
    loop {
        match chars.next().expect("the quote ends") {
            '\\' if chars.peek().is_some_and(|c| escapes.contains(c)) => {
                read.extend(chars.next());
            }
            c if c == quote => break,
            c => read.push(c),
        }
    }
    assert_eq!(chars.next(), None);
    read
}

/// The text of a quoted HCL template without templates.
fn unescaped(quoted: &str) -> String {
    let inner = quoted.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
    let mut text = String::new();
    let mut rest = inner;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            text.push(c);
            text.push('{');
            rest = &rest[3..];
            continue;
        }
        assert!(
            !rest.starts_with("${") && !rest.starts_with("%{"),
            "a template: {quoted}"
        );
        assert!(c != '"' && !c.is_control(), "{quoted}");
        if c != '\\' {
            text.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let (unescaped, length) = match rest.as_bytes()[1] {
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'"' => ('"', 2),
            b'\\' => ('\\', 2),
            b'u' => (
                char::from_u32(u32::from_str_radix(&rest[2..6], 16).unwrap()).unwrap(),
                6,
            ),
            other => panic!("\\{}", char::from(other)),
        };
        text.push(unescaped);
        rest = &rest[length..];
    }
    text
}

fn some_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[\\x01-\\x20'\"$`\\\\!{}()#~*?;&|<>=a%\\x7f\\u{85}é\\u{1f4be}-]{1,30}",
        proptest::collection::vec(any::<char>().prop_filter("no null", |c| *c != '\0'), 1..40)
            .prop_map(String::from_iter),
    ]
}

/// What would be a second assignment, line, cell or command if it came out of its value.
fn injecting() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\nB=evil\n",
        "\r\nB=evil",
        "'\nB=evil\n'",
        "\"\nB=evil\n\"",
        "'; touch evil; '",
        "\"; touch evil; \"",
        "$(touch evil)",
        "`touch evil`",
        "\\",
        "'",
        "\"",
        "$",
        "${B}",
        "#",
        " ",
        "\n",
        "\r",
        "\t",
        "b = \"evil\"\n",
        "${file(\"/etc/passwd\")}",
        "%{if true}",
        ",",
        "\"\n/b,String,evil",
        "=cmd|' /C calc'!A0",
        "@SUM(A1)",
        "\u{85}",
        "\u{2028}",
        "é",
    ]);
    proptest::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

/// Parameters named `/a`, `/b` and so on with hostile values.
fn hostile_tree() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(injecting(), 1..5)
}

fn tree_of(values: &[String]) -> Exported {
    let names: Vec<String> = ('a'..)
        .take(values.len())
        .map(|c| format!("/{c}"))
        .collect();
    let parameters = names.iter().zip(values);
    let parameters: Vec<_> = parameters
        .map(|(name, value)| (name.as_str(), "String", value.as_str()))
        .collect();
    exported(None, &parameters)
}

/// The cells of CSV as a reader of RFC 4180 takes them.
fn cells(text: &str) -> Vec<Vec<String>> {
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        row.iter().map(str::to_owned).collect()
    });
    rows.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_value_makes_another_variable_of_a_shell_or_is_carried_out(values in hostile_tree()) {
        let text = text(ExportFormat::Dotenv, &tree_of(&values));
        let expected = (b'A'..).map(|key| vec![key]);
        let expected = expected.zip(values.iter().map(|value| value.clone().into_bytes()));
        prop_assert_eq!(all_sourced(&text), expected.collect::<BTreeMap<_, _>>(), "{}", text);
    }
}

proptest! {
    #[test]
    fn no_value_makes_another_line_for_terraform(values in hostile_tree()) {
        let text = text(ExportFormat::Tfvars, &tree_of(&values));
        let lines: Vec<&str> = text.lines().collect();
        prop_assert_eq!(lines.len(), values.len(), "{}", text);
        for ((line, value), key) in lines.iter().zip(&values).zip('a'..) {
            let quoted = line.strip_prefix(&format!("{key} = ")).unwrap();
            prop_assert_eq!(&unescaped(quoted), value);
        }
    }

    #[test]
    fn no_value_makes_another_cell_or_a_formula(values in hostile_tree()) {
        let rows = cells(&text(ExportFormat::Csv, &tree_of(&values)));
        prop_assert_eq!(rows.len(), values.len());
        for ((row, value), name) in rows.iter().zip(&values).zip('a'..) {
            prop_assert_eq!(row.len(), 14);
            prop_assert_eq!(&row[0], &format!("/{name}"));
            let guard = if row[2] == *value { "" } else { "'" };
            prop_assert_eq!(&row[2], &format!("{guard}{value}"));
            prop_assert!(!row[2].starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{:?}", row);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_shell_that_sources_a_dotenv_file_has_the_exact_value(value in some_value()) {
        let text = text(ExportFormat::Dotenv, &exported(None, &[("/a", "String", &value)]));
        prop_assert_eq!(sourced(&text), value.into_bytes(), "{}", text);
    }
}

proptest! {
    #[test]
    fn a_dotenv_library_reads_the_same_where_quotes_alone_can_say_it(value in some_value()) {
        // A library leaves `\$` and `` \` `` as they are, and takes `\\` for one.
        let is_common = if value.contains('\'') {
            !value.contains(['$', '`'])
        } else {
            !value.contains('\\')
        };
        prop_assume!(is_common);
        let text = text(ExportFormat::Dotenv, &exported(None, &[("/a", "String", &value)]));
        prop_assert_eq!(read_as_dotenv(&text), value);
    }

    #[test]
    fn a_terraform_string_is_the_exact_value(value in some_value(), dollars in "[$%{a]{1,12}") {
        for value in [value, dollars] {
            let text = text(ExportFormat::Tfvars, &exported(None, &[("/a", "String", &value)]));
            let quoted = text.strip_prefix("a = ").unwrap().strip_suffix('\n').unwrap();
            prop_assert_eq!(unescaped(quoted), value);
        }
    }
}
