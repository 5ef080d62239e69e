//! From wishes to what happens: the rules of Parameter Store that decide
//! whether a wish can be had, and what it does.

use std::collections::BTreeMap;

use ssmbak_core::domain::{Instant, Name};

use super::delivery::{self, Step};
use super::generate::{History, Wish, Write};
use super::model::{Change, Description, RETAINED, Tags, Version, What};

/// Parameter Store refuses to create a name again sooner after its deletion.
const RECREATION_MS: i64 = 30_000;
/// From the last change or delivery to the last reconciliation: nothing is young then.
const AFTERWARDS_MS: i64 = 600_000;

/// All that a run plays.
#[derive(Debug, Clone)]
pub struct Script {
    /// What happens, in order.
    pub changes: Vec<Change>,
    /// What is done, in order of time. The last step is a reconciliation.
    pub steps: Vec<(Instant, Step)>,
}

impl Script {
    /// Lets a history happen from `base` on.
    pub fn of(history: &History, base: Instant) -> Self {
        let mut world = World {
            now: base,
            lives: BTreeMap::new(),
            changes: Vec::new(),
            listings: Vec::new(),
        };
        for (number, wish) in history.wishes.iter().enumerate() {
            if number == history.begins_after {
                world.list();
            }
            world.grant(history, wish);
        }
        if history.begins_after >= history.wishes.len() {
            world.list();
        }
        let begins = world.listings[0];
        let mut steps = delivery::deliveries(history, &world.changes, begins);
        let operations = world.changes.iter().enumerate();
        steps.extend(operations.map(|(index, change)| (change.at, Step::Operate(index))));
        steps.extend(world.listings.iter().map(|at| (*at, Step::Reconcile)));
        // What happens in a millisecond comes before what is told in it.
        steps.sort_by_key(|(at, step)| (*at, step.rank()));
        let last = steps.last().map_or(base, |(at, _)| *at);
        let end = last.plus_millis(AFTERWARDS_MS).second_start();
        steps.push((end, Step::Reconcile));
        Self {
            changes: world.changes,
            steps,
        }
    }

    /// When all is over.
    pub fn ends(&self) -> Instant {
        self.steps.last().map_or(Instant::EARLIEST, |(at, _)| *at)
    }
}

/// What lives of one name.
#[derive(Debug, Default)]
struct Life {
    /// Those retained, oldest first; none where it does not live.
    versions: Vec<Version>,
    labels: BTreeMap<String, u64>,
    tags: Tags,
    deleted: Option<Instant>,
}

struct World {
    now: Instant,
    lives: BTreeMap<Name, Life>,
    changes: Vec<Change>,
    listings: Vec<Instant>,
}

impl World {
    /// Does what is wished, if Parameter Store would.
    fn grant(&mut self, history: &History, wish: &Wish) {
        match wish {
            Wish::Put {
                after_ms,
                name,
                write,
            } => {
                self.wait(*after_ms);
                self.put(history.name(*name), write);
            }
            Wish::Burst {
                after_ms,
                name,
                write,
                times,
            } => {
                self.wait(*after_ms);
                for _ in 0..*times {
                    self.wait(7);
                    self.put(history.name(*name), write);
                }
            }
            Wish::Delete { after_ms, name } => {
                self.wait(*after_ms);
                self.delete(history.name(*name));
            }
            Wish::Label {
                after_ms,
                name,
                label,
                back,
            } => {
                self.wait(*after_ms);
                self.label(history.name(*name), label, *back);
            }
            Wish::Tag {
                after_ms,
                name,
                tags,
            } => {
                self.wait(*after_ms);
                self.tag(history.name(*name), tags);
            }
            Wish::Reconcile { after_ms } => {
                self.wait(*after_ms);
                // Before its beginning there is nobody to do it.
                if !self.listings.is_empty() {
                    self.list();
                }
            }
        }
    }

    fn wait(&mut self, ms: i64) {
        self.now = self.now.plus_millis(ms.max(1));
    }

    /// A listing is asked at the end of a second, as every look: see `delivery`.
    fn list(&mut self) {
        self.now = self.now.second_end();
        self.listings.push(self.now);
        self.wait(1);
    }

    fn put(&mut self, spelled: &str, write: &Write) {
        let Some(name) = canonical(spelled) else {
            return;
        };
        let life = self.lives.entry(name.clone()).or_default();
        if let Some(deleted) = life.deleted.take() {
            self.now = self.now.max(deleted.plus_millis(RECREATION_MS));
        }
        let before = life.versions.last();
        let full = life.versions.len() == RETAINED;
        let oldest = life.versions.first().map(|v| v.number);
        if full
            && life
                .labels
                .values()
                .any(|labelled| Some(*labelled) == oldest)
        {
            // ParameterMaxVersionLimitExceeded.
            return;
        }
        let version = Version {
            number: before.map_or(1, |v| v.number + 1),
            at: self.now,
            value: write.value.clone(),
            kind: write.kind,
            description: match &write.description {
                Description::Keep => before.and_then(|v| v.description.clone()),
                Description::Clear => None,
                Description::Set(text) => Some(text.clone()),
            },
            description_sent: write.description.clone(),
            tier: before.map_or(write.tier, |v| v.tier.max(write.tier)),
        };
        if full {
            life.versions.remove(0);
        }
        life.versions.push(version.clone());
        self.note(name, spelled, What::Written(version));
    }

    fn delete(&mut self, spelled: &str) {
        let Some(name) = canonical(spelled) else {
            return;
        };
        let Some(life) = self.living(&name) else {
            return;
        };
        *life = Life::default();
        let deleted = Some(self.now);
        self.lives.entry(name.clone()).or_default().deleted = deleted;
        self.note(name, spelled, What::Deleted);
    }

    /// Moves a label to the version that is `back` before the newest.
    fn label(&mut self, spelled: &str, label: &str, back: usize) {
        let Some(name) = canonical(spelled) else {
            return;
        };
        let Some(life) = self.living(&name) else {
            return;
        };
        let newest_first = life.versions.iter().rev();
        let Some(to) = newest_first
            .map(|v| v.number)
            .nth(back % life.versions.len())
        else {
            return;
        };
        let from = life.labels.insert(label.to_owned(), to);
        if from != Some(to) {
            let label = label.to_owned();
            self.note(name, spelled, What::Labelled { label, from, to });
        }
    }

    fn tag(&mut self, spelled: &str, tags: &Tags) {
        let Some(name) = canonical(spelled) else {
            return;
        };
        let Some(life) = self.living(&name) else {
            return;
        };
        if life.tags != *tags {
            life.tags.clone_from(tags);
            self.note(name, spelled, What::Tagged(tags.clone()));
        }
    }

    fn living(&mut self, name: &Name) -> Option<&mut Life> {
        let life = self.lives.get_mut(name)?;
        (!life.versions.is_empty()).then_some(life)
    }

    fn note(&mut self, name: Name, spelled: &str, what: What) {
        self.changes.push(Change {
            at: self.now,
            name,
            spelled: spelled.to_owned(),
            what,
        });
    }
}

fn canonical(spelled: &str) -> Option<Name> {
    Name::parse(spelled).ok()
}
