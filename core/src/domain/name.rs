//! Names of parameters, paths above them, and the PATH argument of commands.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest name Parameter Store allows, in characters (its ARN included, a
/// user's own name is shorter).
const NAME_MAX: usize = 1011;
/// Most levels Parameter Store allows in a hierarchy.
const LEVELS_MAX: usize = 15;

/// Where the tool's own parameters stand.
const OWN: &str = "/_ssmbak/";

/// Why a text is no name or path. The message names the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("an empty name or path")]
    Empty,
    /// `a/b`: Parameter Store wants a leading slash as soon as there is a level.
    #[error("{0:?} has levels but no leading '/'")]
    NoLeadingSlash(String),
    /// A character outside `a-z A-Z 0-9 _ . - /`.
    #[error("{text:?} has the character {found:?}, which no parameter name can have")]
    Character {
        /// What was given (cut to 80 characters).
        text: String,
        /// The first character that is refused.
        found: char,
    },
    /// `//`.
    #[error("{0:?} has an empty level")]
    EmptyLevel(String),
    /// More than 15 levels.
    #[error("{0:?} has more than 15 levels")]
    Levels(String),
    /// More than 1,011 characters.
    #[error("a name of {0} characters is longer than the 1,011 that Parameter Store allows")]
    Length(usize),
    /// A path where a name was asked for.
    #[error("{0:?} is a path (it ends in '/'), not the name of a parameter")]
    IsPath(String),
    /// A name where a path was asked for.
    #[error("{0:?} is a name; a path ends in '/'")]
    IsName(String),
}

impl NameError {
    /// The way out, for people.
    pub fn hint(&self) -> String {
        match self {
            Self::Empty => "give a name like /app/db or a path like /app/".into(),
            Self::NoLeadingSlash(text) => format!("write /{text}"),
            Self::IsPath(text) => match text.trim_end_matches('/') {
                "" => "give the name of a parameter, like /app/db".into(),
                name => format!("write {name}"),
            },
            Self::IsName(text) => format!("write {text}/"),
            Self::Character { .. } | Self::EmptyLevel(_) | Self::Levels(_) | Self::Length(_) => {
                "names have letters, digits and _ . - in up to 15 levels: /app/db".into()
            }
        }
    }
}

/// A parameter's canonical name: always with a leading `/`, never with a
/// trailing one. `foo` and `/foo` are one parameter and one name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Reads a name as Parameter Store spells it, with or without the leading
    /// slash of a root-level name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.ends_with('/') && !text.is_empty() {
            return Err(NameError::IsPath(shorten(text)));
        }
        canonical(text).map(Self)
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every path above this name, nearest first, the root `/` last.
    pub fn paths_above(&self) -> impl Iterator<Item = Path> + '_ {
        self.0
            .rmatch_indices('/')
            .map(|(at, _)| Path(self.0[..=at].to_owned()))
    }

    /// Its last level: `db` of `/app/db`.
    pub fn leaf(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Whether this is one of the tool's own lookup parameters, which a
    /// restore never touches. They stand under `/_ssmbak/`: Parameter Store
    /// refuses names that begin with `ssm`.
    pub fn is_own(&self) -> bool {
        self.0.starts_with(OWN)
    }
}

/// A prefix that ends in `/`. `/app/` contains `/app/db`, never `/app` or `/app2`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(String);

impl Path {
    /// The path above everything.
    pub fn root() -> Self {
        Self("/".into())
    }

    /// Reads a path: `/`, `/app/`, and `app/` for `/app/`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text == "/" {
            return Ok(Self::root());
        }
        let Some(body) = text.strip_suffix('/') else {
            // What is no name either is told first: the hint must lead to a path.
            let is_name = |_| NameError::IsName(shorten(text));
            return Err(canonical(text).map_or_else(|error| error, is_name));
        };
        if body.is_empty() || body.ends_with('/') {
            return Err(NameError::EmptyLevel(shorten(text)));
        }
        canonical(body).map(|name| Self(name + "/"))
    }

    /// The text, with its trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `name` lies under this path, at any depth.
    pub fn contains(&self, name: &Name) -> bool {
        name.0.starts_with(&self.0)
    }

    /// Whether `name` lies directly under this path.
    pub fn contains_directly(&self, name: &Name) -> bool {
        self.contains(name) && !name.0[self.0.len()..].contains('/')
    }

    /// Whether only the tool's own parameters can lie under it.
    pub fn is_own(&self) -> bool {
        self.0.starts_with(OWN)
    }

    /// Whether everything under `other` is under this path too.
    pub fn covers(&self, other: &Path) -> bool {
        other.0.starts_with(&self.0)
    }
}

/// What a command was asked about: one name, or what lies under a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// One parameter.
    Name(Name),
    /// The parameters under a path.
    Path {
        /// The path.
        path: Path,
        /// With all levels below, or only those directly under it.
        recursive: bool,
    },
}

