use std::collections::BTreeMap;

use proptest::prelude::*;

use super::reading::{Refused, parsed};
use super::*;
use crate::error::Exit;

/// Written in both forms.
fn written(exported: &Exported) -> [String; 2] {
    [json(exported).unwrap(), yaml(exported)]
}

fn read_back(text: &str) -> Result<Exported, Refused> {
    parsed(text.as_bytes().to_vec())
}

fn parameter(name: &str, value: &str) -> ExportedParameter {
    ExportedParameter {
        name: Name::parse(name).unwrap(),
        value: Value::new(value),
        attributes: Attributes {
            parameter_type: "SecureString".into(),
            description: Some("what it is: \"for\"".into()),
            tier: Some("Advanced".into()),
            key_id: Some("alias/aws/ssm".into()),
            allowed_pattern: Some("^.*\\d$".into()),
            policies: vec![r#"{"Type":"Expiration","Version":"1.0"}"#.into()],
            data_type: Some("text".into()),
            labels: vec!["prod".into()],
            tags: Some(BTreeMap::from([("a:b".into(), "yes".into())])),
        },
        version: Some(7),
        modified: Some("2026-11-20T10:23:30.649Z".parse().unwrap()),
        modified_by: Some("arn:aws:iam::1:user/a".into()),
    }
}

fn exported(parameters: Vec<ExportedParameter>) -> Exported {
    Exported {
        target: Target::parse("/app/", true).unwrap(),
        at: "2026-11-20T10:23:31.999Z".parse().unwrap(),
        prefix: None,
        parameters,
    }
}

/// A file of one parameter with one line of it replaced.
fn edited(from: &str, to: &str) -> [String; 2] {
    let file = exported(vec![parameter("/app/db", "hush 1")]);
    written(&file).map(|text| {
        let from = if text.starts_with('{') {
            from.to_owned()
        } else {
            from.replacen('"', "", 2)
        };
        let to = if text.starts_with('{') {
            to.to_owned()
        } else {
            to.replacen('"', "", 2)
        };
        assert_eq!(text.matches(&from).count(), 1, "{from} in {text}");
        text.replace(&from, &to)
    })
}

fn refused(from: &str, to: &str, why: &str) {
    for text in edited(from, to) {
        let told = read_back(&text).unwrap_err().what;
        assert!(told.contains(why), "{why} in {told}: {text}");
        assert!(!told.contains("hush"), "{told}");
    }
}

#[test]
fn what_is_written_is_read_back_whole() {
    let bare = ExportedParameter {
        attributes: Attributes {
            parameter_type: "String".into(),
            ..Attributes::default()
        },
        version: None,
        modified: None,
        modified_by: None,
        ..parameter("/app/a", "x")
    };
    let file = exported(vec![bare, parameter("/app/db/b", "y")]);
    for text in written(&file) {
        assert_eq!(read_back(&text).unwrap(), file, "{text}");
    }
    let none = exported(Vec::new());
    for text in written(&none) {
        assert_eq!(read_back(&text).unwrap(), none, "{text}");
    }
}

#[test]
fn names_without_their_prefix_are_whole_again_when_read() {
    for (path, prefix, name, relative) in [
        ("/app/", "/app/", "/app/db/user", "\"db/user\""),
        ("/", "/", "/user", "\"user\""),
        ("/app/db", "/app/", "/app/db", "\"db\""),
    ] {
        let file = Exported {
            target: Target::parse(path, path.ends_with('/')).unwrap(),
            prefix: Some(Path::parse(prefix).unwrap()),
            ..exported(vec![parameter(name, "x")])
        };
        for text in written(&file) {
            assert!(text.contains(relative), "{text}");
            assert_eq!(read_back(&text).unwrap(), file, "{text}");
        }
    }
}

#[test]
fn yaml_is_readable_and_everything_in_it_quoted() {
    let text = yaml(&exported(vec![parameter(
        "/app/db",
        "no\nü \u{85}\u{feff}\u{1f600}",
    )]));
    let expected = r#"ssmbakExport: 1
Path: "/app/"
Recursive: true
Time: "2026-11-20T10:23:31.999Z"
Prefix: null
Count: 1
Parameters:
  - Name: "/app/db"
    Type: "SecureString"
    Value: "no\nü \u0085\uFEFF😀"
    Version: 7
    Modified: "2026-11-20T10:23:30.649Z"
    ModifiedBy: "arn:aws:iam::1:user/a"
    Description: "what it is: \"for\""
    Tier: "Advanced"
    DataType: "text"
    KeyId: "alias/aws/ssm"
    AllowedPattern: "^.*\\d$"
    Policies: ["{\"Type\":\"Expiration\",\"Version\":\"1.0\"}"]
    Labels: ["prod"]
    Tags: {"a:b": "yes"}
End: true
"#;
    assert_eq!(text, expected);
}

#[test]
fn a_newer_form_asks_for_a_newer_program() {
    for text in edited("\"ssmbakExport\": 1", "\"ssmbakExport\": 2") {
        let refused = read_back(&text).unwrap_err();
        assert!(refused.what.contains("form 2"), "{refused:?}");
        assert!(refused.hint.contains("newer ssmbak"));
    }
    // Whatever else it has, that is what is told of it.
    for text in edited("\"Path\": \"/app/\"", "\"Novel\": \"x\"") {
        let text = text
            .replace("Export\": 1", "Export\": 2")
            .replace("Export: 1", "Export: 2");
        assert!(read_back(&text).unwrap_err().what.contains("form 2"));
    }
}

#[test]
fn what_is_no_export_is_refused() {
    refused("\"ssmbakExport\": 1", "\"ssmbakExport\": 0", "no export");
    for text in [
        "{}",
        "a: b",
        "{\"Parameters\": []}",
        "[]",
        "hush",
        "- hush",
        "{\"hush",
        "\"hush\"",
    ] {
        let told = read_back(text).unwrap_err().what;
        assert!(!told.contains("hush"), "{told}");
    }
    for text in ["", " \n", "\u{feff}"] {
        assert_eq!(read_back(text).unwrap_err().what, "it is empty");
    }
    let told = parsed(b"ssmbakExport: 1\nPath: \xff".to_vec())
        .unwrap_err()
        .what;
    assert_eq!(told, "it is no UTF-8 after byte 22");
}

#[test]
fn a_mark_of_the_byte_order_is_no_matter() {
    let file = exported(vec![parameter("/app/db", "x")]);
    for text in written(&file) {
        assert_eq!(read_back(&format!("\u{feff}{text}")).unwrap(), file);
    }
}

#[test]
fn the_place_of_what_is_not_understood_is_told_and_no_value() {
    let kind = "\"Type\": \"Secure";
    refused(
        kind,
        "\"Typ\": \"Secure",
        "a field that an export does not have",
    );
    refused(kind, "\"Typ\": \"Secure", "line ");
    refused(
        "\"Tier\": ",
        "\"Teir\": ",
        "a field that an export does not have",
    );
    refused(
        "\"Value\": ",
        "\"Values\": ",
        "a field that an export does not have",
    );
    refused("\"Version\": 7", "\"Version\": \"hush\"", "line ");
    refused("\"Version\": 7", "\"Value\": \"hush\"", "line ");
    refused("\"Recursive\": true", "\"Recursive\": \"hush\"", "line ");
    refused(
        "\"Time\": \"2026-11-20T10:23:31.999Z\"",
        "\"Time\": \"hush\"",
        "an instant such as",
    );
}

#[test]
fn a_file_that_was_cut_is_refused_wherever_that_was() {
    let file = exported(vec![
        parameter("/app/a", "hush 1"),
        parameter("/app/b", "hush 2"),
    ]);
    for text in written(&file) {
        // Cut after its last brace it is whole, and so it is after its last word.
        for end in 0..text.trim_end().len() {
            let told = read_back(&text[..end]).unwrap_err().what;
            assert!(!told.contains("hush"), "{told}");
        }
    }
}

#[test]
fn names_types_values_and_policies_are_judged_with_their_place() {
    refused(
        "\"/app/db\"",
        "\"app/db\"",
        "parameter 1: Name must begin with '/'",
    );
    refused("\"/app/db\"", "\"/app/d b\"", "parameter 1: Name: ");
    refused("\"/app/db\"", "\"/app/\"", "parameter 1: Name: ");
    refused("\"/app/db\"", "\"/app2/db\"", "does not lie in Path, /app/");
    refused("\"SecureString\"", "\"Text\"", "/app/db: Type must be");
    refused("\"hush 1\"", "\"\"", "/app/db: Value is empty");
    for text in edited("\"Prefix\": null", "\"Prefix\": \"/app/\"") {
        assert!(
            read_back(&text)
                .unwrap_err()
                .what
                .contains("relative to Prefix")
        );
    }
    for text in edited("\"Path\": \"/app/\"", "\"Path\": \"a/b\"") {
        assert!(read_back(&text).unwrap_err().what.starts_with("Path: "));
    }
    let mut file = exported(vec![parameter("/app/db", "x")]);
    file.parameters[0].attributes.policies = vec!["hush".into()];
    for text in written(&file) {
        let told = read_back(&text).unwrap_err().what;
        assert!(told.contains("/app/db: each of Policies"), "{told}");
        assert!(!told.contains("hush"), "{told}");
    }
}

#[test]
fn a_name_that_stands_there_twice_is_refused() {
    let file = exported(vec![
        parameter("/app/a", "x"),
        parameter("/app/b", "x"),
        parameter("/app/a", "y"),
    ]);
    for text in written(&file) {
        let told = read_back(&text).unwrap_err().what;
        assert_eq!(told, "parameter 3: /app/a is parameter 1 already");
    }
}

#[test]
fn a_field_or_tag_that_stands_there_twice_is_refused() {
    let file = exported(vec![parameter("/app/db", "hush")]);
    let [json, yaml] = written(&file);
    for (text, twice) in [
        (&json, "\"a:b\": \"yes\", \"a:b\": \"no\""),
        (&yaml, "\"a:b\": \"yes\", \"a:b\": \"no\""),
    ] {
        let text = text.replace("\"a:b\": \"yes\"", twice);
        assert!(read_back(&text).is_err(), "{text}");
    }
    let text = json.replace("\"Type\"", "\"Value\": \"hush\", \"Type\"");
    assert!(
        read_back(&text)
            .unwrap_err()
            .what
            .contains("duplicate field `Value`")
    );
    let text = yaml.replace("    Type", "    Value: \"hush\"\n    Type");
    assert!(read_back(&text).is_err());
}

#[test]
fn yaml_by_hand_is_taken_as_it_is_meant() {
    let text = "\
# by hand
ssmbakExport: 1
Path: /app/
Time: 2026-11-20T10:23:31.999Z
Parameters:
- {Name: /app/b, Type: String, Value: 1e3}
- Name: /app/a
  Type: String
  Value: |
    two
    lines
";
    let file = read_back(text).unwrap();
    let values: Vec<_> = file
        .parameters
        .iter()
        .map(|p| (p.name.as_str(), p.value.expose()))
        .collect();
    assert_eq!(values, [("/app/a", "two\nlines\n"), ("/app/b", "1e3")]);
}

#[test]
fn a_parameter_that_was_taken_out_is_missed_unless_the_count_says_so() {
    let file = exported(vec![parameter("/app/a", "x"), parameter("/app/b", "y")]);
    for text in written(&file) {
        let of_one = text
            .replace("Count\": 2", "Count\": 1")
            .replace("Count: 2", "Count: 1");
        assert_ne!(of_one, text);
        let told = read_back(&of_one).unwrap_err().what;
        assert!(told.contains("Count is 1, and Parameters has 2"), "{told}");
    }
}

#[test]
fn yaml_that_stands_for_more_than_it_is_is_refused() {
    let yaml = yaml(&exported(vec![parameter("/app/db", "x")]));
    for (from, to) in [
        ("\"alias/aws/ssm\"", "&a \"hush\""),
        ("    Tier:", "    <<: {KeyId: \"hush\"}\n    Tier:"),
        ("\"text\"", "!env hush"),
    ] {
        let text = yaml.replace(from, to);
        assert_ne!(text, yaml);
        let told = read_back(&text).unwrap_err().what;
        assert!(!told.contains("hush"), "{told}");
    }
    let two = format!("{yaml}---\n{yaml}");
    assert!(read_back(&two).is_err());
}

#[test]
fn a_tree_as_large_as_parameter_store_can_hold_is_read() {
    let many = (0..20_000)
        .map(|n| parameter(&format!("/app/p{n:05}"), "x"))
        .collect();
    let file = exported(many);
    for text in written(&file) {
        assert_eq!(read_back(&text).unwrap().parameters.len(), 20_000);
    }
}

#[test]
fn a_file_that_is_too_large_or_missing_is_refused_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("big.json");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(FILE_BYTES_MAX + 1).unwrap();
    let error = read(&path).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert!(
        error
            .to_string()
            .contains("big.json: it has more than 64 MiB"),
        "{error}"
    );
    let error = read(&dir.path().join("none")).unwrap_err();
    assert_eq!(error.exit(), Exit::Failed);
    assert!(error.to_string().contains("none"), "{error}");
    std::fs::write(&path, "{").unwrap();
    let error = read(&path).unwrap_err();
    assert!(
        error.to_string().contains("big.json: line 1, column 1: "),
        "{error}"
    );
}

