//! Asks the real command line, and compares with the model.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde_json::Value as Json;
use ssmbak_core::domain::{Instant, Name};

use super::Moment;
use super::place::Place;
use crate::histories::{Answer, Model, Tally, Version};

/// What is asked about, and when.
pub(super) struct Asking<'a> {
    pub(super) place: &'a Place,
    pub(super) model: &'a Model,
    /// The present: after everything.
    pub(super) now: Instant,
}

impl Asking<'_> {
    /// Asks for the whole tree at one instant, as a person would write it.
    pub(super) async fn preview(&self, moment: &Moment, tally: &mut Tally) -> io::Result<()> {
        let Moment { at, asked } = moment;
        let arguments = [
            "preview", "/", asked, "-R", "--all", "--labels", "--reveal", "--output", "json", "-q",
        ];
        let answer = self.place.ssmbak(self.now, &arguments).await?;
        // 1: nothing of what differs could be put back, since all of it is lost.
        let answer = answer.exits(&[0, 1, 3, 4])?;
        let rows = by_name(answer.rows()?)?;
        let live = self.model.live();
        for name in self.model.names() {
            let right = self.model.right(&name, *at);
            let row = rows.get(&name);
            let wrong = match row {
                Some(row) => self.wrong(&name, *at, row, &right),
                None if live.contains_key(&name) && answer.code != 4 => Some("not listed".into()),
                None if right.contains(&Answer::Absent) => None,
                None if right.contains(&Answer::Unknown)
                    && (answer.code == 4 || !self.model.is_known(&name)) =>
                {
                    None
                }
                None => Some("not listed".into()),
            };
            tally.answered(wrong.is_none());
            if let Some(wrong) = wrong {
                return Err(io::Error::other(format!(
                    "{name} at {asked}: {wrong}\nright: {right:?}\nanswered: {}\n{}",
                    row.map(Json::to_string).unwrap_or_default(),
                    answer.stderr
                )));
            }
        }
        let names = self.model.names();
        match rows.keys().find(|name| !names.contains(*name)) {
            Some(name) => Err(io::Error::other(format!(
                "{name} never existed, at {asked}"
            ))),
            None => Ok(()),
        }
    }

    /// Asks for one value, raw.
    pub(super) async fn show(
        &self,
        name: &Name,
        moment: &Moment,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let Moment { at, asked } = moment;
        let show = ["show", name.as_str(), asked, "--reveal", "-q"];
        let answer = self.place.ssmbak(self.now, &show).await?;
        let absent = answer.stderr.contains("did not exist");
        let right = self.model.right(name, *at);
        let fits = right.iter().any(|right| match right {
            Answer::Present(version) => answer.code == 0 && answer.stdout == version.value,
            Answer::Lost { .. } => answer.code == 1,
            Answer::Absent => answer.code == 4 && absent,
            Answer::Unknown => answer.code == 4 && !absent,
        });
        // Of a name that nobody ever heard of, nothing can be known.
        let fits = fits || (answer.code == 4 && !self.model.is_known(name));
        tally.answered(fits);
        if fits {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "show {name} at {asked}\nright: {right:?}\nanswered: {answer:?}"
        )))
    }

    /// What is wrong about a row; nothing where it is one of the right answers.
    fn wrong(&self, name: &Name, at: Instant, row: &Json, right: &[Answer]) -> Option<String> {
        let fits = |answer: &Answer| match answer {
            Answer::Present(version) => is_version(row, version),
            Answer::Lost { second } => {
                let modified = instant(&row["Modified"]);
                row["ValueState"] == "lost" && modified.is_some_and(|m| m.same_second(*second))
            }
            Answer::Absent => row["Deleted"] == true,
            Answer::Unknown => row["Change"] == "unknown",
        };
        let Some(answer) = right.iter().find(|answer| fits(answer)) else {
            return Some("none of the right answers".into());
        };
        let Answer::Present(version) = answer else {
            return None;
        };
        let tags: Option<BTreeMap<String, String>> =
            serde_json::from_value(row["Tags"].clone()).ok().flatten();
        let right_tags = self.model.right_tags(name, version, at);
        if !right_tags.contains(&tags) {
            return Some(format!("its tags, which may be {right_tags:?}"));
        }
        let labels: BTreeSet<String> =
            serde_json::from_value(row["Labels"].clone()).unwrap_or_default();
        let right_labels = self.model.right_labels(name, version, at)?;
        (labels != right_labels).then(|| format!("its labels, which were {right_labels:?}"))
    }
}

/// Whether a row is exactly this version.
pub(super) fn is_version(row: &Json, version: &Version) -> bool {
    row["Deleted"] == false
        && row["ValueState"] == "stored"
        && row["Value"] == version.value.as_str()
        && row["Type"] == version.kind.text()
        && row["Version"] == version.number
        && instant(&row["Modified"]) == Some(version.at)
        && row["Description"].as_str() == version.description.as_deref()
        && row["Tier"] == version.tier.text()
}

/// Rows by name; an error where a name has two.
pub(super) fn by_name(rows: Vec<Json>) -> io::Result<BTreeMap<Name, Json>> {
    let mut by_name = BTreeMap::new();
    for row in rows {
        let name =
            Name::parse(row["Name"].as_str().unwrap_or_default()).map_err(io::Error::other)?;
        if by_name.insert(name, row.clone()).is_some() {
            return Err(io::Error::other(format!("two rows of one name: {row}")));
        }
    }
    Ok(by_name)
}

/// An instant that a row tells.
pub(super) fn instant(json: &Json) -> Option<Instant> {
    serde_json::from_value(json.clone()).ok().flatten()
}
