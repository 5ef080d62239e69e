//! Which C library a Linux binary needs.

use std::fmt;
use std::io;

/// The section that lists the versions of symbols which a binary needs.
const VERSIONS_NEEDED: u32 = 0x6fff_fffe;
/// A version that only symbols need which may be missing.
const WEAK: u16 = 0x2;

/// A version of the GNU C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Glibc(pub(super) u32, pub(super) u32);

/// What Lambda's `provided.al2023` has.
pub(super) const OF_LAMBDA: Glibc = Glibc(2, 34);

impl Glibc {
    /// Reads the name of a version of symbols: `GLIBC_2.34`, `GLIBC_2.2.5`.
    fn parse(version: &str) -> Option<Self> {
        // No symbol, but a form of relocations that older libraries do not read.
        if version == "GLIBC_ABI_DT_RELR" {
            return Some(Self(2, 36));
        }
        let mut numbers = version.strip_prefix("GLIBC_")?.split('.');
        let major = numbers.next()?.parse().ok()?;
        Some(Self(major, numbers.next()?.parse().ok()?))
    }
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "glibc {}.{}", self.0, self.1)
    }
}

/// Returns the oldest C library that `binary` starts with; none if it needs none.
pub(super) fn glibc_needed(binary: &[u8]) -> io::Result<Option<Glibc>> {
    let elf = Elf(binary);
    let needed = elf
        .versions_needed()
        .ok_or_else(|| io::Error::other("the binary is no complete 64-bit ELF"))?;
    let mut newest = None;
    for version in needed.iter().filter(|name| name.starts_with("GLIBC_")) {
        let Some(read) = Glibc::parse(version) else {
            return Err(io::Error::other(format!("the binary needs {version}")));
        };
        newest = newest.max(Some(read));
    }
    Ok(newest)
}

/// A binary for a 64-bit little-endian processor.
struct Elf<'a>(&'a [u8]);

