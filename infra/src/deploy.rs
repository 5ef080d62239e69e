//! The life of a stack: it is created, updated and deleted here, and its events are told as they
//! happen.
//!
//! | module | does |
//! |---|---|
//! | [`settings`] | the template's parameters, each checked before anything is asked of AWS |
//! | [`adopt`] | whether a stack may take over a bucket and a table that another left |
//! | [`create`](mod@create) | makes a stack, and tries its function |
//! | [`changes`] | what an update would do to each resource, and what it must not do |
//! | [`update`](mod@update) | changes a stack, tries its function, and goes back if it does not work |
//! | [`delete`](mod@delete) | takes a stack away, and tells what of it is kept |
//! | [`error`] | why something of this was not done, and the way out |

pub mod adopt;
mod change_set;
pub mod changes;
pub mod create;
pub mod delete;
pub mod error;
pub mod settings;
pub mod update;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::types::{Parameter, Tag};

use crate::policy::Policy;
use crate::stack::StackResource;

pub use self::create::{CreateRequest, create};
pub use self::delete::{Deletion, delete, deletion};
pub use self::error::DeployError;
pub use self::update::{Code, Update, UpdateRequest, update};
pub use self::watch::{OnStep, Operation, Step};

/// The tag that every stack of this tool carries, and with it every resource.
pub const MANAGED_TAG: &str = "ssmbak:managed";
/// The tag that tells which version of the tool the stack's function code came with.
pub const VERSION_TAG: &str = "ssmbak:version";

/// How often a stack is looked at, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The pause between two looks.
    pub poll: Duration,
    /// How long to wait for the end in all; what goes on then goes on unwatched.
    pub limit: Duration,
}

impl Pace {
    /// A pause of nothing would never reach the limit.
    fn pause(self) -> Duration {
        self.poll.max(Duration::from_millis(10))
    }
}

impl Default for Pace {
    /// Every two seconds, for an hour: creating takes about two minutes.
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(2),
            limit: Duration::from_hours(1),
        }
    }
}

/// Something that outlives its stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retained {
    /// What it is.
    pub kind: RetainedKind,
    /// Its name; of the key, its id or ARN; of a policy, its ARN.
    pub name: String,
}

/// What outlives a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetainedKind {
    /// The bucket of values and journal.
    Bucket,
    /// The table of the index.
    Table,
    /// The key that both are encrypted with.
    Key,
    /// A policy for people: it cannot be deleted while somebody has it.
    Policy,
}

impl RetainedKind {
    /// Returns what a resource of this type is, if history lies in it or cannot be read without it.
    fn with_history(resource_type: &str) -> Option<Self> {
        match resource_type {
            "AWS::S3::Bucket" => Some(Self::Bucket),
            "AWS::DynamoDB::Table" => Some(Self::Table),
            "AWS::KMS::Key" => Some(Self::Key),
            _ => None,
        }
    }

    /// Returns what a resource is, if it outlives its stack. The function's own policy does not: only
    /// roles of the stack have it.
    fn of(resource: &StackResource) -> Option<Self> {
        let mut policies = Policy::ALL.iter();
        let is_for_people = resource.resource_type == "AWS::IAM::ManagedPolicy"
            && policies.any(|policy| policy.logical_id() == resource.logical_id);
        Self::with_history(&resource.resource_type).or(is_for_people.then_some(Self::Policy))
    }

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Table => "table",
            Self::Key => "key",
            Self::Policy => "policy",
        }
    }
}

/// Returns what of `resources` stays when the stack goes.
fn retained(resources: &[StackResource]) -> Vec<Retained> {
    let mut kept: Vec<_> = resources
        .iter()
        .filter(|one| one.status != "DELETE_COMPLETE" && !one.physical_id.is_empty())
        .filter_map(|one| {
            Some(Retained {
                kind: RetainedKind::of(one)?,
                name: one.physical_id.clone(),
            })
        })
        .collect();
    kept.sort_by_key(|one| one.kind);
    kept
}

fn parameter(key: &str, value: &str) -> Parameter {
    Parameter::builder()
        .parameter_key(key)
        .parameter_value(value)
        .build()
}

fn stack_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}

#[cfg(test)]
mod tests;
