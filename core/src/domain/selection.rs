//! Which parameters of a target a person chose.

use std::fmt;
use std::sync::Arc;

use super::name::Name;
use super::plan::Step;

/// A choice among names; all of them by default. What it rests on, patterns say,
/// is nobody's business here.
#[derive(Clone, Default)]
pub struct NameFilter(Option<Takes>);

type Takes = Arc<dyn Fn(&Name) -> bool + Send + Sync>;

impl NameFilter {
    /// Takes the names of which `takes` is true.
    pub fn new(takes: impl Fn(&Name) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(takes)))
    }

    /// Whether `name` is taken.
    pub fn takes(&self, name: &Name) -> bool {
        self.0.as_ref().is_none_or(|takes| takes(name))
    }
}

impl fmt::Debug for NameFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "some" } else { "all" })
    }
}

/// What of a target is selected; everything by default. What is not selected is
/// neither written nor deleted.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// By name. What is left out by its name is not looked at at all.
    pub names: NameFilter,
    /// By type: `String`, `StringList`, `SecureString`. Empty: all.
    pub types: Vec<String>,
    /// Only what existed then and does not live now.
    pub only_deleted: bool,
}

impl Selection {
    /// Whether `name` is to be looked at, given whether it lives.
    pub fn looks_at(&self, name: &Name, lives: bool) -> bool {
        self.names.takes(name) && !(lives && self.only_deleted)
    }

    /// Whether a parameter of this type is selected. Nobody's type leaves
    /// nothing out: what is unknown is to be told.
    pub fn takes_type(&self, parameter_type: Option<&str>) -> bool {
        let is = |parameter_type| self.types.iter().any(|t| t == parameter_type);
        self.types.is_empty() || parameter_type.is_none_or(is)
    }

    /// Whether a step that was looked at is selected: the type of a parameter is
    /// that which it had then, and of one that did not exist that which it has.
    pub fn takes(&self, step: &Step) -> bool {
        let then = step.state.found().map(|f| &f.attributes);
        let now = step.live.as_ref().map(|l| &l.live.attributes);
        let kind = then.or(now).map(|a| a.parameter_type.as_str());
        self.takes_type(kind) && self.looks_at(&step.name, step.live.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::{How, LiveParameter, step};
    use crate::domain::state::FoundValue;
    use crate::domain::{Attributes, Found, Instant, Live, State, Value};

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn of(parameter_type: &str) -> Attributes {
        Attributes {
            parameter_type: parameter_type.into(),
            ..Attributes::default()
        }
    }

    /// A step of one that had a type then, and has one now.
    fn of_types(then: Option<&str>, now: Option<&str>) -> Step {
        let state = match then {
            Some(then) => State::Present(Found {
                modified: Instant::EARLIEST,
                version: Some(1),
                modified_by: None,
                attributes: of(then),
                value: FoundValue::Given(Value::new("then")),
                inexact: false,
            }),
            None => State::Absent { since: None },
        };
        let live = now.map(|now| LiveParameter {
            live: Live {
                name: name("/app/db"),
                version: 2,
                modified: Instant::LATEST,
                modified_by: None,
                attributes: of(now),
            },
            recorded: None,
            value: None,
            tags: None,
            labels: None,
        });
        let how = How::at(Instant::EARLIEST);
        step(name("/app/db"), state, None, live, None, &how)
    }

    #[test]
    fn the_type_of_then_counts_before_that_of_now() {
        let secrets = Selection {
            types: vec!["SecureString".into()],
            ..Selection::default()
        };
        assert!(secrets.takes(&of_types(Some("SecureString"), Some("String"))));
        assert!(!secrets.takes(&of_types(Some("String"), Some("SecureString"))));
        // One that is to be deleted has a type only now.
        assert!(secrets.takes(&of_types(None, Some("SecureString"))));
        assert!(!secrets.takes(&of_types(None, Some("String"))));
    }

    #[test]
    fn what_has_no_known_type_is_never_left_out_by_type() {
        let secrets = Selection {
            types: vec!["SecureString".into()],
            ..Selection::default()
        };
        assert!(secrets.takes(&of_types(None, None)));
    }

    #[test]
    fn only_deleted_takes_what_does_not_live() {
        let deleted = Selection {
            only_deleted: true,
            ..Selection::default()
        };
        assert!(deleted.takes(&of_types(Some("String"), None)));
        assert!(!deleted.takes(&of_types(Some("String"), Some("String"))));
        // One that did not exist then is to be deleted: it lives.
        assert!(!deleted.takes(&of_types(None, Some("String"))));
    }

    #[test]
    fn a_name_that_is_left_out_is_not_looked_at() {
        let some = Selection {
            names: NameFilter::new(|n| n.as_str().ends_with("db")),
            ..Selection::default()
        };
        assert!(some.looks_at(&name("/app/db"), true));
        assert!(!some.looks_at(&name("/app/x"), false));
        assert!(Selection::default().looks_at(&name("/app/x"), true));
    }
}
