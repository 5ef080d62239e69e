//! Survey: what differs between what lives now and the state at an instant,
//! and nothing else. Changes nothing.
//!
//! The number of calls depends on how many names there are under the path and
//! how many changed, never on how many versions are stored.

mod against;
mod beside;
mod one;
mod states;
mod trusting;
mod versions;

pub use against::{Wanted, against, against_living};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::sleep;

use self::beside::{labels, nearest, tags_until};
pub use self::states::{States, states};
use self::versions::{Versions, versions_until};
use crate::domain::plan::{
    self, How, LiveParameter, Nearest, Problem, RecordedAs, needs_comparison,
};
use crate::domain::retained::Tags;
use crate::domain::state::{Evidence, Found, FoundValue, is_recorded_as, state_at};
use crate::domain::{
    Action, Change, Coverage, Instant, KeyMap, Live, Name, Path, Plan, Selection, State, Step,
    Target, Value,
};
use crate::store::{Destination, ErrorKind, Head, LOOKS_AFTER_MS, LiveValue, StoreError, Stores};

/// How many names are asked about at once.
pub(crate) const NAMES_AT_ONCE: usize = 16;

/// What a survey is to find out beyond what differs, and how a restore is to go
/// about it.
#[derive(Clone, Debug, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a wish of its own, and any of them go together"
)]
pub struct SurveyOptions {
    /// Read the values of unchanged parameters too.
    pub values_of_unchanged: bool,
    /// What the answer is for.
    pub purpose: Purpose,
    /// Read the tags of unchanged parameters too, where the record does not say
    /// that they changed since: a call for each.
    pub tags_of_unchanged: bool,
    /// Which parameters are meant.
    pub selection: Selection,
    /// Labels are to be put back. Takes one or two calls more for each name.
    pub labels: bool,
    /// What cannot be overwritten is to be deleted and created again.
    pub recreate: bool,
    /// Which keys take the place of those on record.
    pub keys: KeyMap,
    /// Ask only about names that the index saw change since: nothing is listed.
    ///
    /// What nobody told of is not seen: a change whose event is still on its way,
    /// a name without a record, tags that were changed silently. A plan made so
    /// deletes nothing that a whole survey would not. Labels are not asked for:
    /// they need a look at every name.
    pub trusts_index: bool,
}

/// What a survey is for, beyond a restore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// Nothing else.
    #[default]
    Restore,
    /// Both sides are shown: the values of what would be deleted are read too.
    Comparison,
    /// All that was is told: the tags of unchanged parameters too, as far as they
    /// are on record.
    Export,
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
    Ok(survey_selected(stores, target, at, options).await?.plan)
}

/// A plan, and how much of its target it is not about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surveyed {
    /// The plan.
    pub plan: Plan,
    /// How many names were left out since they are not selected: names that
    /// live, that differ, or that were not looked at.
    pub left_out: usize,
}

/// As [`survey`], and tells how many names the selection left out. Those that
/// are left out by their names cost no call beyond the listings.
pub async fn survey_selected(
    stores: &Stores,
    target: &Target,
    at: Instant,
    options: &SurveyOptions,
) -> Result<Surveyed, StoreError> {
    let mut seen = BTreeMap::new();
    let (cases, coverage) = match target {
        _ if options.trusts_index => trusting::cases(stores, target, at).await?,
        Target::Name(name) => {
            let found = one::look(stores, name, at).await?;
            seen.insert(name.clone(), found.versions);
            let is_there = |case: &Case| case.live.is_some() || case.head.is_some();
            (
                Some(found.case).into_iter().filter(is_there).collect(),
                found.coverage,
            )
        }
        Target::Path { .. } => cases(stores, target).await?,
    };
    let selection = &options.selection;
    let (cases, unseen): (Vec<Case>, Vec<Case>) = cases
        .into_iter()
        .partition(|case| selection.looks_at(&case.name, case.live.is_some()));
    // What was gone by then and is gone is nobody's business.
    let gone = |h: &Head| h.record.at <= at && h.record.present().is_none();
    let concerned = |c: &&Case| c.live.is_some() || !c.head.as_ref().is_some_and(gone);
    let unseen = unseen.iter().filter(concerned).count();
    let asked = Asked::of(options);
    if let Target::Path { path, .. } = target {
        seen = records_until(stores, path, &cases, at).await?;
    }
    let states = assess_all(stores, cases, at, &coverage, (asked, seen)).await?;
    let nearest_known = nearest_known(target, at, &coverage, &states);
    let nothing_looked_at = unseen > 0 && states.is_empty();
    let anything_known = nothing_looked_at || anything_known(target, at, &coverage, &states);
    let steps = steps_of(&Destination::from(stores), states, options).await?;
    let concerned = |s: &Step| s.live.is_some() || s.action != Action::None;
    let steps = steps.into_iter().filter(concerned);
    let (steps, unselected): (Vec<Step>, Vec<Step>) = steps.partition(|s| selection.takes(s));
    Ok(Surveyed {
        left_out: unseen + unselected.len(),
        plan: Plan {
            nearest_known,
            anything_known,
            target: target.clone(),
            at,
            steps,
        },
    })
}

