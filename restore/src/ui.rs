//! The person at the other end: what is told on stderr, what is asked, and
//! how wide and colourful their terminal is.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::ops::Deref;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use crate::args::{Format, Global};
use crate::config::Settings;
use crate::error::{CliError, Exit};
use crate::output::{Rows, TableStyle, View, printable, printable_json, printable_lines};

/// Narrower than this no table can be read: what a terminal claims to be is
/// then not believed.
const WIDTH_MIN: u16 = 40;

/// What takes longer than this gets a sign of progress.
const PROGRESS_AFTER: Duration = Duration::from_secs(1);
/// How often that sign moves.
const TICK: Duration = Duration::from_millis(120);

/// How to talk to the person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ui {
    format: Format,
    style: TableStyle,
    quiet: bool,
    asks: bool,
    shows_progress: bool,
}

impl Ui {
    /// What settings and terminal allow.
    pub(crate) fn new(global: &Global, settings: &Settings) -> Self {
        let stdout = io::stdout().is_terminal();
        let stderr = io::stderr().is_terminal();
        Self {
            format: settings.format(),
            style: TableStyle {
                color: stdout && settings.no_color.is_none(),
                width: stdout.then(terminal_width),
            },
            quiet: global.quiet,
            asks: io::stdin().is_terminal() && stderr,
            shows_progress: stderr && !global.quiet,
        }
    }

    /// Tells something that is good to know, in one line; silenced by `-q`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            tell(&printable(text));
        }
    }

    /// As [`Ui::note`], in lines of our own: nothing in it comes from elsewhere.
    pub(crate) fn note_lines(&self, text: &str) {
        if !self.quiet {
            tell(text);
        }
    }

    /// Writes text that comes from elsewhere to stdout, as it is. On a terminal,
    /// which would obey what stands in it, that is escaped, and a note says so.
    pub(crate) fn write_raw(&self, text: &str) -> Result<Exit, CliError> {
        if !self.is_terminal() {
            return write_text(text);
        }
        let shown = printable_lines(text);
        let exit = write_text(&*shown)?;
        if shown != text {
            self.note(
                "characters that a terminal would obey or not show are escaped here; a pipe or a \
                 file gets them as they are",
            );
        }
        Ok(exit)
    }

    /// Whether stdout is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.style.width.is_some()
    }

    /// Whether stdout takes colours.
    pub(crate) fn is_colored(&self) -> bool {
        self.style.color
    }

    /// Whether rows are written as a table, for people.
    pub(crate) fn shows_tables(&self) -> bool {
        self.format == Format::Table
    }

    /// Whether somebody is there to be asked.
    pub(crate) fn can_ask(&self) -> bool {
        self.asks
    }

    /// Asks a question; only `y` or `yes` is a yes. Blocks.
    pub(crate) async fn ask(&self, question: &str) -> Result<bool, CliError> {
        let answer = answer_to(format!("{question} [y/N] ")).await?;
        Ok(is_yes(&answer))
    }

    /// Asks for a word to be typed as it is, on a terminal or as a line of standard input. Blocks.
    pub(crate) async fn ask_for(&self, question: &str, word: &str) -> Result<Typed, CliError> {
        let answer = answer_to(format!("{question} ")).await?;
        Ok(typed(&answer, word))
    }

    /// Begins an output of rows on stdout.
    pub(crate) fn rows(&self) -> Rows<io::Stdout> {
        Rows::new(io::stdout(), self.format, self.style)
    }

    /// Writes rows to stdout.
    pub(crate) fn show<V: View>(&self, rows: &[V]) -> Result<(), CliError> {
        let mut out = self.rows();
        out.page(rows)?;
        Ok(out.finish::<V>()?)
    }

    /// Writes one object to stdout, which in JSON is no list; a table has its
    /// `facts`, one a row.
    pub(crate) fn show_one<V: View, F: View>(
        &self,
        one: &V,
        facts: impl FnOnce(&V) -> serde_json::Result<Vec<F>>,
    ) -> Result<(), CliError> {
        match self.format {
            Format::Table => self.show(&facts(one).map_err(io::Error::from)?),
            Format::Json => {
                let text = serde_json::to_string_pretty(one).map_err(io::Error::from)?;
                write_text(printable_json(text) + "\n").map(|_| ())
            }
            Format::Jsonl | Format::Csv => self.show(std::slice::from_ref(one)),
        }
    }

    /// Shows rows on stderr as a table, before a question.
    pub(crate) fn show_before_asking<V: View>(&self, rows: &[V]) -> Result<(), CliError> {
        let style = TableStyle {
            width: Some(terminal_width()),
            ..self.style
        };
        let mut out = Rows::new(io::stderr(), Format::Table, style);
        out.page(rows)?;
        Ok(out.finish::<V>()?)
    }

    /// A progress bar over `total` steps.
    pub(crate) fn progress(&self, total: u64) -> Progress {
        self.drawn(ProgressBar::new(total), "{bar:30} {pos}/{len} {wide_msg}")
    }

    /// Progress without a known end.
    pub(crate) fn counter(&self) -> Progress {
        self.drawn(ProgressBar::no_length(), "{pos} {wide_msg}")
    }

    /// A sign that something goes on, for as long as what is returned lives.
    pub(crate) fn waiting(&self, what: &'static str) -> Progress {
        let waiting = self.drawn(ProgressBar::new_spinner(), "{spinner} {wide_msg}");
        waiting.bar.set_message(what);
        waiting
    }

    /// Progress is drawn where stderr is a terminal, and only once it has taken a while: what is
    /// done at once does not flicker.
    fn drawn(&self, bar: ProgressBar, template: &str) -> Progress {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        let bar = match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        let begin = self.shows_progress.then(|| {
            let bar = bar.clone();
            tokio::spawn(async move {
                tokio::time::sleep(PROGRESS_AFTER).await;
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(TICK);
            })
        });
        Progress { bar, begin }
    }
}

