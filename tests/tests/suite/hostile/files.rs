//! Files that a command is given: of 100 MB, cut off, of a newer form, of nested
//! nothing. Each is refused by its name before anything is asked of AWS, and
//! without holding it.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use super::measured;
use crate::world::{bare_command, run};

/// Hardly a block on disk.
const HUGE: u64 = 100 * 1024 * 1024;
/// What may be read of a plan or an export is 64, and the program itself has about
/// twenty.
const MOST_MIB: u64 = 96;

/// A command that reads a file of a kind; the file's name stands in its message.
struct Reader {
    kind: &'static str,
    words: &'static [&'static str],
    by_variable: bool,
}

const READERS: [Reader; 3] = [
    Reader {
        kind: "plan",
        words: &["restore", "--yes", "--plan"],
        by_variable: false,
    },
    Reader {
        kind: "export",
        words: &["restore", "--yes", "--from"],
        by_variable: false,
    },
    Reader {
        kind: "config",
        words: &["history", "/"],
        by_variable: true,
    },
];

impl Reader {
    /// Reads the file where there is neither region nor credentials.
    fn command(&self, file: &Path) -> tokio::process::Command {
        let path = file.to_str().unwrap();
        if self.by_variable {
            let mut command = bare_command(self.words);
            command.env("SSMBAK_CONFIG", path);
            return command;
        }
        bare_command(&[self.words, &[path]].concat())
    }

    async fn refuses(&self, file: &Path, says: &str) {
        let (answer, mib) = measured(&self.command(file)).await;
        let kind = self.kind;
        assert_eq!(answer.code, 2, "{kind}: {answer:?}");
        assert_eq!(answer.stdout, "", "{kind}");
        let told = answer.stderr.lines().next().unwrap_or_default();
        let start = format!("error: {}: ", file.display());
        assert!(told.starts_with(&start), "{kind}: {answer:?}");
        assert!(told.contains(says), "{kind}, {says}: {answer:?}");
        assert!(answer.stderr.contains("\nhint: "), "{kind}: {answer:?}");
        assert!(!answer.stderr.contains("hunter2"), "{kind}: {answer:?}");
        assert!(!answer.stderr.contains("panicked"), "{kind}: {answer:?}");
        assert!(mib < MOST_MIB, "{kind}: {mib} MiB");
    }
}

fn written(directory: &Path, bytes: &[u8]) -> PathBuf {
    let file = directory.join("given");
    std::fs::write(&file, bytes).unwrap();
    file
}

#[tokio::test]
async fn a_file_of_100_mb_is_refused_and_not_held() {
    let directory = tempfile::tempdir().unwrap();
    for (reader, says) in READERS.iter().zip(["64 MiB", "64 MiB", "1 MiB"]) {
        let file = written(directory.path(), b"");
        let huge = OpenOptions::new().write(true).open(&file).unwrap();
        huge.set_len(HUGE).unwrap();
        reader.refuses(&file, says).await;
        reader.refuses(Path::new("/dev/zero"), says).await;
    }
}

#[tokio::test]
async fn a_file_of_nothing_but_nesting_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for open in ["[", "{\"a\":", "{a: ", "- ", "a = [", "a."] {
        let file = written(directory.path(), open.repeat(200_000).as_bytes());
        for reader in &READERS {
            reader.refuses(&file, "").await;
        }
    }
}

#[tokio::test]
async fn a_file_that_is_none_of_its_kind_is_refused_without_its_content() {
    let directory = tempfile::tempdir().unwrap();
    let bombs = "a: &a [x,x]\nb: &b [*a,*a]\nhunter2: *b\n";
    for bytes in [
        &b"\xff\xfe\x00h\x00u"[..],
        b"\x7fELF hunter2",
        b"hunter2",
        b"\0\0\0\0",
        b"\x1b]52;c;hunter2\x07",
        bombs.as_bytes(),
    ] {
        let file = written(directory.path(), bytes);
        for reader in &READERS {
            reader.refuses(&file, "").await;
        }
    }
}

#[tokio::test]
async fn a_newer_form_asks_for_a_newer_program() {
    let directory = tempfile::tempdir().unwrap();
    for (reader, text) in [
        (&READERS[0], "{\"ssmbakPlan\": 2, \"novel\": \"hunter2\"}"),
        (&READERS[1], "{\"ssmbakExport\": 2, \"novel\": \"hunter2\"}"),
        (&READERS[1], "ssmbakExport: 2\nnovel: hunter2\n"),
    ] {
        let file = written(directory.path(), text.as_bytes());
        reader.refuses(&file, "form 2").await;
    }
}

#[tokio::test]
async fn what_is_no_file_is_told_by_its_name() {
    for reader in &READERS {
        for place in ["/nonexistent/file", "/", "/dev/null"] {
            let answer = run(reader.command(Path::new(place))).await;
            if reader.by_variable && place == "/dev/null" {
                // An empty configuration is one.
                continue;
            }
            assert!([1, 2].contains(&answer.code), "{answer:?}");
            let told = answer.stderr.lines().next().unwrap_or_default();
            assert!(told.contains(place), "{}: {answer:?}", reader.kind);
            assert!(!told.contains("panicked"), "{answer:?}");
        }
    }
}
