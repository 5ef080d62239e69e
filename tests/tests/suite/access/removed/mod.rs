//! Least privilege: without any one of its rights a role cannot do its work, and says which one it
//! lacks. What no emulator can ask for is on a list, and nothing on it is told after all.

mod deployer;
mod grants;
mod needs;
mod work;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value as Json;
use ssmbak_tests::emulator::Refusal;
use ssmbak_tests::people::Person;
use tokio::sync::OnceCell;

use self::grants::{Right, What, rights, several, without};
use self::needs::{AUDITOR, CAPTURE, OPERATOR, RECONCILE, RESTORER, Role, Told};
use self::work::{Ended, Work};
use super::Stage;

/// So many at once; what moves messages is alone.
const AT_ONCE: usize = 3;

/// A stage on which no event travels: nothing is captured but by whom the test says.
async fn stage() -> &'static Stage {
    static HELD: OnceCell<Stage> = OnceCell::const_new();
    HELD.get_or_init(async || {
        let stage = Stage::set().await;
        stage.control().hold(true).await.unwrap();
        stage
    })
    .await
}

#[tokio::test]
async fn each_right_of_an_auditor_is_needed() {
    let stage = stage().await;
    needs_each(stage, &AUDITOR, &managed(stage, "Auditor").await).await;
}

#[tokio::test]
async fn each_right_of_a_restorer_is_needed() {
    let stage = stage().await;
    needs_each(stage, &RESTORER, &managed(stage, "Restorer").await).await;
}

#[tokio::test]
async fn each_right_of_an_operator_is_needed() {
    let stage = stage().await;
    needs_each(stage, &OPERATOR, &managed(stage, "Operator").await).await;
}

#[tokio::test]
async fn each_right_of_the_capturing_function_is_needed() {
    let stage = stage().await;
    needs_each(stage, &CAPTURE, &of_function(stage, "FunctionName").await).await;
}

#[tokio::test]
async fn each_right_of_the_reconciling_function_is_needed() {
    let stage = stage().await;
    let policies = of_function(stage, "ReconcileFunctionName").await;
    needs_each(stage, &RECONCILE, &policies).await;
}

async fn managed(stage: &Stage, role: &str) -> Vec<Json> {
    let arn = &stage.outputs[&format!("{role}PolicyArn")];
    vec![stage.control().policy(arn).await.unwrap()]
}

async fn of_function(stage: &Stage, output: &str) -> Vec<Json> {
    let name = &stage.outputs[output];
    stage.control().function_policies(name).await.unwrap()
}

/// Takes each right away in turn.
async fn needs_each(stage: &Stage, role: &Role, policies: &[Json]) {
    let all = rights(policies);
    let mut wrong = stale_rows(role, &all);
    wrong.extend(works_as_it_is(stage, role, policies, &all).await);
    let auditor = managed(stage, "Auditor").await;
    let attempts = all.iter().enumerate().map(|(number, right)| {
        let unique = format!("{}-{number}", role.name);
        let auditor = &auditor;
        async move {
            let needs: Vec<_> = role.needs.iter().filter(|n| right.is_meant(n.0)).collect();
            let untold = role.untold.iter().filter(|u| right.is_meant(u.0)).count();
            match (&needs[..], untold) {
                ([(_, work, told)], 0) => {
                    let held = match told {
                        Told::Named | Told::Around => policies.to_vec(),
                        Told::AroundWithoutFactor => {
                            grants::without_second_factor(policies, auditor)
                        }
                    };
                    let left = without(&held, &[right]);
                    let attempt = attempt(stage, *work, &left, &unique).await;
                    attempt.fault(right, policies, *told)
                }
                ([], 1) => None,
                ([], 0) => Some(unexplained(stage, role, policies, right, &unique).await),
                _ => Some(format!("{right} is told of several times")),
            }
        }
    });
    let found: Vec<_> = stream::iter(attempts).buffered(AT_ONCE).collect().await;
    wrong.extend(found.into_iter().flatten());
    assert!(wrong.is_empty(), "{}: {}", role.name, wrong.join("\n\n"));
}

