//! The file of an export: whole or not there at all, and its owner's alone.

use std::io::Write as _;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::CliError;

/// Refuses a file that is there already.
pub(crate) fn refuse_existing(path: &Path) -> Result<(), CliError> {
    // A link that leads nowhere is there too.
    match path.symlink_metadata() {
        Ok(_) => Err(there_already(path)),
        Err(_) => Ok(()),
    }
}

/// Writes `text` to `path`, readable by its owner only (mode 0600), over
/// what is there only with `overwrite`. What is there stays until all is written.
pub(crate) fn write(path: &Path, text: &str, overwrite: bool) -> Result<(), CliError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let failed = |error: std::io::Error| CliError::Failed {
        message: format!("{} cannot be written: {error}", path.display()),
        hint: None,
    };
    // Created with mode 0600, whatever the mask.
    let mut file = NamedTempFile::new_in(directory).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    let persisted = if overwrite {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    match persisted {
        Ok(_) => Ok(()),
        Err(error) if !overwrite && error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(there_already(path))
        }
        Err(error) => Err(failed(error.error)),
    }
}

fn there_already(path: &Path) -> CliError {
    CliError::Usage {
        message: format!("{} is there already", path.display()),
        hint: "give another name, or --overwrite".into(),
    }
}
