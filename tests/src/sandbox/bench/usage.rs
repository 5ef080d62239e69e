//! What a running process has used so far, as Linux tells it.

use std::fs;
use std::io;

/// The processor time of all threads that live, in milliseconds.
///
/// From the scheduler's own account: it counts nanoseconds, where that of the process counts
/// hundredths of a second.
pub(super) fn cpu_ms(process: u32) -> io::Result<f64> {
    let mut ns = 0.0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end while it is looked at.
        let account = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        let first = account.split_whitespace().next();
        ns += first.and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0);
    }
    Ok(ns / 1_000_000.0)
}

/// The most memory it had at once (`VmHWM`).
pub(super) fn peak_mib(process: u32) -> io::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|told| told.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map(|kib| kib / 1_024.0)
        .ok_or_else(|| io::Error::other("it has no VmHWM"))
}
