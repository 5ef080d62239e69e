//! Keys of the journal and of the index. The layouts are fixed: see
//! `docs/stored-forms.md`.

use super::instant::Instant;
use super::name::{Name, Path};
use super::record::{Record, sha256_hex};

/// Partition of the heads.
pub const NAMES: &str = "@names";
/// Partition of coverage, format and runs.
pub const META: &str = "@meta";
/// Where records stand in the bucket.
pub const JOURNAL_PREFIX: &str = "_ssmbak/journal/";
/// Where facts stand in the bucket.
pub const FACTS_PREFIX: &str = "_ssmbak/facts/";

/// Where work that is under way stands in the bucket: neither record nor fact, nobody needs it to
/// answer a question.
pub const WORK_PREFIX: &str = "_ssmbak/work/";

/// The object of a record in the journal.
pub fn journal_key(record: &Record) -> String {
    format!(
        "{JOURNAL_PREFIX}{}-{}-{}.json",
        dated(record.at),
        sha256_hex(record.name.as_str()),
        record.suffix()
    )
}

/// What the journal's objects of all names in a second begin with.
pub fn journal_second(second: Instant) -> String {
    let dated = dated(second);
    // Up to the point before the milliseconds.
    let (start, _) = dated.split_once('.').unwrap_or((&dated, ""));
    format!("{JOURNAL_PREFIX}{start}.")
}

/// Whether a key of the journal is of `name`.
pub fn is_journal_of(key: &str, name: &Name) -> bool {
    key.contains(&format!("Z-{}-", sha256_hex(name.as_str())))
}

/// The object of what a reconciliation of a path left to be done.
pub fn unfinished_key(path: &Path) -> String {
    format!("{WORK_PREFIX}reconcile-{}.json", sha256_hex(path.as_str()))
}

/// The object of a change of coverage.
pub fn coverage_fact_key(path: &Path, finished: Instant, id: &str) -> String {
    let hash = sha256_hex(path.as_str());
    format!(
        "{FACTS_PREFIX}coverage/{}-{hash}-{id}.json",
        dated(finished)
    )
}

/// The object of a run in one of its phases.
pub fn run_fact_key(started: Instant, id: &str, phase: &str) -> String {
    format!("{FACTS_PREFIX}runs/{}-{id}-{phase}.json", dated(started))
}

/// Sort key of a record among the rows of its name. Labels and tags stand
/// outside the range that a point query reads.
pub fn own_entry(record: &Record) -> String {
    if record.decides_state() {
        record.entry()
    } else {
        format!("+{}", record.entry())
    }
}

/// Sort key of a record's slim copy among the rows of a path above its name.
pub fn path_entry(record: &Record) -> String {
    format!("{}#{}#{}", record.at, record.name, record.suffix())
}

/// Sort key of a path's coverage.
pub fn coverage_entry(path: &Path) -> String {
    format!("coverage#{path}")
}

/// Sort key of a run.
pub fn run_entry(started: Instant, id: &str) -> String {
    format!("run#{started}#{id}")
}

/// Sort key of one name of a run.
pub fn run_name_entry(started: Instant, id: &str, name: &Name) -> String {
    format!("run#{started}#{id}#{name}")
}

/// The first sort key that lies after every record at or before `at`.
///
/// Entries go on with `#` after the instant, so the instant of the next
/// millisecond is above them all.
pub fn just_after(at: Instant) -> String {
    at.plus_millis(1).to_string()
}

/// `YYYY/MM/DD/HHMMSS.mmmZ`.
fn dated(at: Instant) -> String {
    at.to_datetime().format("%Y/%m/%d/%H%M%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::{Change, Source};

    fn deletion() -> Record {
        Record {
            name: Name::parse("/app/db").unwrap(),
            at: "2026-11-20T10:23:30.999Z".parse().unwrap(),
            change: Change::Deleted {
                not_before: None,
                parameter_type: None,
            },
            source: Source::Event,
            event: None,
            recorded_at: "2026-11-20T10:24:00.000Z".parse().unwrap(),
        }
    }

    #[test]
    fn keys_have_their_documented_form() {
        let record = deletion();
        assert_eq!(
            journal_key(&record),
            format!(
                "_ssmbak/journal/2026/11/20/102330.999Z-{}-x.json",
                sha256_hex("/app/db")
            )
        );
        assert!(journal_key(&record).starts_with(&journal_second(record.at.second_start())));
        assert!(is_journal_of(&journal_key(&record), &record.name));
        assert!(!is_journal_of(
            &journal_key(&record),
            &Name::parse("/app").unwrap()
        ));
        assert_eq!(own_entry(&record), "2026-11-20T10:23:30.999Z#x");
        assert_eq!(path_entry(&record), "2026-11-20T10:23:30.999Z#/app/db#x");
        let moved = Record {
            change: Change::Labelled {
                label: "prod".into(),
                from: None,
                to: 2,
            },
            ..record
        };
        assert!(own_entry(&moved).starts_with("+2026-11-20T10:23:30.999Z#l-"));
    }

    #[test]
    fn a_range_up_to_an_instant_holds_all_its_entries() {
        let record = deletion();
        assert!(own_entry(&record) < just_after(record.at));
        assert!(path_entry(&record) < just_after(record.at));
        assert!(own_entry(&record) >= record.at.to_string());
    }
}
