//! The promise against AWS in memory: generated histories, with all that can go
//! wrong on the way, played in virtual time and shrunk where they fail.
//!
//! A failure prints the simplest history that fails. It stays, as a test of its
//! own with a name that says what was wrong.

use std::cell::RefCell;

use proptest::prelude::any;
use proptest::strategy::Strategy as _;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use ssmbak_tests::histories::generate::{Wish, Write};
use ssmbak_tests::histories::{Description, Fate, History, Kind, Tally, Tier, histories};
use ssmbak_tests::simulated::faults::Crash;
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
        max_shrink_iters: 150,
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
fn late_repeated_reordered_and_lost_events_lead_to_the_right_answers() {
    let tally = played(1, Trial::in_peace);
    assert!(
        tally.lost_events > 0 && tally.asked == tally.right,
        "{tally:?}"
    );
}

#[test]
fn whatever_fails_on_the_way_nothing_is_lost_doubled_or_misdated() {
    let tally = played(2, |seed| Trial {
        faults_one_in: 15,
        ..Trial::in_peace(seed)
    });
    assert_eq!(tally.faults.len(), 10, "a kind never happened: {tally:?}");
}

#[test]
fn wherever_a_function_dies_nothing_is_lost_doubled_or_misdated() {
    let tally = played(3, |seed| Trial {
        crashes_one_in: 2,
        faults_one_in: 50,
        ..Trial::in_peace(seed)
    });
    assert!(tally.crashes > u64::from(HISTORIES / 2), "{tally:?}");
}

#[test]
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

const MINUTE: i64 = 60_000;

fn put(after_ms: i64, name: usize, value: &str) -> Wish {
    let write = Write {
        value: value.to_owned(),
        kind: Kind::String,
        description: Description::Keep,
        tier: Tier::Standard,
    };
    Wish::Put {
        after_ms,
        name,
        write,
    }
}

fn delete(after_ms: i64, name: usize) -> Wish {
    Wish::Delete { after_ms, name }
}

fn reconcile(after_ms: i64) -> Wish {
    Wish::Reconcile { after_ms }
}

/// A history of two names that begins with a seeding, of which no event ever arrives.
fn untold(wishes: Vec<Wish>) -> History {
    History {
        names: vec!["/m/a".to_owned(), "rooted".to_owned()],
        wishes,
        begins_after: 0,
        fates: vec![Fate {
            lost: true,
            delays_ms: Vec::new(),
            stale: false,
        }],
        batch_sizes: vec![1],
        at_once: vec![false],
    }
}

/// Plays a history once for each of its calls, each time with a death there, before the work of the
/// call and after it. Returns how many deaths there were.
fn with_a_death_at_each_call(history: &History) -> u64 {
    let mut deaths = 0;
    for after_work in [false, true] {
        for call in 0.. {
            let trial = Trial {
                crash_at: Some(Crash { call, after_work }),
                rebuild: call % 8 == 0,
                ..Trial::in_peace(call)
            };
            let mut tally = Tally::default();
            play(history, &trial, &mut tally).unwrap_or_else(|why| panic!("{trial:?}: {why}"));
            if tally.crashes == 0 {
                break;
            }
            deaths += tally.crashes;
        }
    }
    deaths
}

#[test]
fn a_reconciliation_that_dies_before_its_row_leaves_verify_clean_after_the_next_one() {
    let changed = vec![put(1, 0, "one"), reconcile(6 * MINUTE), put(1, 1, "two")];
    let deaths = with_a_death_at_each_call(&untold(changed));
    assert!(deaths > 60, "{deaths}");
}

#[test]
fn a_reconciliation_that_dies_over_a_deletion_does_not_record_it_twice() {
    let gone = vec![put(1, 0, "one"), reconcile(1), delete(6 * MINUTE, 0)];
    let deaths = with_a_death_at_each_call(&untold(gone));
    assert!(deaths > 60, "{deaths}");
}
