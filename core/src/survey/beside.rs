//! What a survey asks beside the versions themselves: tags, labels, and the
//! values nearest to one that is lost.

use crate::domain::labels::{SeenLabels, labels_at};
use crate::domain::plan::Nearest;
use crate::domain::state::Found;
use crate::domain::{Instant, Live, Name, Record, Step};
use crate::store::{Destination, StoreError, Stores, TagHead};

/// How many stored values are looked for at most where one is gone.
const MOST_HELD: usize = 10;

/// The newest change of tags at or before `at`: the newest of all, or one
/// query.
pub(super) async fn tags_until(
    stores: &Stores,
    name: &Name,
    head: Option<&TagHead>,
    at: Instant,
    unchanged: bool,
) -> Result<Option<Record>, StoreError> {
    match head {
        None => Ok(None),
        Some(head) if head.record.at > at => stores.index.newest_tags_until(name, at).await,
        // Tags that did not change since are not compared.
        Some(head) if head.trimmed && unchanged => Ok(None),
        Some(head) => stores.index.tag_change(head).await,
    }
}

/// Sets the labels that the version had at `at`, and returns those that the
/// live one has now. `record` may be the one of the version that was found.
pub(super) async fn labels(
    stores: &Stores,
    name: &Name,
    found: &mut Found,
    live: Option<&Live>,
    record: Option<&Record>,
    labelled: bool,
    at: Instant,
) -> Result<Option<Vec<String>>, StoreError> {
    let now = stores.now();
    let retained = match live {
        Some(_) => stores
            .parameters
            .sealed_history(name)
            .await?
            .unwrap_or_default(),
        None => Vec::new(),
    };
    let moves = if labelled {
        let index = &stores.index;
        index
            .label_and_tag_changes(name, found.modified, Instant::LATEST)
            .await?
    } else {
        Vec::new()
    };
    let mut seen = Vec::new();
    let recorded = record.filter(|r| r.at == found.modified);
    if let (Some(record), Some(written)) = (recorded, recorded.and_then(Record::present)) {
        seen.push(SeenLabels {
            at: record.recorded_at,
            labels: written.attributes.labels.clone(),
        });
    }
    let of = |version: u64, modified: Instant| {
        let mut versions = retained.iter();
        let version = versions.find(|r| r.version == version && r.modified == modified);
        version.map(|r| r.attributes.labels.clone())
    };
    if let Some(version) = found.version {
        let labels = of(version, found.modified);
        seen.extend(labels.map(|labels| SeenLabels { at: now, labels }));
        found.attributes.labels = labels_at(at, version, &seen, &moves);
    }
    Ok(live.and_then(|l| of(l.version, l.modified)))
}

/// The instants nearest to that of a version without a value whose values can
/// be had: two queries. Where one is `gone` from the bucket others may be too,
/// so that they are looked for.
pub(super) async fn nearest(
    there: &Destination,
    step: &Step,
    gone: bool,
) -> Result<Nearest, StoreError> {
    let (Some(found), Some(stores)) = (step.state.found(), &there.record) else {
        return Ok(Nearest::default());
    };
    let (before, after) = stores.index.around(&step.name, found.modified).await?;
    let live = step.live.as_ref().map(|l| l.live.modified);
    let live = live.filter(|modified| *modified > found.modified);
    Ok(Nearest {
        before: first_held(stores, &before, gone).await?,
        after: first_held(stores, &after, gone).await?.or(live),
    })
}

async fn first_held(
    stores: &Stores,
    records: &[Record],
    look: bool,
) -> Result<Option<Instant>, StoreError> {
    let pointer = |r: &Record| r.present().and_then(|w| w.value.pointer()).cloned();
    let stored = records.iter().filter_map(|r| Some((r.at, pointer(r)?)));
    for (at, pointer) in stored.take(MOST_HELD) {
        if !look || stores.bucket.holds(&pointer).await? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}
