//! How a disagreement is put right.

use crate::capture::show_head;
use crate::domain::Record;
use crate::domain::run::Run;
use crate::store::{Journalled, StoreError, Stores};

/// What puts a disagreement right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Cure {
    /// Nothing that could be done without a decision of a person.
    #[default]
    None,
    /// The rows of this record, which the journal has.
    Index(Box<Record>),
    /// This record, whose value is there, back into the journal.
    Journal(Box<Record>),
    /// What the head says, shown at the key.
    Key(Box<Record>),
    /// The rows of this run.
    Run(Box<Run>),
}

impl Cure {
    /// Applies it, and tells whether it did.
    pub(super) async fn apply(&self, stores: &Stores) -> Result<bool, StoreError> {
        match self {
            Self::None => Ok(false),
            Self::Index(record) => {
                let records = std::slice::from_ref(&**record);
                stores.index.put_all(records).await.map(|()| true)
            }
            Self::Journal(record) => {
                let journalled = stores.bucket.put_record(record).await?;
                Ok(journalled == Journalled::Written)
            }
            Self::Key(record) => show_head(stores, record).await,
            Self::Run(run) => stores.index.put_run_if_new(run).await.map(|()| true),
        }
    }
}
