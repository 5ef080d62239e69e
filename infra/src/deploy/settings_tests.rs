use super::*;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:alarms";
const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn takes<T: FromStr + ToString>(text: &str) -> Option<String> {
    text.parse::<T>().ok().map(|value| value.to_string())
}

/// What the template says of one of its parameters.
fn parameter(name: &str) -> Yaml<'static> {
    let template = Yaml::load_from_str(crate::template::template())
        .unwrap()
        .remove(0);
    let parameters = template.as_mapping_get("Parameters").unwrap();
    let found = parameters.as_mapping_get(name);
    found
        .unwrap_or_else(|| panic!("no parameter {name}"))
        .clone()
}

fn all() -> Settings {
    Settings {
        log_level: Some(LogLevel::Warn),
        log_retention: Some(RetentionDays(30)),
        alarm_topic: Some(AlarmTopic(None)),
        oldest_message_alarm: Some(AlarmSeconds(60)),
        capture_lag_alarm: Some(AlarmSeconds(61)),
        secure_string_keys: Some(KeyArns(vec![KEY.into(), KEY.into()])),
        encryption: Some(Encryption::None),
        object_lock_days: Some(Days(7)),
        object_lock_mode: Some(ObjectLockMode::Compliance),
        superseded_days: Some(Days(0)),
        superseded_kept: Some(Kept(3)),
        reconcile_schedule: Some(Schedule("none".into())),
        deletions_from_cloudtrail: Some(Switch::On),
        restorer_needs_mfa: Some(true),
        enforce_tls: Some(false),
    }
}

#[test]
fn only_what_is_set_is_sent() {
    assert_eq!(Settings::default().parameters(), BTreeMap::new());
    let settings = Settings {
        log_level: Some(LogLevel::Debug),
        ..Settings::default()
    };
    let sent = BTreeMap::from([("LogLevel".to_owned(), "DEBUG".to_owned())]);
    assert_eq!(settings.parameters(), sent);
}

#[test]
fn each_setting_is_sent_as_the_template_spells_it() {
    let sent = all().parameters();
    assert_eq!(sent.len(), 15);
    assert_eq!(sent["DeletionsFromCloudTrail"], "on");
    assert_eq!(sent["AlarmTopicArn"], "");
    assert_eq!(sent["SecureStringKeyArns"], format!("{KEY},{KEY}"));
    assert_eq!(sent["ObjectLockMode"], "COMPLIANCE");
    assert_eq!(sent["RestorerNeedsMfa"], "true");
    assert_eq!(sent["EnforceTls"], "false");
}

#[test]
fn the_template_has_every_setting_as_a_parameter() {
    let names = parameter_names();
    let mut settings: Vec<_> = all().parameters().into_keys().collect();
    settings.extend([EXISTING_BUCKET, EXISTING_TABLE].map(str::to_owned));
    for name in settings {
        assert!(names.contains(&name), "{name}");
    }
}

#[test]
fn the_template_allows_the_same_log_retentions() {
    let parameter = parameter("LogRetentionDays");
    let allowed = parameter.as_mapping_get("AllowedValues").unwrap();
    let allowed: BTreeSet<_> = allowed
        .as_vec()
        .unwrap()
        .iter()
        .map(|one| u32::try_from(one.as_integer().unwrap()).unwrap())
        .collect();
    assert_eq!(allowed, BTreeSet::from(RETENTION_DAYS));
}

#[test]
fn numbers_have_the_bounds_that_the_template_has() {
    let bound = |name: &str, which: &str| {
        let parameter = parameter(name);
        let told = parameter.as_mapping_get(which).and_then(Yaml::as_integer);
        told.map(|number| u32::try_from(number).unwrap())
    };
    for (name, least, most) in [
        ("OldestMessageAlarmSeconds", ALARM_SECONDS_MIN, None),
        ("CaptureLagAlarmSeconds", ALARM_SECONDS_MIN, None),
        ("ObjectLockDays", 0, Some(DAYS_MAX)),
        ("SupersededDays", 0, Some(DAYS_MAX)),
        ("SupersededVersionsKept", KEPT_MIN, Some(KEPT_MAX)),
    ] {
        assert_eq!(bound(name, "MinValue"), Some(least), "{name}");
        assert_eq!(bound(name, "MaxValue"), most, "{name}");
    }
}

