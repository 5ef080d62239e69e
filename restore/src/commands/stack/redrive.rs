//! `ssmbak stack NAME redrive`.

use std::sync::atomic::AtomicBool;

use super::config;
use crate::args::RedriveArgs;
use crate::commands::Context;
use crate::error::{CliError, Exit};
use crate::ui::warn;
use crate::view::MessageView;
use ssmbak_infra::redrive::{self, Options, Outcome, Report, Source};
use ssmbak_infra::stack_name::StackName;

/// What was done is told even where it ended early.
pub(super) async fn run(
    context: &Context,
    name: &StackName,
    args: &RedriveArgs,
) -> Result<Exit, CliError> {
    let options = Options {
        dry_run: args.dry_run,
        all: args.all,
    };
    let config = config(context).await?;
    let bar = context.ui.progress(0);
    let progress = |dealt_with, total| {
        bar.set_length(total);
        bar.set_position(dealt_with);
    };
    // A look may be abandoned at once: what it received is shown again by itself.
    let nothing_to_cancel = AtomicBool::new(false);
    let cancel = if args.dry_run {
        &nothing_to_cancel
    } else {
        context.interrupt.hold()
    };
    let mut report = Report::default();
    let done = redrive::redrive(&config, name, options, cancel, &progress, &mut report).await;
    bar.finish_and_clear();
    let rows: Vec<_> = report.seen.iter().map(MessageView::new).collect();
    context.ui.show(&rows)?;
    for warning in warnings(&report) {
        warn(&warning);
    }
    if !report.tallies.is_empty() {
        context.ui.note(&summary(&report, args.dry_run));
    }
    if let Some(hint) = hint_at_rest(&report) {
        context.ui.note(&hint);
    }
    done?;
    Ok(match () {
        () if context.interrupt.is_cancelled() => Exit::Interrupted,
        () if report.has_failures() => Exit::Partly,
        () => Exit::Done,
    })
}

/// Each message that failed, and each queue that still holds some.
fn warnings(report: &Report) -> Vec<String> {
    let failed = report.seen.iter().filter_map(|one| {
        let what = match &one.outcome {
            Outcome::Failed(why) => format!("could not be put back: {why}"),
            Outcome::Twice(why) => format!(
                "was put back and could not be deleted here: {why}; it may come twice, which is \
                 captured once"
            ),
            Outcome::Movable | Outcome::Moved | Outcome::Left => return None,
        };
        Some(format!("the message {} {what}", one.id))
    });
    let unseen = report.tallies.iter().filter(|tally| tally.unseen > 0);
    let unseen = unseen.map(|tally| {
        format!(
            "{} {} could not be received: somebody else may be looking at them; run this again \
             in a minute",
            tally.unseen,
            what(tally.source)
        )
    });
    failed.chain(unseen).collect()
}

/// `redriven: 12 of 12 from the dead-letter queue, 0 of 0 undelivered events`.
fn summary(report: &Report, dry_run: bool) -> String {
    let moved = |outcome: &Outcome| match outcome {
        Outcome::Movable => dry_run,
        Outcome::Moved | Outcome::Twice(_) => true,
        Outcome::Left | Outcome::Failed(_) => false,
    };
    let parts: Vec<_> = report
        .tallies
        .iter()
        .map(|tally| {
            let count = report.count(tally.source, moved);
            format!("{count} of {} {}", tally.found, what(tally.source))
        })
        .collect();
    let verb = if dry_run { "to redrive" } else { "redriven" };
    format!("{verb}: {}", parts.join(", "))
}

fn what(source: Source) -> &'static str {
    match source {
        Source::DeadLetters => "from the dead-letter queue",
        Source::Undelivered => "undelivered events",
    }
}

/// Tells what was left on purpose.
fn hint_at_rest(report: &Report) -> Option<String> {
    let left = |source| report.count(source, |outcome| *outcome == Outcome::Left);
    match Source::ALL.map(left).iter().sum() {
        0_u64 => None,
        count => Some(format!(
            "left where they are, since they cannot be understood and would only come again: \
             {count}; --all puts them back too"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmbak_infra::redrive::{Content, Seen, Tally};

    fn report(outcomes: &[Outcome]) -> Report {
        let seen = outcomes.iter().enumerate().map(|(number, outcome)| Seen {
            source: Source::DeadLetters,
            id: format!("m{number}"),
            content: Content::Unintelligible("not JSON"),
            outcome: outcome.clone(),
        });
        let tally = |source, found| Tally {
            source,
            found,
            unseen: 0,
        };
        Report {
            seen: seen.collect(),
            tallies: vec![
                tally(Source::DeadLetters, outcomes.len() as u64),
                tally(Source::Undelivered, 0),
            ],
        }
    }

    #[test]
    fn the_summary_tells_both_queues() {
        let all = report(&[Outcome::Moved, Outcome::Moved]);
        assert_eq!(
            summary(&all, false),
            "redriven: 2 of 2 from the dead-letter queue, 0 of 0 undelivered events"
        );
        assert_eq!(hint_at_rest(&all), None);
        let dry = report(&[Outcome::Movable, Outcome::Left]);
        assert_eq!(
            summary(&dry, true),
            "to redrive: 1 of 2 from the dead-letter queue, 0 of 0 undelivered events"
        );
        let hint = hint_at_rest(&dry).unwrap();
        assert!(
            hint.ends_with("again: 1; --all puts them back too"),
            "{hint}"
        );
    }

    #[test]
    fn each_failure_is_a_warning_and_what_is_there_twice_counts_as_moved() {
        let mut report = report(&[
            Outcome::Failed("too long".into()),
            Outcome::Twice("denied".into()),
            Outcome::Moved,
        ]);
        report.tallies[0].unseen = 4;
        let told = warnings(&report);
        assert_eq!(told.len(), 3);
        assert_eq!(told[0], "the message m0 could not be put back: too long");
        assert!(told[1].contains("m1 was put back and could not be deleted here: denied"));
        assert!(told[2].starts_with("4 from the dead-letter queue could not be received"));
        assert!(summary(&report, false).starts_with("redriven: 2 of 3 from"));
    }
}
