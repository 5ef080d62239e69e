//! The plan: the writes and deletes that turn what is live into the state at
//! an instant. A value that is shown, saved and applied; computing it changes
//! nothing.

use super::instant::Instant;
use super::name::{Name, Target};
use super::policy::has_expired;
use super::record::Pointer;
use super::retained::{Live, Tags};
use super::state::{Found, FoundValue, State};
use super::value::Value;

/// What a restore does to one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// It does not live: create it.
    Create,
    /// It lives and differs: write a new version.
    Update,
    /// It lives and did not exist: delete it.
    Delete,
    /// It is as it was.
    None,
    /// Nobody knows what it was: leave it alone.
    Unknown,
}

impl Action {
    /// The word in the `Change` field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it writes or deletes.
    pub fn changes(self) -> bool {
        match self {
            Self::Create | Self::Update | Self::Delete => true,
            Self::None | Self::Unknown => false,
        }
    }
}

/// Where a live version is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedAs {
    /// Entry of the record among the rows of its name.
    pub entry: String,
    /// Where its value is kept; none where it is lost.
    pub pointer: Option<Pointer>,
}

/// The live parameter as far as the plan had to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveParameter {
    /// Its metadata.
    pub live: Live,
    /// The record of this very version; none where it is not on record yet,
    /// and must be before it is overwritten or deleted.
    pub recorded: Option<RecordedAs>,
    /// Its value; none where it could not differ, or could not be read.
    pub value: Option<Value>,
    /// Its tags; none where they were not asked for.
    pub tags: Option<Tags>,
}

/// One parameter of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The parameter.
    pub name: Name,
    /// Its state at the plan's instant.
    pub state: State,
    /// Its value at that instant; none where absent, unknown, lost or (for
    /// unchanged ones) not asked for.
    pub value: Option<Value>,
    /// What lives now.
    pub live: Option<LiveParameter>,
    /// What a restore does.
    pub action: Action,
    /// Why it cannot be done, or cannot be known for certain: a fragment for
    /// people. A step with a problem and a changing action fails on restore.
    pub problem: Option<Problem>,
}

/// Why a step cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The value was gone before it could be captured.
    #[error("the value of that version was lost before it could be captured")]
    Lost,
    /// The key of that version is denied or disabled.
    #[error("the KMS key of that version is denied or disabled, so its value cannot be read")]
    Sealed,
    /// Parameter Store has no way down from Advanced.
    #[error(
        "it is in the Advanced tier and was in Standard; Parameter Store cannot go back (delete it, wait 30 s and restore again)"
    )]
    TierDowngrade,
    /// The live value could not be read.
    #[error("its live value cannot be read: {0}")]
    LiveUnreadable(String),
    /// The object version is no longer in the bucket: its lifecycle rule, or a person, deleted it.
    #[error("its value is no longer in the bucket: it has expired there, or was deleted")]
    Gone,
    /// The stored value could not be read.
    #[error("its stored value cannot be read: {0}")]
    StoredUnreadable(String),
}

impl Problem {
    /// Whether somebody can see to it, so that the same restore then works: allow a key or an
    /// action. What is lost or gone stays so, and a tier has no way down.
    pub fn can_be_mended(&self) -> bool {
        match self {
            Self::Sealed | Self::LiveUnreadable(_) | Self::StoredUnreadable(_) => true,
            Self::Lost | Self::Gone | Self::TierDowngrade => false,
        }
    }
}

impl Step {
    /// Whether a restore writes or deletes something for it.
    pub fn can_be_done(&self) -> bool {
        self.action.changes() && self.problem.is_none()
    }
}

/// What a restore would do, for every parameter concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What was asked about.
    pub target: Target,
    /// The instant.
    pub at: Instant,
    /// One step for each name that lived, lives or is known, in order of names.
    pub steps: Vec<Step>,
    /// The first instant from `at` on at which something of the target is known.
    pub nearest_known: Option<Instant>,
    /// Whether anything is known at all: the state of one name, also of one
    /// that has no step since it did not live then and does not now; or,
    /// where there is no name, that the instant is covered.
    pub anything_known: bool,
}

impl Plan {
    /// How many steps have this action.
    pub fn count(&self, action: Action) -> usize {
        self.steps.iter().filter(|s| s.action == action).count()
    }

    /// Whether nothing at all is known of the target at the instant.
    pub fn knows_nothing(&self) -> bool {
        !self.anything_known
    }
}

