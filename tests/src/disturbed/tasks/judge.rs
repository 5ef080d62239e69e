//! What is true of a task while it is half done, and right at its end.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde_json::Value as Json;

use super::super::place::{Place, Said, wrong};
use super::{Ready, Task, texts};

impl Ready {
    /// What decides the states of the names under the path, or every row of the table.
    pub(super) async fn on_record(&self, place: &Place) -> io::Result<Vec<String>> {
        if let Some(table) = &self.table {
            return Ok(texts(&place.rows_of(table).await?));
        }
        if self.task == Task::Heal {
            let rows = place.rows_of(&place.location.table).await?;
            let own = |row: &&Json| row.to_string().contains(&self.path);
            let rows: Vec<Json> = rows.iter().filter(own).cloned().collect();
            return Ok(texts(&rows));
        }
        let mut told = Vec::new();
        for leaf in ["a", "b"] {
            let of_one = place.told(&self.of(leaf)).await?;
            told.extend(of_one.into_iter().map(|line| format!("{leaf} {line}")));
        }
        Ok(told)
    }

    /// That what was told of a run is true, whatever befell it.
    pub(in super::super) async fn is_told_truly(
        &self,
        place: &Place,
        said: &Said,
    ) -> io::Result<()> {
        let Some(code) = said.code else {
            return self.holds_no_half_file();
        };
        self.holds_no_half_file()?;
        if !self.task.tells_outcomes() {
            if ![0, 1, 3, 5].contains(&code) {
                return wrong(format!("it ended with {code}: {said}"));
            }
            return if code == 0 {
                self.is_right(place).await
            } else {
                Ok(())
            };
        }
        let rows = said.rows()?;
        let (mut good, mut bad) = (0, 0);
        for row in &rows {
            let name = row["Name"].as_str().unwrap_or_default();
            let live = place.live(name).await?;
            let wanted = self.wanted.get(name).cloned().flatten();
            let outcome = row["Outcome"].as_str().unwrap_or_default();
            let is_true = match outcome {
                "restored" => {
                    let live = live
                        .as_ref()
                        .map(|(value, version)| (value.clone(), *version));
                    live == wanted
                        .as_ref()
                        .map(|(value, version, _)| (value.clone(), *version))
                        && place.tags(name).await? == wanted.map(|w| w.2).unwrap_or_default()
                }
                "deleted" => live.is_none() && wanted.is_none(),
                "failed" | "skipped" => row["Reason"].as_str().is_some_and(|why| !why.is_empty()),
                _ => true,
            };
            if !is_true {
                return wrong(format!(
                    "{name} is told as {outcome}, and is {live:?}: {said}"
                ));
            }
            if ["failed", "skipped"].contains(&outcome) {
                bad += 1;
            } else {
                good += 1;
            }
        }
        self.is_never_doubled(place).await?;
        match (code, good, bad) {
            // Whatever was not told is as it was, and none differs any more.
            (0, _, 0) => self.is_right(place).await,
            (3, _, 1..) | (1, 0, 1..) => Ok(()),
            // What could not be read in full has no row, and is told of.
            (3, _, 0) if !said.stderr.is_empty() => Ok(()),
            // Nothing was begun.
            (1, 0, 0) => self.is_untouched(place).await,
            _ => wrong(format!(
                "{code} is not the code of {good} good, {bad} bad: {said}"
            )),
        }
    }

    async fn is_untouched(&self, place: &Place) -> io::Result<()> {
        for (name, before) in &self.before {
            let live = place.live(name).await?.map(|(_, version)| version);
            if live != *before {
                return wrong(format!(
                    "nothing was told, and {name} is {live:?}, not {before:?}"
                ));
            }
        }
        Ok(())
    }

    /// Nothing is written a second time that was right.
    async fn is_never_doubled(&self, place: &Place) -> io::Result<()> {
        for (name, before) in &self.before {
            let live = place.live(name).await?.map(|(_, version)| version);
            if live > before.map(|version| version + 1).or(Some(1)) {
                return wrong(format!("{name} was {before:?} and is {live:?}"));
            }
        }
        Ok(())
    }

    /// A file is whole, or not there; and nothing lies beside it.
    fn holds_no_half_file(&self) -> io::Result<()> {
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let text = fs::read_to_string(&path)?;
            let whole = serde_json::from_str::<Json>(&text).is_ok();
            if path.file_name().is_none_or(|name| name != "file") || !whole {
                return wrong(format!("{} was left: {text}", path.display()));
            }
        }
        Ok(())
    }

    /// That everything is as it should be once it is done.
    pub(in super::super) async fn is_right(&self, place: &Place) -> io::Result<()> {
        for (name, wanted) in &self.wanted {
            let live = match place.live(name).await? {
                Some((value, version)) => Some((value, version, place.tags(name).await?)),
                None => None,
            };
            if live != *wanted {
                return wrong(format!("{name} is {live:?}, not {wanted:?}"));
            }
        }
        if !self.right.is_empty() {
            let found = self.on_record(place).await?;
            if found != self.right {
                return wrong(format!("on record is\n{found:#?}\nnot\n{:#?}", self.right));
            }
        }
        self.holds_no_half_file()?;
        let written = |directory: &PathBuf| directory.join("file").exists();
        if self.directory.as_ref().is_some_and(|d| !written(d)) {
            return wrong("the file is not there");
        }
        Ok(())
    }

    /// Takes away what it made beside the place.
    pub(in super::super) fn end(&self) -> io::Result<()> {
        self.directory.as_ref().map_or(Ok(()), fs::remove_dir_all)
    }
}
