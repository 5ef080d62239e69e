//! Before a write: is the parameter still what was planned, and is what lives on
//! record?

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::ended::Ending;
use super::{failed, interrupted};
use crate::capture::capture;
use crate::domain::{Action, Name, Record, Source, Step, Written};
use crate::store::{Destination, ErrorKind, LOOKS_AFTER_MS, LiveValue, StoreError};

/// The steps whose parameter is still what was planned and is on record; the
/// others are reported.
pub(super) async fn ready_steps<'a>(
    to: &Destination,
    steps: &[&'a Step],
    cancel: &AtomicBool,
    ending: &Ending<'_>,
) -> Vec<&'a Step> {
    if cancel.load(Ordering::SeqCst) {
        for s in steps {
            ending.done(interrupted(&s.name));
        }
        return Vec::new();
    }
    let names: Vec<Name> = steps.iter().map(|s| s.name.clone()).collect();
    let mut lives = match to.parameters.values(&names).await {
        Ok(lives) => lives,
        Err(error) => {
            for s in steps {
                ending.done(failed(&s.name, &error));
            }
            return Vec::new();
        }
    };
    let mut ready = Vec::new();
    for step in steps {
        match still_as_planned(step, lives.remove(&step.name)) {
            Err(reason) => ending.done(failed(&step.name, &reason)),
            Ok(()) => match put_on_record(to, step).await {
                Ok(()) => ready.push(*step),
                Err(error) => ending.done(failed(
                    &step.name,
                    &format!("what lives could not be put on record first: {error}"),
                )),
            },
        }
    }
    ready
}

/// The error says what is there instead.
pub(super) fn still_as_planned(
    step: &Step,
    live: Option<Result<LiveValue, StoreError>>,
) -> Result<(), String> {
    match (&step.live, live) {
        (_, Some(Err(error))) => Err(error.to_string()),
        (None, None) => Ok(()),
        (None, Some(Ok(live))) => Err(format!(
            "it changed after it was planned: version {} was created",
            live.version
        )),
        (Some(_), None) => Err("it changed after it was planned: it was deleted".into()),
        (Some(planned), Some(Ok(live))) => {
            let planned = &planned.live;
            if planned.version == live.version && planned.modified == live.modified {
                Ok(())
            } else {
                Err(format!(
                    "it changed after it was planned: version {} of {} is now version {} of {}",
                    planned.version, planned.modified, live.version, live.modified
                ))
            }
        }
    }
}

/// Captures the live version, unless it is on record with its value, and makes
/// sure that it is: a look may be stale.
async fn put_on_record(to: &Destination, step: &Step) -> Result<(), StoreError> {
    let Some(live) = &step.live else {
        return Ok(());
    };
    let record = to.recorded("capture it")?;
    let recorded = live.recorded.as_ref();
    if recorded.is_some_and(|r| r.pointer.is_some()) {
        // Tags that nobody told of are overwritten, or go with it.
        let tags = match step.action {
            Action::Delete => to.parameters.tags(&step.name).await?,
            Action::Create | Action::Update | Action::None | Action::Unknown => {
                live.tags.clone().filter(|_| step.differences.tags)
            }
        };
        let known = recorded.and_then(|r| r.tags.clone()).unwrap_or_default();
        if tags.is_some_and(|tags| tags != known) {
            capture(record, &step.name, &[], Source::Restore).await?;
        }
        return Ok(());
    }
    for wait_ms in LOOKS_AFTER_MS {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        capture(record, &step.name, &[], Source::Restore).await?;
        let (index, at) = (&record.index, live.live.modified);
        let found = index.between(&step.name, at, at).await?;
        let is_live = |w: &Written| w.version == Some(live.live.version);
        let kept = found
            .iter()
            .filter_map(Record::present)
            .filter(|w| is_live(w));
        if kept.into_iter().any(|w| w.value.pointer().is_some()) {
            return Ok(());
        }
    }
    Err(StoreError::new(
        format!("capture version {}", live.live.version),
        ErrorKind::Refused,
        "its value could not be read, and would be gone",
    ))
}
