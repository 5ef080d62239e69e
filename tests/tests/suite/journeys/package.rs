//! What a release publishes, made from the dev build: whole, right, repeatable, and enough.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command as Blocking;
use std::sync::OnceLock;
use std::time::Duration;

use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};
use ssmbak_tests::binaries;
use ssmbak_tests::emulator::{ACCOUNT, Ministack, REGION};
use tar::Archive;
use tempfile::TempDir;
use tokio::process::Command;

use super::{World, column};
use crate::world::{Answer, aws, mark, run};

/// How long events may take until they are captured.
const QUIET_LIMIT: Duration = Duration::from_mins(1);
/// The time of every file in the archive.
const DATE: u64 = 1_700_000_000;
const FUNCTIONS: [&str; 2] = ["ssmbak-function-arm64.zip", "ssmbak-function-x86_64.zip"];

/// The function that this machine builds and runs.
fn own_function() -> String {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    format!("ssmbak-function-{architecture}.zip")
}

/// A package, made once for all tests of this process.
struct Package {
    published: TempDir,
    unpacked: TempDir,
    summary: String,
}

impl Package {
    fn shared() -> &'static Self {
        static SHARED: OnceLock<Package> = OnceLock::new();
        SHARED.get_or_init(|| {
            let published = tempfile::tempdir().unwrap();
            let summary = make(published.path(), &[]);
            let unpacked = tempfile::tempdir().unwrap();
            let package = Self {
                published,
                unpacked,
                summary,
            };
            let archive = File::open(package.archive()).unwrap();
            let mut archive = Archive::new(GzDecoder::new(archive));
            archive.unpack(package.unpacked.path()).unwrap();
            package
        })
    }

    fn archive(&self) -> PathBuf {
        let names = names(self.published.path());
        let mut archives = names.iter().filter(|name| name.ends_with(".tar.gz"));
        let archive = archives.next().unwrap();
        assert_eq!(archives.next(), None);
        self.published.path().join(archive)
    }

    /// The one directory that the archive has at its top.
    fn top(&self) -> PathBuf {
        let top = names(self.unpacked.path());
        let [top] = top.as_slice() else {
            panic!("more than one at the top: {top:?}");
        };
        assert_eq!(
            format!("{top}.tar.gz"),
            self.archive().file_name().unwrap().to_str().unwrap()
        );
        self.unpacked.path().join(top)
    }
}

fn sandbox(to: &Path, arguments: &[&str]) -> Blocking {
    let mut command = Blocking::new(binaries::sandbox());
    command
        .args(["package", "--profile", "dev", "--to"])
        .arg(to)
        .args(arguments)
        .env("SOURCE_DATE_EPOCH", DATE.to_string());
    command
}

/// Makes a package and returns the summary.
fn make(to: &Path, arguments: &[&str]) -> String {
    let output = sandbox(to, arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap()
}

/// What lies in a directory, sorted.
fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Every file below a directory, with its bytes; what a link leads to counts.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for name in names(directory) {
        let path = directory.join(&name);
        if path.is_dir() {
            let below = files_below(&path, &name);
            files.extend(below);
        } else {
            files.insert(name, fs::read(path).unwrap());
        }
    }
    files
}

fn files_below(path: &Path, name: &str) -> Vec<(String, Vec<u8>)> {
    let below = files(path).into_iter();
    below
        .map(|(file, bytes)| (format!("{name}/{file}"), bytes))
        .collect()
}

/// The lines of a file of checksums.
fn sums(text: &[u8]) -> BTreeMap<String, String> {
    let lines = std::str::from_utf8(text).unwrap().lines();
    let lines = lines.map(|line| line.split_once("  ").unwrap());
    lines
        .map(|(sum, file)| (file.to_owned(), sum.to_owned()))
        .collect()
}

