//! The function as it is released, beside the original's, under the same stand-in for the Lambda
//! Runtime API and the same canned AWS: start, first and later invocations, memory, size.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::share::Share;
use super::usage::{cpu_ms, peak_mib};
use super::{Benchmark, Figure, Row, median};
use crate::canned::CannedAws;
use crate::events::{batch_of_events, parameter_event};
use crate::original;
use crate::runtime_api::Function;
use crate::sandbox::package::archive::{Compression, function_zip};
use crate::sandbox::package::function::MOST_BYTES;
use crate::sandbox::screen::Screen;

const ROUNDS: usize = 7;
/// Invocations after the first; fewer where each takes seconds.
const WARM: usize = 20;
const WARM_WITH_A_SHARE: usize = 5;
/// Where Linux systems keep the authorities they trust. Lambda has as many.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "function",
    about: "one change captured, medians of seven runs",
    run: |bootstrap| Box::pin(run(bootstrap)),
};

/// Whose function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Original,
    Ours,
}

/// How it is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Http,
    Tls,
    /// Over TLS, with the share of a processor that a function of 128 MB has once it has started.
    TlsWithAShare,
}

impl Way {
    const ALL: [Self; 3] = [Self::Http, Self::Tls, Self::TlsWithAShare];

    fn told(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Tls => "TLS",
            Self::TlsWithAShare => "TLS, 7 % of a processor",
        }
    }
}

/// What one run took.
#[derive(Debug, Clone, Copy)]
struct Run {
    init_ms: f64,
    init_cpu_ms: f64,
    first_ms: f64,
    first_cpu_ms: f64,
    warm_ms: f64,
    warm_cpu_ms: f64,
    peak_mib: f64,
}

async fn run(bootstrap: PathBuf) -> io::Result<Vec<Row>> {
    let plain = CannedAws::start(0)?;
    let secure = CannedAws::start_with_tls()?;
    let trusted = tempfile::tempdir()?;
    let authorities = trusted.path().join("authorities.pem");
    write_authorities(&authorities, &secure)?;
    let mut rows = Vec::new();
    for way in Way::ALL {
        let share = match way {
            Way::TlsWithAShare => match Share::of_128_mb() {
                Ok(share) => Some(share),
                Err(error) => {
                    let told = format!("   skipped: {}: no control groups: {error}", way.told());
                    Screen::stdout().line(&told)?;
                    continue;
                }
            },
            Way::Http | Way::Tls => None,
        };
        let aws = if way == Way::Http { &plain } else { &secure };
        let (mut originals, mut ours) = (Vec::new(), Vec::new());
        // In turns, so that what else the machine does meets both.
        for _ in 0..ROUNDS {
            for (whose, runs) in [(Whose::Original, &mut originals), (Whose::Ours, &mut ours)] {
                let function = function(whose, &bootstrap, aws, &authorities)?;
                runs.push(measured(&function, aws, share.as_ref()).await?);
            }
        }
        rows.push(row(&format!("original, {}", way.told()), &originals, None));
        rows.push(row(
            &format!("ssmbak, {}", way.told()),
            &ours,
            Some(&bootstrap),
        ));
    }
    Ok(rows)
}

/// The system's authorities and the canned server's own certificate: reading all of them is part of
/// every start.
fn write_authorities(to: &Path, aws: &CannedAws) -> io::Result<()> {
    let mut all = fs::read_to_string(AUTHORITIES).unwrap_or_default();
    all.push_str(aws.certificate().unwrap_or_default());
    fs::write(to, all)
}

/// One of the two functions, pointed at a canned AWS; it has not started yet.
pub(super) fn function(
    whose: Whose,
    bootstrap: &Path,
    aws: &CannedAws,
    authorities: &Path,
) -> io::Result<Function> {
    let endpoint = aws.endpoint();
    let function = match whose {
        Whose::Original => original::function(&endpoint, "canned")?,
        Whose::Ours => Function::new(bootstrap, &endpoint)?
            .env("SSMBAK_BUCKET", "canned")
            .env("SSMBAK_TABLE", "canned"),
    };
    let authorities = authorities.display().to_string();
    Ok(function
        .env("SSL_CERT_FILE", &authorities)
        .env("AWS_CA_BUNDLE", &authorities))
}

/// An event of one change of a name that has not been captured before.
pub(super) fn event(aws: &CannedAws, number: usize) -> Value {
    let name = format!("/app/prod/parameter-{number}");
    parameter_event(&name, "Create", aws.written_ms())
}

