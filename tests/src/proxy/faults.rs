//! What can go wrong with a call to AWS, one at a time and at random.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// How long a call that is only delayed waits.
pub(super) const DELAY: Duration = Duration::from_millis(300);
/// How long nothing is answered before the connection is closed, unless [`Faults::silent_for`] says otherwise.
const SILENCE: Duration = Duration::from_secs(1);

/// A way in which a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// It is answered rightly, and late.
    Delayed,
    /// It is refused for good (HTTP 400): nothing was done, and no SDK tries again.
    Refused,
    /// HTTP 500; nothing was done.
    Broken,
    /// HTTP 500 although the work was done.
    BrokenAfterWork,
    /// HTTP 503; nothing was done.
    Unavailable,
    /// HTTP 503 although the work was done.
    UnavailableAfterWork,
    /// There were too many calls, as each service tells it.
    Throttled,
    /// The connection is closed at once; nothing was done.
    HungUp,
    /// The connection is closed once the work was done.
    HungUpAfterWork,
    /// Nothing is answered until the connection is closed; nothing was done.
    Silent,
    /// Nothing is answered until the connection is closed, and the work was done.
    SilentAfterWork,
    /// The work was done; the connection breaks in the middle of the answer's body.
    CutBody,
    /// The work was done; the answer is complete HTTP, and its document ends in the middle.
    CutDocument,
    /// A read of Parameter Store that shows what was before, or nothing.
    Stale,
    /// A page with nothing on it, and the way to the next.
    EmptyPage,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delayed => "late",
            Self::Refused => "refused",
            Self::Broken => "500",
            Self::BrokenAfterWork => "500 after the work",
            Self::Unavailable => "503",
            Self::UnavailableAfterWork => "503 after the work",
            Self::Throttled => "throttled",
            Self::HungUp => "hung up",
            Self::HungUpAfterWork => "hung up after the work",
            Self::Silent => "no answer",
            Self::SilentAfterWork => "no answer after the work",
            Self::CutBody => "cut body",
            Self::CutDocument => "cut document",
            Self::Stale => "stale read",
            Self::EmptyPage => "empty page",
        })
    }
}

impl Fault {
    /// All there are.
    pub const ALL: [Self; 15] = [
        Self::Delayed,
        Self::Refused,
        Self::Broken,
        Self::BrokenAfterWork,
        Self::Unavailable,
        Self::UnavailableAfterWork,
        Self::Throttled,
        Self::HungUp,
        Self::HungUpAfterWork,
        Self::Silent,
        Self::SilentAfterWork,
        Self::CutBody,
        Self::CutDocument,
        Self::Stale,
        Self::EmptyPage,
    ];

    /// Whether it can befall a call of `operation`.
    pub fn concerns(self, operation: &str) -> bool {
        match self {
            Self::Stale => STALE_READS.contains(&operation),
            Self::EmptyPage => PAGES.contains(&operation),
            // An object's body is no document, and a look at its head has none.
            Self::CutDocument => !BODILESS.contains(&operation),
            Self::Delayed
            | Self::Refused
            | Self::Broken
            | Self::BrokenAfterWork
            | Self::Unavailable
            | Self::UnavailableAfterWork
            | Self::Throttled
            | Self::HungUp
            | Self::HungUpAfterWork
            | Self::Silent
            | Self::SilentAfterWork
            | Self::CutBody => true,
        }
    }
}

/// The reads of Parameter Store that are known to be eventually consistent.
const STALE_READS: [&str; 3] = [
    "ssm:GetParameter",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
];
/// The operations that answer in pages, of which one may be empty.
const PAGES: [&str; 7] = [
    "dynamodb:Query",
    "dynamodb:Scan",
    "s3:ListObjectVersions",
    "s3:ListObjectsV2",
    "ssm:DescribeParameters",
    "ssm:GetParameterHistory",
    "ssm:GetParametersByPath",
];
const BODILESS: [&str; 5] = [
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:HeadBucket",
    "s3:HeadObject",
    "s3:PutObject",
];

/// Which calls go wrong, and how: from a plan or from a seed, the same again each time.
#[derive(Debug, Clone)]
pub struct Faults {
    plan: Plan,
    silence: Duration,
    calls: usize,
    /// How often each operation was called.
    seen: HashMap<String, u64>,
}

