//! `ssmbak-all`, as the original tool has it: the `ssmbak` beside it under
//! another name.

#[path = "../compat/wrapper.rs"]
mod wrapper;

use std::process::ExitCode;

fn main() -> ExitCode {
    wrapper::become_ssmbak("ssmbak-all")
}
