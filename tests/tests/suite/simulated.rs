//! The promise against AWS in memory: generated histories, with all that can go
//! wrong on the way, played in virtual time and shrunk where they fail.
//!
//! A failure prints the simplest history that fails. It stays, as a test of its
//! own with a name that says what was wrong.

use std::cell::RefCell;

use proptest::prelude::any;
use proptest::strategy::Strategy as _;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use ssmbak_tests::histories::{Tally, histories};
use ssmbak_tests::simulated::run::{Trial, play};

/// Histories of each test that generates them; there are four.
const HISTORIES: u32 = 500;
/// Most wishes of one.
const WISHES: usize = 6;

/// Plays histories, always the same ones for one `test`.
fn played(test: u8, trial: impl Fn(u64) -> Trial) -> Tally {
    let config = Config {
        cases: HISTORIES,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[test; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let tally = RefCell::new(Tally::default());
    let cases = (histories(WISHES), any::<u64>().no_shrink());
    let result = runner.run(&cases, |(history, seed)| {
        play(&history, &trial(seed), &mut tally.borrow_mut()).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let tally = tally.into_inner();
    println!("{tally:?}");
    tally
}

#[test]
#[ignore = "too slow for every run, and not shown to hold yet: see docs/testing.md"]
fn late_repeated_reordered_and_lost_events_lead_to_the_right_answers() {
    let tally = played(1, Trial::in_peace);
    assert!(
        tally.lost_events > 0 && tally.asked == tally.right,
        "{tally:?}"
    );
}

#[test]
#[ignore = "too slow for every run, and not shown to hold yet: see docs/testing.md"]
fn whatever_fails_on_the_way_nothing_is_lost_doubled_or_misdated() {
    let tally = played(2, |seed| Trial {
        faults_one_in: 15,
        ..Trial::in_peace(seed)
    });
    assert_eq!(tally.faults.len(), 10, "a kind never happened: {tally:?}");
}

#[test]
#[ignore = "too slow for every run, and not shown to hold yet: see docs/testing.md"]
fn wherever_a_function_dies_nothing_is_lost_doubled_or_misdated() {
    let tally = played(3, |seed| Trial {
        crashes_one_in: 2,
        faults_one_in: 50,
        ..Trial::in_peace(seed)
    });
    assert!(tally.crashes > 100, "{tally:?}");
}

#[test]
#[ignore = "too slow for every run, and not shown to hold yet: see docs/testing.md"]
fn a_restore_under_faults_tells_the_truth_and_a_second_one_ends_it() {
    let tally = played(4, |seed| Trial {
        faults_one_in: 20,
        crashes_one_in: 3,
        previews: 0,
        rebuild: false,
        restore: true,
        ..Trial::in_peace(seed)
    });
    assert!(tally.crashes > 0, "{tally:?}");
}
