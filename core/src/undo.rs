//! Undo: what puts back what a run overwrote or deleted, and takes away what
//! it created. Changes nothing: the plan is applied as any other.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::domain::plan::Problem;
use crate::domain::run::{Run, RunName, short_id};
use crate::domain::state::{Found, FoundValue};
use crate::domain::undo::{
    Guess, Left, OnRecord, Told, guess, labels_left_on, moved, or_under_way, state_before, told,
};
use crate::domain::{
    Action, Attributes, Instant, Live, Name, NameError, Plan, Pointer, Record, State, Step, Target,
};
use crate::store::{ErrorKind, StoreError, Stores};
use crate::survey::{SurveyOptions, Wanted, against};

/// How many names are asked about at once.
const NAMES_AT_ONCE: usize = 16;

/// How an undo is to go about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UndoOptions {
    /// Also what changed since the run.
    pub force: bool,
    /// What cannot be overwritten is to be deleted and created again.
    pub recreate: bool,
}

/// What an undo would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undoing {
    /// A step for each parameter that the run wrote or deleted.
    pub plan: Plan,
    /// What changed since the run and is done all the same, with what it is.
    pub overridden: BTreeMap<Name, String>,
    /// What is not taken back: a fragment for each parameter.
    pub left_alone: Vec<(Name, String)>,
}

/// Returns what an undo of `run` would do; its names are read from the index.
///
/// A parameter that is not as the run left it gets a [`Problem::Moved`], and
/// the others are done. What the run did not come to is left out. Labels stay
/// where the run put them.
///
/// Takes one or two rows of the index for each name, and what
/// [`against`] takes.
pub async fn undo(
    stores: &Stores,
    run: &Run,
    options: &UndoOptions,
) -> Result<Undoing, StoreError> {
    let target = Target::parse(&run.target, run.recursive).map_err(|e| not_a_target(run, &e))?;
    let names = stores.index.run_names(run).await?;
    let left_alone = labels_left(stores, run, &names).await?;
    let mut traces = traces(stores, names).await?;
    if options.recreate {
        find_under_way(stores, &mut traces).await?;
    }
    let traces = traces;
    let wanted: Vec<Wanted> = stream::iter(&traces)
        .map(|trace| wanted(stores, run, trace))
        .buffered(NAMES_AT_ONCE)
        .try_collect()
        .await?;
    let survey = SurveyOptions {
        recreate: options.recreate,
        ..SurveyOptions::default()
    };
    let mut steps = against(stores, wanted, &survey, &|_, _| None).await?;
    let mut overridden = BTreeMap::new();
    let of: BTreeMap<&Name, &Trace> = traces.iter().map(|t| (&t.name.name, t)).collect();
    for step in steps.iter_mut().filter(|step| step.action.changes()) {
        let Some(why) = of.get(&step.name).and_then(|trace| trace.moved(run, step)) else {
            continue;
        };
        let why = format!("it changed since run {}: {why}", short_id(&run.id));
        if options.force {
            overridden.insert(step.name.clone(), why);
        } else if step.problem.is_none() {
            step.problem = Some(Problem::Moved(why));
        }
    }
    Ok(Undoing {
        plan: Plan {
            target,
            at: run.started,
            steps,
            nearest_known: None,
            anything_known: true,
        },
        overridden,
        left_alone,
    })
}

fn not_a_target(run: &Run, error: &NameError) -> StoreError {
    let attempted = format!("undo run {}", run.id);
    StoreError::new(attempted, ErrorKind::Format, error.to_string())
}

/// A parameter that the run touched.
struct Trace {
    name: RunName,
    left: Left,
    /// Why it cannot be what the run left, where that is known already.
    moved: Option<String>,
}

impl Trace {
    fn moved(&self, run: &Run, step: &Step) -> Option<String> {
        let found_out = self.moved.clone();
        found_out.or_else(|| moved(run, &self.name, &self.left, step.live.as_ref()))
    }
}

/// What the run left of each name; what it did not touch is left out.
async fn traces(stores: &Stores, names: Vec<RunName>) -> Result<Vec<Trace>, StoreError> {
    let (mut traces, mut unsure) = (Vec::with_capacity(names.len()), Vec::new());
    for name in names {
        match told(&name) {
            Told::Untouched => {}
            Told::Left(left) => traces.push(Trace {
                name,
                left,
                moved: None,
            }),
            Told::Unsure => unsure.push(name),
        }
    }
    if !unsure.is_empty() {
        traces.extend(found_out(stores, unsure).await?);
    }
    Ok(traces)
}

/// Finds those that a first undo has deleted, to create them again.
async fn find_under_way(stores: &Stores, traces: &mut [Trace]) -> Result<(), StoreError> {
    let all: Vec<Name> = traces.iter().map(|t| t.name.name.clone()).collect();
    let lives = stores.parameters.list_names(&all).await?;
    let lives: BTreeSet<Name> = lives.into_iter().map(|live| live.name).collect();
    for trace in traces.iter_mut().filter(|trace| trace.moved.is_none()) {
        let is_alive = lives.contains(&trace.name.name);
        trace.left = or_under_way(&trace.name, trace.left.clone(), is_alive);
    }
    Ok(())
}

