//! Histories from a seed, and as a strategy that shrinks.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::delivery::Fate;
use super::model::{Description, Kind, Tags, Tier};

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;

/// Most wishes of a history that is made from a seed.
pub const WISHES: usize = 24;

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The value.
    pub value: String,
    /// The type.
    pub kind: Kind,
    /// What is said of the description.
    pub description: Description,
    /// The tier asked for; one that is higher already stays.
    pub tier: Tier,
}

/// One thing that somebody wants to do, `after_ms` after the one before. What
/// Parameter Store would refuse does not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the calls")]
pub enum Wish {
    /// Create or overwrite.
    Put {
        after_ms: i64,
        name: usize,
        write: Write,
    },
    /// Overwrite many times within seconds: more versions than are retained.
    Burst {
        after_ms: i64,
        name: usize,
        write: Write,
        times: usize,
    },
    /// Delete.
    Delete { after_ms: i64, name: usize },
    /// Move a label to the version that is so many before the newest.
    Label {
        after_ms: i64,
        name: usize,
        label: String,
        back: usize,
    },
    /// Set all tags.
    Tag {
        after_ms: i64,
        name: usize,
        tags: Tags,
    },
    /// Reconcile.
    Reconcile { after_ms: i64 },
}

/// Everything about a history that chance decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The names, as callers spell them.
    pub names: Vec<String>,
    /// What is wanted, in order.
    pub wishes: Vec<Wish>,
    /// How many wishes come before coverage begins.
    pub begins_after: usize,
    /// What becomes of events; used again from the start where there are more events.
    pub fates: Vec<Fate>,
    /// Sizes of batches, in the same way.
    pub batch_sizes: Vec<usize>,
    /// Whether a batch goes out together with the next, to two functions.
    pub at_once: Vec<bool>,
}

impl History {
    /// The history of a seed: the same one for ever after, as long as this file is the same.
    pub fn from_seed(seed: u64) -> Self {
        tree(seed).current()
    }

    /// The name that a wish is about.
    pub fn name(&self, number: usize) -> &str {
        &self.names[number % self.names.len()]
    }

    /// What becomes of the event of a change.
    pub fn fate(&self, change: usize) -> &Fate {
        &self.fates[change % self.fates.len()]
    }

    /// Most events in a batch.
    pub fn batch_size(&self, batch: usize) -> usize {
        self.batch_sizes[batch % self.batch_sizes.len()]
    }

    /// Whether a batch goes out together with the next.
    pub fn at_once(&self, step: usize) -> bool {
        self.at_once[step % self.at_once.len()]
    }
}

/// The history of a seed, with the way to simpler ones: `simplify` after a
/// failure, `complicate` after a success.
pub fn tree(seed: u64) -> Box<dyn ValueTree<Value = History>> {
    tree_of(seed, WISHES)
}

/// As [`tree`], of up to `most` wishes: another history.
pub fn tree_of(seed: u64, most: usize) -> Box<dyn ValueTree<Value = History>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    match histories(most).new_tree(&mut runner) {
        Ok(tree) => Box::new(tree),
        // No strategy in this file rejects anything.
        Err(reason) => unreachable!("{reason}"),
    }
}

/// Histories of up to `most` wishes.
pub fn histories(most: usize) -> impl Strategy<Value = History> {
    let begins = prop_oneof![2 => Just(0), 1 => 0..most];
    (
        prop::sample::subsequence(NAMES.to_vec(), 2..5),
        prop::collection::vec(wishes(), 1..=most),
        begins,
        fates(),
        prop::collection::vec(1..=10_usize, 6),
        prop::collection::vec(prop::bool::weighted(0.3), 7),
    )
        .prop_map(
            |(names, wishes, begins_after, fates, batch_sizes, at_once)| History {
                names: names.into_iter().map(str::to_owned).collect(),
                begins_after: begins_after.min(wishes.len()),
                wishes,
                fates,
                batch_sizes,
                at_once,
            },
        )
}

/// At the root with and without the slash, prefixes of one another, other case,
/// dots, underscores and hyphens, fifteen levels deep.
const NAMES: [&str; 15] = [
    "rooted",
    "/rooted",
    "/m",
    "/m/a",
    "/m/a/b",
    "/m/ab",
    "/m/a.b",
    "/m/A_b",
    "/m/a-b",
    "/m2/a",
    "/m/a/b/c/d",
    "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15",
    "/.m./_/-",
    "-",
    "a.very-long_name.that-goes_on.and-on_and.on-and_on.and-on_and.on-and_on.and-on_and.on-and_on",
];

