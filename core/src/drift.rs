//! Tags that changed without a new version and without an event: read for every
//! name, since no listing tells them.

use futures_util::{StreamExt, stream};

use crate::capture::capture_listed;
use crate::domain::record::Operation;
use crate::domain::retained::Tags;
use crate::domain::state::is_recorded_as;
use crate::domain::{Change, Live, Name, Path, Record, Source, Target};
use crate::store::{Head, StoreError, Stores};

/// How many names are asked about at once.
const NAMES_AT_ONCE: usize = 8;

/// What became of the tags of the names under a path.
#[derive(Debug, Default)]
pub struct TagReport {
    /// Names whose tags were read.
    pub read: usize,
    /// Names whose tags were not those on record; put on record if it was to be.
    pub changed: usize,
    /// What could not be read or captured, and why.
    pub failures: Vec<(Name, String)>,
}

/// Reads the tags of every parameter under `path` and captures those that are
/// not the ones on record: one call for each name.
///
/// Parameters whose live version is not on record are left to a
/// reconciliation, which captures them with their tags. With `do_it` false
/// nothing is written; `progress` is told each name that would be captured,
/// with 0.
pub async fn capture_tags(
    stores: &Stores,
    path: &Path,
    do_it: bool,
    source: Source,
    progress: &(dyn Fn(&Name, usize) + Sync),
) -> Result<TagReport, StoreError> {
    let target = Target::Path {
        path: path.clone(),
        recursive: true,
    };
    let (live, mut heads) =
        tokio::try_join!(stores.parameters.list(&target), stores.index.heads(&target))?;
    let recorded = live.into_iter().filter_map(|live| {
        let head = heads.remove(&live.name)?;
        is_recorded_as(&live, Some(&head.record)).then_some((live, head))
    });
    let mut found = stream::iter(recorded.collect::<Vec<_>>())
        .map(|(live, head)| async move {
            let changed = drifted(stores, &live, &head, do_it, source).await;
            (live.name, changed)
        })
        .buffer_unordered(NAMES_AT_ONCE);
    let mut report = TagReport::default();
    while let Some((name, changed)) = found.next().await {
        report.read += 1;
        match changed {
            Ok(None) => {}
            Ok(Some(records)) => {
                report.changed += 1;
                progress(&name, records);
            }
            Err(error) => report.failures.push((name, error.to_string())),
        }
    }
    Ok(report)
}

/// How many records were written of a name whose tags are not those on record;
/// none where they are.
async fn drifted(
    stores: &Stores,
    listed: &Live,
    head: &Head,
    do_it: bool,
    source: Source,
) -> Result<Option<usize>, StoreError> {
    let name = &listed.name;
    let (live, known) = tokio::try_join!(stores.parameters.tags(name), known_tags(stores, head))?;
    // Gone meanwhile; or there are none, and nobody knows of any.
    let Some(live) = live.filter(|live| *live != known.unwrap_or_default()) else {
        return Ok(None);
    };
    if !do_it {
        return Ok(Some(0));
    }
    let captured = capture_listed(stores, name, listed.modified, source).await?;
    let tagged = |r: &&Record| r.operation() == Operation::Tags;
    let written = captured.records.iter().filter(tagged).count();
    tracing::debug!(%name, tags = live.len(), written, "tags were not those on record");
    Ok((written > 0).then_some(written))
}

/// The tags on record as of now.
async fn known_tags(stores: &Stores, head: &Head) -> Result<Option<Tags>, StoreError> {
    let changed = head.tags.as_ref();
    let whole = match changed.filter(|t| t.record.at >= head.record.at) {
        Some(changed) => stores.index.tag_change(changed).await?,
        None if head.trimmed => stores.index.own_row(&head.record).await?,
        None => Some(head.record.clone()),
    };
    Ok(whole.and_then(|record| match record.change {
        Change::Written(w) | Change::StillThere(w) => w.attributes.tags,
        Change::Tagged { tags } => Some(tags),
        Change::Deleted { .. } | Change::Labelled { .. } | Change::DeletedBy(_) => None,
    }))
}
