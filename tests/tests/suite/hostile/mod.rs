//! What comes from somebody who means no good: files, objects, arguments, and
//! texts that a terminal would obey.

mod arguments;
mod files;
mod objects;
mod terminal;

use tokio::process::Command;

use super::world::{Answer, run};

/// Runs a program, and tells how much memory it held at most.
const MEASURED: &str = "\
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
sys.stderr.write('\\n%d KiB' % resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
";

/// What the command line answers, and the most memory it held, in MiB.
async fn measured(command: &Command) -> (Answer, u64) {
    let inner = command.as_std();
    let mut outer = Command::new("python3");
    outer.args(["-c", MEASURED]);
    outer.arg(inner.get_program()).args(inner.get_args());
    let environment = inner.get_envs();
    outer
        .env_clear()
        .envs(environment.filter_map(|(name, value)| Some((name, value?))))
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    let mut answer = run(outer).await;
    let (told, kib) = answer.stderr.rsplit_once('\n').unwrap();
    let kib: u64 = kib.strip_suffix(" KiB").unwrap().parse().unwrap();
    answer.stderr.truncate(told.len());
    (answer, kib / 1_024)
}
