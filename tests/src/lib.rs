//! The instruments that ssmbak is judged through: emulators of AWS that a test
//! can steer, a proxy that counts and disturbs calls, a stand-in for the Lambda
//! Runtime API, the real binaries to point them at, and the original tool.

pub mod binaries;
pub mod canned;
pub mod disturbed;
pub mod emulated;
pub mod emulator;
pub mod events;
pub mod histories;
mod http;
pub mod load;
pub mod original;
pub mod people;
pub mod proxy;
pub mod runtime_api;
pub mod sandbox;
mod serve;
pub mod simulated;
pub mod stores;
