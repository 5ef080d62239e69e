//! dotenv: `KEY=value` lines.
//!
//! A shell that sources the file gets exact values, whatever they hold. Where
//! there are several ways to say the same to a shell, the one is taken that
//! dotenv libraries and Docker read alike: bare where nothing is special, in
//! single quotes where there is none in the value, else in double quotes.

use super::{keys, relative};
use crate::error::CliError;
use crate::export_file::Exported;

/// Names that mean something to whoever sources the file.
const SPECIAL: &[&str] = &[
    "BASH_ENV",
    "CDPATH",
    "ENV",
    "EUID",
    "HOME",
    "IFS",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "OLDPWD",
    "OPTIND",
    "PATH",
    "PPID",
    "PS4",
    "PWD",
    "SHELL",
    "SHELLOPTS",
    "UID",
    "USER",
];

/// The text. Two names that would be one variable are refused, and so is a value
/// with a null character, which no variable can hold.
pub(super) fn text(exported: &Exported) -> Result<String, CliError> {
    let keys = keys(exported, "dotenv", key)?;
    let mut text = String::new();
    for (key, parameter) in keys.iter().zip(&exported.parameters) {
        let value = parameter.value.expose();
        if value.contains('\0') {
            return Err(CliError::Usage {
                message: format!("{} holds a null character", parameter.name),
                hint: "no variable can hold one: export as json".into(),
            });
        }
        text.push_str(key);
        text.push('=');
        text.push_str(&quoted(value));
        text.push('\n');
    }
    Ok(text)
}

/// Tells of variables that mean something to a shell, and of values that Docker
/// would take apart.
pub(super) fn warning(exported: &Exported) -> Option<String> {
    let prefix = exported.prefix.as_ref();
    let keys = exported
        .parameters
        .iter()
        .map(|p| (key(relative(&p.name, prefix)), p.value.expose()));
    let keys: Vec<(String, &str)> = keys.collect();
    let those = |is_one: &dyn Fn(&str, &str) -> bool| {
        let those = keys.iter().filter(|(key, value)| is_one(key, value));
        let those: Vec<&str> = those.map(|(key, _)| key.as_str()).collect();
        (!those.is_empty()).then(|| those.join(", "))
    };
    let special = those(&|key, _| SPECIAL.contains(&key));
    let broken = those(&|_, value| value.contains(['\n', '\r']));
    let told = [
        special.map(|keys| format!("a shell that sources this takes {keys} for its own")),
        broken.map(|keys| {
            format!(
                "there are line breaks in {keys}: `docker run --env-file` takes each line for a \
                 variable of its own"
            )
        }),
    ];
    let told: Vec<String> = told.into_iter().flatten().collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// `db/user-name` is `DB_USER_NAME`.
fn key(name: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    let key: String = name.chars().map(letter).collect();
    if key.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{key}")
    } else {
        key
    }
}

fn quoted(value: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if !value.is_empty() && value.chars().all(is_bare) {
        return value.to_owned();
    }
    if !value.contains('\'') {
        return format!("'{value}'");
    }
    let mut quoted = String::from('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}
