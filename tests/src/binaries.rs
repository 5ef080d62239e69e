//! The real binaries, built when a test first asks for one.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Returns the path of the function's binary.
pub fn bootstrap() -> PathBuf {
    built().join("bootstrap")
}

/// Returns the path of the command line's binary.
pub fn ssmbak() -> PathBuf {
    built().join("ssmbak")
}

/// Returns the path of one of the original's programs: `ssmbak-stack` or `ssmbak-all`.
pub fn alias(name: &str) -> PathBuf {
    built().join(name)
}

/// Returns the path of the sandbox's binary.
pub fn sandbox() -> PathBuf {
    built().join("sandbox")
}

/// Returns the path of a zip that Lambda would take, with `bootstrap` in it, executable.
///
/// # Panics
///
/// When the binaries do not build or the zip cannot be written: no test can go on then.
pub fn function_zip() -> PathBuf {
    static ZIP: OnceLock<PathBuf> = OnceLock::new();
    ZIP.get_or_init(|| write_zip(&bootstrap()).expect("the function's zip can be written"))
        .clone()
}

/// Returns the directory that this build writes to.
pub fn target_directory() -> &'static Path {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(find_target_directory)
}

/// `cargo test` builds no binary of another package, so they are built here; when they are there
/// already, that takes a fraction of a second.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        build().expect("the binaries build");
        target_directory().join("debug")
    })
}

fn build() -> io::Result<()> {
    let output = build_command().arg("--quiet").output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(text))
}

/// The command that builds the binaries.
pub(crate) fn build_command() -> Command {
    let mut command = build_into_target();
    command.args(["--workspace", "--bins"]);
    command
}

/// The command that builds one package alone, with what it needs of others and no more.
pub(crate) fn build_command_of(package: &str) -> Command {
    let mut command = build_into_target();
    command.args(["--package", package]);
    command
}

/// The command that builds one program, with the features that the whole workspace asks for.
pub(crate) fn build_command_of_program(program: &str) -> Command {
    let mut command = build_into_target();
    command.args(["--workspace", "--bin", program]);
    command
}

fn build_into_target() -> Command {
    let mut command = cargo_command();
    // C compilers heed it, so whoever sets it would have the cryptography compiled anew.
    command.env_remove("SOURCE_DATE_EPOCH");
    command
        .args(["build", "--target-dir"])
        .arg(target_directory());
    command
}

/// Cargo, in this workspace.
pub(crate) fn cargo_command() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    for name in package_variables() {
        command.env_remove(name);
    }
    command
}

/// What `cargo run` and `cargo test` set for the program they start. A build that inherits it takes
/// it for a change, and compiles every package anew whose build script looks at one of them.
fn package_variables() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    })
}

/// Cargo marks the directory; the running test or tool lies somewhere below it.
fn find_target_directory() -> PathBuf {
    let running = std::env::current_exe().unwrap_or_default();
    let marked = running
        .ancestors()
        .find(|directory| directory.join("CACHEDIR.TAG").exists());
    if let Some(directory) = marked {
        return directory.to_owned();
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    workspace.unwrap_or(Path::new(".")).join("target")
}

/// Written under a name of its own and then renamed: another test process may be reading it.
/// Whether `made` is there and not older than what it is made from.
fn is_newer(made: &Path, from: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    matches!((modified(made), modified(from)), (Some(made), Some(from)) if made > from)
}

fn write_zip(bootstrap: &Path) -> io::Result<PathBuf> {
    let directory = target_directory().join("function");
    fs::create_dir_all(&directory)?;
    let finished = directory.join("function.zip");
    if is_newer(&finished, bootstrap) {
        return Ok(finished);
    }
    let unfinished = directory.join(format!("function-{}.zip", std::process::id()));
    let mut zip = ZipWriter::new(File::create(&unfinished)?);
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", options)?;
    zip.write_all(&fs::read(bootstrap)?)?;
    zip.finish()?.sync_all()?;
    fs::rename(&unfinished, &finished)?;
    Ok(finished)
}
