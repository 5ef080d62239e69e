//! Which of the parameters are meant.

use clap::{Args, ValueEnum};
use globset::{Glob, GlobBuilder, GlobMatcher};
use ssmbak_core::domain::selection::{NameFilter, Selection};
use ssmbak_core::domain::{Name, Target};

use crate::error::CliError;

/// Which of the parameters are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectArgs {
    /// Only names that match: 'db*' (last level), 'web/**', '/app/*/url'
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,
    /// No names that match; comes before --include
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Only parameters of this type; can be repeated
    #[arg(long = "type", value_name = "TYPE", value_enum, ignore_case = true)]
    pub(crate) types: Vec<Kind>,
    /// Only what existed then and is gone now
    #[arg(long)]
    pub(crate) only_deleted: bool,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Kind {
    /// Text
    #[value(name = "String")]
    Text,
    /// Texts with commas between them
    #[value(name = "StringList")]
    List,
    /// Encrypted
    #[value(name = "SecureString")]
    Secret,
}

impl SelectArgs {
    /// What they select of `target`.
    pub(crate) fn selection(&self, target: &Target) -> Result<Selection, CliError> {
        let include = patterns("--include", &self.include, target)?;
        let exclude = patterns("--exclude", &self.exclude, target)?;
        let names = if include.is_empty() && exclude.is_empty() {
            NameFilter::default()
        } else {
            let any = |patterns: &[Pattern], name: &Name| patterns.iter().any(|p| p.matches(name));
            NameFilter::new(move |name| {
                (include.is_empty() || any(&include, name)) && !any(&exclude, name)
            })
        };
        let word = |kind: &Kind| match kind {
            Kind::Text => "String".to_owned(),
            Kind::List => "StringList".to_owned(),
            Kind::Secret => "SecureString".to_owned(),
        };
        Ok(Selection {
            names,
            types: self.types.iter().map(word).collect(),
            only_deleted: self.only_deleted,
        })
    }
}

/// Longest pattern, in bytes: some names' worth of choices.
const PATTERN_BYTES_MAX: usize = 4_096;
/// Most pairs of braces in a pattern; each may stand inside of another.
const CHOICES_MAX: usize = 100;
/// Most characters of a pattern that a message repeats.
const SHOWN_CHARS_MAX: usize = 80;

fn shorten(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

/// A pattern of names: `*` is what stands between two slashes, `**` goes over them.
struct Pattern {
    matcher: GlobMatcher,
    /// It is about the last level, whatever stands above.
    leaf: bool,
}

impl Pattern {
    fn matches(&self, name: &Name) -> bool {
        let text = if self.leaf {
            name.leaf()
        } else {
            name.as_str()
        };
        self.matcher.is_match(text)
    }
}

fn patterns(option: &str, texts: &[String], target: &Target) -> Result<Vec<Pattern>, CliError> {
    let pattern = |text: &String| pattern(option, text, target);
    texts.iter().map(pattern).collect()
}

fn pattern(option: &str, text: &str, target: &Target) -> Result<Pattern, CliError> {
    let wrong = |why: String| CliError::Usage {
        message: format!("{option} {:?}: {why}", shorten(text)),
        hint: "write 'db*' for the last level, 'web/**' for what lies under web/, or a whole \
               name with its '/' first: '/app/*/url'"
            .into(),
    };
    if text.is_empty() {
        return Err(wrong("it is empty".into()));
    }
    // Beyond these it cannot be worked out: memory or the stack would not do.
    if text.len() > PATTERN_BYTES_MAX {
        return Err(wrong(format!(
            "it is longer than {PATTERN_BYTES_MAX} bytes"
        )));
    }
    if text.matches('{').count() > CHOICES_MAX {
        return Err(wrong(format!(
            "it has more than {CHOICES_MAX} choices in braces"
        )));
    }
    let above = match target {
        Target::Path { path, .. } => path.as_str(),
        Target::Name(name) => name.as_str().strip_suffix(name.leaf()).unwrap_or("/"),
    };
    let leaf = !text.contains('/');
    let whole = if leaf || text.starts_with('/') {
        text.to_owned()
    } else {
        // Names have no character that means anything in a pattern.
        format!("{above}{text}")
    };
    // As everywhere, a '/' at the end means what lies under it.
    let whole = match whole.strip_suffix('/') {
        Some(path) => format!("{path}/**"),
        None => whole,
    };
    let glob: Result<Glob, _> = GlobBuilder::new(&whole).literal_separator(true).build();
    let glob = glob.map_err(|error| wrong(error.kind().to_string()))?;
    Ok(Pattern {
        matcher: glob.compile_matcher(),
        leaf,
    })
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
