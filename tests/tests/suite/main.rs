//! Everything is judged end to end, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test, to unwrap is to assert"
)]
#![allow(
    clippy::print_stdout,
    reason = "a test prints its seed and what it measured"
)]

mod access;
mod bad_input;
mod budget;
mod capture;
mod contract;
mod faults;
mod hostile;
mod import;
mod instruments;
mod invariants;
mod journeys;
mod kept;
mod library;
mod load;
mod model;
mod rebuild;
mod secrets;
mod simulated;
mod verify;
mod world;
