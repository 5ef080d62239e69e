//! Capture: one algorithm for events, seeding, healing, and before a restore
//! overwrites.
//!
//! Invariant: value, then journal, then index. Whatever step the process dies
//! at, capturing the same name again finishes the work, and no reader ever
//! sees a record whose value is not there.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;

use crate::domain::decide::{
    Decision, Draft, Question, Verdict, contradicts_a_deletion, decide, depends_on_tags,
};
use crate::domain::{
    Change, Event, EventKind, Instant, Look, Name, Record, Source, Target, Written,
};
use crate::store::{Journalled, StoreError, Stores};

/// How long after a first look that contradicts a deletion the second is
/// made: past the stale reads of Parameter Store, and past the end of the
/// second in which the deletion stands.
const SECOND_LOOK_AFTER_MS: u64 = 1_200;

/// What one capture did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The records it wrote, in the order of their writing. Where another
    /// writer had been faster, its record.
    pub records: Vec<Record>,
    /// One verdict for each event, in their order.
    pub verdicts: Vec<Verdict>,
    /// Versions that could not be read: their key is disabled.
    pub sealed: usize,
    /// Gaps healed: versions put on record that no event at hand had announced,
    /// of a name that was on record already.
    pub healed: usize,
}

/// Captures everything that Parameter Store retains of `name` and that is not
/// on record, and what `events` tell beyond it.
///
/// Changes of one name must not be captured by two calls of one process at
/// once; two processes may.
pub async fn capture(
    stores: &Stores,
    name: &Name,
    events: &[Event],
    source: Source,
) -> Result<Captured, StoreError> {
    let asked = Asked {
        stores,
        name,
        events,
        source,
        since: None,
    };
    capture_asked(&asked).await
}

/// As [`capture`], of a parameter that a listing shows, its newest version written at `since` or later.
///
/// An error where it is listed still and its history does not show that for some seconds: nothing that
/// is known to be there is passed over.
pub async fn capture_listed(
    stores: &Stores,
    name: &Name,
    since: Instant,
    source: Source,
) -> Result<Captured, StoreError> {
    let asked = Asked {
        stores,
        name,
        events: &[],
        source,
        since: Some(since),
    };
    capture_asked(&asked).await
}

async fn capture_asked(asked: &Asked<'_>) -> Result<Captured, StoreError> {
    let Asked {
        stores,
        name,
        events,
        since,
        ..
    } = *asked;
    let looked = look_with_tags(stores, name, since);
    let (recent, mut look) = tokio::try_join!(stores.index.recent(name), looked)?;
    let (mut recorded, mut tags) = (recent.records, recent.tags);
    let needed = oldest_needed(&look, events);
    if let Some(oldest) = recorded
        .last()
        .filter(|r| !recent.complete && r.at > needed)
    {
        let oldest = oldest.at;
        recorded.extend(stores.index.between(name, needed, oldest).await?);
    }
    // Of a name with very many records they take a call of their own.
    if tags.is_none() && depends_on_tags(&asked.question(&recorded, None, &look)) {
        tags = Some(stores.index.recent_tags(name).await?);
    }
    let decided = |recorded: &[Record], tags: &Option<Vec<Record>>, look: &Look| {
        decide(&asked.question(recorded, tags.as_deref(), look))
    };
    let mut decision = decided(&recorded, &tags, &look);
    let mut first = None;
    if contradicts_a_deletion(&decision) {
        sleep(Duration::from_millis(SECOND_LOOK_AFTER_MS)).await;
        look = look_with_tags(stores, name, since).await?;
        if tags.is_none() {
            tags = Some(stores.index.recent_tags(name).await?);
        }
        let second = decided(&recorded, &tags, &look);
        first = Some(std::mem::replace(&mut decision, second));
    }
    let found = index_unfinished(asked, &recorded, &look, &decision).await?;
    if !found.is_empty() {
        recorded.extend(found);
        decision = decided(&recorded, &tags, &look);
    }
    if let Some(first) = first {
        decision.keep_versions_of(first);
    }
    record(stores, name, &recorded, decision).await
}

