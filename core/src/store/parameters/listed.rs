//! The history of a parameter that a listing shows: reads are eventually consistent, and one that does
//! not show what is known to be there is made again.

use std::time::Duration;

use tokio::time::sleep;

use super::{LOOKS_AFTER_MS, Parameters};
use crate::domain::{Instant, Live, Look, Name};
use crate::store::error::{ErrorKind, StoreError};

impl Parameters {
    /// As [`Self::history`], of a parameter that lives, its newest version written at `since` or later.
    ///
    /// A look that shows nothing so new is made again, some seconds long. Where none does, the listing
    /// is asked once more: of a parameter that is gone by then the last look is the answer, of one that
    /// is still listed so it is an error ([`ErrorKind::Stale`]). Usually it takes no call more.
    pub async fn history_since(&self, name: &Name, since: Instant) -> Result<Look, StoreError> {
        self.until_it_shows(name, since, Secrets::Read).await
    }

    /// As [`Self::history_since`], secrets without their values.
    pub async fn sealed_history_since(
        &self,
        name: &Name,
        since: Instant,
    ) -> Result<Look, StoreError> {
        self.until_it_shows(name, since, Secrets::Sealed).await
    }

    async fn until_it_shows(
        &self,
        name: &Name,
        since: Instant,
        secrets: Secrets,
    ) -> Result<Look, StoreError> {
        let mut seen = self.look(name, secrets).await?;
        for wait_ms in &LOOKS_AFTER_MS[1..] {
            if shows(&seen, since) {
                return Ok(seen);
            }
            sleep(Duration::from_millis(*wait_ms)).await;
            seen = self.look(name, secrets).await?;
        }
        if shows(&seen, since) {
            return Ok(seen);
        }
        let listed = self.list_names(std::slice::from_ref(name)).await?;
        let unseen = |live: &Live| !shows(&seen, since.max(live.modified));
        match listed.first().filter(|live| unseen(live)) {
            None => Ok(seen),
            Some(live) => Err(StoreError::new(
                format!("read the history of {name}"),
                ErrorKind::Stale,
                format!(
                    "version {} of {} is listed and not shown there yet",
                    live.version, live.modified
                ),
            )),
        }
    }

    async fn look(&self, name: &Name, secrets: Secrets) -> Result<Look, StoreError> {
        match secrets {
            Secrets::Read => self.history(name).await,
            Secrets::Sealed => Ok(Look {
                sent: (self.clock)(),
                retained: self.sealed_history(name).await?,
            }),
        }
    }
}

/// What is read of secrets.
#[derive(Clone, Copy)]
enum Secrets {
    Read,
    Sealed,
}

/// Whether a look shows a version that was written at `since` or later.
fn shows(look: &Look, since: Instant) -> bool {
    let newest = look.newest();
    newest.is_some_and(|newest| newest.modified >= since)
}
