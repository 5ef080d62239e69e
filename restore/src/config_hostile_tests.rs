//! Configuration files that nobody well-meaning has written.

use proptest::prelude::*;

use super::file::ConfigFile;

const WHOLE: &str = "default-context = \"prod\"\n[contexts.prod]\nprofile = \"p\"\nregion = \"eu-west-1\"\n\
                     bucket = \"b\"\ntable = \"t\"\noutput = \"json\"\naccount = \"123456789012\"\n";

fn told(text: &str) -> String {
    match ConfigFile::parse(text) {
        Ok(_) => panic!("taken: {}", text.chars().take(200).collect::<String>()),
        Err((why, hint)) => {
            assert!(!hint.is_empty());
            why
        }
    }
}

#[test]
fn nesting_without_end_is_refused_on_a_small_stack() {
    for depth in [200, 100_000] {
        told(&format!("a = {}", "[".repeat(depth)));
        told(&format!("a = {}", "{a=".repeat(depth)));
        told(&format!("[{}a]", "a.".repeat(depth)));
        told(&format!("{}a = 1", "a.".repeat(depth)));
        told(&format!("[[{}a]]\n", "contexts.".repeat(depth)));
    }
}

#[test]
fn what_is_there_twice_or_of_another_type_is_named_with_its_line() {
    for (more, says) in [
        ("region = \"x\"\n", "line 9: "),
        ("stack = 99999999999999999999\n", "line 9: "),
        ("stack = 1e999\n", "line 9: "),
        ("stack = 2016-12-31T23:59:60Z\n", "line 9: "),
        ("no-such-key = \"x\"\n", "no-such-key"),
        ("output = \"xml\"\n", "line 9: "),
        ("[contexts.prod]\n", "line 9: "),
        ("stack = \"\"\"\n", "line "),
    ] {
        let why = told(&format!("{WHOLE}{more}"));
        assert!(why.contains(says), "{more}: {why}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_in_one_place(
        cut in 0..WHOLE.len(),
        pieces in prop::collection::vec(prop::sample::select(vec![
            "[", "]", "[[", "{", "}", "=", ",", ".", "\"", "'", "\"\"\"", "\n", "\r", "\\u0000", "\\", "#",
            "\0", "\u{1b}", "\u{202e}", "contexts", "region", "1e999", "0x", "inf", "nan", "true", "x",
        ]), 0..20),
    ) {
        let text = format!("{}{}", &WHOLE[..cut], pieces.concat());
        if let Err((why, hint)) = ConfigFile::parse(&text) {
            prop_assert!(!why.is_empty() && !hint.is_empty());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = ConfigFile::parse(&String::from_utf8_lossy(&bytes));
    }
}
