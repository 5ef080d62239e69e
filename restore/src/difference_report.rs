//! What is told of a comparison: the text for people, warnings, the summary line
//! and the exit code.

use ssmbak_core::differences::Comparison;
use ssmbak_core::domain::differences::{Difference, Kind, Side};
use ssmbak_core::domain::plan::Field;
use ssmbak_core::domain::state::Found;
use ssmbak_core::domain::{Attributes, Instant, State};

use crate::error::{CliError, Exit};
use crate::output::Patch;
use crate::plan_report::exit_of;

/// Refuses a comparison with an instant at which nothing is known.
pub(crate) fn something_is_known(found: &Comparison) -> Result<(), CliError> {
    let Some((at, nearest)) = found.nothing_known else {
        return Ok(());
    };
    Err(CliError::NothingKnown {
        target: found.target.to_string(),
        at,
        nearest,
    })
}

/// The differences as people read them: like a patch.
pub(crate) fn patch(found: &Comparison, reveal: bool, color: bool) -> String {
    let mut patch = Patch::new(color);
    for difference in &found.differences {
        write_one(&mut patch, found, difference, reveal);
    }
    patch.into_text()
}

fn write_one(patch: &mut Patch, found: &Comparison, difference: &Difference, reveal: bool) {
    let Difference { name, old, new, .. } = difference;
    if difference.kind == Kind::Unknown {
        let unknown: Vec<_> = unknown_at(found, difference)
            .into_iter()
            .map(|(at, _)| at)
            .collect();
        patch.unknown(&format!("{name} unknown at {}", unknown.join(", ")));
        return;
    }
    let (from, to) = (found.from.to_string(), second(found));
    patch.header(
        &heading(difference, old, &from),
        &heading(difference, new, &to),
    );
    let is_secret = is_secret(difference) && !reveal;
    match difference.kind {
        Kind::Added => patch.value(None, Some(&shown(new, is_secret))),
        Kind::Removed => patch.value(Some(&shown(old, is_secret)), None),
        Kind::Changed => {
            let differs = difference.fields.contains(&Field::Value);
            let both = old.value.is_some() && new.value.is_some();
            if differs && is_secret && both {
                patch.meta("Value", "(secret differs)");
            } else if differs {
                patch.value(Some(&shown(old, is_secret)), Some(&shown(new, is_secret)));
            }
            write_fields(patch, difference);
        }
        Kind::Unknown => {}
    }
}

/// Where the value of either side was a secret, both are: it may be the same.
pub(crate) fn is_secret(difference: &Difference) -> bool {
    let is_secret = |side: &Side| side.state.found().is_some_and(|f| f.attributes.is_secret());
    is_secret(&difference.old) || is_secret(&difference.new)
}

fn second(found: &Comparison) -> String {
    found.to.map_or("now".into(), |at| at.to_string())
}

fn heading(difference: &Difference, side: &Side, at: &str) -> String {
    match side.state.found() {
        None => format!("(absent) {at}"),
        Some(found) => {
            let version = found.version.map(|v| format!(" (version {v})"));
            format!("{} {at}{}", difference.name, version.unwrap_or_default())
        }
    }
}

fn shown(side: &Side, is_secret: bool) -> String {
    match &side.value {
        Some(_) if is_secret => "(secret)".into(),
        Some(value) => value.expose().to_owned(),
        None if side.problem.is_some() => "(value cannot be had)".into(),
        None => String::new(),
    }
}

fn write_fields(patch: &mut Patch, difference: &Difference) {
    let attributes = |side: &Side| side.state.found().map(|f| f.attributes.clone());
    let (Some(old), Some(new)) = (attributes(&difference.old), attributes(&difference.new)) else {
        return;
    };
    for field in &difference.fields {
        match field {
            Field::Value => {}
            Field::Tags => write_tags(patch, &old, &new),
            Field::Type
            | Field::Description
            | Field::Tier
            | Field::DataType
            | Field::KeyId
            | Field::AllowedPattern
            | Field::Policies => {
                let (old, new) = (text_of(*field, &old), text_of(*field, &new));
                patch.meta(field.as_str(), &moved(old.as_deref(), new.as_deref()));
            }
        }
    }
}

/// One line for each tag that differs.
fn write_tags(patch: &mut Patch, old: &Attributes, new: &Attributes) {
    let empty = std::collections::BTreeMap::new();
    let (old, new) = (
        old.tags.as_ref().unwrap_or(&empty),
        new.tags.as_ref().unwrap_or(&empty),
    );
    let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let (old, new) = (old.get(key), new.get(key));
        if old != new {
            let moved = moved(old.map(String::as_str), new.map(String::as_str));
            patch.meta(&format!("Tags.{key}"), &moved);
        }
    }
}

