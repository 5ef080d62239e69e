//! A control group that has a small share of one processor.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Slices as short as Linux shares them out well: a long one would let a short invocation through
/// as if it had a whole processor.
const PERIOD_US: u64 = 20_000;
/// 128 MB are a fourteenth of the 1,769 MB that Lambda gives a whole processor for.
const OF_128_MB_US: u64 = 1_400;

/// The group; it is removed when this is dropped, and its processes have ended.
#[derive(Debug)]
pub(super) struct Share {
    directory: PathBuf,
}

impl Share {
    /// A group with 7 % of one processor. An error where control groups cannot be set.
    pub(super) fn of_128_mb() -> io::Result<Self> {
        let name = format!("ssmbak-bench-{}", std::process::id());
        let unified = Path::new("/sys/fs/cgroup");
        let controllers = fs::read_to_string(unified.join("cgroup.subtree_control"));
        if controllers.is_ok_and(|all| all.split_whitespace().any(|one| one == "cpu")) {
            let share = Self::made(unified.join(name))?;
            let share_and_period = format!("{OF_128_MB_US} {PERIOD_US}");
            fs::write(share.directory.join("cpu.max"), share_and_period)?;
            return Ok(share);
        }
        let share = Self::made(unified.join("cpu").join(name))?;
        let set = |file, value: u64| fs::write(share.directory.join(file), value.to_string());
        set("cpu.cfs_period_us", PERIOD_US)?;
        set("cpu.cfs_quota_us", OF_128_MB_US)?;
        Ok(share)
    }

    fn made(directory: PathBuf) -> io::Result<Self> {
        fs::create_dir(&directory)?;
        Ok(Self { directory })
    }

    /// Moves a process into the group, with all its threads.
    pub(super) fn take(&self, process: u32) -> io::Result<()> {
        fs::write(self.directory.join("cgroup.procs"), process.to_string())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        fs::remove_dir(&self.directory).ok();
    }
}
