//! `cargo sandbox demo|up|down|bench|package`: the whole of ssmbak on this machine, without an AWS account.

use std::process::ExitCode;

fn main() -> ExitCode {
    ssmbak_tests::sandbox::main()
}
