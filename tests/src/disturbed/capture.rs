//! The function, while its calls go wrong: what it failed is delivered again, then comes one
//! reconciliation, and all that is on record is as where nothing went wrong.
//!
//! Times are numbered in what is compared, so they are compared with Parameter Store as well.

use std::collections::BTreeMap;
use std::io;

use futures_util::future::try_join_all;
use serde_json::Value as Json;
use ssmbak_core::domain::Instant;

use super::on_record::{All, about};
use super::place::{Place, Way, mark, name, next_second, wrong};
use super::strike::Strike;
use crate::events::{parameter_event, tag_event};
use crate::proxy::{Fault, Proxy};

/// How many functions work at once: most of their time they wait to try again.
const AT_ONCE: usize = 6;

/// What happens to a parameter, and is to be captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// It is created.
    Create,
    /// It is written again.
    Update,
    /// It is deleted.
    Delete,
    /// It is written three times, of which the last one's event is told alone.
    Burst,
    /// A label moves.
    Label,
    /// It gets a tag.
    Tags,
}

impl Change {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Burst,
        Self::Label,
        Self::Tags,
    ];
}

/// What is to be right at last of a name to which something happened.
#[derive(Debug)]
pub struct Happened {
    of: String,
    change: Change,
    /// When each version was written, and in which second it was deleted.
    versions: Vec<Instant>,
    deleted: Option<Instant>,
    /// How it was disturbed.
    told: String,
}

/// Makes a change, all before it being on record; returns what happened and the event that tells it.
async fn happen(way: &Way<'_>, of: &str, change: Change) -> io::Result<(Happened, Json)> {
    let place = way.place;
    let mut happened = Happened {
        of: of.to_owned(),
        change,
        versions: Vec::new(),
        deleted: None,
        told: "nothing".to_owned(),
    };
    match change {
        Change::Create => {}
        Change::Burst => {
            // None of these is on record when the last one's event comes.
            for value in ["first", "second"] {
                happened.versions.push(place.put(of, value).await?.1);
            }
        }
        Change::Update | Change::Delete | Change::Label | Change::Tags => {
            happened.versions.push(way.write(of, "one").await?);
        }
    }
    let event = match change {
        Change::Create | Change::Update | Change::Burst => {
            // A version before it in its very second would explain its event to a stale look, and
            // only the reconciliation would find it.
            if !happened.versions.is_empty() {
                next_second().await;
            }
            let (version, at) = place.put(of, " last ").await?;
            happened.versions.push(at);
            let operation = if version == 1 { "Create" } else { "Update" };
            parameter_event(of, operation, at.millis())
        }
        Change::Delete => {
            mark().await;
            let at = place.delete(of).await?;
            happened.deleted = Some(at.second_end());
            parameter_event(of, "Delete", at.millis())
        }
        Change::Label => {
            let at = place.label(of, 1, "prod").await?;
            let mut event = parameter_event(of, "LabelParameterVersion", at.millis());
            event["detail"]["label"] = "prod".into();
            event["detail"]["fromVersion"] = "".into();
            event["detail"]["toVersion"] = "1".into();
            event
        }
        Change::Tags => {
            let at = place.tag(of, "team", "a").await?;
            tag_event(of, &[("team", "a")], at.millis())
        }
    };
    Ok((happened, event))
}

/// Has a change captured while `strike` befalls it, and delivers it again where that failed. Nobody
/// says yet that all is right.
pub async fn captured_under(
    way: &Way<'_>,
    of: &str,
    change: Change,
    strike: &Strike,
) -> io::Result<Happened> {
    let (mut happened, event) = happen(way, of, change).await?;
    // A new process: what it calls when it starts goes wrong too.
    way.function.stop().await;
    way.proxy.reset_calls();
    strike.arm(&way.proxy);
    let done = way.deliver(&event).await?;
    way.proxy.disarm();
    happened.told = format!("{strike:?}, struck {:?}", way.proxy.struck());
    if !done {
        let again = way.deliver_at_last(&event).await;
        again.map_err(|error| io::Error::other(format!("{}: {error}", happened.told)))?;
    }
    Ok(happened)
}

/// Reconciles `path`; then nothing of what happened under it is lost, doubled or misdated: each is on
/// record as those of the same change that nothing befell.
pub async fn is_all_on_record(way: &Way<'_>, path: &str, all: &[Happened]) -> io::Result<usize> {
    next_second().await;
    way.function.stop().await;
    if !way.reconcile(path).await? {
        let logs = way.function.logs();
        return wrong(format!("not reconciled: {:?}", logs.last()));
    }
    let (place, on_record) = (way.place, All::of(way.place).await?);
    let mut compared = 0;
    for happened in all {
        dated_right(place, happened).await?;
        let undisturbed = all.iter().find(|one| {
            one.change == happened.change && one.told.starts_with(&format!("{:?}", Strike::Nothing))
        });
        let Some(undisturbed) = undisturbed else {
            return wrong(format!("nothing to compare {:?} with", happened.change));
        };
        let right = on_record.about(&place.stores, &undisturbed.of).await?;
        let found = on_record.about(&place.stores, &happened.of).await?;
        if right != found {
            return wrong(format!(
                "{:?} of {}: {}\nnot\n{right:#?}\nbut\n{found:#?}",
                happened.change, happened.of, happened.told
            ));
        }
        compared += 1;
    }
    way.verify(path).await?;
    Ok(compared)
}

