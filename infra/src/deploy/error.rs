//! Why a stack was not created, updated or deleted, and the way out.

use std::time::Duration;

use super::adopt::AdoptError;
use super::changes::ResourceChange;
use super::{Operation, Retained};
use crate::artifact::ArtifactError;
use crate::aws::AwsError;
use crate::check::CheckError;
use crate::function_zip::FunctionZipError;
use crate::stack::{StackError, known_hint};

/// Why a stack was not created, updated or deleted as asked.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// A stack of that name is there.
    #[error("the stack {stack} exists ({status})")]
    Exists {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
    },
    /// What is left of a failed operation is in the way.
    #[error("the stack {stack} is what a failed operation left ({status})")]
    Broken {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
    },
    /// The stack is changing.
    #[error("the stack {stack} is busy ({status})")]
    Busy {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
    },
    /// An update of the stack failed, and so did the way back.
    #[error("the stack {stack} is stuck in an update that failed ({status})")]
    Stuck {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
    },
    /// There is no such stack.
    #[error("there is no stack {stack}")]
    NotFound {
        /// The name asked for.
        stack: String,
        /// The stacks of this tool that there are, if that could be told.
        known: Vec<String>,
    },
    /// The stack was not made by this tool, which touches no other.
    #[error("the stack {stack} is not one of ssmbak")]
    NotSsmbak {
        /// The stack.
        stack: String,
    },
    /// A setting that this stack's bucket cannot take.
    #[error("the stack {stack} {reason}")]
    BucketSettings {
        /// The stack.
        stack: String,
        /// Why not, as what follows the stack's name.
        reason: &'static str,
    },
    /// Object lock was to be turned on together with other code.
    #[error(
        "the stack {stack} gets no object lock together with other code: if that did not work, the \
         way back could not take the lock off again"
    )]
    LockWithCode {
        /// The stack.
        stack: String,
        /// For how many days it was to lock.
        days: u32,
    },
    /// CloudFormation could not tell what an update would do.
    #[error("the stack {stack} cannot be updated: {reason}")]
    ChangeSet {
        /// The stack.
        stack: String,
        /// Why.
        reason: String,
    },
    /// An update would take away a bucket, table or key.
    #[error(
        "refused: the update would take away what holds the history of {stack}: {}",
        listed(changes)
    )]
    SplitsHistory {
        /// The stack.
        stack: String,
        /// What would be taken away.
        changes: Vec<ResourceChange>,
    },
    /// CloudFormation could not do it.
    #[error(transparent)]
    Failed(Box<Failed>),
    /// The stack stands, but its function does not work, or could not be tried.
    #[error("{}", function_failure(stack, failure, source))]
    Function {
        /// The stack.
        stack: String,
        /// What became of the stack.
        failure: FunctionFailure,
        /// What is wrong with the function.
        #[source]
        source: Box<CheckError>,
    },
    /// It goes on, but was watched for long enough.
    #[error("the stack {stack} is still {status} after {} s", waited.as_secs())]
    TooSlow {
        /// The stack.
        stack: String,
        /// What is done to it.
        operation: Operation,
        /// Its status.
        status: String,
        /// How long it was watched.
        waited: Duration,
    },
    /// It goes on, and cannot be looked at.
    #[error("CloudFormation goes on with the stack {stack}, which cannot be watched: {source}")]
    Unwatched {
        /// The stack.
        stack: String,
        /// What is done to it.
        operation: Operation,
        /// What AWS said.
        source: AwsError,
    },
    /// Bucket and table cannot be taken over.
    #[error(transparent)]
    Adopt(Box<AdoptError>),
    /// The function's zip is missing or could not run.
    #[error(transparent)]
    FunctionZip(#[from] FunctionZipError),
    /// The function's zip could not be put in place.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The stack does not tell what it has to.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl From<AdoptError> for DeployError {
    fn from(error: AdoptError) -> Self {
        Self::Adopt(Box::new(error))
    }
}

/// How an operation on a stack failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stack {stack} failed ({status}): {resource}: {reason}")]
pub struct Failed {
    /// The stack.
    pub stack: String,
    /// The status it ended in.
    pub status: String,
    /// The first resource that failed by itself, as the template names it.
    pub resource: String,
    /// Its type.
    pub resource_type: Option<String>,
    /// Why.
    pub reason: String,
    /// Bucket, table or key that CloudFormation left behind.
    pub leftovers: Vec<Retained>,
}

/// What became of a stack whose function does not work, or could not be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionFailure {
    /// It was created, and stays as it is.
    Created,
    /// It was updated; whether the function works is not known.
    Unknown,
    /// It was updated, and then given what it had before.
    RolledBack {
        /// How the function of before does now.
        old: OldFunction,
    },
    /// It was updated, and could not be given what it had before.
    NotRolledBack {
        /// Why not.
        why: String,
    },
}

/// How the function of before an update does after the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldFunction {
    /// It works.
    Works,
    /// It worked before the update, and does not any more.
    FailsToo,
    /// It did not work before the update either.
    FailedBefore,
    /// It could not be tried.
    Unknown,
}

