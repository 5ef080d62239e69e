//! `history -R /` over a million rows: the first line comes at once, and memory stays small.

use std::io;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::measured::measured;
use super::{Benchmark, Figure, Row};
use crate::canned::CannedHistory;
use crate::emulator::REGION;

const ROWS: usize = 1_000_000;

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "history",
    about: "history / -R over 1,000,000 rows",
    run: |binary| Box::pin(run(binary)),
};

async fn run(binary: PathBuf) -> io::Result<Vec<Row>> {
    let canned = CannedHistory::start(ROWS)?;
    let all: [(&str, &[&str]); 4] = [
        ("table", &[]),
        ("jsonl", &["--output", "jsonl"]),
        (
            "jsonl --by nobody",
            &["--output", "jsonl", "--by", "nobody"],
        ),
        ("table --limit 10", &["--limit", "10"]),
    ];
    let mut rows = Vec::new();
    for (what, options) in all {
        let measured = measured(command(&binary, &canned.endpoint(), options)).await?;
        let asked = canned.take_asked();
        let calls: usize = asked.calls.values().sum();
        let figure = |name, value, decimals| Figure {
            name,
            value,
            decimals,
        };
        #[allow(
            clippy::cast_precision_loss,
            reason = "no count comes near what a float holds exactly"
        )]
        let figures = vec![
            figure("first line s", measured.first_line.as_secs_f64(), 3),
            figure("total s", measured.total.as_secs_f64(), 1),
            figure("peak MiB", measured.peak_kib as f64 / 1_024.0, 1),
            figure("calls", calls as f64, 0),
            figure("lines", measured.lines as f64, 0),
        ];
        rows.push(Row {
            what: what.to_owned(),
            figures,
        });
    }
    Ok(rows)
}

fn command(binary: &Path, endpoint: &str, options: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command
        .args([
            "history", "/", "-R", "--bucket", "canned", "--table", "canned",
        ])
        .args(options)
        .env_clear()
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_REGION", REGION);
    command
}
