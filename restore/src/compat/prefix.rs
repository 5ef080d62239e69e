//! The original's prefix: what names begin with. `/this` is the name `/this`,
//! what lies under it, and `/this-too` with what lies under that.

use std::collections::BTreeSet;

use ssmbak_core::domain::{Name, NameError, Path};

/// A prefix, as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// It ends in `/`: a path.
    Path(Path),
    /// Any name that begins so.
    Start(Name),
}

/// What is to be captured: every name under the paths, and the names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    paths: BTreeSet<Path>,
    names: BTreeSet<Name>,
}

impl Prefix {
    /// Reads a prefix.
    pub(super) fn parse(text: &str) -> Result<Self, NameError> {
        if text.ends_with('/') {
            Path::parse(text).map(Self::Path)
        } else {
            Name::parse(text).map(Self::Start)
        }
    }

    /// The nearest path under which every name lies that begins so; none
    /// where the prefix is a path: what lies there needs no look.
    pub(super) fn looks_at(&self) -> Option<Path> {
        match self {
            Self::Path(_) => None,
            Self::Start(name) => name.paths_above().next(),
        }
    }

    /// Adds to `scope` what begins so. Of `known` names each that does counts
    /// by its path right below the prefix, or by itself where it has none: a
    /// path can be covered, and deletions under it be told.
    pub(super) fn add_to<'a>(&self, scope: &mut Scope, known: impl Iterator<Item = &'a Name>) {
        let start = match self {
            Self::Path(path) => {
                scope.paths.insert(path.clone());
                return;
            }
            Self::Start(name) => name.as_str(),
        };
        // Also where nothing lives yet: what comes later is covered.
        scope.paths.extend(Path::parse(&format!("{start}/")));
        for name in known {
            let Some(rest) = name.as_str().strip_prefix(start) else {
                continue;
            };
            match rest.find('/') {
                Some(level) => {
                    let path = &name.as_str()[..=start.len() + level];
                    scope.paths.extend(Path::parse(path));
                }
                None => {
                    scope.names.insert(name.clone());
                }
            }
        }
    }
}

impl Scope {
    /// The paths; one that lies under another is left out.
    pub(super) fn paths(&self) -> Vec<&Path> {
        let mut paths: Vec<_> = self.paths.iter().collect();
        // In this order a path comes right before what lies under it.
        paths.dedup_by(|below, above| above.covers(below));
        paths
    }

    /// The names that lie under none of the paths.
    pub(super) fn names(&self) -> Vec<&Name> {
        let alone = |name: &&Name| !self.paths.iter().any(|path| path.contains(name));
        self.names.iter().filter(alone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(prefixes: &[&str], known: &[&str]) -> (Vec<String>, Vec<String>) {
        let known: Vec<_> = known
            .iter()
            .map(|name| Name::parse(name).unwrap())
            .collect();
        let mut scope = Scope::default();
        for prefix in prefixes {
            let prefix = Prefix::parse(prefix).unwrap();
            prefix.add_to(&mut scope, known.iter());
        }
        (
            scope.paths().iter().map(ToString::to_string).collect(),
            scope.names().iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn a_prefix_is_every_name_that_begins_so() {
        let known = [
            "/this",
            "/this/a/b",
            "/this2",
            "/this3/x/y",
            "/that",
            "/x/this",
        ];
        let (paths, names) = scope(&["/this"], &known);
        assert_eq!(paths, ["/this/", "/this3/"]);
        assert_eq!(names, ["/this", "/this2"]);
    }

    #[test]
    fn a_prefix_within_a_level_begins_below_its_path() {
        let known = ["/app/database", "/app/db/a", "/app/other", "/appd"];
        let (paths, names) = scope(&["/app/d"], &known);
        assert_eq!(paths, ["/app/d/", "/app/db/"]);
        assert_eq!(names, ["/app/database"]);
        let below = Prefix::parse("/app/d").unwrap().looks_at().unwrap();
        assert_eq!(below.as_str(), "/app/");
    }

    #[test]
    fn a_path_is_what_lies_under_it_and_needs_no_look() {
        let (paths, names) = scope(&["/this/"], &["/this", "/this/a", "/this2"]);
        assert_eq!((paths, names), (vec!["/this/".to_owned()], vec![]));
        assert_eq!(Prefix::parse("/this/").unwrap().looks_at(), None);
    }

    #[test]
    fn nothing_counts_twice() {
        let known = ["/a/b/c", "/a/b", "/a2"];
        let (paths, names) = scope(&["/a/b", "/a/", "/a2", "/a"], &known);
        assert_eq!(paths, ["/a/", "/a2/"]);
        assert_eq!(names, ["/a2"]);
    }

    #[test]
    fn a_root_level_name_needs_no_slash() {
        assert_eq!(Prefix::parse("this"), Prefix::parse("/this"));
        assert!(Prefix::parse("a/b").is_err());
        assert!(Prefix::parse("").is_err());
    }
}
