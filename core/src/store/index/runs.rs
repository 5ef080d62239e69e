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
            None => end_of_runs(),
        };
        while let Some(entry) = self.run_entry_before(&end).await? {
            if let Some(run) = self.run_at(&entry).await? {
                return Ok(Some(run));
            }
            end = entry;
        }
        Ok(None)
    }

    /// The runs whose id begins with `start`, newest first, without their names;
    /// only the one where `start` is the whole of its id. A call for each run
    /// there is, at most, and one for each that is found.
    pub async fn runs_of(&self, start: &str) -> Result<Vec<Run>, StoreError> {
        let (mut runs, mut end) = (Vec::new(), end_of_runs());
        while let Some(entry) = self.run_entry_before(&end).await? {
            let id = keys::run_id_of_entry(&entry).unwrap_or_default();
            if id.starts_with(start) {
                runs.extend(self.run_at(&entry).await?);
                if id == start {
                    return Ok(runs);
                }
            }
            end = entry;
        }
        Ok(runs)
    }

    /// None where its writer died before the row of the run itself.
    async fn run_at(&self, entry: &str) -> Result<Option<Run>, StoreError> {
        let item = self.item(keys::META, entry).await?;
        item.map(from_item).transpose()
    }

    /// The sort key of the newest run whose own sorts below `end`, whether it
    /// has a row of its own or not.
    async fn run_entry_before(&self, end: &str) -> Result<Option<String>, StoreError> {
        let query = self
            .query(keys::META)
            .key_condition_expression("#s = :s AND #e BETWEEN :a AND :z")
            .expression_attribute_values(":a", text(FIRST_RUN))
            .expression_attribute_values(":z", text(end));
        // The end itself is among what BETWEEN finds.
        let query = query.scan_index_forward(false).limit(2);
        let (items, _) = self.page(query).await?;
        let entry = |item: &Item| string(item, "entry").map(str::to_owned);
        let mut entries = items.iter().filter_map(entry);
        let entry = entries.find(|entry| entry.as_str() < end);
        Ok(entry.and_then(|entry| keys::run_of_entry(&entry).map(str::to_owned)))
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

fn end_of_runs() -> String {
    format!("{FIRST_RUN}{LAST_INSTANT}")
}
