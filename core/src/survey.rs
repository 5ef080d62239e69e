//! Survey: what differs between what lives now and the state at an instant,
//! and nothing else. Changes nothing.
//!
//! The number of calls depends on how many names there are under the path and
//! how many changed, never on how many versions are stored.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::domain::labels::{SeenLabels, labels_at};
use crate::domain::plan::{
    self, How, LiveParameter, Nearest, Problem, RecordedAs, needs_comparison,
};
use crate::domain::state::{Evidence, Found, FoundValue, is_recorded_as, state_at};
use crate::domain::{
    Action, Change, Coverage, Instant, KeyMap, Live, Name, Plan, Record, Retained, State, Step,
    Target, Value,
};
use crate::store::{ErrorKind, Head, LiveValue, StoreError, Stores, TagHead};

/// How many names are asked about at once.
const NAMES_AT_ONCE: usize = 16;
/// How many stored values are looked for at most where one is gone.
const MOST_HELD: usize = 10;

/// What a survey is to find out beyond what differs, and how a restore is to go
/// about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SurveyOptions {
    /// Read the values of unchanged parameters too.
    pub values_of_unchanged: bool,
    /// Labels are to be put back. Takes one or two calls more for each name.
    pub labels: bool,
    /// What cannot be overwritten is to be deleted and created again.
    pub recreate: bool,
    /// Which keys take the place of those on record.
    pub keys: KeyMap,
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
        .map(|case| assess(stores, case, at, options.labels))
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
    /// The labels of the live version, where they were asked for.
    live_labels: Option<Vec<String>>,
    /// Its tags are on record as changed since.
    tags_changed: bool,
    state: State,
}

impl Assessed {
    /// Whether the live value is wanted: to be compared, or to be shown beside
    /// what differs.
    fn wants_value(&self) -> bool {
        let Some(found) = self.state.found().filter(|_| self.live.is_some()) else {
            return false;
        };
        let now = self.live_labels.as_ref();
        let misses = |label| now.is_some_and(|now| !now.contains(label));
        let labels = found.attributes.labels.iter().any(misses);
        needs_comparison(&self.state, self.live.as_ref()) || self.tags_changed || labels
    }

    /// Whether the live tags are wanted. What lives unchanged has the tags it
    /// had, unless they are on record as changed.
    fn wants_tags(&self) -> bool {
        let known = self
            .state
            .found()
            .is_some_and(|f| f.attributes.tags.is_some());
        let compared = needs_comparison(&self.state, self.live.as_ref()) || self.tags_changed;
        self.live.is_some() && known && compared
    }
}

/// Finds the state of one name: at most a look and three queries, and none of
/// them where the listings decide. Labels take a look and a query more.
async fn assess(
    stores: &Stores,
    case: Case,
    at: Instant,
    wants_labels: bool,
) -> Result<Assessed, StoreError> {
    let Case {
        name,
        mut live,
        head: row,
        covered,
    } = case;
    let trimmed = row.as_ref().is_some_and(|h| h.trimmed);
    let tag_head = row.as_ref().and_then(|h| h.tags.as_ref());
    let mut head = row.as_ref().map(|h| h.record.clone());
    let recorded = row
        .as_ref()
        .filter(|h| {
            live.as_ref()
                .is_some_and(|l| is_recorded_as(l, Some(&h.record)))
        })
        .map(recorded_as);
    let mut retained: Vec<Retained> = Vec::new();
    let unchanged = live.as_ref().is_some_and(|l| l.modified <= at);
    let tags_changed = tag_head.is_some_and(|t| t.record.at > at);
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
    let tags = tags_until(stores, &name, tag_head, at, unchanged).await?;
    if unchanged && trimmed {
        head = match head.filter(|_| tags_changed && tags.is_none()) {
            Some(head) => stores.index.own_row(&head).await?,
            // Its tags are not at hand, and nobody needs them.
            None => None,
        };
    }
    let mut state = state_at(
        at,
        &Evidence {
            live: live.as_ref(),
            head: head.as_ref(),
            before: before.as_ref(),
            oldest: oldest.as_ref(),
            retained: &retained,
            tags: tags.as_ref(),
            covered,
        },
    );
    let mut live_labels = None;
    if let (State::Present(found), true) = (&mut state, wants_labels) {
        let labelled = row.as_ref().is_some_and(|h| h.labelled);
        let record = before.as_ref().or(row.as_ref().map(|h| &h.record));
        live_labels = labels(stores, &name, found, live.as_ref(), record, labelled, at).await?;
    }
    Ok(Assessed {
        name,
        live,
        recorded,
        live_labels,
        tags_changed,
        state,
    })
}

/// The newest change of tags at or before `at`: the newest of all, or one
/// query.
async fn tags_until(
    stores: &Stores,
    name: &Name,
    head: Option<&TagHead>,
    at: Instant,
    unchanged: bool,
) -> Result<Option<Record>, StoreError> {
    match head {
        None => Ok(None),
        Some(head) if head.record.at > at => stores.index.newest_tags_until(name, at).await,
        // Tags that did not change since are not compared.
        Some(head) if head.trimmed && unchanged => Ok(None),
        Some(head) => stores.index.tag_change(head).await,
    }
}

