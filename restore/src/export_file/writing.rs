//! An export as JSON and as YAML.

use std::fmt::Write as _;

use super::Exported;
use super::form::{File, Parameter};

/// The export as indented JSON, with a new line at its end.
pub(crate) fn json(exported: &Exported) -> serde_json::Result<String> {
    let mut text =
        crate::output::printable_json(serde_json::to_string_pretty(&File::of(exported))?);
    text.push('\n');
    Ok(text)
}

/// The export as YAML, with every text in double quotes: the one form that
/// holds any text exactly, whatever a reader takes for a number or a date.
pub(crate) fn yaml(exported: &Exported) -> String {
    let file = File::of(exported);
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(out, "ssmbakExport: {}", file.format);
    let _ = writeln!(out, "Path: {}", quoted(&file.path));
    let _ = writeln!(out, "Recursive: {}", file.recursive);
    let _ = writeln!(out, "Time: {}", quoted(&file.time.to_string()));
    let _ = writeln!(out, "Prefix: {}", or_null(file.prefix.as_deref()));
    let _ = writeln!(out, "Count: {}", file.parameters.len());
    let is_empty = file.parameters.is_empty();
    out.push_str(if is_empty {
        "Parameters: []\n"
    } else {
        "Parameters:\n"
    });
    for parameter in &file.parameters {
        write_parameter(&mut out, parameter);
    }
    let _ = writeln!(out, "End: {}", file.end);
    out
}

fn write_parameter(out: &mut String, parameter: &Parameter) {
    let number = |number: Option<u64>| number.map_or("null".into(), |n| n.to_string());
    let modified = parameter.modified.map(|at| at.to_string());
    let list = |texts: &[String]| {
        let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
        format!("[{}]", texts.join(", "))
    };
    let tags = match &parameter.tags {
        None => "null".into(),
        Some(tags) => {
            let pair =
                |(key, value): (&String, &String)| format!("{}: {}", quoted(key), quoted(value));
            let pairs: Vec<_> = tags.iter().map(pair).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    };
    let fields = [
        ("Name", quoted(&parameter.name)),
        ("Type", quoted(&parameter.kind)),
        ("Value", quoted(&parameter.value)),
        ("Version", number(parameter.version)),
        ("Modified", or_null(modified.as_deref())),
        ("ModifiedBy", or_null(parameter.modified_by.as_deref())),
        ("Description", or_null(parameter.description.as_deref())),
        ("Tier", or_null(parameter.tier.as_deref())),
        ("DataType", or_null(parameter.data_type.as_deref())),
        ("KeyId", or_null(parameter.key_id.as_deref())),
        (
            "AllowedPattern",
            or_null(parameter.allowed_pattern.as_deref()),
        ),
        ("Policies", list(&parameter.policies)),
        ("Labels", list(&parameter.labels)),
        ("Tags", tags),
    ];
    for (place, (field, text)) in fields.iter().enumerate() {
        let lead = if place == 0 { "  - " } else { "    " };
        let _ = writeln!(out, "{lead}{field}: {text}");
    }
}

fn or_null(text: Option<&str>) -> String {
    text.map_or("null".into(), quoted)
}

/// A double-quoted scalar. Escaped is what YAML takes for a line break, what
/// it does not allow as it is, and what cannot be seen.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_escaped(c) && u32::from(c) > 0xffff => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c if is_escaped(c) => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn is_escaped(c: char) -> bool {
    let is_noncharacter = u32::from(c) & 0xfffe == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&c);
    crate::output::printable(c.encode_utf8(&mut [0; 4])) != *c.encode_utf8(&mut [0; 4])
        || is_noncharacter
}
