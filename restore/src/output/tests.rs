use super::*;
use crate::args::Format;
use crate::fixtures as given;
use crate::view::{ChangeView, ParameterView, SeedView};

fn rows() -> Vec<ParameterView> {
    [
        given::updated("/app/a", "String", "two\nlines"),
        given::updated("/app/b", "SecureString", "hunter2"),
        given::deleted("/app/c"),
    ]
    .iter()
    .map(|step| ParameterView::new(step, false))
    .collect()
}

fn written<V: View>(format: Format, style: TableStyle, pages: &[&[V]]) -> String {
    let mut out = Vec::new();
    let mut rows = Rows::new(&mut out, format, style);
    for page in pages {
        rows.page(page).unwrap();
    }
    rows.finish::<V>().unwrap();
    String::from_utf8(out).unwrap()
}

fn plain<V: View>(format: Format, pages: &[&[V]]) -> String {
    written(format, TableStyle::default(), pages)
}

#[test]
fn a_table_has_its_columns_and_escapes_what_is_no_text() {
    let expected = "\
┌────────┬────────────┬──────────────┬──────────────────────────┬────────┐
│ Name   ┆ Value      ┆ Type         ┆ Modified                 ┆ Change │
╞════════╪════════════╪══════════════╪══════════════════════════╪════════╡
│ /app/a ┆ two\\nlines ┆ String       ┆ 2024-06-14T08:00:00.123Z ┆ update │
│ /app/b ┆ ********   ┆ SecureString ┆ 2024-06-14T08:00:00.123Z ┆ update │
│ /app/c ┆ (absent)   ┆              ┆ 2024-06-15T10:00:00.999Z ┆ delete │
└────────┴────────────┴──────────────┴──────────────────────────┴────────┘
";
    assert_eq!(plain(Format::Table, &[&rows()]), expected);
}

#[test]
fn pages_are_one_table() {
    let rows = rows();
    let pages = [&rows[..1], &rows[..1], &[]];
    let table = plain(Format::Table, &pages);
    assert_eq!(table.lines().count(), 6, "{table}");
    assert_eq!(table.matches("Name").count(), 1, "{table}");
    let widths: Vec<_> = table.lines().map(|line| line.chars().count()).collect();
    assert!(widths.iter().all(|w| *w == widths[0]), "{table}");
}

#[test]
fn a_table_fits_the_terminal_page_after_page() {
    let step = given::updated("/app/a", "String", &"long ".repeat(2_000));
    let long = [ParameterView::new(&step, false)];
    let style = TableStyle {
        color: false,
        width: Some(100),
    };
    let table = written(Format::Table, style, &[&long, &rows(), &long]);
    for line in table.lines() {
        assert_eq!(line.chars().count(), 100, "{table}");
    }
    // A long value is cut on a terminal, and nowhere else.
    assert!(table.lines().count() < 40, "{table}");
    let whole = plain(Format::Table, &[&long]);
    assert_eq!(whole.matches("long ").count(), 2_000);
}

#[test]
fn colours_come_only_when_wanted() {
    let style = |color| TableStyle { color, width: None };
    let rows = rows();
    assert!(written(Format::Table, style(true), &[&rows]).contains("\u{1b}["));
    assert!(!written(Format::Table, style(false), &[&rows]).contains('\u{1b}'));
}

#[test]
fn json_is_a_list_however_many_pages_there_are() {
    let rows = rows();
    for pages in [&[&rows[..]][..], &[&rows[..1], &rows[1..2], &rows[2..]]] {
        let text = plain(Format::Json, pages);
        let list: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(list.len(), 3);
        assert_eq!(list[0]["Value"], "two\nlines");
    }
    assert_eq!(plain::<SeedView>(Format::Json, &[]), "[]\n");
    assert_eq!(plain::<SeedView>(Format::Json, &[&[]]), "[]\n");
}

#[test]
fn json_lines_are_an_object_a_line() {
    let text = plain(Format::Jsonl, &[&rows()]);
    assert_eq!(text.lines().count(), 3);
    for line in text.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line)
                .unwrap()
                .is_object()
        );
    }
    assert_eq!(plain::<SeedView>(Format::Jsonl, &[]), "");
}

#[test]
fn csv_has_one_header_and_guarded_cells() {
    let step = given::updated("/app/a", "String", "=cmd|' /C calc'!A0");
    let row = [ParameterView::new(&step, false)];
    let expected = "\
Name,Change,Deleted,Value,Type,Modified,Version,Description,Tier,DataType,KeyId,\
AllowedPattern,Policies,Labels,Tags,ModifiedBy,ValueState,Alone,Recreate
/app/a,update,false,'=cmd|' /C calc'!A0,String,2024-06-14T08:00:00.123Z,2,d,Standard,text,,\
,[],[],,arn:aws:iam::1:user/a,stored,,false
";
    assert_eq!(plain(Format::Csv, &[&row]), expected);
    let twice = plain(Format::Csv, &[&row, &row]);
    assert_eq!(twice.lines().count(), 3);
    let empty = plain::<ChangeView>(Format::Csv, &[]);
    assert!(empty.starts_with("Name,Time,EventTime,Operation,"));
    assert_eq!(empty.lines().count(), 1);
}

#[test]
fn no_form_shows_a_masked_secret() {
    for format in [Format::Table, Format::Json, Format::Jsonl, Format::Csv] {
        assert!(!plain(format, &[&rows()]).contains("hunter2"));
    }
}

#[test]
fn nothing_is_no_table() {
    assert_eq!(plain::<SeedView>(Format::Table, &[]), "");
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    #[derive(Debug)]
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for format in [Format::Table, Format::Json, Format::Jsonl, Format::Csv] {
        let mut out = Rows::new(Gone, format, TableStyle::default());
        out.page(&rows()).unwrap();
        assert!(out.is_closed(), "{format:?}");
        out.page(&rows()).unwrap();
        out.finish::<ParameterView>().unwrap();
    }
}

/// What terminals obey, and what reorders or hides.
const OBEYED: &str = "\u{1b}]52;c;eA==\u{7}\u{9b}2J\r\u{8}\u{7f}\u{202e}\u{2066}\u{61c}\u{200b}\nx";

#[test]
fn no_form_lets_a_terminal_obey_what_it_shows() {
    let rows = [ParameterView::new(
        &given::updated("/app/a", "String", OBEYED),
        false,
    )];
    let on_terminal = TableStyle {
        color: false,
        width: Some(100),
    };
    for format in [Format::Table, Format::Json, Format::Jsonl, Format::Csv] {
        let shown = written(format, on_terminal, &[&rows]);
        let hidden = shown.find(|c| super::text::hides(c) && c != '\n');
        assert_eq!(hidden, None, "{format:?}: {shown:?}");
    }
    // Escaped or not, JSON says the same; CSV is exact where no terminal is.
    let json: serde_json::Value =
        serde_json::from_str(&written(Format::Json, on_terminal, &[&rows])).unwrap();
    assert_eq!(json[0]["Value"], OBEYED);
    assert!(plain(Format::Csv, &[&rows]).contains(OBEYED));
}
