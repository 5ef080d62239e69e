//! Questions: what was there at an instant, as a preview tells it, against the model.

use std::collections::BTreeMap;

use ssmbak_core::domain::state::{Evidence, Found, FoundValue, state_at};
use ssmbak_core::domain::{Instant, Name, Path, Record, State, Step, Target, Value};
use ssmbak_core::survey::{SurveyOptions, survey};

use super::Play;
use super::check::told;
use crate::histories::{Answer, Version};

impl Play<'_> {
    /// Asks the records about every boundary, and previews some of them.
    pub(super) async fn ask_about_all(&mut self) -> Result<(), String> {
        let mut instants: Vec<Instant> = self.sure.boundaries().into_iter().collect();
        for name in self.sure.names() {
            self.ask_records(&name, &instants).await?;
        }
        self.chance.shuffle(&mut instants);
        instants.truncate(self.trial.previews);
        for at in instants {
            self.ask(at).await?;
        }
        Ok(())
    }

    /// Decides the state of a name at each instant as a preview does, from all of its rows at once.
    async fn ask_records(&mut self, name: &Name, instants: &[Instant]) -> Result<(), String> {
        let (index, parameters) = (&self.somebody().index, &self.somebody().parameters);
        let of_name = Target::Name(name.clone());
        let all = index.between(name, Instant::EARLIEST, Instant::LATEST);
        let records = all.await.map_err(told)?;
        let live = parameters.list(&of_name).await.map_err(told)?;
        let coverage = index.coverage().await.map_err(told)?;
        let heads = index.heads(&of_name).await.map_err(told)?;
        let head = heads.get(name).map(|head| head.record.entry());
        if head != records.last().map(Record::entry) {
            return Err(format!("the head of {name} is {head:?}, of {records:#?}"));
        }
        for at in instants {
            let before = records.iter().rfind(|record| record.at <= *at);
            let evidence = Evidence {
                live: live.first(),
                head: records.last(),
                before,
                oldest: records.first().filter(|_| before.is_none()),
                retained: &[],
                tags: None,
                covered: coverage.covers(name, *at),
            };
            let state = state_at(*at, &evidence);
            let allowed = self.allowed(name, *at);
            let right = allowed.iter().any(|answer| is_state(&state, answer));
            self.tally.answered(right);
            if !right {
                return Err(format!(
                    "{name} at {at}: allowed {allowed:#?}, answered {state:#?}, \
                     on record {records:#?}, happened {:#?}",
                    self.sure.changes()
                ));
            }
        }
        Ok(())
    }

    fn allowed(&self, name: &Name, at: Instant) -> Vec<Answer> {
        let mut allowed = self.sure.right(name, at);
        allowed.extend(self.hopeful.right(name, at));
        allowed
    }

    async fn ask(&mut self, at: Instant) -> Result<(), String> {
        let options = SurveyOptions {
            values_of_unchanged: true,
            ..SurveyOptions::default()
        };
        let plan = survey(self.somebody(), &everything(), at, &options).await;
        let plan = plan.map_err(|error| format!("asked about {at}: {error}"))?;
        let shown: BTreeMap<&Name, &Step> = plan.steps.iter().map(|s| (&s.name, s)).collect();
        for name in self.sure.names() {
            let allowed = self.allowed(&name, at);
            let right = is_right(shown.get(&name).copied(), &allowed);
            self.tally.answered(right);
            if !right {
                return Err(format!(
                    "previewed {name} at {at}: allowed {allowed:#?}, answered {:#?}, happened {:#?}",
                    shown.get(&name).map(|s| (&s.state, s.value.is_some())),
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
    allowed.iter().any(|answer| match (told, answer) {
        (Some(step), Answer::Present(version)) => {
            let value = step.value.as_ref().map(Value::expose);
            is_state(&step.state, answer) && value == Some(version.value.as_str())
        }
        (Some(step), answer) => is_state(&step.state, answer),
        // A preview leaves out what neither was nor is, and what nobody ever heard of.
        (None, Answer::Absent | Answer::Unknown) => true,
        (None, Answer::Present(_) | Answer::Lost { .. }) => false,
    })
}

fn is_state(state: &State, answer: &Answer) -> bool {
    match (state, answer) {
        (State::Present(found), Answer::Present(version)) => is_version(found, version),
        (State::Present(found), Answer::Lost { second }) => {
            found.value == FoundValue::Lost && found.modified.same_second(*second)
        }
        (State::Absent { .. }, Answer::Absent) | (State::Unknown { .. }, Answer::Unknown) => true,
        (
            State::Present(_) | State::Absent { .. } | State::Unknown { .. },
            Answer::Present(_) | Answer::Lost { .. } | Answer::Absent | Answer::Unknown,
        ) => false,
    }
}

fn is_version(found: &Found, version: &Version) -> bool {
    let attributes = &found.attributes;
    found.version == Some(version.number)
        && found.modified == version.at
        && found.value != FoundValue::Lost
        && attributes.parameter_type == version.kind.text()
        && attributes.description == version.description
        && attributes.tier.as_deref() == Some(version.tier.text())
}
