//! Somewhere else: what parameters are called there, which of their keys can be
//! used there, and what becomes of those that live there already.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::keymap::KeyMap;
use super::name::{Name, NameError, Path, Target};
use super::plan::{Action, Plan, Problem, Step};
use super::state::{Found, FoundValue, State};

/// An account's region, as it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The region.
    pub region: String,
    /// The account; none where there was no need to know.
    pub account: Option<String>,
    /// The endpoint in place of AWS's own.
    pub endpoint_url: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.region)?;
        match &self.account {
            Some(account) => write!(f, " of account {account}"),
            None => Ok(()),
        }
    }
}

/// Whether a secret that was under `key` at `from` can be put under the same key
/// at `to`.
///
/// An alias means another key in each place, and is there or is made: so is
/// `alias/aws/ssm` everywhere. An ARN tells where its key is. A bare id is known
/// in its own place only, that of a multi-Region key included: whether it has a
/// replica there nobody tells.
pub fn key_is_usable(key: Option<&str>, from: &Place, to: &Place) -> bool {
    let Some(key) = key else { return true };
    if from == to || key.starts_with("alias/") {
        return true;
    }
    // arn:PARTITION:kms:REGION:ACCOUNT:key/ID
    let mut parts = key.split(':').skip(3);
    match (parts.next(), parts.next()) {
        (Some(region), Some(account)) => {
            region == to.region && Some(account) == to.account.as_deref()
        }
        _ => false,
    }
}

/// What names become elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    from: Target,
    to: Target,
}

/// Why there is no mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// It is neither a name nor a path.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What lies under a path cannot become one name.
    #[error("{from} is a path, and {to} is the name of one parameter")]
    PathToName {
        /// What is to be written elsewhere.
        from: Path,
        /// What it cannot be.
        to: Name,
    },
    /// The tool's own parameters tell where its records are.
    #[error("{0} is where ssmbak keeps parameters of its own, which are never copied nor written")]
    Own(String),
}

impl MappingError {
    /// The way out, for people.
    pub fn hint(&self) -> String {
        match self {
            Self::Name(error) => error.hint(),
            Self::PathToName { to, .. } => format!("write --to-path {to}/"),
            Self::Own(_) => "choose another path; a stack makes its own".into(),
        }
    }
}

impl Mapping {
    /// What lies in `from` is written under `to`, a PATH as people write it;
    /// without one every name stays as it is.
    ///
    /// For a path its text is replaced by that of the other. A single name
    /// becomes `to`, or goes under it where that ends in `/`.
    pub fn new(from: &Target, to: Option<&str>) -> Result<Self, MappingError> {
        let to = match (from, to) {
            (_, None) => from.clone(),
            (Target::Path { path, recursive }, Some(to)) => match Target::parse(to, *recursive)? {
                Target::Name(to) => {
                    let from = path.clone();
                    return Err(MappingError::PathToName { from, to });
                }
                path @ Target::Path { .. } => path,
            },
            (Target::Name(name), Some(to)) => match Target::parse(to, false)? {
                Target::Name(to) => Target::Name(to),
                Target::Path { path, .. } => {
                    Target::Name(Name::parse(&format!("{path}{}", name.leaf()))?)
                }
            },
        };
        for target in [from, &to] {
            if is_own(target) {
                return Err(MappingError::Own(target.to_string()));
            }
        }
        let from = from.clone();
        Ok(Self { from, to })
    }

    /// What is written elsewhere.
    pub fn from(&self) -> &Target {
        &self.from
    }

    /// Where it is written.
    pub fn to(&self) -> &Target {
        &self.to
    }

    /// Whether every name stays as it is.
    pub fn keeps_names(&self) -> bool {
        self.from == self.to
    }

    /// What `name`, which lies in [`Self::from`], is called there. An error where
    /// Parameter Store has no such names. Distinct names stay distinct.
    pub fn of(&self, name: &Name) -> Result<Name, NameError> {
        match (&self.from, &self.to) {
            (Target::Path { path: from, .. }, Target::Path { path: to, .. }) => {
                let rest = name.as_str().strip_prefix(from.as_str());
                // With its slash it becomes no name: nothing outside the path is mapped.
                let rest = rest.unwrap_or(name.as_str());
                Name::parse(&format!("{to}{rest}"))
            }
            (_, Target::Name(to)) => Ok(to.clone()),
            (Target::Name(_), Target::Path { path, .. }) => {
                Name::parse(&format!("{path}{}", name.leaf()))
            }
        }
    }

    /// What each of `names` is called there. In the `same_place` a parameter that
    /// is read must not be written: the next time it would be another.
    pub fn of_all<'a>(
        &self,
        names: impl Iterator<Item = &'a Name>,
        same_place: bool,
    ) -> Result<BTreeMap<Name, Name>, Vec<Refused>> {
        let names: BTreeSet<&Name> = names.collect();
        let mut mapped = BTreeMap::new();
        let mut refused = Vec::new();
        for name in &names {
            let why = match self.of(name) {
                Ok(there) if there.is_own() => Why::Own,
                Ok(there) if same_place && names.contains(&there) => Why::IsRead(there),
                Ok(there) => {
                    mapped.insert((*name).clone(), there);
                    continue;
                }
                Err(error) => Why::NoName(error),
            };
            let name = (*name).clone();
            refused.push(Refused { name, why });
        }
        if refused.is_empty() {
            Ok(mapped)
        } else {
            Err(refused)
        }
    }
}

