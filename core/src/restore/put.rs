//! Putting one parameter back as it was.

use super::{Report, failed, report};
use crate::domain::plan::{LiveParameter, settable};
use crate::domain::policy::restorable;
use crate::domain::record::Attributes;
use crate::domain::retained::Tags;
use crate::domain::run::Outcome;
use crate::domain::state::Found;
use crate::domain::{Instant, Step};
use crate::store::{Destination, ErrorKind, PutRequest, StoreError};

/// A put whose fate is unknown is sent this often at most.
const MOST_PUTS: usize = 4;
/// What Parameter Store says when it cannot drop the oldest version.
const NO_ROOM: &str = "ParameterMaxVersionLimitExceeded";

/// Why a parameter was not put back.
pub(super) enum Unwritten {
    /// Its report.
    Failed(Report),
    /// As far as anybody could tell: the answer was lost, and no look told what
    /// had become of it.
    Unsure(Report),
    /// The oldest of its versions carries a label, so there is no room for
    /// another: only a new parameter would have it. The report says so.
    NoRoom(Report),
}

impl From<Report> for Unwritten {
    fn from(report: Report) -> Self {
        Self::Failed(report)
    }
}

/// Puts one parameter back as it was: a new version with everything beside
/// it, or what alone differs.
pub(super) async fn write(to: &Destination, step: &Step) -> Result<Report, Unwritten> {
    let found = found(step)?;
    match &step.live {
        Some(live) if !step.differences.version => {
            let report = report(&step.name, Outcome::Restored, None);
            let done = put_beside(to, step, live.live.version).await;
            done.map_err(|why| failed(&step.name, &why))?;
            Ok(report)
        }
        live => {
            let tags = found.attributes.tags.as_ref();
            put_version(to, step, live.as_ref(), tags).await
        }
    }
}

pub(super) fn found(step: &Step) -> Result<&Found, Report> {
    let found = step.state.found();
    found.ok_or_else(|| failed(&step.name, &"it has no state to restore"))
}

/// Writes one version over what lives, or creates the parameter with `tags`,
/// and puts back what a put cannot send.
pub(super) async fn put_version(
    to: &Destination,
    step: &Step,
    over: Option<&LiveParameter>,
    tags: Option<&Tags>,
) -> Result<Report, Unwritten> {
    let value = step.value.as_ref();
    let value = value.ok_or_else(|| failed(&step.name, &"its value is not at hand"))?;
    let (attributes, notes) = what_to_put(step, found(step)?, over, to.now());
    let live = over.map(|l| &l.live);
    let request = PutRequest {
        name: &step.name,
        value,
        attributes: &attributes,
        overwrite: live.is_some(),
        clear_policies: live.is_some_and(|l| !l.attributes.policies.is_empty()),
        tags,
    };
    let expected = live.map_or(1, |l| l.version + 1);
    let put = put_once(to, step, &request, expected).await;
    let put = put.map_err(|lost| unwritten(step, &lost))?;
    let version = put.version;
    let not_as_planned = |reason: String| Report {
        written_version: Some(version),
        ..failed(&step.name, &reason)
    };
    if version > expected {
        return Err(not_as_planned(format!(
            "conflict: someone wrote version {} at the same moment, and version {version} was written over it; `ssmbak history {}` shows both",
            version - 1,
            step.name
        ))
        .into());
    }
    if version < expected {
        return Err(not_as_planned(format!(
            "conflict: someone deleted it at the same moment; it was created again as version {version}"
        ))
        .into());
    }
    let beside = match over {
        // It was created with its tags, or a first attempt may have done it.
        None if put.was_told => put_labels(to, step, version).await,
        None => put_beside_created(to, step, tags).await,
        Some(_) => put_beside(to, step, version).await,
    };
    if let Err(why) = beside {
        return Err(not_as_planned(format!("version {version} was written, but {why}")).into());
    }
    Ok(Report {
        written_version: Some(version),
        ..report(
            &step.name,
            Outcome::Restored,
            Some(notes.join("; ")).filter(|n| !n.is_empty()),
        )
    })
}

