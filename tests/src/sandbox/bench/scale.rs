//! Previews of many names and many versions, and how calls and time grow with each.
//!
//! The stores are canned: every answer comes after 20 ms, so that no emulator's speed is measured.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ssmbak_core::domain::Instant;
use tokio::process::Command;

use super::chart::{Line, grid};
use super::measured::{Measured, measured};
use super::{Benchmark, Figure, Row, Screen, told};
use crate::binaries::target_directory;
use crate::canned::CannedStores;
use crate::emulator::REGION;

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "scale",
    about: "preview of many names and versions, 20 ms a call; least s: what AWS's limits leave",
    run: |binary| Box::pin(run(binary)),
};

const LATENCY: Duration = Duration::from_millis(20);
/// Names and versions of each.
const SIZES: [(usize, usize); 2] = [(10_000, 20), (1_000, 100)];
/// How many names changed since the second instant.
const FEW: usize = 100;
/// What the command line may take of memory.
const MOST_MIB: f64 = 100.0;
/// `GetParameters` a second, which AWS tells.
const VALUES_A_SECOND: f64 = 40.0;
/// `DescribeParameters` a second after the first quick ones. AWS tells no number: an assumption.
const LISTINGS_A_SECOND: f64 = 5.0;
const QUICK_LISTINGS: usize = 20;
/// Runs of which the median is told; one that takes longer than this is not run again.
const RUNS: usize = 3;
const LONG: Duration = Duration::from_secs(10);

async fn run(binary: PathBuf) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (names, versions) in SIZES {
        let canned = CannedStores::start(names, versions, LATENCY)?;
        let (last, now) = (names - 1, canned.before_the_last(0));
        let (few, middle) = (canned.before_the_last(FEW), canned.in_the_middle());
        let one = canned.version(last, 1).0;
        let group = one.rsplit_once('/').map_or("/", |(group, _)| group);
        let fifty = format!("{group}/");
        for (when, at) in [("last", now), ("1% or 10% since", few), ("middle", middle)] {
            for (what, path) in [("whole", "/scale/"), ("50", &fifty), ("one", &one)] {
                let preview = preview(&binary, &canned, path, at, &[]).await?;
                let what = format!("{names}x{versions} {what}, {when}");
                rows.push(told(preview.row(&what))?);
            }
            let trusting = preview(&binary, &canned, "/scale/", at, &["--trust-index"]).await?;
            let what = format!("{names}x{versions} --trust-index, {when}");
            rows.push(told(trusting.row(&what))?);
        }
    }
    let held = rows.iter().all(|row| mebibytes(row) < MOST_MIB);
    let held = if held { "held" } else { "NOT held" };
    tell(&format!("{MOST_MIB} MiB at most: {held}"))?;
    grown(&binary).await?;
    Ok(rows)
}

fn tell(line: &str) -> io::Result<()> {
    Screen::stderr().line(&format!("   {line}"))
}

fn mebibytes(row: &Row) -> f64 {
    let peak = row.figures.iter().find(|figure| figure.name == "MiB");
    peak.map_or(0.0, |figure| figure.value)
}

/// What a preview took.
struct Preview {
    calls: usize,
    /// What AWS would let through in no less.
    least: f64,
    measured: Measured,
}

impl Preview {
    fn seconds(&self) -> f64 {
        self.measured.total.as_secs_f64()
    }

    fn row(&self, what: &str) -> Row {
        Row {
            what: what.to_owned(),
            figures: vec![
                Figure::count("calls", self.calls),
                Figure::seconds("s", self.seconds()),
                Figure::seconds("least s", self.least),
                Figure::peak("MiB", self.measured.peak_kib),
                Figure::count("differ", self.measured.lines),
            ],
        }
    }
}

async fn preview(
    binary: &Path,
    canned: &CannedStores,
    path: &str,
    at: Instant,
    options: &[&str],
) -> io::Result<Preview> {
    let mut runs = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        canned.take_calls();
        let mut command = command(binary, &canned.endpoint());
        command.args(["preview", path, &at.to_string()]);
        if path.ends_with('/') {
            command.arg("-R");
        }
        let measured = measured({
            command.args(options);
            command
        });
        let measured = measured.await?;
        let calls = canned.take_calls();
        let count = |operation: &str| calls.get(operation).copied().unwrap_or(0);
        let listings = count("DescribeParameters").saturating_sub(QUICK_LISTINGS);
        let values = count("GetParameters");
        let least =
            (as_float(values) / VALUES_A_SECOND).max(as_float(listings) / LISTINGS_A_SECOND);
        runs.push(Preview {
            calls: calls.values().sum(),
            least,
            measured,
        });
        if measured.total > LONG {
            break;
        }
    }
    runs.sort_by_key(|run| run.measured.total);
    let middle = runs.len() / 2;
    Ok(runs.swap_remove(middle))
}

#[allow(
    clippy::cast_precision_loss,
    reason = "no count comes near what a float holds exactly"
)]
fn as_float(count: usize) -> f64 {
    count as f64
}

fn command(binary: &Path, endpoint: &str) -> Command {
    let mut command = Command::new(binary);
    command
        .args(["--bucket", "canned", "--table", "canned"])
        .args(["--output", "jsonl"])
        .env_clear()
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_REGION", REGION);
    command
}

/// Draws how calls and seconds grow with names, changes and versions: `target/scale.svg`.
async fn grown(binary: &Path) -> io::Result<()> {
    // Names, changed, versions.
    let by_names = [100, 300, 1_000, 3_000, 10_000].map(|n| (n, n, 50, 20));
    let by_changes = [1, 10, 100, 1_000, 5_000].map(|c| (c, 5_000, c, 20));
    let by_versions = [5, 10, 20, 50, 100].map(|v| (v, 1_000, 50, v));
    let all = [
        ("names (50 changed, 20 versions)", by_names),
        ("changed names (of 5,000)", by_changes),
        ("versions (1,000 names, 50 changed)", by_versions),
    ];
    let (mut calls, mut seconds) = (Vec::new(), Vec::new());
    for (against, points) in all {
        let (mut told, mut took) = (Vec::new(), Vec::new());
        for (x, names, changed, versions) in points {
            let canned = CannedStores::start(names, versions, LATENCY)?;
            let at = canned.before_the_last(changed);
            let preview = preview(binary, &canned, "/scale/", at, &[]).await?;
            tell(&format!(
                "{against} {x}: {} calls, {:.2} s",
                preview.calls,
                preview.seconds()
            ))?;
            told.push((as_float(x), as_float(preview.calls)));
            took.push((as_float(x), preview.seconds()));
        }
        let line = |what: &str, points| Line {
            title: format!("{what} by {against}"),
            points,
        };
        calls.push(line("calls", told));
        seconds.push(line("seconds", took));
    }
    let path = target_directory().join("scale.svg");
    fs::write(&path, grid(&[calls, seconds]))?;
    tell(&format!("drawn in {}", path.display()))
}