fn listed(changes: &[ResourceChange]) -> String {
    let one = |change: &ResourceChange| {
        let how = match change.action.as_str() {
            "Remove" => "removed",
            "Modify" if change.replacement.as_deref() == Some("True") => "replaced",
            _ => "perhaps replaced",
        };
        format!("{} ({}) {how}", change.logical_id, change.physical_id)
    };
    changes.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn function_failure(stack: &str, failure: &FunctionFailure, source: &CheckError) -> String {
    match failure {
        FunctionFailure::Created | FunctionFailure::Unknown if !source.is_verdict() => {
            format!("the stack {stack} stands, but its function could not be tried: {source}")
        }
        FunctionFailure::Created | FunctionFailure::Unknown => {
            format!("the stack {stack} stands, but its function does not work: {source}")
        }
        FunctionFailure::RolledBack { .. } => {
            format!("the stack {stack} was rolled back: its new function does not work: {source}")
        }
        FunctionFailure::NotRolledBack { why } => format!(
            "the new function of the stack {stack} does not work: {source}; \
             and the stack could not be rolled back: {why}"
        ),
    }
}

impl DeployError {
    /// Returns the way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { stack, .. } => Some(format!(
                "choose another name, or look at it: ssmbak stack {stack} status"
            )),
            Self::Broken { stack, .. } => Some(delete_first(stack)),
            Self::Busy { stack, .. } => Some(format!("wait for it: ssmbak stack {stack} status")),
            Self::Stuck { stack, .. } => Some(continue_the_rollback(stack)),
            Self::NotFound { known, .. } => known_hint(known),
            Self::NotSsmbak { .. } => Some("use the tool that made it, or the console".into()),
            Self::BucketSettings { .. } => Some("leave the option out".into()),
            Self::LockWithCode { stack, days } => Some(format!(
                "first the code, without the lock; then again with it: ssmbak stack {stack} update \
                 --object-lock-days {days}"
            )),
            Self::ChangeSet { .. } => Some("nothing was changed".into()),
            Self::SplitsHistory { .. } => Some(
                "nothing was changed; a new one would begin empty, and history would lie in two \
                 places"
                    .into(),
            ),
            Self::Failed(failed) => Some(failed.hint()),
            Self::Function {
                stack,
                failure,
                source,
            } => Some(function_hint(stack, failure, source)),
            Self::TooSlow {
                stack, operation, ..
            } => Some(operation.look_later(stack)),
            Self::Unwatched {
                stack,
                operation,
                source,
            } => {
                let later = operation.look_later(stack);
                let way_out = source.hint().into_iter().chain([later]);
                Some(way_out.collect::<Vec<_>>().join("; "))
            }
            Self::Adopt(error) => error.hint(),
            Self::FunctionZip(error) => error.hint(),
            Self::Artifact(error) => error.hint(),
            Self::Stack(error) => error.hint(),
            Self::Aws(error) => error.hint(),
        }
    }
}

impl Failed {
    /// Returns the way out.
    fn hint(&self) -> String {
        let stack = &self.stack;
        let way_out = match self.status.as_str() {
            // What it holds is its own, not left behind.
            "UPDATE_ROLLBACK_COMPLETE" => {
                return "the stack is what it was; remove what is in the way, then update again"
                    .into();
            }
            "UPDATE_ROLLBACK_FAILED" | "UPDATE_FAILED" => return continue_the_rollback(stack),
            "DELETE_FAILED" => {
                format!("remove what is in the way, then again: ssmbak stack {stack} delete")
            }
            _ => delete_first(stack),
        };
        let leftovers = self.leftovers.iter();
        let names: Vec<_> = leftovers
            .map(|one| format!("{} {}", one.kind.as_str(), one.name))
            .collect();
        if names.is_empty() {
            way_out
        } else {
            format!("{way_out}; left behind: {}", names.join(", "))
        }
    }
}

fn function_hint(stack: &str, failure: &FunctionFailure, source: &CheckError) -> String {
    let another = format!("ssmbak stack {stack} update --function-zip FILE");
    match failure {
        FunctionFailure::Created | FunctionFailure::Unknown if !source.is_verdict() => {
            "these credentials need lambda:InvokeFunction on the stack's functions".into()
        }
        FunctionFailure::Created | FunctionFailure::Unknown => format!(
            "give it another zip: {another}; or take the stack away: ssmbak stack {stack} delete"
        ),
        FunctionFailure::RolledBack { old } => match old {
            OldFunction::Works => {
                format!("the stack is what it was, and captures; try another zip: {another}")
            }
            OldFunction::FailsToo => {
                "the old function fails now too: the cause lies elsewhere, in what both need: \
                 role, bucket, table, key"
                    .into()
            }
            OldFunction::FailedBefore => {
                "the old function did not work before the update either: the cause may lie \
                 elsewhere, in what both need: role, bucket, table, key"
                    .into()
            }
            OldFunction::Unknown => format!(
                "the stack is what it was; whether its function works could not be tried; \
                 another zip: {another}"
            ),
        },
        FunctionFailure::NotRolledBack { .. } => {
            format!("nothing is captured until it is mended; events wait in the queue: {another}")
        }
    }
}

fn delete_first(stack: &str) -> String {
    format!("delete it first: ssmbak stack {stack} delete")
}

fn continue_the_rollback(stack: &str) -> String {
    format!(
        "remove what is in the way, then let it go back (in the console: Continue update \
         rollback): aws cloudformation continue-update-rollback --stack-name {stack}"
    )
}
