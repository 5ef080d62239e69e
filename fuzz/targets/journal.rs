//! Objects of the journal: records, changes of coverage, runs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ssmbak_core::domain::journal::{coverage_at, record_at, run_at};
use ssmbak_core::domain::keys::journal_key;
use ssmbak_core::domain::stored::{from_journal, to_journal};

fuzz_target!(|body: &[u8]| {
    let _ = (coverage_at("k", body), run_at("k", body));
    if let Ok(record) = from_journal(body) {
        let (key, again) = (journal_key(&record), to_journal(&record).unwrap());
        let tagged = record.suffix().starts_with("t-");
        assert!(tagged || record_at(&key, &again) == Ok(record));
    }
});
