//! What is on record of a name, as far as it does not depend on the run: to be compared with that of
//! another name to which the same happened.

use std::collections::BTreeSet;
use std::io;

use serde_json::Value as Json;
use ssmbak_core::domain::Pointer;
use ssmbak_core::store::Stores;

use super::place::{Place, name, wrong};

/// Rows, journal and values of one name, and whether its key shows an object.
pub type OnRecord = (Vec<String>, Vec<String>, Vec<String>, bool);

/// Every row of the table and every record of the journal.
#[derive(Debug)]
pub struct All {
    rows: Vec<Json>,
    journal: Vec<Json>,
}

impl All {
    /// What these rows and records hold.
    pub fn new(rows: Vec<Json>, journal: Vec<Json>) -> Self {
        Self { rows, journal }
    }

    pub(super) async fn of(place: &Place) -> io::Result<Self> {
        let rows = place.rows_of(&place.location.table).await?;
        let journal = journal(&place.s3, &place.location.bucket).await?;
        Ok(Self::new(rows, journal))
    }

    pub(super) fn into_journal(self) -> Vec<Json> {
        self.journal
    }

    /// All that is on record of a name. A pointer to nothing is an error.
    pub async fn about(&self, stores: &Stores, of: &str) -> io::Result<OnRecord> {
        let rows = about(&self.rows, of);
        let mut values = values_of(stores, rows.iter().copied()).await?;
        values.sort();
        let entries = about(&self.journal, of);
        let shown = stores.bucket.shows_value(&name(of)?).await;
        Ok((
            comparable(&rows, of),
            comparable(&entries, of),
            values,
            shown.map_err(io::Error::other)?,
        ))
    }
}

/// The records of the journal of a bucket.
pub async fn journal(s3: &aws_sdk_s3::Client, bucket: &str) -> io::Result<Vec<Json>> {
    let list = s3
        .list_objects_v2()
        .bucket(bucket)
        .prefix("_ssmbak/journal/");
    let mut pages = list.into_paginator().send();
    let mut records = Vec::new();
    while let Some(page) = pages.next().await {
        for object in page.map_err(io::Error::other)?.contents() {
            let get = s3.get_object().bucket(bucket);
            let get = get.key(object.key().unwrap_or_default()).send().await;
            let body = get.map_err(io::Error::other)?.body.collect().await;
            let bytes = body.map_err(io::Error::other)?.into_bytes();
            records.push(serde_json::from_slice(&bytes).map_err(io::Error::other)?);
        }
    }
    Ok(records)
}

/// Reads the value of every row; a pointer to nothing is an error.
pub async fn values_of<'row>(
    stores: &Stores,
    rows: impl IntoIterator<Item = &'row Json>,
) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for row in rows {
        pointers(row, &mut found);
    }
    let mut values = Vec::new();
    for pointer in found {
        match stores.bucket.value(&pointer).await {
            Ok(value) => values.push(value.expose().to_owned()),
            Err(error) => return wrong(format!("a record without its value: {error}")),
        }
    }
    Ok(values)
}

/// Every pointer of a row, wherever it stands.
pub fn pointers(row: &Json, found: &mut Vec<Pointer>) {
    let Some(fields) = row.as_object() else {
        return;
    };
    let text = |field: &str| fields.get(field)?.as_str().map(str::to_owned);
    if let (Some(bucket), Some(key), Some(version_id)) =
        (text("bucket"), text("key"), text("versionId"))
    {
        found.push(Pointer {
            bucket,
            key,
            version_id,
        });
    }
    for inner in fields.values() {
        pointers(inner, found);
    }
}

/// Those that are about a name.
pub fn about<'a>(all: &'a [Json], of: &str) -> Vec<&'a Json> {
    let concerned =
        |row: &&Json| row["name"] == of || (row["scope"] == "@names" && row["entry"] == of);
    all.iter().filter(concerned).collect()
}

/// What differs from one run to the next is left out or numbered.
fn comparable(rows: &[&Json], of: &str) -> Vec<String> {
    let times: BTreeSet<&str> = rows.iter().filter_map(|r| r["time"].as_str()).collect();
    let mut texts = Vec::new();
    for row in rows {
        let mut row = (*row).clone();
        forget(&mut row);
        let mut text = row.to_string().replace(of, "NAME");
        for (number, time) in times.iter().enumerate() {
            text = text.replace(time, &format!("TIME{number}"));
        }
        texts.push(text);
    }
    texts.sort();
    texts
}

fn forget(row: &mut Json) {
    if let Some(fields) = row.as_object_mut() {
        for field in ["recordedAt", "versionId", "event", "eventId", "eventTime"] {
            fields.remove(field);
        }
        fields.values_mut().for_each(forget);
    }
}