/// Progress on the terminal; cleared when it goes away.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// What will begin to draw it.
    begin: Option<JoinHandle<()>>,
}

impl Deref for Progress {
    type Target = ProgressBar;

    fn deref(&self) -> &ProgressBar {
        &self.bar
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(begin) = &self.begin {
            begin.abort();
        }
        self.bar.finish_and_clear();
    }
}

/// Writes text to stdout as it is. A reader that has seen enough is no failure.
pub(crate) fn write_text(text: impl AsRef<[u8]>) -> Result<Exit, CliError> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_ref());
    match written.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(Exit::Done),
    }
}

/// Tells of something that is not as it should be; never silenced.
pub(crate) fn warn(text: &str) {
    tell(&format!("warning: {}", printable(text)));
}

/// The way out of warnings: what they name is left as it is.
pub(crate) fn hint_to_repeat() {
    tell(
        "\nhint: see to what the warning names (a key or an action that is denied must be allowed), \
          then run this again: what is done is not done twice",
    );
}

/// As [`hint_to_repeat`], of an undo: without the run it would be of itself.
pub(crate) fn hint_to_undo_again(run: &str) {
    tell(&format!(
        "\nhint: see to what the warning names, then run `ssmbak undo {run}` again: what is done is \
         not done twice; what changed since the run takes --force",
    ));
}

/// Tells something on stderr, line by line. What comes from elsewhere is made
/// safe to show; who puts it into a text makes sure that it is one line.
pub(crate) fn tell(text: &str) {
    let mut stderr = io::stderr().lock();
    for line in text.lines() {
        // Where stderr cannot be written, there is nobody to tell.
        let _ = writeln!(stderr, "{}", printable(line));
    }
}

/// What came where a word was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// The word.
    Right,
    /// Something else.
    Wrong,
    /// Nothing: there is nobody, and no line.
    Nothing,
}

/// Only the end of the line is left out: a word with blanks around it is another.
fn typed(answer: &str, word: &str) -> Typed {
    let line = answer.strip_suffix('\n').map(|line| {
        // The end of a line on Windows, or of a file from there.
        line.strip_suffix('\r').unwrap_or(line)
    });
    match line.unwrap_or(answer) {
        _ if answer.is_empty() => Typed::Nothing,
        line if line == word => Typed::Right,
        _ => Typed::Wrong,
    }
}

/// Writes a question to stderr, and reads a line of stdin; empty at its end.
async fn answer_to(question: String) -> Result<String, CliError> {
    let answer = tokio::task::spawn_blocking(move || -> io::Result<String> {
        // Held no longer than it takes: an interruption must be told while
        // this still waits for its answer.
        let mut stderr = io::stderr();
        write!(stderr, "{}", printable_lines(&question))?;
        stderr.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if !io::stdin().is_terminal() {
            // Nobody has ended the line of the question by typing.
            writeln!(stderr)?;
        }
        Ok(answer)
    });
    Ok(answer.await.map_err(io::Error::other)??)
}

fn is_yes(answer: &str) -> bool {
    let answer = answer.trim();
    answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes")
}

/// Columns of the terminal, or 80 where it does not tell.
fn terminal_width() -> u16 {
    let told = comfy_table::Table::new().width();
    told.filter(|width| *width >= WIDTH_MIN).unwrap_or(80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_right_only_as_it_is() {
        for right in ["prod", "prod\n", "prod\r\n"] {
            assert_eq!(typed(right, "prod"), Typed::Right, "{right:?}");
        }
        for wrong in ["\n", "Prod\n", " prod\n", "prod \n", "yes\n", "prod2"] {
            assert_eq!(typed(wrong, "prod"), Typed::Wrong, "{wrong:?}");
        }
        assert_eq!(typed("", "prod"), Typed::Nothing);
    }

    #[test]
    fn only_yes_is_yes() {
        for yes in ["y", "Y\n", "yes\r\n", " YES "] {
            assert!(is_yes(yes));
        }
        for no in ["", "\n", "n", "no", "yess", "j", "ok"] {
            assert!(!is_yes(no));
        }
    }
}
