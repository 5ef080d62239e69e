//! What the command line does that can be interrupted: how each is made ready.

mod judge;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value as Json;
use uuid::Uuid;

use super::place::{Way, mark, next_second, wrong};
use crate::binaries;

/// A command that writes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// A restore of a path: one is overwritten, one created, one deleted, one gets tags back.
    Restore,
    /// A restore that has to delete and create again.
    Recreate,
    /// The undo of such a restore.
    Undo,
    /// A first capture of a path.
    Seed,
    /// A copy of a path to another.
    Copy,
    /// `verify --heal` of an index that lacks rows.
    Heal,
    /// A rebuild into a table of its own.
    Rebuild,
    /// An import of what the original tool wrote.
    Import,
    /// An export to a file.
    Export,
    /// A preview whose plan is saved.
    PlanFile,
}

impl Task {
    /// All there are.
    pub const ALL: [Self; 10] = [
        Self::Restore,
        Self::Recreate,
        Self::Undo,
        Self::Seed,
        Self::Copy,
        Self::Heal,
        Self::Rebuild,
        Self::Import,
        Self::Export,
        Self::PlanFile,
    ];

    /// Whether it tells an outcome of each parameter.
    fn tells_outcomes(self) -> bool {
        matches!(
            self,
            Self::Restore | Self::Recreate | Self::Undo | Self::Copy
        )
    }
}

/// What is to live at the end: value, version and tags; none where nothing is to.
type Wanted = Option<(String, i64, Vec<(String, String)>)>;

/// A task that is ready to be run.
#[derive(Debug)]
pub(super) struct Ready {
    task: Task,
    path: String,
    pub(super) arguments: Vec<String>,
    /// What is to live at the end, by name.
    wanted: BTreeMap<String, Wanted>,
    /// The versions that lived before it, by name.
    before: BTreeMap<String, Option<i64>>,
    /// What is to be on record at the end: see [`Ready::on_record`].
    right: Vec<String>,
    /// Where a file is to be written.
    directory: Option<PathBuf>,
    table: Option<String>,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

impl Ready {
    /// Makes `task` ready under `path`, where nothing is yet.
    pub(super) async fn make(way: &Way<'_>, task: Task, path: &str) -> io::Result<Self> {
        let mut ready = Self {
            task,
            path: path.to_owned(),
            arguments: Vec::new(),
            wanted: BTreeMap::new(),
            before: BTreeMap::new(),
            right: Vec::new(),
            directory: None,
            table: None,
        };
        match task {
            Task::Restore => ready.restore(way).await?,
            Task::Recreate => ready.recreate(way).await?,
            Task::Undo => ready.undo(way).await?,
            Task::Seed => ready.seed(way).await?,
            Task::Copy => ready.copy(way).await?,
            Task::Heal => ready.heal(way).await?,
            Task::Rebuild => ready.rebuild(way).await?,
            Task::Import => ready.import(way).await?,
            Task::Export | Task::PlanFile => ready.file(way).await?,
        }
        ready.arguments.extend(words(&["--output", "json"]));
        for name in ready.wanted.keys() {
            let live = way.place.live(name).await?;
            let version = live.map(|(_, version)| version);
            ready.before.insert(name.clone(), version);
        }
        Ok(ready)
    }

    fn of(&self, leaf: &str) -> String {
        format!("{}{leaf}", self.path)
    }

    fn want(&mut self, leaf: &str, value: Option<(&str, i64)>, tags: &[(&str, &str)]) {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let tags = tags.iter().map(owned).collect();
        let wanted = value.map(|(value, version)| (value.to_owned(), version, tags));
        self.wanted.insert(self.of(leaf), wanted);
    }

