//! `cargo sandbox bench`: what the real `ssmbak` and the real function, optimised, take of time,
//! memory and calls.
//!
//! One file a benchmark. Each tells rows of figures; no figure makes it fail, since they are the
//! machine's as much as the program's.

mod chart;
mod cost;
mod function;
mod history;
mod listing;
mod measured;
mod peer;
mod scale;
mod share;
mod throttle;
mod usage;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Map, Value, json};
use tokio::process::Command;

use super::package::Profile;
use super::package::function::build_for_this_machine;
use super::screen::Screen;
use crate::binaries::{build_command_of_program, target_directory};

/// Every benchmark, in the order in which they run.
const ALL: [Benchmark; 7] = [
    history::BENCHMARK,
    peer::BENCHMARK,
    scale::BENCHMARK,
    throttle::BENCHMARK,
    listing::BENCHMARK,
    function::BENCHMARK,
    cost::BENCHMARK,
];

/// Which benchmarks are run.
#[derive(Debug, Clone, Args)]
pub(crate) struct BenchArgs {
    /// Only these [default: all]
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(ALL.map(|one| one.name)))]
    names: Vec<String>,
}

/// One benchmark.
#[derive(Debug, Clone, Copy)]
pub(super) struct Benchmark {
    /// The word it is asked for by.
    pub(super) name: &'static str,
    /// What it measures.
    pub(super) about: &'static str,
    /// Measures it with the binary at this path.
    pub(super) run: fn(PathBuf) -> Running,
}

/// A benchmark that is being measured.
pub(super) type Running = Pin<Box<dyn Future<Output = io::Result<Vec<Row>>>>>;

/// The figures of one thing that was measured; those of a benchmark have the same ones.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What was measured.
    pub(super) what: String,
    /// Its figures.
    pub(super) figures: Vec<Figure>,
}

/// One figure.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    /// What it tells, with its unit.
    pub(super) name: &'static str,
    /// The number.
    pub(super) value: f64,
    /// How many decimals say something.
    pub(super) decimals: usize,
}

impl Row {
    /// The figure of that name; not a number where there is none.
    pub(super) fn figure(&self, name: &str) -> f64 {
        let found = self.figures.iter().find(|figure| figure.name == name);
        found.map_or(f64::NAN, |figure| figure.value)
    }
}

/// The one in the middle; not a number where there are none.
pub(super) fn median(of: &[f64]) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Figure {
    /// A count; none comes near what a float holds exactly.
    #[allow(clippy::cast_precision_loss, reason = "see above")]
    fn count(name: &'static str, count: usize) -> Self {
        Self {
            name,
            value: count as f64,
            decimals: 0,
        }
    }

    /// The most memory of a run.
    #[allow(clippy::cast_precision_loss, reason = "no peak is near 2^52 KiB")]
    fn peak(name: &'static str, kib: u64) -> Self {
        Self {
            name,
            value: kib as f64 / 1_024.0,
            decimals: 1,
        }
    }

    /// Seconds.
    fn seconds(name: &'static str, value: f64) -> Self {
        Self {
            name,
            value,
            decimals: 2,
        }
    }

    fn shown(&self) -> String {
        if self.value.is_nan() {
            return "-".to_owned();
        }
        format!("{:.*}", self.decimals, self.value)
    }
}

/// Runs benchmarks, tells their figures, and keeps them in `target/bench.json`, beside those of
/// the benchmarks that were not run.
pub(super) async fn bench(args: &BenchArgs) -> io::Result<()> {
    let screen = Screen::stdout();
    let path = target_directory().join("bench.json");
    let mut kept = kept(&path);
    for one in ALL {
        if !args.names.is_empty() && !args.names.iter().any(|name| name == one.name) {
            continue;
        }
        screen.heading(&format!("{}: {}", one.name, one.about))?;
        let binary = match one.name {
            "function" | "cost" => released_function().await?,
            _ => optimised().await?,
        };
        let rows = (one.run)(binary).await?;
        screen.line(&table(&rows))?;
        for verdict in verdicts(one.name, &rows) {
            screen.line(&verdict)?;
        }
        kept.insert(one.name.to_owned(), as_json(&rows));
        let text = serde_json::to_string_pretty(&kept).map_err(io::Error::other)?;
        fs::write(&path, text)?;
    }
    screen.line(&format!("kept in {}", path.display()))
}