/// What is asked beyond the version that a name had.
#[derive(Clone, Copy)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is asked for or not, whatever the others are"
)]
pub(crate) struct Asked {
    /// Its labels.
    pub(crate) labels: bool,
    /// Its tags, also where they cannot differ from those that live.
    pub(crate) tags: bool,
    /// The tags of what is unchanged, as they live.
    pub(crate) live_tags: bool,
    /// The tags of the live version are those on record.
    pub(crate) trusted_tags: bool,
}

impl Asked {
    fn of(options: &SurveyOptions) -> Self {
        Self {
            labels: options.labels && !options.trusts_index,
            tags: options.purpose == Purpose::Export,
            live_tags: options.tags_of_unchanged,
            trusted_tags: options.trusts_index,
        }
    }
}

/// The names of `target` that live or have records, in order, and the coverage.
/// Refuses an index that has not everything, or is of another format.
pub(crate) async fn cases(
    stores: &Stores,
    target: &Target,
) -> Result<(Vec<Case>, Coverage), StoreError> {
    let (live, heads, coverage) = tokio::try_join!(
        stores.parameters.list(target),
        stores.index.heads(target),
        stores.index.checked_coverage(),
    )?;
    let mut live: BTreeMap<Name, Live> = live.into_iter().map(|l| (l.name.clone(), l)).collect();
    let mut heads = heads;
    let names: BTreeSet<Name> = live.keys().chain(heads.keys()).cloned().collect();
    let cases = names
        .into_iter()
        // What lies under a path is what a person keeps there; asked for by its
        // own name it is told, and a restore skips it.
        .filter(|name| !name.is_own() || matches!(target, Target::Name(_)))
        .map(|name| Case {
            live: live.remove(&name),
            head: heads.remove(&name),
            at_hand: Vec::new(),
            name,
        })
        .collect();
    Ok((cases, coverage))
}

/// One name with what the listings tell of it.
pub(crate) struct Case {
    pub(crate) name: Name,
    live: Option<Live>,
    head: Option<Head>,
    /// Values that were told with what lives.
    at_hand: Vec<LiveValue>,
}

/// One name with its state at the instant.
pub(crate) struct Assessed {
    pub(crate) name: Name,
    live: Option<Live>,
    /// Where the live version is on record.
    recorded: Option<RecordedAs>,
    /// The labels of the live version, where they were asked for.
    live_labels: Option<Vec<String>>,
    /// Its tags are on record as changed since.
    tags_changed: bool,
    /// The live tags are those that it had.
    tags_are_live: bool,
    /// The live tags are those on record.
    tags_are_recorded: bool,
    /// Values that were told with what lives.
    at_hand: Vec<LiveValue>,
    /// Why its state cannot be told though it lives: its history does not show
    /// what is listed.
    unseen: Option<String>,
    pub(crate) state: State,
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

    /// The value of a version, if it was told with what lives.
    fn at_hand(&self, version: u64, modified: Instant) -> Option<&LiveValue> {
        let is_it = |told: &&LiveValue| told.version == version && told.modified == modified;
        self.at_hand.iter().find(is_it)
    }

    /// The live value, if it was told with what lives.
    fn live_at_hand(&self) -> Option<&LiveValue> {
        let live = self.live.as_ref()?;
        self.at_hand(live.version, live.modified)
    }

    /// Whether the live tags are wanted. What lives unchanged has the tags it
    /// had, unless they are on record as changed.
    fn wants_tags(&self) -> bool {
        let known = self
            .state
            .found()
            .is_some_and(|f| f.attributes.tags.is_some());
        let compared = needs_comparison(&self.state, self.live.as_ref()) || self.tags_changed;
        self.tags_are_live || (self.live.is_some() && known && compared)
    }

