//! The real function and the real command line while their calls go wrong, at each call in turn:
//! nothing is lost, doubled or misdated, and what is told of each parameter is true.

mod commands;
mod function;

use std::sync::atomic::{AtomicU64, Ordering};

use std::time::Instant;

use ssmbak_tests::disturbed::capture::Went;
use ssmbak_tests::disturbed::{Place, soak};
use ssmbak_tests::emulator::Ministack;

/// What repeats a round of the long run that failed, or one more.
#[tokio::test]
async fn rounds_at_random_hold() {
    let endpoint = Ministack::shared().endpoint();
    let mut went = Went::default();
    for seed in [1, 2] {
        let over = Instant::now();
        let rounds = soak(&endpoint, seed, over, &mut went).await;
        assert_eq!(rounds.map_err(|failed| failed.to_string()), Ok(1));
    }
    println!("{went:?}");
    assert!(went.right > 0);
}

/// A place of one's own on the shared emulator.
async fn place() -> Place {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let endpoint = Ministack::shared().endpoint();
    let place = Place::make(&endpoint, &format!("6{number:011}")).await;
    place.unwrap()
}
