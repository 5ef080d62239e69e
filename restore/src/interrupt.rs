//! Ctrl-C: at once where nothing is being written, after the write in flight
//! where something is.

use std::sync::atomic::{AtomicBool, Ordering};

/// What Ctrl-C finds.
#[derive(Debug, Default)]
pub(crate) struct Interrupt {
    /// Something is being written that must not be torn.
    writing: AtomicBool,
    /// Stop after the write in flight.
    cancel: AtomicBool,
}

impl Interrupt {
    /// From now on Ctrl-C only asks to stop after the write in flight. Returns
    /// the flag that it sets.
    pub(crate) fn hold(&self) -> &AtomicBool {
        self.writing.store(true, Ordering::SeqCst);
        &self.cancel
    }

    /// Whether Ctrl-C was pressed while something was being written.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::SeqCst)
    }

    /// Returns when the command is to be abandoned: on Ctrl-C, or on the second
    /// one if something is being written. Without a way to hear of Ctrl-C it
    /// never returns, and the system's own handling stays.
    pub(crate) async fn abandoned(&self, tell: impl Fn(&str)) {
        loop {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            if !self.press() {
                return;
            }
            tell("stopping after the write in flight; press Ctrl-C again to leave at once");
        }
    }

    /// One Ctrl-C. Returns whether the command goes on until its write is done.
    fn press(&self) -> bool {
        let writing = self.writing.load(Ordering::SeqCst);
        let first = !self.cancel.swap(true, Ordering::SeqCst);
        writing && first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_written_the_first_one_ends_it() {
        assert!(!Interrupt::default().press());
    }

    #[test]
    fn a_write_is_finished_unless_it_is_pressed_again() {
        let interrupt = Interrupt::default();
        let cancel = interrupt.hold();
        assert!(!cancel.load(Ordering::SeqCst));
        assert!(interrupt.press());
        assert!(cancel.load(Ordering::SeqCst) && interrupt.is_cancelled());
        assert!(!interrupt.press());
    }
}