fn is_own(target: &Target) -> bool {
    match target {
        Target::Name(name) => name.is_own(),
        Target::Path { path, .. } => path.is_own(),
    }
}

/// A parameter that cannot be written there under its new name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {why}")]
pub struct Refused {
    /// What it is called now.
    pub name: Name,
    /// Why not.
    pub why: Why,
}

/// Why a parameter cannot be written there under its new name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Parameter Store has no such names.
    #[error(transparent)]
    NoName(NameError),
    /// The name would be one of the tool's own.
    #[error("it would be one of ssmbak's own parameters there")]
    Own,
    /// It would be written over another one that is read.
    #[error("it would be written to {0}, which is read here too")]
    IsRead(Name),
}

/// One parameter as it was, to be written somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced {
    /// What it is called at its source.
    pub name: Name,
    /// What it was, its value at hand: present or unknown.
    pub state: State,
    /// Why it cannot be written anywhere.
    pub problem: Option<Problem>,
}

impl Sourced {
    /// What `step` says of its parameter at the plan's instant. None where that
    /// did not exist: nothing is deleted somewhere else.
    pub fn of_step(step: Step) -> Option<Self> {
        let (name, value) = (step.name, step.value);
        let found = match step.state {
            State::Absent { .. } => return None,
            state @ State::Unknown { .. } => {
                return Some(Self {
                    name,
                    state,
                    problem: None,
                });
            }
            State::Present(found) => found,
        };
        let unread = || Problem::LiveUnreadable("it was deleted while it was read".into());
        // Of a version that lives all is read live: its tags too.
        let counts = |_: &Problem| value.is_none() || found.value == FoundValue::Live;
        let problem = step.problem.filter(counts);
        let problem = problem.or_else(|| value.is_none().then(unread));
        let value = match (value, &found.value) {
            (Some(value), _) => FoundValue::Given(value),
            (None, FoundValue::Lost) => FoundValue::Lost,
            (None, _) => FoundValue::Sealed,
        };
        Some(Self {
            name,
            state: State::Present(Found { value, ..found }),
            problem,
        })
    }

    /// All that a survey found.
    pub fn of_plan(plan: Plan) -> Vec<Self> {
        let steps = plan.steps.into_iter();
        steps.filter_map(Self::of_step).collect()
    }
}

/// What becomes of a parameter that lives there and is another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnConflict {
    /// Nothing at all is written.
    #[default]
    Fail,
    /// It is left alone.
    Skip,
    /// It is overwritten.
    Overwrite,
}

/// On which terms parameters are written somewhere else.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Where they come from.
    pub from: &'a Place,
    /// Where they are written.
    pub to: &'a Place,
    /// Which keys take the place of theirs.
    pub keys: &'a KeyMap,
    /// What becomes of those that live there and are others.
    pub on_conflict: OnConflict,
    /// What happens there is recorded.
    pub recorded: bool,
}

/// Gives each of `steps`, which turn what lives there into what is wanted there,
/// the reason for which it is not done, if there is one. `problems` are those
/// that the parameters have at their source, by their names there.
pub fn settle(
    mut steps: Vec<Step>,
    problems: &BTreeMap<Name, Problem>,
    terms: &Terms<'_>,
) -> Vec<Step> {
    for step in &mut steps {
        if let Some(problem) = problems.get(&step.name) {
            step.problem = Some(problem.clone());
        } else if step.action.changes() {
            step.problem = objection(step, terms);
        }
    }
    if steps.iter().any(is_conflict) {
        let held = |s: &&mut Step| s.action.changes() && s.problem.is_none();
        for step in steps.iter_mut().filter(held) {
            step.problem = Some(Problem::HeldBack);
        }
    }
    steps
}

/// Whether it is because of this step that nothing at all is written.
pub fn is_conflict(step: &Step) -> bool {
    matches!(step.problem, Some(Problem::Conflict { .. }))
}

fn objection(step: &Step, terms: &Terms<'_>) -> Option<Problem> {
    if let (Action::Update, Some(live)) = (step.action, &step.live) {
        let (version, modified) = (live.live.version, live.live.modified);
        match terms.on_conflict {
            OnConflict::Fail => return Some(Problem::Conflict { version, modified }),
            OnConflict::Skip => return Some(Problem::LeftAlone { version, modified }),
            OnConflict::Overwrite if !terms.recorded => return Some(Problem::Unrecorded),
            OnConflict::Overwrite => {}
        }
    }
    match &step.problem {
        Some(Problem::TierDowngrade) => return Some(Problem::TierThere),
        Some(problem) => return Some(problem.clone()),
        None => {}
    }
    let found = step.state.found()?;
    let key = found.attributes.key_id.as_deref();
    let usable = !found.attributes.is_secret()
        || terms.keys.is_given_for(key)
        || key_is_usable(key, terms.from, terms.to);
    let key = key.filter(|_| !usable)?;
    Some(Problem::KeyOfElsewhere {
        key: key.to_owned(),
        to: terms.to.to_string(),
    })
}

#[cfg(test)]
#[path = "elsewhere_tests.rs"]
mod tests;