fn sum(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

/// The commands that the help lists.
async fn commands(ssmbak: &Path) -> Vec<String> {
    let mut command = Command::new(ssmbak);
    command.env_clear().arg("--help");
    let help = run(command).await.exits(0).stdout;
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let words = lines.take_while(|line| !line.is_empty());
    let words = words.filter_map(|line| line.split_whitespace().next());
    let commands: Vec<_> = words
        .filter(|word| *word != "help")
        .map(str::to_owned)
        .collect();
    assert!(commands.len() >= 8, "{help}");
    commands
}

#[tokio::test]
async fn the_checksums_are_those_of_every_file() {
    let package = Package::shared();
    let mut inside = files(&package.top());
    let told = sums(&inside.remove("SHA256SUMS").unwrap());
    let own: BTreeMap<_, _> = inside
        .iter()
        .map(|(file, bytes)| (file.clone(), sum(bytes)))
        .collect();
    assert_eq!(told, own);

    let mut beside = files(package.published.path());
    let told = sums(&beside.remove("SHA256SUMS").unwrap());
    let archive = package
        .archive()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let of_archive = sums(&beside.remove(&format!("{archive}.sha256")).unwrap());
    let own: BTreeMap<_, _> = beside
        .iter()
        .map(|(file, bytes)| (file.clone(), sum(bytes)))
        .collect();
    assert_eq!(told, own);
    assert_eq!(
        of_archive,
        BTreeMap::from([(archive.clone(), own[&archive].clone())])
    );
    // The bare zips are those of the archive.
    let zips = beside.keys().filter(|file| **file != archive);
    let zips: Vec<_> = zips.collect();
    assert!(zips.contains(&&own_function()), "{}", package.summary);
    for zip in zips {
        assert!(FUNCTIONS.contains(&zip.as_str()));
        assert_eq!(inside[zip], beside[zip]);
    }
}

#[tokio::test]
async fn every_command_has_its_page_and_its_completions() {
    let package = Package::shared();
    let top = package.top();
    let commands = commands(&top.join("ssmbak")).await;
    for command in &commands {
        let page = fs::read_to_string(top.join(format!("man/ssmbak-{command}.1"))).unwrap();
        assert!(page.contains(&format!(".TH ssmbak-{command} 1")), "{page}");
        assert!(page.contains("Examples:"), "{page}");
    }
    let stack = fs::read_to_string(top.join("man/ssmbak-stack.1")).unwrap();
    assert!(stack.contains("template"), "{stack}");
    for page in ["ssmbak.1", "ssmbak-all.1"] {
        assert!(top.join("man").join(page).is_file(), "{page}");
    }
    for file in ["ssmbak.bash", "_ssmbak", "ssmbak.fish"] {
        let script = fs::read_to_string(top.join("completions").join(file)).unwrap();
        for command in &commands {
            assert!(script.contains(command.as_str()), "{file}: {command}");
        }
    }
    for document in ["README.md", "CHANGELOG.md", "LICENSE"] {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(document);
        assert_eq!(
            fs::read(top.join(document)).unwrap(),
            fs::read(own).unwrap()
        );
    }
}

#[tokio::test]
async fn the_same_again_gives_the_same_bytes() {
    let package = Package::shared();
    let again = tempfile::tempdir().unwrap();
    // What an earlier version left is gone; what is somebody else's stays.
    fs::write(again.path().join("ssmbak-0.0.1-any.tar.gz"), "old").unwrap();
    make(again.path(), &[]);
    assert_eq!(files(package.published.path()), files(again.path()));
    let archive = File::open(package.archive()).unwrap();
    let mut archive = Archive::new(GzDecoder::new(archive));
    for entry in archive.entries().unwrap() {
        let header = entry.unwrap().header().clone();
        assert_eq!(header.mtime().unwrap(), DATE);
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
    }
}

#[tokio::test]
async fn a_function_that_is_required_is_there_or_the_package_fails() {
    let package = Package::shared();
    let published = names(package.published.path());
    let to = tempfile::tempdir().unwrap();
    for file in FUNCTIONS {
        let there = published.iter().any(|name| name == file);
        let with = if there { "with" } else { "without" };
        assert!(
            package.summary.contains(&format!("\n{with} {file}: ")),
            "{}",
            package.summary
        );
        if there {
            // Given, it is taken as it is.
            let zip = package.published.path().join(file);
            let architecture = &file["ssmbak-function-".len()..file.len() - ".zip".len()];
            let zip_text = zip.to_str().unwrap();
            let given = ["--function-zip", zip_text, "--require-arch", architecture];
            make(to.path(), &given);
            assert_eq!(
                fs::read(&zip).unwrap(),
                fs::read(to.path().join(file)).unwrap()
            );
        }
    }
    let output = sandbox(to.path(), &["--require-arch", "sparc"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn an_unpacked_package_needs_nothing_else_to_deploy_and_capture() {
    aws::note_emulated("a function that this machine runs");
    let package = Package::shared();
    let ministack = Ministack::start().unwrap();
    let world = World::of(&ministack).await;
    let top = package.top();
    let ssmbak = async |arguments: &[&str]| -> Answer {
        let mut command = Command::new(top.join("ssmbak"));
        command
            .args(arguments)
            .env_clear()
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", ministack.endpoint())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", REGION)
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true);
        run(command).await
    };
    // Where both functions are there, the one that this machine runs is chosen.
    let own = own_function();
    let architecture = &own["ssmbak-function-".len()..own.len() - ".zip".len()];
    let mut create = vec!["stack", "ssmbak", "create"];
    if FUNCTIONS.iter().all(|file| top.join(file).is_file()) {
        create.extend(["--arch", architecture]);
    }
    ssmbak(&create).await.exits(0);
    // The zip that was sent is the one in the directory.
    let bucket = format!("ssmbak-artifacts-{ACCOUNT}-{REGION}");
    let sent = world
        .s3
        .list_objects_v2()
        .bucket(bucket)
        .send()
        .await
        .unwrap();
    let keys: Vec<_> = sent
        .contents()
        .iter()
        .filter_map(|object| object.key())
        .collect();
    let zip = fs::read(top.join(own)).unwrap();
    assert_eq!(keys, [format!("{}.zip", sum(&zip))]);

    let name = "/packed/a";
    world.put(name, "then").await;
    let control = ministack.control();
    control.wait_until_quiet(QUIET_LIMIT).await.unwrap();
    let at = mark().await.to_string();
    world.put(name, "now").await;
    control.wait_until_quiet(QUIET_LIMIT).await.unwrap();
    let preview = ["preview", name, &at, "--output", "json"];
    let preview = ssmbak(&preview).await.exits(0).json();
    assert_eq!(column(&preview, "Change"), ["update"]);
    assert_eq!(column(&preview, "Value"), ["then"]);
    let history = ssmbak(&["history", name, "--output", "json"])
        .await
        .exits(0);
    assert_eq!(column(&history.json(), "Source"), ["event", "event"]);

    // The other programs of the package are there too.
    let mut stack = Blocking::new(top.join("ssmbak-stack"));
    let stack = stack
        .env_clear()
        .args(["ssmbak", "explode"])
        .output()
        .unwrap();
    assert_eq!(stack.stdout, b"Not a command.\n");
}

/// Nothing but the entry lies in the zip.
#[test]
fn the_zip_holds_the_function_alone() {
    let package = Package::shared();
    let zip = File::open(package.top().join(own_function())).unwrap();
    let mut zip = zip::ZipArchive::new(zip).unwrap();
    assert_eq!(zip.len(), 1);
    let mut entry = zip.by_name("bootstrap").unwrap();
    assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.get(..4), Some(&b"\x7fELF"[..]));
}
