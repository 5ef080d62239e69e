//! The pure domain: no clock, no environment, no I/O.

pub mod coverage;
pub mod decide;
pub mod differences;
pub mod differing;
pub mod elsewhere;
pub mod event;
#[cfg(test)]
mod hostile_tests;
pub mod import;
pub mod instant;
pub mod journal;
pub mod keymap;
pub mod keys;
pub mod labels;
pub mod name;
pub mod plan;
pub mod policy;
pub mod record;
pub mod retained;
pub mod run;
pub mod saved_plan;
pub mod selection;
pub mod state;
pub mod stored;
pub mod undo;
pub mod unfinished;
pub mod value;

pub use coverage::Coverage;
pub use event::{Event, EventKind, EventRef, Events};
pub use instant::Instant;
pub use keymap::KeyMap;
pub use name::{Name, NameError, Path, Target};
pub use plan::{Action, Plan, Step};
pub use record::{Attributes, Change, Deleter, Pointer, Record, Source, ValueState, Written};
pub use retained::{Live, Look, Retained, RetainedValue};
pub use selection::{NameFilter, Selection};
pub use state::{Found, State};
pub use value::Value;