/// Sets the labels that the version had at `at`, and returns those that the
/// live one has now. `record` may be the one of the version that was found.
async fn labels(
    stores: &Stores,
    name: &Name,
    found: &mut Found,
    live: Option<&Live>,
    record: Option<&Record>,
    labelled: bool,
    at: Instant,
) -> Result<Option<Vec<String>>, StoreError> {
    let now = stores.now();
    let retained = match live {
        Some(_) => stores
            .parameters
            .sealed_history(name)
            .await?
            .unwrap_or_default(),
        None => Vec::new(),
    };
    let moves = if labelled {
        let index = &stores.index;
        index
            .label_and_tag_changes(name, found.modified, Instant::LATEST)
            .await?
    } else {
        Vec::new()
    };
    let mut seen = Vec::new();
    let recorded = record.filter(|r| r.at == found.modified);
    if let (Some(record), Some(written)) = (recorded, recorded.and_then(Record::present)) {
        seen.push(SeenLabels {
            at: record.recorded_at,
            labels: written.attributes.labels.clone(),
        });
    }
    let of = |version: u64, modified: Instant| {
        let mut versions = retained.iter();
        let version = versions.find(|r| r.version == version && r.modified == modified);
        version.map(|r| r.attributes.labels.clone())
    };
    if let Some(version) = found.version {
        let labels = of(version, found.modified);
        seen.extend(labels.map(|labels| SeenLabels { at: now, labels }));
        found.attributes.labels = labels_at(at, version, &seen, &moves);
    }
    Ok(live.and_then(|l| of(l.version, l.modified)))
}

fn recorded_as(head: &Head) -> RecordedAs {
    let record = &head.record;
    let written = record.present();
    let of_version = written.filter(|_| !head.trimmed);
    let tags = of_version.and_then(|w| w.attributes.tags.clone());
    let changed = head.tags.as_ref().filter(|t| t.record.at >= record.at);
    RecordedAs {
        entry: record.entry(),
        pointer: written.and_then(|w| w.value.pointer()).cloned(),
        tags: match changed.map(|t| (&t.record.change, t.trimmed)) {
            Some((Change::Tagged { tags }, false)) => Some(tags.clone()),
            Some(_) => None,
            None => tags,
        },
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
        .filter(|a| a.wants_value() || (options.values_of_unchanged && a.live.is_some()))
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
    let how = &How {
        now: stores.now(),
        labels: options.labels,
        recreate: options.recreate,
        keys: options.keys.clone(),
    };
    let steps: Vec<Step> = stream::iter(cases)
        .map(|(assessed, value)| step(stores, assessed, value, how))
        .buffered(NAMES_AT_ONCE)
        .try_collect()
        .await?;
    let concerned = |s: &Step| s.live.is_some() || s.action != Action::None;
    Ok(steps.into_iter().filter(concerned).collect())
}

type ReadLive = Option<Result<LiveValue, StoreError>>;

async fn step(
    stores: &Stores,
    assessed: Assessed,
    read: ReadLive,
    how: &How,
) -> Result<Step, StoreError> {
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
            Err(error) if error.kind() == ErrorKind::Missing => {
                problem = Some(Problem::Gone(Nearest::default()));
            }
            Err(error) => problem = Some(Problem::StoredUnreadable(error.to_string())),
        }
    }
    let mut tags = None;
    if assessed.wants_tags() {
        match stores.parameters.tags(&assessed.name).await {
            Ok(read) => tags = read,
            Err(error) => problem = Some(Problem::LiveUnreadable(error.to_string())),
        }
    }
    let recorded = assessed.recorded;
    let labels = assessed.live_labels;
    let live = assessed.live.map(|live| LiveParameter {
        live,
        recorded,
        value: now,
        tags,
        labels,
    });
    let (name, state) = (assessed.name, assessed.state);
    let mut step = plan::step(name, state, then, live, problem, how);
    let nearest = match &step.problem {
        Some(Problem::Lost(_)) => Some(Problem::Lost(nearest(stores, &step, false).await?)),
        Some(Problem::Gone(_)) => Some(Problem::Gone(nearest(stores, &step, true).await?)),
        _ => None,
    };
    step.problem = nearest.or(step.problem);
    Ok(step)
}

/// The instants nearest to that of a version without a value whose values can
/// be had: two queries. Where one is `gone` from the bucket others may be too,
/// so that they are looked for.
async fn nearest(stores: &Stores, step: &Step, gone: bool) -> Result<Nearest, StoreError> {
    let Some(found) = step.state.found() else {
        return Ok(Nearest::default());
    };
    let (before, after) = stores.index.around(&step.name, found.modified).await?;
    let live = step.live.as_ref().map(|l| l.live.modified);
    let live = live.filter(|modified| *modified > found.modified);
    Ok(Nearest {
        before: first_held(stores, &before, gone).await?,
        after: first_held(stores, &after, gone).await?.or(live),
    })
}

async fn first_held(
    stores: &Stores,
    records: &[Record],
    look: bool,
) -> Result<Option<Instant>, StoreError> {
    let pointer = |r: &Record| r.present().and_then(|w| w.value.pointer()).cloned();
    let stored = records.iter().filter_map(|r| Some((r.at, pointer(r)?)));
    for (at, pointer) in stored.take(MOST_HELD) {
        if !look || stores.bucket.holds(&pointer).await? {
            return Ok(Some(at));
        }
    }
    Ok(None)
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
