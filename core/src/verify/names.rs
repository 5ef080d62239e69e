//! Names in order: each with its head, its rows, their copies, their objects
//! in the journal, their values, and what the key shows.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::cure::Cure;
use super::versions::Versions;
use super::{Finding, Kind, Verification, VerifyReport, before_the_second_look};
use crate::domain::journal::{self, RECORD_BYTES_MAX};
use crate::domain::stored::StoredRecord;
use crate::domain::{Change, Name, Pointer, Record, Target, keys};
use crate::rebuild::readable;
use crate::store::{AuditRow, ErrorKind, HeadRow, KeptVersion, StoreError, Stores, head_field};

/// Names that are looked at at once.
const NAMES_AT_ONCE: usize = 8;
/// Rows of one name that are looked at at once.
const ROWS_AT_ONCE: usize = 8;
/// No value of Parameter Store is longer.
const VALUE_BYTES_MAX: usize = 8 * 1024;

pub(super) async fn verify(
    this: &Verification<'_>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let (target, from) = (&this.options.target, this.options.from.as_ref());
    let mut versions = Versions::of(this.stores, target);
    let mut start = None;
    loop {
        let (heads, next) = this.stores.index.head_rows(target, from, start).await?;
        for some in heads.chunks(NAMES_AT_ONCE) {
            report.go_on_at = some.first().map(|head| head.name.clone());
            if this.stops(report) {
                return Ok(());
            }
            several(this, some, &mut versions, report).await?;
            // The other passes begin anew.
            report.go_on_at = some.last().map(|head| head.name.clone());
        }
        start = next;
        if start.is_none() {
            break;
        }
    }
    // Of a name that was asked for alone, others with the same beginning follow.
    if matches!(target, Target::Path { .. }) && from.is_none() {
        versions.finish().await?;
        report.unpointed += versions.without_head;
    }
    Ok(())
}

async fn several(
    this: &Verification<'_>,
    heads: &[HeadRow],
    versions: &mut Versions<'_>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let mut looks = Vec::with_capacity(heads.len());
    for head in heads {
        looks.push((head.clone(), versions.take(&head.name).await?));
    }
    let judged: Vec<Judged> = stream::iter(looks)
        .map(|(head, kept)| judge(this, head, kept))
        .buffered(NAMES_AT_ONCE)
        .try_collect()
        .await?;
    let differ: Vec<Name> = judged
        .iter()
        .zip(heads)
        .filter(|(judged, _)| !judged.findings.is_empty())
        .map(|(_, head)| head.name.clone())
        .collect();
    for judged in judged {
        report.names += 1;
        report.records += judged.records;
        report.unpointed += judged.unpointed;
    }
    if !differ.is_empty() {
        before_the_second_look().await;
    }
    for name in differ {
        let Some(head) = this.stores.index.head_row(&name).await? else {
            continue;
        };
        let alone = Target::Name(name.clone());
        let kept = Versions::of(this.stores, &alone).take(&name).await?;
        let judged = judge(this, head, kept).await?;
        this.tell(judged.findings, report).await?;
    }
    if let Some(last) = heads.last() {
        this.listener.reached(last.name.as_str());
    }
    Ok(())
}

/// What was found of one name.
#[derive(Default)]
struct Judged {
    findings: Vec<Finding>,
    records: usize,
    unpointed: usize,
}

async fn judge(
    this: &Verification<'_>,
    head: HeadRow,
    kept: Vec<KeptVersion>,
) -> Result<Judged, StoreError> {
    let name = &head.name;
    let mut judged = Judged::default();
    let ids: BTreeSet<&str> = objects(&kept).map(|v| v.version_id.as_str()).collect();
    let mut pointed: BTreeSet<String> = BTreeSet::new();
    let mut newest: BTreeMap<&'static str, Record> = BTreeMap::new();
    let mut start = None;
    loop {
        let (rows, next) = this.stores.index.own_rows(name, start).await?;
        let mut looks = stream::iter(rows)
            .map(|row| judge_row(this, name, row, &ids))
            .buffer_unordered(ROWS_AT_ONCE);
        while let Some(row) = looks.next().await {
            let (record, findings) = row?;
            judged.records += 1;
            judged.findings.extend(findings);
            let Some(record) = record else { continue };
            if let Some(pointer) = pointer_of(&record) {
                pointed.insert(pointer.version_id.clone());
            }
            let Some(field) = head_field(&record) else {
                continue;
            };
            let known = newest.get(field).map(Record::entry);
            if known.is_none_or(|known| known < record.entry()) {
                newest.insert(field, record);
            }
        }
        start = next;
        if start.is_none() {
            break;
        }
    }
    let ahead = heads_of_missing_rows(this.stores, &head, &newest).await?;
    judged.findings.extend(judge_head(&head, &newest, &ahead));
    // Where the newest row is missing, nobody should judge by the one before.
    let shown = newest.get("head").filter(|_| !ahead.contains("head"));
    judged
        .findings
        .extend(shown.and_then(|head| judge_key(this.stores, head, &kept, &pointed)));
    judged.unpointed = ids.iter().filter(|id| !pointed.contains(**id)).count();
    Ok(judged)
}

