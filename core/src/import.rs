//! Import: copies what the original tool left in its bucket into this one,
//! with its records. The source is only read, and nothing is done twice.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::capture::{settle, write};
use crate::domain::decide::Draft;
use crate::domain::import::{
    Author, Decision, ImportDraft, ListedMarker, ListedVersion, Question, Told, author, decide,
    discriminator,
};
use crate::domain::{Instant, Name, Record, Source, Target, Value};
use crate::store::{ListedPlace, SourceBucket, SourceObject, StoreError, Stores};

/// How many names are imported at once.
const NAMES_AT_ONCE: usize = 8;
/// How many tags of one name are read at once.
const TAGS_AT_ONCE: usize = 4;

/// What is to be imported, and how.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The original's bucket.
    pub source: SourceBucket,
    /// Only names of this.
    pub target: Target,
    /// Without it nothing is written.
    pub do_it: bool,
}

/// What became of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedName {
    /// The name.
    pub name: Name,
    /// Versions put on record, or in a dry run to be put.
    pub versions: usize,
    /// Deletions put on record, or in a dry run to be put.
    pub deletions: usize,
    /// The oldest instant of those.
    pub from: Option<Instant>,
    /// The newest.
    pub to: Option<Instant>,
    /// Why some or all of it could not be imported.
    pub failure: Option<String>,
}

/// What an import found, and did if it was to. Of what was left out, counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Names with anything in the source.
    pub names: usize,
    /// Those with something to import, or a failure; in order.
    pub imported: Vec<ImportedName>,
    /// Versions and deletions on record already.
    pub already: usize,
    /// See [`Decision::superseded`].
    pub superseded: usize,
    /// See [`Decision::doubtful`].
    pub doubtful: usize,
    /// Versions that this tool wrote.
    pub ours: usize,
    /// Versions that somebody else wrote, and those at keys that no parameter
    /// can have.
    pub foreign: usize,
}

/// Imports all names of the request that have anything in the source,
/// `progress` being told each. Setting `cancel` lets it end after the names in
/// hand.
///
/// Fails only where nothing can be said at all; what cannot be read of one name
/// is that name's failure.
pub async fn import(
    stores: &Stores,
    request: &ImportRequest,
    cancel: &AtomicBool,
    progress: &(dyn Fn(&Name) + Sync),
) -> Result<ImportReport, StoreError> {
    let live = stores.parameters.list(&request.target).await?;
    let live: HashMap<Name, Instant> = live.into_iter().map(|l| (l.name, l.modified)).collect();
    let mut report = ImportReport::default();
    let mut left = Keys::default();
    let mut start: Option<ListedPlace> = None;
    loop {
        let prefix = request.target.as_str();
        let page = request.source.page(prefix, start.as_ref()).await?;
        for version in page.versions {
            left.of(&version.key).0.push(version);
        }
        for marker in page.markers {
            left.of(&marker.key).1.push(marker);
        }
        start = page.next;
        // The last key of a page may go on in the next.
        let whole = left.take_whole(start.is_some());
        let mut names = stream::iter(whole)
            .take_while(|_| std::future::ready(!cancel.load(Ordering::SeqCst)))
            .filter_map(|(key, found)| {
                let name = Name::parse(&key).ok();
                let name = name.filter(|n| n.as_str() == key && request.target.contains(n));
                if name.is_none() {
                    report.foreign += found.0.len();
                }
                std::future::ready(name.map(|name| (name, found)))
            })
            .map(|(name, found)| {
                let live = live.get(&name).copied();
                one(stores, request, name, found, live)
            })
            .buffered(NAMES_AT_ONCE);
        let mut done = Vec::new();
        while let Some((imported, decision)) = names.next().await {
            progress(&imported.name);
            done.push((imported, decision));
        }
        drop(names);
        for (imported, decision) in done {
            report.add(imported, &decision);
        }
        if start.is_none() || cancel.load(Ordering::SeqCst) {
            return Ok(report);
        }
    }
}

impl ImportReport {
    fn add(&mut self, imported: ImportedName, decision: &Decision) {
        self.names += 1;
        self.already += decision.already;
        self.superseded += decision.superseded;
        self.doubtful += decision.doubtful;
        self.ours += decision.ours;
        self.foreign += decision.foreign;
        if imported.versions + imported.deletions > 0 || imported.failure.is_some() {
            self.imported.push(imported);
        }
    }
}

/// Versions and markers of one key.
type Found = (Vec<SourceObject>, Vec<SourceObject>);

/// What the pages so far have of each key that is not done.
#[derive(Default)]
struct Keys(BTreeMap<String, Found>);

impl Keys {
    fn of(&mut self, key: &str) -> &mut Found {
        self.0.entry(key.to_owned()).or_default()
    }

