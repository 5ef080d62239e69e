//! `ssmbak rebuild`: makes the index anew from the journal.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Context;
use crate::args::RebuildArgs;
use crate::error::{CliError, Exit};
use crate::ui::{tell, warn};
use crate::view::UnreadableView;
use ssmbak_core::rebuild::{RebuildOptions, RebuildReport, Survey, Told, rebuild, survey};
use ssmbak_core::store::Stores;

/// So many unreadable objects are shown one by one; all are counted.
const SHOWN_MAX: usize = 10_000;

/// Rebuilds, or tells what there is to rebuild from.
pub(super) async fn run(context: &Context, args: &RebuildArgs) -> Result<Exit, CliError> {
    let connection = &context.connection;
    let stores = connection
        .stores_to_rebuild(context.clock, args.to_table.as_deref())
        .await?;
    if !args.do_it {
        let found = survey(&stores).await?;
        context.ui.note_lines(&summary(&stores, &found));
        context
            .ui
            .note("nothing was written: pass --do-it for that");
        return Ok(Exit::Done);
    }
    if args.create_table {
        stores.index.create(args.table_key.as_deref()).await?;
    } else if !stores.index.exists().await? {
        return Err(CliError::Failed {
            message: format!("the table {} does not exist", stores.index.table()),
            hint: Some(
                "pass --create-table, or make it as docs/recovery.md tells; --table names another"
                    .into(),
            ),
        });
    }
    let options = RebuildOptions {
        leave_out_unreadable: args.leave_out_unreadable,
        is_written_elsewhere: args.to_table.is_some(),
    };
    let done = rebuild_all(context, &stores, options).await?;
    if args.to_table.is_some() && done.finished {
        context.ui.note(
            "what was captured meanwhile went to the stack's own table: once the stack uses this \
             one, run this again",
        );
    }
    Ok(exit(&done))
}

async fn rebuild_all(
    context: &Context,
    stores: &Stores,
    options: RebuildOptions,
) -> Result<RebuildReport, CliError> {
    let bar = context.ui.counter();
    let (indexed, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let progress = |told: Told<'_>| match told {
        Told::Records(count) => {
            indexed.fetch_add(count, Ordering::Relaxed);
            bar.inc(count.try_into().unwrap_or(0));
        }
        Told::Day(prefix) => bar.set_message(day_of(prefix).to_owned()),
        Told::Unreadable(object, problem) => {
            bar.suspend(|| warn(&format!("{object}: {problem}")));
            let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
            if rows.len() < SHOWN_MAX {
                rows.push(UnreadableView {
                    object: object.to_owned(),
                    problem: problem.to_owned(),
                });
            }
        }
    };
    let done = rebuild(stores, options, &progress).await;
    bar.finish_and_clear();
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by(|a, b| a.object.cmp(&b.object));
    context.ui.show(&rows)?;
    match done {
        Ok(report) => {
            context.ui.note(&closing(&report));
            if report.unreadable > 0 {
                tell(unreadable_hint(&report));
            }
            Ok(report)
        }
        Err(error) => {
            let indexed = indexed.load(Ordering::Relaxed);
            context.ui.note(&format!(
                "{indexed} records were indexed; the index is not finished: run this again to go on"
            ));
            Err(error.into())
        }
    }
}

/// `2026/11/20` of the prefix of a day.
fn day_of(prefix: &str) -> &str {
    let day = prefix.trim_end_matches('/');
    day.get(day.len().saturating_sub("2026/11/20".len())..)
        .unwrap_or(day)
}

fn exit(report: &RebuildReport) -> Exit {
    match report.unreadable {
        0 => Exit::Done,
        _ => Exit::Partly,
    }
}

fn summary(stores: &Stores, found: &Survey) -> String {
    let table = stores.index.table();
    let state = match &found.unfinished {
        _ if !found.table => format!("the table {table} does not exist"),
        Some(unfinished) => {
            let up_to = unfinished.up_to.as_deref().map(day_of);
            let up_to = up_to.map_or(String::new(), |day| format!(", done up to {day}"));
            format!(
                "the table {table} is being rebuilt since {}{up_to}",
                unfinished.since
            )
        }
        None => format!("the table {table} is there"),
    };
    format!(
        "{}: {} records of {} days, {} facts of coverage, {} of runs\n{state}",
        stores.bucket.name(),
        found.records,
        found.days,
        found.coverage_facts,
        found.run_facts
    )
}

fn closing(report: &RebuildReport) -> String {
    let mut facts = vec![
        format!("{} records", report.records),
        format!("{} runs", report.runs),
    ];
    if report.finished {
        facts.push(format!("{} paths covered", report.covered));
    }
    if report.unreadable > 0 {
        facts.push(format!("{} objects unreadable", report.unreadable));
    }
    let state = if report.finished {
        "rebuilt"
    } else {
        "not finished"
    };
    format!("{state}: {}", facts.join(", "))
}

fn unreadable_hint(report: &RebuildReport) -> &'static str {
    if report.finished {
        "\nhint: the objects named above are not in the index: around their instants a preview may \
         be wrong for the names they tell of. No path is covered until `ssmbak seed --do-it`"
    } else {
        "\nhint: other commands refuse the index until all of the journal can be read. Put the \
         named objects right and run this again, or finish without them: --leave-out-unreadable"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_says_whether_the_index_can_be_asked() {
        let mut report = RebuildReport {
            records: 7,
            runs: 1,
            covered: 2,
            unreadable: 0,
            finished: true,
        };
        assert_eq!(
            closing(&report),
            "rebuilt: 7 records, 1 runs, 2 paths covered"
        );
        assert_eq!(exit(&report), Exit::Done);
        report.unreadable = 3;
        report.finished = false;
        assert_eq!(
            closing(&report),
            "not finished: 7 records, 1 runs, 3 objects unreadable"
        );
        assert_eq!(exit(&report), Exit::Partly);
    }

    #[test]
    fn a_day_is_told_without_its_prefix() {
        assert_eq!(day_of("_ssmbak/journal/2026/11/20/"), "2026/11/20");
        assert_eq!(day_of("x"), "x");
    }
}