fn objects(kept: &[KeptVersion]) -> impl Iterator<Item = &KeptVersion> {
    kept.iter().filter(|v| !v.marker)
}

fn pointer_of(record: &Record) -> Option<&Pointer> {
    record.present()?.value.pointer()
}

/// The record that a row stands for, the journal's where it has it, and what
/// is wrong with the row.
async fn judge_row(
    this: &Verification<'_>,
    name: &Name,
    row: AuditRow,
    ids: &BTreeSet<&str>,
) -> Result<(Option<Record>, Vec<Finding>), StoreError> {
    let Some((at, suffix)) = keys::parse_own_entry(&row.entry) else {
        let told = format!("a row has the sort key {:?}", row.entry);
        let finding = Finding::new(Kind::RowDiffers, name.as_str(), told);
        return Ok((None, vec![finding]));
    };
    let mut findings = Vec::new();
    let key = keys::journal_key_of(name, at, suffix);
    let in_journal = match look_up(this.stores, &key).await? {
        Journal::Has(record) => Some(*record),
        Journal::Lacks => None,
        Journal::Unreadable(why) => {
            let told = format!("{key}: {why}");
            let finding = Finding::new(Kind::JournalUnreadable, name.as_str(), told);
            findings.push(Finding {
                time: Some(at),
                ..finding
            });
            return Ok((row.record(), findings));
        }
    };
    let own = row.record().filter(|own| {
        let entry = keys::own_entry(own);
        own.name == *name && entry == row.entry
    });
    let Some(record) = in_journal.clone().or_else(|| own.clone()) else {
        let told = "the row makes no sense, and the journal does not have it";
        let finding = Finding::new(Kind::JournalMissing, name.as_str(), told);
        return Ok((
            None,
            vec![Finding {
                time: Some(at),
                ..finding
            }],
        ));
    };
    let value_is_there = judge_value(this, &record, ids, &mut findings).await?;
    if in_journal.is_none() {
        let cure = if value_is_there {
            Cure::Journal(Box::new(record.clone()))
        } else {
            Cure::None
        };
        let finding = Finding::of(Kind::JournalMissing, &record, format!("{key} is missing"));
        findings.push(finding.cured_by(cure));
    } else if row.stored.as_ref() != Some(&StoredRecord::from(&record)) {
        let told = "the row is not what the journal says";
        findings.push(Finding::of(Kind::RowDiffers, &record, told).cured_by(index(&record)));
    }
    findings.extend(judge_copies(this.stores, &record).await?);
    Ok((Some(record), findings))
}

fn index(record: &Record) -> Cure {
    Cure::Index(Box::new(record.clone()))
}

/// What the journal has at a key.
pub(super) enum Journal {
    Has(Box<Record>),
    Lacks,
    Unreadable(String),
}

pub(super) async fn look_up(stores: &Stores, key: &str) -> Result<Journal, StoreError> {
    let body = match stores.bucket.body(key, RECORD_BYTES_MAX).await {
        Ok(Some(body)) => body,
        Ok(None) => return Ok(Journal::Lacks),
        Err(e) if e.kind() == ErrorKind::Format => return Ok(Journal::Unreadable(e.to_string())),
        Err(error) => return Err(error),
    };
    Ok(match readable(key, journal::record_at(key, &body))? {
        Ok(record) => Journal::Has(Box::new(record)),
        Err(why) => Journal::Unreadable(why),
    })
}

