//! What became of each step, told as soon as it is known.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Report;
use crate::domain::Name;

/// Steps that end, in whatever order; tells each one.
pub(super) struct Ending<'a> {
    progress: &'a (dyn Fn(&Report) + Sync),
    so_far: Mutex<Ended>,
}

/// How the steps of a run ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) reports: Vec<Report>,
    /// Those that failed, and may have been written or deleted all the same.
    pub(super) unsure: BTreeSet<Name>,
}

impl fmt::Debug for Ending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending")
            .field("so_far", &self.so_far)
            .finish_non_exhaustive()
    }
}

impl<'a> Ending<'a> {
    pub(super) fn new(progress: &'a (dyn Fn(&Report) + Sync)) -> Self {
        Self {
            progress,
            so_far: Mutex::default(),
        }
    }

    pub(super) fn done(&self, report: Report) {
        (self.progress)(&report);
        self.so_far().reports.push(report);
    }

    /// It failed, and may have been done all the same.
    pub(super) fn unsure(&self, name: &Name) {
        self.so_far().unsure.insert(name.clone());
    }

    /// All of them, in order of names.
    pub(super) fn end(self) -> Ended {
        let so_far = self.so_far.into_inner();
        let mut ended = so_far.unwrap_or_else(PoisonError::into_inner);
        ended.reports.sort_by(|a, b| a.name.cmp(&b.name));
        ended
    }

    /// A panic elsewhere leaves nothing half done here.
    fn so_far(&self) -> MutexGuard<'_, Ended> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
