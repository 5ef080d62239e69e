//! What must be so whatever happened: nothing lost, nothing doubled, nothing
//! misdated, and the same answers from the journal alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use ssmbak_core::domain::stored::from_journal;
use ssmbak_core::domain::{Change, Instant, Name, Record, ValueState, Written, keys};
use ssmbak_core::rebuild::{RebuildOptions, rebuild};
use ssmbak_core::store::{Location, StoreError};
use ssmbak_core::verify::{Finding, Kind, Listener, VerifyOptions, verify};

use super::ask::everything;
use super::{Play, SOMEBODY};
use crate::histories::{Version, What};

/// Hears what a verification finds.
#[derive(Default)]
struct Found(Mutex<Vec<Finding>>);

impl Listener for Found {
    fn found(&self, finding: &Finding) {
        if let Ok(mut found) = self.0.lock() {
            found.push(finding.clone());
        }
    }

    fn reached(&self, _: &str) {}
}

impl Play<'_> {
    /// Every record is in the journal and in the index, once, and tells the truth.
    pub(super) async fn check_records(&self) -> Result<(), String> {
        let mut journal: BTreeMap<Name, Vec<Record>> = BTreeMap::new();
        let objects = self
            .aws
            .objects(&self.location.bucket, keys::JOURNAL_PREFIX);
        for (key, body) in objects {
            let record = from_journal(&body).map_err(|error| format!("{key}: {error}"))?;
            journal.entry(record.name.clone()).or_default().push(record);
        }
        for (name, records) in journal {
            self.check_indexed(&name, &records).await.map_err(told)?;
            check_lives(&records)?;
            let mut versions = BTreeSet::new();
            for record in &records {
                if let Some(number) = number(record)
                    && !versions.insert((number, record.at))
                {
                    return Err(format!("recorded twice: {record:?}"));
                }
                self.check_true(record)
                    .await
                    .map_err(|why| format!("{why}: {record:?}\n{:#?}", self.sure.changes()))?;
            }
        }
        Ok(())
    }

    async fn check_indexed(&self, name: &Name, records: &[Record]) -> Result<(), StoreError> {
        let index = &self.somebody().index;
        for record in records {
            let row = index.row_of(record, None).await?;
            let same = row
                .and_then(|row| row.record())
                .is_some_and(|r| r == *record);
            if !same {
                let told = format!("the index does not hold {record:?}");
                return Err(StoreError::new(
                    format!("check {name}"),
                    ssmbak_core::store::ErrorKind::Format,
                    told,
                ));
            }
        }
        Ok(())
    }

    /// Whether what a record says is what happened.
    async fn check_true(&self, record: &Record) -> Result<(), String> {
        let changes = self.sure.changes().iter();
        let of_name = changes.filter(|c| c.name == record.name);
        let happened = match &record.change {
            Change::Written(written) => return self.check_version(record, written).await,
            Change::Deleted { not_before, .. } => {
                let from = not_before.map_or(record.at.second_start(), Instant::second_start);
                let deleted = |c: &&crate::histories::Change| {
                    c.what == What::Deleted && from <= c.at && c.at <= record.at.second_end()
                };
                of_name.filter(deleted).count() > 0
            }
            Change::Labelled { label, to, .. } => of_name.filter(|c| {
                matches!(&c.what, What::Labelled { label: l, to: t, .. } if l == label && t == to)
                    && c.at.same_second(record.at)
            }).count() > 0,
            Change::StillThere(written) => {
                let version = self.sure.truth(&record.name, record.at);
                version.is_some_and(|version| written.version == Some(version.number))
            }
            // Seen at a look or told by an event: their own test holds them up against the truth.
            Change::Tagged { .. } | Change::DeletedBy(_) => true,
        };
        if happened {
            Ok(())
        } else {
            Err("it never happened".to_owned())
        }
    }

    async fn check_version(&self, record: &Record, written: &Written) -> Result<(), String> {
        let versions = self.sure.changes().iter().filter(|c| c.name == record.name);
        let mut versions = versions.filter_map(|change| match &change.what {
            What::Written(version) => Some(version),
            What::Deleted | What::Labelled { .. } | What::Tagged(_) => None,
        });
        let found: Option<&Version> = match written.version {
            Some(number) => versions.find(|v| v.number == number && v.at == record.at),
            None => versions.find(|v| v.at.same_second(record.at)),
        };
        let version = found.ok_or("no version was written then")?;
        match &written.value {
            ValueState::Lost if written.version.is_none() => Ok(()),
            ValueState::Lost => Err("its value was there to be read".to_owned()),
            ValueState::Stored(pointer) => {
                let value = self.somebody().bucket.value(pointer).await.map_err(told)?;
                let attributes = &written.attributes;
                let same = value.expose() == version.value
                    && attributes.parameter_type == version.kind.text()
                    && attributes.tier.as_deref() == Some(version.tier.text())
                    && attributes.description == version.description;
                same.then_some(())
                    .ok_or_else(|| format!("it was {version:?}"))
            }
        }
    }

    /// A verification finds nothing to tell of.
    pub(super) async fn check_health(&self) -> Result<(), String> {
        self.verified(false, &[]).await
    }

    /// A restore that died between the fact that it begins and its rows is told, as nobody goes on
    /// with it, and is put right; nothing else is.
    pub(super) async fn check_health_after_restore(&self) -> Result<(), String> {
        self.verified(true, &[Kind::RunMissing]).await?;
        self.check_health().await
    }

    async fn verified(&self, heal: bool, may_be: &[Kind]) -> Result<(), String> {
        let options = VerifyOptions {
            target: everything(),
            from: None,
            // Each value on record has been compared already.
            values: self.trial.seed.is_multiple_of(2),
            heal,
        };
        let found = Found::default();
        let report = verify(self.somebody(), &options, &AtomicBool::new(false), &found).await;
        let report = report.map_err(told)?;
        let found = found.0.into_inner().unwrap_or_default();
        let may_be =
            |finding: &Finding| may_be.contains(&finding.kind) && finding.healed == Some(true);
        if report.findings == found.len() && found.iter().all(may_be) {
            return Ok(());
        }
        Err(format!("verified: {found:#?}\n{:#?}", self.sure.changes()))
    }

    /// From the journal alone comes the same index.
    pub(super) async fn check_rebuild(&self) -> Result<(), String> {
        let other = Location {
            table: "rebuilt".to_owned(),
            ..self.location.clone()
        };
        self.aws.make_table(&other.table);
        let stores = self.aws.stores(SOMEBODY, &other);
        let report = rebuild(&stores, RebuildOptions::default(), &|_| {}).await;
        let report = report.map_err(told)?;
        let (one, two) = (
            self.aws.rows(&self.location.table),
            self.aws.rows(&other.table),
        );
        if report.finished && one == two {
            return Ok(());
        }
        let missing = only(&one, &two);
        let added = only(&two, &one);
        Err(format!(
            "rebuilt: {report:?}; missing {missing:#?}; instead {added:#?}\n{:#?}",
            self.sure.changes()
        ))
    }
}

