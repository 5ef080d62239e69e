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

/// Tells of variables that mean something to a shell.
pub(super) fn warning(exported: &Exported) -> Option<String> {
    let keys = exported
        .parameters
        .iter()
        .map(|p| key(relative(&p.name, exported.prefix.as_ref())));
    let special: Vec<_> = keys.filter(|key| SPECIAL.contains(&&**key)).collect();
    (!special.is_empty()).then(|| {
        format!(
            "a shell that sources this takes {} for its own",
            special.join(", ")
        )
    })
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
