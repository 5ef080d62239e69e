//! `ssmbak import`: takes over what the original Python tool backed up.

use ssmbak_core::domain::{Name, Target};
use ssmbak_core::import::{ImportReport, ImportRequest, ImportedName, import};
use ssmbak_core::store::SourceBucket;

use super::Context;
use crate::args::ImportArgs;
use crate::error::{CliError, Exit};
use crate::ui::{hint_to_repeat, warn};
use crate::view::ImportView;

/// Imports, or tells what would be imported.
pub(super) async fn run(context: &Context, args: &ImportArgs) -> Result<Exit, CliError> {
    // With all levels: the original knows no others.
    let target = Target::parse(&args.prefix, true)?;
    let stores = context.stores().await?;
    let request = ImportRequest {
        source: source(context, args, stores.bucket.name()).await?,
        target,
        do_it: args.do_it,
    };
    let bar = context.ui.counter();
    let progress = |name: &Name| {
        bar.set_message(name.to_string());
        bar.inc(1);
    };
    let never = std::sync::atomic::AtomicBool::new(false);
    let cancel = if args.do_it {
        context.interrupt.hold()
    } else {
        &never
    };
    let report = import(&stores, &request, cancel, &progress).await;
    bar.finish_and_clear();
    tell(context, args, &report?)
}

/// The original's bucket. It must be another than the one that is written to:
/// there its values would be imported once more with each import.
async fn source(context: &Context, args: &ImportArgs, own: &str) -> Result<SourceBucket, CliError> {
    if args.from_bucket == own {
        return Err(CliError::Usage {
            message: format!(
                "{own} is the bucket that is written to; an import copies from another one"
            ),
            hint: "create a stack of its own (`ssmbak stack NAME create`), and import into that"
                .into(),
        });
    }
    let (profile, region) = (args.from_profile.as_deref(), args.from_region.as_deref());
    let connection = &context.connection;
    let source = connection
        .source_bucket(&args.from_bucket, profile, region)
        .await?;
    source.check().await.map_err(|error| CliError::Failed {
        message: format!("failed to {error}"),
        hint: Some(
            "check --from-bucket, --from-region and --from-profile; to read it takes \
             s3:ListBucketVersions, s3:GetObjectVersion and s3:GetObjectVersionTagging"
                .into(),
        ),
    })?;
    Ok(source)
}

fn tell(context: &Context, args: &ImportArgs, report: &ImportReport) -> Result<Exit, CliError> {
    let rows: Vec<_> = report.imported.iter().map(ImportView::from).collect();
    context.ui.show(&rows)?;
    let failures = report.imported.iter().filter(|i| i.failure.is_some());
    for (name, why) in failures.clone().map(|i| (&i.name, &i.failure)) {
        warn(&format!("{name}: {}", why.as_deref().unwrap_or_default()));
    }
    for note in notes(report) {
        context.ui.note(&note);
    }
    context.ui.note(&summary(args, report));
    if !args.do_it {
        let note = "nothing was imported: pass --do-it for that";
        context.ui.note(note);
    }
    let failed = failures.count();
    if failed > 0 {
        hint_to_repeat();
    }
    Ok(match (failed, report.names - failed) {
        _ if context.interrupt.is_cancelled() => Exit::Interrupted,
        (0, _) => Exit::Done,
        (_, 0) => Exit::Failed,
        (_, _) => Exit::Partly,
    })
}

/// What was left out, and why; only where there is any.
fn notes(report: &ImportReport) -> Vec<String> {
    let told = [
        (
            report.superseded,
            "versions left out: the original stored a later one for the same second",
        ),
        (
            report.doubtful,
            "delete markers left out: they repeat others, or later versions or what lives \
             contradicts them",
        ),
        (
            report.ours,
            "versions left out: this tool wrote them, not the original",
        ),
        (
            report.foreign,
            "versions left out: they do not have the original's tags",
        ),
    ];
    let told = told.iter().filter(|(count, _)| *count > 0);
    told.map(|(count, what)| format!("{count} {what}"))
        .collect()
}

fn summary(args: &ImportArgs, report: &ImportReport) -> String {
    let done = if args.do_it { "imported" } else { "to import" };
    let count = |of: fn(&ImportedName) -> usize| -> usize { report.imported.iter().map(of).sum() };
    format!(
        "{}: {} parameters, {} versions and {} deletions {done}, {} already on record",
        args.from_bucket,
        report.names,
        count(|i| i.versions),
        count(|i| i.deletions),
        report.already
    )
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
