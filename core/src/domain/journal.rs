//! Objects of the journal, read back: what one holds must belong at its key.
//!
//! A capture reads single objects whose key it made itself; who reads all of
//! them cannot take the key on trust: the index is made from the body.

use super::coverage::facts::key_after;
use super::keys;
use super::record::Record;
use super::run::Run;
use super::stored::{CoverageFact, StoredError, from_fact, from_journal};

/// A record longer than this was not written by a capture: the index could not
/// hold it.
pub const RECORD_BYTES_MAX: u64 = 1 << 20;
/// A fact longer than this was not written by this program: it would be a
/// restore of more parameters than an account can have.
pub const FACT_BYTES_MAX: u64 = 64 << 20;

/// The record in the journal's object at `key`.
pub fn record_at(key: &str, body: &[u8]) -> Result<Record, StoredError> {
    let record = from_journal(body)?;
    let own = keys::journal_key(&record);
    if own == key {
        Ok(record)
    } else {
        Err(StoredError::Misplaced(own))
    }
}

/// The change of coverage in the fact at `key`: where the intervals that it follows say, or,
/// where it follows none or an older program wrote it, at a key whose end is made up.
pub fn coverage_at(key: &str, body: &[u8]) -> Result<CoverageFact, StoredError> {
    let fact: CoverageFact = from_fact(body)?;
    if key_after(&fact.path, &fact.before).is_some_and(|own| own == key) {
        return Ok(fact);
    }
    let own = keys::coverage_fact_key(&fact.path, fact.finished, "");
    let start = own.trim_end_matches(".json");
    if key.starts_with(start) {
        Ok(fact)
    } else {
        Err(StoredError::Misplaced(format!("{start}...")))
    }
}

/// The run in the fact at `key`.
pub fn run_at(key: &str, body: &[u8]) -> Result<Run, StoredError> {
    let run: Run = from_fact(body)?;
    let own = keys::run_fact_key(run.started, &run.id, run.phase.as_str());
    if own == key {
        Ok(run)
    } else {
        Err(StoredError::Misplaced(own))
    }
}

/// What the facts of one run have in common before the phase; none for a key
/// that is no run's.
pub fn run_of_key(key: &str) -> Option<&str> {
    let stem = key.strip_suffix(".json")?;
    let phases = ["-finished", "-planned"];
    phases
        .into_iter()
        .find_map(|phase| stem.strip_suffix(phase))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::coverage::Interval;
    use crate::domain::record::{Change, Source, sha256_hex};
    use crate::domain::stored::{FIRST_FORMAT, to_fact, to_journal};
    use crate::domain::{Instant, Name, Path};

    fn moved() -> Record {
        Record {
            name: Name::parse("/app/db").unwrap(),
            at: Instant::from_millis(1_700_000_000_999),
            change: Change::Labelled {
                label: "prod".into(),
                from: None,
                to: 2,
            },
            source: Source::Event,
            event: None,
            recorded_at: Instant::from_millis(1_700_000_005_000),
        }
    }

    #[test]
    fn a_record_is_read_at_its_own_key_only() {
        let record = moved();
        let (key, body) = (keys::journal_key(&record), to_journal(&record).unwrap());
        assert_eq!(record_at(&key, &body), Ok(record));
        let hash = sha256_hex("/app/db");
        for (part, other) in [
            (hash.as_str(), sha256_hex("/app/db2")),
            ("-l-", "-x-".into()),
            (".999Z", ".998Z".into()),
            ("/2023/", "/2024/".into()),
        ] {
            let elsewhere = key.replace(part, &other);
            assert_ne!(elsewhere, key, "{part}");
            let refused = record_at(&elsewhere, &body).unwrap_err();
            assert_eq!(refused, StoredError::Misplaced(key.clone()), "{elsewhere}");
        }
    }

    #[test]
    fn a_change_of_coverage_is_read_where_what_it_follows_says_or_where_it_was_made() {
        let (first, second) = (Instant::from_millis(10_000), Instant::from_millis(20_000));
        let open = |confirmed| Interval {
            from: first,
            to: None,
            confirmed,
        };
        let mut fact = CoverageFact {
            format: FIRST_FORMAT,
            path: Path::parse("/app/").unwrap(),
            finished: Instant::from_millis(25_000),
            before: vec![open(first)],
            intervals: vec![open(second)],
        };
        let body = to_fact(&fact).unwrap();
        let own = key_after(&fact.path, &fact.before).unwrap();
        assert!(own.contains("/1970/01/01/000010.000Z-"), "{own}");
        let made_up = keys::coverage_fact_key(&fact.path, fact.finished, "made-up");
        for key in [&own, &made_up] {
            assert_eq!(coverage_at(key, &body).as_ref(), Ok(&fact), "{key}");
        }
        for (path, before) in [("/app2/", &fact.before), ("/app/", &fact.intervals)] {
            let other = key_after(&Path::parse(path).unwrap(), before).unwrap();
            assert!(coverage_at(&other, &body).is_err(), "{other}");
        }
        fact.before.clear();
        assert_eq!(key_after(&fact.path, &fact.before), None);
    }

    #[test]
    fn a_newer_format_is_told_as_such_whatever_else_it_holds() {
        let newer = br#"{"format":3,"subject":"/app/db"}"#;
        let refused = StoredError::NewerFormat(3);
        assert_eq!(record_at("k", newer), Err(refused.clone()));
        assert_eq!(coverage_at("k", newer), Err(refused.clone()));
        assert_eq!(run_at("k", newer), Err(refused));
        let none = record_at("k", b"not JSON").unwrap_err();
        assert!(matches!(none, StoredError::Shape(_)), "{none}");
    }

    #[test]
    fn both_phases_of_a_run_are_of_one_run() {
        let key = |phase| keys::run_fact_key(Instant::from_millis(0), "id", phase);
        assert_eq!(run_of_key(&key("planned")), run_of_key(&key("finished")));
        assert!(
            key("finished") < key("planned"),
            "the finished one is listed first"
        );
        assert_eq!(run_of_key("_ssmbak/facts/runs/notes.txt"), None);
    }
}
