//! Functions at work: batches of events, what fails and comes again, and
//! reconciliations; any of them may die at any call.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use futures_util::future::join_all;
use serde_json::{Value, json};
use ssmbak_core::capture::capture;
use ssmbak_core::domain::decide::Verdict;
use ssmbak_core::domain::{Event, Events, Instant, Name, Path, Source};
use ssmbak_core::reconcile::reconcile_until;
use ssmbak_core::store::Stores;

use super::{AGAIN_MS, FUNCTIONS, MOST_TRIES, Play};
use crate::events::{parameter_event, tag_event};
use crate::histories::{Change, What};
use crate::simulated::faults::Crash;
use crate::simulated::{SimulatedAws, clock};

/// A crash happens within the first so many calls of an invocation.
const CRASH_WITHIN: u64 = 40;
/// No read is stale after this long: a function judges what it does not see after five minutes.
const STALE_MS: i64 = 4 * 60 * 1_000;
/// What a function may take.
const TIME_MS: i64 = 900_000;

/// An event on its way.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) change: usize,
    pub(super) name: Name,
    pub(super) body: Value,
    pub(super) tries: u32,
}

/// The event that announces a change; one that comes twice is the same.
pub(super) fn event_of(index: usize, change: &Change) -> Value {
    let (name, ms) = (change.name.as_str(), change.at.millis());
    let mut event = match &change.what {
        What::Written(version) => {
            let operation = if version.number == 1 {
                "Create"
            } else {
                "Update"
            };
            let mut event = parameter_event(name, operation, ms);
            event["detail"]["type"] = version.kind.text().into();
            if let Some(text) = &version.description {
                event["detail"]["description"] = text.as_str().into();
            }
            event
        }
        What::Deleted => parameter_event(name, "Delete", ms),
        What::Labelled { label, from, to } => {
            let mut event = parameter_event(name, "LabelParameterVersion", ms);
            event["detail"]["label"] = label.as_str().into();
            event["detail"]["fromVersion"] =
                from.map_or(String::new(), |from| from.to_string()).into();
            event["detail"]["toVersion"] = to.to_string().into();
            event
        }
        What::Tagged(tags) => {
            let tags: Vec<(&str, &str)> =
                tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            tag_event(name, &tags, ms)
        }
    };
    event["id"] = json!(format!("00000000-0000-4000-8000-{index:012}"));
    event
}

