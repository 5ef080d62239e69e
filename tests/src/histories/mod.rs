//! Histories of Parameter Store, generated: what happens, how it is announced,
//! and a model so naive that it can be believed by reading it.
//!
//! A [`History`] is made from a seed. Its [`Script`] is what a run plays: each
//! change, each delivery of events and each reconciliation, in order of time.
//! Whoever plays it tells the [`Model`] what was done, and then compares every
//! answer of ssmbak with what the model allows.

pub mod announce;
pub mod delivery;
pub mod generate;
pub mod happen;
pub mod model;
pub mod tally;

pub use self::announce::event_of;
pub use self::delivery::{Batch, Fate, Step};
pub use self::generate::{History, histories};
pub use self::happen::Script;
pub use self::model::{Answer, Change, Description, Kind, Model, Tags, Tier, Version, What};
pub use self::tally::{Failure, Tally};
