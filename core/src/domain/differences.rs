//! What differs of one parameter between two instants, or an instant and now.
//!
//! A difference from now is exactly what a plan would put back: both follow the
//! same rules of [`super::plan`].

use super::instant::Instant;
use super::name::Name;
use super::plan::{Field, Problem, Step, differing_attributes, same_tags};
use super::record::Attributes;
use super::state::{Found, FoundValue, State};
use super::value::Value;

/// What became of a parameter from the first instant to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// It did not exist, and then did.
    Added,
    /// It existed, and then did not.
    Removed,
    /// It existed at both, and something of it differs.
    Changed,
    /// Nobody knows, for at least one of the two.
    Unknown,
}

impl Kind {
    /// The word in the `Change` field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
        }
    }
}

/// One parameter at one of the two instants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Its state.
    pub state: State,
    /// Its value; none where there is none, it could not differ, or cannot be had.
    pub value: Option<Value>,
    /// Why the value, or the tags, cannot be had.
    pub problem: Option<Problem>,
}

impl Side {
    /// A state whose value was not asked for.
    pub fn of(state: State) -> Self {
        Self {
            state,
            value: None,
            problem: None,
        }
    }
}

/// One parameter that differs, or of which nobody knows whether it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The parameter.
    pub name: Name,
    /// What became of it.
    pub kind: Kind,
    /// What of it differs; empty unless it is [`Kind::Changed`].
    pub fields: Vec<Field>,
    /// At the first instant.
    pub old: Side,
    /// At the second, or now.
    pub new: Side,
}

/// Which of the two values must be read before a [`difference`] can be told: none
/// where both are the same version, or its value is kept in the same place.
pub fn values_needed(old: &State, new: &State) -> (bool, bool) {
    match (old, new) {
        (State::Unknown { .. }, _) | (_, State::Unknown { .. }) => (false, false),
        (State::Present(old), State::Present(new)) => {
            let needed = !is_same_version(old, new) && !is_same_place(old, new);
            (needed, needed)
        }
        (old, new) => (old.found().is_some(), new.found().is_some()),
    }
}

/// Tells what differs of one name; none where nothing does.
///
/// A value that is needed and cannot be had counts as another one, as a plan has
/// it. `now` is the present: policies that have expired by then are no difference.
pub fn difference(name: Name, old: Side, new: Side, now: Instant) -> Option<Difference> {
    let mut fields = Vec::new();
    let kind = match (&old.state, &new.state) {
        (State::Unknown { .. }, _) | (_, State::Unknown { .. }) => Kind::Unknown,
        (State::Absent { .. }, State::Absent { .. }) => return None,
        (State::Absent { .. }, State::Present(_)) => Kind::Added,
        (State::Present(_), State::Absent { .. }) => Kind::Removed,
        (State::Present(then), State::Present(later)) => {
            let values = (old.value.as_ref(), new.value.as_ref());
            fields = differing_fields(then, later, values, now);
            if fields.is_empty() {
                return None;
            }
            Kind::Changed
        }
    };
    Some(Difference {
        name,
        kind,
        fields,
        old,
        new,
    })
}

fn differing_fields(
    old: &Found,
    new: &Found,
    values: (Option<&Value>, Option<&Value>),
    now: Instant,
) -> Vec<Field> {
    let mut fields = Vec::new();
    if !is_same_version(old, new) {
        let same_value =
            is_same_place(old, new) || matches!(values, (Some(then), Some(later)) if then == later);
        if !same_value {
            fields.push(Field::Value);
        }
        let (then, later) = completed(old, new);
        fields.extend(differing_attributes(&then, &later, None, now));
    }
    let (then, later) = (&old.attributes.tags, &new.attributes.tags);
    if !same_tags(then.as_ref(), later.as_ref()) {
        fields.push(Field::Tags);
    }
    fields
}

/// What an imported version does not know is taken as it is on the other side.
fn completed(old: &Found, new: &Found) -> (Attributes, Attributes) {
    let then = old.attributes.completed_from(&new.attributes);
    let later = if new.value == FoundValue::Live {
        new.attributes.clone()
    } else {
        let known = new.attributes.completed_from(&old.attributes);
        let tier = known.tier.clone().or_else(|| old.attributes.tier.clone());
        Attributes { tier, ..known }
    };
    (then, later)
}

fn is_same_version(old: &Found, new: &Found) -> bool {
    let both_live = old.value == FoundValue::Live && new.value == FoundValue::Live;
    let numbered = old.version.is_some() && old.version == new.version;
    both_live || (numbered && old.modified == new.modified)
}

fn is_same_place(old: &Found, new: &Found) -> bool {
    match (&old.value, &new.value) {
        (FoundValue::Stored(old), FoundValue::Stored(new)) => old == new,
        _ => false,
    }
}

/// The two sides of a plan's step: the plan's instant, and now.
pub fn sides(step: &Step) -> (Side, Side) {
    let (mut old_problem, mut new_problem) = (None, None);
    match &step.problem {
        Some(problem @ Problem::LiveUnreadable(_)) => new_problem = Some(problem.clone()),
        // That it cannot be put back is no matter here.
        Some(
            Problem::TierDowngrade
            | Problem::Moved(_)
            | Problem::Planned(_)
            | Problem::Conflict { .. }
            | Problem::LeftAlone { .. }
            | Problem::HeldBack
            | Problem::Unrecorded
            | Problem::TierThere
            | Problem::KeyOfElsewhere { .. },
        )
        | None => {}
        Some(
            problem @ (Problem::Lost(_)
            | Problem::Sealed
            | Problem::Gone(_)
            | Problem::StoredUnreadable(_)),
        ) => old_problem = Some(problem.clone()),
    }
    let old = Side {
        state: step.state.clone(),
        value: step.value.clone(),
        problem: old_problem,
    };
    let Some(live) = &step.live else {
        return (old, Side::of(State::Absent { since: None }));
    };
    let is_added = matches!(step.state, State::Absent { .. });
    let recorded = live.recorded.as_ref().and_then(|r| r.tags.clone());
    let tags = live.tags.clone().or(recorded.filter(|_| is_added));
    let new = Side {
        state: State::Present(Found {
            modified: live.live.modified,
            version: Some(live.live.version),
            modified_by: live.live.modified_by.clone(),
            attributes: Attributes {
                tags,
                ..live.live.attributes.clone()
            },
            value: FoundValue::Live,
            inexact: false,
        }),
        value: live.value.clone(),
        problem: new_problem,
    };
    (old, new)
}

#[cfg(test)]
#[path = "differences_tests.rs"]
mod tests;
