//! The configuration file: named contexts, read strictly.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use serde::{Deserialize, Deserializer, de};

use super::{Environment, Set, Source};
use crate::args::Format;
use crate::error::CliError;

/// No file of this kind is longer; whatever is was named by mistake.
const BYTES_MAX: u64 = 1024 * 1024;
/// Digits of an account.
const ACCOUNT_DIGITS: usize = 12;
const KEYS: &str = "profile, region, endpoint-url, stack, bucket, table, output and account";

/// Where the file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its path.
    pub(crate) path: PathBuf,
    /// Whether `SSMBAK_CONFIG` names it: then it has to be there.
    pub(crate) named: bool,
}

impl Place {
    /// `SSMBAK_CONFIG`, else `ssmbak/config.toml` in the directory of a person's configuration;
    /// none where nothing tells that directory.
    pub(super) fn of(environment: &Environment) -> Option<Self> {
        if let Some(path) = environment.get("SSMBAK_CONFIG") {
            return Some(Self {
                path: path.into(),
                named: true,
            });
        }
        // One that is not absolute is to be ignored, says XDG.
        let own = environment.get("XDG_CONFIG_HOME").map(PathBuf::from);
        let own = own.filter(|directory| directory.is_absolute());
        let home = || environment.get("HOME").or(environment.get("USERPROFILE"));
        let directory = own.or_else(|| Some(Path::new(home()?).join(".config")))?;
        Some(Self {
            path: directory.join("ssmbak").join("config.toml"),
            named: false,
        })
    }

    /// Who says that it is there.
    pub(crate) fn source(&self) -> Source {
        if self.named {
            Source::Variable("SSMBAK_CONFIG")
        } else {
            Source::Default
        }
    }

    /// Reads the file; none where it is not there and need not be.
    pub(super) fn read(&self) -> Result<Option<ConfigFile>, CliError> {
        let refused = |why: &str, hint: &str| CliError::Usage {
            message: format!("{}: {why}", self.path.display()),
            hint: hint.into(),
        };
        let unreadable = |error: io::Error| {
            let hint = "make it readable, or name another file with SSMBAK_CONFIG";
            refused(&format!("cannot be read: {error}"), hint)
        };
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.named => {
                return Ok(None);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let hint = "SSMBAK_CONFIG names it: write it, or unset the variable";
                return Err(refused("there is no such file", hint));
            }
            opened => opened.map_err(unreadable)?,
        };
        let mut bytes = Vec::new();
        // What a link or a device leads to may have no end.
        let most = BYTES_MAX + 1;
        file.take(most)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 == most {
            let hint = "a configuration of ssmbak is a few lines long: see `ssmbak config --help`";
            return Err(refused("it is longer than 1 MiB", hint));
        }
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(refused("it is not UTF-8", "write it anew as plain text"));
        };
        ConfigFile::parse(&text)
            .map(Some)
            .map_err(|(why, hint)| refused(&why, &hint))
    }
}

/// What a configuration file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ConfigFile {
    /// The context that counts where none is named.
    #[serde(default)]
    pub(super) default_context: Option<String>,
    /// The contexts.
    #[serde(default)]
    pub(super) contexts: BTreeMap<String, Context>,
}

/// One context: what it does not say is as it is without it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Context {
    /// The profile of the AWS configuration.
    pub(super) profile: Option<String>,
    /// The region.
    pub(super) region: Option<String>,
    /// An endpoint in place of AWS's own.
    pub(super) endpoint_url: Option<String>,
    /// The stack.
    pub(super) stack: Option<String>,
    /// The bucket.
    pub(super) bucket: Option<String>,
    /// The table.
    pub(super) table: Option<String>,
    /// The form of the output.
    #[serde(deserialize_with = "form")]
    pub(super) output: Option<String>,
    /// The only account that may be called.
    #[serde(deserialize_with = "account")]
    pub(super) account: Option<String>,
}

fn form<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    match Format::from_str(&text, false) {
        Ok(_) => Ok(Some(text)),
        Err(_) => Err(de::Error::custom(
            "one of table, json, jsonl and csv is expected",
        )),
    }
}

fn account<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && text.len() == ACCOUNT_DIGITS {
        return Ok(Some(text));
    }
    Err(de::Error::custom(
        "the twelve digits of an account are expected",
    ))
}

impl ConfigFile {
    /// Reads a text; else why it cannot be read, with line and key, and the way out.
    pub(super) fn parse(text: &str) -> Result<Self, (String, String)> {
        let parsed: Result<Self, _> = toml::from_str(text);
        parsed.map_err(|error| {
            let what = error.message().lines().next().unwrap_or_default();
            let why = match error.span() {
                Some(span) => format!(
                    "line {}: {}{what}",
                    line(text, span.start),
                    key(text, span.start)
                ),
                None => what.to_owned(),
            };
            (
                why,
                format!("a context takes {KEYS}, each a text in quotes"),
            )
        })
    }
}

fn line(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// The key that the line at a byte sets, to be put before what is wrong with it.
fn key(text: &str, at: usize) -> String {
    let line = text.lines().nth(line(text, at) - 1).unwrap_or_default();
    match line.split_once('=') {
        Some((key, _)) => format!("{}: ", key.trim()),
        None if line.trim_start().starts_with('[') => format!("{}: ", line.trim()),
        None => String::new(),
    }
}

/// That there is no such context, with those there are.
pub(super) fn unknown_context(
    chosen: &Set<String>,
    place: Option<&Place>,
    file: Option<&ConfigFile>,
) -> CliError {
    let (name, source) = (&chosen.value, &chosen.source);
    let known: Vec<&str> = file
        .into_iter()
        .flat_map(|file| file.contexts.keys().map(String::as_str))
        .collect();
    let hint = match (place, file) {
        (None, _) => "name the configuration file with SSMBAK_CONFIG".to_owned(),
        (Some(place), None) => {
            let path = place.path.display();
            format!("there is no configuration file {path}: write one, see `ssmbak config --help`")
        }
        (Some(place), Some(_)) if known.is_empty() => {
            format!(
                "{} has no context: add [contexts.{name}] to it",
                place.path.display()
            )
        }
        (Some(place), Some(_)) => {
            format!(
                "the contexts in {} are: {}",
                place.path.display(),
                known.join(", ")
            )
        }
    };
    CliError::Usage {
        message: format!("there is no context {name} (from {source})"),
        hint,
    }
}