#[derive(Debug, Clone)]
enum Plan {
    One {
        fault: Fault,
        /// Of this operation alone; none where each call counts.
        of: Option<String>,
        nth: usize,
        lasts: bool,
        /// The operation that it struck.
        struck: Option<String>,
    },
    Random {
        seed: u64,
        per_mille: u64,
        kinds: Vec<Fault>,
    },
}

impl Faults {
    /// `fault` befalls the `nth` call from now, the next one being the first; none where it cannot
    /// befall a call of that operation.
    pub fn at(fault: Fault, nth: usize) -> Self {
        Self::new(Plan::One {
            fault,
            of: None,
            nth,
            lasts: false,
            struck: None,
        })
    }

    /// `fault` befalls the `nth` call of `operation` from now, whatever else is called meanwhile.
    pub fn at_call_of(fault: Fault, operation: &str, nth: usize) -> Self {
        Self::new(Plan::One {
            fault,
            of: Some(operation.to_owned()),
            nth,
            lasts: false,
            struck: None,
        })
    }

    /// Of each thousand calls `per_mille` go wrong, each in a way that can befall it.
    ///
    /// Whether, and how, follows from the seed, the operation, and how often it was called before:
    /// the order in which calls of different operations arrive changes nothing.
    pub fn random(seed: u64, per_mille: u64) -> Self {
        Self::new(Plan::Random {
            seed,
            per_mille,
            kinds: Fault::ALL.to_vec(),
        })
    }

    /// Of one that is planned: every later call of the same operation goes wrong in the same way, so
    /// that trying again does not help.
    #[must_use]
    pub fn lasting(mut self) -> Self {
        if let Plan::One { lasts, .. } = &mut self.plan {
            *lasts = true;
        }
        self
    }

    /// Of those at random: without `kind`.
    #[must_use]
    pub fn without(mut self, kind: Fault) -> Self {
        if let Plan::Random { kinds, .. } = &mut self.plan {
            kinds.retain(|one| *one != kind);
        }
        self
    }

    /// How long a silent call waits before its connection is closed: one second unless said. What is
    /// longer than the client's own patience is a true time-out.
    #[must_use]
    pub fn silent_for(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    fn new(plan: Plan) -> Self {
        Self {
            plan,
            silence: SILENCE,
            calls: 0,
            seen: HashMap::new(),
        }
    }

    pub(super) fn silence(&self) -> Duration {
        self.silence
    }

    /// What befalls the next call, which is of `operation`.
    pub(super) fn next(&mut self, operation: &str) -> Option<Fault> {
        self.calls += 1;
        let seen = self.seen.entry(operation.to_owned()).or_default();
        *seen += 1;
        match &mut self.plan {
            Plan::One {
                fault,
                of,
                nth,
                lasts,
                struck,
            } => {
                let is_it = match of {
                    None => self.calls == *nth,
                    Some(of) => of == operation && usize::try_from(*seen) == Ok(*nth),
                };
                if is_it && fault.concerns(operation) {
                    *struck = Some(operation.to_owned());
                    return Some(*fault);
                }
                let again = *lasts && struck.as_deref() == Some(operation);
                again.then_some(*fault)
            }
            Plan::Random {
                seed,
                per_mille,
                kinds,
            } => {
                let drawn = draw(*seed ^ mixed(operation), *seen);
                if drawn % 1_000 >= *per_mille {
                    return None;
                }
                let possible: Vec<Fault> = kinds
                    .iter()
                    .copied()
                    .filter(|kind| kind.concerns(operation))
                    .collect();
                let number = usize::try_from(draw(drawn, 1)).unwrap_or_default();
                possible.get(number.checked_rem(possible.len())?).copied()
            }
        }
    }
}

/// The `nth` number that follows from a seed (`SplitMix64`).
pub fn draw(seed: u64, nth: u64) -> u64 {
    let mut mixed = seed.wrapping_add(nth.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) >> 1
}

/// A number of one's own for each text (FNV-1a).
fn mixed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |mixed, byte| {
        (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
