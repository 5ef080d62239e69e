//! The naive model: a list of what happened, and who looked when. A state is
//! found by scanning it.
//!
//! It knows nothing of records, heads or rows. What it knows of ssmbak are the
//! rules that are promised to users:
//!
//! - an instant in whole seconds includes that second, and a deletion stands at
//!   the end of its second ([`Model::right`] takes exact instants; the caller
//!   asks for the end of the second);
//! - a version that was looked at while Parameter Store retained it is known
//!   exactly, from its own instant on;
//! - one that was gone before anyone looked, but was announced, is known as lost;
//! - a deletion that was announced counts from its second on. One that was not
//!   shows at the first listing without the name: until then the version before
//!   may be answered, since to bring back too much is safe;
//! - where nothing is known, a name is absent only where it is covered and the
//!   first thing known of it is its creation. Unknown is never absent.

use std::collections::{BTreeMap, BTreeSet};

use ssmbak_core::domain::{Instant, Name};

/// Versions that Parameter Store retains of a parameter.
pub const RETAINED: usize = 100;

/// Tags of a parameter.
pub type Tags = BTreeMap<String, String>;

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are Parameter Store's")]
pub enum Kind {
    String,
    StringList,
    SecureString,
}

impl Kind {
    /// As Parameter Store spells it.
    pub fn text(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::StringList => "StringList",
            Self::SecureString => "SecureString",
        }
    }
}

/// The tier of a parameter. There is no way back from the higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are Parameter Store's")]
pub enum Tier {
    Standard,
    Advanced,
}

impl Tier {
    /// As Parameter Store spells it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Standard => "Standard",
            Self::Advanced => "Advanced",
        }
    }
}

/// What a write says of the description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Description {
    /// Nothing: an overwrite keeps what there is.
    Keep,
    /// The empty text: none from now on.
    Clear,
    /// This one.
    Set(String),
}

/// One version of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: u64,
    /// When it was written.
    pub at: Instant,
    /// Its value, byte for byte.
    pub value: String,
    /// Its type.
    pub kind: Kind,
    /// Its description, as it stands after the write.
    pub description: Option<String>,
    /// What the write said of the description.
    pub description_sent: Description,
    /// Its tier.
    pub tier: Tier,
}

/// What happened to a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A version was written; the first one creates the parameter.
    Written(Version),
    /// It was deleted, its versions, labels and tags with it.
    Deleted,
    /// A label moved.
    Labelled {
        /// The label.
        label: String,
        /// The version it was on.
        from: Option<u64>,
        /// The version it is on now.
        to: u64,
    },
    /// Its tags are these from now on.
    Tagged(Tags),
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When, to the millisecond. No two changes of a history share an instant.
    pub at: Instant,
    /// To which parameter.
    pub name: Name,
    /// How the caller spelled it: `foo` and `/foo` are one.
    pub spelled: String,
    /// What.
    pub what: What,
}

impl Change {
    /// Whether it decides if the parameter exists and what it is.
    pub fn decides_state(&self) -> bool {
        match self.what {
            What::Written(_) | What::Deleted => true,
            What::Labelled { .. } | What::Tagged(_) => false,
        }
    }

    /// From when on it counts for whoever asks.
    pub fn counts_from(&self) -> Instant {
        match self.what {
            What::Written(_) => self.at,
            What::Deleted | What::Labelled { .. } | What::Tagged(_) => self.at.second_end(),
        }
    }
}

/// What can be said of one name at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was this version.
    Present(Version),
    /// It existed, with a version of this second whose value nobody has.
    Lost {
        /// The first instant of the second.
        second: Instant,
    },
    /// It did not exist.
    Absent,
    /// Nobody knows.
    Unknown,
}

/// A look at one name, or at all of them.
#[derive(Debug, Clone)]
struct Look {
    at: Instant,
    /// None: a listing of all names.
    name: Option<Name>,
}

/// All that happened and all that was seen of it.
#[derive(Debug, Clone, Default)]
pub struct Model {
    changes: Vec<Change>,
    /// Indexes of changes whose event was taken, with when it was first.
    announced: BTreeMap<usize, Instant>,
    looks: Vec<Look>,
}

impl Model {
    /// Notes a change; its index is what [`Self::announced`] takes.
    pub fn happened(&mut self, change: Change) -> usize {
        self.changes.push(change);
        self.changes.len() - 1
    }

    /// Notes that the event of a change was taken: at `at` the name was looked at.
    pub fn announced(&mut self, change: usize, at: Instant) {
        self.taken(change, at);
        self.looked(&self.changes[change].name.clone(), at);
    }