    /// One overwritten, one gone, one new, one whose tags alone differ, and one that is as it was.
    async fn changed(&self, way: &Way<'_>) -> io::Result<String> {
        let place = way.place;
        for leaf in ["changed", "gone", "same", "tagged"] {
            place.put(&self.of(leaf), "then").await?;
        }
        place.tag(&self.of("gone"), "team", "a").await?;
        place.tag(&self.of("tagged"), "team", "a").await?;
        way.done(&["seed", &self.path, "--do-it"]).await?;
        let at = mark().await.to_string();
        // Nobody tells of this one.
        place.put(&self.of("changed"), "now").await?;
        place.put(&self.of("new"), "now").await?;
        let tagged = place.tag(&self.of("tagged"), "team", "b").await?;
        let told = crate::events::tag_event(&self.of("tagged"), &[("team", "b")], tagged.millis());
        way.deliver_at_last(&told).await?;
        way.erase(&self.of("gone")).await?;
        next_second().await;
        Ok(at)
    }

    async fn restore(&mut self, way: &Way<'_>) -> io::Result<()> {
        let at = self.changed(way).await?;
        self.arguments = words(&["restore", &self.path, &at, "-R", "--yes"]);
        self.want("changed", Some(("then", 3)), &[]);
        self.want("gone", Some(("then", 1)), &[("team", "a")]);
        self.want("same", Some(("then", 1)), &[]);
        self.want("tagged", Some(("then", 1)), &[("team", "a")]);
        self.want("new", None, &[]);
        Ok(())
    }

    async fn recreate(&mut self, way: &Way<'_>) -> io::Result<()> {
        let of = self.of("db");
        way.write(&of, "small").await?;
        let tagged = way.place.tag(&of, "team", "a").await?;
        let told = crate::events::tag_event(&of, &[("team", "a")], tagged.millis());
        way.deliver_at_last(&told).await?;
        next_second().await;
        let at = mark().await.to_string();
        let put = way.place.ssm.put_parameter().name(&of).overwrite(true);
        let put = put.value("x".repeat(5_000)).tier("Advanced".into());
        put.send().await.map_err(io::Error::other)?;
        self.arguments = words(&["restore", &of, &at, "--recreate", "--yes"]);
        self.want("db", Some(("small", 1)), &[("team", "a")]);
        Ok(())
    }

    async fn undo(&mut self, way: &Way<'_>) -> io::Result<()> {
        let at = self.changed(way).await?;
        way.done(&["restore", &self.path, &at, "-R", "--yes"])
            .await?;
        next_second().await;
        let said = way.done(&["runs", "--output", "json"]).await?;
        let own = |run: &Json| run["Path"] == *self.path || run.to_string().contains(&self.path);
        let Some(run) = said.rows()?.into_iter().find(own) else {
            return wrong(format!("no run of {}: {said}", self.path));
        };
        let id = run["Run"].as_str().unwrap_or_default();
        self.arguments = words(&["undo", id, "--yes"]);
        self.want("changed", Some(("now", 4)), &[]);
        self.want("gone", None, &[]);
        self.want("same", Some(("then", 1)), &[]);
        self.want("tagged", Some(("then", 1)), &[("team", "b")]);
        self.want("new", Some(("now", 1)), &[]);
        Ok(())
    }

    async fn seed(&mut self, way: &Way<'_>) -> io::Result<()> {
        for value in ["one", " two "] {
            way.place.put(&self.of("a"), value).await?;
        }
        way.place.put(&self.of("b"), "x").await?;
        self.arguments = words(&["seed", &self.path, "--do-it"]);
        self.right = words(&[
            "a Create Some(1) one",
            "a Update Some(2)  two ",
            "b Create Some(1) x",
        ]);
        Ok(())
    }

    async fn copy(&mut self, way: &Way<'_>) -> io::Result<()> {
        way.place.put(&self.of("from/a"), "one").await?;
        way.place.put(&self.of("from/b"), "two").await?;
        way.place.tag(&self.of("from/b"), "team", "a").await?;
        way.place.put(&self.of("to/a"), "other").await?;
        let (from, to) = (self.of("from/"), self.of("to/"));
        way.done(&["seed", &self.path, "--do-it"]).await?;
        next_second().await;
        self.arguments = words(&["copy", &from, "--to-path", &to, "-R", "--yes"]);
        self.arguments
            .extend(words(&["--on-conflict", "overwrite"]));
        self.want("to/a", Some(("one", 2)), &[]);
        self.want("to/b", Some(("two", 1)), &[("team", "a")]);
        Ok(())
    }

