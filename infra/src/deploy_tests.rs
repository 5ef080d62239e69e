use super::*;
use chrono::DateTime;

fn resource(resource_type: &str, name: &str, status: &str) -> StackResource {
    StackResource {
        time: DateTime::UNIX_EPOCH,
        status: status.into(),
        logical_id: String::new(),
        physical_id: name.into(),
        resource_type: resource_type.into(),
    }
}

fn stack(status: &str) -> Stack {
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
    DeployError::Failed {
        stack: "ssmbak".into(),
        status: "ROLLBACK_COMPLETE".into(),
        resource: "Thing".into(),
        resource_type: Some("AWS::Lambda::Function".into()),
        reason: "no such permission".into(),
        leftovers,
    }
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