fn unwritten(step: &Step, not_put: &NotPut) -> Unwritten {
    let error = &not_put.error;
    if not_put.unsure {
        return Unwritten::Unsure(failed(&step.name, error));
    }
    if error.code() != Some(NO_ROOM) {
        return failed(&step.name, error).into();
    }
    Unwritten::NoRoom(failed(
        &step.name,
        &"the oldest of its 100 versions carries a label, so Parameter Store takes no other: move the label (aws ssm label-parameter-version), or let --recreate delete it, wait 30 s and create it again",
    ))
}

/// A version that was written.
struct Put {
    version: u64,
    /// The put's own answer said so; else it was found to live.
    was_told: bool,
}

/// A put that failed.
struct NotPut {
    error: StoreError,
    /// One that was sent may have been done all the same.
    unsure: bool,
}

/// Writes exactly one version. A put whose answer was lost may have been done
/// all the same: what lives then tells whether to send it again.
async fn put_once(
    to: &Destination,
    step: &Step,
    request: &PutRequest<'_>,
    expected: u64,
) -> Result<Put, NotPut> {
    let mut puts = 1;
    let mut unsure = false;
    loop {
        let error = match to.parameters.put(request).await {
            Ok(version) => {
                return Ok(Put {
                    version,
                    was_told: true,
                });
            }
            Err(error) => error,
        };
        // A look may be stale, so a later answer does not settle it.
        unsure |= is_unsure(&error);
        if puts == MOST_PUTS || !is_unsure(&error) {
            return Err(NotPut { error, unsure });
        }
        puts += 1;
        let names = std::slice::from_ref(&step.name);
        let Ok(mut lives) = to.parameters.values(names).await else {
            return Err(NotPut { error, unsure });
        };
        match lives.remove(&step.name) {
            Some(Ok(live)) if live.version == expected && live.value == *request.value => {
                return Ok(Put {
                    version: expected,
                    was_told: false,
                });
            }
            Some(Ok(live)) if live.version + 1 == expected => {}
            None if expected == 1 => {}
            _ => return Err(NotPut { error, unsure }),
        }
    }
}

/// Whether the write may have been done although an error came back.
pub(super) fn is_unsure(error: &StoreError) -> bool {
    let code = error.code().unwrap_or_default();
    error.kind() == ErrorKind::Unreachable
        || error.code().is_none()
        || code.starts_with("Internal")
        || code == "ServiceUnavailable"
}

/// The attributes to send: the tier only where it rises, no expiry that has
/// passed already, and for a secret always a key, since an overwrite without
/// one falls back to `aws/ssm`. The notes tell what was left out.
fn what_to_put(
    step: &Step,
    found: &Found,
    over: Option<&LiveParameter>,
    now: Instant,
) -> (Attributes, Vec<String>) {
    let live = over.map(|l| &l.live.attributes);
    // What was deleted just now, to be created again, is as good a source.
    let base = over.or(step.live.as_ref()).map(|l| &l.live.attributes);
    let mut attributes = match base {
        Some(base) => found.attributes.completed_from(base),
        None => found.attributes.clone(),
    };
    if live.is_none() && attributes.tier.is_none() {
        attributes.tier = base.and_then(|base| base.tier.clone());
    }
    let mut notes = Vec::new();
    let live_tier = live.and_then(|l| l.tier.as_deref());
    if live_tier.is_some()
        && (attributes.tier.as_deref() == live_tier || live_tier == Some("Advanced"))
    {
        attributes.tier = None;
    }
    if attributes.is_secret() {
        let given = step.key_id.clone().or(attributes.key_id.take());
        attributes.key_id = given.or_else(|| live?.key_id.clone());
    }
    let policies = restorable(&attributes.policies, now);
    if policies.len() < attributes.policies.len() {
        notes.push(
            "its expiration policy lies in the past, or cannot be read, and was left out".into(),
        );
    }
    attributes.policies = policies;
    (attributes, notes)
}

/// Puts back what a put over a live version cannot send: tags and labels. The
/// error is a fragment.
async fn put_beside(to: &Destination, step: &Step, version: u64) -> Result<(), String> {
    let wanted = step.state.found().and_then(|f| f.attributes.tags.as_ref());
    if let (Some(wanted), true) = (wanted, step.differences.tags) {
        let none = Tags::new();
        let now = step.live.as_ref().and_then(|l| l.tags.as_ref());
        let done = to
            .parameters
            .set_tags(&step.name, now.unwrap_or(&none), wanted);
        done.await
            .map_err(|error| format!("its tags were not put back: {error}"))?;
    }
    put_labels(to, step, version).await
}

