//! The real function and the real command line while their calls go wrong, at each call in turn:
//! nothing is lost, doubled or misdated, and what is told of each parameter is true.

mod function;

use std::sync::atomic::{AtomicU64, Ordering};

use ssmbak_tests::disturbed::Place;
use ssmbak_tests::emulator::Ministack;

/// A place of one's own on the shared emulator.
async fn place() -> Place {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let endpoint = Ministack::shared().endpoint();
    let place = Place::make(&endpoint, &format!("6{number:011}")).await;
    place.unwrap()
}
