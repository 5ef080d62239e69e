//! Archives and checksums that depend on nothing but what is put into them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Write as _};

pub(in crate::sandbox) use flate2::Compression;
use flate2::GzBuilder;
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// One thing in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where it lies, below the top directory.
    pub(super) path: String,
    /// What it is.
    pub(super) content: Content,
}

/// What lies in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// A file that is read.
    File(Vec<u8>),
    /// A file that is run.
    Program(Vec<u8>),
    /// Another name of a file in the same directory.
    Link(&'static str),
}

impl Entry {
    /// A file that is read.
    pub(super) fn file(path: &str, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            content: Content::File(bytes),
        }
    }

    /// Its bytes; a link has none.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::File(bytes) | Content::Program(bytes) => Some(bytes),
            Content::Link(_) => None,
        }
    }
}

/// Returns the lines that `sha256sum -c` checks, in order of paths. A link counts as the file that
/// it leads to: that is what is read through it.
pub(super) fn sums<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> io::Result<String> {
    let (mut sums, mut links) = (BTreeMap::new(), Vec::new());
    for entry in entries {
        match &entry.content {
            Content::File(bytes) | Content::Program(bytes) => {
                sums.insert(entry.path.as_str(), hex(&Sha256::digest(bytes)));
            }
            Content::Link(to) => links.push((entry.path.as_str(), *to)),
        }
    }
    for (path, to) in links {
        let sum = sums.get(to).cloned();
        let sum = sum.ok_or_else(|| io::Error::other(format!("{path} leads nowhere")))?;
        sums.insert(path, sum);
    }
    let mut lines = String::new();
    for (path, sum) in sums {
        lines.extend([&sum, "  ", path, "\n"]);
    }
    Ok(lines)
}

/// Returns the compressed archive of `entries` in one directory, `top`, all as of `seconds`.
pub(super) fn tar_gz(
    top: &str,
    mut entries: Vec<Entry>,
    seconds: u64,
    level: Compression,
) -> io::Result<Vec<u8>> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    // The compressed stream's own header holds neither time nor name.
    let gzip = GzBuilder::new().write(Vec::new(), level);
    let mut tar = Builder::new(gzip);
    for directory in directories(&entries) {
        let mut header = header(EntryType::Directory, 0o755, 0, seconds);
        tar.append_data(&mut header, format!("{top}/{directory}"), io::empty())?;
    }
    for entry in &entries {
        let path = format!("{top}/{}", entry.path);
        let (mode, bytes) = match &entry.content {
            Content::File(bytes) => (0o644, bytes),
            Content::Program(bytes) => (0o755, bytes),
            Content::Link(to) => {
                let mut header = header(EntryType::Symlink, 0o777, 0, seconds);
                tar.append_link(&mut header, path, to)?;
                continue;
            }
        };
        let size = u64::try_from(bytes.len()).map_err(io::Error::other)?;
        let mut header = header(EntryType::Regular, mode, size, seconds);
        tar.append_data(&mut header, path, bytes.as_slice())?;
    }
    tar.into_inner()?.finish()
}

/// The directories of `entries`, the top one first.
fn directories(entries: &[Entry]) -> BTreeSet<String> {
    let below = entries
        .iter()
        .filter_map(|entry| entry.path.rsplit_once('/'));
    let below = below.map(|(directory, _)| format!("{directory}/"));
    std::iter::once(String::new()).chain(below).collect()
}

fn header(kind: EntryType, mode: u32, size: u64, seconds: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(seconds);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// Returns the zip that Lambda takes: `bootstrap`, executable. It bears no time, so that the same
/// function has the same hash in every package: the stack is updated only where it changed.
pub(in crate::sandbox) fn function_zip(
    bootstrap: &[u8],
    level: Compression,
) -> io::Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(level.level().into()))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bootstrap", options)?;
    zip.write_all(bootstrap)?;
    Ok(zip.finish()?.into_inner())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use tar::Archive;

    use super::*;

    fn entries() -> Vec<Entry> {
        vec![
            Entry {
                path: "run".into(),
                content: Content::Program(b"abc".to_vec()),
            },
            Entry {
                path: "also".into(),
                content: Content::Link("run"),
            },
            Entry::file("doc/read", b"text".to_vec()),
        ]
    }

    fn packed(entries: Vec<Entry>, seconds: u64) -> io::Result<Vec<u8>> {
        tar_gz("top", entries, seconds, Compression::fast())
    }

    #[test]
    fn the_order_of_what_is_put_in_leaves_no_trace() {
        let turned = entries().into_iter().rev().collect();
        let one = packed(entries(), 7).unwrap();
        assert_eq!(one, packed(turned, 7).unwrap());
        assert_ne!(one, packed(entries(), 8).unwrap());
    }

    #[test]
    fn modes_owner_and_time_are_normal() {
        let packed = packed(entries(), 7).unwrap();
        let mut archive = Archive::new(GzDecoder::new(packed.as_slice()));
        let mut found = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            assert_eq!(header.mtime().unwrap(), 7);
            let path = entry.path().unwrap().display().to_string();
            found.insert(path, header.mode().unwrap());
        }
        let expected = [
            ("top/", 0o755),
            ("top/also", 0o777),
            ("top/doc/", 0o755),
            ("top/doc/read", 0o644),
            ("top/run", 0o755),
        ];
        assert_eq!(
            found,
            expected.map(|(path, mode)| (path.into(), mode)).into()
        );
    }

    #[test]
    fn a_link_has_the_sum_of_what_it_leads_to() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let sums = sums(&entries()).unwrap();
        let lines: Vec<_> = sums.lines().collect();
        assert_eq!(lines[0], format!("{abc}  also"));
        assert_eq!(lines[2], format!("{abc}  run"));
        assert!(lines[1].ends_with("  doc/read") && lines.len() == 3);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_an_error() {
        let lost = Entry {
            path: "also".into(),
            content: Content::Link("run"),
        };
        assert!(super::sums(&[lost]).is_err());
    }

    #[test]
    fn the_zip_holds_an_executable_bootstrap_and_no_time() {
        let packed = function_zip(b"binary", Compression::fast()).unwrap();
        assert_eq!(
            packed,
            function_zip(b"binary", Compression::fast()).unwrap()
        );
        let mut zip = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
        let mut entry = zip.by_name("bootstrap").unwrap();
        assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        assert_eq!(entry.last_modified(), Some(DateTime::default()));
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"binary");
    }
}
