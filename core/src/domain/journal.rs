//! Objects of the journal, read back: what one holds must belong at its key.
//!
//! A capture reads single objects whose key it made itself; who reads all of
//! them cannot take the key on trust: the index is made from the body.

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

/// The change of coverage in the fact at `key`. The end of the key is made up,
/// and is all that the body does not tell.
pub fn coverage_at(key: &str, body: &[u8]) -> Result<CoverageFact, StoredError> {
    let fact: CoverageFact = from_fact(body)?;
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
    use crate::domain::record::{Change, Source, sha256_hex};
    use crate::domain::stored::to_journal;
    use crate::domain::{Instant, Name};

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
