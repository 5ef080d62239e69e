//! Finds the process at the other end of a loopback connection, and kills it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const DEATH_LIMIT: Duration = Duration::from_secs(2);
const SEARCH_LIMIT: Duration = Duration::from_secs(1);

/// Returns the process that holds the socket from loopback port `peer` to loopback port `own`; `None`
/// when it is gone already. One port may be the near end of several connections.
///
/// The system's table is read in parts while it changes: of many connections one can be missed.
pub(super) fn client_process(peer: u16, own: u16) -> Option<u32> {
    let deadline = Instant::now() + SEARCH_LIMIT;
    loop {
        let found = holder_of(peer, own);
        if found.is_some() || Instant::now() >= deadline {
            return found;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn holder_of(peer: u16, own: u16) -> Option<u32> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| socket_inode(&table, peer, own))?;
    let socket = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut numbered = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbered.find(|process| holds(*process, &socket))
}

/// Kills a process and waits until it is dead; false when it is this one, or will not die.
pub(super) fn kill(process: u32) -> bool {
    if process == std::process::id() {
        return false;
    }
    let script = r#"kill -KILL "$1""#;
    let told = Command::new("/bin/sh")
        .args(["-c", script, "sh", &process.to_string()])
        .status();
    let deadline = Instant::now() + DEATH_LIMIT;
    while told.is_ok() && Instant::now() < deadline {
        if is_dead(process) {
            return true;
        }
        thread::sleep(Duration::from_millis(1));
    }
    false
}

/// Each line of the table has, after its number, the local address, the remote one, and as tenth field the inode.
fn socket_inode(table: &str, near: u16, far: u16) -> Option<String> {
    let is_port = |address: &str, port: u16| address.ends_with(&format!(":{port:04X}"));
    table.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let (local, remote) = (fields.nth(1)?, fields.next()?);
        let inode = fields.nth(6)?;
        let found = is_port(local, near) && is_port(remote, far) && inode != "0";
        found.then(|| inode.to_owned())
    })
}

fn holds(process: u32, socket: &str) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{process}/fd")) else {
        return false;
    };
    files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|file| file == Path::new(socket))
}

/// A process that its parent has not waited for yet is a zombie, and as dead.
fn is_dead(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).map_or(true, |stat| {
        let after_name = stat.rsplit_once(") ").map(|(_, fields)| fields);
        after_name.is_some_and(|fields| fields.starts_with(['Z', 'X']))
    })
}
