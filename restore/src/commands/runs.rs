//! `ssmbak runs`: the restores and undos on record, or the parameters of one.

use ssmbak_core::domain::run::{Counts, Phase, Run, WhichRun};
use ssmbak_core::store::Stores;

use super::Context;
use crate::args::RunsArgs;
use crate::error::{CliError, Exit};
use crate::view::{RunNameView, RunView};

/// Lists them, newest first.
pub(super) async fn run(context: &Context, args: &RunsArgs) -> Result<Exit, CliError> {
    if let Some(which) = &args.run {
        return one(context, which).await;
    }
    let stores = context.stores().await?;
    let mut rows = context.ui.rows();
    let mut last: Option<Run> = None;
    for _ in 0..args.limit {
        if rows.is_closed() || context.interrupt.is_cancelled() {
            break;
        }
        let Some(run) = stores.index.run_before(last.as_ref()).await? else {
            break;
        };
        let counts = counts(&stores, &run).await?;
        rows.page(&[RunView::new(&run, counts)])?;
        last = Some(run);
    }
    rows.finish::<RunView>()?;
    Ok(Exit::Done)
}

/// How its names ended; none while that is not known. The rows of an older
/// program do not count them.
async fn counts(stores: &Stores, run: &Run) -> Result<Option<Counts>, CliError> {
    match (run.counts, run.phase) {
        (None, Phase::Finished) => Ok(Some(Counts::of(&stores.index.run_names(run).await?))),
        (counts, _) => Ok(counts),
    }
}

async fn one(context: &Context, which: &str) -> Result<Exit, CliError> {
    let which = parse(which)?;
    let stores = context.stores().await?;
    let run = find(&stores, &which).await?;
    let names = stores.index.run_names(&run).await?;
    context.ui.note(&RunView::new(&run, None).sentence());
    let views: Vec<_> = names.iter().map(RunNameView::from).collect();
    context.ui.show(&views)?;
    Ok(Exit::Done)
}

/// Reads a RUN argument.
pub(super) fn parse(text: &str) -> Result<WhichRun, CliError> {
    WhichRun::parse(text).map_err(|error| CliError::Usage {
        message: error.to_string(),
        hint: format!(
            "give {} characters of it at least, or `last`; `ssmbak runs` lists them",
            WhichRun::ID_MIN
        ),
    })
}

/// The run that is meant.
pub(super) async fn find(stores: &Stores, which: &WhichRun) -> Result<Run, CliError> {
    let id = match which {
        WhichRun::Last => {
            let last = stores.index.run_before(None).await?;
            return last.ok_or_else(|| CliError::NoRun {
                message: "no run is on record".into(),
                hint: "every restore and undo is recorded as a run; `ssmbak rebuild` brings back \
                       what a new table lacks"
                    .into(),
            });
        }
        WhichRun::Id(id) => id,
    };
    let mut runs = stores.index.runs_of(id).await?;
    match (runs.pop(), runs.len()) {
        (Some(run), 0) => Ok(run),
        (Some(run), others) => {
            let all = runs.iter().chain([&run]).map(|run| run.id.as_str());
            Err(CliError::Usage {
                message: format!("the ids of {} runs begin with {id:?}", others + 1),
                hint: format!("give more of it: {}", all.collect::<Vec<_>>().join(", ")),
            })
        }
        (None, _) => Err(CliError::NoRun {
            message: format!("no run {id:?} is on record"),
            hint: "`ssmbak runs` lists those that are".into(),
        }),
    }
}