    /// Notes that the event of a change was taken, and that nobody can tell what the look saw.
    pub fn taken(&mut self, change: usize, at: Instant) {
        self.announced.entry(change).or_insert(at);
    }

    /// Notes that the event of a change was taken, but that the look it led to did not see the newest
    /// change of the name. A deletion stands by its event alone; what was written may be told of no more.
    pub fn announced_blindly(&mut self, change: usize, at: Instant) {
        if self.changes[change].what == What::Deleted {
            self.taken(change, at);
        }
    }

    /// Whether the event of a change was taken.
    pub fn is_announced(&self, change: usize) -> bool {
        self.announced.contains_key(&change)
    }

    /// Notes that all that Parameter Store retained of a name at `at` was read.
    pub fn looked(&mut self, name: &Name, at: Instant) {
        self.looks.push(Look {
            at,
            name: Some(name.clone()),
        });
    }

    /// Notes a finished reconciliation that was started at `at`; the first begins coverage of `/`.
    pub fn listed(&mut self, at: Instant) {
        self.looks.push(Look { at, name: None });
    }

    /// All changes, in order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Every name that ever lived.
    pub fn names(&self) -> BTreeSet<Name> {
        self.changes.iter().map(|c| c.name.clone()).collect()
    }

    /// What lives at the end of all changes: the truth.
    pub fn live(&self) -> BTreeMap<Name, Version> {
        let newest = |name: Name| {
            self.truth(&name, Instant::LATEST)
                .map(|v| (name, v.clone()))
        };
        self.names().into_iter().filter_map(newest).collect()
    }

    /// The version that really existed at `at`, a deletion counting from the end of its second.
    pub fn truth(&self, name: &Name, at: Instant) -> Option<&Version> {
        let mut deciding = self.deciding(name).filter(|(_, c)| c.counts_from() <= at);
        match &deciding.next_back()?.1.what {
            What::Written(version) => Some(version),
            What::Deleted | What::Labelled { .. } | What::Tagged(_) => None,
        }
    }

    /// Every instant worth a question: each boundary, one millisecond and one second before and after it.
    pub fn boundaries(&self) -> BTreeSet<Instant> {
        let steps = [-1_000, -1, 0, 1, 1_000];
        let around = |at: Instant| steps.map(|step| at.plus_millis(step));
        let changes = self.changes.iter();
        changes
            .flat_map(|c| around(c.at).into_iter().chain(around(c.counts_from())))
            .collect()
    }

    /// The answers that are right for `name` at the exact instant `at`. There
    /// is one, unless events were lost or came too late.
    pub fn right(&self, name: &Name, at: Instant) -> Vec<Answer> {
        let mut right = Vec::new();
        // A version that is known by its event alone stands at the start of its second.
        let lost_ahead = self.deciding(name).any(|(i, c)| {
            matches!(&c.what, What::Written(v) if c.at > at && c.at.same_second(at) && !self.is_seen(name, v))
                && self.is_announced(i)
        });
        if lost_ahead {
            right.push(lost(at));
        }
        let past: Vec<_> = self
            .deciding(name)
            .filter(|(_, c)| c.counts_from() <= at)
            .collect();
        for (index, change) in past.into_iter().rev() {
            let sure = match &change.what {
                What::Written(version) => self.right_of_version(name, index, version, &mut right),
                What::Deleted => self.right_of_deletion(name, index, at, &mut right),
                What::Labelled { .. } | What::Tagged(_) => false,
            };
            if sure {
                return right;
            }
        }
        self.right_before_everything(name, at, &mut right);
        right
    }

    /// Whether anybody could tell that the name ever existed.
    pub fn is_known(&self, name: &Name) -> bool {
        self.deciding(name).any(|(i, c)| self.is_told(i, c))
    }

    /// Whether a deletion that was not announced must show all the same: something was known of the
    /// parameter that it ended, and a listing came before the name was created again.
    pub fn must_show(&self, index: usize) -> bool {
        let deleted = &self.changes[index];
        let of_name = || self.deciding(&deleted.name);
        let before = of_name().rev().filter(|(i, _)| *i < index);
        let mut own_life = before.take_while(|(_, c)| c.what != What::Deleted);
        let known = own_life.any(|(i, c)| self.is_told(i, c));
        let next = of_name()
            .find(|(i, _)| *i > index)
            .map_or(Instant::LATEST, |(_, c)| c.at);
        let gone = deleted.at..next;
        let listed = self
            .looks
            .iter()
            .any(|look| look.name.is_none() && gone.contains(&look.at));
        deleted.what == What::Deleted && !self.is_announced(index) && known && listed
    }