    /// The tags on record, where they are taken for those that live and are the
    /// ones it had. Tags that are to be replaced are always looked at: whatever
    /// is overwritten must be on record first.
    fn same_tags(&self) -> Option<Tags> {
        let then = self.state.found()?.attributes.tags.as_ref()?;
        let now = self.recorded.as_ref()?.tags.as_ref()?;
        (self.tags_are_recorded && now == then).then(|| now.clone())
    }
}

async fn assess_all(
    stores: &Stores,
    cases: Vec<Case>,
    at: Instant,
    coverage: &Coverage,
    (asked, mut seen): (Asked, BTreeMap<Name, Versions>),
) -> Result<Vec<Assessed>, StoreError> {
    stream::iter(cases)
        .map(|case| {
            let seen = seen.remove(&case.name);
            (case, seen)
        })
        .map(async |(case, seen)| {
            let covered = coverage.covers(&case.name, at);
            let seen = seen.as_ref();
            let (assessed, _) = assess(stores, &case, at, covered, asked, seen).await?;
            Ok(assessed)
        })
        .buffered(NAMES_AT_ONCE)
        .try_collect()
        .await
}

/// The records that were the newest at `at` of the names that changed since: those that
/// the newest rows of the path tell, where asking that takes fewer calls than to ask for
/// each name.
async fn records_until(
    stores: &Stores,
    path: &Path,
    cases: &[Case],
    at: Instant,
) -> Result<BTreeMap<Name, Versions>, StoreError> {
    let changed = |case: &&Case| {
        let later = case.head.as_ref().is_some_and(|h| h.record.at > at);
        later && case.live.as_ref().is_none_or(|live| live.modified > at)
    };
    let changed: Vec<&Name> = cases
        .iter()
        .filter(changed)
        .map(|case| &case.name)
        .collect();
    let found = stores.index.newest_under(path, &changed, at).await?;
    let versions = |(name, record)| {
        let before = Some(record);
        let versions = Versions {
            before,
            ..Versions::default()
        };
        (name, versions)
    };
    Ok(found.into_iter().map(versions).collect())
}

