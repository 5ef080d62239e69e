//! Throttling slows, never fails.

use std::time::Duration;

use super::error::{ErrorKind, StoreError};

/// Waits double from this...
const FIRST_WAIT_MS: u64 = 200;
/// ...up to this.
const LONGEST_WAIT_MS: u64 = 5_000;
/// About five minutes in all: by then something else is wrong.
pub(super) const MOST_TRIES: u32 = 64;

/// Calls until the answer is anything but "throttled".
///
/// The SDK's own retries give up after three attempts and share a budget
/// between calls; a restore of a thousand parameters against three puts a
/// second must simply take its time. Calls whose limits are low are made at a
/// [`super::pace::Pace`].
pub(super) async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut wait_ms = FIRST_WAIT_MS;
    for _ in 1..MOST_TRIES {
        match call().await {
            Err(error) if error.kind() == ErrorKind::Throttled => {
                tokio::time::sleep(Duration::from_millis(wait_ms + jitter_ms(wait_ms))).await;
                wait_ms = (wait_ms * 2).min(LONGEST_WAIT_MS);
            }
            answer => return answer,
        }
    }
    call().await
}

/// Up to half of `wait_ms`, so that parallel callers spread out. Who seeds the
/// thread's random numbers gets the same ones again.
fn jitter_ms(wait_ms: u64) -> u64 {
    fastrand::u64(..=wait_ms / 2)
}
