//! The journal, day by day: each of its records has its row.
//!
//! The rows under `/` are in order of time, as the journal is: page by page
//! they say which name an object is of, without reading it.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::cure::Cure;
use super::names::{Journal, look_up};
use super::{Finding, Kind, Verification, VerifyReport, before_the_second_look};
use crate::domain::{Instant, Name, Record, keys};
use crate::rebuild::is_object;
use crate::store::{Listed, StoreError};

/// Objects that are looked at at once.
const OBJECTS_AT_ONCE: usize = 16;

pub(super) async fn verify(
    this: &Verification<'_>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let found = this.stores.bucket.days(keys::JOURNAL_PREFIX).await?;
    let stray = |key| Finding::new(Kind::JournalUnreadable, key, "it lies under no day");
    let strays = found.strays.into_iter().map(stray).collect();
    this.tell(strays, report).await?;
    for day in &found.days {
        let mut start = None;
        loop {
            if this.stops(report) {
                return Ok(());
            }
            let (page, next) = this.stores.bucket.list(day, start).await?;
            let page: Vec<Listed> = page.into_iter().filter(is_object).collect();
            one_page(this, page, report).await?;
            start = next;
            if start.is_none() {
                break;
            }
        }
        this.listener.reached(day);
    }
    Ok(())
}

async fn one_page(
    this: &Verification<'_>,
    page: Vec<Listed>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    report.journal += page.len();
    let known = known(this, &page).await?;
    let names: BTreeSet<&Name> = known.values().map(|(name, _)| name).collect();
    let mine = |name: &&Name| this.options.target.contains(name);
    let headless: Vec<Finding> = stream::iter(names.into_iter().filter(mine))
        .map(|name| without_head(this, name))
        .buffer_unordered(OBJECTS_AT_ONCE)
        .try_filter_map(async |finding| Ok(finding))
        .try_collect()
        .await?;
    let missing: Vec<Finding> = stream::iter(page)
        .map(|object| one_object(this, object.key, &known))
        .buffer_unordered(OBJECTS_AT_ONCE)
        .try_filter_map(async |finding| Ok(finding))
        .try_collect()
        .await?;
    this.tell(missing, report).await?;
    this.tell(headless, report).await
}

/// What the rows under `/` say about the keys of a page: name and own entry.
async fn known(
    this: &Verification<'_>,
    page: &[Listed],
) -> Result<BTreeMap<String, (Name, String)>, StoreError> {
    let instants = || page.iter().filter_map(|o| keys::journal_instant(&o.key));
    let (Some(from), Some(to)) = (instants().min(), instants().max()) else {
        return Ok(BTreeMap::new());
    };
    let (mut known, mut start) = (BTreeMap::new(), None);
    loop {
        let (entries, next) = this.stores.index.all_entries(from, to, start).await?;
        for entry in entries {
            if let Some((at, name, suffix)) = keys::parse_path_entry(&entry) {
                let key = keys::journal_key_of(&name, at, suffix);
                known.insert(key, (name, keys::own_entry_of(at, suffix)));
            }
        }
        start = next;
        if start.is_none() {
            return Ok(known);
        }
    }
}

/// The record of an object, if the index does not have it.
async fn one_object(
    this: &Verification<'_>,
    key: String,
    known: &BTreeMap<String, (Name, String)>,
) -> Result<Option<Finding>, StoreError> {
    let index = &this.stores.index;
    if let Some((name, entry)) = known.get(&key) {
        let mine = this.options.target.contains(name);
        if !mine || index.has_row(name.as_str(), entry).await? {
            return Ok(None);
        }
    }
    let record = match look_up(this.stores, &key).await? {
        Journal::Has(record) => record,
        Journal::Lacks => return Ok(None),
        Journal::Unreadable(why) => {
            return Ok(Some(Finding::new(Kind::JournalUnreadable, key, why)));
        }
    };
    if !this.options.target.contains(&record.name) || has_own_row(this, &record).await? {
        return Ok(None);
    }
    before_the_second_look().await;
    if has_own_row(this, &record).await? {
        return Ok(None);
    }
    let finding = Finding::of(Kind::RowMissing, &record, format!("no row for {key}"));
    Ok(Some(finding.cured_by(Cure::Index(record))))
}

async fn has_own_row(this: &Verification<'_>, record: &Record) -> Result<bool, StoreError> {
    let entry = keys::own_entry(record);
    this.stores
        .index
        .has_row(record.name.as_str(), &entry)
        .await
}

/// A name that has rows and no head: the pass over the names misses it.
async fn without_head(this: &Verification<'_>, name: &Name) -> Result<Option<Finding>, StoreError> {
    let index = &this.stores.index;
    if index.head_row(name).await?.is_some() {
        return Ok(None);
    }
    let newest = index
        .newest_until(name, Instant::LATEST.plus_millis(-1))
        .await?;
    let Some(newest) = newest else {
        return Ok(None);
    };
    let told = "there is no head; what it would show was not looked at";
    let finding = Finding::of(Kind::HeadStale, &newest, told);
    Ok(Some(finding.cured_by(Cure::Index(Box::new(newest)))))
}
