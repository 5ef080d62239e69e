use super::*;

fn stack() -> Stack {
    Stack {
        name: "prod".into(),
        id: "arn:aws:cloudformation:eu-west-1:000000000000:stack/prod/1".into(),
        status: "CREATE_COMPLETE".into(),
        status_reason: None,
        created: DateTime::UNIX_EPOCH,
        updated: None,
        description: "ssmbak: as it is".into(),
        outputs: BTreeMap::new(),
        parameters: BTreeMap::new(),
        tags: BTreeMap::from([(VERSION_TAG.into(), template::version().into())]),
    }
}

fn well() -> Health {
    Health {
        stack: stack(),
        waiting: Asked::None,
        dead_letters: Asked::Told(Depth::default()),
        undelivered: Asked::Told(Depth::default()),
        alarms: Asked::Told(vec![alarm_in("DeadLetterAlarm", "OK")]),
    }
}

fn alarm_in(logical_id: &str, state: &str) -> Alarm {
    Alarm {
        logical_id: logical_id.into(),
        name: format!("prod-{logical_id}-1"),
        state: state.into(),
        reason: Some("Threshold Crossed".into()),
        since: Some(DateTime::UNIX_EPOCH),
    }
}

/// The one warning of a stack that is well but for what `make_ill` does.
fn warning(make_ill: impl FnOnce(&mut Health)) -> String {
    let mut health = well();
    make_ill(&mut health);
    let mut warnings = health.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    warnings.remove(0)
}

#[test]
fn versions_are_compared_by_their_numbers() {
    assert_eq!(age(Some("0.9.0"), "0.10.0"), Age::Older);
    assert_eq!(age(Some("1.0.0"), "0.10.0"), Age::Newer);
    assert_eq!(age(Some("0.2.0-rc.1"), "0.2.0"), Age::Older);
    assert_eq!(age(Some("0.2.0+abc"), "0.2.0"), Age::Same);
    for unknown in [None, Some(""), Some("new"), Some("1.0")] {
        assert_eq!(age(unknown, "0.1.0"), Age::Unknown);
    }
}

#[test]
fn each_difference_of_versions_has_its_way_out() {
    let told = |tag: Option<&str>| version_warning("prod", tag, "0.2.0");
    assert_eq!(told(Some("0.2.0")), None);
    assert_eq!(
        told(Some("0.1.0")).unwrap(),
        "the function is of 0.1.0, this is 0.2.0: ssmbak stack prod update"
    );
    assert_eq!(
        told(Some("0.3.0")).unwrap(),
        "the function is of 0.3.0, this is 0.2.0: update the command line"
    );
    assert!(told(None).unwrap().contains("is unknown"));
    assert!(told(Some("new")).unwrap().contains("no version"));
}

#[test]
fn a_stack_that_is_well_has_no_warning() {
    assert_eq!(well().warnings(), Vec::<String>::new());
}

#[test]
fn what_was_given_up_can_be_put_back() {
    let depth = |visible, in_flight| Depth {
        visible,
        in_flight,
        delayed: 0,
    };
    assert_eq!(
        warning(|h| h.dead_letters = Asked::Told(depth(1, 2))),
        "3 changes could not be captured: ssmbak stack prod redrive puts them back; the log \
         /aws/lambda/prod-capture tells why"
    );
    assert_eq!(
        warning(|h| h.undelivered = Asked::Told(depth(1, 0))),
        "1 change could not be handed to the queue: ssmbak stack prod redrive puts it there"
    );
}

#[test]
fn an_alarm_that_stands_or_is_gone_is_told() {
    let stands = warning(|h| h.alarms = Asked::Told(vec![alarm_in("DeadLetterAlarm", "ALARM")]));
    assert_eq!(
        stands,
        "the alarm DeadLetterAlarm (prod-DeadLetterAlarm-1) stands since 1970-01-01T00:00:00Z: \
         Threshold Crossed; mend what the log /aws/lambda/prod-capture tells, then: ssmbak stack \
         prod redrive"
    );
    let late = alarm_in("ReconcileErrorAlarm", "ALARM");
    let late = warning(|h| h.alarms = Asked::Told(vec![late]));
    assert!(late.ends_with("the log /aws/lambda/prod-reconcile tells why"));
    let gone = warning(|h| h.alarms = Asked::Told(vec![alarm_in("CaptureLagAlarm", GONE)]));
    assert!(gone.contains("somebody deleted it"), "{gone}");
    let mut quiet = well();
    quiet.alarms = Asked::Told(vec![alarm_in("CaptureLagAlarm", "INSUFFICIENT_DATA")]);
    assert!(quiet.warnings().is_empty());
}

#[test]
fn a_stack_that_failed_has_its_way_out() {
    for (status, way_out) in [
        ("ROLLBACK_COMPLETE", "ssmbak stack prod create"),
        ("CREATE_FAILED", "ssmbak stack prod delete"),
        ("DELETE_FAILED", "ssmbak stack prod delete"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("UPDATE_ROLLBACK_COMPLETE", "ssmbak stack prod update"),
    ] {
        let told = warning(|h| h.stack.status = status.into());
        assert!(told.starts_with(&format!("the stack prod is {status}: ")));
        assert!(told.contains(way_out), "{told}");
    }
    assert_eq!(stack_warning("prod", "UPDATE_IN_PROGRESS"), None);
}

#[test]
fn a_stack_of_another_tool_is_told_as_such_and_nothing_more() {
    let told = warning(|h| {
        h.stack.description = "a web site".into();
        h.stack.tags.clear();
    });
    assert_eq!(told, "the stack prod was not made by ssmbak");
}

#[test]
fn what_may_not_be_read_names_the_action() {
    let denied: Asked<Depth> = Asked::NotAllowed("sqs:GetQueueAttributes");
    assert_eq!(
        denied.unread().unwrap(),
        "not allowed (sqs:GetQueueAttributes)"
    );
    assert!(denied.told().is_none());
    assert_eq!(Asked::<Depth>::None.unread(), None);
}

#[test]
fn an_alarm_that_cloudwatch_does_not_know_is_missing() {
    let resource = StackResource {
        time: DateTime::UNIX_EPOCH,
        status: "CREATE_COMPLETE".into(),
        logical_id: "DeadLetterAlarm".into(),
        physical_id: "prod-DeadLetterAlarm-1".into(),
        resource_type: "AWS::CloudWatch::Alarm".into(),
    };
    assert!(is_alarm(&resource));
    let missing = alarm(resource, None);
    assert_eq!(missing.state, GONE);
    assert_eq!((missing.reason, missing.since), (None, None));
}
