use super::*;
use crate::deploy::tests::stack as bare;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn stack(status: &str) -> Stack {
    Stack {
        description: "ssmbak: as it is".into(),
        parameters: map(&[
            ("Architecture", "arm64"),
            ("LogLevel", "INFO"),
            ("Gone", "x"),
        ]),
        tags: map(&[("team", "a"), (VERSION_TAG, "0.0.1"), ("aws:x", "1")]),
        ..bare(status)
    }
}

fn beside(architecture: Option<Architecture>) -> Code {
    Code::Beside {
        directory: "/nowhere".into(),
        architecture,
    }
}

fn request() -> UpdateRequest {
    UpdateRequest::new("prod".parse().unwrap(), beside(None))
}

#[test]
fn what_is_not_set_keeps_its_value_and_what_is_new_its_default() {
    let names = ["Architecture", "LogLevel", "New"];
    let names = names.map(str::to_owned).into_iter().collect();
    let set = map(&[("LogLevel", "DEBUG")]);
    let sent: Vec<_> = parameters(&names, &stack("CREATE_COMPLETE"), &set)
        .into_iter()
        .map(|one| {
            let key = one.parameter_key.unwrap();
            (key, one.parameter_value, one.use_previous_value)
        })
        .collect();
    assert_eq!(
        sent,
        [
            ("Architecture".into(), None, Some(true)),
            ("LogLevel".into(), Some("DEBUG".into()), None),
        ]
    );
}

#[test]
fn the_stack_keeps_its_tags_and_its_version_goes_with_the_code() {
    let mut request = request();
    request.tags = map(&[("cost", "1")]);
    let kept = tags(&stack("CREATE_COMPLETE"), &request, false);
    let expected = map(&[
        ("cost", "1"),
        ("team", "a"),
        (MANAGED_TAG, "true"),
        (VERSION_TAG, "0.0.1"),
    ]);
    assert_eq!(kept, expected);
    let replaced = tags(&stack("CREATE_COMPLETE"), &request, true);
    assert_eq!(replaced[VERSION_TAG], template::version());
}

#[test]
fn only_a_stack_of_ours_at_rest_is_updated() {
    for status in [
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    ] {
        assert!(can_be_updated(&stack(status)).is_ok(), "{status}");
    }
    let error = |status| can_be_updated(&stack(status)).unwrap_err();
    for status in ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"] {
        assert!(
            matches!(error(status), DeployError::Busy { .. }),
            "{status}"
        );
    }
    for status in ["ROLLBACK_COMPLETE", "CREATE_FAILED", "REVIEW_IN_PROGRESS"] {
        assert!(matches!(error(status), DeployError::Broken { .. }));
    }
    let stuck = error("UPDATE_ROLLBACK_FAILED");
    let hint = stuck.hint().unwrap();
    assert!(hint.contains("continue-update-rollback"), "{hint}");
    let foreign = can_be_updated(&bare("CREATE_COMPLETE")).unwrap_err();
    assert!(matches!(foreign, DeployError::NotSsmbak { .. }));
}

#[test]
fn without_a_zip_the_code_stays_unless_another_processor_is_asked_for() {
    let stack = stack("CREATE_COMPLETE");
    assert!(code(&beside(None), &stack).unwrap().is_none());
    let same = beside(Some(Architecture::Arm64));
    assert!(code(&same, &stack).unwrap().is_none());
    let other = beside(Some(Architecture::X86_64));
    let error = code(&other, &stack).unwrap_err();
    assert!(
        matches!(error, FunctionZipError::NotFound { .. }),
        "{error}"
    );
}

#[test]
fn an_object_lock_is_never_turned_off_but_may_be_changed() {
    let days = |days: &str| Settings {
        object_lock_days: Some(days.parse().unwrap()),
        ..Settings::default()
    };
    let mut locked = stack("CREATE_COMPLETE");
    locked.parameters = map(&[("ObjectLockDays", "7")]);
    let error = bucket_can_be_set(&locked, &days("0")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the stack ssmbak has object lock, which cannot be turned off again"
    );
    assert!(bucket_can_be_set(&locked, &days("30")).is_ok());
    let unlocked = stack("CREATE_COMPLETE");
    assert!(bucket_can_be_set(&unlocked, &days("0")).is_ok());
}

#[test]
fn an_object_lock_is_not_turned_on_together_with_other_code() {
    let lock = |days: &str| Settings {
        object_lock_days: Some(days.parse().unwrap()),
        ..Settings::default()
    };
    let zip = |key: &str| Artifact {
        bucket: "zips".into(),
        key: key.into(),
        uploaded: false,
    };
    let mut unlocked = stack("CREATE_COMPLETE");
    unlocked.parameters = map(&[("CodeBucket", "zips"), ("CodeKey", "old.zip")]);
    let error = lock_goes_alone(&unlocked, &lock("7"), &zip("new.zip")).unwrap_err();
    let hint = error.hint().unwrap();
    assert!(
        hint.contains("ssmbak stack ssmbak update --object-lock-days 7"),
        "{hint}"
    );
    assert!(lock_goes_alone(&unlocked, &lock("7"), &zip("old.zip")).is_ok());
    assert!(lock_goes_alone(&unlocked, &lock("0"), &zip("new.zip")).is_ok());
    let mut locked = unlocked.clone();
    locked.parameters.extend(map(&[("ObjectLockDays", "1")]));
    assert!(lock_goes_alone(&locked, &lock("7"), &zip("new.zip")).is_ok());
}

#[test]
fn an_adopted_bucket_takes_no_settings() {
    let mut adopts = stack("CREATE_COMPLETE");
    adopts.parameters = map(&[("ExistingBucket", "b")]);
    let kept = Settings {
        superseded_days: Some("30".parse().unwrap()),
        ..Settings::default()
    };
    assert!(bucket_can_be_set(&adopts, &kept).is_err());
    assert!(bucket_can_be_set(&adopts, &Settings::default()).is_ok());
}
