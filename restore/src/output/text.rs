//! Text that is safe to show on a terminal.

use std::borrow::Cow;

/// Returns `text` with every character escaped that would not show as itself:
/// control characters (a new line as `\n`), and those that reorder or hide
/// what stands beside them. Nothing else is changed.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hides(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_hides_is_escaped() {
        assert_eq!(printable("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(printable("\u{1b}[31mred\u{9b}"), "\\u{1b}[31mred\\u{9b}");
        assert_eq!(printable("\u{202e}abc"), "\\u{202e}abc");
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for text in ["", "  two blanks ", "{{ö}} \\n 日本", "C:\\temp"] {
            assert_eq!(printable(text), text);
        }
    }
}