/// What a capture was asked.
struct Asked<'a> {
    stores: &'a Stores,
    name: &'a Name,
    events: &'a [Event],
    source: Source,
    /// It is known to live, with a version that was written then or later.
    since: Option<Instant>,
}

impl Asked<'_> {
    fn question<'a>(
        &'a self,
        recorded: &'a [Record],
        tags: Option<&'a [Record]>,
        look: &'a Look,
    ) -> Question<'a> {
        Question {
            name: self.name,
            recorded,
            tags: tags.unwrap_or_default(),
            look,
            events: self.events,
            now: self.stores.now(),
            source: self.source,
        }
    }
}

/// What a capture that died between journal and index may have left in the
/// journal, where no look shows it any more: before a value is called lost, and
/// where another version of its second explains an event. Indexes what is there.
async fn index_unfinished(
    asked: &Asked<'_>,
    recorded: &[Record],
    look: &Look,
    decision: &Decision,
) -> Result<Vec<Record>, StoreError> {
    let lost = |d: &&Draft| {
        let written = d.record.present();
        written.is_some_and(|w| w.version.is_none())
    };
    let lost = decision.drafts.iter().filter(lost).map(|d| d.record.at);
    let is_retained = |at: Instant| {
        let mut retained = look.retained.iter().flatten();
        retained.any(|r| r.modified.same_second(at))
    };
    let is_recorded = |at: Instant| {
        let mut numbered = recorded.iter().filter_map(Record::numbered);
        numbered.any(|(time, _)| time.same_second(at))
    };
    let written = |e: &&Event| matches!(e.kind, EventKind::Written { .. });
    let told = asked.events.iter().filter(written).map(|e| e.origin.time);
    let explained = told.filter(|at| is_recorded(*at) && !is_retained(*at));
    let seconds: BTreeSet<Instant> = lost.chain(explained).collect();
    let known: BTreeSet<String> = recorded.iter().map(Record::entry).collect();
    let mut found = Vec::new();
    for second in seconds {
        let Asked { stores, name, .. } = asked;
        for record in stores.bucket.records_in_second(name, second).await? {
            if known.contains(&record.entry()) {
                continue;
            }
            stores.index.put(&record).await?;
            found.extend(Some(record).filter(Record::decides_state));
        }
    }
    Ok(found)
}

/// Writes one observed deletion, of a name that two looks found gone.
///
/// Its key is marked before anything is on record: nobody looks again at a name whose head is a
/// deletion, so whoever died between the two would leave the value at the key for good.
pub async fn record_observed_deletion(
    stores: &Stores,
    record: Record,
) -> Result<Record, StoreError> {
    if stores.bucket.shows_value(&record.name).await? {
        stores.bucket.put_marker(&record.name).await?;
    }
    let draft = Draft {
        record,
        value: None,
    };
    let written = write(stores, draft).await?.record;
    // Something newer may have been recorded meanwhile.
    let target = Target::Name(written.name.clone());
    let heads = stores.index.heads(&target).await?;
    if let Some(head) = heads.get(&written.name) {
        settle(stores, &written.name, &head.record, None).await?;
    }
    Ok(written)
}

/// History and tags, asked for together.
async fn look_with_tags(
    stores: &Stores,
    name: &Name,
    since: Option<Instant>,
) -> Result<Look, StoreError> {
    let history = async {
        match since {
            Some(since) => stores.parameters.history_since(name, since).await,
            None => stores.parameters.history(name).await,
        }
    };
    let (mut look, tags) = tokio::try_join!(history, stores.parameters.tags(name))?;
    if let Some(newest) = look.retained.as_mut().and_then(|r| r.last_mut()) {
        newest.attributes.tags = tags;
    }
    Ok(look)
}

/// The instant back to which records must be known.
fn oldest_needed(look: &Look, events: &[Event]) -> Instant {
    let retained = look.retained.iter().flatten().map(|r| r.modified);
    let told = events.iter().map(|e| e.origin.time);
    retained.chain(told).min().unwrap_or(Instant::LATEST)
}

