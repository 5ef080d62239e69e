//! The promise against AWS in memory: generated histories, with all that can go wrong on the way,
//! played from a seed in virtual time.

use ssmbak_tests::histories::Tally;
use ssmbak_tests::simulated::run::simulate;

/// Histories of each of the tests below that play any.
const HISTORIES: u64 = 200;

fn played(seeds: std::ops::Range<u64>) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        if let Err(failure) = simulate(seed, &mut tally) {
            panic!("{failure}");
        }
    }
    println!("{tally:#?}");
    tally
}

#[test]
fn explore() {
    let get = |n: &str, d: u64| {
        std::env::var(n)
            .ok()
            .and_then(|v| v.parse().ok())
            .unwrap_or(d)
    };
    let (from, to) = (get("FROM", 0), get("TO", 100));
    let mut tally = Tally::default();
    let began = std::time::Instant::now();
    let mut bad = 0;
    for seed in from..to {
        if let Err(failure) = simulate(seed, &mut tally) {
            bad += 1;
            let text = failure.to_string();
            let short: String = text
                .chars()
                .take(if to - from == 1 { 60_000 } else { 500 })
                .collect();
            println!(
                "{:?} {short}\n-----",
                ssmbak_tests::simulated::run::Trial::of(seed)
            );
        }
    }
    println!("{bad} bad; {tally:#?} {:?}", began.elapsed());
}
