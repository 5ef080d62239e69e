//! Instants in time, to the millisecond.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The last millisecond of the year 9999: later instants would need a fifth
/// digit and no longer sort as text.
const LAST_MS: i64 = 253_402_300_799_999;

/// An instant in UTC, counted in whole milliseconds since 1970.
///
/// Its text form is RFC 3339 with exactly three decimals
/// (`2026-11-20T10:23:30.649Z`); texts sort as the instants do, which the keys
/// of the index rely on. Years 1970 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// A text or number that is no [`Instant`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 instant between 1970 and 9999: {0:?}")]
pub struct InstantError(pub String);

impl Instant {
    /// The earliest instant: 1970-01-01T00:00:00.000Z.
    pub const EARLIEST: Self = Self(0);
    /// The latest instant: 9999-12-31T23:59:59.999Z.
    pub const LATEST: Self = Self(LAST_MS);

    /// The instant `ms` milliseconds after 1970; out-of-range numbers are
    /// moved to the nearest end of the range.
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.clamp(0, LAST_MS))
    }

    /// The instant of seconds and nanoseconds since 1970, cut to milliseconds.
    ///
    /// Parameter Store sends its times as floating-point seconds, where
    /// `…30.649` arrives as `…30.648999929`; a microsecond is added before the
    /// cut, so that the millisecond AWS meant is the one that is kept.
    pub fn from_float_parts(secs: i64, nanos: u32) -> Self {
        let us = secs
            .saturating_mul(1_000_000)
            .saturating_add(i64::from(nanos) / 1_000 + 1);
        Self::from_millis(us.div_euclid(1_000))
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, cut.
    pub fn epoch_seconds(self) -> i64 {
        self.0 / 1000
    }

    /// The first millisecond of this instant's second.
    #[must_use]
    pub fn second_start(self) -> Self {
        Self(self.0 - self.0 % 1000)
    }

    /// The last millisecond (`.999`) of this instant's second: where a
    /// deletion announced in that second stands, after the writes of it.
    #[must_use]
    pub fn second_end(self) -> Self {
        Self(self.0 - self.0 % 1000 + 999)
    }

    /// Whether both lie in the same second.
    pub fn same_second(self, other: Self) -> bool {
        self.second_start() == other.second_start()
    }

    /// This instant moved by `ms` milliseconds, kept in range.
    #[must_use]
    pub fn plus_millis(self, ms: i64) -> Self {
        Self::from_millis(self.0.saturating_add(ms))
    }

    /// The same instant as a chrono date and time.
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(value: DateTime<Utc>) -> Self {
        Self::from_millis(value.timestamp_millis())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            &self
                .to_datetime()
                .to_rfc3339_opts(SecondsFormat::Millis, true),
        )
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Instant {
    type Err = InstantError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let refused = || InstantError(s.chars().take(64).collect());
        let at = DateTime::parse_from_rfc3339(s).map_err(|_| refused())?;
        let ms = at.timestamp_millis();
        (0..=LAST_MS)
            .contains(&ms)
            .then_some(Self(ms))
            .ok_or_else(refused)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_float_second_keeps_the_millisecond_that_was_meant() {
        let at = Instant::from_float_parts(1_763_634_210, 648_999_929);
        assert_eq!(at.to_string(), "2025-11-20T10:23:30.649Z");
    }

    #[test]
    fn microseconds_are_cut_not_rounded_into_the_next_second() {
        let at = Instant::from_float_parts(1_763_634_210, 999_600_000);
        assert_eq!(at.to_string(), "2025-11-20T10:23:30.999Z");
    }

    #[test]
    fn a_deletion_stands_after_the_writes_of_its_second() {
        let write: Instant = "2026-11-20T10:23:30.998Z".parse().unwrap();
        assert!(write.second_end() > write);
        assert_eq!(write.second_end().to_string(), "2026-11-20T10:23:30.999Z");
    }

    proptest! {
        #[test]
        fn text_sorts_as_time(a in 0..=LAST_MS, b in 0..=LAST_MS) {
            let (a, b) = (Instant::from_millis(a), Instant::from_millis(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn text_reads_back(a in 0..=LAST_MS) {
            let a = Instant::from_millis(a);
            prop_assert_eq!(a.to_string().parse::<Instant>().unwrap(), a);
        }

        #[test]
        fn any_text_is_read_or_refused(s in "\\PC{0,80}") {
            let _ = s.parse::<Instant>();
        }
    }
}
