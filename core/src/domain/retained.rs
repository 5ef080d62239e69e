//! What Parameter Store tells when it is asked.

use std::collections::BTreeMap;

use super::instant::Instant;
use super::name::Name;
use super::record::Attributes;
use super::value::Value;

/// The value of a retained version, as far as it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetainedValue {
    /// This is it.
    Read(Value),
    /// Its key is denied, disabled or waiting for deletion: it may be readable
    /// again one day, so it is not lost.
    Sealed,
    /// Its key is gone for good.
    Lost,
}

impl RetainedValue {
    /// The value, where it could be read.
    pub fn read(&self) -> Option<&Value> {
        match self {
            Self::Read(value) => Some(value),
            Self::Sealed | Self::Lost => None,
        }
    }
}

/// One version that Parameter Store still retains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retained {
    /// Its number, from 1.
    pub version: u64,
    /// When it was written.
    pub modified: Instant,
    /// Who wrote it.
    pub modified_by: Option<String>,
    /// Everything but the value. Tags only on the newest.
    pub attributes: Attributes,
    /// The value.
    pub value: RetainedValue,
}

/// An answer to "what do you retain of this name?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// When the question was sent.
    pub sent: Instant,
    /// All retained versions, ascending; none when the name was not found.
    pub retained: Option<Vec<Retained>>,
}

impl Look {
    /// The newest retained version.
    pub fn newest(&self) -> Option<&Retained> {
        self.retained.as_ref().and_then(|r| r.last())
    }
}

/// A parameter as it lives now, from a listing: no value, no tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Its name.
    pub name: Name,
    /// Its version.
    pub version: u64,
    /// When that version was written.
    pub modified: Instant,
    /// Who wrote it.
    pub modified_by: Option<String>,
    /// Everything a listing tells. Labels are not among it.
    pub attributes: Attributes,
}

/// Tags of a parameter.
pub type Tags = BTreeMap<String, String>;
