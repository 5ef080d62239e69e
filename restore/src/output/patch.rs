//! Differences as people read them: like the patches of `diff -u`.

use similar::{ChangeTag, TextDiff};

use super::printable;

/// Unchanged lines around a change.
const CONTEXT_LINES: usize = 3;

/// A text of differences in the making. All that comes from elsewhere is made
/// safe to show, line by line.
#[derive(Debug)]
pub(crate) struct Patch {
    text: String,
    color: bool,
}

/// The colours of lines, as other programs have them.
const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";
const GREY: &str = "90";

impl Patch {
    /// An empty one.
    pub(crate) fn new(color: bool) -> Self {
        Self {
            text: String::new(),
            color,
        }
    }

    /// All that was written.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Begins a parameter: what it is at the first instant, and at the second.
    pub(crate) fn header(&mut self, old: &str, new: &str) {
        self.line(BOLD, "--- ", old);
        self.line(BOLD, "+++ ", new);
    }

    /// Something that is not known.
    pub(crate) fn unknown(&mut self, text: &str) {
        self.line(GREY, "? ", text);
    }

    /// Something that is no value.
    pub(crate) fn meta(&mut self, field: &str, text: &str) {
        self.line(YELLOW, "~ ", &format!("{field}: {text}"));
    }

    /// The values at both instants; none where there was no parameter. Values of
    /// one line are shown whole, of others the lines that differ.
    pub(crate) fn value(&mut self, old: Option<&str>, new: Option<&str>) {
        if let (Some(old), Some(new)) = (old, new)
            && (old.contains('\n') || new.contains('\n'))
        {
            return self.hunks(old, new);
        }
        for (value, color, sign) in [(old, RED, "-"), (new, GREEN, "+")] {
            for line in value.iter().flat_map(|value| value.split_inclusive('\n')) {
                self.line(color, sign, line.strip_suffix('\n').unwrap_or(line));
            }
        }
    }

    fn hunks(&mut self, old: &str, new: &str) {
        let diff = TextDiff::from_lines(old, new);
        // Most values have no new line at their end: only where that differs it
        // is worth telling.
        let tells_end = old.ends_with('\n') != new.ends_with('\n');
        let mut unified = diff.unified_diff();
        for hunk in unified.context_radius(CONTEXT_LINES).iter_hunks() {
            self.line(CYAN, "", &hunk.header().to_string());
            for change in hunk.iter_changes() {
                let line = change.value();
                let without_end = line.strip_suffix('\n').unwrap_or(line);
                match change.tag() {
                    ChangeTag::Equal => self.line("", " ", without_end),
                    ChangeTag::Delete => self.line(RED, "-", without_end),
                    ChangeTag::Insert => self.line(GREEN, "+", without_end),
                }
                if tells_end && change.missing_newline() {
                    self.line("", "\\ ", "No new line at the end");
                }
            }
        }
    }

    fn line(&mut self, color: &str, sign: &str, text: &str) {
        let is_colored = self.color && !color.is_empty();
        if is_colored {
            for part in ["\u{1b}[", color, "m"] {
                self.text.push_str(part);
            }
        }
        self.text.push_str(sign);
        self.text.push_str(&printable(text));
        if is_colored {
            self.text.push_str("\u{1b}[0m");
        }
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(old: Option<&str>, new: Option<&str>) -> String {
        let mut patch = Patch::new(false);
        patch.value(old, new);
        patch.into_text()
    }

    #[test]
    fn values_of_one_line_are_shown_whole() {
        assert_eq!(value(Some("a"), Some("b")), "-a\n+b\n");
        assert_eq!(value(None, Some("b\nc\n")), "+b\n+c\n");
        assert_eq!(value(Some("a\rb"), None), "-a\\rb\n");
    }

    #[test]
    fn of_values_of_many_lines_those_that_differ_with_three_around_them() {
        let lines: Vec<String> = (1..=20).map(|n| n.to_string()).collect();
        let old = lines.join("\n") + "\n";
        let new = old.replace("\n10\n", "\nten\n");
        let expected = "@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n";
        assert_eq!(value(Some(&old), Some(&new)), expected);
    }

    #[test]
    fn an_end_that_differs_is_told_and_none_that_does_not() {
        let text = value(Some("a\nb"), Some("a\nb\n"));
        assert_eq!(
            text,
            "@@ -1,2 +1,2 @@\n a\n-b\n\\ No new line at the end\n+b\n"
        );
        let text = value(Some("a\nb"), Some("a\nc"));
        assert_eq!(text, "@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
        let text = value(Some("a\r\nb"), Some("a\nb"));
        assert_eq!(text, "@@ -1,2 +1,2 @@\n-a\\r\n+a\n b\n");
    }

    #[test]
    fn no_line_can_move_the_cursor_or_pass_for_another() {
        let text = value(Some("x\n\u{1b}[2Jy"), Some("x\n\u{202e}z"));
        assert!(text.contains("-\\u{1b}[2Jy\n+\\u{202e}z\n"), "{text}");
        let mut patch = Patch::new(false);
        patch.meta("Description", "a\n+++ /app/other");
        assert_eq!(patch.into_text(), "~ Description: a\\n+++ /app/other\n");
    }

    #[test]
    fn colours_stand_around_whole_lines_and_only_where_they_are_wanted() {
        let mut patch = Patch::new(true);
        patch.header("a", "b");
        patch.value(Some("x"), Some("y"));
        patch.meta("Tier", "m");
        patch.unknown("u");
        let lines: Vec<_> = "1m--- a|1m+++ b|31m-x|32m+y|33m~ Tier: m|90m? u"
            .split('|')
            .map(|line| format!("\u{1b}[{line}\u{1b}[0m\n"))
            .collect();
        assert_eq!(patch.into_text(), lines.concat());
    }

    #[test]
    fn the_largest_value_of_nothing_but_lines_takes_no_time() {
        let old: String = (0..4096)
            .map(|n| if n % 3 == 0 { "a\n" } else { "b\n" })
            .collect();
        let new: String = (0..4096)
            .map(|n| if n % 5 == 0 { "a\n" } else { "c\n" })
            .collect();
        let text = value(Some(&old), Some(&new));
        assert!(text.starts_with("@@"));
    }
}
