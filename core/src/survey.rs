//! Survey: what differs between what lives now and the state at an instant,
//! and nothing else. Changes nothing.
//!
//! The number of calls depends on how many names there are under the path and
//! how many changed, never on how many versions are stored.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::domain::plan::{self, LiveParameter, Problem, RecordedAs, needs_comparison};
use crate::domain::state::{Evidence, Found, FoundValue, is_recorded_as, state_at};
use crate::domain::{
    Action, Coverage, Instant, Live, Name, Plan, Record, Retained, State, Step, Target, Value,
};
use crate::store::{ErrorKind, Head, LiveValue, StoreError, Stores};

/// How many names are asked about at once.
const NAMES_AT_ONCE: usize = 16;

/// What a survey is to find out beyond what differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SurveyOptions {
    /// Read the values of unchanged parameters too.
    pub values_of_unchanged: bool,
}

/// Returns what a restore of `target` to `at` would do.
///
/// Names that neither live nor lived at `at` are left out, and so are the
/// tool's own parameters. A value that cannot be read is a problem of its
/// step, not an error of the survey.
pub async fn survey(
    stores: &Stores,
    target: &Target,
    at: Instant,
    options: &SurveyOptions,
) -> Result<Plan, StoreError> {
    let (live, heads, coverage) = tokio::try_join!(
        stores.parameters.list(target),
        stores.index.heads(target),
        stores.index.coverage(),
    )?;
    let mut live: BTreeMap<Name, Live> = live.into_iter().map(|l| (l.name.clone(), l)).collect();
    let names: BTreeSet<Name> = live.keys().chain(heads.keys()).cloned().collect();
    let cases: Vec<Case> = names
        .into_iter()
        // What lies under a path is what a person keeps there; asked for by its
        // own name it is told, and a restore skips it.
        .filter(|name| !name.is_own() || matches!(target, Target::Name(_)))
        .map(|name| Case {
            live: live.remove(&name),
            head: heads.get(&name).cloned(),
            covered: coverage.covers(&name, at),
            name,
        })
        .collect();
    let states: Vec<Assessed> = stream::iter(cases)
        .map(|case| assess(stores, case, at))
        .buffered(NAMES_AT_ONCE)
        .try_collect()
        .await?;
    let nearest_known = nearest_known(target, at, &coverage, &states);
    let is_known = |a: &Assessed| !matches!(a.state, State::Unknown { .. });
    let anything_known = if states.is_empty() {
        is_covered(target, at, &coverage)
    } else {
        states.iter().any(is_known)
    };
    let steps = steps(stores, states, options).await?;
    Ok(Plan {
        nearest_known,
        anything_known,
        target: target.clone(),
        at,
        steps,
    })
}

/// One name with what the listings tell of it.
struct Case {
    name: Name,
    live: Option<Live>,
    head: Option<Head>,
    covered: bool,
}

/// One name with its state at the instant.
struct Assessed {
    name: Name,
    live: Option<Live>,
    /// Where the live version is on record.
    recorded: Option<RecordedAs>,
    state: State,
}

/// Finds the state of one name: at most a look and two queries, and none of
/// them where the listings decide.
async fn assess(stores: &Stores, case: Case, at: Instant) -> Result<Assessed, StoreError> {
    let Case {
        name,
        mut live,
        head,
        covered,
    } = case;
    let trimmed = head.as_ref().is_some_and(|h| h.trimmed);
    let head = head.map(|h| h.record);
    let recorded = head
        .as_ref()
        .filter(|h| live.as_ref().is_some_and(|l| is_recorded_as(l, Some(h))))
        .map(recorded_as);
    let mut retained: Vec<Retained> = Vec::new();
    let unchanged = live.as_ref().is_some_and(|l| l.modified <= at);
    let mut before = None;
    let mut oldest = None;
    if !unchanged {
        if live.is_some() && recorded.is_none() {
            match look(stores, &name).await? {
                Some(versions) => retained = versions,
                None => live = None,
            }
        }
        before = newest_until(stores, &name, head.as_ref(), trimmed, at).await?;
        let retained_before = retained.iter().any(|r| r.modified <= at);
        if before.is_none() && head.is_some() && !retained_before {
            oldest = stores.index.oldest(&name).await?;
        }
    }
    let state = state_at(
        at,
        &Evidence {
            live: live.as_ref(),
            head: head.as_ref(),
            before: before.as_ref(),
            oldest: oldest.as_ref(),
            retained: &retained,
            covered,
        },
    );
    Ok(Assessed {
        name,
        live,
        recorded,
        state,
    })
}

fn recorded_as(record: &Record) -> RecordedAs {
    let pointer = record.present().and_then(|w| w.value.pointer());
    RecordedAs {
        entry: record.entry(),
        pointer: pointer.cloned(),
    }
}

/// What Parameter Store retains of a live parameter that is not on record. A
/// denied key must not hide the rest: then the versions come without values.
async fn look(stores: &Stores, name: &Name) -> Result<Option<Vec<Retained>>, StoreError> {
    match stores.parameters.history(name).await {
        Ok(look) => Ok(look.retained),
        Err(error) if error.kind() == ErrorKind::AccessDenied => {
            let sealed = stores.parameters.sealed_history(name).await;
            // Not the key but the action is denied: the first error says so.
            sealed.map_err(|_| error)
        }
        Err(error) => Err(error),
    }
}

