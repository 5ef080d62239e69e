//! Reading the index row by row, as `verify` judges it: nothing is taken on
//! trust, and a row that makes no sense is an answer, not an error.

use super::rows::{Item, from_item, string, text};
use super::{Cursor, Index, StoreError};
use crate::domain::stored::StoredRecord;
use crate::domain::{Instant, Name, Path, Record, Target, keys};

/// Fields of a head, and those that hold its record.
const HEAD_FIELDS: [(&str, &str); 3] = [
    ("head", "record"),
    ("labelHead", "labelRecord"),
    ("tagHead", "tagRecord"),
];

/// The head of a name, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadRow {
    /// The name.
    pub name: Name,
    /// Of each kind that is there: its field, its entry, and the record that it
    /// holds, where that can be read.
    pub kinds: Vec<(&'static str, String, Option<StoredRecord>)>,
}

impl HeadRow {
    /// What it holds in a field: the entry, and the record.
    pub fn kind(&self, field: &str) -> Option<(&str, Option<&StoredRecord>)> {
        let found = self.kinds.iter().find(|(own, ..)| *own == field)?;
        Some((&found.1, found.2.as_ref()))
    }
}

/// A row of a record, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    /// Its sort key.
    pub entry: String,
    /// What it holds, where that can be read.
    pub stored: Option<StoredRecord>,
}

impl AuditRow {
    /// Its record, where it has one.
    pub fn record(&self) -> Option<Record> {
        self.stored.clone()?.try_into().ok()
    }
}

/// The field of a head in which a record would stand, if it is of a kind that
/// has one.
pub fn head_field(record: &Record) -> Option<&'static str> {
    super::write::head_fields(record).map(|(field, _)| field)
}

impl Index {
    /// One page of the heads under `target`, in order of names from `from` on,
    /// and where the next page begins.
    pub async fn head_rows(
        &self,
        target: &Target,
        from: Option<&Name>,
        start: Option<Cursor>,
    ) -> Result<(Vec<HeadRow>, Option<Cursor>), StoreError> {
        let path = match target {
            Target::Name(name) => {
                let row = self.head_row(name).await?;
                return Ok((row.into_iter().collect(), None));
            }
            Target::Path { path, .. } => path,
        };
        // Above every name under the path.
        let end = format!("{path}\u{10FFFF}");
        let first = from.map_or(path.as_str(), Name::as_str).max(path.as_str());
        if first > end.as_str() {
            return Ok((Vec::new(), None));
        }
        let query = self
            .query(keys::NAMES)
            .key_condition_expression("#s = :s AND #e BETWEEN :a AND :z")
            .expression_attribute_values(":a", text(first))
            .expression_attribute_values(":z", text(&end))
            .set_exclusive_start_key(start.map(|c| c.0));
        let (items, next) = self.page(query).await?;
        let rows = items.iter().filter_map(head_row);
        let rows = rows.filter(|row| target.contains(&row.name)).collect();
        Ok((rows, next.map(Cursor)))
    }

    /// The head of one name, as it stands.
    pub async fn head_row(&self, name: &Name) -> Result<Option<HeadRow>, StoreError> {
        Ok(self
            .item(keys::NAMES, name.as_str())
            .await?
            .as_ref()
            .and_then(head_row))
    }

    /// One page of the own rows of a name: labels and tags first, then in order
    /// of time; and where the next page begins.
    pub async fn own_rows(
        &self,
        name: &Name,
        start: Option<Cursor>,
    ) -> Result<(Vec<AuditRow>, Option<Cursor>), StoreError> {
        let query = self
            .query(name.as_str())
            .key_condition_expression("#s = :s");
        // The query of a whole partition names no sort key.
        let query = query
            .set_expression_attribute_names(Some([("#s".to_owned(), "scope".to_owned())].into()));
        let query = query.set_exclusive_start_key(start.map(|c| c.0));
        let (items, next) = self.page(query).await?;
        let rows = items.into_iter().map(audit_row).collect();
        Ok((rows, next.map(Cursor)))
    }

    /// The own row of a record, or its copy under `path`, as it stands.
    pub async fn row_of(
        &self,
        record: &Record,
        path: Option<&Path>,
    ) -> Result<Option<AuditRow>, StoreError> {
        let item = match path {
            None => {
                let entry = keys::own_entry(record);
                self.item(record.name.as_str(), &entry).await?
            }
            Some(path) => self.item(path.as_str(), &keys::path_entry(record)).await?,
        };
        Ok(item.map(audit_row))
    }

    /// Whether the row at these keys is there.
    pub async fn has_row(&self, scope: &str, entry: &str) -> Result<bool, StoreError> {
        Ok(self.item(scope, entry).await?.is_some())
    }

    /// The sort keys of one page of all records from `from` to `to`, in order
    /// of time, and where the next page begins.
    pub async fn all_entries(
        &self,
        from: Instant,
        to: Instant,
        start: Option<Cursor>,
    ) -> Result<(Vec<String>, Option<Cursor>), StoreError> {
        let query = self
            .query(Path::root().as_str())
            .key_condition_expression("#s = :s AND #e BETWEEN :a AND :z")
            .expression_attribute_values(":a", text(&from.to_string()))
            .expression_attribute_values(":z", text(&keys::just_after(to)))
            .projection_expression("#e")
            .set_exclusive_start_key(start.map(|c| c.0));
        let (items, next) = self.page(query).await?;
        let entries = items.iter().filter_map(|i| string(i, "entry"));
        Ok((entries.map(str::to_owned).collect(), next.map(Cursor)))
    }
}

fn head_row(item: &Item) -> Option<HeadRow> {
    let name = Name::parse(string(item, "entry")?).ok()?;
    let kinds = HEAD_FIELDS.into_iter().filter_map(|(key, value)| {
        let entry = string(item, key)?.to_owned();
        let held = item.get(value).cloned();
        let held = held.and_then(|held| serde_dynamo::from_attribute_value(held).ok());
        Some((key, entry, held))
    });
    let kinds = kinds.collect();
    Some(HeadRow { name, kinds })
}

fn audit_row(item: Item) -> AuditRow {
    AuditRow {
        entry: string(&item, "entry").unwrap_or_default().to_owned(),
        stored: from_item(item).ok(),
    }
}
