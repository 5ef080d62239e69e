//! What a release publishes: an archive of the programs, the function's zips, the manual pages and
//! the completions, with checksums. The same inputs give the same bytes.

pub(super) mod archive;
mod elf;
pub(super) mod function;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::{Args, ValueEnum};
use ssmbak_infra::function_zip::Architecture;
use tokio::process::Command;

use self::archive::{Compression, Content, Entry};
use self::function::Function;
use super::screen::Screen;
use super::stage::{blocking, build};
use crate::binaries::{cargo_command, target_directory};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Taken over as they are.
const DOCUMENTS: [&str; 3] = ["CHANGELOG.md", "LICENSE", "README.md"];
/// Each shell, and the name under which it looks for completions.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "ssmbak.bash"),
    ("fish", "ssmbak.fish"),
    ("zsh", "_ssmbak"),
];
const SUMS: &str = "SHA256SUMS";

/// How a package is made.
#[derive(Debug, Clone, Args)]
pub(crate) struct PackageArgs {
    /// How the programs are built; only `release` is for a release
    #[arg(long, value_enum, default_value_t)]
    profile: Profile,
    /// Processors without whose function the package is not made.
    #[arg(
        long,
        value_name = "ARCH",
        help = "Fail if there is no function for this processor (arm64 or x86_64); repeatable"
    )]
    require_arch: Vec<Architecture>,
    /// A zip of the function that was built elsewhere, in place of one built here; repeatable
    #[arg(long, value_name = "FILE")]
    function_zip: Vec<PathBuf>,
    /// Where it is written; earlier packages there go [default: target/package]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// How the programs are built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Profile {
    /// Small and fast; takes minutes
    #[default]
    Release,
    /// As tests build them; takes seconds
    Dev,
}

impl Profile {
    /// Below the target directory.
    fn directory(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Dev => "debug",
        }
    }

    /// The binaries of a dev build are large, and a test waits for them.
    fn compression(self) -> Compression {
        match self {
            Self::Release => Compression::best(),
            Self::Dev => Compression::fast(),
        }
    }
}

/// Makes the package, and tells what is in it and what is not.
pub(crate) async fn package(args: &PackageArgs) -> io::Result<()> {
    let host = host().await?;
    let seconds = source_date().await?;
    build_programs(args.profile).await?;
    let built = target_directory().join(args.profile.directory());
    let functions = function::all(args, &host).await?;
    let top = format!("ssmbak-{VERSION}-{host}");

    let mut entries = programs(&built)?;
    entries.extend(functions.iter().filter_map(Function::entry));
    entries.extend(generated(&built.join("ssmbak")).await?);
    for document in DOCUMENTS {
        entries.push(Entry::file(document, fs::read(workspace().join(document))?));
    }
    let sums = archive::sums(&entries)?;
    entries.push(Entry::file(SUMS, sums.into_bytes()));
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let packed = {
        let (top, entries) = (top.clone(), entries.clone());
        let level = args.profile.compression();
        blocking(move || archive::tar_gz(&top, entries, seconds, level)).await?
    };

    let mut published: Vec<_> = functions.iter().filter_map(Function::entry).collect();
    let file = format!("{top}.tar.gz");
    published.push(Entry::file(&file, packed));
    let directory = args
        .to
        .clone()
        .unwrap_or_else(|| target_directory().join("package"));
    publish(&directory, &file, published)?;
    tell(args.profile, &directory, &file, &entries, &functions)
}

async fn build_programs(profile: Profile) -> io::Result<()> {
    if profile == Profile::Dev {
        return build().await;
    }
    let mut cargo = cargo_command();
    cargo
        .args(["build", "--locked", "--release", "--workspace"])
        .args(["--bin", "ssmbak", "--target-dir"])
        .arg(target_directory());
    succeeds(Command::from(cargo)).await
}

/// The two others are links, not the programs that `cargo install` makes of them: one file to carry
/// and to check, and a copy that follows a link is a program that works.
fn programs(built: &Path) -> io::Result<Vec<Entry>> {
    let link = |name: &str| Entry {
        path: name.to_owned(),
        content: Content::Link("ssmbak"),
    };
    let ssmbak = Entry {
        path: "ssmbak".to_owned(),
        content: Content::Program(fs::read(built.join("ssmbak"))?),
    };
    Ok(vec![ssmbak, link("ssmbak-all"), link("ssmbak-stack")])
}