/// The traces of what a run could not tell, from what lives.
async fn found_out(stores: &Stores, names: Vec<RunName>) -> Result<Vec<Trace>, StoreError> {
    let all: Vec<Name> = names.iter().map(|n| n.name.clone()).collect();
    let lives = stores.parameters.list_names(&all).await?;
    let lives: BTreeMap<Name, Live> = lives.into_iter().map(|l| (l.name.clone(), l)).collect();
    let (mut traces, mut doubtful) = (Vec::new(), Vec::new());
    for name in names {
        let live = lives.get(&name.name);
        match (guess(&name, live), live) {
            (Guess::Untouched, _) => {}
            (Guess::IfSame(left), Some(live)) => doubtful.push((name, left, live)),
            (Guess::Left(left) | Guess::IfSame(left), _) => traces.push(Trace {
                name,
                left,
                moved: None,
            }),
            (Guess::Moved(left, why), _) => traces.push(Trace {
                name,
                left,
                moved: Some(format!(
                    "{why}, and the run could not tell what it had done"
                )),
            }),
        }
    }
    let written = written_by_it(stores, &doubtful).await?;
    traces.extend(doubtful.into_iter().map(|(name, left, live)| {
        let is_its_own = written.contains(&name.name);
        let why = || {
            format!(
                "version {} lives, and is not what the run was to write",
                live.version
            )
        };
        Trace {
            moved: (!is_its_own).then(why),
            name,
            left,
        }
    }));
    Ok(traces)
}

/// Those whose live version is what the run was to write.
async fn written_by_it(
    stores: &Stores,
    doubtful: &[(RunName, Left, &Live)],
) -> Result<BTreeSet<Name>, StoreError> {
    let wanted: Vec<Option<Wanted>> = stream::iter(doubtful)
        .map(|(name, _, live)| to_be_written(stores, name, live))
        .buffered(NAMES_AT_ONCE)
        .try_collect()
        .await?;
    let wanted: Vec<Wanted> = wanted.into_iter().flatten().collect();
    let options = SurveyOptions::default();
    let steps = against(stores, wanted, &options, &|_, _| None).await?;
    let same = |step: &Step| {
        let update = matches!(step.action, Action::None | Action::Update);
        update && step.problem.is_none() && !step.differences.version
    };
    let same = steps.into_iter().filter(same);
    Ok(same.map(|step| step.name).collect())
}

/// What the run was to make of `name`; none where its value is not on record.
/// Where the attributes are not, those of the live version say nothing.
async fn to_be_written(
    stores: &Stores,
    name: &RunName,
    live: &Live,
) -> Result<Option<Wanted>, StoreError> {
    let record = record_at(stores, &name.name, name.restored.as_deref()).await?;
    let written = record.as_ref().and_then(Record::present);
    let own = name.pointer.as_ref().map(|p| Pointer {
        bucket: p.bucket.clone(),
        key: p.key.clone(),
        version_id: p.version_id.clone(),
    });
    let recorded = || written.and_then(|w| w.value.pointer()).cloned();
    let Some(pointer) = own.or_else(recorded) else {
        return Ok(None);
    };
    let attributes = written.map_or(&live.attributes, |w| &w.attributes);
    Ok(Some(Wanted {
        name: name.name.clone(),
        state: State::Present(Found {
            modified: live.modified,
            version: None,
            modified_by: None,
            attributes: Attributes {
                tags: None,
                // Which other key the run was given is not on record.
                key_id: live.attributes.key_id.clone(),
                ..attributes.clone()
            },
            value: FoundValue::Stored(pointer),
            inexact: false,
        }),
    }))
}

async fn record_at(
    stores: &Stores,
    name: &Name,
    entry: Option<&str>,
) -> Result<Option<Record>, StoreError> {
    match entry {
        Some(entry) => stores.index.record_at(name, entry).await,
        None => Ok(None),
    }
}

async fn wanted(stores: &Stores, run: &Run, trace: &Trace) -> Result<Wanted, StoreError> {
    let name = &trace.name;
    let version = record_at(stores, &name.name, name.before.as_deref()).await?;
    let until = match trace.left {
        Left::Version { .. } => None,
        // It has had no others since.
        Left::Nothing => Some(run.finished.map_or(Instant::LATEST, Instant::second_end)),
        Left::UnderWay => Some(Instant::LATEST),
        Left::Tagged => Some(run.started.plus_millis(-1)),
    };
    let tags = match until.filter(|_| version.is_some() && name.before_tags.is_none()) {
        Some(until) => stores.index.newest_tags_until(&name.name, until).await?,
        None => None,
    };
    let on_record = OnRecord {
        version: version.as_ref(),
        tags: tags.as_ref(),
    };
    Ok(Wanted {
        name: name.name.clone(),
        state: state_before(name, &trace.left, on_record),
    })
}

/// What is to be said of the labels that the run put on versions. A call for
/// each name that it put some on.
async fn labels_left(
    stores: &Stores,
    run: &Run,
    names: &[RunName],
) -> Result<Vec<(Name, String)>, StoreError> {
    let mut told = Vec::new();
    for name in names.iter().filter(|name| !name.labels.is_empty()) {
        let since = run.started.second_start();
        let index = &stores.index;
        let moves = index.label_and_tag_changes(&name.name, since, Instant::LATEST);
        let left = labels_left_on(name, &moves.await?);
        told.extend(left.into_iter().map(|text| (name.name.clone(), text)));
    }
    Ok(told)
}
