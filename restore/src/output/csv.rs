//! CSV: RFC 4180 with `\n` line ends, a header row, and guarded cells.

use std::io::{self, Write};

use serde_json::Value as Json;

use super::{View, printable};

/// Writes rows, after a header if `header`.
///
/// Null is an empty cell; lists and objects are JSON text. A text that a
/// spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a
/// tab or a line break) gets an apostrophe in front: for exact values use JSON.
/// What would not show as itself stays as it is unless `escaped`, for a terminal.
pub(super) fn page<V: View>(
    out: impl Write,
    rows: &[V],
    header: bool,
    escaped: bool,
) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    if header {
        csv.write_record(V::FIELDS).map_err(plain)?;
    }
    for row in rows {
        let row = serde_json::to_value(row)?;
        let cells = V::FIELDS.iter().map(|field| {
            let cell = cell(row.get(field));
            if escaped {
                printable(&cell).into_owned()
            } else {
                cell
            }
        });
        csv.write_record(cells).map_err(plain)?;
    }
    csv.flush()
}

/// What could not be written, as it was: a reader that has gone away is told
/// by the kind of the error.
fn plain(error: csv::Error) -> io::Error {
    let told = error.to_string();
    if let csv::ErrorKind::Io(error) = error.into_kind() {
        error
    } else {
        io::Error::other(told)
    }
}

fn cell(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => guarded(text),
        Some(other) => other.to_string(),
    }
}

fn guarded(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let guard = if formula { "'" } else { "" };
    format!("{guard}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_can_pass_for_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
        for text in ["", "1=1", " =1", "'=1", "/app"] {
            assert_eq!(guarded(text), text);
        }
    }
}
