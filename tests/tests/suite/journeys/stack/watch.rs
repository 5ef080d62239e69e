//! CloudFormation goes on whether anybody watches or not: neither Ctrl-C nor a look that fails ends
//! what was begun, and what cannot be begun leaves nothing behind.

use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr};

use super::update::no_change_set_is_left;
use super::*;

/// What is only called to watch, once an operation has begun.
const EVENTS: &str = "cloudformation:DescribeStackEvents";
const GOES_ON: &str = "CloudFormation goes on by itself; press Ctrl-C again to leave it unwatched";

/// A command line that runs, and is listened to meanwhile.
struct Running {
    child: Child,
    stderr: Lines<BufReader<ChildStderr>>,
    heard: String,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        Self {
            child,
            stderr: BufReader::new(stderr).lines(),
            heard: String::new(),
        }
    }

    /// The next line on standard error; none: it has ended.
    async fn line(&mut self) -> Option<String> {
        let line = tokio::time::timeout(PATIENCE, self.stderr.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("it says no more: {}", self.heard));
        let line = line.unwrap()?;
        self.heard.push_str(&line);
        self.heard.push('\n');
        Some(line)
    }

    async fn until_it_says(&mut self, part: &str) {
        while let Some(line) = self.line().await {
            if line.contains(part) {
                return;
            }
        }
        panic!("it never said {part}: {}", self.heard);
    }

    async fn interrupt(&self) {
        let process = self.child.id().unwrap().to_string();
        let kill = Command::new("kill").args(["-INT", &process]).status();
        assert!(kill.await.unwrap().success());
    }

    async fn end(mut self) -> Answer {
        while self.line().await.is_some() {}
        let output = self.child.wait_with_output().await.unwrap();
        Answer {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: self.heard,
        }
    }
}

fn expired() -> ApiError {
    ApiError::new(403, "ExpiredToken", "the token has expired")
}

fn denied() -> ApiError {
    ApiError::new(403, "AccessDenied", "not authorized to perform this")
}

/// An emulator with a way to it on which things go wrong.
async fn disturbed() -> (Ministack, World, World, Proxy) {
    let ministack = Ministack::start().unwrap();
    let proxy = Proxy::start(&ministack.endpoint()).unwrap();
    let behind = World::of(&ministack).await.behind(&proxy);
    let world = World::of(&ministack).await;
    (ministack, world, behind, proxy)
}

/// Begins an operation, of which nobody sees the events from the `nth` look at them on.
async fn begin_unseen(behind: &World, proxy: &Proxy, nth: usize, arguments: &[&str]) -> Running {
    let unseen = Disturbance::answer(expired()).on(EVENTS);
    proxy.disturb(unseen.at(nth).times(usize::MAX));
    let mut running = Running::start(command(behind, arguments));
    running
        .until_it_says("cannot be looked at, which is tried again")
        .await;
    running
}

/// Presses Ctrl-C once, and sees that the stack is watched to its end all the same.
async fn once(mut running: Running, proxy: &Proxy) -> Answer {
    running.interrupt().await;
    running.until_it_says(GOES_ON).await;
    proxy.reset();
    running.end().await.exits(0)
}

/// Presses Ctrl-C twice, and sees that the stack is left.
async fn twice(mut running: Running, proxy: &Proxy) -> Answer {
    running.interrupt().await;
    running.until_it_says(GOES_ON).await;
    running.interrupt().await;
    let left = running.end().await.exits(130);
    let error = "error: interrupted: CloudFormation goes on, unwatched";
    assert!(told(&left).contains(&error), "{left:?}");
    proxy.reset();
    left
}