    /// Takes the keys that are complete: all but the last where more follow.
    fn take_whole(&mut self, more: bool) -> BTreeMap<String, Found> {
        let mut whole = std::mem::take(&mut self.0);
        if more && let Some((key, found)) = whole.pop_last() {
            self.0.insert(key, found);
        }
        whole
    }
}

/// Imports one name; its failure is told, not returned.
async fn one(
    stores: &Stores,
    request: &ImportRequest,
    name: Name,
    found: Found,
    live: Option<Instant>,
) -> (ImportedName, Decision) {
    let mut imported = ImportedName {
        name,
        versions: 0,
        deletions: 0,
        from: None,
        to: None,
        failure: None,
    };
    match look(stores, request, &imported.name, found, live).await {
        Ok((recorded, decision)) => {
            if request.do_it {
                record(stores, request, &mut imported, &recorded, &decision).await;
            } else {
                for draft in &decision.drafts {
                    imported.count(&draft.record);
                }
            }
            (imported, decision)
        }
        Err(error) => {
            imported.failure = Some(error.to_string());
            (imported, Decision::default())
        }
    }
}

impl ImportedName {
    fn count(&mut self, record: &Record) {
        if record.is_deletion() {
            self.deletions += 1;
        } else if record.written().is_some() {
            self.versions += 1;
        }
        self.from = Some(self.from.map_or(record.at, |from| from.min(record.at)));
        self.to = Some(self.to.map_or(record.at, |to| to.max(record.at)));
    }

    fn fail(&mut self, error: &StoreError) {
        self.failure.get_or_insert_with(|| error.to_string());
    }
}

/// Reads what is on record of the name and who wrote each version, and decides.
async fn look(
    stores: &Stores,
    request: &ImportRequest,
    name: &Name,
    (versions, markers): Found,
    live: Option<Instant>,
) -> Result<(Vec<Record>, Decision), StoreError> {
    let index = &stores.index;
    let recorded = index
        .between(name, Instant::EARLIEST, Instant::LATEST)
        .await?;
    // What was imported before need not be asked for its tags again.
    let told: HashMap<&str, Told> = recorded.iter().filter_map(told).collect();
    let versions: Vec<ListedVersion> = stream::iter(versions)
        .map(|listed| {
            let known = told.get(&*discriminator(&listed.version_id)).cloned();
            with_author(&request.source, listed, known)
        })
        .buffered(TAGS_AT_ONCE)
        .try_collect()
        .await?;
    let markers: Vec<ListedMarker> = markers
        .into_iter()
        .map(|m| ListedMarker {
            stored: m.stored,
            latest: m.latest,
        })
        .collect();
    let decision = decide(&Question {
        name,
        versions: &versions,
        markers: &markers,
        recorded: &recorded,
        live,
        now: stores.now(),
    });
    drop(told);
    Ok((recorded, decision))
}

/// What the tags said of a version that was imported before.
fn told(record: &Record) -> Option<(&str, Told)> {
    let written = record.written()?;
    (record.source == Source::Import).then(|| {
        let told = Told {
            at: record.at,
            parameter_type: written.attributes.parameter_type.clone(),
            description: written.attributes.description.clone(),
        };
        (written.discriminator.as_str(), told)
    })
}

async fn with_author(
    source: &SourceBucket,
    listed: SourceObject,
    known: Option<Told>,
) -> Result<ListedVersion, StoreError> {
    let author = match known {
        Some(told) => Author::Original(told),
        None => author(&source.tags(&listed.key, &listed.version_id).await?),
    };
    Ok(ListedVersion {
        version_id: listed.version_id,
        stored: listed.stored,
        latest: listed.latest,
        author,
    })
}

/// Writes the drafts of one name, each as a capture does: value, journal,
/// index. One that cannot be read does not keep the others back.
async fn record(
    stores: &Stores,
    request: &ImportRequest,
    imported: &mut ImportedName,
    recorded: &[Record],
    decision: &Decision,
) {
    let (mut written, mut stored) = (Vec::new(), None);
    for draft in &decision.drafts {
        match copy(stores, &request.source, draft).await {
            Ok(record) => {
                imported.count(&record);
                if draft.version_id.is_some() {
                    stored = Some(record.entry());
                }
                written.push(record);
            }
            Err(error) => imported.fail(&error),
        }
    }
    let head = recorded.iter().chain(&written).max_by_key(|r| r.entry());
    let Some(head) = head else { return };
    if let Err(error) = settle(stores, &imported.name, head, stored.as_deref()).await {
        imported.fail(&error);
    }
}

async fn copy(
    stores: &Stores,
    source: &SourceBucket,
    draft: &ImportDraft,
) -> Result<Record, StoreError> {
    let record = draft.record.clone();
    let value: Option<Value> = match &draft.version_id {
        Some(version_id) => Some(source.value(record.name.as_str(), version_id).await?),
        None => None,
    };
    let placed = write(stores, Draft { record, value }).await?;
    Ok(placed.record)
}
