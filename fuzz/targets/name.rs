//! Names, paths and instants.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ssmbak_core::domain::{Instant, Name, Path, Target};

fuzz_target!(|text: &str| {
    match Name::parse(text) {
        Ok(name) => assert_eq!(Name::parse(name.as_str()), Ok(name)),
        Err(error) => assert!(!error.hint().is_empty()),
    }
    if let Ok(path) = Path::parse(text) {
        assert_eq!(Path::parse(path.as_str()), Ok(path));
    }
    let _ = Target::parse(text, true);
    if let Ok(at) = text.parse::<Instant>() {
        assert_eq!(at.to_string().parse(), Ok(at));
    }
});
