//! Everything is judged end to end, in one binary.

#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]

mod capture;
mod contract;
mod instruments;
mod model;
mod world;
