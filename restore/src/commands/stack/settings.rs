//! What `create` and `update` have in common: the settings that go together, and what they mean.

use std::collections::BTreeMap;

use crate::args::{Arch, SettingsArgs};
use crate::error::CliError;
use crate::ui::{Ui, warn};
use ssmbak_infra::deploy::settings::{Days, ObjectLockMode, Settings};
use ssmbak_infra::function_zip::Architecture;
use ssmbak_infra::stack::Stack;

/// Whose bucket the settings are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bucket {
    /// One that is made with the stack.
    New,
    /// One that is there, with settings of its own.
    Present,
}

impl From<Arch> for Architecture {
    fn from(arch: Arch) -> Self {
        match arch {
            Arch::Arm64 => Self::Arm64,
            Arch::X8664 => Self::X86_64,
        }
    }
}

/// Refuses settings that mean nothing without another, which nobody would notice.
pub(super) fn check(settings: &Settings, bucket: Bucket) -> Result<(), CliError> {
    let is_on = |days: Option<Days>| days.is_some_and(|days| days.set().is_some());
    let pairs = [
        (
            "--object-lock-mode",
            settings.object_lock_mode.is_some(),
            "--object-lock-days",
            settings.object_lock_days,
        ),
        (
            "--keep-superseded",
            settings.superseded_kept.is_some(),
            "--expire-superseded-days",
            settings.superseded_days,
        ),
    ];
    for (option, is_given, needed, days) in pairs {
        // The stack may have the other one already.
        let may_be_there = bucket == Bucket::Present && days.is_none();
        if is_given && !is_on(days) && !may_be_there {
            return Err(CliError::Usage {
                message: format!("{option} means nothing without {needed}"),
                hint: format!("give {needed} too, with a number of days"),
            });
        }
    }
    Ok(())
}

/// Warns of a lock that nobody can lift.
pub(super) fn warn_of_compliance(settings: &Settings) {
    if settings.object_lock_mode == Some(ObjectLockMode::Compliance) {
        warn(
            "with object lock in compliance mode nobody, not even the root user, can delete a \
             version before its days are over",
        );
    }
    if settings.object_lock_days.is_some_and(|d| d.set().is_some()) {
        warn("object lock cannot be turned off again for a bucket");
    }
}

/// Tags by key; of two with one key the last counts.
pub(super) fn tags(args: &SettingsArgs) -> BTreeMap<String, String> {
    let tags = args.tags.iter();
    tags.map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect()
}

/// Tells what can no longer be restored because it expires.
pub(super) fn tell_what_expires(ui: &Ui, stack: &Stack) {
    if let Some(note) = what_expires(&stack.parameters) {
        ui.note(&note);
    }
}

fn what_expires(parameters: &BTreeMap<String, String>) -> Option<String> {
    let number = |name: &str| parameters.get(name).and_then(|n| n.parse::<u32>().ok());
    // An adopted bucket has a lifecycle of its own.
    let adopts = parameters
        .get("ExistingBucket")
        .is_some_and(|b| !b.is_empty());
    let days = number("SupersededDays").filter(|days| *days > 0 && !adopts)?;
    let kept = number("SupersededVersionsKept").unwrap_or_default();
    let mut note = format!(
        "values expire: one that has been superseded for more than {days} days can no longer be \
         restored, unless it is among the newest {kept} superseded ones of its parameter; when it \
         changed, and by whom, stays on record"
    );
    if let Some(locked) = number("ObjectLockDays").filter(|locked| *locked > days) {
        use std::fmt::Write as _;
        let _ = write!(
            note,
            "; object lock keeps each version for {locked} days all the same"
        );
    }
    Some(note)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(settings: &Settings, bucket: Bucket) -> Option<String> {
        check(settings, bucket).err().map(|error| error.to_string())
    }

    #[test]
    fn a_mode_needs_days_and_a_number_kept_needs_an_expiry() {
        let mode = |days: Option<&str>| Settings {
            object_lock_mode: Some(ObjectLockMode::Governance),
            object_lock_days: days.map(|days| days.parse().unwrap()),
            ..Settings::default()
        };
        let told = usage(&mode(None), Bucket::New).unwrap();
        let expected = "--object-lock-mode means nothing without --object-lock-days";
        assert_eq!(told, expected);
        assert!(usage(&mode(Some("0")), Bucket::New).is_some());
        assert!(usage(&mode(Some("0")), Bucket::Present).is_some());
        assert!(usage(&mode(None), Bucket::Present).is_none());
        assert!(usage(&mode(Some("7")), Bucket::New).is_none());
        let kept = Settings {
            superseded_kept: Some("3".parse().unwrap()),
            ..Settings::default()
        };
        assert!(usage(&kept, Bucket::New).unwrap().contains("--expire-"));
    }

    fn expires(pairs: &[(&str, &str)]) -> Option<String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        what_expires(&pairs.iter().map(owned).collect())
    }

    #[test]
    fn what_can_no_longer_be_restored_is_told() {
        let kept = ("SupersededVersionsKept", "5");
        let note = expires(&[("SupersededDays", "90"), kept, ("ObjectLockDays", "0")]).unwrap();
        assert!(note.contains("more than 90 days") && note.contains("newest 5"));
        assert!(!note.contains("object lock"), "{note}");
        let locked = expires(&[("SupersededDays", "90"), kept, ("ObjectLockDays", "365")]);
        assert!(locked.unwrap().contains("for 365 days all the same"));
        assert_eq!(expires(&[("SupersededDays", "0"), kept]), None);
        let adopted = ("ExistingBucket", "b");
        assert_eq!(expires(&[("SupersededDays", "90"), kept, adopted]), None);
    }
}
