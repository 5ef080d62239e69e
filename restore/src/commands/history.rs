//! `ssmbak history`: every change, newest first.

use std::io;
use std::ops::ControlFlow;

use ssmbak_core::domain::{Instant, Record, Target};

use super::Context;
use crate::args::HistoryArgs;
use crate::error::{CliError, Exit};
use crate::view::ChangeView;

/// Lists the changes as they arrive, page by page.
pub(super) async fn run(context: &Context, args: &HistoryArgs) -> Result<Exit, CliError> {
    let target = Target::parse(&args.path, args.recursive)?;
    let (since, until) = range(context, args)?;
    let stores = context.stores().await?;
    let mut rows = context.ui.rows();
    let mut written: io::Result<()> = Ok(());
    let whole = matches!(target, Target::Name(_));
    let mut waiting = Some(context.ui.waiting("reading the index"));
    let mut page = |records: Vec<Record>| {
        let view = |record| ChangeView::new(record, whole);
        let views: Vec<_> = records.iter().map(view).collect();
        // Rows and a sign of progress would write over each other.
        waiting = None;
        written = rows.page(&views);
        if written.is_err() || rows.is_closed() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    ssmbak_core::history::history(&stores, &target, since, until, &mut page).await?;
    written?;
    rows.finish::<ChangeView>()?;
    context.hint_at_path(&stores, &target, args.recursive).await;
    Ok(Exit::Done)
}

/// Both ends belong to the range: whole seconds are taken whole.
fn range(
    context: &Context,
    args: &HistoryArgs,
) -> Result<(Option<Instant>, Option<Instant>), CliError> {
    let moment = |text: &Option<String>| text.as_ref().map(|t| context.moment(t)).transpose();
    let since = moment(&args.since)?.map(|m| m.first);
    let until = moment(&args.until)?.map(|m| m.last);
    if let (Some(since), Some(until)) = (since, until)
        && since > until
    {
        return Err(CliError::Usage {
            message: format!("--since {since} is after --until {until}"),
            hint: "swap them".into(),
        });
    }
    if let Some(since) = since {
        context.ui.note(&format!("since {since}"));
    }
    if let Some(until) = until {
        context.ui.note(&format!("until {until}"));
    }
    Ok((since, until))
}
