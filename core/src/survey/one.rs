//! One name, in as few calls as can be: what Parameter Store retains of it tells what
//! lives, both values, and the key of the record that is wanted; one call then tells all
//! that the index knows by key.

use super::Case;
use super::versions::Versions;
use crate::domain::{Coverage, Instant, Live, Name, Retained, RetainedValue, keys};
use crate::store::{Ends, ErrorKind, LiveValue, StoreError, Stores};

/// What was seen of one name.
pub(super) struct Seen {
    pub(super) case: Case,
    pub(super) coverage: Coverage,
    pub(super) versions: Versions,
}

/// Looks at `name` for its state at `at`: a call for each fifty versions that are retained,
/// one for the index, and one more where the instant lies before all of them.
pub(super) async fn look(stores: &Stores, name: &Name, at: Instant) -> Result<Seen, StoreError> {
    let (retained, sealed) = retained(stores, name).await?;
    let live = retained.last().map(|newest| live(name, newest));
    let unchanged = live.as_ref().is_some_and(|live| live.modified <= at);
    let then = retained.iter().rfind(|version| version.modified <= at);
    let entry = then.filter(|_| !unchanged).map(|version| {
        let suffix = format!("v{:010}", version.version);
        keys::own_entry_of(version.modified, &suffix)
    });
    let about = stores.index.about(name, entry.as_deref()).await?;
    let mut versions = Versions {
        before: about.record,
        ..Versions::default()
    };
    let later = about.head.as_ref().is_some_and(|head| head.record.at > at);
    if live.is_some() && then.is_none() && later {
        let Ends {
            oldest,
            newest_until,
        } = stores.index.ends(name, at).await?;
        versions.before = newest_until;
        versions.oldest = oldest;
    }
    let at_hand = retained.iter().filter_map(value_of).collect();
    if !sealed {
        versions.retained = retained;
    }
    Ok(Seen {
        case: Case {
            name: name.clone(),
            live,
            head: about.head,
            at_hand,
        },
        coverage: about.coverage,
        versions,
    })
}

/// What Parameter Store retains, ascending, and whether that is without the values of
/// secrets: one that cannot be read must not hide the rest.
async fn retained(stores: &Stores, name: &Name) -> Result<(Vec<Retained>, bool), StoreError> {
    match stores.parameters.open_history(name).await {
        Ok(retained) => Ok((retained.unwrap_or_default(), false)),
        Err(error) if is_of_a_key(&error) => {
            let sealed = stores.parameters.sealed_history(name).await;
            // Not the key but the action is denied: the first error says so.
            let sealed = sealed.map_err(|_| error)?;
            Ok((sealed.unwrap_or_default(), true))
        }
        Err(error) => Err(error),
    }
}

fn is_of_a_key(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AccessDenied | ErrorKind::Key | ErrorKind::KeyGone
    )
}

/// The newest version, as a listing tells it.
fn live(name: &Name, newest: &Retained) -> Live {
    let mut attributes = newest.attributes.clone();
    attributes.labels = Vec::new();
    Live {
        name: name.clone(),
        version: newest.version,
        modified: newest.modified,
        modified_by: newest.modified_by.clone(),
        attributes,
    }
}

fn value_of(version: &Retained) -> Option<LiveValue> {
    let RetainedValue::Read(value) = &version.value else {
        return None;
    };
    Some(LiveValue {
        version: version.version,
        modified: version.modified,
        value: value.clone(),
    })
}