/// Each version stands at its own instant and nowhere else, and a deletion in its own second.
async fn dated_right(place: &Place, happened: &Happened) -> io::Result<()> {
    let (first, last) = (Instant::EARLIEST, Instant::LATEST);
    let of = name(&happened.of)?;
    let records = place.stores.index.between(&of, first, last).await;
    let found: Vec<Instant> = records
        .map_err(io::Error::other)?
        .iter()
        .map(|record| record.at)
        .collect();
    let right: Vec<Instant> = happened
        .versions
        .iter()
        .copied()
        .chain(happened.deleted)
        .collect();
    if found != right {
        return wrong(format!(
            "{:?} of {of}: {}: on record at {found:?}, not at {right:?}",
            happened.change, happened.told
        ));
    }
    Ok(())
}

/// What a change calls when nothing goes wrong, in order.
pub async fn calls_of(
    way: &Way<'_>,
    path: &str,
    change: Change,
) -> io::Result<(Happened, Vec<String>)> {
    let of = format!("{path}undisturbed-{change:?}");
    let happened = captured_under(way, &of, change, &Strike::Nothing).await?;
    let calls = way.proxy.calls().into_iter();
    Ok((happened, calls.map(|call| call.operation).collect()))
}

/// The function's reconciliation of `path` under a strike, and again until it finishes. Then each of
/// what was never told is on record once, with its value.
pub async fn reconciled_under(
    way: &Way<'_>,
    path: &str,
    strike: &Strike,
) -> io::Result<Vec<String>> {
    let (place, of) = (way.place, |leaf: &str| format!("{path}{leaf}"));
    way.write(&of("gone"), "x").await?;
    way.write(&of("changed"), "one").await?;
    place.put(&of("changed"), "two").await?;
    place.put(&of("new"), "new").await?;
    place.delete(&of("gone")).await?;
    next_second().await;
    way.function.stop().await;
    way.proxy.reset_calls();
    strike.arm(&way.proxy);
    let done = way.reconcile(path).await?;
    way.proxy.disarm();
    let calls = way.proxy.calls().into_iter();
    let calls = calls.map(|call| call.operation).collect();
    let again = done || way.reconcile(path).await? || way.reconcile(path).await?;
    if !again {
        return wrong(format!("{strike:?}: {:?}", way.function.logs().last()));
    }
    let right = [
        ("changed", vec!["Create Some(1) one", "Update Some(2) two"]),
        ("gone", vec!["Create Some(1) x", "Delete None -"]),
        ("new", vec!["Create Some(1) new"]),
    ];
    let journal = All::of(place).await?.into_journal();
    for (leaf, right) in right {
        let told = place.told(&of(leaf)).await?;
        let entries = about(&journal, &of(leaf)).len();
        if told != right || entries != right.len() {
            return wrong(format!(
                "{strike:?}: {leaf} is on record as {told:?}, {entries} times in the journal"
            ));
        }
    }
    way.verify(path).await?;
    Ok(calls)
}

/// How one set of strikes went.
#[derive(Debug, Default)]
pub struct Went {
    /// Changes that are on record as they should be, and commands that were told truly and completed.
    pub right: usize,
    /// How often a function was handed an event.
    pub delivered: usize,
    /// Faults that really befell a call, by kind.
    pub struck: BTreeMap<Fault, usize>,
    /// Processes that were killed.
    pub killed: usize,
}

impl Went {
    pub(super) fn note(&mut self, proxy: &Proxy) {
        for (fault, times) in proxy.struck() {
            *self.struck.entry(fault).or_default() += times;
        }
        self.killed += proxy.killed().len();
    }

    pub(super) fn add(&mut self, other: Self) {
        self.right += other.right;
        self.delivered += other.delivered;
        self.killed += other.killed;
        for (fault, times) in other.struck {
            *self.struck.entry(fault).or_default() += times;
        }
    }
}

/// Changes of new names under `path`, each captured under its strike, some at a time; then
/// [`is_all_on_record`]. Of each change there must be one that nothing befalls.
pub async fn all_captured(
    place: &Place,
    path: &str,
    strikes: &[(Change, Strike)],
) -> io::Result<Went> {
    let numbered: Vec<(usize, (Change, Strike))> = strikes.iter().cloned().enumerate().collect();
    let share = numbered.len().div_ceil(AT_ONCE).max(1);
    let workers = numbered.chunks(share).map(|jobs| async move {
        let way = place.way()?;
        let (mut happened, mut went) = (Vec::new(), Went::default());
        for (number, (change, strike)) in jobs {
            let of = format!("{path}n{number:04}");
            happened.push(captured_under(&way, &of, *change, strike).await?);
            went.note(&way.proxy);
        }
        went.delivered = way.delivered();
        Ok::<_, io::Error>((happened, went))
    });
    let (mut happened, mut went) = (Vec::new(), Went::default());
    for (more, counted) in try_join_all(workers).await? {
        happened.extend(more);
        went.add(counted);
    }
    went.right = is_all_on_record(&place.way()?, path, &happened).await?;
    Ok(went)
}