/// A number that does not rise with time proves a deletion between, which must be on record.
fn check_lives(records: &[Record]) -> Result<(), String> {
    let mut versions: Vec<(&Record, u64)> = records
        .iter()
        .filter_map(|r| Some((r, number(r)?)))
        .collect();
    versions.sort_by_key(|(record, _)| record.at);
    for pair in versions.windows(2) {
        let ((earlier, before), (later, after)) = (pair[0], pair[1]);
        let between = |r: &&Record| r.at > earlier.at && r.at <= later.at.second_end();
        let deleted = records.iter().filter(between).any(Record::is_deletion);
        if after <= before && !deleted {
            return Err(format!("no deletion between {earlier:?} and {later:?}"));
        }
    }
    Ok(())
}

fn only<'v>(these: &'v [Value], those: &[Value]) -> Vec<&'v Value> {
    these.iter().filter(|row| !those.contains(row)).collect()
}

fn number(record: &Record) -> Option<u64> {
    match &record.change {
        Change::Written(written) => written.version,
        Change::Deleted { .. }
        | Change::StillThere(_)
        | Change::Labelled { .. }
        | Change::Tagged { .. }
        | Change::DeletedBy(_) => None,
    }
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "it stands where an error is mapped"
)]
pub(super) fn told(error: StoreError) -> String {
    error.to_string()
}
