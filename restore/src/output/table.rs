//! Tables that fit the terminal, drawn page by page.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Row, Width, presets};

use super::{Cell, Tone, printable};

/// Most lines that one row takes on a terminal; longer values are cut with an
/// ellipsis. Elsewhere nothing is cut.
const ROW_LINES_MAX: usize = 12;

/// How tables are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TableStyle {
    /// In colours.
    pub(crate) color: bool,
    /// Columns of the terminal; none where it is none, and rows are as wide as
    /// they are.
    pub(crate) width: Option<u16>,
}

/// A table in the making: its header is drawn with the first page, and later
/// pages keep its columns.
#[derive(Debug)]
pub(super) struct Table {
    style: TableStyle,
    /// The last border of the page before; it tells how wide the columns are.
    bottom: Option<String>,
}

impl Table {
    pub(super) fn new(style: TableStyle) -> Self {
        Self {
            style,
            bottom: None,
        }
    }

    /// Draws a page: its rows, below the header if it is the first.
    pub(super) fn page(
        &mut self,
        mut out: impl Write,
        columns: &[&str],
        rows: Vec<Vec<Cell>>,
    ) -> io::Result<()> {
        let mut table = self.draw(rows);
        let border_lines = match &self.bottom {
            None => {
                table.set_header(columns.iter().copied());
                0
            }
            Some(before) => {
                self.keep_columns(&mut table, before);
                1
            }
        };
        let mut lines: Vec<String> = table.lines().collect();
        self.bottom = lines.pop();
        for line in lines.iter().skip(border_lines) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// Draws the last border, if there is a table at all.
    pub(super) fn finish(&mut self, mut out: impl Write) -> io::Result<()> {
        match self.bottom.take() {
            Some(border) => writeln!(out, "{border}"),
            None => Ok(()),
        }
    }

    fn draw(&self, rows: Vec<Vec<Cell>>) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.force_no_tty();
        if self.style.color {
            table.enforce_styling();
        }
        if let Some(width) = self.style.width {
            table.set_width(width);
        }
        for cells in rows {
            let mut row = Row::from(cells.iter().map(drawn));
            if self.style.width.is_some() {
                row.max_height(ROW_LINES_MAX);
            }
            table.add_row(row);
        }
        table
    }

    /// Gives the columns the widths they have in the border `before`: exactly
    /// on a terminal, which they must go on to fit, else at least.
    fn keep_columns(&self, table: &mut comfy_table::Table, before: &str) {
        let frame = |c: char| c != '─';
        let segments = before.split(frame).filter(|segment| !segment.is_empty());
        for (index, segment) in segments.enumerate() {
            let width = u16::try_from(segment.chars().count()).unwrap_or(u16::MAX);
            let width = Width::Fixed(width);
            let constraint = match self.style.width {
                Some(_) => ColumnConstraint::Absolute(width),
                None => ColumnConstraint::LowerBoundary(width),
            };
            if let Some(column) = table.column_mut(index) {
                column.set_constraint(constraint);
            }
        }
    }
}

fn drawn(cell: &Cell) -> comfy_table::Cell {
    let color = match cell.tone {
        Tone::Plain => None,
        Tone::Good => Some(comfy_table::Color::Green),
        Tone::Changed => Some(comfy_table::Color::Yellow),
        Tone::Bad => Some(comfy_table::Color::Red),
        Tone::Dim => Some(comfy_table::Color::DarkGrey),
    };
    let drawn = comfy_table::Cell::new(printable(&cell.text));
    match color {
        Some(color) => drawn.fg(color),
        None => drawn,
    }
}