/// The newest state-deciding record at or before `at`: the head itself, or
/// one query.
async fn newest_until(
    stores: &Stores,
    name: &Name,
    head: Option<&Record>,
    trimmed: bool,
    at: Instant,
) -> Result<Option<Record>, StoreError> {
    match head {
        None => Ok(None),
        Some(head) if head.at > at => {
            let newest = stores.index.newest_until(name, at).await?;
            known_better(stores, name, newest, at).await
        }
        Some(head) if trimmed => stores.index.own_row(head).await,
        Some(head) => Ok(Some(head.clone())),
    }
}

/// An imported version has a whole second only. Where a captured one of that
/// second comes after `at`, it is the same change, which had not happened yet.
/// Costs nothing unless `at` divides the second of an imported version.
async fn known_better(
    stores: &Stores,
    name: &Name,
    newest: Option<Record>,
    at: Instant,
) -> Result<Option<Record>, StoreError> {
    let doubtful = |r: &Record| r.is_imported_version() && r.at.same_second(at);
    let Some(imported) = newest.as_ref().filter(|r| doubtful(r)) else {
        return Ok(newest);
    };
    if at == at.second_end() {
        return Ok(newest);
    }
    let (from, to) = (at.plus_millis(1), at.second_end());
    let later = stores.index.between(name, from, to).await?;
    if !later.iter().any(|r| r.numbered().is_some()) {
        return Ok(newest);
    }
    let before = imported.at.plus_millis(-1);
    stores.index.newest_until(name, before).await
}

/// Reads what must be compared, and decides each step.
async fn steps(
    stores: &Stores,
    states: Vec<Assessed>,
    options: &SurveyOptions,
) -> Result<Vec<Step>, StoreError> {
    let wanted: Vec<Name> = states
        .iter()
        .filter(|a| {
            needs_comparison(&a.state, a.live.as_ref())
                || (options.values_of_unchanged && a.live.is_some())
        })
        .map(|a| a.name.clone())
        .collect();
    let mut values = stores.parameters.values(&wanted).await?;
    let cases: Vec<_> = states
        .into_iter()
        .map(|assessed| {
            let value = values.remove(&assessed.name);
            (assessed, value)
        })
        .collect();
    let steps: Vec<Step> = stream::iter(cases)
        .map(|(assessed, value)| step(stores, assessed, value))
        .buffered(NAMES_AT_ONCE)
        .try_collect()
        .await?;
    let concerned = |s: &Step| s.live.is_some() || s.action != Action::None;
    Ok(steps.into_iter().filter(concerned).collect())
}

type ReadLive = Option<Result<LiveValue, StoreError>>;

async fn step(stores: &Stores, assessed: Assessed, read: ReadLive) -> Result<Step, StoreError> {
    let compared = needs_comparison(&assessed.state, assessed.live.as_ref());
    let mut problem = None;
    let now = match read {
        Some(Ok(read)) => Some(read.value),
        Some(Err(error)) => {
            // What is absent or unknown has no value that anybody asked for.
            let wanted = compared || assessed.state.found().is_some();
            problem = wanted.then(|| Problem::LiveUnreadable(error.to_string()));
            None
        }
        None => None,
    };
    let mut then = None;
    if let Some(found) = assessed.state.found() {
        match value_then(stores, found, now.as_ref()).await {
            Ok(value) => then = value,
            Err(error) if error.kind() == ErrorKind::Missing => problem = Some(Problem::Gone),
            Err(error) => problem = Some(Problem::StoredUnreadable(error.to_string())),
        }
    }
    let wants_tags = |found: &Found| found.attributes.tags.is_some();
    let mut tags = None;
    if assessed
        .state
        .found()
        .filter(|_| compared)
        .is_some_and(wants_tags)
    {
        match stores.parameters.tags(&assessed.name).await {
            Ok(read) => tags = read,
            Err(error) => problem = Some(Problem::LiveUnreadable(error.to_string())),
        }
    }
    let recorded = assessed.recorded;
    let live = assessed.live.map(|live| LiveParameter {
        live,
        recorded,
        value: now,
        tags,
    });
    let (name, state) = (assessed.name, assessed.state);
    Ok(plan::step(name, state, then, live, problem, stores.now()))
}

/// The value of the version that was found; none where it is lost, or is the
/// live one and was not asked for.
async fn value_then(
    stores: &Stores,
    found: &Found,
    now: Option<&Value>,
) -> Result<Option<Value>, StoreError> {
    match &found.value {
        FoundValue::Live => Ok(now.cloned()),
        FoundValue::Retained(value) => Ok(Some(value.clone())),
        FoundValue::Stored(pointer) => stores.bucket.value(pointer).await.map(Some),
        FoundValue::Lost | FoundValue::Sealed => Ok(None),
    }
}

fn is_covered(target: &Target, at: Instant, coverage: &Coverage) -> bool {
    match target {
        Target::Name(name) => coverage.covers(name, at),
        Target::Path { path, .. } => coverage.covers_path(path, at),
    }
}

/// The first instant from `at` on at which something of the target is known.
fn nearest_known(
    target: &Target,
    at: Instant,
    coverage: &Coverage,
    states: &[Assessed],
) -> Option<Instant> {
    let told = states.iter().filter_map(|s| match s.state {
        State::Unknown { known_from } => known_from,
        State::Present(_) | State::Absent { .. } => Some(at),
    });
    let covered = match target {
        Target::Name(name) => name
            .paths_above()
            .filter_map(|path| coverage.next_covered(&path, at))
            .min(),
        Target::Path { path, .. } => coverage.next_covered(path, at),
    };
    told.chain(covered).min()
}
