//! An export read back, and judged.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::form::{File, Header, TAG_TWICE};
use super::{Exported, FILE_BYTES_MAX, FORMAT};
use crate::error::CliError;

/// Reads the export at `path`, JSON where it begins with a brace, else YAML.
///
/// Names are whole and canonical, none stands there twice, each lies in what
/// was exported; types are known and values not empty. What is not understood
/// is refused, fields included, and so are a newer form and a file of more
/// than [`FILE_BYTES_MAX`]. The error names file and place, and tells no value.
/// A name of the tool's own is not refused here.
pub(crate) fn read(path: &Path) -> Result<Exported, CliError> {
    let unreadable = |error: std::io::Error| CliError::Failed {
        message: format!("{} cannot be read: {error}", path.display()),
        hint: None,
    };
    let file = fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // More may come than the file claimed to have.
    let mut file = file.take(FILE_BYTES_MAX + 1);
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    parsed(bytes).map_err(|wrong| CliError::Usage {
        message: format!("{}: {}", path.display(), wrong.what),
        hint: wrong.hint.into(),
    })
}

/// Why a file is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) what: String,
    pub(super) hint: &'static str,
}

impl Refused {
    fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: "mend the file, or write it anew: `ssmbak export PATH TIME --format json`",
        }
    }
}

/// Reads the bytes of a file.
pub(super) fn parsed(bytes: Vec<u8>) -> Result<Exported, Refused> {
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let most = FILE_BYTES_MAX / 1024 / 1024;
        return Err(Refused::new(format!("it has more than {most} MiB")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        Refused::new(format!("it is no UTF-8 after byte {place}"))
    })?;
    // A byte order mark, as editors on Windows put it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if text.trim().is_empty() {
        return Err(Refused::new("it is empty"));
    }
    let is_json = text.trim_start().starts_with('{');
    let header: Header = decoded(text, is_json)?;
    match header.format {
        Some(FORMAT) => {}
        Some(newer) if newer > FORMAT => {
            return Err(Refused {
                what: format!("it has the form {newer}; this program reads form {FORMAT}"),
                hint: "use a newer ssmbak",
            });
        }
        Some(_) | None => {
            return Err(Refused::new(
                "it is no export of ssmbak: ssmbakExport is missing, or no form there is",
            ));
        }
    }
    let file: File = decoded(text, is_json)?;
    file.exported().map_err(|wrong| Refused::new(wrong.0))
}

fn decoded<T: DeserializeOwned>(text: &str, is_json: bool) -> Result<T, Refused> {
    if is_json {
        return serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let place = format!(" at line {line} column {column}");
            let told = error.to_string();
            let message = told.strip_suffix(&place).unwrap_or(&told);
            let what = if error.is_data() {
                without_values(message)
            } else {
                // These texts are fixed.
                message.to_owned()
            };
            Refused::new(format!("line {line}, column {column}: {what}"))
        });
    }
    serde_saphyr::from_str_with_options(text, yaml_options()).map_err(|error| {
        let told = error.without_snippet().to_string();
        let what = without_values(&told);
        Refused::new(match error.location() {
            Some(at) => format!("line {}, column {}: {what}", at.line(), at.column()),
            None => what,
        })
    })
}

/// No aliases, no merging, one document; else no bound but the size of the file.
fn yaml_options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_aliases: 0,
            max_anchors: 0,
            max_documents: 1,
            max_merge_keys: 0,
        },
        merge_keys: serde_saphyr::options::MergeKeyPolicy::Error,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// What a decoder complains of, without what it found: that may be a value.
fn without_values(message: &str) -> String {
    for fixed in ["missing field `", "duplicate field `"] {
        let told = message.strip_prefix(fixed).and_then(|m| m.split_once('`'));
        if let Some((field, _)) = told {
            return format!("{fixed}{field}`");
        }
    }
    if message.contains(TAG_TWICE) {
        return TAG_TWICE.into();
    }
    if message.starts_with("unknown field") {
        return "a field that an export does not have".into();
    }
    if message.contains("not an RFC 3339 instant") {
        return "expected an instant such as 2026-11-20T10:23:30.649Z".into();
    }
    "not of the type that belongs there, or no whole JSON or YAML".into()
}
