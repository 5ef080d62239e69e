//! The promise, end to end: generated histories on the emulator's clock, their
//! events late, repeated, reordered, lost and in batches, through two of the
//! real functions; then the real command line, asked about every boundary and
//! what lies around it, and compared with the model.
//!
//! A long run of the same: `cargo sandbox soak --only emulator`.

use ssmbak_core::domain::Instant;
use ssmbak_tests::emulated::{FEW_WISHES, Place, check, play};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::histories::generate::tree_of;
use ssmbak_tests::histories::{Model, Tally};

use super::world::World;

/// Of each of two emulators.
const HISTORIES: u64 = 10;

/// The seed of the first history: told, and can be given.
fn seed() -> u64 {
    let seed = std::env::var("SSMBAK_TEST_SEED").map_or(20_261_120, |s| s.parse().unwrap());
    println!("SSMBAK_TEST_SEED={seed}");
    seed
}

/// A generated history, all of it captured.
pub(crate) struct Generated {
    model: Model,
    pub(crate) world: World,
    _ministack: Ministack,
}

impl Generated {
    /// The instants at which something changed.
    pub(crate) fn changes(&self) -> Vec<Instant> {
        self.model
            .changes()
            .iter()
            .map(|change| change.at)
            .collect()
    }
}

/// Plays one history on an emulator of its own and has it captured.
pub(crate) async fn generate(wishes: usize) -> Generated {
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let place = Place::over(&ministack, &world.account, world.location.clone());
    let place = place.await.unwrap();
    let history = tree_of(seed(), wishes).current();
    let (model, _) = play(&place, &history, &mut Tally::default()).await.unwrap();
    Generated {
        model,
        world,
        _ministack: ministack,
    }
}

/// Histories one after the other: the clock is the emulator's.
async fn judged(from: u64) -> Tally {
    let ministack = Ministack::start().unwrap();
    let mut tally = Tally::default();
    for seed in from..from + HISTORIES {
        let judged = check(&ministack, seed, FEW_WISHES, &mut tally).await;
        judged.unwrap_or_else(|failure| panic!("SSMBAK_TEST_SEED={}: {failure}", failure.seed));
    }
    tally
}

#[tokio::test]
async fn every_boundary_of_generated_histories_is_answered_right() {
    let seed = seed();
    let (mut tally, other) = tokio::join!(judged(seed), judged(seed + HISTORIES));
    tally.add(&other);
    println!("{tally:#?}");
    assert_eq!(tally.histories, 2 * HISTORIES);
    assert_eq!(tally.right, tally.asked);
    assert!(tally.lost_events > 0 && tally.faults.contains_key("stale read"));
    assert!(tally.asked > 1_000, "too few questions to speak of a test");
}
