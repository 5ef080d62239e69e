//! The plan: the writes and deletes that turn what is live into the state at
//! an instant. A value that is shown, saved and applied; computing it changes
//! nothing.

use std::fmt;

use super::instant::Instant;
use super::keymap::KeyMap;
use super::name::{Name, Target};
use super::policy::{restorable, same_policies};
use super::record::{Attributes, Pointer};
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
    /// The tags on record as of now; none where nobody knows them.
    pub tags: Option<Tags>,
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
    /// The labels of this version; none where they were not asked for.
    pub labels: Option<Vec<String>>,
}

/// How a restore is to go about it: what a person asked for, and the present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct How {
    /// The present: policies that have expired by then are not put back, and so
    /// are no difference.
    pub now: Instant,
    /// Put labels back.
    pub labels: bool,
    /// Delete and create again what cannot be overwritten.
    pub recreate: bool,
    /// Which keys take the place of those on record.
    pub keys: KeyMap,
}

impl How {
    /// Nothing asked for, at `now`.
    pub fn at(now: Instant) -> Self {
        Self {
            now,
            labels: false,
            recreate: false,
            keys: KeyMap::default(),
        }
    }
}

/// What of a parameter is to be put back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Something that takes a new version.
    pub version: bool,
    /// Its tags.
    pub tags: bool,
    /// The labels that its version is to get.
    pub labels: Vec<String>,
}

impl Differences {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        !self.version && !self.tags && self.labels.is_empty()
    }

    /// What alone is put back where no new version is written: `tags`,
    /// `labels`, or both. None where one is.
    pub fn alone(&self) -> Vec<&'static str> {
        let alone = [("tags", self.tags), ("labels", !self.labels.is_empty())];
        let named = alone
            .into_iter()
            .filter(|(_, differ)| *differ && !self.version);
        named.map(|(what, _)| what).collect()
    }
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
    /// What is put back; empty unless it creates or updates.
    pub differences: Differences,
    /// It is deleted and created again: it cannot be overwritten.
    pub recreate: bool,
    /// The key that takes the place of the one on record.
    pub key_id: Option<String>,
    /// Why it cannot be done, or cannot be known for certain: a fragment for
    /// people. A step with a problem and a changing action fails on restore.
    pub problem: Option<Problem>,
}

/// The instants nearest to one whose value cannot be had, of which the value
/// can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nearest {
    /// The last one before it.
    pub before: Option<Instant>,
    /// The first one after it.
    pub after: Option<Instant>,
}

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.before, self.after) {
            (Some(before), Some(after)) => write!(
                f,
                "; the nearest instants with a value: {before} and {after}"
            ),
            (Some(one), None) | (None, Some(one)) => {
                write!(f, "; the nearest instant with a value: {one}")
            }
            (None, None) => Ok(()),
        }
    }
}

/// Why a step cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The value was gone before it could be captured.
    #[error("the value of that version was lost before it could be captured{0}")]
    Lost(Nearest),
    /// The key of that version is denied or disabled.
    #[error("the KMS key of that version is denied or disabled, so its value cannot be read")]
    Sealed,
    /// Parameter Store has no way down from Advanced.
    #[error(
        "it is in the Advanced tier and was in Standard; Parameter Store cannot go back: only --recreate can, which deletes it, waits 30 s and creates it again"
    )]
    TierDowngrade,
    /// The live value could not be read.
    #[error("its live value cannot be read: {0}")]
    LiveUnreadable(String),
    /// The object version is no longer in the bucket: its lifecycle rule, or a person, deleted it.
    #[error("its value is no longer in the bucket: it has expired there, or was deleted{0}")]
    Gone(Nearest),
    /// What lives is not what it was when this was planned, or what the run that is undone left.
    #[error("{0}")]
    Moved(String),
    /// Somewhere else: it lives there, and is another. Nothing at all is written.
    #[error("it lives there already and differs: version {version} of {modified}")]
    Conflict {
        /// The version that lives there.
        version: u64,
        /// When that was written.
        modified: Instant,
    },
    /// Somewhere else: it lives there, is another, and is left alone, as was asked for.
    #[error("left alone: it lives there already and differs: version {version} of {modified}")]
    LeftAlone {
        /// The version that lives there.
        version: u64,
        /// When that was written.
        modified: Instant,
    },
    /// Somewhere else: others are in conflict.
    #[error("nothing is written while others are in conflict")]
    HeldBack,
    /// Somewhere else: it would be overwritten, and nothing could bring it back.
    #[error(
        "it lives there and differs, and no stack records it there: overwritten it would be gone"
    )]
    Unrecorded,
    /// Somewhere else: there is no way down from Advanced there either.
    #[error(
        "it is in the Advanced tier there and not here; Parameter Store cannot go back, and nothing is deleted there: leave it out with --exclude"
    )]
    TierThere,
    /// Somewhere else: its key is not one of that place.
    #[error("its KMS key {key} is not one of {to}: name one with --key-id {key}=KEY")]
    KeyOfElsewhere {
        /// The key that it was under.
        key: String,
        /// The place.
        to: String,
    },
    /// The stored value could not be read.
    #[error("its stored value cannot be read: {0}")]
    StoredUnreadable(String),
    /// The saved plan says why it cannot be done.
    #[error("it could not be done when this was planned: {0}")]
    Planned(String),
}

