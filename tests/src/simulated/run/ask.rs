//! Questions: what was there at an instant, as a preview tells it, against the model.

use std::collections::BTreeMap;

use ssmbak_core::domain::state::FoundValue;
use ssmbak_core::domain::{Instant, Name, Path, State, Step, Target};
use ssmbak_core::survey::{SurveyOptions, survey};

use super::Play;
use crate::histories::{Answer, Version};

impl Play<'_> {
    /// Asks about boundaries, all of them or as many as the trial allows.
    pub(super) async fn ask_about_all(&mut self) -> Result<(), String> {
        let mut instants: Vec<Instant> = self.sure.boundaries().into_iter().collect();
        self.chance.shuffle(&mut instants);
        instants.truncate(self.trial.instants);
        instants.sort();
        for at in instants {
            self.ask(at).await?;
        }
        Ok(())
    }

    async fn ask(&mut self, at: Instant) -> Result<(), String> {
        let options = SurveyOptions {
            values_of_unchanged: true,
            ..SurveyOptions::default()
        };
        let plan = survey(self.somebody(), &everything(), at, &options).await;
        let plan = plan.map_err(|error| format!("asked about {at}: {error}"))?;
        let told: BTreeMap<&Name, &Step> = plan.steps.iter().map(|s| (&s.name, s)).collect();
        for name in self.sure.names() {
            let mut allowed = self.sure.right(&name, at);
            allowed.extend(self.hopeful.right(&name, at));
            let right = is_right(told.get(&name).copied(), &allowed);
            self.tally.answered(right);
            if !right {
                let records =
                    self.somebody()
                        .index
                        .between(&name, Instant::EARLIEST, Instant::LATEST);
                let records = records.await;
                return Err(format!(
                    "{name} at {at}: allowed {allowed:#?}, answered {:#?}, on record {records:#?}, happened {:#?}",
                    told.get(&name).map(|s| (&s.state, s.value.is_some())),
                    self.sure.changes(),
                ));
            }
        }
        Ok(())
    }
}

/// Everything there is.
pub(super) fn everything() -> Target {
    Target::Path {
        path: Path::root(),
        recursive: true,
    }
}

fn is_right(told: Option<&Step>, allowed: &[Answer]) -> bool {
    allowed.iter().any(|answer| match answer {
        Answer::Present(version) => told.is_some_and(|step| shows(step, version)),
        Answer::Lost { second } => told.is_some_and(|step| {
            let found = step.state.found();
            found.is_some_and(|f| f.value == FoundValue::Lost && f.modified.same_second(*second))
        }),
        // A preview leaves out what neither was nor is.
        Answer::Absent => told.is_none_or(|step| matches!(step.state, State::Absent { .. })),
        // Of what has no record and does not live nobody knows that it is to be told.
        Answer::Unknown => told.is_none_or(|step| matches!(step.state, State::Unknown { .. })),
    })
}

fn shows(step: &Step, version: &Version) -> bool {
    let Some(found) = step.state.found() else {
        return false;
    };
    let attributes = &found.attributes;
    found.version == Some(version.number)
        && found.modified == version.at
        && attributes.parameter_type == version.kind.text()
        && attributes.description.as_deref()
            == version.description.as_deref().filter(|d| !d.is_empty())
        && attributes.tier.as_deref() == Some(version.tier.text())
        && step.value.as_ref().map(|v| v.expose()) == Some(version.value.as_str())
}
