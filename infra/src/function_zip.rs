//! The function's zip: found, read, and refused if it could not run.
//!
//! Everything is checked here, before anything is created: a wrong zip would show only after the
//! stack stands, as a function that fails on every event.

use std::fmt;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// A zip larger than this is not the function's: Lambda takes 250 MB unpacked.
const MAX_BYTES: u64 = 250 * 1024 * 1024;
/// The one file that `provided.al2023` starts.
const ENTRY: &str = "bootstrap";

/// The processor that a function runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Graviton; cheaper.
    Arm64,
    /// Intel and AMD.
    X86_64,
}

impl Architecture {
    /// Both, in the order in which they are preferred.
    pub const ALL: [Self; 2] = [Self::Arm64, Self::X86_64];

    /// Returns the name that Lambda and the template use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    /// Returns the processor that a binary which begins with `header` runs on; none if it is no
    /// 64-bit little-endian ELF, or is for another processor.
    fn of_elf(header: &[u8; 20]) -> Option<Self> {
        const ELF_64_LITTLE: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];
        if header[..6] != ELF_64_LITTLE {
            return None;
        }
        match u16::from_le_bytes([header[18], header[19]]) {
            0x3e => Some(Self::X86_64),
            0xb7 => Some(Self::Arm64),
            _ => None,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Architecture {
    type Err = FunctionZipError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or_else(|| FunctionZipError::UnknownArchitecture { text: text.into() })
    }
}

/// The function's zip, checked: it holds an executable `bootstrap` for `architecture`.
#[derive(Clone, PartialEq, Eq)]
pub struct FunctionZip {
    path: PathBuf,
    bytes: Vec<u8>,
    architecture: Architecture,
    sha256: String,
}

impl FunctionZip {
    /// Returns the zip at `given`, else the one found in `directory`, which is where the running
    /// executable lies.
    ///
    /// In the directory these names are looked for, in this order: `ssmbak-function-arm64.zip`,
    /// `bootstrap-arm64.zip`, `ssmbak-function-x86_64.zip`, `bootstrap-x86_64.zip`; with an
    /// `architecture` only its own two. A zip that is there but would not run is an error: the
    /// search does not go on behind it.
    pub fn locate(
        given: Option<&Path>,
        directory: &Path,
        architecture: Option<Architecture>,
    ) -> Result<Self, FunctionZipError> {
        if let Some(path) = given {
            return Self::read(path, architecture);
        }
        for (candidate, one) in candidates(architecture) {
            let path = directory.join(candidate);
            if path.is_file() {
                return Self::read(&path, Some(one));
            }
        }
        Err(FunctionZipError::NotFound {
            directory: directory.into(),
            names: candidates(architecture).map(|(name, _)| name).collect(),
        })
    }

