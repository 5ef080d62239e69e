//! A sandbox that stays: `up` and `down`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::screen::Screen;
use super::stage::{Stage, blocking, build, exports};
use crate::binaries::{ssmbak, target_directory};
use crate::emulator::{Control, Ministack, Options};

/// The sandbox that was left running.
#[derive(Debug, Serialize, Deserialize)]
struct Left {
    /// The emulator's process.
    process_id: u32,
    /// Its URL.
    endpoint: String,
}

/// Leaves a sandbox running, and prints what a shell has to export to use it.
///
/// One that runs already is used again. Standard output gets the exports and nothing else.
pub(crate) async fn up() -> io::Result<()> {
    let _alone = lock().await?;
    let screen = Screen::stderr();
    if let Some(left) = running().await? {
        screen.line(&format!("a sandbox runs already at {}", left.endpoint))?;
        build().await?;
        return print_exports(&left.endpoint);
    }
    let options = Options {
        outlive_owner: true,
        ..Options::default()
    };
    let stage = Stage::set(screen, options).await?;
    let endpoint = stage.ministack.endpoint();
    // Printed first: when nobody reads it, nothing is left behind.
    print_exports(&endpoint)?;
    let left = Left {
        process_id: stage.ministack.process_id(),
        endpoint,
    };
    fs::write(state_file()?, serde_json::to_vec_pretty(&left)?)?;
    stage.ministack.leave_running();
    screen.line("the sandbox runs until `cargo sandbox down`")
}

/// Ends the sandbox that was left running, if there is one.
pub(crate) async fn down() -> io::Result<()> {
    let _alone = lock().await?;
    let screen = Screen::stdout();
    let Some(left) = running().await? else {
        return screen.line("no sandbox runs");
    };
    let process_id = left.process_id;
    blocking(move || Ministack::end(process_id)).await?;
    fs::remove_file(state_file()?)?;
    screen.line(&format!("ended the sandbox at {}", left.endpoint))
}

/// The sandbox that was left running and still answers.
///
/// Where none answers, the number of its process may be another's by now: only the note of it is removed.
async fn running() -> io::Result<Option<Left>> {
    let file = state_file()?;
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if let Ok(left) = serde_json::from_slice::<Left>(&text)
        && Control::new(&left.endpoint).now_ms().await.is_ok()
    {
        return Ok(Some(left));
    }
    fs::remove_file(&file)?;
    Ok(None)
}

fn print_exports(endpoint: &str) -> io::Result<()> {
    let screen = Screen::stdout();
    for (name, value) in exports(endpoint) {
        screen.line(&format!("export {name}={value}"))?;
    }
    let binaries = ssmbak().parent().map(Path::to_owned).unwrap_or_default();
    let binaries = quoted(&binaries.display().to_string());
    screen.line(&format!("export PATH={binaries}:\"$PATH\""))
}

/// A word for a shell, whatever is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Lets one `up` or `down` at a time go on.
async fn lock() -> io::Result<File> {
    let file = File::create(directory()?.join("lock"))?;
    blocking(move || file.lock().map(|()| file)).await
}

fn state_file() -> io::Result<PathBuf> {
    Ok(directory()?.join("running.json"))
}

fn directory() -> io::Result<PathBuf> {
    let directory = target_directory().join("sandbox");
    fs::create_dir_all(&directory)?;
    Ok(directory)
}
