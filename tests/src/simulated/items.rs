//! Rows as `DynamoDB` has them: attributes, what they take, and how they compare.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A row: attribute by name, each as the service writes it, such as `{"S": "text"}`.
pub(super) type Item = Map<String, Value>;

/// Rows by partition key, then by sort key.
#[derive(Debug, Default)]
pub(super) struct Rows {
    partitions: BTreeMap<String, BTreeMap<String, Item>>,
}

impl Rows {
    pub(super) fn get(&self, key: &(String, String)) -> Option<&Item> {
        self.partitions.get(&key.0)?.get(&key.1)
    }

    pub(super) fn insert(&mut self, key: (String, String), item: Item) {
        let partition = self.partitions.entry(key.0).or_default();
        partition.insert(key.1, item);
    }

    /// The rows of a partition, in order of sort keys.
    pub(super) fn partition(&self, scope: &str) -> Option<&BTreeMap<String, Item>> {
        self.partitions.get(scope)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Item> {
        self.partitions.values().flat_map(BTreeMap::values)
    }
}

/// What a row takes of a page: names and values.
pub(super) fn bytes(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + bytes_of(value))
        .sum()
}

fn bytes_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(bytes_of).sum::<usize>() + 3,
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| name.len() + bytes_of(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}

/// How two attributes of one type compare; none where they are of different types.
pub(super) fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    if let (Some(one), Some(other)) = (one["S"].as_str(), other["S"].as_str()) {
        return Some(one.cmp(other));
    }
    let number = |value: &Value| value["N"].as_str()?.parse::<f64>().ok();
    number(one)?.partial_cmp(&number(other)?)
}

/// The text of an attribute; none where it is of another type.
pub(super) fn text<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    item.get(attribute)?["S"].as_str()
}
