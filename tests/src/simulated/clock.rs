//! Virtual time: that of a paused tokio runtime, from a beginning of one's choice.
//!
//! Nothing waits: when nobody has anything to do, time moves on to the next
//! thing that somebody waits for.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use aws_types::sdk_config::TimeSource;
use ssmbak_core::domain::Instant;

/// The futures of a whole run, unoptimized, take more than a thread has by default.
const STACK_BYTES: usize = 64 << 20;

thread_local! {
    static BEGINNING: Cell<Option<(Instant, tokio::time::Instant)>> = const { Cell::new(None) };
}

/// Runs what `work` makes on a runtime of its own whose time begins at `at`. Chance that is
/// left to the thread, such as that of waits before a retry, is decided by `seed`.
///
/// # Panics
///
/// When `work` does, or when this machine has no thread left.
pub fn run<T: Send>(at: Instant, seed: u64, work: impl AsyncFnOnce() -> T + Send) -> T {
    let ran = || {
        fastrand::seed(seed);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        Ok::<T, std::io::Error>(runtime.block_on(async {
            BEGINNING.set(Some((at, tokio::time::Instant::now())));
            work().await
        }))
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        let ran = thread.spawn_scoped(scope, ran)?.join();
        ran.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
    .expect("a runtime without sockets, on a thread of its own, can be made")
}

/// The present of the runtime that runs on this thread.
pub fn now() -> Instant {
    let Some((at, began)) = BEGINNING.get() else {
        return chrono::Utc::now().into();
    };
    let passed = began.elapsed().as_millis();
    at.plus_millis(i64::try_from(passed).unwrap_or(i64::MAX))
}

/// Waits until `at`; not at all where that is over.
pub async fn wait_until(at: Instant) {
    let ms = at.millis() - now().millis();
    tokio::time::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await;
}

/// The SDK's time, which stands in signatures and decides when credentials are old.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time;

impl TimeSource for Time {
    fn now(&self) -> SystemTime {
        let ms = u64::try_from(now().millis()).unwrap_or(0);
        SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
    }
}