fn moved(old: Option<&str>, new: Option<&str>) -> String {
    format!("{} -> {}", old.unwrap_or("(none)"), new.unwrap_or("(none)"))
}

fn text_of(field: Field, attributes: &Attributes) -> Option<String> {
    match field {
        Field::Value | Field::Tags => None,
        Field::Type => Some(attributes.parameter_type.clone()),
        Field::Description => attributes.description.clone(),
        Field::Tier => attributes.tier.clone(),
        Field::DataType => attributes.data_type.clone(),
        Field::KeyId => attributes.key_id.clone(),
        Field::AllowedPattern => attributes.allowed_pattern.clone(),
        Field::Policies => Some(attributes.policies.join(", ")).filter(|text| !text.is_empty()),
    }
}

/// At which of the two it is unknown, and from when on it is known.
fn unknown_at(found: &Comparison, difference: &Difference) -> Vec<(String, Option<Instant>)> {
    let sides = [
        (found.from.to_string(), &difference.old),
        (second(found), &difference.new),
    ];
    let unknown = |(at, side): (String, &Side)| match side.state {
        State::Unknown { known_from } => Some((at, known_from)),
        State::Present(_) | State::Absent { .. } => None,
    };
    sides.into_iter().filter_map(unknown).collect()
}

/// What is not as it should be: names that are unknown, values that cannot be
/// had, and states that are not certain.
pub(crate) fn warnings(found: &Comparison) -> Vec<String> {
    let mut told = Vec::new();
    for difference in &found.differences {
        let name = &difference.name;
        for (at, known_from) in unknown_at(found, difference) {
            let from = known_from.map_or(String::new(), |at| format!("; known from {at}"));
            told.push(format!("{name}: unknown at {at}{from}"));
        }
        let sides = [
            (found.from.to_string(), &difference.old),
            (second(found), &difference.new),
        ];
        for (at, side) in sides {
            if let Some(problem) = &side.problem {
                told.push(format!("{name}: at {at}: {problem}"));
            } else if side.state.found().is_some_and(|f| f.inexact) {
                told.push(format!(
                    "{name}: may have been deleted already at {at}; taken as present"
                ));
            }
        }
    }
    let doubtful = found.doubtful.iter();
    told.extend(doubtful.map(|(name, problem)| format!("{name}: {problem}")));
    told.extend(imported(found));
    told
}

/// One line for all, since most of a tree may be known from there.
fn imported(found: &Comparison) -> Option<String> {
    let imported = |d: &&Difference| {
        let sides = [&d.old, &d.new];
        let mut found = sides.into_iter().filter_map(|side| side.state.found());
        found.any(Found::is_imported)
    };
    let count = found.differences.iter().filter(imported).count();
    (count > 0).then(|| {
        format!(
            "{count} of these are known from the original tool's bucket only: a value may be that \
             of a later second, and what it did not keep is not compared"
        )
    })
}

fn count(found: &Comparison, kind: Kind) -> usize {
    found.differences.iter().filter(|d| d.kind == kind).count()
}

/// The summary line: `2 changed, 1 added, 1 removed, 40 unchanged`, and how many
/// are unknown if any are.
pub(crate) fn summary(found: &Comparison) -> String {
    let mut counts = vec![
        format!("{} changed", count(found, Kind::Changed)),
        format!("{} added", count(found, Kind::Added)),
        format!("{} removed", count(found, Kind::Removed)),
        format!("{} unchanged", found.unchanged),
    ];
    let unknown = count(found, Kind::Unknown);
    if unknown > 0 {
        counts.push(format!("{unknown} unknown"));
    }
    counts.join(", ")
}

/// How a comparison ends; `differences` asks for an exit code of their own.
pub(crate) fn exit(found: &Comparison, differences: bool) -> Exit {
    let has_problem = |d: &Difference| d.old.problem.is_some() || d.new.problem.is_some();
    let bad = |d: &&Difference| d.kind == Kind::Unknown || has_problem(d);
    let bad = found.differences.iter().filter(bad).count();
    let fine = found.differences.len() - bad + found.unchanged - found.doubtful.len();
    let exit = exit_of(bad + found.doubtful.len(), fine);
    if exit == Exit::Done && differences && !found.differences.is_empty() {
        return Exit::Differences;
    }
    exit
}

#[cfg(test)]
#[path = "difference_report_tests.rs"]
mod tests;