/// What the program itself tells: manual pages and completions.
async fn generated(ssmbak: &Path) -> io::Result<Vec<Entry>> {
    let pages = tempfile::tempdir()?;
    output(Command::new(ssmbak).args(["man", "--to"]).arg(pages.path())).await?;
    let mut entries = Vec::new();
    for page in fs::read_dir(pages.path())? {
        let page = page?;
        let name = page.file_name().to_string_lossy().into_owned();
        entries.push(Entry::file(&format!("man/{name}"), fs::read(page.path())?));
    }
    for (shell, file) in COMPLETIONS {
        let script = output(Command::new(ssmbak).args(["completions", shell])).await?;
        entries.push(Entry::file(&format!("completions/{file}"), script));
    }
    Ok(entries)
}

/// Writes what is published, in place of what an earlier run has written.
fn publish(directory: &Path, archive: &str, files: Vec<Entry>) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for earlier in fs::read_dir(directory)? {
        let earlier = earlier?;
        let name = earlier.file_name().to_string_lossy().into_owned();
        if name == SUMS || name.starts_with("ssmbak-") {
            fs::remove_file(earlier.path())?;
        }
    }
    let sums = archive::sums(&files)?;
    let of_archive = sums.lines().filter(|line| line.ends_with(archive));
    let of_archive: String = of_archive.flat_map(|line| [line, "\n"]).collect();
    fs::write(directory.join(format!("{archive}.sha256")), of_archive)?;
    fs::write(directory.join(SUMS), sums)?;
    for file in files {
        if let Some(bytes) = file.bytes() {
            fs::write(directory.join(&file.path), bytes)?;
        }
    }
    Ok(())
}

fn tell(
    profile: Profile,
    directory: &Path,
    archive: &str,
    entries: &[Entry],
    functions: &[Function],
) -> io::Result<()> {
    let screen = Screen::stdout();
    for entry in entries {
        let path = &entry.path;
        match &entry.content {
            Content::Link(to) => screen.line(&format!("   {path:32} -> {to}"))?,
            Content::File(bytes) | Content::Program(bytes) => {
                screen.line(&format!("   {path:32} {:>11}", bytes.len()))?;
            }
        }
    }
    let file = directory.join(archive);
    let bytes_len = fs::metadata(&file)?.len();
    let built = match profile {
        Profile::Release => "release profile",
        Profile::Dev => "dev profile: not for a release",
    };
    screen.line(&format!("{}: {bytes_len} bytes, {built}", file.display()))?;
    for function in functions {
        screen.line(&function.told())?;
    }
    Ok(())
}

/// The triple that the compiler builds for here.
async fn host() -> io::Result<String> {
    let told = output(Command::new("rustc").arg("-vV").current_dir(workspace())).await?;
    let told = String::from_utf8_lossy(&told).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| io::Error::other("`rustc -vV` does not tell its host"))
}

/// The time that every file of the archive gets: `SOURCE_DATE_EPOCH`, else that of the last commit,
/// else 0.
async fn source_date() -> io::Result<u64> {
    if let Ok(told) = std::env::var("SOURCE_DATE_EPOCH") {
        let seconds = told.parse();
        return seconds.map_err(|_| {
            io::Error::other(format!("SOURCE_DATE_EPOCH is no number of seconds: {told}"))
        });
    }
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"])
        .current_dir(workspace());
    // No git, or no repository: an unpacked source archive has neither.
    let told = match git.stdin(Stdio::null()).kill_on_drop(true).output().await {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(_) => String::new(),
    };
    Ok(told.trim().parse().unwrap_or(0))
}

fn workspace() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// Runs a command to its end, its output told as it comes.
async fn succeeds(mut command: Command) -> io::Result<()> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let status = command.status().await?;
    if status.success() {
        return Ok(());
    }
    let program = command.as_std().get_program().display().to_string();
    Err(io::Error::other(format!("{program} ended with {status}")))
}

/// Runs a command and returns what it prints.
async fn output(command: &mut Command) -> io::Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true);
    let output = output.output().await?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let program = command.as_std().get_program().display().to_string();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!("{program} failed: {told}")))
}
