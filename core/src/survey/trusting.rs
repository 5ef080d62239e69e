//! What a survey looks at that trusts the index: the names that it saw change.

use std::collections::BTreeMap;

use super::Case;
use crate::domain::{Change, Coverage, Instant, Live, Name, Target};
use crate::store::{Head, StoreError, Stores};

/// The names of `target` that have records, in order, and the coverage.
///
/// What lives of those that changed after `at` is asked, 25 names a call. The
/// others are taken to be what their heads say: a version that is there lives,
/// and what is deleted is gone.
pub(super) async fn cases(
    stores: &Stores,
    target: &Target,
    at: Instant,
) -> Result<(Vec<Case>, Coverage), StoreError> {
    let (heads, coverage) =
        tokio::try_join!(stores.index.heads(target), stores.index.checked_coverage())?;
    let mut known: BTreeMap<Name, Option<Live>> = heads
        .iter()
        .filter_map(|(name, head)| Some((name.clone(), untouched(name, head, at)?)))
        .collect();
    let asked: Vec<Name> = heads
        .keys()
        .filter(|name| !known.contains_key(*name))
        .cloned()
        .collect();
    let lives = stores.parameters.list_names(&asked).await?;
    let mut lives: BTreeMap<Name, Live> = lives.into_iter().map(|l| (l.name.clone(), l)).collect();
    let cases = heads
        .into_iter()
        .filter(|(name, _)| !name.is_own() || matches!(target, Target::Name(_)))
        .map(|(name, head)| Case {
            live: match known.remove(&name) {
                Some(live) => live,
                None => lives.remove(&name),
            },
            head: Some(head),
            at_hand: Vec::new(),
            name,
        });
    Ok((cases.collect(), coverage))
}

/// What lives of a name that did not change after `at`, by its head; none where
/// that must be asked.
#[allow(clippy::option_option, reason = "that nothing lives is known, too")]
fn untouched(name: &Name, head: &Head, at: Instant) -> Option<Option<Live>> {
    let tags_changed = head.tags.as_ref().is_some_and(|t| t.record.at > at);
    if head.record.at > at || tags_changed {
        return None;
    }
    let written = match &head.record.change {
        Change::Deleted { .. } => return Some(None),
        Change::Written(written) => written,
        // When its version was written is not said.
        Change::StillThere(_)
        | Change::Labelled { .. }
        | Change::Tagged { .. }
        | Change::DeletedBy(_) => return None,
    };
    // Nobody knows the version of some: of those that were imported, or are lost.
    let version = written.version?;
    Some(Some(Live {
        name: name.clone(),
        version,
        modified: head.record.at,
        modified_by: written.modified_by.clone(),
        attributes: written.attributes.clone(),
    }))
}
