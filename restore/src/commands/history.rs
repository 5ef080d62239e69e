//! `ssmbak history`: every change, newest first.

use ssmbak_core::compared::compared;
use ssmbak_core::domain::{Instant, Target};
use ssmbak_core::history::{Entry, History, Span};
use ssmbak_core::store::{ErrorKind, StoreError, Stores};

use super::Context;
use crate::args::HistoryArgs;
use crate::error::{CliError, Exit};
use crate::view::{ChangeView, ComparedView};

/// So many entries are compared before they are shown: their values are held
/// meanwhile.
const COMPARED_AT_ONCE: usize = 100;

/// Lists the changes as they arrive, page by page.
pub(super) async fn run(context: &Context, args: &HistoryArgs) -> Result<Exit, CliError> {
    let target = Target::parse(&args.path, args.recursive)?;
    let span = span(context, args)?;
    let stores = if args.values {
        context.stores().await?
    } else {
        context.index_alone().await?
    };
    if args.values {
        list_compared(context, args, (&stores, &target), &span).await?;
    } else {
        let whole = matches!(target, Target::Name(_));
        let mut rows = context.ui.rows();
        let mut wanted = Wanted::new(args);
        let mut history = History::new(&stores, &target, &span);
        let mut waiting = Some(context.ui.waiting("reading the index"));
        while !wanted.is_enough()
            && !rows.is_closed()
            && let Some(entries) = history.next().await?
        {
            let entries = wanted.of(entries);
            let views: Vec<_> = entries.iter().map(|e| ChangeView::new(e, whole)).collect();
            // Rows and a sign of progress would write over each other.
            waiting = None;
            rows.page(&views)?;
        }
        drop(waiting);
        rows.finish::<ChangeView>()?;
    }
    context.hint_at_path(&stores, &target, args.recursive).await;
    Ok(Exit::Done)
}

/// As without values, some entries at a time.
async fn list_compared(
    context: &Context,
    args: &HistoryArgs,
    (stores, target): (&Stores, &Target),
    span: &Span,
) -> Result<(), CliError> {
    let whole = matches!(target, Target::Name(_));
    let mut rows = context.ui.rows();
    let mut wanted = Wanted::new(args);
    let mut history = History::new(stores, target, span);
    while !wanted.is_enough()
        && !rows.is_closed()
        && let Some(entries) = history.next().await?
    {
        for some in wanted.of(entries).chunks(COMPARED_AT_ONCE) {
            let records: Vec<_> = some.iter().map(|entry| &entry.record).collect();
            let found = compared(stores, &records).await.map_err(unreadable)?;
            let views = some.iter().zip(found).map(|(entry, compared)| {
                ComparedView::new(ChangeView::new(entry, whole), compared, args.reveal)
            });
            rows.page(&views.collect::<Vec<_>>())?;
        }
    }
    rows.finish::<ComparedView>()?;
    Ok(())
}

/// Values take other rights than their history does: it can be had without them.
fn unreadable(error: StoreError) -> CliError {
    if error.kind() != ErrorKind::AccessDenied {
        return error.into();
    }
    let without = "without --values no value is read";
    CliError::Failed {
        message: format!("failed to {error}"),
        hint: Some(match error.hint() {
            Some(hint) => format!("{hint}; {without}"),
            None => without.to_owned(),
        }),
    }
}

/// Which entries are asked for, and how many still.
struct Wanted<'a> {
    args: &'a HistoryArgs,
    by: Option<String>,
    left: Option<usize>,
}

impl<'a> Wanted<'a> {
    fn new(args: &'a HistoryArgs) -> Self {
        Self {
            args,
            by: args.by.as_ref().map(|by| by.to_lowercase()),
            left: args.limit(),
        }
    }

    /// Those that are asked for.
    fn of(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        entries.retain(|entry| self.admits(entry));
        if let Some(left) = &mut self.left {
            entries.truncate(*left);
            *left -= entries.len();
        }
        entries
    }

    fn is_enough(&self) -> bool {
        self.left == Some(0)
    }

    fn admits(&self, entry: &Entry) -> bool {
        let operations = &self.args.operation;
        let operation = operations.is_empty() || operations.contains(&entry.record.operation());
        let by = self.by.as_ref().is_none_or(|wanted| {
            let by = entry.by().map(str::to_lowercase);
            by.is_some_and(|by| by.contains(wanted))
        });
        operation && by
    }
}

/// Both ends belong to the range: whole seconds are taken whole.
fn span(context: &Context, args: &HistoryArgs) -> Result<Span, CliError> {
    let moment = |text: &Option<String>| text.as_ref().map(|t| context.moment(t)).transpose();
    let since: Option<Instant> = moment(&args.since)?.map(|m| m.first);
    let until: Option<Instant> = moment(&args.until)?.map(|m| m.last);
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
    let is_filtered = args.by.is_some() || !args.operation.is_empty();
    Ok(Span {
        since,
        until,
        wanted: args.limit().filter(|_| !is_filtered),
    })
}