    /// The newest version is known, or nobody can tell it from the one before.
    fn right_of_version(
        &self,
        name: &Name,
        index: usize,
        version: &Version,
        right: &mut Vec<Answer>,
    ) -> bool {
        right.push(Answer::Present(version.clone()));
        if self.is_seen(name, version) {
            return true;
        }
        right.push(lost(version.at));
        // Another version of its second, which was seen, explains its event.
        let explained = self.deciding(name).any(|(_, c)| {
            matches!(&c.what, What::Written(v) if v.at.same_second(version.at) && self.is_seen(name, v))
        });
        let sure = self.is_announced(index) && !explained;
        if !sure {
            right.push(Answer::Unknown);
        }
        sure
    }

    /// It was announced or has shown by `at`, or the version before may be answered too.
    fn right_of_deletion(
        &self,
        name: &Name,
        index: usize,
        at: Instant,
        right: &mut Vec<Answer>,
    ) -> bool {
        right.push(Answer::Absent);
        if self.is_announced(index) {
            return true;
        }
        let before = self.deciding(name).take_while(|(i, _)| *i < index);
        if !before.clone().any(|(i, c)| self.is_told(i, c)) {
            right.push(Answer::Unknown);
        }
        // What is known by its event alone may have become known after the listing.
        let before = self.deciding(name).rev().filter(|(i, _)| *i < index);
        let mut own_life = before.take_while(|(_, c)| c.what != What::Deleted);
        let seen = own_life.any(|(_, c)| match &c.what {
            What::Written(version) => self.is_seen(name, version),
            What::Deleted | What::Labelled { .. } | What::Tagged(_) => false,
        });
        let deleted = self.changes[index].at;
        let mut listings = self.looks.iter().filter(|look| look.name.is_none());
        seen && listings.any(|look| look.at >= deleted && look.at <= at)
    }

    /// Nothing had happened to it yet, or nobody knows of it.
    fn right_before_everything(&self, name: &Name, at: Instant, right: &mut Vec<Answer>) {
        let known = || self.deciding(name).filter(|(i, c)| self.is_told(*i, c));
        let creates = known()
            .next()
            .is_none_or(|(_, c)| matches!(&c.what, What::Written(v) if v.number == 1));
        // Of versions known by their events alone, and in one second, nobody knows which came first.
        let first_lost = known().take_while(|(_, c)| match &c.what {
            What::Written(version) => !self.is_seen(name, version),
            What::Deleted | What::Labelled { .. } | What::Tagged(_) => false,
        });
        let mut seconds = first_lost.map(|(_, c)| c.at.second_start());
        let first = seconds.next();
        let in_order = first.is_none() || first != seconds.next();
        if self.is_covered(at) && creates {
            right.push(Answer::Absent);
            if self.nothing_was_missed() && in_order {
                return;
            }
        }
        right.push(Answer::Unknown);
    }

    /// Whether `at` lies after the first reconciliation began.
    pub fn is_covered(&self, at: Instant) -> bool {
        self.coverage_begins().is_some_and(|begins| begins <= at)
    }

    /// When the first reconciliation began.
    pub fn coverage_begins(&self) -> Option<Instant> {
        let listings = self.looks.iter().filter(|look| look.name.is_none());
        listings.map(|look| look.at).min()
    }

    /// Whether every change since coverage began was announced before the next listing: only then has
    /// coverage no gaps.
    fn nothing_was_missed(&self) -> bool {
        let Some(begins) = self.coverage_begins() else {
            return false;
        };
        let covered = |(_, c): &(usize, &Change)| c.at > begins && c.decides_state();
        let since = self.changes.iter().enumerate().filter(covered);
        since.clone().all(|(i, change)| {
            let told =
                |look: &&Look| look.name.as_ref() == Some(&change.name) && look.at >= change.at;
            let first = self.looks.iter().filter(told).map(|look| look.at).min();
            let listings = self.looks.iter().filter(|look| look.name.is_none());
            let listed = listings
                .filter(|look| look.at >= change.at)
                .map(|look| look.at)
                .min();
            let in_time = first.is_some_and(|first| listed.is_none_or(|listed| first < listed));
            self.is_announced(i) && in_time
        })
    }

    /// Whether somebody looked at the name while Parameter Store retained this version.
    pub fn is_seen(&self, name: &Name, version: &Version) -> bool {
        let gone = self.gone_at(name, version);
        let of_it = |look: &&Look| look.name.as_ref().is_none_or(|looked| looked == name);
        let mut looks = self.looks.iter().filter(of_it);
        looks.any(|look| look.at >= version.at && gone.is_none_or(|gone| look.at < gone))
    }