#[test]
fn words_are_those_that_the_template_allows() {
    let allowed = |name: &str| {
        let parameter = parameter(name);
        let words = parameter.as_mapping_get("AllowedValues").unwrap();
        let words = words.as_vec().unwrap().iter();
        words
            .map(|one| one.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for level in allowed("LogLevel") {
        assert_eq!(takes::<LogLevel>(&level), Some(level));
    }
    for mode in allowed("ObjectLockMode") {
        assert_eq!(takes::<ObjectLockMode>(&mode), Some(mode));
    }
    for word in allowed("DeletionsFromCloudTrail") {
        assert_eq!(takes::<Switch>(&word), Some(word));
    }
    assert_eq!(takes::<Switch>("true"), None);
    for name in ["RestorerNeedsMfa", "EnforceTls"] {
        assert_eq!(allowed(name), ["true", "false"], "{name}");
    }
}

#[test]
fn an_error_tells_the_bounds_that_hold() {
    let told = |error: SettingError| error.to_string();
    let days = told("-1".parse::<Days>().unwrap_err());
    assert!(days.contains(&DAYS_MAX.to_string()), "{days}");
    let seconds = told("1".parse::<AlarmSeconds>().unwrap_err());
    assert!(
        seconds.contains(&ALARM_SECONDS_MIN.to_string()),
        "{seconds}"
    );
    let kept = told("0".parse::<Kept>().unwrap_err());
    let range = format!("from {KEPT_MIN} to {KEPT_MAX}");
    assert!(kept.ends_with(&range), "{kept}");
    let retention = told("2".parse::<RetentionDays>().unwrap_err());
    for days in RETENTION_DAYS {
        assert!(retention.contains(&format!(" {days}")), "{retention}");
    }
}

#[test]
fn a_log_level_is_taken_in_any_case() {
    assert_eq!(takes::<LogLevel>("info").unwrap(), "INFO");
    assert_eq!(takes::<LogLevel>("Warn").unwrap(), "WARN");
    assert_eq!(takes::<LogLevel>("trace"), None);
}

#[test]
fn a_log_is_kept_for_as_long_as_cloudwatch_can() {
    assert_eq!(takes::<RetentionDays>("731").unwrap(), "731");
    for wrong in ["0", "2", "-1", "ninety", "90.0"] {
        assert_eq!(takes::<RetentionDays>(wrong), None, "{wrong}");
    }
}

#[test]
fn an_alarm_goes_to_a_topic_or_nowhere() {
    assert_eq!(takes::<AlarmTopic>(TOPIC).unwrap(), TOPIC);
    assert_eq!(takes::<AlarmTopic>("none").unwrap(), "");
    for wrong in [
        "",
        "alarms",
        KEY,
        "arn:aws:sns:eu-west-1:123:alarms",
        "arn:aws:sns::123456789012:alarms",
        "arn:aws:sns:eu-west-1:123456789012:",
        "arn:aws:sns:eu-west-1:123456789012:a:b",
    ] {
        assert_eq!(takes::<AlarmTopic>(wrong), None, "{wrong}");
    }
}

#[test]
fn an_alarm_waits_a_minute_at_least() {
    assert_eq!(takes::<AlarmSeconds>("60").unwrap(), "60");
    for wrong in ["59", "-60", "1m", ""] {
        assert_eq!(takes::<AlarmSeconds>(wrong), None, "{wrong}");
    }
}

#[test]
fn keys_are_named_by_arn_and_never_by_alias() {
    let two = format!("{KEY}, {KEY}");
    assert_eq!(takes::<KeyArns>(&two).unwrap(), format!("{KEY},{KEY}"));
    assert_eq!(takes::<KeyArns>("any").unwrap(), "");
    let alias = "arn:aws:kms:eu-west-1:123456789012:alias/mine";
    for wrong in ["", alias, "alias/mine", TOPIC, &format!("{KEY},")] {
        assert_eq!(takes::<KeyArns>(wrong), None, "{wrong}");
    }
    for right in ["own", "none", KEY] {
        assert_eq!(takes::<Encryption>(right).unwrap(), right);
    }
    assert_eq!(takes::<Encryption>(alias), None);
}

#[test]
fn no_days_mean_never() {
    assert_eq!("0".parse::<Days>().unwrap().set(), None);
    assert_eq!("36500".parse::<Days>().unwrap().set(), Some(36_500));
    assert_eq!(takes::<Days>("36501"), None);
    assert_eq!(takes::<Kept>("0"), None);
    assert_eq!(takes::<Kept>("101"), None);
    assert_eq!(takes::<Kept>("100").unwrap(), "100");
}

#[test]
fn a_schedule_is_one_that_eventbridge_takes() {
    for right in [
        "none",
        "rate(1 day)",
        "rate(12 hours)",
        "cron(0 10 * * ? *)",
        "cron(15 10 ? * MON-FRI *)",
    ] {
        assert_eq!(takes::<Schedule>(right).unwrap(), right);
    }
    for wrong in [
        "",
        "daily",
        "rate(1 days)",
        "rate(2 day)",
        "rate(0 days)",
        "rate(1day)",
        "cron(0 10 * * *)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "rate(1 day",
    ] {
        assert_eq!(takes::<Schedule>(wrong), None, "{wrong}");
    }
}

#[test]
fn a_tag_is_a_key_and_a_value() {
    let tag: StackTag = "team=a=b".parse().unwrap();
    assert_eq!((tag.key.as_str(), tag.value.as_str()), ("team", "a=b"));
    assert_eq!("team=".parse::<StackTag>().unwrap().value, "");
    let long = format!("{}=x", "k".repeat(129));
    for wrong in ["team", "=x", "aws:x=1", "ssmbak:version=9", "a=<b>", &long] {
        assert!(wrong.parse::<StackTag>().is_err(), "{wrong}");
    }
}

#[test]
fn an_error_tells_what_is_allowed() {
    let error = "59".parse::<AlarmSeconds>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "it must be a whole number of seconds, 60 at least"
    );
}
