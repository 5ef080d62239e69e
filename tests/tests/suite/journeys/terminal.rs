//! What a person sees on a terminal: tables that fit, progress, and what is to be agreed to.

use std::process::Stdio;
use std::time::Duration;

use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::Proxy;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::world::{Answer, Lane, World, mark};

/// Runs a program on a terminal of the given width; what it tells is all on standard output.
const PTY: &str = "\
import fcntl, os, pty, struct, sys, termios
width = int(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 40, width, 0, 0))
    os.execv(sys.argv[2], sys.argv[2:])
os.write(terminal, sys.stdin.buffer.read())
while True:
    try:
        told = os.read(terminal, 65536)
    except OSError:
        break
    if not told:
        break
    os.write(1, told)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";

/// The command line on a terminal that is `width` columns wide, where `typed` is typed.
pub(crate) async fn on_terminal(world: &World, width: u16, words: &[&str], typed: &str) -> Answer {
    let inner = world.command(words);
    let inner = inner.as_std();
    let mut command = Command::new("python3");
    command.args(["-c", PTY, &width.to_string()]);
    command.arg(inner.get_program()).args(inner.get_args());
    let environment = inner.get_envs();
    command
        .env_clear()
        .envs(environment.filter_map(|(name, value)| Some((name, value?))))
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(typed.as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    Answer {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A text without what moves and colours.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = escape.find(|c: char| c.is_ascii_alphabetic());
        rest = end.map_or("", |end| &escape[end + 1..]);
    }
    plain.push_str(rest);
    plain.replace('\r', "")
}

#[tokio::test]
async fn tables_fit_terminals_of_any_width_and_wrap_what_is_long() {
    let world = World::on(Lane::Ministack).await;
    let (path, leaf) = (world.own("/wide/"), "name-that-goes-on-and-on".repeat(2));
    let name = format!("{path}{leaf}");
    world.put(&name, &"q".repeat(150)).await;
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    let at = mark().await.to_string();
    world.put(&name, "z").await;
    for width in [40, 80, 200] {
        for words in [
            &["preview", &path, &at, "--all"][..],
            &["history", &path, "--since", "-1h"],
            &["config"],
        ] {
            let answer = on_terminal(&world, width, words, "").await.exits(0);
            let told = plain(&answer.stdout);
            let rows: Vec<&str> = told.lines().filter(|l| l.contains(['│', '┌'])).collect();
            assert!(rows.len() > 2, "{told}");
            for row in rows {
                let columns = row.chars().count();
                assert!(
                    columns <= usize::from(width),
                    "{columns} > {width}: {row}\n{told}"
                );
            }
            if words[0] == "preview" && width > 40 {
                assert_eq!(told.matches('q').count(), 150, "{told}");
            }
        }
    }
}

const SIGNS: [&str; 3] = ["asking AWS", "comparing what lives", "reading the index"];

#[tokio::test]
async fn progress_is_shown_on_a_terminal_after_a_second_and_cleared() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy slows").await;
    let path = world.own("/slow/");
    world.put(&format!("{path}one"), "1").await;
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    let fast = ["preview", &path, "now"];
    let shows = |answer: &Answer| {
        let told = format!("{}{}", answer.stdout, answer.stderr);
        SIGNS.into_iter().find(|sign| told.contains(sign))
    };
    let quick = on_terminal(&world, 80, &fast, "").await.exits(0);
    assert_eq!(shows(&quick), None, "{quick:?}");

    let world = world.behind(&proxy);
    proxy.set_latency(Duration::from_millis(1_500));
    for words in [&fast[..], &["history", &path]] {
        let slow = on_terminal(&world, 80, words, "").await.exits(0);
        let sign = shows(&slow).unwrap_or_else(|| panic!("{words:?}: {slow:?}"));
        let after = slow.stdout.rsplit_once(sign).unwrap().1;
        assert!(after.contains("\u{1b}[2K"), "it is not cleared: {slow:?}");
        let quiet = [words, &["-q"]].concat();
        let quiet = on_terminal(&world, 80, &quiet, "").await.exits(0);
        assert_eq!(shows(&quiet), None, "{quiet:?}");
        let piped = world.ssmbak(words).await.exits(0);
        assert_eq!(shows(&piped), None, "{piped:?}");
    }
}

#[tokio::test]
async fn each_of_three_hundred_deletions_is_named_before_the_question() {
    let world = World::on(Lane::Ministack).await;
    let path = world.own("/many/");
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    let at = mark().await.to_string();
    let names: Vec<String> = (0..300).map(|n| format!("{path}new-{n:03}")).collect();
    for name in &names {
        world.put(name, "x").await;
    }
    let restore = ["restore", &path, &at];
    let declined = on_terminal(&world, 80, &restore, "n\n").await.exits(1);
    let told = plain(&declined.stdout);
    let (before, after) = told.split_once("Delete 300 parameters").unwrap();
    let lines: Vec<&str> = before.lines().collect();
    for name in &names {
        assert!(lines.contains(&format!("delete {name}").as_str()), "{name}");
    }
    assert!(after.contains("nothing was changed: declined"), "{after}");
    assert_eq!(world.live(&names[299]).await.as_deref(), Some("x"));
}
