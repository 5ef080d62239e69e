//! Runs, as the index has them.

use super::rows::{Item, from_item, string, text};
use super::{Index, LAST_INSTANT, StoreError, keys};
use crate::domain::run::{Run, RunName};

/// Before every run's sort key.
const FIRST_RUN: &str = "run#";

impl Index {
    /// The newest run that began before `before`, without its names; of all,
    /// where that is none. Two calls, however many names it has.
    pub async fn run_before(&self, before: Option<&Run>) -> Result<Option<Run>, StoreError> {
        let mut end = match before {
            Some(run) => keys::run_entry(run.started, &run.id),
            None => format!("{FIRST_RUN}{LAST_INSTANT}"),
        };
        loop {
            let query = self
                .query(keys::META)
                .key_condition_expression("#s = :s AND #e BETWEEN :a AND :z")
                .expression_attribute_values(":a", text(FIRST_RUN))
                .expression_attribute_values(":z", text(&end));
            // The end itself is among what BETWEEN finds.
            let query = query.scan_index_forward(false).limit(2);
            let (items, _) = self.page(query).await?;
            let entry = |item: &Item| string(item, "entry").map(str::to_owned);
            let entries = items.iter().filter_map(entry);
            let Some(entry) = entries.into_iter().find(|entry| *entry < end) else {
                return Ok(None);
            };
            let Some(own) = keys::run_of_entry(&entry) else {
                return Ok(None);
            };
            if let Some(item) = self.item(keys::META, own).await? {
                return from_item(item).map(Some);
            }
            // Its writer died before the row of the run itself.
            end = own.to_owned();
        }
    }

    /// The names of a run, in order: all pages.
    pub async fn run_names(&self, run: &Run) -> Result<Vec<RunName>, StoreError> {
        let names = format!("{}#", keys::run_entry(run.started, &run.id));
        let query = self
            .query(keys::META)
            .key_condition_expression("#s = :s AND begins_with(#e, :p)")
            .expression_attribute_values(":p", text(&names));
        let items = self.all(query).await?;
        items.into_iter().map(from_item).collect()
    }
}