/// Whether the value that a record points to is there; true where it points to
/// none.
async fn judge_value(
    this: &Verification<'_>,
    record: &Record,
    ids: &BTreeSet<&str>,
    findings: &mut Vec<Finding>,
) -> Result<bool, StoreError> {
    let Some(pointer) = pointer_of(record) else {
        return Ok(true);
    };
    let bucket = &this.stores.bucket;
    let own = pointer.bucket == bucket.name() && pointer.key == record.name.as_str();
    let there = if own {
        ids.contains(pointer.version_id.as_str())
    } else {
        bucket.has_value(pointer).await?
    };
    if !there {
        let told = format!("no version {} of {}", pointer.version_id, pointer.key);
        findings.push(Finding::of(Kind::ValueMissing, record, told));
    } else if this.options.values {
        let wrong = match bucket.value(pointer).await {
            Ok(value) if value.expose().len() > VALUE_BYTES_MAX => {
                Some(format!("it has {} bytes", value.expose().len()))
            }
            Ok(_) => None,
            Err(e) if e.kind() == ErrorKind::Format => Some(e.to_string()),
            Err(error) => return Err(error),
        };
        findings.extend(wrong.map(|told| Finding::of(Kind::ValueDiffers, record, told)));
    }
    Ok(there)
}

/// The slim copy under each path above the name.
async fn judge_copies(stores: &Stores, record: &Record) -> Result<Vec<Finding>, StoreError> {
    let slim = StoredRecord::from(record).slim();
    let mut findings = Vec::new();
    for path in record.name.paths_above() {
        let (kind, told) = match stores.index.row_of(record, Some(&path)).await? {
            None => (Kind::SlimMissing, format!("no copy under {path}")),
            Some(row) if row.stored.as_ref() != Some(&slim) => {
                (Kind::SlimDiffers, format!("another copy under {path}"))
            }
            Some(_) => continue,
        };
        findings.push(Finding::of(kind, record, told).cured_by(index(record)));
    }
    Ok(findings)
}

const FIELDS: [&str; 3] = ["head", "labelHead", "tagHead"];

/// The kinds of which the head tells of a record that the journal has, newer
/// than every row: the row is missing, which the journal's pass tells.
async fn heads_of_missing_rows(
    stores: &Stores,
    head: &HeadRow,
    newest: &BTreeMap<&'static str, Record>,
) -> Result<BTreeSet<&'static str>, StoreError> {
    let mut ahead = BTreeSet::new();
    for field in FIELDS {
        let Some((entry, _)) = head.kind(field) else {
            continue;
        };
        let newer = newest.get(field).is_none_or(|r| r.entry().as_str() < entry);
        let Some((at, suffix)) = keys::parse_own_entry(entry).filter(|_| newer) else {
            continue;
        };
        let key = keys::journal_key_of(&head.name, at, suffix);
        if matches!(look_up(stores, &key).await?, Journal::Has(_)) {
            ahead.insert(field);
        }
    }
    Ok(ahead)
}

/// The head against the newest own row of each kind.
fn judge_head(
    head: &HeadRow,
    newest: &BTreeMap<&'static str, Record>,
    ahead: &BTreeSet<&'static str>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for field in FIELDS.into_iter().filter(|field| !ahead.contains(field)) {
        let Some(record) = newest.get(field) else {
            if let Some((entry, _)) = head.kind(field) {
                let told = format!("{field} is {entry}, and there is no such row");
                findings.push(Finding::new(Kind::HeadStale, head.name.as_str(), told));
            }
            continue;
        };
        let expected = StoredRecord::from(record).for_head();
        let (entry, held) = head.kind(field).unwrap_or_default();
        if entry == record.entry() && held == Some(&expected) {
            continue;
        }
        let (cure, told) = match entry {
            "" => (index(record), format!("there is no {field}")),
            newer if newer > record.entry().as_str() => (
                Cure::None,
                format!("{field} is {newer}, and there is no such row"),
            ),
            older => (index(record), format!("{field} is {older}")),
        };
        findings.push(Finding::of(Kind::HeadStale, record, told).cured_by(cure));
    }
    findings
}

/// What the key shows against what the head says. A version that no record
/// points to is taken for a second copy of the head's.
fn judge_key(
    stores: &Stores,
    head: &Record,
    kept: &[KeptVersion],
    pointed: &BTreeSet<String>,
) -> Option<Finding> {
    let latest = kept.iter().find(|v| v.latest);
    let shows_value = latest.is_some_and(|v| !v.marker);
    let told = match (&head.change, pointer_of(head)) {
        (Change::Deleted { .. }, _) => shows_value.then_some("it shows a value, and is deleted"),
        (_, Some(pointer)) if pointer.bucket == stores.bucket.name() => match latest {
            Some(v) if v.marker => Some("it shows a deletion, and is there"),
            None => Some("it shows nothing, and is there"),
            Some(v) if v.version_id != pointer.version_id && pointed.contains(&v.version_id) => {
                Some("it shows the value of another version")
            }
            Some(_) => None,
        },
        _ => None,
    };
    let finding = Finding::of(Kind::KeyShowsWrongObject, head, told?);
    Some(finding.cured_by(Cure::Key(Box::new(head.clone()))))
}
