//! How data is written: as a table, JSON, JSON lines or CSV, page by page.

mod csv;
mod patch;
mod table;
mod text;

use std::io::{self, Write};

use serde::Serialize;

pub(crate) use patch::Patch;
pub(crate) use table::TableStyle;
pub(crate) use text::{printable, printable_json, printable_lines, printable_message};

use crate::args::Format;

/// What stands for a masked secret in a table. In the other forms its value is
/// null: stars in a pipe would pass for the value.
pub(crate) const MASK: &str = "********";

/// Something that is shown as a row.
pub(crate) trait View: Serialize {
    /// The names of its fields, in order: the header of CSV.
    const FIELDS: &'static [&'static str];
    /// The columns of its table.
    const COLUMNS: &'static [&'static str];

    /// Its row, a cell for each column.
    fn cells(&self) -> Vec<Cell>;
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// What it says; escaped when it is drawn.
    text: String,
    /// Its colour, where colours are wanted.
    tone: Tone,
}

impl Cell {
    /// A cell without a colour.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::toned(text, Tone::Plain)
    }

    /// A cell in a tone.
    pub(crate) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: text.into(),
            tone,
        }
    }
}

/// What a cell means, told by its colour and never by that alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// No colour.
    Plain,
    /// Green.
    Good,
    /// Yellow.
    Changed,
    /// Red.
    Bad,
    /// Grey.
    Dim,
}

/// Writes rows of one kind in one form. Rows come in pages and are written as
/// they come: memory does not grow with their number.
#[derive(Debug)]
pub(crate) struct Rows<W: Write> {
    out: W,
    form: Form,
    count: usize,
    closed: bool,
}

#[derive(Debug)]
enum Form {
    Table(table::Table),
    Json,
    JsonLines,
    Csv { escaped: bool },
}

impl<W: Write> Rows<W> {
    /// Begins an output.
    pub(crate) fn new(out: W, format: Format, style: TableStyle) -> Self {
        Self {
            out,
            form: match format {
                Format::Table => Form::Table(table::Table::new(style)),
                Format::Json => Form::Json,
                Format::Jsonl => Form::JsonLines,
                Format::Csv => Form::Csv {
                    escaped: style.width.is_some(),
                },
            },
            count: 0,
            closed: false,
        }
    }

    /// Writes a page.
    ///
    /// When the reader has gone away (`| head`), nothing more is written and
    /// this is no error: see [`Rows::is_closed`].
    pub(crate) fn page<V: View>(&mut self, page: &[V]) -> io::Result<()> {
        let written = self.write_page(page).and_then(|()| self.out.flush());
        self.count += page.len();
        self.unless_closed(written)
    }

    /// Writes what is still owed: the end of the list or table.
    pub(crate) fn finish<V: View>(mut self) -> io::Result<()> {
        let written = self.write_end::<V>().and_then(|()| self.out.flush());
        self.unless_closed(written)
    }

    /// Whether the reader has gone away.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    fn unless_closed(&mut self, written: io::Result<()>) -> io::Result<()> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other,
        }
    }

    fn write_page<V: View>(&mut self, page: &[V]) -> io::Result<()> {
        if self.closed || page.is_empty() {
            return Ok(());
        }
        match &mut self.form {
            Form::Table(table) => {
                let rows = page.iter().map(View::cells).collect();
                table.page(&mut self.out, V::COLUMNS, rows)
            }
            Form::Json => {
                for (row, view) in page.iter().enumerate() {
                    let first = self.count + row == 0;
                    self.out
                        .write_all(if first { b"[\n  " } else { b",\n  " })?;
                    let row = printable_json(serde_json::to_string(view)?);
                    self.out.write_all(row.as_bytes())?;
                }
                Ok(())
            }
            Form::JsonLines => {
                for view in page {
                    let row = printable_json(serde_json::to_string(view)?);
                    self.out.write_all((row + "\n").as_bytes())?;
                }
                Ok(())
            }
            Form::Csv { escaped } => csv::page(&mut self.out, page, self.count == 0, *escaped),
        }
    }

    fn write_end<V: View>(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        match &mut self.form {
            Form::Table(table) => table.finish(&mut self.out),
            Form::Json if self.count == 0 => self.out.write_all(b"[]\n"),
            Form::Json => self.out.write_all(b"\n]\n"),
            Form::Csv { .. } if self.count == 0 => csv::page::<V>(&mut self.out, &[], true, false),
            Form::JsonLines | Form::Csv { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
