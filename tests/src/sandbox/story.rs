//! The steps that a story is made of. Each is told, then checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::io;
use std::time::Duration;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::ParameterType;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::screen::Screen;
use super::stage::Stage;
use super::tree::{self, Parameter, ROOT, Tree};
use crate::emulator::{Change, sdk_config};

/// A moment to go back to.
#[derive(Debug)]
pub(crate) struct Mark {
    /// In whole seconds, as it is given on a command line.
    pub(crate) time: String,
    /// What lived.
    tree: Tree,
}

/// A story in the telling.
#[derive(Debug)]
pub(crate) struct Story<'stage> {
    pub(crate) screen: Screen,
    stage: &'stage Stage,
    ssm: Client,
    /// What has to live now.
    tree: Tree,
    /// What no table may show.
    secret: &'static str,
}

/// One row of a preview, as far as it is checked: what changes, to which value and type.
type Row = (String, Option<String>, Option<String>);

impl<'stage> Story<'stage> {
    /// Begins with nothing but the stack.
    pub(crate) async fn begin(
        stage: &'stage Stage,
        screen: Screen,
        secret: &'static str,
    ) -> io::Result<Self> {
        let config = sdk_config(&stage.ministack.endpoint(), "test").await;
        Ok(Self {
            screen,
            stage,
            ssm: Client::new(&config),
            tree: Tree::new(),
            secret,
        })
    }

    /// Creates or updates a parameter.
    pub(crate) async fn put(&mut self, name: &str, parameter: Parameter) -> io::Result<()> {
        let shown = if parameter.kind == ParameterType::SecureString {
            "********".to_owned()
        } else {
            format!("{:?}", parameter.value)
        };
        self.screen.line(&format!("   put     {name:24}{shown}"))?;
        tree::put(&self.ssm, name, &parameter).await?;
        self.tree.insert(name.to_owned(), parameter);
        Ok(())
    }

    /// Deletes all that the story created.
    pub(crate) async fn delete_all(&mut self) -> io::Result<()> {
        let names: Vec<_> = std::mem::take(&mut self.tree).into_keys().collect();
        for name in &names {
            self.screen.line(&format!("   delete  {name}"))?;
        }
        tree::delete(&self.ssm, names).await
    }

