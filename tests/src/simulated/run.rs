//! One history, played against AWS in memory, and everything asked of what is on
//! record then.
//!
//! The world stands still while a function works: whatever comes later comes
//! later by so many whole seconds. So every look sees one state of things, and
//! the model can tell what it must have seen.

mod ask;
mod check;
mod deliver;
mod restoring;

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::json;
use ssmbak_core::domain::Instant;
use ssmbak_core::store::{Location, Stores};

use self::deliver::{Message, event_of};
use super::faults::{Crash, Fault, Faults};
use super::{SimulatedAws, clock};
use crate::histories::{
    Batch, Change, Description, Failure, History, Model, Script, Step, Tally, What,
};

/// When every history begins: the last second of a day.
const BEGINNING_MS: i64 = 1_700_006_399_000;
/// What fails comes again after this long: a queue's visibility timeout.
const AGAIN_MS: i64 = 60_000;
/// What is still not done after so many tries never will be.
const MOST_TRIES: u32 = 60;
/// The command line's process; those of functions come after it.
const SOMEBODY: usize = 0;
/// How many functions there are.
const FUNCTIONS: usize = 2;

/// How hard a run is made, and what is done at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// Decides all that is left to chance.
    pub seed: u64,
    /// One call in so many goes wrong; none where it is 0.
    pub faults_one_in: u32,
    /// One invocation in so many is broken off at one of its calls; none where it is 0.
    pub crashes_one_in: u32,
    /// This goes wrong with the call that has so many before it.
    pub fault_at: Option<(u64, Fault)>,
    /// Whoever makes the call that has so many before it dies.
    pub crash_at: Option<Crash>,
    /// At most so many boundaries are previewed; the records are asked about all of them.
    pub previews: usize,
    /// The index is made anew from the journal, and compared.
    pub rebuild: bool,
    /// Something is restored under the same faults, and then once more.
    pub restore: bool,
}

impl Trial {
    /// Nothing goes wrong but what happens to events.
    pub fn in_peace(seed: u64) -> Self {
        Self {
            seed,
            faults_one_in: 0,
            crashes_one_in: 0,
            fault_at: None,
            crash_at: None,
            previews: usize::from(seed.is_multiple_of(2)),
            rebuild: seed.is_multiple_of(4),
            restore: false,
        }
    }

    /// Half of all trials go wrong somewhere, a third are restored from; each boundary is previewed.
    pub fn of(seed: u64) -> Self {
        let mut chance = Rng::with_seed(seed);
        Self {
            faults_one_in: [0, 0, 40, 8][chance.usize(..4)],
            crashes_one_in: [0, 0, 6, 2][chance.usize(..4)],
            previews: usize::MAX,
            rebuild: chance.u32(..4) == 0,
            restore: chance.u32(..3) == 0,
            ..Self::in_peace(seed)
        }
    }
}

/// Plays the history of `seed` and asks about every boundary.
pub fn simulate(seed: u64, tally: &mut Tally) -> Result<(), Failure> {
    let history = History::from_seed(seed);
    play(&history, &Trial::of(seed), tally).map_err(|told| {
        let text = format!("{told}\n{history:#?}");
        Failure::new(seed, text)
    })
}

/// Plays a history; what is wrong is told.
pub fn play(history: &History, trial: &Trial, tally: &mut Tally) -> Result<(), String> {
    let base = Instant::from_millis(BEGINNING_MS);
    let script = Script::of(history, base);
    clock::run(base, trial.seed, async || {
        let mut play = Play::begin(trial, tally);
        play.steps(&script).await?;
        play.end().await
    })
}

/// A run under way.
struct Play<'a> {
    aws: SimulatedAws,
    location: Location,
    trial: &'a Trial,
    chance: Rng,
    /// The stores of whoever asks, and those of each function.
    stores: Vec<Stores>,
    /// What is known for certain: of looks only those that came to their end.
    sure: Model,
    /// What may be known: also what was seen by looks that broke off.
    hopeful: Model,
    /// So much later than the script says is everything by now.
    late_ms: i64,
    again: Vec<(Instant, Vec<Message>)>,
    /// Nothing goes wrong any more.
    in_peace: bool,
    tally: &'a mut Tally,
}

impl<'a> Play<'a> {
    fn begin(trial: &'a Trial, tally: &'a mut Tally) -> Self {
        let aws = SimulatedAws::new(clock::now, trial.seed);
        let location = Location {
            bucket: "simulated".to_owned(),
            table: "simulated".to_owned(),
        };
        aws.make_stores(&location);
        let stores = (0..=FUNCTIONS).map(|process| aws.stores(process, &location));
        Self {
            stores: stores.collect(),
            aws,
            location,
            trial,
            chance: Rng::with_seed(trial.seed ^ 0x5eed),
            sure: Model::default(),
            hopeful: Model::default(),
            late_ms: 0,
            again: Vec::new(),
            in_peace: false,
            tally,
        }
    }

    /// The stores of whoever asks.
    fn somebody(&self) -> &Stores {
        &self.stores[SOMEBODY]
    }