/// Whether the live parameter must be read in full before the step can be
/// decided: it lives, it was present, and it is not that very version.
pub fn needs_comparison(state: &State, live: Option<&Live>) -> bool {
    live.is_some() && state.found().is_some_and(|f| f.value != FoundValue::Live)
}

/// Decides the step of one name.
///
/// `value` is the value at the instant, where there is one and it could be
/// read; a `read_problem` says why not. `now` is the present: policies that
/// have expired by then are not put back, and so are no difference.
pub fn step(
    name: Name,
    state: State,
    value: Option<Value>,
    live: Option<LiveParameter>,
    read_problem: Option<Problem>,
    now: Instant,
) -> Step {
    let (action, problem) = match (&state, &live) {
        (State::Unknown { .. }, _) => (Action::Unknown, None),
        (State::Absent { .. }, None) => (Action::None, None),
        (State::Absent { .. }, Some(_)) => (Action::Delete, None),
        (State::Present(found), None) => (Action::Create, missing(found, value.as_ref())),
        (State::Present(found), Some(_)) if found.value == FoundValue::Live => (Action::None, None),
        (State::Present(found), Some(live)) => compare(found, value.as_ref(), live, now),
    };
    let problem = read_problem.or(problem);
    // Of what needs no change only that it could not be read is worth telling.
    let told = |p: &Problem| action != Action::None || matches!(p, Problem::LiveUnreadable(_));
    Step {
        name,
        state,
        value,
        live,
        action,
        problem: problem.filter(told),
    }
}

fn missing(found: &Found, value: Option<&Value>) -> Option<Problem> {
    match (&found.value, value) {
        (FoundValue::Lost, None) => Some(Problem::Lost),
        (FoundValue::Sealed, None) => Some(Problem::Sealed),
        _ => None,
    }
}

fn compare(
    found: &Found,
    value: Option<&Value>,
    live: &LiveParameter,
    now: Instant,
) -> (Action, Option<Problem>) {
    if let Some(problem) = missing(found, value) {
        return (Action::Update, Some(problem));
    }
    let equal_value = match (value, &live.value) {
        (Some(then), Some(now)) => then == now,
        _ => false,
    };
    if equal_value && same_attributes(found, live, now) {
        return (Action::None, None);
    }
    let downgrade = found.attributes.tier.as_deref() == Some("Standard")
        && live.live.attributes.tier.as_deref() == Some("Advanced");
    (Action::Update, downgrade.then_some(Problem::TierDowngrade))
}

/// Whether everything that can be put back is as it was. Labels belong to
/// versions and cannot be put; a tier that is higher now is no difference by
/// itself, since there is no way down; tags count only where both are known,
/// and those of AWS itself (`aws:...`) nobody can set.
fn same_attributes(found: &Found, parameter: &LiveParameter, now: Instant) -> bool {
    let live = &parameter.live.attributes;
    let then = &found.attributes.completed_from(live);
    let same_tags = match (&then.tags, &parameter.tags) {
        (Some(then), Some(now)) => settable(then).eq(settable(now)),
        _ => true,
    };
    let tier_is_enough =
        then.tier.is_none() || then.tier == live.tier || live.tier.as_deref() == Some("Advanced");
    then.parameter_type == live.parameter_type
        && then.description == live.description
        && then.key_id == live.key_id
        && then.allowed_pattern == live.allowed_pattern
        && same_policies(&then.policies, &live.policies, now)
        && then.data_type == live.data_type
        && tier_is_enough
        && same_tags
}

/// The tags that a caller can set: `aws:` is AWS's own.
pub fn settable(tags: &Tags) -> impl Iterator<Item = (&String, &String)> {
    tags.iter().filter(|(key, _)| !key.starts_with("aws:"))
}

/// Whether two lists hold the same policies, however their JSON is spaced and
/// in whatever order they are.
fn same_policies(then: &[String], live: &[String], now: Instant) -> bool {
    let read = |texts: &[String]| {
        let mut policies: Vec<String> = texts
            .iter()
            .filter(|text| !has_expired(text, now))
            .map(|text| {
                serde_json::from_str::<serde_json::Value>(text)
                    .map_or_else(|_| text.clone(), |json| json.to_string())
            })
            .collect();
        policies.sort();
        policies
    };
    read(then) == read(live)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