    /// Marks the present, and lets its second pass: nothing that comes later lies in it.
    pub(crate) async fn mark(&self) -> io::Result<Mark> {
        self.stage.captured().await?;
        let now_ms = self.stage.control.now_ms().await?;
        let time = written(now_ms, SecondsFormat::Secs);
        self.screen.line(&format!("   mark    {time}"))?;
        let left = 1000 - u64::try_from(now_ms.rem_euclid(1000)).unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(left)).await;
        let tree = self.tree.clone();
        Ok(Mark { time, tree })
    }

    /// Previews `mark`: exactly `names` differ, and each is shown as it was then.
    pub(crate) async fn preview(
        &self,
        target: &[&str],
        mark: &Mark,
        names: &[&str],
        sentence: &str,
    ) -> io::Result<()> {
        let arguments = [&["preview"], target].concat();
        self.told(&arguments).await?;
        let expected = names.iter().map(|name| self.difference(mark, name));
        let expected: BTreeMap<_, _> = expected.collect();
        let revealed = [arguments.as_slice(), &["--reveal"]].concat();
        let shown = self.stage.ssmbak.json(&revealed).await?;
        let shown: BTreeMap<_, _> = shown.iter().map(row).collect();
        self.holds(sentence, &expected, &shown)
    }

    /// Restores `mark`: exactly `names` are restored, and nothing differs any more.
    pub(crate) async fn restore(
        &mut self,
        target: &[&str],
        mark: &Mark,
        names: &[&str],
        sentence: &str,
    ) -> io::Result<()> {
        let arguments = [&["restore"], target, &["--yes"]].concat();
        let told = self.told(&arguments).await?;
        for name in names {
            if let Some(parameter) = mark.tree.get(*name) {
                self.tree.insert((*name).to_owned(), parameter.clone());
            }
        }
        self.holds(
            "exactly these are told as restored",
            &names.iter().map(|name| (*name).to_owned()).collect(),
            &names_restored(&told),
        )?;
        self.holds(sentence, &self.tree, &tree::live(&self.ssm).await?)?;
        self.stage.captured().await?;
        let again = [&["preview"], target].concat();
        let again = self.stage.ssmbak.json(&again).await?;
        self.holds("nothing differs from then any more", &Vec::new(), &again)
    }

    /// Runs a command whose output is exactly `value`; the value itself is not told.
    pub(crate) async fn shows(
        &self,
        arguments: &[&str],
        value: &str,
        sentence: &str,
    ) -> io::Result<()> {
        self.stage.ssmbak.tell(arguments)?;
        let shown = self.stage.ssmbak.output(arguments).await?;
        self.holds(sentence, value.as_bytes(), &shown)
    }

    /// Lists the history of `target`: what the emulator says happened to the names that `of` holds for.
    pub(crate) async fn lists(
        &self,
        target: &[&str],
        sentence: &str,
        of: impl Fn(&str) -> bool,
    ) -> io::Result<()> {
        let arguments = [&["history"], target].concat();
        self.told(&arguments).await?;
        let changes = self.stage.control.changes_under(ROOT).await?;
        let mut happened: Vec<_> = changes
            .iter()
            .filter(|change| of(&change.name))
            .map(happened)
            .collect();
        let listed = self.stage.ssmbak.json(&arguments).await?;
        let mut listed: Vec<_> = listed.iter().map(listed_as).collect();
        happened.sort();
        listed.sort();
        self.holds(sentence, &happened, &listed)
    }

    /// Runs a command and tells it. No secret may be in what it tells.
    async fn told(&self, arguments: &[&str]) -> io::Result<String> {
        let told = self.stage.ssmbak.told(arguments).await?;
        if told.contains(self.secret) {
            let command = arguments.join(" ");
            return Err(io::Error::other(format!("`{command}` showed a secret")));
        }
        Ok(told)
    }

    /// What a preview of `mark` has to show of a name that differs.
    fn difference(&self, mark: &Mark, name: &str) -> (String, Row) {
        let row = match (mark.tree.get(name), self.tree.get(name)) {
            (None, _) => ("delete".to_owned(), None, None),
            (Some(then), now) => {
                let change = if now.is_some() { "update" } else { "create" };
                let kind = then.kind.as_str().to_owned();
                (change.to_owned(), Some(then.value.clone()), Some(kind))
            }
        };
        (name.to_owned(), row)
    }

    fn holds<T: PartialEq + Debug + ?Sized>(
        &self,
        sentence: &str,
        expected: &T,
        found: &T,
    ) -> io::Result<()> {
        if expected == found {
            return self.screen.held(sentence);
        }
        Err(io::Error::other(format!(
            "not as it should be: {sentence}\nexpected: {expected:?}\nfound:    {found:?}"
        )))
    }
}

/// The name of a row of `preview --output json`, and what is checked of it.
fn row(json: &Value) -> (String, Row) {
    let change = text(json, "Change").unwrap_or_default();
    let row = (change, text(json, "Value"), text(json, "Type"));
    (text(json, "Name").unwrap_or_default(), row)
}

/// The names of the table's rows that end in `restored`.
fn names_restored(table: &str) -> BTreeSet<String> {
    let rows = table.lines().map(|line| {
        let cells = line.split(['│', '┆']).map(str::trim);
        cells.filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
    });
    rows.filter(|cells| cells.len() > 2 && cells.last() == Some(&"restored"))
        .filter_map(|cells| cells.first().map(|name| (*name).to_owned()))
        .collect()
}

/// One change: name, time, operation, what told of it, and of a version its number and who wrote it.
type Entry = (String, String, String, String, Option<i64>, Option<String>);

/// How history has to list what happened: told by its event. A deletion comes last in its second.
fn happened(change: &Change) -> Entry {
    let name = change.name.clone();
    let operation = change.operation.clone();
    let source = "event".to_owned();
    if operation == "Delete" {
        let at_ms = change.time_ms - change.time_ms.rem_euclid(1000) + 999;
        let time = written(at_ms, SecondsFormat::Millis);
        return (name, time, operation, source, None, None);
    }
    let time = written(change.time_ms, SecondsFormat::Millis);
    let by = change.user.clone();
    (name, time, operation, source, change.version, by)
}

fn listed_as(json: &Value) -> Entry {
    let field = |name| text(json, name).unwrap_or_default();
    (
        field("Name"),
        field("Time"),
        field("Operation"),
        field("Source"),
        json["Version"].as_i64(),
        text(json, "ModifiedBy"),
    )
}

fn text(json: &Value, field: &str) -> Option<String> {
    json[field].as_str().map(str::to_owned)
}

fn written(at_ms: i64, format: SecondsFormat) -> String {
    let at = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default();
    at.to_rfc3339_opts(format, true)
}
