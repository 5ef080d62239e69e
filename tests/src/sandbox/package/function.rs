//! The function for each processor: a zip that is given, one built for Lambda, or what was built
//! here anyway, if it starts there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use ssmbak_infra::function_zip::{Architecture, FunctionZip};
use tokio::process::Command;

use super::archive::{self, Content, Entry};
use super::elf::{self, OF_LAMBDA};
use super::{PackageArgs, Profile, succeeds, workspace};
use crate::binaries::{build_command_of, cargo_command, target_directory};

/// Built alone: with the rest of the workspace it would be linked with all that `ssmbak` needs of
/// the SDK, which is a quarter of its size.
pub(in crate::sandbox) const FUNCTION: &str = "ssmbak-backup-fn";
/// What a zip may take: its size decides how long a cold start fetches it.
pub(in crate::sandbox) const MOST_BYTES: usize = 4_000_000;

/// The function for one processor, or why there is none.
#[derive(Debug)]
pub(super) struct Function {
    architecture: Architecture,
    zip: Result<Vec<u8>, Missing>,
}

/// Why there is no function for a processor.
#[derive(Debug, PartialEq, Eq)]
struct Missing {
    why: String,
    ways_out: Vec<String>,
}

impl Function {
    /// The zip under the name that `ssmbak` looks for beside itself.
    pub(super) fn entry(&self) -> Option<Entry> {
        let bytes = self.zip.as_ref().ok()?.clone();
        Some(Entry {
            path: self.file(),
            content: Content::File(bytes),
        })
    }

    /// One line about it, and one for each thing that would help.
    pub(super) fn told(&self) -> String {
        let (file, missing) = match &self.zip {
            Ok(bytes) => return format!("with {}: {} bytes", self.file(), bytes.len()),
            Err(missing) => (self.file(), missing),
        };
        let ways_out = missing.ways_out.iter().map(|way| format!("\n   {way}"));
        format!(
            "without {file}: {}{}",
            missing.why,
            ways_out.collect::<String>()
        )
    }

    fn file(&self) -> String {
        format!("ssmbak-function-{}.zip", self.architecture)
    }
}

/// Returns the function for every processor. That one which is required is missing is an error.
pub(super) async fn all(args: &PackageArgs, host: &str) -> io::Result<Vec<Function>> {
    let mut given = given(&args.function_zip)?;
    let mut functions = Vec::new();
    for architecture in Architecture::ALL {
        let required = args.require_arch.contains(&architecture);
        let zip = match given.remove(architecture.as_str()) {
            Some(zip) => Ok(zip),
            None => made(args.profile, architecture, host, required).await?,
        };
        if let (Ok(zip), Profile::Release) = (&zip, args.profile) {
            check_size(architecture, zip)?;
        }
        let function = Function { architecture, zip };
        if required && function.zip.is_err() {
            return Err(io::Error::other(function.told()));
        }
        functions.push(function);
    }
    Ok(functions)
}

/// Reads zips that were built elsewhere, by processor.
fn given(files: &[impl AsRef<Path>]) -> io::Result<BTreeMap<&'static str, Vec<u8>>> {
    let mut zips = BTreeMap::new();
    for file in files {
        let file = file.as_ref();
        let zip = FunctionZip::read(file, None).map_err(io::Error::other)?;
        let mut archive = zip::ZipArchive::new(io::Cursor::new(zip.bytes()))?;
        let mut bootstrap = Vec::new();
        archive.by_name("bootstrap")?.read_to_end(&mut bootstrap)?;
        if let Err(why) = starts_on_lambda(&bootstrap) {
            return Err(io::Error::other(format!("{}: {why}", file.display())));
        }
        let architecture = zip.architecture().as_str();
        if zips.insert(architecture, zip.bytes().to_vec()).is_some() {
            return Err(io::Error::other(format!("two zips are for {architecture}")));
        }
    }
    Ok(zips)
}

/// Refuses a function that has grown beyond its budget.
fn check_size(architecture: Architecture, zip: &[u8]) -> io::Result<()> {
    let bytes = zip.len();
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the function for {architecture} takes {bytes} bytes, and may take {MOST_BYTES}: \
         docs/performance.md tells what it is made of"
    )))
}

async fn made(
    profile: Profile,
    architecture: Architecture,
    host: &str,
    required: bool,
) -> io::Result<Result<Vec<u8>, Missing>> {
    let target = target(architecture);
    let mut missing = tools_missing(target).await?;
    // It takes minutes: not where seconds were asked for.
    let wanted = profile == Profile::Release || required;
    if missing.ways_out.is_empty() && wanted {
        return build_for_lambda(profile, target).await.map(Ok);
    }
    if is_host(host, architecture) {
        let bootstrap = fs::read(build_for_this_machine(profile).await?)?;
        match starts_on_lambda(&bootstrap) {
            Ok(()) => return archive::function_zip(&bootstrap, profile.compression()).map(Ok),
            Err(why) => missing.why = format!("what is built here does not start there: {why}"),
        }
    } else {
        missing.why = format!("{host} does not build it by itself");
    }
    if missing.ways_out.is_empty() {
        missing.ways_out = vec![format!("--require-arch {architecture} builds it")];
    }
    Ok(Err(missing))
}

/// The target that the function is built for.
fn target(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
        Architecture::X86_64 => "x86_64-unknown-linux-gnu",
    }
}

