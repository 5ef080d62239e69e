//! `ssmbak diff`: what differs between two instants.

use ssmbak_core::differences::differences;
use ssmbak_core::domain::{Instant, Target};

use super::Context;
use crate::args::DiffArgs;
use crate::difference_report as report;
use crate::error::{CliError, Exit};
use crate::ui::{warn, write_text};
use crate::view::DifferenceView;

/// Shows what differs and changes nothing.
pub(super) async fn run(context: &Context, args: &DiffArgs) -> Result<Exit, CliError> {
    let target = Target::parse(&args.path, args.recursive)?;
    let (from, to) = range(context, args)?;
    let stores = context.stores_to_survey(true).await?;
    let found = differences(&stores, &target, from, to, args.trust_index).await?;
    context.hint_at_path(&stores, &target, args.recursive).await;
    report::something_is_known(&found)?;
    if context.ui.shows_tables() {
        write_text(report::patch(&found, args.reveal, context.ui.is_colored()))?;
    } else {
        let view = |difference| DifferenceView::new(difference, args.reveal);
        let rows: Vec<_> = found.differences.iter().map(view).collect();
        context.ui.show(&rows)?;
    }
    for warning in report::warnings(&found) {
        warn(&warning);
    }
    context.ui.note(&report::summary(&found));
    Ok(report::exit(&found, args.exit_code))
}

/// The two instants; none for the second where it is not over yet: then what
/// lives counts.
fn range(context: &Context, args: &DiffArgs) -> Result<(Instant, Option<Instant>), CliError> {
    // Before the arguments are read, or `now` might be over by then.
    let present = (context.clock)();
    let from = context.moment(&args.from)?.last;
    let to = context.moment(&args.to)?.last;
    if from > to {
        return Err(CliError::Usage {
            message: format!("{from} is after {to}"),
            hint: "swap them: the earlier instant comes first".into(),
        });
    }
    let past = (to < present).then_some(to);
    let end = past.map_or("now".into(), |to| to.to_string());
    context.ui.note(&format!("from {from} to {end}"));
    Ok((from, past))
}
