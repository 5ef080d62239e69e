//! The name of a stack.

use std::fmt;
use std::str::FromStr;

/// The longest name that leaves room for what derives from it: a role's name, `NAME-ReconcileRole-`
/// and what CloudFormation makes up, has at most 64 characters. A longer one would be shortened, in
/// ways that are not documented, and no pattern of a policy would be sure to match it.
pub const MAX_LEN: usize = 36;

/// The name of a stack: a letter, then letters, digits and hyphens, at most [`MAX_LEN`] characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StackName(String);

impl StackName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StackName {
    type Err = StackNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(fits) {
            return Err(StackNameError::Malformed { name: name.into() });
        }
        if name.len() > MAX_LEN {
            return Err(StackNameError::TooLong { name: name.into() });
        }
        Ok(Self(name.into()))
    }
}

impl fmt::Display for StackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no name of a stack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StackNameError {
    /// It has a character that CloudFormation does not take, or begins with another than a letter.
    #[error("`{name}` is not a stack name")]
    Malformed {
        /// The text.
        name: String,
    },
    /// It leaves no room for the names derived from it.
    #[error("the stack name `{name}` is too long")]
    TooLong {
        /// The text.
        name: String,
    },
}

impl StackNameError {
    /// Returns the way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Malformed { .. } => {
                "a stack name is a letter followed by letters, digits and hyphens".into()
            }
            Self::TooLong { .. } => {
                format!("a stack name of ssmbak has at most {MAX_LEN} characters")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_then_letters_digits_and_hyphens() {
        for name in ["ssmbak", "S", "prod-2-eu", &"a".repeat(MAX_LEN)] {
            assert_eq!(name.parse::<StackName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for name in ["", "-a", "1a", "a_b", "a/b", "a.b", "ä", "a b"] {
            let error = name.parse::<StackName>().unwrap_err();
            assert_eq!(error, StackNameError::Malformed { name: name.into() });
        }
    }

    #[test]
    fn a_name_leaves_room_for_the_names_of_roles() {
        let name = "a".repeat(MAX_LEN + 1);
        let error = name.parse::<StackName>().unwrap_err();
        assert_eq!(error, StackNameError::TooLong { name });
        assert!(error.hint().unwrap().contains("36"));
    }
}
