//! The real function and the real command line while their calls go wrong and
//! their processes die: what must hold all the same.

pub mod capture;
pub mod commands;
pub mod on_record;
mod place;
mod soak;
mod strike;
mod tasks;

pub use self::place::{Place, Way};
pub use self::soak::{Failed, soak};
pub use self::strike::{Strike, at_each_call, of_kind};
pub use self::tasks::Task;