/// Makes sure of the tags of a parameter that someone, most likely a first
/// attempt of this, has created.
async fn put_tags_after_all(
    to: &Destination,
    step: &Step,
    wanted: Option<&Tags>,
) -> Result<(), String> {
    let Some(wanted) = wanted.filter(|tags| settable(tags).next().is_some()) else {
        return Ok(());
    };
    let done = async {
        let now = to.parameters.tags(&step.name).await?;
        let now = now.unwrap_or_default();
        to.parameters.set_tags(&step.name, &now, wanted).await
    };
    done.await
        .map_err(|error| format!("its tags were not put back: {error}"))
}

/// Makes sure of what belongs to version 1, where no answer told that it was
/// created whole.
pub(super) async fn put_beside_created(
    to: &Destination,
    step: &Step,
    tags: Option<&Tags>,
) -> Result<(), String> {
    put_tags_after_all(to, step, tags).await?;
    put_labels(to, step, 1).await
}

async fn put_labels(to: &Destination, step: &Step, version: u64) -> Result<(), String> {
    let labels = &step.differences.labels;
    if labels.is_empty() {
        return Ok(());
    }
    let answer = to.parameters.label(&step.name, version, labels).await;
    let refused = answer.map_err(|error| format!("its labels were not put back: {error}"))?;
    if refused.is_empty() {
        Ok(())
    } else {
        let refused = refused.join(", ");
        Err(format!("Parameter Store refuses these labels: {refused}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::{How, step};
    use crate::domain::state::FoundValue;
    use crate::domain::{KeyMap, Live, Name, State, Value};

    const NOW: Instant = Instant::EARLIEST;

    fn secret(key_id: Option<&str>, tier: &str) -> Attributes {
        Attributes {
            parameter_type: "SecureString".into(),
            key_id: key_id.map(str::to_owned),
            tier: Some(tier.into()),
            data_type: Some("text".into()),
            ..Attributes::default()
        }
    }

    /// What is put where `then` was, over `live`, with these other keys.
    fn put(then: Attributes, live: Option<Attributes>, keys: &[&str]) -> Attributes {
        let name = Name::parse("/app/db").unwrap();
        let live = live.map(|attributes| LiveParameter {
            live: Live {
                name: name.clone(),
                version: 2,
                modified: NOW,
                modified_by: None,
                attributes,
            },
            recorded: None,
            value: Some(Value::new("now")),
            tags: None,
            labels: None,
        });
        let found = Found {
            modified: NOW,
            version: Some(1),
            modified_by: None,
            attributes: then,
            value: FoundValue::Retained(Value::new("then")),
            inexact: false,
        };
        let keys: Vec<String> = keys.iter().map(|&k| k.to_owned()).collect();
        let how = How {
            keys: KeyMap::parse(&keys).unwrap(),
            ..How::at(NOW)
        };
        let state = State::Present(found);
        let step = step(name, state, Some(Value::new("then")), live, None, &how);
        let (found, over) = (step.state.found().unwrap(), step.live.as_ref());
        what_to_put(&step, found, over, NOW).0
    }

    #[test]
    fn a_secret_always_goes_under_a_key() {
        let key = |then: Option<&str>, keys: &[&str]| {
            let live = secret(Some("live"), "Standard");
            put(secret(then, "Standard"), Some(live), keys).key_id
        };
        assert_eq!(key(Some("then"), &[]).as_deref(), Some("then"));
        assert_eq!(key(Some("then"), &["then=new"]).as_deref(), Some("new"));
        // Without one it would fall back to the account's own.
        assert_eq!(key(None, &[]).as_deref(), Some("live"));
        assert_eq!(key(None, &["new"]).as_deref(), Some("new"));
    }

    #[test]
    fn the_tier_is_sent_only_where_it_rises_or_is_created() {
        let tier = |then: &str, live: Option<&str>| {
            let live = live.map(|tier| secret(Some("k"), tier));
            put(secret(Some("k"), then), live, &[]).tier
        };
        assert_eq!(
            tier("Advanced", Some("Standard")).as_deref(),
            Some("Advanced")
        );
        assert_eq!(tier("Standard", Some("Standard")), None);
        assert_eq!(tier("Standard", Some("Advanced")), None);
        assert_eq!(tier("Standard", None).as_deref(), Some("Standard"));
    }
}
