//! Where parameters are written: Parameter Store of an account and region, and
//! its records, if it has any.

use aws_config::SdkConfig;

use super::{Clock, ErrorKind, Identity, Location, Parameters, StoreError, Stores};
use crate::domain::Instant;

/// Parameter Store of one account and region, with who is calling there, and
/// with the records where something records what happens there.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Parameter Store.
    pub parameters: Parameters,
    /// Who is calling.
    pub identity: Identity,
    /// The present.
    pub clock: Clock,
    /// Its records; none where no stack stands there. Whatever would overwrite
    /// or delete a live parameter is then refused.
    pub record: Option<Stores>,
}

impl Destination {
    /// What is reached with `config`, recorded at `location` if it is recorded
    /// at all. Nothing is sent yet.
    pub fn new(config: &SdkConfig, location: Option<Location>, clock: Clock) -> Self {
        Self {
            parameters: Parameters::new(config, clock),
            identity: Identity::new(config),
            clock,
            record: location.map(|location| Stores::new(config, location, clock)),
        }
    }

    /// The present.
    pub fn now(&self) -> Instant {
        (self.clock)()
    }

    /// Its records. The error, a fragment after "failed to", says that there are none.
    pub fn recorded(&self, attempted: &str) -> Result<&Stores, StoreError> {
        self.record.as_ref().ok_or_else(|| {
            let told = "no stack records what happens there";
            StoreError::new(attempted, ErrorKind::Missing, told)
        })
    }
}

impl From<&Stores> for Destination {
    fn from(stores: &Stores) -> Self {
        Self {
            parameters: stores.parameters.clone(),
            identity: stores.identity.clone(),
            clock: stores.clock,
            record: Some(stores.clone()),
        }
    }
}
