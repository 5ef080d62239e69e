//! Load: many changes through the queue and the real function, on the real stack; what that took,
//! and whether anything is missing afterwards.
//!
//! The emulator stands in for `EventBridge`, the queue, Lambda and the stores in one Python process:
//! how fast the backlog drains is mostly its own pace, and [`Figures::emulator_cpu`] beside
//! [`Figures::function_cpu`] tells how much. That it drains, and what is on record then, is ours.

mod figures;
mod record;
mod stage;
mod watch;

use std::io;
use std::time::{Duration, Instant};

use aws_sdk_ssm::types::ParameterType;
use futures_util::StreamExt as _;
use futures_util::stream;

pub use self::figures::{Figures, Memory, Spread};
pub use self::stage::LoadStage;
use self::watch::Watch;

/// So many write at once in a burst.
const WRITERS: usize = 8;
/// Changes come in groups: the last of each is a deletion.
const GROUP: usize = 20;
/// Parameter Store keeps 100 versions of a parameter: so many changes for each name are well below.
const CHANGES_PER_NAME: usize = 30;
/// Once it is warm a process of the function grows by no more than this, in KiB, while batches
/// become larger: pages come and go, and it holds nothing.
pub const GROWN_IN_A_BURST_MAX: u64 = 4 * 1_024;
/// And by no more than this where each batch is like the one before.
pub const GROWN_STEADILY_MAX: u64 = 2 * 1_024;
/// How long the queue may take to be empty after the last change.
const DRAIN_LIMIT: Duration = Duration::from_mins(10);

/// Changes parameters as fast as the emulator takes it, and waits until all is captured.
pub async fn burst(stage: &LoadStage, changes: usize) -> io::Result<Figures> {
    let run = Run::begin(stage, changes, Duration::from_millis(250)).await?;
    let groups = stream::iter(0..changes.div_ceil(GROUP));
    let written: Vec<io::Result<()>> = groups
        .map(async |group| {
            let of_group = group * GROUP..changes.min((group + 1) * GROUP);
            for number in of_group {
                run.change(number).await?;
            }
            Ok(())
        })
        .buffer_unordered(WRITERS)
        .collect()
        .await;
    written.into_iter().collect::<io::Result<()>>()?;
    run.end().await
}

/// Changes parameters at a steady rate for so long, and waits until all is captured.
pub async fn steady(stage: &LoadStage, per_second: u32, length: Duration) -> io::Result<Figures> {
    let every = Duration::from_secs(1) / per_second;
    let changes = usize::try_from(length.as_millis() / every.as_millis()).unwrap_or(usize::MAX);
    let run = Run::begin(stage, changes, Duration::from_secs(1)).await?;
    let mut ticks = tokio::time::interval(every);
    for number in 0..changes {
        ticks.tick().await;
        run.change(number).await?;
    }
    run.end().await
}

/// One load, under a path of its own.
struct Run<'a> {
    stage: &'a LoadStage,
    ssm: aws_sdk_ssm::Client,
    path: String,
    changes: usize,
    names: usize,
    lines_before: usize,
    began: Instant,
    watch: Watch,
}

impl<'a> Run<'a> {
    /// What the load will delete is made and captured first: of a parameter that comes and goes
    /// before anybody looked nobody can tell the value.
    async fn begin(stage: &'a LoadStage, changes: usize, every: Duration) -> io::Result<Self> {
        let mut run = Self {
            ssm: stage.ssm().await,
            path: stage.new_path(),
            changes,
            names: (changes / CHANGES_PER_NAME).max(10),
            lines_before: 0,
            began: Instant::now(),
            watch: Watch::begin(stage, every),
            stage,
        };
        for group in 0..changes / GROUP {
            run.put(&run.to_be_deleted(group), "before").await?;
        }
        stage.control().wait_until_quiet(DRAIN_LIMIT).await?;
        run.lines_before = stage.log_lines().await?.len();
        run.watch = Watch::begin(stage, every);
        run.began = Instant::now();
        Ok(run)
    }

    /// The `number`th change: a new version, or the deletion of a parameter.
    async fn change(&self, number: usize) -> io::Result<()> {
        if (number + 1).is_multiple_of(GROUP) {
            let delete = self.ssm.delete_parameter();
            let delete = delete.name(self.to_be_deleted(number / GROUP));
            return delete.send().await.map(drop).map_err(io::Error::other);
        }
        let name = format!("{}name-{}", self.path, number % self.names);
        self.put(&name, &format!("value {number}")).await
    }

    async fn put(&self, name: &str, value: &str) -> io::Result<()> {
        let put = self.ssm.put_parameter().name(name).value(value);
        let put = put.overwrite(true).r#type(ParameterType::String);
        put.send().await.map(drop).map_err(io::Error::other)
    }

    fn to_be_deleted(&self, group: usize) -> String {
        format!("{}gone-{group}", self.path)
    }

    /// Waits until the queue is empty, and compares what is on record with what happened.
    async fn end(self) -> io::Result<Figures> {
        let writing = self.began.elapsed();
        let control = self.stage.control();
        control.wait_until_quiet(DRAIN_LIMIT).await?;
        let draining = self.began.elapsed().saturating_sub(writing);
        let seen = self.watch.end().await?;
        let lines = self.stage.log_lines().await?.split_off(self.lines_before);
        let happened = control.changes_under(&self.path).await?;
        let wrong = record::compare(&happened, &self.stage.history(&self.path).await?);
        Ok(Figures {
            changes: self.changes,
            writing,
            draining,
            backlog: seen.backlog,
            lag: Spread::of(figures::lags_ms(&lines)),
            lag_metric_ms: figures::lag_metric_ms(&lines),
            invocations: figures::invocations(&lines),
            memory: seen.memory,
            function_cpu: seen.function_cpu,
            emulator_cpu: seen.emulator_cpu,
            queues: control.quiet().await?.queues,
            wrong,
        })
    }
}