    async fn steps(&mut self, script: &Script) -> Result<(), String> {
        self.aws.with_faults(|faults| {
            faults.one_in(self.trial.faults_one_in);
            if let Some((call, fault)) = self.trial.fault_at {
                faults.at_call(call, fault);
            }
            if let Some(crash) = self.trial.crash_at {
                faults.crash_at_call(crash);
            }
        });
        let last = script.steps.len() - 1;
        for (number, (at, step)) in script.steps.iter().enumerate() {
            // Before the last reconciliation everything that failed has come again.
            self.deliver_again_until(*at, number == last).await?;
            self.come_to(*at).await;
            match step {
                Step::Operate(index) => self.operate(&script.changes[*index])?,
                Step::Deliver(batches) => self.deliver(script, batches).await?,
                Step::Reconcile => self.reconcile().await?,
            }
        }
        let lost = (0..script.changes.len()).filter(|index| {
            let told = script.steps.iter().any(|(_, step)| match step {
                Step::Deliver(batches) => batches.iter().any(|b| b.changes.contains(index)),
                Step::Operate(_) | Step::Reconcile => false,
            });
            !told
        });
        self.tally.lost_events += lost.count() as u64;
        Ok(())
    }

    /// Waits until an instant of the script; where it is over, everything from now on is later.
    async fn come_to(&mut self, at: Instant) {
        let late_ms = clock::now().millis() - at.plus_millis(self.late_ms).millis();
        if late_ms > 0 {
            self.late_ms += (late_ms + 999) / 1_000 * 1_000;
        }
        clock::wait_until(at.plus_millis(self.late_ms)).await;
    }

    /// Does a change as somebody else would, and notes it as it became.
    fn operate(&mut self, change: &Change) -> Result<(), String> {
        let mut change = change.clone();
        change.at = change.at.plus_millis(self.late_ms);
        let name = change.spelled.as_str();
        let (operation, asked) = match &mut change.what {
            What::Written(version) => {
                version.at = change.at;
                let mut asked = json!({
                    "Name": name, "Value": version.value, "Type": version.kind.text(),
                    "Tier": version.tier.text(), "Overwrite": true,
                });
                match &version.description_sent {
                    Description::Keep => {}
                    Description::Clear => asked["Description"] = "".into(),
                    Description::Set(text) => asked["Description"] = text.as_str().into(),
                }
                ("PutParameter", asked)
            }
            What::Deleted => ("DeleteParameter", json!({"Name": name})),
            What::Labelled { label, to, .. } => (
                "LabelParameterVersion",
                json!({"Name": name, "ParameterVersion": to, "Labels": [label]}),
            ),
            What::Tagged(tags) => {
                let tags = tags.iter().map(|(k, v)| json!({"Key": k, "Value": v}));
                let tags: Vec<_> = tags.collect();
                self.untag(name);
                (
                    "AddTagsToResource",
                    json!({"ResourceType": "Parameter", "ResourceId": name, "Tags": tags}),
                )
            }
        };
        let answer = self.aws.call_parameter_store(operation, &asked);
        let answer = answer.map_err(|refused| format!("{operation} {asked}: {refused:?}"))?;
        if let What::Written(version) = &change.what
            && answer["Version"] != version.number
        {
            return Err(format!("{change:?} became {answer}"));
        }
        self.tally.changes += 1;
        self.sure.happened(change.clone());
        self.hopeful.happened(change);
        Ok(())
    }

    fn untag(&self, name: &str) {
        let resource = json!({"ResourceType": "Parameter", "ResourceId": name});
        let tags = self
            .aws
            .call_parameter_store("ListTagsForResource", &resource);
        let tags = tags.unwrap_or_default();
        let keys = tags["TagList"].as_array().into_iter().flatten();
        let keys: Vec<_> = keys.map(|tag| tag["Key"].clone()).collect();
        let mut asked = resource;
        asked["TagKeys"] = keys.into();
        self.aws
            .call_parameter_store("RemoveTagsFromResource", &asked)
            .ok();
    }

    async fn deliver(&mut self, script: &Script, batches: &[Batch]) -> Result<(), String> {
        let messages = |batch: &Batch| -> Vec<Message> {
            let changes = batch.changes.iter();
            changes
                .map(|index| Message {
                    change: *index,
                    name: script.changes[*index].name.clone(),
                    body: event_of(*index, &self.sure.changes()[*index]),
                    tries: 0,
                })
                .collect()
        };
        let told: Vec<Vec<Message>> = batches.iter().map(messages).collect();
        let stale = batches.iter().flat_map(|b| b.stale.iter().cloned());
        self.invoke(told, stale.collect()).await
    }

    async fn end(&mut self) -> Result<(), String> {
        self.aws.with_faults(Faults::none);
        self.in_peace = true;
        self.check_records().await?;
        self.check_health().await?;
        self.ask_about_all().await?;
        if self.trial.rebuild {
            self.check_rebuild().await?;
        }
        if self.trial.restore {
            self.restore().await?;
            // What it deleted nobody has told of yet.
            self.reconcile().await?;
            self.check_health_after_restore().await?;
        }
        self.tally.histories += 1;
        let happened: BTreeMap<_, _> = self.aws.with_faults(|f| f.happened().clone());
        for (fault, times) in happened {
            *self
                .tally
                .faults
                .entry(fault.name().to_owned())
                .or_default() += times;
        }
        Ok(())
    }
}
