//! The variables of the environment that set something.

use std::collections::BTreeMap;
use std::env;

use super::{Set, Source};

/// All that is read. Of credentials no more is kept than that there are some.
const NAMES: [&str; 14] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_REGION",
    "HOME",
    "NO_COLOR",
    "SSMBAK_BUCKET",
    "SSMBAK_CONFIG",
    "SSMBAK_CONTEXT",
    "SSMBAK_STACK",
    "SSMBAK_TABLE",
    "USERPROFILE",
    "XDG_CONFIG_HOME",
];

/// Variables of the environment, by name; empty ones count as not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment(BTreeMap<&'static str, String>);

impl Environment {
    /// That of this process.
    pub(crate) fn read() -> Self {
        Self::from(|name: &str| {
            let value = env::var_os(name)?.to_string_lossy().into_owned();
            let is_key = name == "AWS_ACCESS_KEY_ID" && !value.is_empty();
            Some(if is_key { "set".into() } else { value })
        })
    }

    /// Those that `value_of` tells.
    pub(crate) fn from(value_of: impl Fn(&str) -> Option<String>) -> Self {
        let found = NAMES.into_iter().filter_map(|name| {
            let value = value_of(name).filter(|value| !value.is_empty())?;
            Some((name, value))
        });
        Self(found.collect())
    }

    /// What a variable says.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there are credentials.
    pub(crate) fn has_credentials(&self) -> bool {
        self.get("AWS_ACCESS_KEY_ID").is_some()
    }

    /// What the first of these variables that is set says.
    pub(super) fn set(&self, names: &[&'static str]) -> Option<Set<String>> {
        names.iter().find_map(|name| {
            Some(Set {
                value: self.get(name)?.to_owned(),
                source: Source::Variable(name),
            })
        })
    }
}
