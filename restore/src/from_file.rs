//! An exported file as what is wanted: `preview --from` and `restore --from`.

use std::path::Path;

use ssmbak_core::domain::state::FoundValue;
use ssmbak_core::domain::{Found, Instant, Plan, State, Target};
use ssmbak_core::store::Stores;
use ssmbak_core::survey::{SurveyOptions, Wanted, against};

use crate::error::CliError;
use crate::export_file::{self, Exported, ExportedParameter};
use crate::ui::{Ui, warn};

/// What of a file is to be put back.
#[derive(Debug)]
pub(crate) struct FromFile {
    target: Target,
    at: Instant,
    wanted: Vec<Wanted>,
}

impl FromFile {
    /// Reads `file`, and of it what lies in `path`, as PATH says elsewhere; all
    /// of it where there is none. Refuses a path in which nothing lies.
    pub(crate) fn read(
        ui: &Ui,
        file: &Path,
        path: Option<&str>,
        recursive: bool,
    ) -> Result<Self, CliError> {
        let narrowed = path
            .map(|path| Target::parse(path, recursive))
            .transpose()?;
        let exported = export_file::read(file)?;
        ui.note(&format!("{} at {}", exported.target, exported.at));
        let of_file = Self::of(exported, narrowed.as_ref());
        if let (Some(target), true) = (&narrowed, of_file.wanted.is_empty()) {
            return Err(CliError::Usage {
                message: format!("{}: it has no parameter in {target}", file.display()),
                hint: "leave PATH out for all of it, or add -R for all levels below".into(),
            });
        }
        Ok(of_file)
    }

    fn of(exported: Exported, narrowed: Option<&Target>) -> Self {
        let at = exported.at;
        let parameters = exported.parameters.into_iter();
        let parameters = parameters.filter(|p| narrowed.is_none_or(|t| t.contains(&p.name)));
        let (own, parameters): (Vec<_>, Vec<_>) = parameters.partition(|p| p.name.is_own());
        for parameter in own {
            let name = parameter.name;
            warn(&format!("{name}: left alone: it is one of ssmbak's own"));
        }
        Self {
            target: narrowed.cloned().unwrap_or(exported.target),
            at,
            wanted: parameters.into_iter().map(|p| wanted(p, at)).collect(),
        }
    }

    /// What differs between the file and what lives. What the file does not name
    /// has no step.
    pub(crate) async fn plan(
        self,
        stores: &Stores,
        options: &SurveyOptions,
    ) -> Result<Plan, CliError> {
        let steps = against(stores, self.wanted, options, &|_, _| None).await?;
        Ok(Plan {
            target: self.target,
            at: self.at,
            steps,
            nearest_known: None,
            anything_known: true,
        })
    }
}

fn wanted(parameter: ExportedParameter, at: Instant) -> Wanted {
    Wanted {
        name: parameter.name,
        state: State::Present(Found {
            modified: parameter.modified.unwrap_or(at),
            version: parameter.version,
            modified_by: parameter.modified_by,
            attributes: parameter.attributes,
            value: FoundValue::Given(parameter.value),
            inexact: false,
        }),
    }
}
