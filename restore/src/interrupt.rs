//! Ctrl-C: at once where nothing is being written, after the write in flight
//! where something is, and after a word of warning where something goes on by
//! itself.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::CliError;

/// What Ctrl-C finds.
#[derive(Debug, Default)]
pub(crate) struct Interrupt {
    /// Something is being written that must not be torn.
    writing: AtomicBool,
    /// Stop after the write in flight.
    cancel: AtomicBool,
    /// Something that is only watched from here.
    elsewhere: OnceLock<Elsewhere>,
}

/// Something that goes on elsewhere, whether this program runs or not.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    /// What is told at the first Ctrl-C, after which it is still watched.
    pub(crate) warning: String,
    /// How its end is learned of by who leaves at the second one.
    pub(crate) hint: String,
}

impl Interrupt {
    /// From now on Ctrl-C only asks to stop after the write in flight. Returns
    /// the flag that it sets.
    pub(crate) fn hold(&self) -> &AtomicBool {
        self.writing.store(true, Ordering::SeqCst);
        &self.cancel
    }

    /// From now on the first Ctrl-C only says that `elsewhere` cannot be
    /// stopped; the second one leaves it to itself.
    pub(crate) fn watch(&self, elsewhere: Elsewhere) {
        // What goes on already is the same.
        let _ = self.elsewhere.set(elsewhere);
        self.hold();
    }

    /// Whether Ctrl-C was pressed while something was being written.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::SeqCst)
    }

    /// Returns when the command is to be abandoned: on Ctrl-C, or on the second
    /// one if something is being written or watched. Without a way to hear of
    /// Ctrl-C it never returns, and the system's own handling stays.
    pub(crate) async fn abandoned(&self, tell: impl Fn(&str)) -> CliError {
        // Listened to all the time: a second one may come while the first is told.
        let heard = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt());
        let Ok(mut heard) = heard else {
            return std::future::pending().await;
        };
        while heard.recv().await.is_some() {
            if !self.press() {
                return self.error();
            }
            tell(self.warning());
        }
        std::future::pending().await
    }

    /// One Ctrl-C. Returns whether the command goes on until its write is done.
    fn press(&self) -> bool {
        let writing = self.writing.load(Ordering::SeqCst);
        let first = !self.cancel.swap(true, Ordering::SeqCst);
        writing && first
    }

    fn warning(&self) -> &str {
        match self.elsewhere.get() {
            Some(elsewhere) => &elsewhere.warning,
            None => "stopping after the write in flight; press Ctrl-C again to leave at once",
        }
    }

    fn error(&self) -> CliError {
        match self.elsewhere.get() {
            Some(elsewhere) => CliError::Unwatched {
                hint: elsewhere.hint.clone(),
            },
            None => CliError::Interrupted,
        }
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
        assert!(matches!(interrupt.error(), CliError::Interrupted));
    }

    #[test]
    fn what_goes_on_elsewhere_is_left_at_the_second_one_with_a_hint() {
        let interrupt = Interrupt::default();
        interrupt.watch(Elsewhere {
            warning: "it goes on".into(),
            hint: "look later".into(),
        });
        assert!(interrupt.press());
        assert_eq!(interrupt.warning(), "it goes on");
        assert!(!interrupt.press());
        assert_eq!(interrupt.error().hint().as_deref(), Some("look later"));
    }
}