impl Target {
    /// Reads a PATH argument: a trailing `/` means a path, none one name.
    /// `recursive` changes nothing for a name.
    pub fn parse(text: &str, recursive: bool) -> Result<Self, NameError> {
        if text.ends_with('/') {
            Path::parse(text).map(|path| Self::Path { path, recursive })
        } else {
            Name::parse(text).map(Self::Name)
        }
    }

    /// Whether `name` is asked about.
    pub fn contains(&self, name: &Name) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Path {
                path,
                recursive: true,
            } => path.contains(name),
            Self::Path {
                path,
                recursive: false,
            } => path.contains_directly(name),
        }
    }

    /// The name or path as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name(name) => name.as_str(),
            Self::Path { path, .. } => path.as_str(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Checks `text` (no trailing slash) and gives it its leading slash.
fn canonical(text: &str) -> Result<String, NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    if let Some(found) = text.chars().find(|c| !allowed(*c)) {
        return Err(NameError::Character {
            text: shorten(text),
            found,
        });
    }
    if text.len() > NAME_MAX {
        return Err(NameError::Length(text.len()));
    }
    let body = match text.strip_prefix('/') {
        Some(body) => body,
        None if text.contains('/') => return Err(NameError::NoLeadingSlash(shorten(text))),
        None => text,
    };
    if body.split('/').any(str::is_empty) {
        return Err(NameError::EmptyLevel(shorten(text)));
    }
    if body.split('/').count() > LEVELS_MAX {
        return Err(NameError::Levels(shorten(text)));
    }
    Ok(format!("/{body}"))
}

fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

macro_rules! text_form {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
text_form!(Name);
text_form!(Path);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn with_and_without_slash_is_one_name() {
        assert_eq!(name("foo"), name("/foo"));
        assert_eq!(name("foo").as_str(), "/foo");
    }

    #[test]
    fn a_path_never_holds_the_name_it_is_spelled_like() {
        let app = Path::parse("/app/").unwrap();
        assert!(!app.contains(&name("/app")));
        assert!(!app.contains(&name("/app2")));
        assert!(!app.contains(&name("/app2/x")));
        assert!(app.contains(&name("/app/x/y")));
        assert!(!app.contains_directly(&name("/app/x/y")));
        assert!(app.contains_directly(&name("/app/x")));
    }

    #[test]
    fn the_root_holds_everything() {
        assert!(Path::root().contains(&name("foo")));
        assert!(Path::root().contains_directly(&name("foo")));
        assert!(Path::root().contains(&name("/a/b")));
    }

    #[test]
    fn paths_above_end_at_the_root() {
        let above: Vec<_> = name("/app/prod/db").paths_above().map(|p| p.0).collect();
        assert_eq!(above, ["/app/prod/", "/app/", "/"]);
        let above: Vec<_> = name("foo").paths_above().map(|p| p.0).collect();
        assert_eq!(above, ["/"]);
    }

    #[test]
    fn what_parameter_store_refuses_is_refused() {
        assert!(matches!(
            Name::parse("a/b"),
            Err(NameError::NoLeadingSlash(_))
        ));
        assert_eq!(Name::parse(""), Err(NameError::Empty));
        assert!(matches!(
            Name::parse("/a//b"),
            Err(NameError::EmptyLevel(_))
        ));
        assert!(matches!(Path::parse("//"), Err(NameError::EmptyLevel(_))));
        assert!(matches!(Name::parse("/a/"), Err(NameError::IsPath(_))));
        assert!(matches!(
            Name::parse("/a b"),
            Err(NameError::Character { found: ' ', .. })
        ));
        assert!(matches!(
            Name::parse(&"/x".repeat(16)),
            Err(NameError::Levels(_))
        ));
        assert!(matches!(
            Name::parse(&"x".repeat(1012)),
            Err(NameError::Length(1012))
        ));
    }

    #[test]
    fn a_trailing_slash_makes_a_target_a_path() {
        assert!(matches!(Target::parse("/app", true), Ok(Target::Name(_))));
        assert!(matches!(
            Target::parse("/app/", true),
            Ok(Target::Path {
                recursive: true,
                ..
            })
        ));
        assert!(Target::parse("a/b/", false).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(s in "\\PC{0,40}") {
            let _ = Target::parse(&s, true);
        }

        #[test]
        fn a_name_lies_under_each_path_above_it(s in "(/[a-zA-Z0-9_.-]{1,5}){1,15}") {
            let name = Name::parse(&s).unwrap();
            for path in name.paths_above() {
                prop_assert!(path.contains(&name));
                prop_assert_eq!(Path::parse(path.as_str()).unwrap(), path);
            }
            prop_assert_eq!(Name::parse(name.as_str()).unwrap(), name);
        }
    }
}