impl Problem {
    /// Whether somebody can see to it, so that the same restore then works: allow a key or an
    /// action. What is lost or gone stays so, and a tier has no way down.
    pub fn can_be_mended(&self) -> bool {
        match self {
            Self::Sealed | Self::LiveUnreadable(_) | Self::StoredUnreadable(_) => true,
            Self::Lost(_)
            | Self::Gone(_)
            | Self::TierDowngrade
            | Self::Moved(_)
            | Self::Planned(_)
            | Self::Conflict { .. }
            | Self::LeftAlone { .. }
            | Self::HeldBack
            | Self::Unrecorded
            | Self::TierThere
            | Self::KeyOfElsewhere { .. } => false,
        }
    }

    /// Whether it is no failure, but what somebody chose.
    pub fn is_chosen(&self) -> bool {
        matches!(self, Self::LeftAlone { .. })
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
/// read; a `read_problem` says why not.
pub fn step(
    name: Name,
    state: State,
    value: Option<Value>,
    live: Option<LiveParameter>,
    read_problem: Option<Problem>,
    how: &How,
) -> Step {
    let attributes = state.found().map(|f| &f.attributes);
    let secret = attributes.filter(|a| a.is_secret());
    let key_id = secret.and_then(|a| how.keys.instead_of(a.key_id.as_deref()));
    let mut decided = match (&state, &live) {
        (State::Unknown { .. }, _) => Decided::of(Action::Unknown),
        (State::Absent { .. }, None) => Decided::of(Action::None),
        (State::Absent { .. }, Some(_)) => Decided::of(Action::Delete),
        (State::Present(found), None) => Decided {
            problem: missing(found, value.as_ref()),
            ..Decided::write(Action::Create, found, how)
        },
        (State::Present(found), Some(live)) => {
            compare(found, value.as_ref(), live, key_id.as_deref(), how)
        }
    };
    let problem = read_problem.or(decided.problem.take());
    // Of what needs no change only that it could not be read is worth telling.
    let told =
        |p: &Problem| decided.action != Action::None || matches!(p, Problem::LiveUnreadable(_));
    Step {
        problem: problem.filter(told),
        name,
        state,
        value,
        live,
        action: decided.action,
        differences: decided.differences,
        recreate: decided.recreate,
        key_id,
    }
}

struct Decided {
    action: Action,
    differences: Differences,
    recreate: bool,
    problem: Option<Problem>,
}

impl Decided {
    fn of(action: Action) -> Self {
        Self {
            action,
            differences: Differences::default(),
            recreate: false,
            problem: None,
        }
    }

    /// A whole version is written, and everything beside it is put back.
    fn write(action: Action, found: &Found, how: &How) -> Self {
        let labels = found.attributes.labels.iter().filter(|_| how.labels);
        Self {
            differences: Differences {
                version: true,
                tags: found.attributes.tags.is_some(),
                labels: labels.cloned().collect(),
            },
            ..Self::of(action)
        }
    }
}

fn missing(found: &Found, value: Option<&Value>) -> Option<Problem> {
    match (&found.value, value) {
        (FoundValue::Lost, None) => Some(Problem::Lost(Nearest::default())),
        (FoundValue::Sealed, None) => Some(Problem::Sealed),
        _ => None,
    }
}

fn compare(
    found: &Found,
    value: Option<&Value>,
    live: &LiveParameter,
    key_id: Option<&str>,
    how: &How,
) -> Decided {
    let whole = Decided::write(Action::Update, found, how);
    let problem = missing(found, value);
    if problem.is_some() {
        return Decided { problem, ..whole };
    }
    let then = &found.attributes.completed_from(&live.live.attributes);
    let is_live = found.value == FoundValue::Live;
    let equal_value = match (value, &live.value) {
        (Some(then), Some(now)) => then == now,
        _ => false,
    };
    let same_version = is_live
        || (equal_value
            && differing_attributes(then, &live.live.attributes, key_id, how.now).is_empty());
    let tier_fell = then.tier.as_deref() == Some("Standard")
        && live.live.attributes.tier.as_deref() == Some("Advanced");
    if !is_live && tier_fell && (!same_version || how.recreate) {
        return Decided {
            recreate: how.recreate,
            problem: (!how.recreate).then_some(Problem::TierDowngrade),
            ..whole
        };
    }
    if !same_version {
        return whole;
    }
    let differences = Differences {
        version: false,
        tags: !same_tags(then.tags.as_ref(), live.tags.as_ref()),
        labels: missing_labels(then, live, how),
    };
    let action = if differences.is_empty() {
        Action::None
    } else {
        Action::Update
    };
    Decided {
        differences,
        ..Decided::of(action)
    }
}

/// What of a parameter can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The value.
    Value,
    /// `String`, `StringList` or `SecureString`.
    Type,
    /// The description.
    Description,
    /// The tier.
    Tier,
    /// The data type.
    DataType,
    /// The KMS key.
    KeyId,
    /// The pattern that values must match.
    AllowedPattern,
    /// The policies.
    Policies,
    /// The tags.
    Tags,
}

impl Field {
    /// The word for it, as fields of the output are named.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Value => "Value",
            Self::Type => "Type",
            Self::Description => "Description",
            Self::Tier => "Tier",
            Self::DataType => "DataType",
            Self::KeyId => "KeyId",
            Self::AllowedPattern => "AllowedPattern",
            Self::Policies => "Policies",
            Self::Tags => "Tags",
        }
    }
}

