//! A restore while calls go wrong: what is told of each parameter is so, and a
//! second one ends what the first could not.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};
use ssmbak_core::domain::run::Outcome;
use ssmbak_core::domain::state::FoundValue;
use ssmbak_core::domain::{Action, Instant, Plan, State, Step};
use ssmbak_core::restore::{Report, apply};
use ssmbak_core::survey::{SurveyOptions, survey};

use super::Play;
use super::SOMEBODY;
use super::ask::everything;
use super::check::told;
use super::deliver::until_death;
use crate::simulated::clock;
use crate::simulated::faults::{Crash, Faults};

impl Play<'_> {
    /// Restores everything to some instant, twice: once while calls go wrong, and once in peace.
    pub(super) async fn restore(&mut self) -> Result<(), String> {
        let instants: Vec<Instant> = self.sure.boundaries().into_iter().collect();
        let Some(at) = self.chance.choice(instants) else {
            return Ok(());
        };
        // Nothing may be created within 30 s of its deletion.
        clock::wait_until(clock::now().plus_millis(31_000)).await;
        let plan = self.planned(at).await?;
        self.restore_disturbed(&plan).await?;
        clock::wait_until(clock::now().plus_millis(31_000)).await;
        let right: Vec<(&Step, Value)> = plan
            .steps
            .iter()
            .filter(|step| self.is_as_it_was(step))
            .map(|step| (step, self.live(step)))
            .collect();
        let again = self.planned(at).await?;
        let stop = AtomicBool::new(false);
        let reports = apply(self.somebody(), &again, &stop, &|_| {}).await;
        let reports = reports.map_err(told)?;
        for (step, before) in right {
            if step.action != Action::None && self.live(step) != before {
                return Err(format!("{} was right, and was written again", step.name));
            }
        }
        for step in plan.steps.iter().filter(|s| s.can_be_done()) {
            if !self.is_as_it_was(step) {
                return Err(format!(
                    "restored to {at} twice, and {} is not as it was: {step:#?} {reports:#?} {}",
                    step.name,
                    self.live(step)
                ));
            }
        }
        Ok(())
    }

    async fn planned(&self, at: Instant) -> Result<Plan, String> {
        let options = SurveyOptions::default();
        let plan = survey(self.somebody(), &everything(), at, &options).await;
        plan.map_err(told)
    }

    async fn restore_disturbed(&mut self, plan: &Plan) -> Result<(), String> {
        let before: BTreeMap<&str, u64> = versions(plan.steps.iter().map(|s| (s, self.live(s))));
        let crash = self.trial.crashes_one_in > 0 && self.chance.bool();
        let call = self.chance.u64(..60);
        self.aws.with_faults(|faults| {
            faults.one_in(self.trial.faults_one_in);
            if crash {
                let after_work = call.is_multiple_of(2);
                faults.crash(SOMEBODY, Crash { call, after_work });
            }
        });
        let stop = AtomicBool::new(false);
        let reports = {
            let work = apply(self.somebody(), plan, &stop, &|_| {});
            until_death(&self.aws, SOMEBODY, work).await
        };
        self.aws.with_faults(Faults::none);
        let after = versions(plan.steps.iter().map(|s| (s, self.live(s))));
        for (name, version) in after {
            let most = before.get(name).copied().unwrap_or(0) + 1;
            if version > most {
                return Err(format!("{name} was written twice by one restore"));
            }
        }
        match reports {
            None => self.tally.crashes += 1,
            // The run itself could not be put on record: nothing was written.
            Some(Err(_)) => {}
            Some(Ok(reports)) => {
                for report in &reports {
                    self.check_report(plan, report)?;
                }
            }
        }
        Ok(())
    }

    fn check_report(&self, plan: &Plan, report: &Report) -> Result<(), String> {
        let step = plan.steps.iter().find(|s| s.name == report.name);
        let step = step.ok_or_else(|| format!("nobody planned {report:?}"))?;
        let claims = match report.outcome {
            Outcome::Restored | Outcome::Deleted | Outcome::Unchanged => true,
            Outcome::Skipped | Outcome::Failed => false,
        };
        if claims && !self.is_as_it_was(step) {
            let live = self.live(step);
            return Err(format!("told {report:?}, but {live} lives: {step:#?}"));
        }
        Ok(())
    }

    /// What lives of it, as Parameter Store tells it; null where nothing does.
    fn live(&self, step: &Step) -> Value {
        let asked = json!({"Name": step.name.as_str(), "WithDecryption": true});
        let history = self.aws.call_parameter_store("GetParameter", &asked);
        history.map_or(Value::Null, |mut answer| answer["Parameter"].take())
    }

    /// Whether what lives has the value and type that the plan is about.
    fn is_as_it_was(&self, step: &Step) -> bool {
        let live = self.live(step);
        match &step.state {
            State::Absent { .. } => live.is_null(),
            State::Unknown { .. } => false,
            State::Present(found) => {
                let value = match (&step.value, &found.value) {
                    (Some(value), _) => live["Value"] == value.expose(),
                    (None, FoundValue::Live) => !live.is_null(),
                    (None, _) => false,
                };
                value && live["Type"] == found.attributes.parameter_type.as_str()
            }
        }
    }
}

fn versions<'s>(steps: impl Iterator<Item = (&'s Step, Value)>) -> BTreeMap<&'s str, u64> {
    let numbers = steps.filter_map(|(s, live)| Some((s.name.as_str(), live["Version"].as_u64()?)));
    numbers.collect()
}
