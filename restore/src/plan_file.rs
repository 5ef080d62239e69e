//! The file that holds a saved plan.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ssmbak_core::domain::saved_plan::{LONGEST, SavedPlan, SavedPlanError};
use ssmbak_core::store::Stores;

use crate::error::CliError;

/// Where a plan is to be written.
#[derive(Debug)]
pub(crate) struct NewPlanFile {
    path: PathBuf,
    overwrite: bool,
}

impl NewPlanFile {
    /// Refuses a file that is there already, unless `overwrite`: told before
    /// anything is asked of AWS.
    pub(crate) fn at(path: &Path, overwrite: bool) -> Result<Self, CliError> {
        if !overwrite && path.symlink_metadata().is_ok() {
            return Err(is_there(path));
        }
        Ok(Self {
            path: path.to_owned(),
            overwrite,
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the plan: whole or not at all, for nobody else to read.
    pub(crate) fn write(&self, plan: &SavedPlan) -> Result<(), CliError> {
        let text = plan.to_text().map_err(|error| CliError::Failed {
            message: format!("{}: {error}", self.path.display()),
            hint: Some("make a plan for each of several paths".into()),
        })?;
        self.put(text.as_bytes()).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                return is_there(&self.path);
            }
            CliError::Failed {
                message: format!("{} cannot be written: {error}", self.path.display()),
                hint: None,
            }
        })
    }

    fn put(&self, text: &[u8]) -> io::Result<()> {
        let directory = match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        // Created with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(text)?;
        file.as_file().sync_all()?;
        let done = if self.overwrite {
            file.persist(&self.path)
        } else {
            file.persist_noclobber(&self.path)
        };
        done.map(|_| ()).map_err(|failed| failed.error)
    }
}

fn is_there(path: &Path) -> CliError {
    CliError::Usage {
        message: format!("{} is there already", path.display()),
        hint: "give another name, or --overwrite".into(),
    }
}

/// Reads a plan and checks everything that can be checked without AWS. Never
/// holds more of the file than a plan may have.
pub(crate) fn read(path: &Path) -> Result<SavedPlan, CliError> {
    let text = read_at_most(path).map_err(|error| CliError::Usage {
        message: format!("{} cannot be read: {error}", path.display()),
        hint: "give the file that `ssmbak preview PATH TIME --plan FILE` has written".into(),
    })?;
    let plan = match text {
        Some(text) => SavedPlan::from_text(&text),
        None => Err(SavedPlanError::TooLong),
    };
    plan.map_err(|error| refused(path, &error))
}

/// None where the file is longer than any plan.
fn read_at_most(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = File::open(path)?;
    if file.metadata()?.len() > LONGEST {
        return Ok(None);
    }
    let mut text = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut text)?;
    let fits = u64::try_from(text.len()).is_ok_and(|length| length <= LONGEST);
    Ok(fits.then_some(text))
}

/// Refuses a plan that points into other stores than these.
pub(crate) fn check_stores(path: &Path, plan: &SavedPlan, stores: &Stores) -> Result<(), CliError> {
    let (bucket, table) = (stores.bucket.name(), stores.index.table());
    if plan.bucket == bucket && plan.table == table {
        return Ok(());
    }
    Err(CliError::Usage {
        message: format!(
            "{}: it was made from bucket {} and table {}, and these are bucket {bucket} and \
             table {table}",
            path.display(),
            plan.bucket,
            plan.table
        ),
        hint: "name the stack that it was made from with --stack, or pass --bucket and --table"
            .into(),
    })
}

/// The plan is wrong, as `error` says.
pub(crate) fn refused(path: &Path, error: &SavedPlanError) -> CliError {
    CliError::Usage {
        message: format!("{}: {error}", path.display()),
        hint: if matches!(error, SavedPlanError::Newer(_)) {
            "use the version of ssmbak that made it, or a newer one".into()
        } else {
            "make a new one with `ssmbak preview PATH TIME --plan FILE`; nothing was done".into()
        },
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use ssmbak_core::domain::saved_plan::SavedOptions;

    use super::*;
    use crate::fixtures::{asked, at};

    fn plan(bucket: &str) -> SavedPlan {
        SavedPlan {
            made: at("2024-06-16T01:00:00.000Z"),
            bucket: bucket.into(),
            table: "table".into(),
            target: "/app/".into(),
            recursive: true,
            at: asked(),
            options: SavedOptions::default(),
            parameters: Vec::new(),
        }
    }

    fn usage(error: &CliError) -> String {
        assert!(matches!(error, CliError::Usage { .. }), "{error:?}");
        error.to_string()
    }

    #[test]
    fn what_is_written_is_read_and_is_nobody_elses() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plan.json");
        NewPlanFile::at(&path, false)
            .unwrap()
            .write(&plan("one"))
            .unwrap();
        assert_eq!(read(&path).unwrap(), plan("one"));
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(directory.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_there_stays_unless_it_may_be_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plan.json");
        let early = NewPlanFile::at(&path, false).unwrap();
        std::fs::write(&path, "mine").unwrap();
        let refused = NewPlanFile::at(&path, false).unwrap_err();
        assert!(usage(&refused).ends_with("plan.json is there already"));
        // Somebody was faster.
        assert!(usage(&early.write(&plan("one")).unwrap_err()).contains("already"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        let over = NewPlanFile::at(&path, true).unwrap();
        over.write(&plan("two")).unwrap();
        assert_eq!(read(&path).unwrap(), plan("two"));
        assert_eq!(directory.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn what_has_no_end_or_is_no_file_is_refused() {
        let told = usage(&read(Path::new("/dev/zero")).unwrap_err());
        assert!(told.contains("64 MiB"), "{told}");
        for nowhere in ["/", "/nonexistent/plan.json"] {
            let told = usage(&read(Path::new(nowhere)).unwrap_err());
            assert!(told.contains("cannot be read"), "{told}");
        }
    }
}