    /// When Parameter Store let go of a version: the name was deleted, or a
    /// hundred newer versions were there.
    fn gone_at(&self, name: &Name, version: &Version) -> Option<Instant> {
        let later = self.deciding(name).filter(|(_, c)| c.at > version.at);
        for (newer, (_, change)) in (1..).zip(later) {
            if change.what == What::Deleted || newer == RETAINED {
                return Some(change.at);
            }
        }
        None
    }

    /// Whether there is a trace of a change: a version was seen, or its event came.
    fn is_told(&self, index: usize, change: &Change) -> bool {
        let seen = matches!(&change.what, What::Written(v) if self.is_seen(&change.name, v));
        seen || self.is_announced(index)
    }

    fn deciding<'a, 'n>(
        &'a self,
        name: &'n Name,
    ) -> impl DoubleEndedIterator<Item = (usize, &'a Change)> + Clone + use<'a, 'n> {
        self.of_name(name).filter(|(_, c)| c.decides_state())
    }

    /// The tags that may be answered for `version`, which is right at `at`. None: nobody knows them.
    ///
    /// They belong to the parameter, and a version is recorded with those it had when it was looked at.
    /// So they are exact where each change of the name was told before the next one happened, and else
    /// those of any moment since the version was written.
    pub fn right_tags(&self, name: &Name, version: &Version, at: Instant) -> Vec<Option<Tags>> {
        let mut right = vec![Some(self.tags(name, at))];
        if !self.is_told_promptly(name) {
            let since = self
                .of_name(name)
                .filter(|(_, c)| c.counts_from() >= version.at);
            right.extend(since.map(|(_, c)| Some(self.tags(name, c.counts_from()))));
            right.push(Some(self.tags(name, version.at)));
            right.push(None);
        }
        right
    }

    /// The labels that `version` had at `at`, where every move was told. A label that moves twice in a
    /// second leaves no trace of the order.
    pub fn right_labels(
        &self,
        name: &Name,
        version: &Version,
        at: Instant,
    ) -> Option<BTreeSet<String>> {
        let mut moves = BTreeSet::new();
        for (index, change) in self.of_name(name) {
            if let What::Labelled { label, .. } = &change.what {
                let alone = moves.insert((label, change.at.second_start()));
                if !alone || !self.is_announced(index) {
                    return None;
                }
            }
        }
        Some(self.labels(name, version.number, at))
    }

    /// The tags that the parameter really had at `at`.
    pub fn tags(&self, name: &Name, at: Instant) -> Tags {
        let mut tags = Tags::new();
        for (_, change) in self.of_name(name).filter(|(_, c)| c.counts_from() <= at) {
            match &change.what {
                What::Deleted => tags.clear(),
                What::Tagged(all) => tags.clone_from(all),
                What::Written(_) | What::Labelled { .. } => {}
            }
        }
        tags
    }

    /// The labels that a version really had at `at`.
    pub fn labels(&self, name: &Name, version: u64, at: Instant) -> BTreeSet<String> {
        let mut on: BTreeMap<&String, u64> = BTreeMap::new();
        for (_, change) in self.of_name(name).filter(|(_, c)| c.counts_from() <= at) {
            match &change.what {
                What::Deleted => on.clear(),
                What::Labelled { label, to, .. } => drop(on.insert(label, *to)),
                What::Written(_) | What::Tagged(_) => {}
            }
        }
        let of_it = on.into_iter().filter(|(_, number)| *number == version);
        of_it.map(|(label, _)| label.clone()).collect()
    }

    /// Whether each change of the name was told before the next one happened.
    fn is_told_promptly(&self, name: &Name) -> bool {
        let mut before: Option<Instant> = None;
        for (index, change) in self.of_name(name) {
            let Some(told) = self.announced.get(&index) else {
                return false;
            };
            if before.is_some_and(|before| before >= change.at) {
                return false;
            }
            before = Some(*told);
        }
        true
    }

    fn of_name<'a, 'n>(
        &'a self,
        name: &'n Name,
    ) -> impl DoubleEndedIterator<Item = (usize, &'a Change)> + Clone + use<'a, 'n> {
        let changes = self.changes.iter().enumerate();
        changes.filter(move |(_, c)| c.name == *name)
    }
}

fn lost(at: Instant) -> Answer {
    Answer::Lost {
        second: at.second_start(),
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
