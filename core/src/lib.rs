//! The core of ssmbak, a time machine for AWS Systems Manager Parameter Store.
//!
//! [`domain`] is pure: names, instants, records, the state at an instant, and
//! the plan that restores it. It has no clock and does no I/O; clippy's
//! `disallowed-methods` says so. [`store`] holds thin adapters for Parameter
//! Store, S3 and DynamoDB. The other modules join the two, one job each.
//!
//! Invariant: imports run one way, `domain <- store <- the rest`.

pub mod capture;
pub mod compared;
pub mod differences;
pub mod domain;
pub mod drift;
pub mod elsewhere;
pub mod history;
pub mod import;
pub mod param_path;
pub mod planned;
pub mod rebuild;
pub mod recency;
pub mod reconcile;
pub mod restore;
pub mod store;
pub mod survey;
pub mod undo;
pub mod verify;

pub use param_path::ParamPath;
