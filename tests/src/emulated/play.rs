//! Plays a script on an emulator's clock, and tells the model what was done.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use aws_sdk_ssm::types::{ParameterTier, ParameterType, ResourceTypeForTagging, Tag};
use futures_util::future::try_join_all;
use serde_json::Value as Json;
use ssmbak_core::domain::{Instant, Name};

use super::place::Place;
use crate::histories::{
    Batch, Change, Description, Model, Script, Step, Tags, Tally, Version, What, event_of,
};

/// What is known while a script is played.
pub(super) struct Play<'a> {
    place: &'a Place,
    script: &'a Script,
    events: Vec<Json>,
    model: Model,
    tags: BTreeMap<Name, Tags>,
}

/// Plays the whole script; returns what there is to know of it.
pub(super) async fn play(place: &Place, script: &Script, tally: &mut Tally) -> io::Result<Model> {
    let mut play = Play {
        place,
        script,
        events: script.changes.iter().map(event_of).collect(),
        model: Model::default(),
        tags: BTreeMap::new(),
    };
    for (at, step) in &script.steps {
        place.control.set_clock(at.millis()).await?;
        match step {
            Step::Operate(index) => {
                let change = &script.changes[*index];
                let done = play.operate(change).await;
                done.map_err(|error| io::Error::other(format!("{change:?}: {error}")))?;
                tally.changes += 1;
            }
            Step::Deliver(batches) => play.deliver(*at, batches, tally).await?,
            Step::Reconcile => play.reconcile(*at).await?,
        }
    }
    tally.lost_events += play.never_told();
    Ok(play.model)
}

impl Play<'_> {
    async fn operate(&mut self, change: &Change) -> io::Result<()> {
        match &change.what {
            What::Written(version) => self.put(change, version).await?,
            What::Deleted => {
                let delete = self.place.ssm.delete_parameter().name(&change.spelled);
                delete.send().await.map_err(told)?;
                self.tags.remove(&change.name);
            }
            What::Labelled { label, to, .. } => {
                let move_it = self.place.ssm.label_parameter_version();
                let move_it = move_it.name(&change.spelled).labels(label);
                let to = i64::try_from(*to).map_err(io::Error::other)?;
                move_it.parameter_version(to).send().await.map_err(told)?;
            }
            What::Tagged(tags) => self.tag(change, tags).await?,
        }
        self.model.happened(change.clone());
        Ok(())
    }

    async fn put(&self, change: &Change, version: &Version) -> io::Result<()> {
        let put = self.place.ssm.put_parameter().name(&change.spelled);
        let put = put.value(&version.value).overwrite(version.number > 1);
        let put = put.r#type(ParameterType::from(version.kind.text()));
        let put = put.tier(ParameterTier::from(version.tier.text()));
        let put = match &version.description_sent {
            Description::Keep => put,
            Description::Clear => put.description(""),
            Description::Set(text) => put.description(text),
        };
        let written = put.send().await.map_err(told)?.version();
        if u64::try_from(written) == Ok(version.number) {
            return Ok(());
        }
        Err(io::Error::other(format!("version {written} was written")))
    }

    async fn tag(&mut self, change: &Change, tags: &Tags) -> io::Result<()> {
        let before = self.tags.insert(change.name.clone(), tags.clone());
        let before = before.unwrap_or_default();
        let gone: Vec<String> = before
            .into_keys()
            .filter(|key| !tags.contains_key(key))
            .collect();
        if !gone.is_empty() {
            let remove = self.place.ssm.remove_tags_from_resource();
            let remove = remove.resource_type(ResourceTypeForTagging::Parameter);
            let remove = remove.resource_id(&change.spelled).set_tag_keys(Some(gone));
            remove.send().await.map_err(told)?;
        }
        if !tags.is_empty() {
            let tag = |(key, value)| Tag::builder().key(key).value(value).build();
            let all: Result<Vec<Tag>, _> = tags.iter().map(tag).collect();
            let add = self.place.ssm.add_tags_to_resource();
            let add = add.resource_type(ResourceTypeForTagging::Parameter);
            let add = add.resource_id(&change.spelled);
            let add = add.set_tags(Some(all.map_err(io::Error::other)?));
            add.send().await.map_err(told)?;
        }
        Ok(())
    }

    /// One batch for each function, at the same time.
    async fn deliver(
        &mut self,
        at: Instant,
        batches: &[Batch],
        tally: &mut Tally,
    ) -> io::Result<()> {
        let wanted = batches.iter().flat_map(|batch| &batch.stale);
        let stale: BTreeSet<&Name> = wanted.filter(|name| self.may_be_stale(name)).collect();
        for name in &stale {
            let reads = self.place.control.stale_reads(name.as_str(), 1);
            reads.await?;
            tally.fault("stale read");
        }
        let invocations = batches.iter().enumerate().map(|(function, batch)| {
            let events = batch
                .changes
                .iter()
                .map(|index| self.events[*index].clone());
            self.place.deliver(function, events.collect())
        });
        try_join_all(invocations).await?;
        for index in batches.iter().flat_map(|batch| &batch.changes) {
            tally.deliveries += 1;
            if stale.contains(&self.script.changes[*index].name) {
                self.model.announced_blindly(*index, at);
            } else {
                self.model.announced(*index, at);
            }
        }
        Ok(())
    }

    /// The function's own clock is the real one, for which all of this was hours
    /// ago: a creation that does not show then would be taken for gone, which no
    /// read of AWS is stale for so long to show.
    fn may_be_stale(&self, name: &Name) -> bool {
        let mut of_it = self.model.changes().iter().filter(|c| c.name == *name);
        let newest = of_it.rfind(|c| c.decides_state());
        newest.is_some_and(|change| match &change.what {
            What::Written(version) => version.number > 1,
            What::Deleted => true,
            What::Labelled { .. } | What::Tagged(_) => false,
        })
    }

    async fn reconcile(&mut self, at: Instant) -> io::Result<()> {
        let seed = ["seed", "/", "--do-it", "-q"];
        self.place.ssmbak(at, &seed).await?.exits(&[0])?;
        self.model.listed(at);
        Ok(())
    }

    fn never_told(&self) -> u64 {
        let begins = self.model.coverage_begins().unwrap_or(Instant::LATEST);
        let changes = self.script.changes.iter().enumerate();
        let lost = changes.filter(|(i, c)| c.at > begins && !self.model.is_announced(*i));
        lost.count() as u64
    }
}

fn told(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::other(format!(
        "{}",
        aws_sdk_ssm::error::DisplayErrorContext(error)
    ))
}