const VALUES: [&str; 12] = [
    "one",
    "two",
    " padded\t",
    "\n",
    "{{resolve:ssm:three}}",
    "{{",
    "é💾\u{200b}",
    "line\nline\r\n",
    "a,b,,c",
    "--flag",
    "5",
    "\u{feff}null",
];

const DESCRIPTIONS: [&str; 4] = ["what it is: (odd)", " ", "ümlaut {{x}} \"quoted\"", "same"];

fn gaps() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => 1..400i64,
        3 => 400..3 * SECOND,
        3 => 3 * SECOND..100 * SECOND,
        1 => 100 * SECOND..3 * HOUR,
    ]
}

fn writes() -> impl Strategy<Value = Write> {
    let value = prop_oneof![
        8 => prop::sample::select(VALUES.to_vec()).prop_map(str::to_owned),
        1 => (1..=4_096_usize).prop_map(|length| "x".repeat(length)),
        1 => "\\PC{1,40}",
    ];
    let kind = prop_oneof![
        3 => Just(Kind::String),
        1 => Just(Kind::StringList),
        2 => Just(Kind::SecureString),
    ];
    let texts = prop::sample::select(DESCRIPTIONS.to_vec());
    let description = prop_oneof![
        2 => Just(Description::Keep),
        1 => Just(Description::Clear),
        2 => texts.prop_map(|text| Description::Set(text.to_owned())),
    ];
    let tier = prop_oneof![9 => Just(Tier::Standard), 1 => Just(Tier::Advanced)];
    (value, kind, description, tier).prop_map(|(value, kind, description, tier)| Write {
        value,
        kind,
        description,
        tier,
    })
}

fn wishes() -> impl Strategy<Value = Wish> {
    let name = 0..4_usize;
    let labels = prop::sample::select(vec!["prod", "test", "Old.label_1"]);
    let tags = prop::collection::btree_map(
        prop::sample::select(vec!["team", "Kosten:stelle", "empty"]).prop_map(str::to_owned),
        prop::sample::select(vec!["", "a b", "ü+=._:/@-"]).prop_map(str::to_owned),
        0..3,
    );
    prop_oneof![
        60 => (gaps(), name.clone(), writes())
            .prop_map(|(after_ms, name, write)| Wish::Put { after_ms, name, write }),
        20 => (gaps(), name.clone()).prop_map(|(after_ms, name)| Wish::Delete { after_ms, name }),
        8 => (gaps(), name.clone(), labels, 0..3_usize).prop_map(|(after_ms, name, label, back)| {
            Wish::Label { after_ms, name, label: label.to_owned(), back }
        }),
        8 => (gaps(), name.clone(), tags)
            .prop_map(|(after_ms, name, tags)| Wish::Tag { after_ms, name, tags }),
        3 => gaps().prop_map(|after_ms| Wish::Reconcile { after_ms }),
        // One history in fifty or so.
        1 => (gaps(), name, writes(), prop_oneof![9 => 2..9_usize, 1 => 101..120_usize])
            .prop_map(|(after_ms, name, write, times)| Wish::Burst { after_ms, name, write, times }),
    ]
}

/// In more than half of the histories no event is lost and no read is stale: those allow one answer only.
fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let delay = || {
        prop_oneof![
            2 => 0..SECOND,
            6 => SECOND..60 * SECOND,
            1 => SECOND..HOUR,
            1 => HOUR..6 * HOUR,
        ]
    };
    let delays = prop_oneof![
        6 => delay().prop_map(|one| vec![one]),
        3 => prop::collection::vec(delay(), 2),
        1 => prop::collection::vec(delay(), 3),
    ];
    let fate = (0..100_u8, delays, 0..100_u8);
    let most = prop_oneof![
        4 => Just((0, 0)),
        1 => Just((0, 30)),
        1 => Just((15, 0)),
        1 => Just((30, 15)),
    ];
    (prop::collection::vec(fate, 16), most).prop_map(|(fates, (lost_percent, stale_percent))| {
        let fate = |(lost, delays_ms, stale): (u8, Vec<i64>, u8)| Fate {
            lost: lost < lost_percent,
            delays_ms,
            stale: stale < stale_percent,
        };
        fates.into_iter().map(fate).collect()
    })
}

#[cfg(test)]
#[path = "generate_tests.rs"]
mod tests;