proptest! {
    #[test]
    fn any_value_is_read_back_byte_for_byte(
        value in prop_oneof![
            "[\\x00-\\x20\\x7f-\\xa0\\u{2028}\\u{2029}\\u{feff}\\u{fffe}a:#\"'\\\\-]{1,40}",
            proptest::collection::vec(any::<char>(), 1..60).prop_map(String::from_iter),
            proptest::sample::select(vec![
                " ", "yes", "1e3", "~", "null", "{{", "${a}", "a\r\nb\r\n", "\n", "---", "...", "|",
                "- a", "a: b", "# a", "&a", "*a", "!a", "%a", "@a", "`a", "\t", "0x1f", "2026-01-01",
            ]).prop_map(str::to_owned),
        ],
        tag in any::<String>(),
    ) {
        let mut one = parameter("/app/db", &value);
        one.attributes.description = Some(format!("{value}."));
        one.attributes.tags = Some(BTreeMap::from([(tag.clone(), value.clone())]));
        one.attributes.labels = vec![tag];
        let file = exported(vec![one]);
        for text in written(&file) {
            prop_assert_eq!(&read_back(&text).unwrap(), &file);
        }
    }

    #[test]
    fn whatever_bytes_there_are_they_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = parsed(bytes);
    }

    #[test]
    fn a_file_with_any_byte_changed_is_read_or_refused_and_never_a_value_told(
        place in 0_usize..700, byte in any::<u8>(),
    ) {
        let file = exported(vec![parameter("/app/db", "hush")]);
        for text in written(&file) {
            let mut bytes = text.into_bytes();
            let place = place % bytes.len();
            bytes[place] = byte;
            if let Err(refused) = parsed(bytes) {
                prop_assert!(!refused.what.contains("hush"), "{}", refused.what);
            }
        }
    }
}

#[test]
fn what_a_file_tells_of_key_and_pattern_counts_without_a_data_type() {
    let mut one = parameter("/app/db", "v");
    one.attributes.data_type = None;
    for text in written(&exported(vec![one.clone()])) {
        let read = read_back(&text).unwrap().parameters.remove(0);
        assert_eq!(read.attributes.data_type.as_deref(), Some("text"));
        assert_eq!(read.attributes.key_id, one.attributes.key_id);
    }
    // Of the original tool's nobody knows them: it stays as it is.
    one.attributes.key_id = None;
    one.attributes.allowed_pattern = None;
    one.attributes.policies = Vec::new();
    for text in written(&exported(vec![one.clone()])) {
        let read = read_back(&text).unwrap().parameters.remove(0);
        assert_eq!(read.attributes.data_type, None);
    }
}
