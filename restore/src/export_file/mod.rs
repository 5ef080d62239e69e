//! The file that `export --format json` and `yaml` write and that can be put
//! back: a tree as it was at an instant, complete.
//!
//! What is read is judged as something that a person, or nobody well-meaning,
//! has edited: whatever is not understood is refused with the place where it
//! stands. No error tells a value.

mod form;
mod reading;
mod writing;

use ssmbak_core::domain::{Attributes, Instant, Name, Path, Target, Value};

pub(crate) use self::reading::read;
pub(crate) use self::writing::{json, yaml};

/// The form that this program writes; newer ones are refused.
pub(crate) const FORMAT: u64 = 1;

/// Most bytes that a file may have.
pub(crate) const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A tree as it was: each parameter that was present and whose value is known,
/// in order of names, none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exported {
    /// What was exported; every name lies in it.
    pub(crate) target: Target,
    /// The instant.
    pub(crate) at: Instant,
    /// The path that names in the file leave out; none where they are whole.
    /// Names here are always whole.
    pub(crate) prefix: Option<Path>,
    /// The parameters.
    pub(crate) parameters: Vec<ExportedParameter>,
}

/// One parameter as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExportedParameter {
    /// The canonical name.
    pub(crate) name: Name,
    /// The value, byte for byte.
    pub(crate) value: Value,
    /// Everything else that a put sends, with the labels and tags it had.
    pub(crate) attributes: Attributes,
    /// The number of its version, where it is known.
    pub(crate) version: Option<u64>,
    /// When that version was written, where it is known.
    pub(crate) modified: Option<Instant>,
    /// The ARN of who wrote it, where it is known.
    pub(crate) modified_by: Option<String>,
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod hostile_tests;