/// Waits until the stack is at rest.
async fn rests(world: &World, stack: &str, expected: &str) {
    let deadline = Instant::now() + PATIENCE;
    while status(world, stack).await != expected {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn an_interrupted_creation_is_watched_to_its_end() {
    let (_ministack, _, behind, proxy) = disturbed().await;
    let zip = function_zip();
    let create = ["stack", "on", "create", "--function-zip", &zip];
    let running = begin_unseen(&behind, &proxy, 1, &create).await;
    let done = once(running, &proxy).await;
    // What happened while nobody could look is told all the same.
    assert!(done.stdout.contains("CREATE_IN_PROGRESS"), "{done:?}");
    assert!(done.stdout.contains("CREATE_COMPLETE"), "{done:?}");
    assert!(done.stderr.contains("created on in "), "{done:?}");
}

#[tokio::test]
async fn who_interrupts_a_creation_twice_leaves_it_to_itself() {
    let (_ministack, world, behind, proxy) = disturbed().await;
    let zip = function_zip();
    let create = ["stack", "left", "create", "--function-zip", &zip];
    let running = begin_unseen(&behind, &proxy, 1, &create).await;
    let left = twice(running, &proxy).await;
    let hint = "hint: see how it ends: ssmbak stack left status; its function was not tried";
    assert!(left.stderr.contains(hint), "{left:?}");
    rests(&world, "left", "CREATE_COMPLETE").await;
}

#[tokio::test]
async fn an_interrupted_update_still_tries_its_function_unless_it_is_left() {
    let (_ministack, world, behind, proxy) = disturbed().await;
    create(&world, "change").await.exits(0);
    let (before, _) = described(&world, "change").await;
    let dead = dead_zip("dead-and-interrupted");
    let update = ["stack", "change", "update", "--function-zip", &dead];
    // The first look finds out what has happened before.
    let mut running = begin_unseen(&behind, &proxy, 2, &update).await;
    running.interrupt().await;
    running.until_it_says(GOES_ON).await;
    proxy.reset();
    let back = running.end().await.exits(1);
    let error = "error: the stack change was rolled back: its new function does not work";
    assert!(back.stderr.contains(error), "{back:?}");
    assert_eq!(described(&world, "change").await.0, before);

    let louder = ["stack", "change", "update", "--log-level=debug"];
    let running = begin_unseen(&behind, &proxy, 2, &louder).await;
    let left = twice(running, &proxy).await;
    let hint = "hint: see how it ends: ssmbak stack change status; its function was not tried";
    assert!(left.stderr.contains(hint), "{left:?}");
    rests(&world, "change", "UPDATE_COMPLETE").await;
}

#[tokio::test]
async fn an_interrupted_deletion_is_watched_to_its_end() {
    let (_ministack, world, behind, proxy) = disturbed().await;
    create(&world, "ends").await.exits(0);
    let bucket = one(&world, "ends", "bucketname").await;
    let delete = ["stack", "ends", "delete", "--yes"];
    let running = begin_unseen(&behind, &proxy, 2, &delete).await;
    let done = once(running, &proxy).await;
    assert!(!done.stderr.contains("function"), "{done:?}");
    let kept = format!("kept: bucket {bucket}");
    assert!(told(&done).contains(&kept.as_str()), "{done:?}");
}

#[tokio::test]
async fn a_look_that_fails_does_not_end_an_operation() {
    let (_ministack, world, behind, proxy) = disturbed().await;
    // The first look is before anything is created.
    let unseen = Disturbance::answer(expired());
    proxy.disturb(unseen.on("cloudformation:DescribeStacks").at(2).times(2));
    let created = create(&behind, "blind").await.exits(0);
    let warning = "warning: the stack blind cannot be looked at, which is tried again";
    assert_eq!(created.stderr.matches(warning).count(), 1, "{created:?}");
    assert_eq!(status(&world, "blind").await, "CREATE_COMPLETE");

    proxy.reset();
    let unseen = Disturbance::answer(denied()).on(EVENTS);
    proxy.disturb(unseen.at(2).times(usize::MAX));
    let options = ["--log-level=debug"];
    let unwatched = update(&behind, "blind", &options).await.exits(1);
    let said = told(&unwatched);
    let error = "error: CloudFormation goes on with the stack blind, which cannot be watched: \
                 cloudformation:DescribeStackEvents";
    assert!(said.iter().any(|line| line.starts_with(error)), "{said:?}");
    let hint = said.last().unwrap();
    for part in [
        "hint: your credentials need cloudformation:DescribeStackEvents: attach",
        "see how it ends: ssmbak stack blind status",
    ] {
        assert!(hint.contains(part), "{hint}");
    }
    rests(&world, "blind", "UPDATE_COMPLETE").await;
}

#[tokio::test]
async fn an_update_that_cannot_be_begun_leaves_no_change_set() {
    let (_ministack, world, behind, proxy) = disturbed().await;
    create(&world, "begin").await.exits(0);
    let before = described(&world, "begin").await;
    for operation in [EVENTS, "cloudformation:ExecuteChangeSet"] {
        proxy.reset();
        proxy.disturb(Disturbance::answer(denied()).on(operation));
        let refused = update(&behind, "begin", &["--log-level=debug"]).await;
        let refused = refused.exits(1);
        assert!(refused.stderr.contains(operation), "{refused:?}");
        assert_eq!(described(&world, "begin").await, before);
        no_change_set_is_left(&world, "begin").await;
    }

    // Nor does the way back from a function that does not work.
    proxy.reset();
    let second = Disturbance::answer(denied()).on("cloudformation:ExecuteChangeSet");
    proxy.disturb(second.at(2));
    let dead = dead_zip("dead-without-a-way-back");
    let stays = update(&behind, "begin", &["--function-zip", &dead]).await;
    let stays = stays.exits(1);
    let error = "and the stack could not be rolled back: cloudformation:ExecuteChangeSet";
    assert!(stays.stderr.contains(error), "{stays:?}");
    no_change_set_is_left(&world, "begin").await;
}
