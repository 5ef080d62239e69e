//! The forms that a tree can be exported in, and the file it goes to. What can
//! be put back is [`crate::export_file`]; the forms here hold values.

mod csv;
mod dotenv;
mod file;
mod tfvars;

use std::collections::BTreeMap;

use ssmbak_core::domain::{Name, Path};

use crate::args::ExportFormat;
use crate::error::CliError;
use crate::export_file::{self, Exported};

pub(crate) use file::{refuse_existing, write};

/// The text of an export, and what is worth telling of it.
pub(crate) fn rendered(
    exported: &Exported,
    format: ExportFormat,
) -> Result<(String, Option<String>), CliError> {
    let text = match format {
        ExportFormat::Json => export_file::json(exported).map_err(std::io::Error::from)?,
        ExportFormat::Yaml => export_file::yaml(exported),
        ExportFormat::Dotenv => {
            return Ok((dotenv::text(exported)?, dotenv::warning(exported)));
        }
        ExportFormat::Tfvars => tfvars::text(exported)?,
        ExportFormat::Csv => csv::text(exported)?,
    };
    Ok((text, None))
}

/// A name below the prefix, or whole but for its leading slash.
fn relative<'a>(name: &'a Name, prefix: Option<&Path>) -> &'a str {
    let text = name.as_str();
    let relative = prefix.and_then(|prefix| text.strip_prefix(prefix.as_str()));
    relative.unwrap_or_else(|| text.trim_start_matches('/'))
}

/// Gives each parameter the key that `key_of` makes of its name. Two that get
/// the same are refused: one would hide the other.
fn keys(
    exported: &Exported,
    form: &str,
    key_of: impl Fn(&str) -> String,
) -> Result<Vec<String>, CliError> {
    let mut names: BTreeMap<String, &Name> = BTreeMap::new();
    let mut keys = Vec::with_capacity(exported.parameters.len());
    for parameter in &exported.parameters {
        let key = key_of(relative(&parameter.name, exported.prefix.as_ref()));
        if let Some(other) = names.insert(key.clone(), &parameter.name) {
            return Err(CliError::Usage {
                message: format!("{other} and {} would both be {key}", parameter.name),
                hint: format!("{form} cannot tell them apart: export one of them, or as json"),
            });
        }
        keys.push(key);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests;