    /// Returns the zip at `path`; where an `architecture` is given, its binary must be for it.
    pub fn read(path: &Path, architecture: Option<Architecture>) -> Result<Self, FunctionZipError> {
        let unreadable = |source| FunctionZipError::Unreadable {
            path: path.into(),
            source,
        };
        let bytes_len = std::fs::metadata(path).map_err(unreadable)?.len();
        if bytes_len > MAX_BYTES {
            return Err(FunctionZipError::TooLarge {
                path: path.into(),
                bytes_len,
            });
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let found = architecture_of(path, &bytes)?;
        match architecture {
            Some(wanted) if wanted != found => Err(FunctionZipError::WrongArchitecture {
                path: path.into(),
                found,
                wanted,
            }),
            _ => Ok(Self {
                path: path.into(),
                sha256: crate::template::hex(&Sha256::digest(&bytes)),
                bytes,
                architecture: found,
            }),
        }
    }

    /// Returns where the zip was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the zip itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the processor that its binary is for.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// Returns the SHA-256 of the zip, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl fmt::Debug for FunctionZip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionZip")
            .field("path", &self.path)
            .field("bytes_len", &self.bytes.len())
            .field("architecture", &self.architecture)
            .field("sha256", &self.sha256)
            .finish()
    }
}

fn candidates(architecture: Option<Architecture>) -> impl Iterator<Item = (String, Architecture)> {
    Architecture::ALL
        .into_iter()
        .filter(move |one| architecture.is_none_or(|wanted| wanted == *one))
        .flat_map(|one| {
            [
                (format!("ssmbak-function-{one}.zip"), one),
                (format!("bootstrap-{one}.zip"), one),
            ]
        })
}

fn architecture_of(path: &Path, bytes: &[u8]) -> Result<Architecture, FunctionZipError> {
    let not_a_zip = |source| FunctionZipError::NotAZip {
        path: path.into(),
        source,
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(not_a_zip)?;
    let mut entry = match archive.by_name(ENTRY) {
        Ok(entry) => entry,
        Err(zip::result::ZipError::FileNotFound) => {
            return Err(FunctionZipError::NoBootstrap { path: path.into() });
        }
        Err(source) => return Err(not_a_zip(source)),
    };
    if entry.unix_mode().is_none_or(|mode| mode & 0o111 == 0) {
        return Err(FunctionZipError::NotExecutable { path: path.into() });
    }
    let mut header = [0; 20];
    entry
        .read_exact(&mut header)
        .ok()
        .and_then(|()| Architecture::of_elf(&header))
        .ok_or_else(|| FunctionZipError::NotABinary { path: path.into() })
}

/// Why a zip is not taken for the function.
#[derive(Debug, thiserror::Error)]
pub enum FunctionZipError {
    /// No such processor.
    #[error("`{text}` is not an architecture")]
    UnknownArchitecture {
        /// What was asked for.
        text: String,
    },
    /// None was given, and none lies beside the executable.
    #[error("no zip of the function lies in {}", directory.display())]
    NotFound {
        /// Where it was looked for.
        directory: PathBuf,
        /// Under which names.
        names: Vec<String>,
    },
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than Lambda takes.
    #[error("{} cannot be the function's zip: it has {bytes_len} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes_len: u64,
    },
    /// The file is not a zip.
    #[error("{} cannot be the function's zip: it is not a zip", path.display())]
    NotAZip {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: zip::result::ZipError,
    },
    /// The zip has no `bootstrap` at its top.
    #[error("{} cannot be the function's zip: it holds no file `bootstrap`", path.display())]
    NoBootstrap {
        /// The file.
        path: PathBuf,
    },
    /// `bootstrap` would not be executable on Lambda.
    #[error("{} cannot be the function's zip: its `bootstrap` is not executable", path.display())]
    NotExecutable {
        /// The file.
        path: PathBuf,
    },
    /// `bootstrap` is no Linux binary of a processor that Lambda has.
    #[error("{} cannot be the function's zip: its `bootstrap` is no Linux binary for arm64 or x86_64", path.display())]
    NotABinary {
        /// The file.
        path: PathBuf,
    },
    /// `bootstrap` is for the other processor.
    #[error("{} cannot be the function's zip: its `bootstrap` is for {found}, not for {wanted}", path.display())]
    WrongArchitecture {
        /// The file.
        path: PathBuf,
        /// What the binary is for.
        found: Architecture,
        /// What was chosen.
        wanted: Architecture,
    },
}

impl FunctionZipError {
    /// Returns the way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownArchitecture { .. } => Some("choose arm64 or x86_64".into()),
            Self::NotFound { names, .. } => Some(format!(
                "give one with --function-zip, or put it there as {}",
                names.join(" or ")
            )),
            Self::WrongArchitecture { found, .. } => Some(format!(
                "choose the architecture {found}, or give a zip that was built for the other"
            )),
            Self::NotExecutable { .. } => {
                Some("set its mode to 755 before it is packed: chmod 755 bootstrap".into())
            }
            Self::NoBootstrap { .. } | Self::NotABinary { .. } | Self::NotAZip { .. } => {
                Some("it must hold the built function, named `bootstrap`, at its top".into())
            }
            Self::Unreadable { .. } | Self::TooLarge { .. } => None,
        }
    }
}

#[cfg(test)]
#[path = "function_zip_tests.rs"]
mod tests;
