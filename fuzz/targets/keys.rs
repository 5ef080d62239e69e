//! Keys of journal and index, read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ssmbak_core::domain::keys::{
    journal_instant, own_entry_of, parse_own_entry, parse_path_entry, run_id_of_entry, run_of_entry,
};

fuzz_target!(|key: &str| {
    if let Some((at, suffix)) = parse_own_entry(key) {
        let again = own_entry_of(at, suffix);
        assert_eq!(parse_own_entry(&again), Some((at, suffix)));
    }
    let _ = (parse_path_entry(key), run_of_entry(key), run_id_of_entry(key));
    let _ = journal_instant(key);
});
