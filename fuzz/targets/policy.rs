//! Texts of parameter policies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ssmbak_core::domain::{Instant, policy};

fuzz_target!(|text: &str| {
    let all = [text.to_owned()];
    assert!(policy::same_policies(&all, &all));
    let kept = policy::restorable(&all, Instant::LATEST);
    assert_eq!(kept.is_empty(), policy::has_expired(text, Instant::LATEST));
});
