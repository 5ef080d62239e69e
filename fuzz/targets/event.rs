//! Bodies of messages: whoever may send to the queue decides what is in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ssmbak_core::domain::Events;

fuzz_target!(|body: &str| {
    if let Ok(events) = Events::parse(body) {
        assert!(events.iter().count() <= 10);
        for event in events.iter() {
            assert!((1..=64).contains(&event.origin.id.len()));
        }
    }
});
