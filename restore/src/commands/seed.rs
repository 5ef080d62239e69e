//! `ssmbak seed`: captures what lives now and its retained history.

use std::sync::{Mutex, PoisonError};

use ssmbak_core::domain::{Name, Path, Source};

use super::Context;
use crate::args::SeedArgs;
use crate::error::{CliError, Exit};
use crate::ui::{hint_to_repeat, warn};
use crate::view::SeedView;
use ssmbak_core::drift::{TagReport, capture_tags};
use ssmbak_core::reconcile::{SeedReport, seed};
use ssmbak_core::store::Stores;

/// Captures path after path, or tells what would be captured.
pub(super) async fn run(context: &Context, args: &SeedArgs) -> Result<Exit, CliError> {
    let paths = paths(&args.paths)?;
    let stores = context.stores().await?;
    let (mut failed, mut fine) = (false, false);
    // Told after the table, not in the middle of it.
    let mut notes = Vec::new();
    let mut out = context.ui.rows();
    for path in &paths {
        let (mut rows, mut report) = seed_path(context, &stores, path, args.do_it).await?;
        let mut note = summary(path, &report, args.do_it);
        if args.tags {
            let (tagged, tags) = tags_under(context, &stores, path, args.do_it).await?;
            note.push_str(&tags_summary(&tags, args.do_it));
            rows.extend(tagged);
            rows.sort_by(|a, b| a.name.cmp(&b.name));
            report.failures.extend(tags.failures);
            fine |= tags.read > 0;
        }
        out.page(&rows)?;
        for (name, why) in &report.failures {
            warn(&format!("{name}: {why}"));
        }
        notes.push(note);
        failed |= !report.failures.is_empty();
        fine |= report.versions + report.already + report.deletions > 0;
    }
    out.finish::<SeedView>()?;
    for note in &notes {
        context.ui.note(note);
    }
    if !args.do_it {
        context
            .ui
            .note("nothing was captured: pass --do-it for that");
    }
    if failed {
        hint_to_repeat();
        return Ok(if fine { Exit::Partly } else { Exit::Failed });
    }
    Ok(Exit::Done)
}

/// Reads the paths; one that lies under another is left out.
fn paths(texts: &[String]) -> Result<Vec<Path>, CliError> {
    let mut paths = texts
        .iter()
        .map(|text| Path::parse(text))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    // Sorted, a path comes right before what lies under it.
    paths.dedup_by(|below, above| above.covers(below));
    Ok(paths)
}

/// Captures what lives under a path, or tells what would be captured: a row for each name, sorted.
pub(crate) async fn seed_path(
    context: &Context,
    stores: &Stores,
    path: &Path,
    do_it: bool,
) -> Result<(Vec<SeedView>, SeedReport), CliError> {
    let bar = context.ui.counter();
    let rows = Mutex::new(Vec::new());
    let progress = |name: &Name, versions: usize| {
        bar.set_message(name.to_string());
        bar.inc(1);
        let row = SeedView {
            name: name.clone(),
            versions: do_it.then_some(versions),
            failure: None,
        };
        rows.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(row);
    };
    let report = seed(stores, path, do_it, &progress).await;
    bar.finish_and_clear();
    let report = report?;
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.extend(failed(&report.failures));
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((rows, report))
}

fn failed(failures: &[(Name, String)]) -> impl Iterator<Item = SeedView> {
    failures.iter().map(|(name, why)| SeedView {
        name: name.clone(),
        versions: Some(0),
        failure: Some(why.clone()),
    })
}

/// As [`seed_path`], for the tags of what is on record.
async fn tags_under(
    context: &Context,
    stores: &Stores,
    path: &Path,
    do_it: bool,
) -> Result<(Vec<SeedView>, TagReport), CliError> {
    let bar = context.ui.counter();
    let rows = Mutex::new(Vec::new());
    let progress = |name: &Name, _: usize| {
        bar.set_message(name.to_string());
        bar.inc(1);
        let row = SeedView {
            name: name.clone(),
            versions: do_it.then_some(0),
            failure: None,
        };
        rows.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(row);
    };
    let report = capture_tags(stores, path, do_it, Source::Seed, &progress).await;
    bar.finish_and_clear();
    let report = report?;
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.extend(failed(&report.failures));
    Ok((rows, report))
}

fn tags_summary(report: &TagReport, did_it: bool) -> String {
    let what = if did_it { "captured" } else { "to capture" };
    let failed = match report.failures.len() {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    format!(
        ", tags of {} read, {} changed and {what}{failed}",
        report.read, report.changed
    )
}

/// One line about a path.
pub(crate) fn summary(path: &Path, report: &SeedReport, did_it: bool) -> String {
    let found = if did_it {
        format!("{} versions captured", report.versions)
    } else {
        format!("{} to capture", report.versions)
    };
    let mut facts = vec![
        format!("{} parameters", report.parameters),
        found,
        format!("{} already on record", report.already),
    ];
    if report.deletions > 0 {
        facts.push(format!("{} deletions captured", report.deletions));
    }
    if !report.failures.is_empty() {
        facts.push(format!("{} failed", report.failures.len()));
    }
    format!("{path}: {}", facts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Vec<String> {
        let texts: Vec<_> = texts.iter().map(|&t| t.to_owned()).collect();
        let paths = paths(&texts).unwrap();
        paths.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_path_under_another_is_left_out() {
        assert_eq!(
            read(&["/app/db/", "/app/", "/app2/", "/app/"]),
            ["/app/", "/app2/"]
        );
        assert_eq!(read(&["/x/", "/"]), ["/"]);
    }

    #[test]
    fn a_name_is_a_usage_error() {
        let refused = paths(&["/app".into()]).unwrap_err();
        assert_eq!(refused.exit(), Exit::Usage);
        assert_eq!(refused.hint().unwrap(), "write /app/");
    }

    #[test]
    fn the_summary_tells_failures_and_deletions_only_if_there_are_any() {
        let path = Path::root();
        let mut report = SeedReport {
            left: 0,
            parameters: 3,
            versions: 7,
            already: 2,
            deletions: 0,
            failures: vec![],
        };
        assert_eq!(
            summary(&path, &report, false),
            "/: 3 parameters, 7 to capture, 2 already on record"
        );
        report.deletions = 1;
        report.failures = vec![(Name::parse("/a").unwrap(), "denied".into())];
        assert_eq!(
            summary(&path, &report, true),
            "/: 3 parameters, 7 versions captured, 2 already on record, 1 deletions captured, \
             1 failed"
        );
    }
}