/// Tells a row as soon as it is there: some take minutes.
fn told(row: Row) -> io::Result<Row> {
    let figures = row.figures.iter();
    let figures: Vec<_> = figures
        .map(|f| format!("{} {}", f.name, f.shown()))
        .collect();
    let line = format!("   {}: {}", row.what, figures.join(", "));
    Screen::stderr().line(&line)?;
    Ok(row)
}

/// Builds `ssmbak` as it is released: the figures of an unoptimised one tell nothing.
async fn optimised() -> io::Result<PathBuf> {
    Screen::stderr()
        .line("building ssmbak as it is released; the first time that takes minutes")?;
    let mut build = Command::from(build_command_of_program("ssmbak"));
    build
        .arg("--release")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if !build.status().await?.success() {
        return Err(io::Error::other("the binaries do not build"));
    }
    Ok(target_directory().join("release").join("ssmbak"))
}

/// Builds the function as it is released: alone.
async fn released_function() -> io::Result<PathBuf> {
    Screen::stderr()
        .line("building the function as it is released; the first time that takes minutes")?;
    build_for_this_machine(Profile::Release).await
}

/// What is to be said of the figures of a benchmark.
fn verdicts(name: &str, rows: &[Row]) -> Vec<String> {
    match name {
        "function" => function::verdicts(rows),
        _ => Vec::new(),
    }
}

/// What earlier runs kept; nothing where that cannot be read.
fn kept(path: &PathBuf) -> Map<String, Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn as_json(rows: &[Row]) -> Value {
    let rows = rows.iter().map(|row| {
        let figures = row.figures.iter();
        let figures: BTreeMap<_, _> = figures.map(|f| (f.name, f.value)).collect();
        json!({"what": row.what, "figures": figures})
    });
    rows.collect()
}

/// A line for each row below the names of the figures, in columns.
fn table(rows: &[Row]) -> String {
    let Some(first) = rows.first() else {
        return String::new();
    };
    let names = first.figures.iter().map(|figure| figure.name.to_owned());
    let mut lines = vec![(String::new(), names.collect::<Vec<_>>())];
    lines.extend(rows.iter().map(|row| {
        let figures = row.figures.iter().map(Figure::shown);
        (row.what.clone(), figures.collect())
    }));
    let longest = |cells: &mut dyn Iterator<Item = &String>| cells.map(String::len).max();
    let what = longest(&mut lines.iter().map(|(what, _)| what)).unwrap_or(0);
    let mut text = String::new();
    for (name, figures) in &lines {
        let _ = write!(text, "   {name:what$}");
        for (column, figure) in figures.iter().enumerate() {
            let cells = &mut lines.iter().filter_map(|(_, cells)| cells.get(column));
            let width = longest(cells).unwrap_or(0);
            let _ = write!(text, "  {figure:>width$}");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_in_columns_below_their_names() {
        let row = |what: &str, seconds: f64, calls: f64| Row {
            what: what.into(),
            figures: vec![
                Figure {
                    name: "total s",
                    value: seconds,
                    decimals: 2,
                },
                Figure {
                    name: "calls",
                    value: calls,
                    decimals: 0,
                },
            ],
        };
        let rows = [row("a table", 1.005, 7.0), row("b", 123_456.0, 12.0)];
        let lines: Vec<String> = table(&rows).lines().map(str::to_owned).collect();
        let expected = [
            "              total s  calls",
            "   a table       1.00      7",
            "   b        123456.00     12",
        ]
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let found: Vec<Vec<_>> = lines
            .iter()
            .map(|l| l.split_whitespace().collect())
            .collect();
        assert_eq!(found, expected);
        assert!(
            lines.iter().all(|line| line.len() == lines[0].len()),
            "{lines:?}"
        );
        assert_eq!(as_json(&rows)[1]["figures"]["calls"], 12.0);
    }

    #[test]
    fn no_two_have_one_name() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
