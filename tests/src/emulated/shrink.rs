//! From a failure to a simple one.

use proptest::strategy::ValueTree as _;

use super::judge;
use crate::emulator::Ministack;
use crate::histories::generate::tree_of;
use crate::histories::{Failure, Tally};

/// Simpler histories tried after a failure.
const TRIES: usize = 24;

/// Judges the history of a seed of up to `wishes` wishes. A failure is told with
/// the simplest history found that fails too.
pub async fn check(
    ministack: &Ministack,
    seed: u64,
    wishes: usize,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let mut tree = tree_of(seed, wishes);
    let Err(first) = judge(ministack, &tree.current(), tally).await else {
        return Ok(());
    };
    let (mut simplest, mut why) = (tree.current(), first.to_string());
    let mut left = TRIES;
    while left > 0 && tree.simplify() {
        loop {
            left = left.saturating_sub(1);
            let candidate = tree.current();
            match judge(ministack, &candidate, &mut Tally::default()).await {
                Err(error) => {
                    (simplest, why) = (candidate, error.to_string());
                    break;
                }
                Ok(()) if left > 0 && tree.complicate() => {}
                Ok(()) => return Err(told(seed, &first.to_string(), &why, &simplest)),
            }
        }
    }
    Err(told(seed, &first.to_string(), &why, &simplest))
}

fn told(seed: u64, first: &str, why: &str, simplest: &crate::histories::History) -> Failure {
    Failure::new(
        seed,
        format!("{first}\n\nthe simplest history that fails:\n{simplest:#?}\n\nit fails so: {why}"),
    )
}
