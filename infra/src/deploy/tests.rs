use chrono::DateTime;

use super::create::in_the_way;
use super::error::{Failed, FunctionFailure, OldFunction};
use super::*;
use crate::check::CheckError;
use crate::stack::Stack;

pub(super) fn resource(resource_type: &str, name: &str, status: &str) -> StackResource {
    StackResource {
        time: DateTime::UNIX_EPOCH,
        status: status.into(),
        logical_id: String::new(),
        physical_id: name.into(),
        resource_type: resource_type.into(),
    }
}

pub(super) fn stack(status: &str) -> Stack {
    Stack {
        name: "ssmbak".into(),
        id: String::new(),
        status: status.into(),
        status_reason: None,
        created: DateTime::UNIX_EPOCH,
        updated: None,
        description: String::new(),
        outputs: BTreeMap::new(),
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
    }
}

#[test]
fn bucket_table_and_key_are_told_as_kept_and_nothing_else() {
    let resources = [
        resource("AWS::KMS::Key", "k", "CREATE_COMPLETE"),
        resource("AWS::DynamoDB::Table", "t", "DELETE_SKIPPED"),
        resource("AWS::SQS::Queue", "q", "CREATE_COMPLETE"),
        resource("AWS::S3::Bucket", "b", "CREATE_COMPLETE"),
    ];
    let names: Vec<_> = retained(&resources)
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(names, ["b", "t", "k"]);
}

#[test]
fn what_never_was_or_is_gone_is_not_kept() {
    let resources = [
        resource("AWS::S3::Bucket", "b", "DELETE_COMPLETE"),
        resource("AWS::DynamoDB::Table", "", "CREATE_FAILED"),
    ];
    assert_eq!(retained(&resources), []);
}

#[test]
fn what_a_failed_creation_left_must_be_deleted_first() {
    let error = in_the_way(stack("ROLLBACK_COMPLETE"));
    assert_eq!(
        error.to_string(),
        "the stack ssmbak is what a failed operation left (ROLLBACK_COMPLETE)"
    );
    assert_eq!(
        error.hint().unwrap(),
        "delete it first: ssmbak stack ssmbak delete"
    );
}

#[test]
fn a_stack_that_stands_or_moves_is_in_the_way() {
    for status in ["CREATE_COMPLETE", "CREATE_IN_PROGRESS", "UPDATE_COMPLETE"] {
        let error = in_the_way(stack(status));
        assert!(matches!(error, DeployError::Exists { .. }), "{status}");
    }
}

fn failure(leftovers: Vec<Retained>) -> DeployError {
    DeployError::Failed(Box::new(Failed {
        stack: "ssmbak".into(),
        status: "ROLLBACK_COMPLETE".into(),
        resource: "Thing".into(),
        resource_type: Some("AWS::Lambda::Function".into()),
        reason: "no such permission".into(),
        leftovers,
    }))
}

#[test]
fn a_failure_tells_its_reason_and_what_was_left_behind() {
    let table = Retained {
        kind: RetainedKind::Table,
        name: "t-1".into(),
    };
    let error = failure(vec![table]);
    assert_eq!(
        error.to_string(),
        "the stack ssmbak failed (ROLLBACK_COMPLETE): Thing: no such permission"
    );
    assert_eq!(
        error.hint().unwrap(),
        "delete it first: ssmbak stack ssmbak delete; left behind: table t-1"
    );
}

fn update_failure(status: &str) -> DeployError {
    DeployError::Failed(Box::new(Failed {
        stack: "ssmbak".into(),
        status: status.into(),
        resource: "Thing".into(),
        resource_type: None,
        reason: "it is taken".into(),
        leftovers: Vec::new(),
    }))
}

#[test]
fn an_update_that_was_rolled_back_says_that_the_stack_is_what_it_was() {
    let hint = update_failure("UPDATE_ROLLBACK_COMPLETE").hint().unwrap();
    assert!(hint.starts_with("the stack is what it was"), "{hint}");
    let stuck = update_failure("UPDATE_ROLLBACK_FAILED").hint().unwrap();
    assert!(stuck.contains("continue-update-rollback --stack-name ssmbak"));
}

fn does_not_work(failure: FunctionFailure) -> DeployError {
    DeployError::Function {
        stack: "prod".into(),
        failure,
        source: Box::new(CheckError::Failed {
            error_type: "Runtime.ExitError".into(),
            message: "exit status 1".into(),
            log: None,
        }),
    }
}

#[test]
fn a_new_function_that_does_not_work_is_told_with_what_became_of_the_stack() {
    let rolled_back = |old| does_not_work(FunctionFailure::RolledBack { old });
    assert_eq!(
        rolled_back(OldFunction::Works).to_string(),
        "the stack prod was rolled back: its new function does not work: \
         Runtime.ExitError: exit status 1"
    );
    let hint = |old| rolled_back(old).hint().unwrap();
    assert!(hint(OldFunction::Works).starts_with("the stack is what it was, and captures"));
    assert!(hint(OldFunction::FailsToo).contains("the cause lies elsewhere"));
    assert!(hint(OldFunction::FailedBefore).contains("did not work before"));
    let created = does_not_work(FunctionFailure::Created);
    assert!(
        created
            .to_string()
            .starts_with("the stack prod stands, but")
    );
    let hint = created.hint().unwrap();
    assert!(hint.contains("ssmbak stack prod update --function-zip FILE"));
    assert!(hint.contains("ssmbak stack prod delete"));
}

#[test]
fn what_would_split_history_is_named() {
    let error = DeployError::SplitsHistory {
        stack: "prod".into(),
        changes: vec![changes::ResourceChange {
            action: "Remove".into(),
            logical_id: "Bucket".into(),
            physical_id: "prod-bucket-1".into(),
            resource_type: "AWS::S3::Bucket".into(),
            replacement: None,
            properties: Vec::new(),
        }],
    };
    assert_eq!(
        error.to_string(),
        "refused: the update would take away what holds the history of prod: \
         Bucket (prod-bucket-1) removed"
    );
}
