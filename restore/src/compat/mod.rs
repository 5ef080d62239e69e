//! The programs of the original tool under their own names: `ssmbak-stack` and
//! `ssmbak-all`. This one program is each of them when it is started as such.

mod all;
mod prefix;
mod stack;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use clap::{ColorChoice, Command};

/// What this program is besides `ssmbak`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alias {
    /// `ssmbak-stack`.
    Stack,
    /// `ssmbak-all`.
    All,
}

impl Alias {
    /// What a program is that was started as `program`; none: `ssmbak` itself.
    /// Only the file's name counts.
    pub(crate) fn of(program: Option<&OsString>) -> Option<Self> {
        let name = Path::new(program?).file_name()?;
        if name == OsStr::new(stack::NAME) {
            Some(Self::Stack)
        } else if name == OsStr::new(all::NAME) {
            Some(Self::All)
        } else {
            None
        }
    }

    /// Does what the arguments ask for. The first of them is the program.
    pub(crate) fn run(self, arguments: Vec<OsString>) -> ExitCode {
        match self {
            Self::Stack => stack::run(arguments),
            Self::All => all::run(arguments),
        }
    }
}

/// The arguments of those programs that are no command of `ssmbak`, for their
/// manual pages.
pub(crate) fn commands() -> [Command; 1] {
    [all::command(ColorChoice::Auto)]
}

/// Adds the short options of the original to those that are there in full.
fn with_short_options(command: Command) -> Command {
    command
        .mut_arg("region", |region| region.short('r'))
        .mut_arg("bucket", |bucket| bucket.short('b'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alias(program: &str) -> Option<Alias> {
        Alias::of(Some(&program.into()))
    }

    #[test]
    fn the_name_of_the_file_decides_wherever_it_lies() {
        assert_eq!(alias("ssmbak-stack"), Some(Alias::Stack));
        assert_eq!(alias("/opt/a b/ssmbak-all"), Some(Alias::All));
        assert_eq!(alias("../bin/ssmbak-stack"), Some(Alias::Stack));
    }

    #[test]
    fn every_other_name_is_ssmbak() {
        for program in ["ssmbak", "/ssmbak-stack/ssmbak", "ssmbak-stack2", "", "/"] {
            assert_eq!(alias(program), None, "{program}");
        }
        assert_eq!(Alias::of(None), None);
    }
}