/// Whether what is built for `host` is a Linux binary for that processor.
fn is_host(host: &str, architecture: Architecture) -> bool {
    let processor = target(architecture).split('-').next();
    host.split('-').next() == processor && host.contains("-linux-")
}

/// What is not installed of what builds for Lambda from anywhere.
async fn tools_missing(target: &str) -> io::Result<Missing> {
    let mut ways_out = Vec::new();
    let mut zigbuild = Command::from(cargo_command());
    // It knows no `--version` when cargo starts it.
    zigbuild.args(["zigbuild", "--help"]);
    if !is_there(zigbuild).await {
        ways_out.push("pip install cargo-zigbuild ziglang".to_owned());
    }
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", target]);
    rustc.current_dir(workspace());
    let libraries = super::output(&mut rustc).await?;
    if !Path::new(String::from_utf8_lossy(&libraries).trim()).is_dir() {
        ways_out.push(format!("rustup target add {target}"));
    }
    Ok(Missing {
        why: String::new(),
        ways_out,
    })
}

async fn is_there(mut command: Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command.status().await.is_ok_and(|status| status.success())
}

/// Builds the function alone for this machine, and returns where it is. That of a dev build is
/// there already, with the rest of the workspace.
pub(in crate::sandbox) async fn build_for_this_machine(profile: Profile) -> io::Result<PathBuf> {
    if profile == Profile::Release {
        let mut cargo = build_command_of(FUNCTION);
        cargo.args(["--locked", "--release"]);
        succeeds(Command::from(cargo)).await?;
    }
    let built = target_directory().join(profile.directory());
    Ok(built.join("bootstrap"))
}

/// Links against the C library that Lambda has, whatever is installed here.
async fn build_for_lambda(profile: Profile, target: &str) -> io::Result<Vec<u8>> {
    let mut cargo = cargo_command();
    cargo
        .args(zigbuild_arguments(profile, target))
        .arg("--target-dir")
        .arg(target_directory());
    succeeds(Command::from(cargo)).await?;
    let built = target_directory().join(target).join(profile.directory());
    let bootstrap = fs::read(built.join("bootstrap"))?;
    starts_on_lambda(&bootstrap).map_err(io::Error::other)?;
    archive::function_zip(&bootstrap, profile.compression())
}

fn zigbuild_arguments(profile: Profile, target: &str) -> Vec<String> {
    let elf::Glibc(major, minor) = OF_LAMBDA;
    let target = format!("{target}.{major}.{minor}");
    let fixed = ["zigbuild", "--locked", "--package", FUNCTION];
    let mut arguments: Vec<_> = fixed.map(str::to_owned).into();
    arguments.extend(["--target".to_owned(), target]);
    if profile == Profile::Release {
        arguments.push("--release".to_owned());
    }
    arguments
}

/// Says why a binary would not start on Lambda.
fn starts_on_lambda(bootstrap: &[u8]) -> Result<(), String> {
    match elf::glibc_needed(bootstrap) {
        Ok(Some(needed)) if needed > OF_LAMBDA => {
            Err(format!("it needs {needed}, and Lambda has {OF_LAMBDA}"))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_linux_host_of_the_same_processor_builds_it_by_itself() {
        let (arm, intel) = (Architecture::Arm64, Architecture::X86_64);
        assert!(is_host("x86_64-unknown-linux-gnu", intel));
        assert!(is_host("aarch64-unknown-linux-gnu", arm));
        assert!(!is_host("x86_64-unknown-linux-gnu", arm));
        assert!(!is_host("aarch64-apple-darwin", arm));
        assert!(!is_host("x86_64-apple-darwin", intel));
    }

    #[test]
    fn the_build_for_lambda_names_its_c_library() {
        let arguments = zigbuild_arguments(Profile::Release, target(Architecture::Arm64));
        assert_eq!(
            arguments.join(" "),
            "zigbuild --locked --package ssmbak-backup-fn \
             --target aarch64-unknown-linux-gnu.2.34 --release"
        );
    }

    #[test]
    fn one_byte_over_the_budget_is_refused() {
        let check = |bytes| check_size(Architecture::Arm64, &vec![0; bytes]);
        assert!(check(MOST_BYTES).is_ok());
        let error = check(MOST_BYTES + 1).unwrap_err().to_string();
        assert!(
            error.starts_with("the function for arm64 takes 4000001 bytes"),
            "{error}"
        );
    }

    #[test]
    fn what_is_missing_is_told_with_the_way_to_it() {
        let function = Function {
            architecture: Architecture::Arm64,
            zip: Err(Missing {
                why: "nobody builds it".into(),
                ways_out: vec!["install this".into()],
            }),
        };
        let told = "without ssmbak-function-arm64.zip: nobody builds it\n   install this";
        assert_eq!(function.told(), told);
        assert_eq!(function.entry(), None);
    }

    #[test]
    fn a_zip_whose_binary_cannot_be_judged_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("f.zip");
        let mut header = vec![0x7f, b'E', b'L', b'F', 2, 1];
        header.resize(64, 0);
        header[18] = 0xb7;
        fs::write(
            &file,
            archive::function_zip(&header, archive::Compression::fast()).unwrap(),
        )
        .unwrap();
        let error = given(&[&file]).unwrap_err().to_string();
        assert!(
            error.contains("f.zip: the binary is no complete"),
            "{error}"
        );
    }
}
