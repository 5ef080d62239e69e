//! Keys of the journal and of the index. The layouts are fixed: see
//! `docs/stored-forms.md`.

use chrono::NaiveDateTime;

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
/// Where changes of coverage stand among the facts.
pub const COVERAGE_FACTS: &str = "_ssmbak/facts/coverage/";
/// Where runs stand among the facts.
pub const RUN_FACTS: &str = "_ssmbak/facts/runs/";

/// Where work that is under way stands in the bucket: neither record nor fact, nobody needs it to
/// answer a question.
pub const WORK_PREFIX: &str = "_ssmbak/work/";

/// The object of a record in the journal.
pub fn journal_key(record: &Record) -> String {
    journal_key_of(&record.name, record.at, &record.suffix())
}

/// As [`journal_key`], from what names a change.
pub fn journal_key_of(name: &Name, at: Instant, suffix: &str) -> String {
    let hash = sha256_hex(name.as_str());
    format!("{JOURNAL_PREFIX}{}-{hash}-{suffix}.json", dated(at))
}

/// The instant that a key of the journal is dated by; none for a key that is
/// no record's.
pub fn journal_instant(key: &str) -> Option<Instant> {
    let dated = key.strip_prefix(JOURNAL_PREFIX)?;
    let (dated, rest) = dated.split_once("Z-")?;
    let told = NaiveDateTime::parse_from_str(dated, "%Y/%m/%d/%H%M%S%.3f").ok()?;
    let (hash, suffix) = rest.strip_suffix(".json")?.split_once('-')?;
    let fits = hash.len() == 64 && !suffix.is_empty();
    fits.then(|| Instant::from(told.and_utc()))
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

/// The object of a change of coverage: that of one that begins is dated by when it was made, that
/// of one that follows by the last confirmation of what it follows.
pub fn coverage_fact_key(path: &Path, at: Instant, id: &str) -> String {
    let hash = sha256_hex(path.as_str());
    format!("{COVERAGE_FACTS}{}-{hash}-{id}.json", dated(at))
}

/// The object of a run in one of its phases.
pub fn run_fact_key(started: Instant, id: &str, phase: &str) -> String {
    format!("{RUN_FACTS}{}-{id}-{phase}.json", dated(started))
}

/// Sort key of a record among the rows of its name. What does not decide the
/// state stands outside the range that a point query reads.
pub fn own_entry(record: &Record) -> String {
    if record.decides_state() {
        record.entry()
    } else {
        format!("+{}", record.entry())
    }
}

/// The instant and suffix of a sort key among the rows of a name.
pub fn parse_own_entry(entry: &str) -> Option<(Instant, &str)> {
    let entry = entry.strip_prefix('+').unwrap_or(entry);
    let (time, suffix) = entry.split_once('#')?;
    Some((time.parse().ok()?, suffix))
}

/// The instant, name and suffix of a sort key among the rows of a path.
pub fn parse_path_entry(entry: &str) -> Option<(Instant, Name, &str)> {
    let (time, rest) = entry.split_once('#')?;
    let (name, suffix) = rest.split_once('#')?;
    Some((time.parse().ok()?, Name::parse(name).ok()?, suffix))
}

/// As [`own_entry`], from what names a change within its name.
pub fn own_entry_of(at: Instant, suffix: &str) -> String {
    let beside = ["l-", "t-", "d-"].iter().any(|s| suffix.starts_with(s));
    format!("{}{at}#{suffix}", if beside { "+" } else { "" })
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

/// The sort key of the run that a row of it, or of one of its names, belongs
/// to; none for a key that is no run's.
pub fn run_of_entry(entry: &str) -> Option<&str> {
    let rest = entry.strip_prefix("run#")?;
    let (time, rest) = rest.split_once('#')?;
    let id = rest.split('#').next().filter(|id| !id.is_empty())?;
    entry.get(.."run#".len() + time.len() + 1 + id.len())
}

/// The id in the sort key of a run.
pub fn run_id_of_entry(entry: &str) -> Option<&str> {
    run_of_entry(entry)?.rsplit('#').next()
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
        assert_eq!(journal_instant(&journal_key(&record)), Some(record.at));
        for none in ["", "_ssmbak/journal/2026/11/20/x.json", "_ssmbak/journal/x"] {
            assert_eq!(journal_instant(none), None, "{none}");
        }
        let (entry, path) = (own_entry(&record), path_entry(&record));
        assert_eq!(parse_own_entry(&entry), Some((record.at, "x")));
        assert_eq!(own_entry_of(record.at, "x"), entry);
        let told = parse_path_entry(&path);
        assert_eq!(told, Some((record.at, record.name.clone(), "x")));
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
    fn every_row_of_a_run_tells_which() {
        let (at, name) = (Instant::from_millis(0), Name::parse("/a/b").unwrap());
        let run = run_entry(at, "id");
        assert_eq!(run_of_entry(&run), Some(&*run));
        assert_eq!(run_id_of_entry(&run), Some("id"));
        assert_eq!(run_of_entry(&run_name_entry(at, "id", &name)), Some(&*run));
        for none in ["", "format", "coverage#/", "run#", "run#t", "run#t#"] {
            assert_eq!(run_of_entry(none), None, "{none}");
        }
    }

    #[test]
    fn a_range_up_to_an_instant_holds_all_its_entries() {
        let record = deletion();
        assert!(own_entry(&record) < just_after(record.at));
        assert!(path_entry(&record) < just_after(record.at));
        assert!(own_entry(&record) >= record.at.to_string());
    }
}