/// Which of what a put sends beside the value is not as it was. A tier that is
/// higher now is no difference by itself, since there is no way down; neither is
/// a key that stands in for the one on record, nor one that nobody knows.
pub(super) fn differing_attributes(
    then: &Attributes,
    live: &Attributes,
    key_id: Option<&str>,
    now: Instant,
) -> Vec<Field> {
    let tier_is_enough =
        then.tier.is_none() || then.tier == live.tier || live.tier.as_deref() == Some("Advanced");
    let key_is_the_same = then.key_id == live.key_id
        || (then.is_secret() && then.key_id.is_none())
        || (key_id.is_some() && live.key_id.as_deref() == key_id);
    let same_pattern = then.allowed_pattern == live.allowed_pattern;
    let same = [
        (Field::Type, then.parameter_type == live.parameter_type),
        (Field::Description, then.description == live.description),
        (Field::Tier, tier_is_enough),
        (Field::DataType, then.data_type == live.data_type),
        (Field::KeyId, key_is_the_same),
        (Field::AllowedPattern, same_pattern),
        (
            Field::Policies,
            same_policies(
                &restorable(&then.policies, now),
                &restorable(&live.policies, now),
            ),
        ),
    ];
    let differ = same.into_iter().filter(|(_, same)| !same);
    differ.map(|(field, _)| field).collect()
}

/// Tags count only where both are known, and those of AWS itself (`aws:...`)
/// nobody can set.
pub(super) fn same_tags(then: Option<&Tags>, live: Option<&Tags>) -> bool {
    match (then, live) {
        (Some(then), Some(now)) => settable(then).eq(settable(now)),
        _ => true,
    }
}

/// The labels that the live version had and has not. One that it did not have
/// is left where it is: nobody knows which version it would go back to.
fn missing_labels(then: &Attributes, live: &LiveParameter, how: &How) -> Vec<String> {
    let Some(now) = live.labels.as_ref().filter(|_| how.labels) else {
        return Vec::new();
    };
    let missing = then.labels.iter().filter(|label| !now.contains(label));
    missing.cloned().collect()
}

/// The tags that a caller can set: `aws:` is AWS's own.
pub fn settable(tags: &Tags) -> impl Iterator<Item = (&String, &String)> {
    tags.iter().filter(|(key, _)| !key.starts_with("aws:"))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
