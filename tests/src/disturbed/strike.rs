//! What befalls one run of a program.

use std::time::Duration;

use crate::proxy::{Disturbance, Fault, Faults, Proxy, When};

/// Longer than the clients wait for one attempt.
const TIME_OUT: Duration = Duration::from_secs(35);

/// What befalls one run of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strike {
    /// Nothing.
    Nothing,
    /// A fault at the call of that number, once: the SDKs try most again.
    Once(Fault, usize),
    /// The same at the call of that number of one operation: calls that do not wait for one another
    /// come in another order each time, and are as many of each.
    OnceOf(Fault, String, usize),
    /// And at each later call of that operation.
    LastingOf(Fault, String, usize),
    /// A fault at the call of that number and each later one of that operation.
    Lasting(Fault, usize),
    /// The process dies after the call of that number has done its work.
    Death(usize),
    /// The call of that number does its work, and is not answered for longer than any client waits.
    TimeOut(usize),
    /// Faults at random.
    Random {
        /// What they follow from.
        seed: u64,
        /// Of a thousand calls so many.
        per_mille: u64,
        /// Whether reads may be stale.
        stale: bool,
    },
}

impl Strike {
    /// Tells a proxy, for the calls from now on.
    pub(super) fn arm(&self, proxy: &Proxy) {
        match *self {
            Self::Nothing => proxy.calm(),
            Self::Once(fault, nth) => proxy.inject(Faults::at(fault, nth)),
            Self::OnceOf(fault, ref operation, nth) => {
                proxy.inject(Faults::at_call_of(fault, operation, nth));
            }
            Self::LastingOf(fault, ref operation, nth) => {
                proxy.inject(Faults::at_call_of(fault, operation, nth).lasting());
            }
            Self::Lasting(fault, nth) => proxy.inject(Faults::at(fault, nth).lasting()),
            Self::Death(nth) => {
                proxy.disturb(Disturbance::kill().at(nth).when(When::AfterWork));
            }
            Self::TimeOut(nth) => {
                let silent = Faults::at(Fault::SilentAfterWork, nth);
                proxy.inject(silent.silent_for(TIME_OUT));
            }
            Self::Random {
                seed,
                per_mille,
                stale,
            } => {
                let faults = Faults::random(seed, per_mille);
                proxy.inject(if stale {
                    faults
                } else {
                    faults.without(Fault::Stale)
                });
            }
        }
    }
}

/// Strikes for each of these calls in turn: so many kinds of fault for each, other ones from call to
/// call, so that all are seen.
pub fn at_each_call(operations: &[String], kinds_a_call: usize) -> Vec<Strike> {
    let mut strikes = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        let kinds = Fault::ALL.into_iter();
        let possible: Vec<Fault> = kinds.filter(|kind| kind.concerns(operation)).collect();
        let kinds = kinds_a_call.min(possible.len());
        for number in 0..kinds {
            let kind = possible[(index * kinds + number) % possible.len()];
            strikes.push(Strike::OnceOf(
                kind,
                operation.clone(),
                nth_of(operations, index),
            ));
        }
    }
    strikes
}

/// One kind of fault at each of these calls that it can befall.
pub fn of_kind(fault: Fault, operations: &[String]) -> Vec<Strike> {
    let calls = operations.iter().enumerate();
    let concerned = calls.filter(|(_, operation)| fault.concerns(operation));
    concerned
        .map(|(index, of)| Strike::OnceOf(fault, of.clone(), nth_of(operations, index)))
        .collect()
}

/// The how many-eth of its operation a call is.
fn nth_of(operations: &[String], index: usize) -> usize {
    let until = operations.iter().take(index + 1);
    until.filter(|one| **one == operations[index]).count()
}
