//! The TIME argument. It lives in the command line, which is no library: its
//! file is read in by path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ssmbak_core::domain::Instant;

#[path = "../../restore/src/time.rs"]
mod time;

fuzz_target!(|text: &str| {
    let now = Instant::from_millis(1_795_170_210_649);
    match time::parse(text, now) {
        Ok(moment) => assert!(moment.first <= moment.last && moment.first <= now),
        Err(error) => assert!(!error.to_string().is_empty() && !error.hint().is_empty()),
    }
});
