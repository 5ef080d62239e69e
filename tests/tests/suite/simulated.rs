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

/// Histories of the four tests that generate them: 2,000 in all; the soak plays on without end.
const PEACEFUL: u32 = 800;
const FAULTY: u32 = 550;
const DEADLY: u32 = 350;
const RESTORED: u32 = 300;
/// Most wishes of one.
const WISHES: usize = 6;

/// Plays histories, always the same ones for one `test`.
fn played(test: u8, histories_of: u32, trial: impl Fn(u64) -> Trial) -> Tally {
    let config = Config {
        cases: histories_of,
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
    let tally = played(1, PEACEFUL, Trial::in_peace);
    assert!(
        tally.lost_events > 0 && tally.asked == tally.right,
        "{tally:?}"
    );
}

#[test]
fn whatever_fails_on_the_way_nothing_is_lost_doubled_or_misdated() {
    let tally = played(2, FAULTY, |seed| Trial {
        faults_one_in: 15,
        ..Trial::in_peace(seed)
    });
    assert_eq!(tally.faults.len(), 10, "a kind never happened: {tally:?}");
}

#[test]
fn wherever_a_function_dies_nothing_is_lost_doubled_or_misdated() {
    let tally = played(3, DEADLY, |seed| Trial {
        crashes_one_in: 2,
        faults_one_in: 50,
        ..Trial::in_peace(seed)
    });
    assert!(tally.crashes > u64::from(DEADLY / 2), "{tally:?}");
}

#[test]
fn a_restore_under_faults_tells_the_truth_and_a_second_one_ends_it() {
    let tally = played(4, RESTORED, |seed| Trial {
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

/// A history of two names that begins with a seeding, of which each event arrives, or none does.
fn fixed(wishes: Vec<Wish>, lost: bool) -> History {
    History {
        names: vec!["/m/a".to_owned(), "rooted".to_owned()],
        wishes,
        begins_after: 0,
        fates: vec![Fate {
            lost,
            delays_ms: vec![1_000],
            stale: false,
        }],
        batch_sizes: vec![10],
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
    // The last reconciliation lets coverage go on; without the events it ends it and begins it anew.
    for lost in [false, true] {
        let deaths = with_a_death_at_each_call(&fixed(vec![put(1, 0, "one")], lost));
        assert!(deaths > 40, "{deaths}");
    }
}

#[test]
fn a_reconciliation_that_dies_over_a_deletion_does_not_record_it_twice() {
    let gone = vec![put(1, 0, "one"), reconcile(1), delete(6 * MINUTE, 0)];
    let deaths = with_a_death_at_each_call(&fixed(gone, true));
    assert!(deaths > 60, "{deaths}");
}

#[test]
fn more_versions_than_a_page_holds_are_all_on_record() {
    let burst = |times| {
        let Wish::Put { write, .. } = put(1, 0, "again") else {
            unreachable!("a put is a put")
        };
        Wish::Burst {
            after_ms: 1,
            name: 0,
            write,
            times,
        }
    };
    for (times, lost) in [(60, false), (60, true), (120, false)] {
        let history = fixed(vec![burst(times), delete(MINUTE, 0)], lost);
        let mut tally = Tally::default();
        play(&history, &Trial::in_peace(0), &mut tally).unwrap_or_else(|why| panic!("{why}"));
        assert!(tally.right > 60, "{tally:?}");
    }
}

#[test]
fn an_older_version_that_is_found_later_does_not_show_in_place_of_the_newest() {
    let Wish::Put { write, .. } = put(1, 0, "again") else {
        unreachable!("a put is a put")
    };
    let burst = Wish::Burst {
        after_ms: 1,
        name: 0,
        write,
        times: 110,
    };
    // A second look does not show the newest version yet, and so one more at the other end.
    let mut history = fixed(vec![burst], false);
    history.fates = [(1_000, false), (40_000, true)]
        .map(|(delay, stale)| Fate {
            lost: false,
            delays_ms: vec![delay],
            stale,
        })
        .to_vec();
    let mut tally = Tally::default();
    play(&history, &Trial::in_peace(0), &mut tally).unwrap_or_else(|why| panic!("{why}"));
}
