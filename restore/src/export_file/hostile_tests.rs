//! Exported files that nobody well-meaning has written.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::reading::parsed;

const HEAD: &str = "ssmbakExport: 1\nPath: /\nTime: 2026-11-20T10:23:31.999Z\nParameters:\n";
const ONE: &str = "- {Name: /a, Type: String, Value: hush}\n";

fn told(text: &str) -> String {
    match parsed(text.as_bytes().to_vec()) {
        Ok(_) => panic!("taken: {}", text.chars().take(200).collect::<String>()),
        Err(refused) => {
            assert!(!refused.hint.is_empty());
            refused.what
        }
    }
}

#[test]
fn what_it_is_made_from_here_is_taken() {
    assert!(parsed(format!("{HEAD}{ONE}").into_bytes()).is_ok());
}

#[test]
fn yaml_that_would_grow_is_refused_before_it_does() {
    // Each level ten of the one before: ten to the ninth at the end.
    let mut laughs = String::from("l0: &l0 [lol,lol,lol,lol,lol,lol,lol,lol,lol,lol]\n");
    for level in 1..10 {
        let before = vec![format!("*l{}", level - 1); 10].join(",");
        writeln!(laughs, "l{level}: &l{level} [{before}]").unwrap();
    }
    for text in [
        format!("{laughs}ssmbakExport: 1\n"),
        format!("{HEAD}{ONE}x: *none\n"),
        format!("{HEAD}- &a {{Name: /a, Type: String, Value: hush}}\n- *a\n"),
        format!("{HEAD}- &a {{Name: /a, Type: String, Value: hush, Tags: {{k: *a}}}}\n"),
    ] {
        assert!(!told(&text).contains("hush"));
    }
}

#[test]
fn nesting_without_end_is_refused_on_a_small_stack() {
    for depth in [200, 5_000, 200_000] {
        for open in ["[", "{a: ", "- ", "? ", "- - [{", "{\"a\":", "[[{\"x\":["] {
            let deep = open.repeat(depth);
            told(&deep);
            told(&format!("ssmbakExport: 1\nPath: {deep}\n"));
            told(&format!("{HEAD}{deep}"));
            told(&format!("{{\"ssmbakExport\": 1, \"x\": {deep}"));
        }
    }
    // By indentation: its length grows with the square.
    let steps: Vec<String> = (0..3_000)
        .map(|n| format!("{}a:\n", " ".repeat(n)))
        .collect();
    told(&steps.concat());
}

#[test]
fn other_documents_tags_and_directives_are_refused() {
    for text in [
        format!("{HEAD}{ONE}---\n{HEAD}{ONE}"),
        format!("{HEAD}{ONE}...\n---\nx: 1\n"),
        format!("{HEAD}- {{Name: /a, Type: String, Value: !!python/object:os.system hush}}\n"),
        format!("{HEAD}- {{Name: /a, Type: String, Value: !env hush}}\n"),
        format!("{HEAD}- !!map [hush]\n"),
        format!("{HEAD}{ONE}Parameters: []\n"),
        format!("{HEAD}- {{Name: /a, Type: String, Value: hush, Value: hush}}\n"),
        format!("{HEAD}- {{Name: /a, Type: String, Value: hush, Tags: {{a: 1, a: 2}}}}\n"),
        format!(
            "{HEAD}- {{Name: /a, Type: String, Value: hush}}\n- {{Name: a, Type: String, Value: hush}}\n"
        ),
    ] {
        assert!(!told(&text).contains("hush"), "{text}");
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    for version in ["-1", "18446744073709551616", "1e400", "0x", ".inf", "1.5"] {
        let text = format!("{HEAD}- {{Name: /a, Type: String, Value: hush, Version: {version}}}\n");
        told(&text);
    }
    for form in ["-1", "1e400", "99999999999999999999", "1.0"] {
        told(&format!("ssmbakExport: {form}\n"));
        told(&format!("{{\"ssmbakExport\": {form}}}"));
    }
}

proptest! {
    #[test]
    fn any_text_of_yaml_or_json_is_read_or_refused_and_tells_no_value(
        head in prop::sample::select(vec!["", "{", HEAD, "ssmbakExport: 1\n", "{\"ssmbakExport\": 1,"]),
        pieces in prop::collection::vec(prop::sample::select(vec![
            "[", "]", "{", "}", ": ", ", ", "- ", "? ", "\n", "  ", "&a ", "*a ", "!x ", "!!str ", "<<: ",
            "|\n", ">-\n", "'", "\"", "\\", "#", "%YAML 1.2\n", "---\n", "...\n", "\t", "\0", "\u{feff}",
            "hush", "Name", "/a", "Value", "Tags", "~", "1e999", "\u{85}", "Count: 1\n", "End: true\n",
        ]), 0..40),
    ) {
        let text = format!("{head}{}", pieces.concat());
        if let Err(refused) = parsed(text.into_bytes()) {
            prop_assert!(!refused.what.contains("hush"), "{}", refused.what);
        }
    }
}
