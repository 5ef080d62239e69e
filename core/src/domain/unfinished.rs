//! What a reconciliation that ran out of time left to be done, and what one that died may have
//! left half done.

use serde::{Deserialize, Serialize};

use super::instant::Instant;
use super::name::{Name, Path};
use super::stored;

/// The names that a reconciliation has compared and not captured yet, as stored in the bucket.
///
/// Going on with them finishes *that* reconciliation: what it compared, it compared when it
/// started, and coverage begins there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The stored format.
    pub format: u32,
    /// What is reconciled.
    pub path: Path,
    /// When its listing was sent.
    pub started: Instant,
    /// What is still to be captured; empty where nothing was left for want of time.
    pub names: Vec<Name>,
    /// Names found gone, noted before that is put on record: whoever dies half way is followed by
    /// one that puts it there as it was found, not a second time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Gone>,
}

/// A name that two looks found gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gone {
    /// The name.
    pub name: Name,
    /// The instant of its head: it was there then.
    pub last_seen: Instant,
    /// When the look that missed it was sent.
    pub missed: Instant,
}

impl Unfinished {
    /// For how long, in milliseconds, it is better to go on than to compare anew: a day, in which
    /// Parameter Store can hardly have forgotten what was compared.
    pub const GOOD_FOR_MS: i64 = 24 * 60 * 60 * 1_000;

    /// The work of a reconciliation of `path` that started at `started`.
    pub fn new(path: &Path, started: Instant, names: Vec<Name>) -> Self {
        Self {
            format: stored::FIRST_FORMAT,
            path: path.clone(),
            started,
            names,
            gone: Vec::new(),
        }
    }

    /// Whether its format is one that is known.
    pub fn is_understood(&self) -> bool {
        self.format == stored::FIRST_FORMAT
    }

    /// Whether it is to be gone on with at `now`.
    pub fn is_good_at(&self, now: Instant) -> bool {
        self.is_understood() && now < self.started.plus_millis(Self::GOOD_FOR_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_later_it_is_better_to_compare_anew() {
        let started: Instant = "2026-11-20T10:00:00.000Z".parse().unwrap();
        let left = Unfinished::new(&Path::root(), started, vec![]);
        assert!(left.is_good_at(started.plus_millis(Unfinished::GOOD_FOR_MS - 1)));
        assert!(!left.is_good_at(started.plus_millis(Unfinished::GOOD_FOR_MS)));
        let newer = Unfinished {
            format: stored::FIRST_FORMAT + 1,
            ..left
        };
        assert!(!newer.is_good_at(started), "of a format that is not known");
    }
}
