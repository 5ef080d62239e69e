use super::*;
use std::io::Write;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

fn elf(machine: u16) -> Vec<u8> {
    let mut header = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
    header.resize(64, 0);
    header[18..20].copy_from_slice(&machine.to_le_bytes());
    header
}

fn put(directory: &TempDir, name: &str, entry: &str, mode: u32, body: &[u8]) -> PathBuf {
    let path = directory.path().join(name);
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = SimpleFileOptions::default().unix_permissions(mode);
    zip.start_file(entry, options).unwrap();
    zip.write_all(body).unwrap();
    zip.finish().unwrap();
    path
}

#[test]
fn the_elf_machine_tells_the_architecture() {
    let directory = TempDir::new().unwrap();
    for (machine, wanted) in [(0x3e, Architecture::X86_64), (0xb7, Architecture::Arm64)] {
        let path = put(&directory, "f.zip", "bootstrap", 0o755, &elf(machine));
        let zip = FunctionZip::read(&path, None).unwrap();
        assert_eq!(zip.architecture(), wanted);
        assert_eq!(zip.sha256().len(), 64);
        assert_eq!(zip, FunctionZip::read(&path, Some(wanted)).unwrap());
    }
}

#[test]
fn a_zip_for_the_other_architecture_is_refused() {
    let directory = TempDir::new().unwrap();
    let path = put(&directory, "f.zip", "bootstrap", 0o755, &elf(0x3e));
    let error = FunctionZip::read(&path, Some(Architecture::Arm64)).unwrap_err();
    assert!(matches!(
        error,
        FunctionZipError::WrongArchitecture {
            found: Architecture::X86_64,
            wanted: Architecture::Arm64,
            ..
        }
    ));
    assert!(error.hint().unwrap().contains("x86_64"));
}

#[test]
fn what_could_not_run_is_refused() {
    let directory = TempDir::new().unwrap();
    let read = |path: &Path| FunctionZip::read(path, None).unwrap_err();

    let text = directory.path().join("text.zip");
    std::fs::write(&text, "not a zip").unwrap();
    assert!(matches!(read(&text), FunctionZipError::NotAZip { .. }));

    let other = put(&directory, "a.zip", "bin/bootstrap", 0o755, &elf(0x3e));
    assert!(matches!(read(&other), FunctionZipError::NoBootstrap { .. }));

    let mode = put(&directory, "b.zip", "bootstrap", 0o644, &elf(0x3e));
    assert!(matches!(
        read(&mode),
        FunctionZipError::NotExecutable { .. }
    ));

    let missing = directory.path().join("none.zip");
    assert!(matches!(
        read(&missing),
        FunctionZipError::Unreadable { .. }
    ));
}

#[test]
fn only_a_64_bit_little_endian_elf_of_a_known_machine_is_a_binary() {
    let directory = TempDir::new().unwrap();
    let mut elf_32 = elf(0x3e);
    elf_32[4] = 1;
    let mut big_endian = elf(0x3e);
    big_endian[5] = 2;
    let bodies = [
        elf_32,
        big_endian,
        elf(0x28),
        b"#!/bin/sh\n".to_vec(),
        vec![],
    ];
    for body in bodies {
        let path = put(&directory, "f.zip", "bootstrap", 0o755, &body);
        let error = FunctionZip::read(&path, None).unwrap_err();
        assert!(matches!(error, FunctionZipError::NotABinary { .. }));
    }
}

#[test]
fn a_zip_beside_the_executable_is_found_by_its_name() {
    let directory = TempDir::new().unwrap();
    put(
        &directory,
        "bootstrap-x86_64.zip",
        "bootstrap",
        0o755,
        &elf(0x3e),
    );
    let found = FunctionZip::locate(None, directory.path(), None).unwrap();
    assert!(found.path().ends_with("bootstrap-x86_64.zip"));

    let error = FunctionZip::locate(None, directory.path(), Some(Architecture::Arm64)).unwrap_err();
    assert!(matches!(&error, FunctionZipError::NotFound { names, .. } if names.len() == 2));
    assert!(error.hint().unwrap().contains("--function-zip"));
}

#[test]
fn a_found_zip_must_hold_what_its_name_says() {
    let directory = TempDir::new().unwrap();
    put(
        &directory,
        "ssmbak-function-arm64.zip",
        "bootstrap",
        0o755,
        &elf(0x3e),
    );
    let error = FunctionZip::locate(None, directory.path(), None).unwrap_err();
    assert!(matches!(error, FunctionZipError::WrongArchitecture { .. }));
}

#[test]
fn a_given_zip_goes_before_one_beside_the_executable() {
    let directory = TempDir::new().unwrap();
    put(
        &directory,
        "bootstrap-arm64.zip",
        "bootstrap",
        0o755,
        &elf(0xb7),
    );
    let given = put(&directory, "mine.zip", "bootstrap", 0o755, &elf(0x3e));
    let found = FunctionZip::locate(Some(&given), directory.path(), None).unwrap();
    assert_eq!(found.path(), given);
}
