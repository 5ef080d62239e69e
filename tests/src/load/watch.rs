//! Looks at queue and function while a load runs.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::LoadStage;
use super::figures::Memory;
use crate::emulator::Control;

/// How Linux counts processor time, in whatever it tells of a process.
const TICKS_PER_SECOND: u32 = 100;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) backlog: Vec<(Duration, u32)>,
    pub(super) memory: Vec<Memory>,
    pub(super) function_cpu: Duration,
    pub(super) emulator_cpu: Duration,
}

/// The task that looks.
#[derive(Debug)]
pub(super) struct Watch {
    enough: oneshot::Sender<()>,
    task: JoinHandle<io::Result<Seen>>,
}

impl Watch {
    pub(super) fn begin(stage: &LoadStage, every: Duration) -> Self {
        let (enough, asked) = oneshot::channel();
        let task = tokio::spawn(watch(stage.control(), stage.process_id(), every, asked));
        Self { enough, task }
    }

    pub(super) async fn end(self) -> io::Result<Seen> {
        self.enough.send(()).ok();
        self.task.await.map_err(io::Error::other)?
    }
}

async fn watch(
    control: Control,
    emulator: u32,
    every: Duration,
    mut enough: oneshot::Receiver<()>,
) -> io::Result<Seen> {
    let began = Instant::now();
    let before = cpu_of(emulator);
    let mut seen = Seen::default();
    let mut sizes: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    let mut used: BTreeMap<u32, (Duration, Duration)> = BTreeMap::new();
    loop {
        let queues = control.quiet().await?.queues;
        let waiting = queues.iter().filter(|queue| !queue.dead_letter);
        let waiting = waiting.map(|queue| queue.ready + queue.in_flight + queue.delayed);
        seen.backlog.push((began.elapsed(), waiting.sum()));
        for process in functions_of(emulator)? {
            if let Some(kib) = status_kib(process, "VmRSS:") {
                sizes.entry(process).or_default().push(kib);
            }
            let cpu = cpu_of(process);
            used.entry(process).or_insert((cpu, cpu)).1 = cpu;
        }
        tokio::select! {
            _ = &mut enough => break,
            () = tokio::time::sleep(every) => {}
        }
    }
    let peak = |process| status_kib(process, "VmHWM:").unwrap_or_default();
    let memory = sizes.into_iter();
    seen.memory = memory
        .map(|(process, kib)| Memory::new(&kib, peak(process)))
        .collect();
    let used = used.into_values();
    seen.function_cpu = used.map(|(first, last)| last.saturating_sub(first)).sum();
    seen.emulator_cpu = cpu_of(emulator).saturating_sub(before);
    Ok(seen)
}

/// The processes of functions: those of the emulator's group that run a `bootstrap`.
fn functions_of(emulator: u32) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that ends meanwhile tells nothing.
        let fields = stat(process).unwrap_or_default();
        let is_function = fields.first().is_some_and(|name| name == "bootstrap");
        if is_function
            && fields
                .get(3)
                .is_some_and(|group| *group == emulator.to_string())
        {
            found.push(process);
        }
    }
    Ok(found)
}

/// What Linux tells of a process: its program's name, state, parent, group and so on.
fn stat(process: u32) -> Option<Vec<String>> {
    let told = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (name, rest) = told.split_once('(')?.1.rsplit_once(')')?;
    let rest = rest.split_whitespace().map(str::to_owned);
    Some(std::iter::once(name.to_owned()).chain(rest).collect())
}

fn cpu_of(process: u32) -> Duration {
    let fields = stat(process).unwrap_or_default();
    let ticks = |place: usize| fields.get(place)?.parse::<u32>().ok();
    let both = ticks(12).unwrap_or_default() + ticks(13).unwrap_or_default();
    Duration::from_secs(1) * both / TICKS_PER_SECOND
}

fn status_kib(process: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let told = status.lines().find_map(|line| line.strip_prefix(field))?;
    told.trim().trim_end_matches(" kB").parse().ok()
}
