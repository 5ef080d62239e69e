//! Thin adapters for Parameter Store, S3 and DynamoDB. AWS types stay in here.

mod bucket;
mod calls;
mod connect;
mod connect_function;
mod destination;
mod error;
mod identity;
mod index;
mod pace;
mod parameters;
mod patience;
mod profile;
mod retries;
pub mod rights;
mod source;
mod trouble;
mod whole;

pub use bucket::{Bucket, Days, Journalled, KeptVersion, Listed, VersionsFrom};
pub use calls::Calls;
pub use connect::{ConnectOptions, connect};
pub use connect_function::{FunctionEnvironment, connect_function};
pub use destination::Destination;
pub use error::{ErrorKind, StoreError};
pub use identity::{Caller, Identity};
pub use index::{
    About, AuditRow, Cursor, Ends, Head, HeadRow, Heads, Index, Recent, TagHead, Unfinished,
    head_field,
};
pub(crate) use parameters::LOOKS_AFTER_MS;
pub use parameters::{Deleted, LiveValue, NAMES_A_CALL, Parameters, PutRequest};
pub use profile::{ProfileSays, Profiles};
pub use source::{ListedPage, ListedPlace, SourceBucket, SourceObject};
pub use trouble::{PROFILE, Trouble};
pub use whole::WholeDocuments;

use aws_config::SdkConfig;

use crate::domain::Instant;

/// Where the present comes from: the core itself has no clock.
pub type Clock = fn() -> Instant;

/// Where the records are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The bucket with values and journal.
    pub bucket: String,
    /// The table with the index.
    pub table: String,
}

/// Everything a command or a capture talks to.
#[derive(Clone, Debug)]
pub struct Stores {
    /// Parameter Store.
    pub parameters: Parameters,
    /// Values and journal.
    pub bucket: Bucket,
    /// The index.
    pub index: Index,
    /// Who is calling.
    pub identity: Identity,
    /// The present.
    pub clock: Clock,
}

impl Stores {
    /// The stores at `location`, reached with `config`. Nothing is sent yet.
    pub fn new(config: &SdkConfig, location: Location, clock: Clock) -> Self {
        Self {
            parameters: Parameters::new(config, clock),
            bucket: Bucket::new(config, location.bucket),
            index: Index::new(config, location.table),
            identity: Identity::new(config),
            clock,
        }
    }

    /// The present.
    pub fn now(&self) -> Instant {
        (self.clock)()
    }

    /// Makes sure that the index is of a format this program knows.
    pub async fn check_format(&self) -> Result<(), StoreError> {
        self.index.check_format().await
    }
}
