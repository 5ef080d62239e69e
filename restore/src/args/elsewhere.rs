//! Somewhere else: another path, region or account; and `copy`.

use clap::{Args, ValueEnum};
use ssmbak_core::domain::elsewhere;

use super::restoring::KEY_ID_HELP;
use super::{PATH_HELP, RECURSIVE_HELP, REVEAL_HELP, SelectArgs};
use crate::error::CliError;

/// Where parameters are to be written, if not where they were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Somewhere else")]
pub(crate) struct ElsewhereArgs {
    /// Path (or name) to write to, in the place of PATH
    #[arg(long, value_name = "PATH")]
    pub(crate) to_path: Option<String>,
    /// Region to write to
    #[arg(long, value_name = "REGION")]
    pub(crate) to_region: Option<String>,
    /// Profile that writes, of another account, say
    #[arg(long, value_name = "NAME")]
    pub(crate) to_profile: Option<String>,
    /// Endpoint there in place of AWS's own
    #[arg(long, value_name = "URL")]
    pub(crate) to_endpoint_url: Option<String>,
    /// Stack that records what happens there [default: as --stack]
    #[arg(long, value_name = "NAME")]
    pub(crate) to_stack: Option<String>,
    /// What becomes of those that live there and differ [default: fail]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) on_conflict: Option<OnConflict>,
}

/// What becomes of parameters that live there and differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum OnConflict {
    /// Nothing at all is written
    Fail,
    /// They are left alone
    Skip,
    /// They are overwritten
    Overwrite,
}

impl ElsewhereArgs {
    /// Whether another place or path is named. What only makes sense there is
    /// refused where none is, and so is what is empty: left out, it would be
    /// written somewhere else than is meant.
    pub(crate) fn are_given(&self) -> Result<bool, CliError> {
        self.refuse_empty()?;
        if self.to_path.is_some() || self.another_place() {
            return Ok(true);
        }
        let alone = if self.to_stack.is_some() {
            "--to-stack"
        } else if self.on_conflict.is_some() {
            "--on-conflict"
        } else {
            return Ok(false);
        };
        Err(CliError::Usage {
            message: format!("{alone} is about writing somewhere else, and nothing says where"),
            hint: "add --to-path, --to-region or --to-profile".into(),
        })
    }

    fn refuse_empty(&self) -> Result<(), CliError> {
        let all = [
            ("--to-path", &self.to_path),
            ("--to-region", &self.to_region),
            ("--to-profile", &self.to_profile),
            ("--to-endpoint-url", &self.to_endpoint_url),
            ("--to-stack", &self.to_stack),
        ];
        let empty = |(_, given): &(_, &Option<String>)| given.as_deref() == Some("");
        match all.into_iter().find(empty) {
            None => Ok(()),
            Some((option, _)) => Err(CliError::Usage {
                message: format!("{option} is empty"),
                hint: format!(
                    "leave {option} out, or give it a value: a variable of the shell may not be set"
                ),
            }),
        }
    }

    /// Whether another region or account may be meant.
    pub(crate) fn another_place(&self) -> bool {
        [&self.to_region, &self.to_profile, &self.to_endpoint_url]
            .into_iter()
            .any(Option::is_some)
    }

    /// What becomes of conflicts.
    pub(crate) fn conflicts(&self) -> elsewhere::OnConflict {
        match self.on_conflict {
            None | Some(OnConflict::Fail) => elsewhere::OnConflict::Fail,
            Some(OnConflict::Skip) => elsewhere::OnConflict::Skip,
            Some(OnConflict::Overwrite) => elsewhere::OnConflict::Overwrite,
        }
    }
}

/// `ssmbak copy`.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[command(after_help = "\
Examples:
  ssmbak copy /app/prod/ -R --to-path /app/staging/ --dry-run
  ssmbak copy /app/prod/ -R --to-path /app/staging/ --exclude 'secret*'
  ssmbak copy /app/ -R --to-region eu-west-1 --key-id alias/a=alias/b
  ssmbak copy /app/db --to-profile other --on-conflict skip

Copies what lives now, which takes no stack here. Deletes nothing. What it would
overwrite there is recorded there first; where no stack does that, nothing is
overwritten. On a terminal it asks first.")]
pub(crate) struct CopyArgs {
    /// What to copy.
    #[arg(help = PATH_HELP)]
    pub(crate) path: String,
    /// With all levels below.
    #[arg(short = 'R', long, help = RECURSIVE_HELP)]
    pub(crate) recursive: bool,
    /// Only show what would be written
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Show secrets.
    #[arg(long, help = REVEAL_HELP)]
    pub(crate) reveal: bool,
    /// Put the labels of each version on what is written, too
    #[arg(long)]
    pub(crate) labels: bool,
    /// Other keys.
    #[arg(long, value_name = "KEY|OLD=NEW", help = KEY_ID_HELP)]
    pub(crate) key_id: Vec<String>,
    /// Which of them.
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// Where to.
    #[command(flatten)]
    pub(crate) to: ElsewhereArgs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn an_empty_option_is_refused_by_its_name() {
        let empty = || Some(String::new());
        let none = ElsewhereArgs::default;
        let named = ElsewhereArgs {
            to_path: Some("/x/".into()),
            ..none()
        };
        assert!(named.are_given().unwrap());
        assert!(!none().are_given().unwrap());
        for (option, args) in [
            (
                "--to-path",
                ElsewhereArgs {
                    to_path: empty(),
                    ..none()
                },
            ),
            (
                "--to-region",
                ElsewhereArgs {
                    to_region: empty(),
                    ..named.clone()
                },
            ),
            (
                "--to-profile",
                ElsewhereArgs {
                    to_profile: empty(),
                    ..named.clone()
                },
            ),
            (
                "--to-endpoint-url",
                ElsewhereArgs {
                    to_endpoint_url: empty(),
                    ..named.clone()
                },
            ),
            (
                "--to-stack",
                ElsewhereArgs {
                    to_stack: empty(),
                    ..named.clone()
                },
            ),
        ] {
            let error = args.are_given().unwrap_err();
            assert_eq!(error.exit(), Exit::Usage, "{option}");
            assert_eq!(error.to_string(), format!("{option} is empty"));
            assert!(error.hint().unwrap().contains(option));
        }
    }
}
