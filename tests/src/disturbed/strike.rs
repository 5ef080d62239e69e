//! What befalls one run of a program.

use crate::proxy::{Disturbance, Fault, Faults, Proxy, When};

/// What befalls one run of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// Nothing.
    Nothing,
    /// A fault at the call of that number, once: the SDKs try most again.
    Once(Fault, usize),
    /// A fault at the call of that number and each later one of that operation.
    Lasting(Fault, usize),
    /// The process dies after the call of that number has done its work.
    Death(usize),
    /// Faults at random, of a thousand calls so many.
    Random(u64, u64),
}

impl Strike {
    /// Tells a proxy, for the calls from now on.
    pub(super) fn arm(self, proxy: &Proxy) {
        match self {
            Self::Nothing => proxy.calm(),
            Self::Once(fault, nth) => proxy.inject(Faults::at(fault, nth)),
            Self::Lasting(fault, nth) => proxy.inject(Faults::at(fault, nth).lasting()),
            Self::Death(nth) => {
                proxy.disturb(Disturbance::kill().at(nth).when(When::AfterWork));
            }
            Self::Random(seed, per_mille) => proxy.inject(Faults::random(seed, per_mille)),
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
            strikes.push(Strike::Once(kind, index + 1));
        }
    }
    strikes
}
