//! Coverage: as its facts tell, written when everything else is in the index.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

use super::{Progress, Told, is_object, one_object};
use crate::domain::coverage::Interval;
use crate::domain::coverage::facts::{Link, common, in_order, joined, lives};
use crate::domain::journal::{self, FACT_BYTES_MAX};
use crate::domain::stored::CoverageFact;
use crate::domain::{Path, keys};
use crate::store::{ErrorKind, Listed, StoreError, Stores};

/// Facts that are read at once.
const FACTS_AT_ONCE: usize = 8;
/// A reconciliation that was under way when the rebuild began may change the
/// coverage meanwhile; then it is tried again, this often.
const MOST_RACES: usize = 8;

/// Reads every fact, tells those that cannot be read, and returns how many.
pub(super) async fn check(stores: &Stores, progress: Progress<'_>) -> Result<usize, StoreError> {
    let mut unreadable = 0;
    let mut told = |key: &str, why: &str| {
        progress(Told::Unreadable(key, why));
        unreadable += 1;
    };
    links(stores, &mut told).await?;
    Ok(unreadable)
}

/// Writes the coverage of every path and returns how many are covered.
pub(crate) async fn rebuild(stores: &Stores) -> Result<usize, StoreError> {
    for _ in 0..MOST_RACES {
        // The rows before the facts: what a row says then stands in a fact.
        let rows = stores.index.coverage().await?;
        let facts = told_by_facts(stores).await?;
        let mut raced = false;
        let unknown = rows.paths().filter(|path| !facts.contains_key(path));
        let nothing = unknown.map(|path| (path, [].as_slice()));
        let all = facts.iter().map(|(path, i)| (path, i.as_slice()));
        for (path, intervals) in all.chain(nothing) {
            let before = rows.of(path);
            if before != intervals {
                raced |= !stores.index.put_coverage(path, before, intervals).await?;
            }
        }
        if !raced {
            return Ok(facts.len());
        }
    }
    Err(raced_too_often())
}

/// From now on no path is covered.
pub(super) async fn forget(stores: &Stores) -> Result<(), StoreError> {
    for _ in 0..MOST_RACES {
        let rows = stores.index.coverage().await?;
        let mut raced = false;
        for path in rows.paths().filter(|path| !rows.of(path).is_empty()) {
            raced |= !stores.index.put_coverage(path, rows.of(path), &[]).await?;
        }
        if !raced {
            return Ok(());
        }
    }
    Err(raced_too_often())
}

fn raced_too_often() -> StoreError {
    StoreError::new(
        "write the coverage",
        ErrorKind::Throttled,
        "reconciliations kept changing it",
    )
}

/// The coverage of every path, as the facts tell it.
pub(crate) async fn told_by_facts(
    stores: &Stores,
) -> Result<BTreeMap<Path, Vec<Interval>>, StoreError> {
    let mut first: Option<StoreError> = None;
    let mut told = |key: &str, why: &str| {
        first.get_or_insert_with(|| StoreError::new(format!("read {key}"), ErrorKind::Format, why));
    };
    let links = links(stores, &mut told).await?;
    if let Some(error) = first {
        return Err(error);
    }
    let mut coverage = BTreeMap::new();
    for (path, mut links) in links {
        in_order(&mut links);
        let mut ended = Vec::new();
        for life in lives(&links) {
            let mut claims = Vec::with_capacity(life.len());
            for place in life {
                claims.push(intervals(stores, &links[place].key).await?);
            }
            ended.push(common(&claims));
        }
        coverage.insert(path, joined(&ended));
    }
    Ok(coverage)
}

/// The facts of each path, in order of their keys, without their intervals.
async fn links(
    stores: &Stores,
    unreadable: &mut (dyn FnMut(&str, &str) + Send),
) -> Result<BTreeMap<Path, Vec<Link>>, StoreError> {
    let mut links: BTreeMap<Path, Vec<Link>> = BTreeMap::new();
    let mut start = None;
    loop {
        let (page, next) = stores.bucket.list(keys::COVERAGE_FACTS, start).await?;
        let mut facts = stream::iter(page.into_iter().filter(is_object))
            .map(|object| async move { (one_fact(stores, &object).await, object.key) })
            .buffered(FACTS_AT_ONCE);
        while let Some((fact, key)) = facts.next().await {
            match fact? {
                Ok(fact) => {
                    let link = Link::new(key, fact.finished, &fact.before, &fact.intervals);
                    links.entry(fact.path).or_default().push(link);
                }
                Err(why) => unreadable(&key, &why),
            }
        }
        start = next;
        if start.is_none() {
            return Ok(links);
        }
    }
}

async fn one_fact(
    stores: &Stores,
    object: &Listed,
) -> Result<Result<CoverageFact, String>, StoreError> {
    one_object(stores, object, FACT_BYTES_MAX, journal::coverage_at).await
}

/// Reads one fact again.
async fn intervals(stores: &Stores, key: &str) -> Result<Vec<Interval>, StoreError> {
    let object = Listed {
        key: key.to_owned(),
        bytes: 0,
    };
    let fact = one_fact(stores, &object).await?;
    let told = |why| StoreError::new(format!("read {key}"), ErrorKind::Format, why);
    Ok(fact.map_err(told)?.intervals)
}
