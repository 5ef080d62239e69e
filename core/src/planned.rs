//! Saved plans: from a survey to what a file holds, and back to the plan that
//! is carried out. The file holds entries of records; everything else is read
//! from them.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::capture::capture;
use crate::domain::plan::{Differences, Problem};
use crate::domain::saved_plan::{
    Alone, SavedChange, SavedLive, SavedOptions, SavedParameter, SavedPlan,
};
use crate::domain::state::FoundValue;
use crate::domain::{
    Change, Found, Instant, Live, Name, Plan, Record, Source, State, Step, Target,
};
use crate::store::{StoreError, Stores};
use crate::survey::{SurveyOptions, Wanted, against};

/// How many names are asked about at once.
const NAMES_AT_ONCE: usize = 16;

/// Returns what is saved of `plan`, which `options` led to.
///
/// What is to be put back and is not on record yet is captured: records are
/// written, Parameter Store is left as it is. What cannot be captured becomes
/// the problem of its step, in `plan` and in what is saved.
pub async fn save(
    stores: &Stores,
    plan: &mut Plan,
    options: &SurveyOptions,
) -> Result<SavedPlan, StoreError> {
    let at = plan.at;
    let concerned = |step: &&mut Step| !step.name.is_own();
    let parameters: Vec<Option<SavedParameter>> =
        stream::iter(plan.steps.iter_mut().filter(concerned))
            .map(|step| saved(stores, step, at, options))
            .buffered(NAMES_AT_ONCE)
            .try_collect()
            .await?;
    Ok(SavedPlan {
        made: stores.now(),
        bucket: stores.bucket.name().to_owned(),
        table: stores.index.table().to_owned(),
        target: plan.target.to_string(),
        recursive: matches!(
            plan.target,
            Target::Path {
                recursive: true,
                ..
            }
        ),
        at,
        options: SavedOptions {
            labels: options.labels,
            recreate: options.recreate,
            keys: options.keys.texts(),
        },
        parameters: parameters.into_iter().flatten().collect(),
    })
}

async fn saved(
    stores: &Stores,
    step: &mut Step,
    at: Instant,
    options: &SurveyOptions,
) -> Result<Option<SavedParameter>, StoreError> {
    let Some(change) = SavedChange::of(step.action) else {
        return Ok(None);
    };
    let mut record = None;
    let mut tags_record = None;
    if let State::Present(found) = &step.state {
        match pointers(stores, step, found, at).await? {
            Ok(pointers) => {
                tags_record = pointers.tags_record;
                record = Some(pointers.record);
            }
            Err(problem) => {
                step.problem.get_or_insert(problem);
            }
        }
    }
    let found = step.state.found();
    let alone = [
        (Alone::Tags, step.differences.tags),
        (Alone::Labels, !step.differences.labels.is_empty()),
    ];
    let alone = alone
        .into_iter()
        .filter(|(_, differ)| *differ && !step.differences.version);
    Ok(Some(SavedParameter {
        name: step.name.clone(),
        change,
        live: step.live.as_ref().map(|l| SavedLive {
            version: l.live.version,
            modified: l.live.modified,
        }),
        deleted: match step.state {
            State::Absent { since } => since,
            State::Present(_) | State::Unknown { .. } => None,
        },
        known_from: match step.state {
            State::Unknown { known_from } => known_from,
            State::Present(_) | State::Absent { .. } => None,
        },
        record,
        tags_record,
        labels: found
            .filter(|_| options.labels)
            .map_or(Vec::new(), |f| f.attributes.labels.clone()),
        alone: alone.map(|(what, _)| what).collect(),
        recreate: step.recreate,
        inexact: found.is_some_and(|f| f.inexact),
        problem: step.problem.as_ref().map(ToString::to_string),
    }))
}

/// Where on record everything stands that a step puts back.
struct Pointers {
    record: String,
    tags_record: Option<String>,
}

