//! What is told when this program itself is wrong.

use std::panic;

use crate::ui::tell;

/// From now on a panic tells its place and nothing else, whatever the environment says of
/// backtraces: its message may hold a value.
pub(crate) fn tell_their_place_only() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let place = place.unwrap_or_else(|| "an unknown place".into());
        tell(&format!(
            "error: ssmbak itself is wrong: it gave up at {place}\n\n\
             hint: please report this line; what was done before is on record, and the same \
             command again continues"
        ));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Set for the process that panics.
    const PANICS: &str = "SSMBAK_TEST_PANICS";

    #[test]
    fn a_panic_tells_its_place_and_nothing_that_it_said() {
        if std::env::var_os(PANICS).is_some() {
            tell_their_place_only();
            let _ = panic::catch_unwind(|| panic!("{}", ["hunter", "2"].concat()));
            return;
        }
        // A hook is the process's: another one has it.
        let test = "panics::tests::a_panic_tells_its_place_and_nothing_that_it_said";
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(PANICS, "1")
            .env("RUST_BACKTRACE", "full")
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        let begin = "error: ssmbak itself is wrong: it gave up at restore/src/panics.rs:";
        assert!(told.starts_with(begin), "{told}");
        assert!(told.contains("\n\nhint: please report"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}
