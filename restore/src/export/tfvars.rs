//! Values of Terraform variables: a string for each parameter, a list of strings
//! for a `StringList`.

use std::fmt::Write as _;

use super::keys;
use crate::error::CliError;
use crate::export_file::Exported;

/// The text. Two names that would be one variable are refused.
pub(super) fn text(exported: &Exported) -> Result<String, CliError> {
    let keys = keys(exported, "tfvars", identifier)?;
    let mut text = String::new();
    for (key, parameter) in keys.iter().zip(&exported.parameters) {
        let value = parameter.value.expose();
        let written = if parameter.attributes.parameter_type == "StringList" {
            let items: Vec<_> = value.split(',').map(quoted).collect();
            format!("[{}]", items.join(", "))
        } else {
            quoted(value)
        };
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{key} = {written}");
    }
    Ok(text)
}

/// `db/user-name` is `db_user-name`: letters, digits, `_` and `-`, with neither a
/// digit nor a `-` in front.
fn identifier(name: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let text: String = name.chars().map(letter).collect();
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        format!("_{text}")
    } else {
        text
    }
}

/// A quoted template without any template in it.
fn quoted(value: &str) -> String {
    let mut out = String::from('"');
    let mut before = None;
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                if before == Some(c) {
                    // After another one the doubled sign can be read in two ways.
                    let _ = write!(out, "\\u{:04X}", u32::from(c));
                } else {
                    out.push(c);
                    out.push(c);
                }
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
        before = Some(c);
    }
    out.push('"');
    out
}
