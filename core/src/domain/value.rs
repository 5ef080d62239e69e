//! A parameter's value, kept out of every log.

use std::fmt;

/// The value of a parameter, byte for byte as Parameter Store gave it.
///
/// `Debug` never shows it and there is no `Display`: a value leaves the
/// program only where [`Value::expose`] is called.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(String);

impl Value {
    /// Wraps a value; nothing is trimmed or changed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The value itself. Call it only to store, put, compare or show it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(********)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        assert_eq!(format!("{:?}", Value::new("hunter2")), "Value(********)");
    }
}
