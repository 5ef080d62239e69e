//! `ssmbak import`: from the original tool's bucket, and the way back.

mod crash;
mod original;
mod records;
mod source;

use serde_json::Value as Json;
use ssmbak_core::domain::{Instant, Record};

use super::world::{Answer, Lane, World, name, now};

const LANES: [Lane; 2] = [Lane::Ministack, Lane::Moto];

/// A world beside a bucket as the original fills it.
struct Move {
    world: World,
    /// The original's bucket.
    old: String,
}

impl Move {
    async fn on(lane: Lane) -> Self {
        Self::from(World::on(lane).await).await
    }

    async fn from(world: World) -> Self {
        let old = world.another_bucket().await;
        Self { world, old }
    }

    /// Stores an object version with these tags; returns its version id.
    async fn put(&self, of: &str, value: &str, tags: &str) -> String {
        let put = self.world.s3.put_object().bucket(&self.old).key(of);
        let put = put.tagging(tags).body(value.as_bytes().to_vec().into());
        put.send().await.unwrap().version_id.unwrap()
    }

    /// Stores a String as the original does, of the event's second.
    async fn store(&self, of: &str, value: &str, at: Instant) -> String {
        let tags = format!("ssmbakTime={}&ssmbakType=String", at.epoch_seconds());
        self.put(of, value, &tags).await
    }

    /// Puts a delete marker, as the original does.
    async fn mark(&self, of: &str) {
        let delete = self.world.s3.delete_object().bucket(&self.old).key(of);
        delete.send().await.unwrap();
    }

    /// Imports from the old bucket as JSON, with further arguments.
    async fn import(&self, arguments: &[&str]) -> Answer {
        let mut all = vec!["import", "--from-bucket", &self.old, "--output", "json"];
        all.extend(arguments);
        self.world.ssmbak(&all).await
    }

    /// The state-deciding records of a name.
    async fn records(&self, of: &str) -> Vec<Record> {
        let index = &self.world.stores.index;
        let (first, last) = (Instant::EARLIEST, Instant::LATEST);
        index.between(&name(of), first, last).await.unwrap()
    }

    /// One line for each record: seconds since `base`, operation, value.
    async fn told(&self, of: &str, base: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        for record in self.records(of).await {
            let pointer = record.present().and_then(|w| w.value.pointer());
            let value = match pointer {
                Some(pointer) => {
                    let value = self.world.stores.bucket.value(pointer).await.unwrap();
                    value.expose().to_owned()
                }
                None => "-".into(),
            };
            let seconds = (record.at.millis() - base.millis()).div_euclid(1000);
            lines.push(format!("{seconds} {} {value}", record.operation()));
        }
        lines
    }

    /// How many object versions and delete markers a bucket has.
    async fn objects(&self, bucket: &str) -> usize {
        let list = self.world.s3.list_object_versions().bucket(bucket);
        let answer = list.send().await.unwrap();
        answer.versions().len() + answer.delete_markers().len()
    }
}

/// A second some hours ago.
fn hours_ago(hours: i64) -> Instant {
    now().plus_millis(-hours * 3_600_000).second_start()
}

fn plus(base: Instant, seconds: i64) -> Instant {
    base.plus_millis(seconds * 1000)
}

fn field<'a>(rows: &'a Json, of: &str) -> Vec<&'a str> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[of].as_str().unwrap_or("-")).collect()
}