    async fn heal(&mut self, way: &Way<'_>) -> io::Result<()> {
        for value in ["one", "two"] {
            way.write(&self.of("a"), value).await?;
        }
        way.write(&self.of("b"), "x").await?;
        next_second().await;
        way.done(&["seed", &self.path, "--do-it"]).await?;
        self.right = self.on_record(way.place).await?;
        let table = &way.place.location.table;
        let rows = way.place.rows_of(table).await?;
        // An old version of one, which must not become its head, and a row of a path for the other.
        let lost = rows.iter().filter(|row| {
            let own = row["scope"] == *self.of("a") && row["version"] == "1";
            own || row["scope"] == *self.path && row["name"] == *self.of("b")
        });
        for row in lost {
            let mut delete = way.place.dynamodb.delete_item().table_name(table);
            for key in ["scope", "entry"] {
                let value = row[key].as_str().unwrap_or_default().to_owned();
                delete = delete.key(key, AttributeValue::S(value));
            }
            delete.send().await.map_err(io::Error::other)?;
        }
        if self.on_record(way.place).await? == self.right {
            return wrong("nothing is to be healed");
        }
        self.arguments = words(&["verify", &self.path, "--heal"]);
        Ok(())
    }

    async fn rebuild(&mut self, way: &Way<'_>) -> io::Result<()> {
        // The journal is all there is: the same for every rebuild of this place.
        let readying = way.place.readying.lock().await;
        if way.place.live("/rebuilt/a").await?.is_none() {
            for value in ["one", "two"] {
                way.write("/rebuilt/a", value).await?;
            }
            way.write("/rebuilt/gone", "x").await?;
            next_second().await;
            way.erase("/rebuilt/gone").await?;
            way.done(&["seed", "/rebuilt/", "--do-it"]).await?;
        }
        drop(readying);
        let table = format!("ssmbak-test-{}", Uuid::new_v4().simple());
        self.arguments = words(&["rebuild", "--to-table", &table, "--create-table", "--do-it"]);
        self.table = Some(table);
        self.right = texts(&way.place.rows_of(&way.place.location.table).await?);
        Ok(())
    }

    async fn import(&mut self, way: &Way<'_>) -> io::Result<()> {
        let place = way.place;
        let old = format!("ssmbak-test-{}", Uuid::new_v4().simple());
        place.make_bucket(&old).await?;
        let base = mark().await.epoch_seconds() - 18_000;
        let of = self.of("a");
        // S3 tells whole seconds, and of one second not whether a deletion came before a version: all of
        // it is in one.
        next_second().await;
        for (value, after) in [("one", 0), (" two ", 60), ("", 0), ("three", 300)] {
            if value.is_empty() {
                let delete = place.s3.delete_object().bucket(&old).key(&of).send().await;
                delete.map_err(io::Error::other)?;
                continue;
            }
            let tags = format!("ssmbakTime={}&ssmbakType=String", base + after);
            let put = place.s3.put_object().bucket(&old).key(&of).tagging(tags);
            let put = put.body(value.as_bytes().to_vec().into()).send().await;
            put.map_err(io::Error::other)?;
        }
        self.arguments = words(&["import", "--from-bucket", &old, "--prefix", &of, "--do-it"]);
        self.right = words(&[
            "a Create None one",
            "a Update None  two ",
            "a Delete None -",
            "a Create None three",
        ]);
        Ok(())
    }

    async fn file(&mut self, way: &Way<'_>) -> io::Result<()> {
        let at = self.changed(way).await?;
        let unique = Uuid::new_v4().simple().to_string();
        let directory = binaries::target_directory().join("disturbed").join(unique);
        fs::create_dir_all(&directory)?;
        let file = directory.join("file").display().to_string();
        self.directory = Some(directory);
        let (path, to) = (self.path.as_str(), file.as_str());
        self.arguments = if self.task == Task::Export {
            words(&["export", path, &at, "-R", "--to", to, "--overwrite"])
        } else {
            words(&["preview", path, &at, "-R", "--plan", to, "--overwrite"])
        };
        Ok(())
    }
}

pub(super) fn texts(rows: &[Json]) -> Vec<String> {
    rows.iter().map(ToString::to_string).collect()
}