/// A problem where something of it is not on record.
async fn pointers(
    stores: &Stores,
    step: &Step,
    found: &Found,
    at: Instant,
) -> Result<Result<Pointers, Problem>, StoreError> {
    let mut record = record_of(stores, step, found).await?;
    if record.is_none() && step.problem.is_none() {
        if let Err(error) = capture(stores, &step.name, &[], Source::Restore).await {
            return Ok(Err(Problem::StoredUnreadable(format!(
                "that version is not on record yet, and could not be captured: {error}"
            ))));
        }
        record = record_of(stores, step, found).await?;
    }
    let unreadable = |what: &str| Ok(Err(Problem::StoredUnreadable(what.to_owned())));
    let Some(record) = record else {
        return unreadable("that version is not on record");
    };
    let own = record.present().and_then(|w| w.attributes.tags.as_ref());
    let tags_record = match &found.attributes.tags {
        None => None,
        wanted if own == wanted.as_ref() => Some(record.entry()),
        Some(wanted) => {
            let told = stores.index.newest_tags_until(&step.name, at).await?;
            let tells = |r: &Record| matches!(&r.change, Change::Tagged { tags } if tags == wanted);
            match told.filter(tells) {
                Some(told) => Some(told.entry()),
                None => return unreadable("its tags of that time are not on record"),
            }
        }
    };
    Ok(Ok(Pointers {
        record: record.entry(),
        tags_record,
    }))
}

/// The record of the version that was found, of its value where it has one.
async fn record_of(
    stores: &Stores,
    step: &Step,
    found: &Found,
) -> Result<Option<Record>, StoreError> {
    let index = &stores.index;
    let recorded = step.live.as_ref().and_then(|l| l.recorded.as_ref());
    if let (FoundValue::Live, Some(recorded)) = (&found.value, recorded) {
        return index.record_at(&step.name, &recorded.entry).await;
    }
    let of_then = index
        .between(&step.name, found.modified, found.modified)
        .await?;
    let is_it = |record: &Record| {
        record.present().is_some_and(|written| {
            let pointer = written.value.pointer();
            let right = match &found.value {
                FoundValue::Stored(stored) => pointer == Some(stored),
                FoundValue::Live | FoundValue::Retained(_) => pointer.is_some(),
                FoundValue::Lost | FoundValue::Sealed | FoundValue::Given(_) => true,
            };
            right && written.version == found.version
        })
    };
    Ok(of_then.into_iter().find(is_it))
}

/// A saved plan, ready to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// One step for each parameter of the file, also for what is by now as the
    /// plan wants it.
    pub plan: Plan,
    /// Those that have moved since and are written all the same: how.
    pub forced: BTreeMap<Name, String>,
}

/// Reads what `saved` points at, and compares it with what lives. Changes
/// nothing.
///
/// A parameter that has moved since the plan was made, and is not what the plan
/// wants, gets [`Problem::Moved`], unless `force`. What had a problem then, or
/// was unknown, is left alone still.
pub async fn load(
    stores: &Stores,
    saved: &SavedPlan,
    target: Target,
    options: &SurveyOptions,
    force: bool,
) -> Result<Loaded, StoreError> {
    let wanted: Vec<Result<Wanted, Step>> = stream::iter(&saved.parameters)
        .map(|parameter| wanted(stores, parameter))
        .buffered(NAMES_AT_ONCE)
        .try_collect()
        .await?;
    let mut wants = Vec::with_capacity(wanted.len());
    let mut steps = Vec::new();
    for one in wanted {
        match one {
            Ok(one) => wants.push(one),
            Err(step) => steps.push(step),
        }
    }
    let parameters = saved.parameters.iter();
    let planned: BTreeMap<&Name, &SavedParameter> = parameters.map(|p| (&p.name, p)).collect();
    let moved = |name: &Name, live: Option<&Live>| {
        let parameter = *planned.get(name)?;
        // The plan itself has deleted it, to create it again, and came no further.
        // That it was to be so may have turned out only then.
        let recreates = parameter.recreate || options.recreate;
        let is_update = parameter.change == SavedChange::Update;
        let is_under_way = recreates && is_update && live.is_none();
        Moved::since(parameter.live, live).filter(|_| !is_under_way)
    };
    let object = |name: &Name, live: Option<&Live>| {
        let moved = moved(name, live).filter(|_| !force);
        moved.map(|moved| Problem::Moved(moved.refused()))
    };
    let against = against(stores, wants, options, &object).await?;
    let forced = against.iter().filter(|step| force && step.can_be_done());
    let forced = forced.filter_map(|step| {
        let live = step.live.as_ref().map(|l| &l.live);
        Some((step.name.clone(), moved(&step.name, live)?.forced()))
    });
    let forced = forced.collect();
    steps.extend(against);
    steps.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Loaded {
        plan: Plan {
            target,
            at: saved.at,
            steps,
            nearest_known: None,
            anything_known: true,
        },
        forced,
    })
}

