//! Runs as `runs` and `undo` show them.

use serde::Serialize;
use ssmbak_core::domain::run::{Counts, Origin, Outcome, Phase, Run, RunName, short_id};
use ssmbak_core::domain::{Instant, Name};

use crate::output::{Cell, Tone, View};

/// One run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RunView {
    /// Its id.
    pub(crate) run: String,
    /// When it began.
    pub(crate) started: Instant,
    /// When it ended; null where it has not told.
    pub(crate) finished: Option<Instant>,
    /// The ARN of who ran it; null where nobody knows.
    pub(crate) by: Option<String>,
    /// The name or path that was written to.
    pub(crate) target: String,
    /// With all levels below.
    pub(crate) recursive: bool,
    /// The instant that was restored.
    pub(crate) at: Instant,
    /// `record`, `undo`, `plan`, `file` or `elsewhere`.
    pub(crate) origin: &'static str,
    /// Of an undo the id of the run that it undid; of `elsewhere` the name or
    /// path there; else null.
    pub(crate) of: Option<String>,
    /// How many parameters were written; null, as are all below, where the run
    /// has not told.
    pub(crate) restored: Option<usize>,
    /// How many were deleted.
    pub(crate) deleted: Option<usize>,
    /// How many were as they were to be.
    pub(crate) unchanged: Option<usize>,
    /// How many were left alone.
    pub(crate) skipped: Option<usize>,
    /// How many failed.
    pub(crate) failed: Option<usize>,
    /// Whether it has told how it ended.
    #[serde(skip)]
    finished_for_good: bool,
}

impl RunView {
    /// The view of a run, with the counts of its names where they are known.
    pub(crate) fn new(run: &Run, counts: Option<Counts>) -> Self {
        let (origin, of) = match &run.origin {
            Origin::Record => ("record", None),
            Origin::Undo { run } => ("undo", Some(run.clone())),
            Origin::Plan => ("plan", None),
            Origin::File => ("file", None),
            Origin::Elsewhere { target, .. } => ("elsewhere", Some(target.clone())),
        };
        Self {
            run: run.id.clone(),
            started: run.started,
            finished: run.finished,
            by: run.by.clone(),
            target: run.target.clone(),
            recursive: run.recursive,
            at: run.at,
            origin,
            of,
            restored: counts.map(|c| c.restored),
            deleted: counts.map(|c| c.deleted),
            unchanged: counts.map(|c| c.unchanged),
            skipped: counts.map(|c| c.skipped),
            failed: counts.map(|c| c.failed),
            finished_for_good: run.phase == Phase::Finished,
        }
    }

    /// Which run it is, for a line of its own.
    pub(crate) fn sentence(&self) -> String {
        let by = self.by.as_deref().unwrap_or("somebody unknown");
        format!(
            "run {} of {} by {by}: {}, {}",
            short_id(&self.run),
            self.started,
            self.aim(),
            self.what()
        )
    }

    fn aim(&self) -> String {
        let levels = if self.recursive { " -R" } else { "" };
        format!("{}{levels}", self.target)
    }

    /// What it put back.
    fn what(&self) -> String {
        match (&self.of, self.origin) {
            (Some(run), "undo") => format!("undo of {}", short_id(run)),
            (Some(there), _) => format!("from {there} as at {}", self.at),
            (None, "plan") => format!("by a plan, as at {}", self.at),
            (None, "file") => "from a file".into(),
            (None, _) => format!("as at {}", self.at),
        }
    }

    /// The counts that are not zero.
    fn outcome(&self) -> String {
        if !self.finished_for_good {
            return "not finished".into();
        }
        let counts = [
            (self.restored, Outcome::Restored),
            (self.deleted, Outcome::Deleted),
            (self.unchanged, Outcome::Unchanged),
            (self.skipped, Outcome::Skipped),
            (self.failed, Outcome::Failed),
        ];
        let told = counts.into_iter().filter_map(|(count, outcome)| {
            let count = count.filter(|count| *count > 0)?;
            Some(format!("{count} {}", outcome.as_str()))
        });
        told.collect::<Vec<_>>().join(", ")
    }
}

impl View for RunView {
    const FIELDS: &'static [&'static str] = &[
        "Run",
        "Started",
        "Finished",
        "By",
        "Target",
        "Recursive",
        "At",
        "Origin",
        "Of",
        "Restored",
        "Deleted",
        "Unchanged",
        "Skipped",
        "Failed",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "Run", "Started", "Finished", "By", "Target", "Origin", "Outcome",
    ];

    fn cells(&self) -> Vec<Cell> {
        let bad = !self.finished_for_good || self.failed.is_some_and(|failed| failed > 0);
        vec![
            Cell::new(short_id(&self.run)),
            Cell::new(self.started.to_string()),
            Cell::new(self.finished.map_or(String::new(), |at| at.to_string())),
            Cell::new(self.by.as_deref().unwrap_or_default()),
            Cell::new(self.aim()),
            Cell::new(self.what()),
            Cell::toned(self.outcome(), if bad { Tone::Bad } else { Tone::Plain }),
        ]
    }
}

/// One parameter of a run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RunNameView {
    /// The canonical name.
    pub(crate) name: Name,
    /// `create`, `update` or `delete`.
    pub(crate) change: String,
    /// The version that lived before; null where nothing did.
    pub(crate) before: Option<u64>,
    /// The version that the run wrote; null where it wrote none.
    pub(crate) written: Option<u64>,
    /// `restored`, `deleted`, `unchanged`, `skipped` or `failed`; null where
    /// the run has not told.
    pub(crate) outcome: Option<Outcome>,
    /// Why it was not done, or what is to be known about it.
    pub(crate) reason: Option<String>,
    /// `tags`, `labels` or both where only those were put back; else null.
    pub(crate) alone: Option<Vec<String>>,
    /// It was deleted and created again.
    pub(crate) recreated: bool,
}

impl From<&RunName> for RunNameView {
    fn from(name: &RunName) -> Self {
        Self {
            name: name.name.clone(),
            change: name.change.clone(),
            before: name.before_version,
            written: name.written_version,
            outcome: name.outcome,
            reason: name.reason.clone(),
            alone: Some(name.alone.clone()).filter(|alone| !alone.is_empty()),
            recreated: name.recreated,
        }
    }
}

impl View for RunNameView {
    const FIELDS: &'static [&'static str] = &[
        "Name",
        "Change",
        "Before",
        "Written",
        "Outcome",
        "Reason",
        "Alone",
        "Recreated",
    ];
    const COLUMNS: &'static [&'static str] =
        &["Name", "Change", "Before", "Written", "Outcome", "Reason"];

    fn cells(&self) -> Vec<Cell> {
        let number = |v: Option<u64>| Cell::new(v.map_or(String::new(), |v| v.to_string()));
        let change = match &self.alone {
            Some(alone) => format!("{} ({})", self.change, alone.join(", ")),
            None if self.recreated => format!("{} (recreate)", self.change),
            None => self.change.clone(),
        };
        let outcome = match self.outcome {
            None => Cell::toned("unknown", Tone::Bad),
            Some(Outcome::Failed) => Cell::toned(Outcome::Failed.as_str(), Tone::Bad),
            Some(outcome) => Cell::new(outcome.as_str()),
        };
        vec![
            Cell::new(self.name.as_str()),
            Cell::new(change),
            number(self.before),
            number(self.written),
            outcome,
            Cell::new(self.reason.as_deref().unwrap_or_default()),
        ]
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