/// Finds the state of one name: at most a look and three queries, and none of
/// them where the listings decide. Labels take a look and a query more.
///
/// What was `seen` of the same name when its state at a later instant was found
/// is not asked again.
pub(crate) async fn assess(
    stores: &Stores,
    case: &Case,
    at: Instant,
    covered: bool,
    asked: Asked,
    seen: Option<&Versions>,
) -> Result<(Assessed, Versions), StoreError> {
    let name = &case.name;
    let mut live = case.live.clone();
    let row = case.head.as_ref();
    let is_row = |l: &Live| row.is_some_and(|h| is_recorded_as(l, Some(&h.record)));
    let recorded = row
        .filter(|_| live.as_ref().is_some_and(is_row))
        .map(recorded_as);
    let unchanged = live.as_ref().is_some_and(|l| l.modified <= at);
    let mut versions = Versions::default();
    let mut unseen = None;
    if !unchanged {
        let looked_at = live.as_ref().filter(|_| recorded.is_none());
        let found = versions_until(stores, name, row, at, looked_at, seen).await;
        match found {
            Ok(found) => versions = found,
            Err(error) if error.kind() == ErrorKind::Stale => unseen = Some(error.to_string()),
            Err(error) => return Err(error),
        }
        if looked_at.is_some() && unseen.is_none() && versions.retained.is_empty() {
            live = None;
        }
    }
    let tag_head = row.and_then(|h| h.tags.as_ref());
    let tags_changed = tag_head.is_some_and(|t| t.record.at > at);
    let compared_with_live = unchanged && !asked.tags;
    let tags = tags_until(stores, name, tag_head, at, compared_with_live).await?;
    let head = match row {
        // It is wanted for its tags only, and they are not at hand.
        Some(row) if unchanged && row.trimmed => match tags {
            None if tags_changed || asked.tags => stores.index.own_row(&row.record).await?,
            _ => None,
        },
        row => row.map(|h| h.record.clone()),
    };
    let evidence = Evidence {
        live: live.as_ref(),
        head: head.as_ref(),
        before: versions.before.as_ref(),
        oldest: versions.oldest.as_ref(),
        retained: &versions.retained,
        tags: tags.as_ref(),
        covered,
    };
    let mut state = match unseen {
        Some(_) => State::Unknown { known_from: None },
        None => state_at(at, &evidence),
    };
    let mut live_labels = None;
    if let (State::Present(found), true) = (&mut state, asked.labels) {
        let record = versions.before.as_ref().or(row.map(|h| &h.record));
        let labelled = row.is_some_and(|h| h.labelled);
        live_labels = labels(stores, name, found, live.as_ref(), record, labelled, at).await?;
    }
    let assessed = Assessed {
        name: name.clone(),
        live,
        recorded,
        live_labels,
        tags_changed,
        tags_are_live: asked.live_tags && unchanged && !tags_changed,
        tags_are_recorded: asked.trusted_tags,
        at_hand: case.at_hand.clone(),
        unseen,
        state,
    };
    Ok((assessed, versions))
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

/// Reads what must be compared, and decides each step.
async fn steps_of(
    there: &Destination,
    states: Vec<Assessed>,
    options: &SurveyOptions,
) -> Result<Vec<Step>, StoreError> {
    let deleted = options.purpose == Purpose::Comparison;
    let wanted: Vec<Name> = states
        .iter()
        .filter(|a| {
            let is_deleted = matches!(a.state, State::Absent { .. });
            let asked = options.values_of_unchanged || (deleted && is_deleted);
            a.wants_value() || (asked && a.live.is_some())
        })
        .filter(|a| a.live_at_hand().is_none())
        .map(|a| a.name.clone())
        .collect();
    let listed: BTreeMap<&Name, Instant> = states
        .iter()
        .filter_map(|a| Some((&a.name, a.live.as_ref()?.modified)))
        .filter(|_| !options.trusts_index)
        .collect();
    let mut values = values_since(there, &wanted, &listed).await?;
    let cases: Vec<_> = states
        .into_iter()
        .map(|assessed| {
            let told = assessed.live_at_hand().cloned().map(Ok);
            let value = told.or_else(|| values.remove(&assessed.name));
            (assessed, value)
        })
        .collect();
    let how = &How {
        now: there.now(),
        labels: options.labels,
        recreate: options.recreate,
        keys: options.keys.clone(),
    };
    stream::iter(cases)
        .map(|(assessed, value)| step(there, assessed, value, deleted, how))
        .buffered(NAMES_AT_ONCE)
        .try_collect()
        .await
}

/// The live values of `wanted`. A read may be stale: one that is older than what is listed, or finds
/// nothing, is made again for some seconds. Usually it takes no call more.
async fn values_since(
    there: &Destination,
    wanted: &[Name],
    listed: &BTreeMap<&Name, Instant>,
) -> Result<BTreeMap<Name, Result<LiveValue, StoreError>>, StoreError> {
    let mut values = there.parameters.values(wanted).await?;
    for wait_ms in &LOOKS_AFTER_MS[1..] {
        let is_stale = |name: &&Name| match (listed.get(name), values.get(*name)) {
            (Some(since), Some(Ok(read))) => read.modified < *since,
            (Some(_), None) => true,
            (Some(_), Some(Err(_))) | (None, _) => false,
        };
        let stale: Vec<Name> = wanted.iter().filter(is_stale).cloned().collect();
        if stale.is_empty() {
            break;
        }
        sleep(Duration::from_millis(*wait_ms)).await;
        values.extend(there.parameters.values(&stale).await?);
    }
    Ok(values)
}

type ReadLive = Option<Result<LiveValue, StoreError>>;

async fn step(
    there: &Destination,
    mut assessed: Assessed,
    read: ReadLive,
    deleted: bool,
    how: &How,
) -> Result<Step, StoreError> {
    let compared = needs_comparison(&assessed.state, assessed.live.as_ref());
    let mut problem = assessed.unseen.take().map(Problem::LiveUnreadable);
    let now = match read {
        // The version that was listed is to be told, and no later one.
        Some(Ok(read)) if is_later(&read, &assessed) => {
            problem = Some(Problem::LiveUnreadable(
                "it was written again meanwhile".into(),
            ));
            None
        }
        // Nor an earlier one: what differs from it may be right.
        Some(Ok(read)) if compared && is_earlier(&read, &assessed) => {
            problem = Some(Problem::LiveUnreadable(format!(
                "version {} is shown there still",
                read.version
            )));
            None
        }
        Some(Ok(read)) => Some(read.value),
        Some(Err(error)) => {
            // What is absent or unknown has no value that anybody asked for.
            let is_deleted = matches!(assessed.state, State::Absent { .. });
            let wanted = compared || assessed.state.found().is_some() || (deleted && is_deleted);
            if wanted {
                problem = Some(Problem::LiveUnreadable(error.to_string()));
            }
            None
        }
        None if compared => {
            problem = Some(Problem::LiveUnreadable("it is not found".into()));
            None
        }
        None => None,
    };
    let mut then = None;
    if let Some(found) = assessed.state.found() {
        match value_then(there, &assessed, found, now.as_ref()).await {
            Ok(value) => then = value,
            // Of a bucket that is not there nothing can be said.
            Err(error) if error.code() == Some("NoSuchBucket") => return Err(error),
            Err(error) if error.kind() == ErrorKind::Missing => {
                problem = Some(Problem::Gone(Nearest::default()));
            }
            Err(error) => problem = Some(Problem::StoredUnreadable(error.to_string())),
        }
    }
    let mut tags = None;
    if !assessed.wants_tags() {
        // Nobody asks.
    } else if let Some(same) = assessed.same_tags() {
        tags = Some(same);
    } else {
        match there.parameters.tags(&assessed.name).await {
            Ok(read) => tags = read,
            Err(error) => problem = Some(Problem::LiveUnreadable(error.to_string())),
        }
    }
    if let (State::Present(found), true) = (&mut assessed.state, assessed.tags_are_live) {
        found.attributes.tags = tags.clone().or(found.attributes.tags.take());
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
        Some(Problem::Lost(_)) => Some(Problem::Lost(nearest(there, &step, false).await?)),
        Some(Problem::Gone(_)) => Some(Problem::Gone(nearest(there, &step, true).await?)),
        _ => None,
    };
    step.problem = nearest.or(step.problem);
    Ok(step)
}

/// Whether what was read of a parameter that did not change until the instant
/// is a version that was written since it was listed.
fn is_later(read: &LiveValue, assessed: &Assessed) -> bool {
    let found = assessed
        .state
        .found()
        .filter(|f| f.value == FoundValue::Live);
    found.is_some_and(|f| f.version != Some(read.version) || f.modified != read.modified)
}

/// Whether what was read is older than what is listed.
fn is_earlier(read: &LiveValue, assessed: &Assessed) -> bool {
    let live = assessed.live.as_ref();
    live.is_some_and(|live| read.modified < live.modified)
}

/// The value of the version that was found; none where it is lost, or is the
/// live one and was not asked for.
async fn value_then(
    there: &Destination,
    assessed: &Assessed,
    found: &Found,
    now: Option<&Value>,
) -> Result<Option<Value>, StoreError> {
    let told = found.version.map(|v| assessed.at_hand(v, found.modified));
    match &found.value {
        FoundValue::Stored(_) if let Some(told) = told.flatten() => Ok(Some(told.value.clone())),
        FoundValue::Live => Ok(now.cloned()),
        FoundValue::Retained(value) | FoundValue::Given(value) => Ok(Some(value.clone())),
        FoundValue::Stored(pointer) => {
            let record = there.recorded("read its stored value")?;
            record.bucket.value(pointer).await.map(Some)
        }
        FoundValue::Lost | FoundValue::Sealed => Ok(None),
    }
}

fn is_covered(target: &Target, at: Instant, coverage: &Coverage) -> bool {
    match target {
        Target::Name(name) => coverage.covers(name, at),
        Target::Path { path, .. } => coverage.covers_path(path, at),
    }
}

/// Whether anything is known at `at`: the state of a name, or where there is
/// none that the instant is covered.
pub(crate) fn anything_known(
    target: &Target,
    at: Instant,
    coverage: &Coverage,
    states: &[Assessed],
) -> bool {
    // What could not be seen just now is told as that, not as never known.
    let is_known = |a: &Assessed| !matches!(a.state, State::Unknown { .. }) || a.unseen.is_some();
    if states.is_empty() {
        is_covered(target, at, coverage)
    } else {
        states.iter().any(is_known)
    }
}

/// The first instant from `at` on at which something of the target is known.
pub(crate) fn nearest_known(
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