/// A parameter that is not what it was when the plan was made.
struct Moved {
    planned: Option<SavedLive>,
    live: Option<SavedLive>,
}

impl Moved {
    fn since(planned: Option<SavedLive>, live: Option<&Live>) -> Option<Self> {
        let live = live.map(|live| SavedLive {
            version: live.version,
            modified: live.modified,
        });
        (planned != live).then_some(Self { planned, live })
    }

    fn refused(&self) -> String {
        let version = |l: SavedLive| format!("version {} of {}", l.version, l.modified);
        let now = match self.live {
            Some(live) => format!("{} lives now", version(live)),
            None => "nothing lives now".into(),
        };
        match self.planned {
            Some(planned) => format!("{} was planned for, and {now}", version(planned)),
            None => format!("it was planned to be created, and {now}"),
        }
    }

    fn forced(&self) -> String {
        match (self.planned, self.live) {
            (Some(then), Some(now)) if then.version == now.version => format!(
                "forced: version {} of {} is now version {} of {}",
                then.version, then.modified, now.version, now.modified
            ),
            (Some(then), Some(now)) => {
                format!(
                    "forced: version {} is now version {}",
                    then.version, now.version
                )
            }
            (Some(then), None) => format!("forced: version {} is now deleted", then.version),
            (None, Some(now)) => {
                format!(
                    "forced: it did not live, and is now version {}",
                    now.version
                )
            }
            (None, None) => "forced".into(),
        }
    }
}

/// What is to become of one parameter; a step as it stands where that is
/// nothing.
async fn wanted(
    stores: &Stores,
    parameter: &SavedParameter,
) -> Result<Result<Wanted, Step>, StoreError> {
    let name = &parameter.name;
    let mut state = match parameter.change {
        SavedChange::Unknown => State::Unknown {
            known_from: parameter.known_from,
        },
        SavedChange::Delete => State::Absent {
            since: parameter.deleted,
        },
        SavedChange::Create | SavedChange::Update => State::Unknown { known_from: None },
    };
    let mut problem = parameter.problem.clone().map(Problem::Planned);
    if let Some(entry) = &parameter.record {
        match found_at(stores, parameter, entry).await? {
            Ok(found) => state = State::Present(found),
            Err(missing) => {
                problem.get_or_insert(missing);
            }
        }
    }
    if problem.is_none() && parameter.change != SavedChange::Unknown {
        let name = name.clone();
        return Ok(Ok(Wanted { name, state }));
    }
    Ok(Err(Step {
        name: name.clone(),
        state,
        value: None,
        live: None,
        action: parameter.change.action(),
        differences: Differences::default(),
        recreate: false,
        key_id: None,
        problem,
    }))
}

/// What the record says that is put back.
async fn found_at(
    stores: &Stores,
    parameter: &SavedParameter,
    entry: &str,
) -> Result<Result<Found, Problem>, StoreError> {
    let (index, name) = (&stores.index, &parameter.name);
    let missing = |entry: &str| {
        Problem::StoredUnreadable(format!("the index has no record of it at {entry}"))
    };
    let record = index.record_at(name, entry).await?;
    let Some(mut found) = record.as_ref().and_then(Found::of_record) else {
        return Ok(Err(missing(entry)));
    };
    match parameter.tags_record.as_deref() {
        None => found.attributes.tags = None,
        Some(same) if same == entry => {}
        Some(other) => match index.record_at(name, other).await?.map(|r| r.change) {
            Some(Change::Tagged { tags }) => found.attributes.tags = Some(tags),
            _ => return Ok(Err(missing(other))),
        },
    }
    found.attributes.labels.clone_from(&parameter.labels);
    found.inexact = parameter.inexact;
    Ok(Ok(found))
}
