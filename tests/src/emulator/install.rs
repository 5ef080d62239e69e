//! Installs an emulator or the original tool, once for each target directory.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binaries::target_directory;

/// A package of the Python index, with the one version that the project was checked against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package {
    /// Names the directory.
    pub(crate) name: &'static str,
    /// Names what pip installs.
    pub(crate) requirement: &'static str,
    /// The pinned version.
    pub(crate) version: &'static str,
    /// What it needs for some of its services and does not bring along, pinned too.
    pub(crate) with: &'static [&'static str],
}

/// The emulator of the whole pipeline.
pub(crate) const MINISTACK: Package = Package {
    name: "ministack",
    requirement: "ministack",
    version: "1.5.33",
    // The wire format of CloudWatch.
    with: &["cbor2==6.2.1"],
};

/// The second, independent implementation of the three services.
pub(crate) const MOTO: Package = Package {
    name: "moto",
    requirement: "moto[server]",
    version: "5.2.5",
    with: &[],
};

/// The original Python tool, whose buckets are imported and which reads ours.
pub(crate) const ORIGINAL: Package = Package {
    name: "original",
    requirement: "ssmbak",
    version: "0.5.2",
    with: &["boto3==1.44.5", "cfn-lint==1.58.0", "prettytable==3.18.0"],
};

/// The original's function, with the client of the Lambda Runtime API that Lambda's Python has.
pub(crate) const ORIGINAL_FUNCTION: Package = Package {
    name: "original-function",
    requirement: "ssmbak",
    version: "0.5.2",
    with: &[
        "awslambdaric==4.2.2",
        "boto3==1.44.5",
        "cfn-lint==1.58.0",
        "prettytable==3.18.0",
    ],
};

impl Package {
    /// Returns the Python that can import the package, installing it first when it is not there.
    ///
    /// Processes that ask at the same time wait for one another. An
    /// installation that was interrupted has no marker, and is made anew; so
    /// is one whose marker tells that it came with other packages.
    pub(crate) fn python(self) -> io::Result<PathBuf> {
        let emulators = target_directory().join("emulators");
        fs::create_dir_all(&emulators)?;
        let directory = emulators.join(format!("{}-{}", self.name, self.version));
        let python = directory.join("bin/python");
        let complete = directory.join("complete");
        let lock = File::create(emulators.join(format!("{}.lock", self.name)))?;
        lock.lock()?;
        // The version is in the directory's name.
        let wanted = self.with.join("\n");
        if fs::read_to_string(&complete).ok() != Some(wanted.clone()) {
            self.install(&directory, &python)?;
            fs::write(&complete, wanted)?;
        }
        Ok(python)
    }

    fn install(self, directory: &Path, python: &Path) -> io::Result<()> {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        run(Command::new("python3").args(["-m", "venv"]).arg(directory))?;
        let options = ["--quiet", "--no-input", "--disable-pip-version-check"];
        run(Command::new(python)
            .args(["-m", "pip", "install"])
            .args(options)
            .args(self.requirements()))
    }

    fn requirements(self) -> Vec<String> {
        let package = format!("{}=={}", self.requirement, self.version);
        let with = self.with.iter().map(|&one| one.to_owned());
        std::iter::once(package).chain(with).collect()
    }
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!("{command:?} failed: {text}")))
}
