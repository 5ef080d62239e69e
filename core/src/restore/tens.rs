//! Steps, ten at a time: checked, put on record, written or deleted, read back.
//!
//! Writes are what Parameter Store lets through slowest, three a second, so
//! that nothing else is waited for where it need not be: ten are read back
//! while the next are written, and the next are checked while the last of
//! these are.

use std::sync::atomic::{AtomicBool, Ordering};

use super::delete::delete;
use super::ended::Ending;
use super::put::{Unwritten, write};
use super::read_back::read_back;
use super::ready::ready_steps;
use super::recreate::recreate;
use super::{ApplyOptions, Report, interrupted};
use crate::domain::{Action, Step};
use crate::store::{Destination, NAMES_A_CALL};

/// So many writes of ten are left when the next ten are checked: at ten writes
/// a second they take longer than the check, which is not to be old when its
/// writes begin.
const LEFT_AT_CHECK: usize = 2;

/// A plan that is being carried out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Applying<'a> {
    pub(super) to: &'a Destination,
    pub(super) options: &'a ApplyOptions<'a>,
    pub(super) cancel: &'a AtomicBool,
    pub(super) ending: &'a Ending<'a>,
}

/// What became of the writes of ten.
#[derive(Debug, Default)]
struct Ten<'a> {
    /// To be read back.
    written: Vec<(&'a Step, Report)>,
    /// To be deleted and created again.
    again: Vec<&'a Step>,
}

impl Applying<'_> {
    /// Every one of these steps ends.
    pub(super) async fn all(&self, steps: &[&Step]) {
        // A creation waits half a minute: whatever was checked before is old then.
        let waits = self.options.recreate || steps.iter().any(|step| step.recreate);
        let mut tens = steps.chunks(NAMES_A_CALL).peekable();
        let mut checked = None;
        let mut unread = Vec::new();
        while let Some(ten) = tens.next() {
            let ready = match checked.take() {
                Some(ready) => ready,
                None => self.check(ten).await,
            };
            let (deletes, writes): (Vec<&Step>, Vec<&Step>) = ready
                .into_iter()
                .partition(|step| step.action == Action::Delete);
            let (sooner, later) = writes.split_at(writes.len().saturating_sub(LEFT_AT_CHECK));
            let mut ten = Ten::default();
            tokio::join!(self.write(sooner, &mut ten), self.read_back(unread));
            match tens.peek() {
                Some(next) if !waits => {
                    let (ready, ()) = tokio::join!(self.check(next), self.write(later, &mut ten));
                    checked = Some(ready);
                }
                _ => self.write(later, &mut ten).await,
            }
            let (to, options, ending) = (self.to, self.options, self.ending);
            let created = recreate(to, &ten.again, options, self.cancel, ending).await;
            unread = ten.written;
            unread.extend(created);
            unread.extend(self.delete(&deletes).await);
        }
        self.read_back(unread).await;
    }

    async fn check<'a>(&self, ten: &[&'a Step]) -> Vec<&'a Step> {
        ready_steps(self.to, ten, self.cancel, self.ending).await
    }

    async fn write<'a>(&self, steps: &[&'a Step], ten: &mut Ten<'a>) {
        for step in steps {
            if self.cancel.load(Ordering::SeqCst) {
                self.ending.done(interrupted(&step.name));
                continue;
            }
            if step.recreate {
                ten.again.push(step);
                continue;
            }
            match write(self.to, step).await {
                Ok(report) if step.differences.version => ten.written.push((step, report)),
                Err(Unwritten::NoRoom(_)) if self.options.recreate => ten.again.push(step),
                Ok(report) | Err(Unwritten::Failed(report) | Unwritten::NoRoom(report)) => {
                    self.ending.done(report);
                }
                Err(Unwritten::Unsure(report)) => {
                    self.ending.unsure(&step.name);
                    self.ending.done(report);
                }
            }
        }
    }

    async fn delete<'a>(&self, steps: &[&'a Step]) -> Vec<(&'a Step, Report)> {
        if self.cancel.load(Ordering::SeqCst) {
            for step in steps {
                self.ending.done(interrupted(&step.name));
            }
            return Vec::new();
        }
        if steps.is_empty() {
            return Vec::new();
        }
        delete(self.to, steps, self.ending).await
    }

    async fn read_back(&self, written: Vec<(&Step, Report)>) {
        for report in read_back(self.to, written).await {
            self.ending.done(report);
        }
    }
}
