//! The real binaries are there when a test asks for them.

use std::fs::File;

use ssmbak_tests::binaries::{bootstrap, function_zip, ssmbak};
use zip::ZipArchive;

#[test]
fn the_binaries_are_built_and_the_zip_holds_an_executable() {
    assert!(bootstrap().is_file());
    assert!(ssmbak().is_file());
    let mut zip = ZipArchive::new(File::open(function_zip()).unwrap()).unwrap();
    let entry = zip.by_name("bootstrap").unwrap();
    assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
    assert_eq!(entry.size(), bootstrap().metadata().unwrap().len());
}