async fn record(
    stores: &Stores,
    name: &Name,
    recorded: &[Record],
    decision: Decision,
) -> Result<Captured, StoreError> {
    let mut records = Vec::with_capacity(decision.drafts.len());
    let mut shown = None;
    let mut another_writes = false;
    for draft in decision.drafts {
        let stores_value = draft.value.is_some();
        let placed = write(stores, draft).await?;
        another_writes |= placed.was_there;
        if stores_value {
            shown = Some(placed.record.entry());
        }
        records.push(placed.record);
    }
    let known = recorded.iter().chain(&records);
    let newest_known = known
        .filter(|r| r.decides_state())
        .max_by_key(|r| r.entry())
        .cloned();
    let head = match &shown {
        // Another may have put a newer value before one of these was put over it.
        Some(_) if another_writes => stores.index.newest_until(name, Instant::LATEST).await?,
        Some(_) | None => newest_known,
    };
    if let Some(head) = head {
        settle(stores, name, &head, shown.as_deref()).await?;
    }
    Ok(Captured {
        records,
        verdicts: decision.verdicts,
        sealed: decision.sealed,
        healed: decision.healed,
    })
}

/// A record that is in the journal and the index.
pub(crate) struct Placed {
    pub(crate) record: Record,
    /// Another writer had put it into the journal.
    was_there: bool,
}

/// Value, then journal, then index.
pub(crate) async fn write(stores: &Stores, draft: Draft) -> Result<Placed, StoreError> {
    let stored = match (&draft.value, draft.record.present()) {
        (Some(value), Some(written)) => {
            let pointer = stores
                .bucket
                .put_value(&draft.record, written, value)
                .await?;
            draft.stored_at(pointer)
        }
        _ => draft.record,
    };
    let placed = match stores.bucket.put_record(&stored).await? {
        Journalled::Written => Placed {
            record: stored,
            was_there: false,
        },
        Journalled::Existing(winner) => Placed {
            record: *winner,
            was_there: true,
        },
    };
    stores.index.put(&placed.record).await?;
    Ok(placed)
}

/// Makes the object at the name show what the head says: a delete marker over
/// a deletion, the value otherwise. A convenience for readers of the bucket.
///
/// `stored` is the entry of the record whose value was stored there last just now:
/// an older one than the head's can be found later, where it could not be read
/// before or a look did not show it.
pub(crate) async fn settle(
    stores: &Stores,
    name: &Name,
    head: &Record,
    stored: Option<&str>,
) -> Result<(), StoreError> {
    if let Some(stored) = stored {
        if head.entry() != stored {
            show_head(stores, head).await?;
        }
        return Ok(());
    }
    match &head.change {
        Change::Deleted { .. } => {
            if stores.bucket.shows_value(name).await? {
                stores.bucket.put_marker(name).await?;
            }
        }
        Change::Written(written) | Change::StillThere(written) => {
            show_again(stores, head, written).await?;
        }
        Change::Labelled { .. } | Change::Tagged { .. } | Change::DeletedBy(_) => {}
    }
    Ok(())
}

/// As at the end of a capture, but whatever the key shows now: for one that
/// shows what it should not.
pub(crate) async fn show_head(stores: &Stores, head: &Record) -> Result<bool, StoreError> {
    match &head.change {
        Change::Deleted { .. } => stores.bucket.put_marker(&head.name).await?,
        Change::Written(written) | Change::StillThere(written) => {
            let Some(pointer) = written.value.pointer() else {
                return Ok(false);
            };
            let value = stores.bucket.value(pointer).await?;
            stores.bucket.put_value(head, written, &value).await?;
        }
        Change::Labelled { .. } | Change::Tagged { .. } | Change::DeletedBy(_) => {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn show_again(stores: &Stores, head: &Record, written: &Written) -> Result<(), StoreError> {
    let Some(pointer) = written.value.pointer() else {
        return Ok(());
    };
    if !stores.bucket.shows_value(&head.name).await? {
        let value = stores.bucket.value(pointer).await?;
        stores.bucket.put_value(head, written, &value).await?;
    }
    Ok(())
}