/// Rows of the tables that mean nothing which the template grants.
fn stale_rows(role: &Role, all: &[Right]) -> Vec<String> {
    let rows = role.needs.iter().map(|(row, _, _)| row);
    let rows = rows.chain(role.untold.iter().map(|(row, _)| row));
    let stale = rows.filter(|row| !all.iter().any(|right| right.is_meant(row)));
    let told = |row| format!("{row} is no longer granted: its row can go");
    stale.map(told).collect()
}

/// With everything, and without what no emulator asks for, everything works and nothing is refused.
async fn works_as_it_is(
    stage: &Stage,
    role: &Role,
    policies: &[Json],
    all: &[Right],
) -> Vec<String> {
    let is_untold = |right: &&Right| role.untold.iter().any(|(row, _)| right.is_meant(row));
    let untold: Vec<&Right> = all.iter().filter(is_untold).collect();
    let mut wrong = Vec::new();
    for work in role.works {
        let unique = format!("{}-{work:?}", role.name);
        let attempt = attempt(stage, *work, &without(policies, &untold), &unique).await;
        if !attempt.ended.well || !attempt.refused.is_empty() {
            let why = "does not work, or asks for what is said not to be asked for";
            wrong.push(format!("{work:?} {why}: {attempt:?}"));
        }
    }
    wrong
}

/// A right that no table explains: which work it is for, if any.
async fn unexplained(
    stage: &Stage,
    role: &Role,
    policies: &[Json],
    right: &Right,
    unique: &str,
) -> String {
    let mut needing = Vec::new();
    for work in role.works {
        let unique = format!("{unique}-{work:?}");
        let attempt = attempt(stage, *work, &without(policies, &[right]), &unique).await;
        if !attempt.refused.is_empty() {
            needing.push(format!("{work:?}"));
        }
    }
    match &needing[..] {
        [] => format!("{right}: nothing needs it: take it out of the template"),
        some => format!("{right}: {} needs it: add its row", some.join(", ")),
    }
}

/// One piece of work under some policies.
#[derive(Debug)]
struct Attempt {
    ended: Ended,
    refused: Vec<Refusal>,
}

async fn attempt(stage: &Stage, work: Work, policies: &[Json], unique: &str) -> Attempt {
    let endpoint = stage.ministack.endpoint();
    let person = Person::hired_under(&endpoint, unique, policies).await;
    let person = person.unwrap();
    let ended = work.done_by(stage, &person, unique).await;
    let refused = stage.control().refused(person.access_key()).await.unwrap();
    Attempt { ended, refused }
}

impl Attempt {
    /// What is not as it must be without this right.
    fn fault(&self, right: &Right, policies: &[Json], told: Told) -> Option<String> {
        let actions = actions_of(right, policies);
        let is_lack = |refusal: &&Refusal| actions.contains(&refusal.action);
        let lacked = self.refused.iter().find(is_lack);
        let is_named = lacked.is_some_and(|lack| self.ended.told.contains(&lack.action));
        let as_told = match told {
            Told::Named => !self.ended.well && is_named,
            Told::Around | Told::AroundWithoutFactor => self.ended.well && lacked.is_some(),
        };
        (!as_told).then(|| format!("without {right} not {told:?}: {self:?}"))
    }
}

/// The action that is taken away, or those of the statement whose resource is.
fn actions_of(right: &Right, policies: &[Json]) -> Vec<String> {
    if let What::Action(action) = &right.what {
        return vec![action.clone()];
    }
    let statements = policies.iter().map(|policy| &policy["Statement"]);
    let statements = statements.flat_map(|list| list.as_array().unwrap());
    let own = statements.filter(|one| one["Sid"] == *right.sid);
    own.flat_map(|one| several(&one["Action"])).collect()
}