async fn measured(function: &Function, aws: &CannedAws, share: Option<&Share>) -> io::Result<Run> {
    let ms = |duration: std::time::Duration| duration.as_secs_f64() * 1_000.0;
    let init_ms = ms(function.start().await?);
    let process = function.process_id().await;
    let process = process.ok_or_else(|| io::Error::other("it ended as soon as it started"))?;
    let init_cpu_ms = cpu_ms(process)?;
    if let Some(share) = share {
        share.take(process)?;
    }
    let warm = if share.is_some() {
        WARM_WITH_A_SHARE
    } else {
        WARM
    };
    let (mut durations, mut cpu) = (Vec::new(), vec![init_cpu_ms]);
    for number in 0..=warm {
        let batch = batch_of_events(&[event(aws, number)]);
        let invocation = function.invoke(&batch).await?;
        durations.push(ms(invocation.duration));
        cpu.push(cpu_ms(process)?);
        let answer = invocation.response()?;
        let failed = crate::events::failed_messages(&answer);
        if !failed.is_empty() {
            let told = function.logs().join("\n");
            return Err(io::Error::other(format!("not captured: {told}")));
        }
    }
    let took: Vec<f64> = cpu.windows(2).map(|pair| pair[1] - pair[0]).collect();
    Ok(Run {
        init_ms,
        init_cpu_ms,
        first_ms: durations[0],
        first_cpu_ms: took[0],
        warm_ms: median(&durations[1..]),
        warm_cpu_ms: median(&took[1..]),
        peak_mib: peak_mib(process)?,
    })
}

/// The medians of some runs, and the sizes of a binary.
fn row(what: &str, runs: &[Run], binary: Option<&Path>) -> Row {
    let figure = |name, value, decimals| Figure {
        name,
        value,
        decimals,
    };
    let of = |name, field: fn(&Run) -> f64, decimals| {
        let all: Vec<f64> = runs.iter().map(field).collect();
        figure(name, median(&all), decimals)
    };
    let (unzipped, zipped) = binary.map_or((f64::NAN, f64::NAN), sizes_kb);
    Row {
        what: what.to_owned(),
        figures: vec![
            of("init ms", |run| run.init_ms, 1),
            of("init CPU ms", |run| run.init_cpu_ms, 1),
            of("first ms", |run| run.first_ms, 1),
            of("first CPU ms", |run| run.first_cpu_ms, 2),
            of("warm ms", |run| run.warm_ms, 2),
            of("warm CPU ms", |run| run.warm_cpu_ms, 2),
            of("peak MiB", |run| run.peak_mib, 1),
            figure("unzipped kB", unzipped, 0),
            figure("zip kB", zipped, 0),
        ],
    }
}

/// Unzipped and zipped as a release has it; not a number where it cannot be read.
#[allow(
    clippy::cast_precision_loss,
    reason = "no binary comes near what a float holds exactly"
)]
fn sizes_kb(binary: &Path) -> (f64, f64) {
    let kb = |bytes: usize| bytes as f64 / 1_000.0;
    let Ok(bytes) = fs::read(binary) else {
        return (f64::NAN, f64::NAN);
    };
    let zip = function_zip(&bytes, Compression::best()).map(|zip| zip.len());
    (kb(bytes.len()), zip.map_or(f64::NAN, kb))
}

/// Whether what the function must reach is reached, a line for each.
pub(super) fn verdicts(rows: &[Row]) -> Vec<String> {
    let times = [
        ("init ms", 20.0),
        ("first CPU ms", 20.0),
        ("warm CPU ms", 20.0),
        ("peak MiB", 5.0),
    ];
    let mut lines = Vec::new();
    for pair in rows.chunks_exact(2) {
        let way = pair[1].what.trim_start_matches("ssmbak, ");
        for (name, wanted) in times {
            let factor = pair[0].figure(name) / pair[1].figure(name);
            let holds = held(factor >= wanted);
            lines.push(format!(
                "   {holds}  {way}: {name} 1/{factor:.0} of the original's, wanted 1/{wanted:.0}"
            ));
        }
    }
    if let Some(ours) = rows.get(1) {
        let kb = ours.figure("zip kB");
        #[allow(clippy::cast_precision_loss, reason = "four million is held exactly")]
        let most_kb = MOST_BYTES as f64 / 1_000.0;
        let holds = held(kb <= most_kb);
        lines.push(format!(
            "   {holds}  zip {kb:.0} kB, wanted {most_kb:.0} at most"
        ));
    }
    lines
}

fn held(holds: bool) -> &'static str {
    if holds { "holds " } else { "MISSED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_compare_each_way_with_the_original() {
        let run = |ms: f64| Run {
            init_ms: ms,
            init_cpu_ms: ms,
            first_ms: ms,
            first_cpu_ms: ms,
            warm_ms: ms,
            warm_cpu_ms: ms,
            peak_mib: ms,
        };
        let of = |what: &str, ms| row(what, &[run(1_000.0), run(ms), run(0.0)], None);
        let rows = [of("original, TLS", 100.0), of("ssmbak, TLS", 10.0)];
        let lines = verdicts(&rows);
        assert_eq!(
            lines[0],
            "   MISSED  TLS: init ms 1/10 of the original's, wanted 1/20"
        );
        assert_eq!(
            lines[3],
            "   holds   TLS: peak MiB 1/10 of the original's, wanted 1/5"
        );
        assert!(lines[4].starts_with("   MISSED  zip"), "{lines:?}");
    }
}
