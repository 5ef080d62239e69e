//! Exported files, JSON and YAML. They are read by the command line, which is
//! no library: its files are read in by path, with what they use of the rest.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "of the command line only what reads and writes is used")]
#[path = "../../restore/src/export_file/mod.rs"]
mod export_file;

#[allow(dead_code, reason = "as above")]
#[path = "../../restore/src/output/text.rs"]
mod text;

mod output {
    pub(crate) use crate::text::{printable, printable_json};
}

/// As much of the command line's errors as the files use.
mod error {
    #[derive(Debug)]
    #[allow(dead_code, reason = "its text is not looked at")]
    pub(crate) enum CliError {
        Usage { message: String, hint: String },
        Failed { message: String, hint: Option<String> },
    }
}

fuzz_target!(|bytes: &[u8]| {
    let file = std::env::temp_dir().join(format!("ssmbak-fuzz-{}", std::process::id()));
    let read = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        export_file::read(&file)
    };
    if let Ok(exported) = read(bytes) {
        for text in [
            export_file::json(&exported).unwrap(),
            export_file::yaml(&exported),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap(), exported);
        }
    }
});