impl<'a> Elf<'a> {
    /// The names of the versions without which the binary does not start; none if it is torn.
    fn versions_needed(&self) -> Option<Vec<&'a str>> {
        if !self.0.starts_with(&[0x7f, b'E', b'L', b'F', 2, 1]) {
            return None;
        }
        let count = self.short(0x3c)?;
        // Without its sections nothing can be told of it.
        if count == 0 {
            return None;
        }
        let mut names = Vec::new();
        for number in 0..u32::from(count) {
            let section = self.section(number)?;
            if self.word(section + 4)? != VERSIONS_NEEDED {
                continue;
            }
            let texts = self.section(self.word(section + 40)?)?;
            let texts = self.long(texts + 24)?;
            let libraries = self.word(section + 44)?;
            self.libraries(self.long(section + 24)?, libraries, texts, &mut names)?;
        }
        Some(names)
    }

    /// One record for each library, each with a list of versions.
    fn libraries(
        &self,
        mut at: usize,
        count: u32,
        texts: usize,
        names: &mut Vec<&'a str>,
    ) -> Option<()> {
        for _ in 0..count {
            let mut version = at + self.offset(at + 8)?;
            for _ in 0..self.short(at + 2)? {
                if self.short(version + 4)? & WEAK == 0 {
                    names.push(self.text(texts + self.offset(version + 8)?)?);
                }
                version += self.offset(version + 12)?;
            }
            at += self.offset(at + 12)?;
        }
        Some(())
    }

    /// Where the header of a section lies.
    fn section(&self, number: u32) -> Option<usize> {
        let size = usize::from(self.short(0x3a)?);
        let number = usize::try_from(number).ok()?;
        self.long(0x28)?.checked_add(size.checked_mul(number)?)
    }

    fn text(&self, at: usize) -> Option<&'a str> {
        let bytes = self.0.get(at..)?;
        let end = bytes.iter().position(|byte| *byte == 0)?;
        std::str::from_utf8(&bytes[..end]).ok()
    }

    fn short(&self, at: usize) -> Option<u16> {
        self.bytes(at).map(u16::from_le_bytes)
    }

    fn word(&self, at: usize) -> Option<u32> {
        self.bytes(at).map(u32::from_le_bytes)
    }

    fn offset(&self, at: usize) -> Option<usize> {
        usize::try_from(self.word(at)?).ok()
    }

    /// A place in the file: whatever lies behind its end is none.
    fn long(&self, at: usize) -> Option<usize> {
        let place = usize::try_from(self.bytes(at).map(u64::from_le_bytes)?).ok()?;
        Some(place).filter(|place| *place <= self.0.len())
    }

    fn bytes<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..at.checked_add(N)?)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A binary with sections: none, the texts, and one that needs `versions`.
    fn binary(versions: &[(&str, u16)]) -> Vec<u8> {
        let mut elf = vec![0; 64];
        elf[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
        elf[0x28] = 64;
        elf[0x3a] = 64;
        elf[0x3c] = 3;
        let texts_at = 64 + 3 * 64;
        let mut texts = vec![0];
        let mut needed = Vec::new();
        needed.extend(1_u16.to_le_bytes());
        needed.extend(u16::try_from(versions.len()).unwrap().to_le_bytes());
        needed.extend([0; 4]);
        needed.extend(16_u32.to_le_bytes());
        needed.extend([0; 4]);
        for (name, flags) in versions {
            needed.extend([0; 4]);
            needed.extend(flags.to_le_bytes());
            needed.extend([0; 2]);
            needed.extend(u32::try_from(texts.len()).unwrap().to_le_bytes());
            needed.extend(16_u32.to_le_bytes());
            texts.extend(name.as_bytes());
            texts.push(0);
        }
        let needed_at = texts_at + texts.len();
        let section = |kind: u32, at: usize, link: u32, info: u32| {
            let mut header = vec![0; 64];
            header[4..8].copy_from_slice(&kind.to_le_bytes());
            header[24..32].copy_from_slice(&u64::try_from(at).unwrap().to_le_bytes());
            header[40..44].copy_from_slice(&link.to_le_bytes());
            header[44..48].copy_from_slice(&info.to_le_bytes());
            header
        };
        elf.extend(section(0, 0, 0, 0));
        elf.extend(section(3, texts_at, 0, 0));
        elf.extend(section(VERSIONS_NEEDED, needed_at, 1, 1));
        elf.extend(texts);
        elf.extend(needed);
        elf
    }

    fn needed(versions: &[(&str, u16)]) -> Option<Glibc> {
        glibc_needed(&binary(versions)).unwrap()
    }

    #[test]
    fn the_newest_version_counts_as_a_number() {
        let versions = [("GLIBC_2.2.5", 0), ("GLIBC_2.34", 0), ("GLIBC_2.4", 0)];
        assert_eq!(needed(&versions), Some(OF_LAMBDA));
        assert!(needed(&[("GLIBC_2.38", 0)]) > Some(OF_LAMBDA));
        assert!(needed(&[("GLIBC_2.9", 0)]) < Some(OF_LAMBDA));
    }

    #[test]
    fn what_may_be_missing_and_other_libraries_do_not_count() {
        let versions = [("GLIBC_2.39", WEAK), ("GCC_3.0", 0), ("GLIBC_2.17", 0)];
        assert_eq!(needed(&versions), Some(Glibc(2, 17)));
        assert_eq!(needed(&[]), None);
    }

    #[test]
    fn packed_relocations_need_a_newer_library_and_private_symbols_are_refused() {
        assert_eq!(needed(&[("GLIBC_ABI_DT_RELR", 0)]), Some(Glibc(2, 36)));
        assert!(glibc_needed(&binary(&[("GLIBC_PRIVATE", 0)])).is_err());
    }

    #[test]
    fn what_is_torn_or_no_binary_is_an_error_at_every_length() {
        let whole = binary(&[("GLIBC_2.34", 0)]);
        for length in 0..whole.len() - 4 {
            assert!(glibc_needed(&whole[..length]).is_err(), "{length}");
        }
        assert!(glibc_needed(b"#!/bin/sh\n").is_err());
        assert_eq!(glibc_needed(&whole).unwrap(), Some(OF_LAMBDA));
    }
}
