//! Rows of the table to and from the stored shapes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ErrorKind, Head, StoreError, TagHead};
use crate::domain::coverage::{Covered, Interval};
use crate::domain::stored::StoredRecord;
use crate::domain::{Path, Record};

/// A row as DynamoDB has it.
pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(super) fn string<'a>(item: &'a Item, field: &str) -> Option<&'a str> {
    item.get(field)
        .and_then(|v| v.as_s().ok())
        .map(String::as_str)
}

pub(super) fn misshapen(told: &str) -> StoreError {
    StoreError::new("read or write a row of the index", ErrorKind::Format, told)
}

pub(super) fn keyed<T: Serialize>(scope: &str, entry: &str, row: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(row).map_err(|e| misshapen(&e.to_string()))?;
    item.insert("scope".into(), text(scope));
    item.insert("entry".into(), text(entry));
    Ok(item)
}

pub(super) fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|e| misshapen(&e.to_string()))
}

pub(super) fn read_record(item: Item) -> Result<Record, StoreError> {
    let stored: StoredRecord = from_item(item)?;
    Ok(stored.try_into()?)
}

/// What a coverage row says.
pub(super) fn read_coverage(mut item: Item) -> Result<Covered, StoreError> {
    let path = string(&item, "path").and_then(|p| Path::parse(p).ok());
    let intervals = item.remove("intervals");
    let (Some(path), Some(intervals)) = (path, intervals) else {
        return Err(misshapen("a coverage row lacks its path or intervals"));
    };
    let intervals: Vec<Interval> =
        serde_dynamo::from_attribute_value(intervals).map_err(|e| misshapen(&e.to_string()))?;
    Ok((path, intervals))
}

/// The head of a names row; none where only labels or tags were seen.
pub(super) fn read_head(mut item: Item) -> Result<Option<Head>, StoreError> {
    let labelled = item.contains_key("labelRecord");
    let tags = item.remove("tagRecord").map(read_held).transpose()?;
    let tags = tags.map(|(record, trimmed)| TagHead {
        entry: string(&item, "tagHead").unwrap_or_default().to_owned(),
        record,
        trimmed,
    });
    let Some(held) = item.remove("record") else {
        return Ok(None);
    };
    let (record, trimmed) = read_held(held)?;
    Ok(Some(Head {
        record,
        trimmed,
        tags,
        labelled,
    }))
}

/// A record that stands in a head, and whether it was trimmed for that.
fn read_held(held: AttributeValue) -> Result<(Record, bool), StoreError> {
    let stored: StoredRecord =
        serde_dynamo::from_attribute_value(held).map_err(|e| misshapen(&e.to_string()))?;
    let trimmed = stored.trimmed == Some(true);
    Ok((stored.try_into()?, trimmed))
}
