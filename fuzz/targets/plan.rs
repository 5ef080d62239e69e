//! Saved plans.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ssmbak_core::domain::saved_plan::SavedPlan;

fuzz_target!(|text: &[u8]| {
    if let Ok(plan) = SavedPlan::from_text(text) {
        let again = plan.to_text().unwrap();
        assert_eq!(SavedPlan::from_text(again.as_bytes()), Ok(plan));
    }
});