impl Play<'_> {
    /// Tells each function its messages, at the same time. What is not done comes again.
    pub(super) async fn invoke(
        &mut self,
        told: Vec<Vec<Message>>,
        stale: BTreeSet<Name>,
    ) -> Result<(), String> {
        let began = clock::now();
        let stale = self.can_be_stale(stale, began);
        for name in &stale {
            self.aws.make_stale(name.as_str());
        }
        for process in 1..=told.len() {
            self.may_crash(process);
        }
        let works = told.iter().enumerate().map(|(function, messages)| {
            let process = function % FUNCTIONS + 1;
            until_death(&self.aws, process, one(&self.stores[process], messages))
        });
        let ended = join_all(works).await;
        self.aws.forget_stale();
        for (messages, ended) in told.into_iter().zip(ended) {
            self.tally.deliveries += messages.len() as u64;
            self.tally.crashes += u64::from(ended.is_none());
            let done = ended.unwrap_or_default();
            self.note(messages, &done, &stale, began)?;
        }
        Ok(())
    }

    /// Those of the names whose newest change is so young that a read of it may be stale, even where
    /// it is tried again for a while.
    fn can_be_stale(&self, names: BTreeSet<Name>, at: Instant) -> BTreeSet<Name> {
        let old = at.plus_millis(-STALE_MS);
        let is_young = |name: &Name| {
            let newest = self.sure.changes().iter().rfind(|c| c.name == *name);
            newest.is_some_and(|newest| newest.at > old)
        };
        names.into_iter().filter(is_young).collect()
    }

    /// Notes what was taken, and puts back what was not.
    fn note(
        &mut self,
        messages: Vec<Message>,
        done: &BTreeSet<usize>,
        stale: &BTreeSet<Name>,
        at: Instant,
    ) -> Result<(), String> {
        let mut again = Vec::new();
        for mut message in messages {
            let (change, name) = (message.change, &message.name);
            // A stale look saw everything but the newest change, also where it broke off.
            let newest = self.sure.changes().iter().rfind(|c| c.name == *name);
            let before = newest.map_or(at, |newest| newest.at.plus_millis(-1));
            // It was not stale after all where the read that was to be went wrong, and then it shows
            // less where the newest change is a deletion.
            let is_deleted = newest.is_some_and(|newest| newest.what == What::Deleted);
            let seen_at = if stale.contains(name) { before } else { at };
            self.hopeful.looked(name, seen_at);
            self.hopeful.looked(name, at);
            if done.contains(&change) {
                self.hopeful.announced(change, at);
                if is_deleted && stale.contains(name) {
                    self.sure.taken(change, at);
                } else {
                    self.sure.announced(change, seen_at);
                }
                continue;
            }
            message.tries += 1;
            if message.tries > MOST_TRIES {
                return Err(format!("{message:?} is never done"));
            }
            again.push(message);
        }
        if !again.is_empty() {
            let due = clock::now().plus_millis(AGAIN_MS).second_end();
            self.again.push((due, again));
        }
        Ok(())
    }

    /// Delivers what failed and is due before `at`; or all of it, until nothing is left.
    pub(super) async fn deliver_again_until(
        &mut self,
        at: Instant,
        all: bool,
    ) -> Result<(), String> {
        loop {
            let due = self.again.iter().map(|(due, _)| *due).min();
            let before = at.plus_millis(self.late_ms);
            let Some(due) = due.filter(|due| all || *due < before) else {
                return Ok(());
            };
            let next = self.again.iter().position(|(other, _)| *other == due);
            let (_, messages) = self.again.remove(next.unwrap_or_default());
            clock::wait_until(due).await;
            self.align().await;
            self.invoke(vec![messages], BTreeSet::new()).await?;
        }
    }

    /// Waits for the end of the second: no look is made in the middle of one.
    pub(super) async fn align(&self) {
        clock::wait_until(clock::now().second_end()).await;
    }

    /// Reconciles everything until it is done.
    pub(super) async fn reconcile(&mut self) -> Result<(), String> {
        let mut why = String::new();
        for _ in 0..MOST_TRIES {
            let began = clock::now();
            self.may_crash(1);
            let work = reconciled(&self.stores[1]);
            let ended = until_death(&self.aws, 1, work).await;
            self.hopeful.listed(began);
            match ended {
                None => self.tally.crashes += 1,
                Some(Err(error)) => why = error,
                Some(Ok(())) => {
                    self.hopeful.listed(clock::now());
                    self.sure.listed(clock::now());
                    return Ok(());
                }
            }
            clock::wait_until(clock::now().plus_millis(AGAIN_MS)).await;
            self.align().await;
        }
        Err(format!("the reconciliation never ends: {why}"))
    }

    fn may_crash(&mut self, process: usize) {
        let one_in = self.trial.crashes_one_in;
        if !self.in_peace && one_in > 0 && self.chance.u32(..one_in) == 0 {
            let crash = Crash {
                call: self.chance.u64(..CRASH_WITHIN),
                after_work: self.chance.bool(),
            };
            self.aws.with_faults(|faults| faults.crash(process, crash));
        }
    }
}

/// One invocation, as the function does it: events sorted into names, each name captured apart.
/// Returns the changes whose messages are done.
async fn one(stores: &Stores, messages: &[Message]) -> BTreeSet<usize> {
    if stores.index.claim_format().await.is_err() {
        return BTreeSet::new();
    }
    let mut names: BTreeMap<Name, Vec<(usize, Event)>> = BTreeMap::new();
    for message in messages {
        let Ok(events) = Events::parse(&message.body.to_string()) else {
            continue;
        };
        for event in events.iter() {
            let of_name = names.entry(event.name.clone()).or_default();
            of_name.push((message.change, event.clone()));
        }
    }
    let captures = names.into_iter().map(|(name, mut told)| async move {
        told.sort_by(|(_, a), (_, b)| {
            (a.origin.time, &a.origin.id).cmp(&(b.origin.time, &b.origin.id))
        });
        let (changes, events): (Vec<usize>, Vec<Event>) = told.into_iter().unzip();
        let captured = capture(stores, &name, &events, Source::Event).await;
        let verdicts = captured.map(|captured| captured.verdicts);
        let done = verdicts.unwrap_or_default().into_iter().zip(changes);
        done.filter_map(|(verdict, change)| (verdict == Verdict::Done).then_some(change))
            .collect::<Vec<_>>()
    });
    join_all(captures).await.into_iter().flatten().collect()
}

async fn reconciled(stores: &Stores) -> Result<(), String> {
    let told = |error: ssmbak_core::store::StoreError| error.to_string();
    stores.index.claim_format().await.map_err(told)?;
    let until = clock::now().plus_millis(TIME_MS);
    let root = Path::root();
    let report = reconcile_until(stores, &root, until, Source::Reconcile, &|_, _| {});
    let report = report.await.map_err(told)?;
    if report.failures.is_empty() && report.left == 0 {
        Ok(())
    } else {
        Err(format!("{report:?}"))
    }
}

/// What comes of `work`; none where its process dies, which breaks it off where it stands.
pub(super) async fn until_death<T>(
    aws: &SimulatedAws,
    process: usize,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Poll::Ready(result) = work.as_mut().poll(context) {
            return Poll::Ready(Some(result));
        }
        if aws.with_faults(|faults| faults.take_crashed(process)) {
            return Poll::Ready(None);
        }
        Poll::Pending
    })
    .await
}
