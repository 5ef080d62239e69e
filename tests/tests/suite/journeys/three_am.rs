//! At 3 a.m.: somebody has overwritten four values and deleted two under a
//! tree of three hundred. Who, when, what exactly; and back, and back again.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssm::types::ParameterType;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value as Json, json};
use ssmbak_tests::emulator::{Control, Ministack, Options};
use ssmbak_tests::people::Person;

use super::attributes::{tag, tags_of};
use super::{World, column};
use crate::world::{mark, next_second, now};

const PATH: &str = "/shop/";
/// How many parameters the tree has.
const COUNT: usize = 300;
/// Which of them are overwritten: one of each type, and one deeper than others.
const OVERWRITTEN: [usize; 4] = [0, 1, 2, 298];
/// Which are deleted: a plain one and a secret with tags.
const DELETED: [usize; 2] = [4, 5];

/// A name of one to four levels below the path.
fn name(number: usize) -> String {
    let levels = ["", "web/", "web/eu/", "web/eu/blue/"];
    format!("{PATH}{}p{number:03}", levels[number % 4])
}

fn kind(number: usize) -> ParameterType {
    match number % 5 {
        0 => ParameterType::SecureString,
        1 => ParameterType::StringList,
        _ => ParameterType::String,
    }
}

/// One parameter as it lives.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parameter {
    value: String,
    kind: ParameterType,
    description: Option<String>,
    tags: BTreeMap<String, String>,
}

/// The tree as it lives, and the version of each.
async fn tree(world: &World) -> (BTreeMap<String, Parameter>, BTreeMap<String, i64>) {
    let described = world.ssm.describe_parameters().into_paginator().send();
    let pages = described.collect::<Result<Vec<_>, _>>().await.unwrap();
    let described = pages
        .into_iter()
        .flat_map(|p| p.parameters.unwrap_or_default());
    let described = described.map(|p| (p.name.unwrap(), p.description));
    let mut descriptions: BTreeMap<String, Option<String>> = described.collect();
    let get = world.ssm.get_parameters_by_path().path(PATH);
    let get = get.recursive(true).with_decryption(true);
    let got = get.into_paginator().send();
    let pages = got.collect::<Result<Vec<_>, _>>().await.unwrap();
    let live = pages
        .into_iter()
        .flat_map(|p| p.parameters.unwrap_or_default());
    let tagged = stream::iter(live)
        .map(async |p| (tags_of(world, p.name.as_deref().unwrap()).await, p))
        .buffered(16);
    let (mut tree, mut versions) = (BTreeMap::new(), BTreeMap::new());
    for (tags, p) in tagged.collect::<Vec<_>>().await {
        let name = p.name.unwrap();
        let parameter = Parameter {
            value: p.value.unwrap(),
            kind: p.r#type.unwrap(),
            description: descriptions.remove(&name).flatten(),
            tags,
        };
        versions.insert(name.clone(), p.version);
        tree.insert(name, parameter);
    }
    (tree, versions)
}

/// Writes the tree.
async fn plant(world: &World) {
    for number in 0..COUNT {
        let value = if number % 7 == 0 {
            " {{a}},\n\tb "
        } else {
            "a,b"
        };
        let put = world.ssm.put_parameter().name(name(number));
        let put = put.value(format!("{value}{number}")).r#type(kind(number));
        let put = match number % 3 {
            0 => put.description(format!("what {number} is for")),
            _ => put,
        };
        let put = match number % 5 {
            0 => put
                .tags(tag("team", "shop"))
                .tags(tag("number", &number.to_string())),
            _ => put,
        };
        put.send().await.unwrap();
    }
}

/// Overwrites four values and deletes two, as somebody else.
async fn make_a_mess(culprit: &Person) {
    let ssm = aws_sdk_ssm::Client::new(&culprit.config().await);
    for number in OVERWRITTEN {
        let put = ssm.put_parameter().name(name(number)).overwrite(true);
        let put = put.value("oops").r#type(ParameterType::String);
        put.send().await.unwrap();
    }
    for number in DELETED {
        let delete = ssm.delete_parameter().name(name(number));
        delete.send().await.unwrap();
    }
}

/// Lets the real function hear of everything that has happened since the last time.
async fn hear(world: &World, control: &Control, heard: &mut usize) {
    let changes = control.changes_under(PATH).await.unwrap();
    world.deliver_changes(&changes[*heard..]).await;
    *heard = changes.len();
}

fn the_six() -> BTreeSet<String> {
    OVERWRITTEN.into_iter().chain(DELETED).map(name).collect()
}

fn names(rows: &Json) -> BTreeSet<String> {
    column(rows, "Name")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn six_of_three_hundred_are_found_put_back_undone_and_mended() {
    let options = Options {
        enforce_iam: true,
        ..Options::default()
    };
    let ministack = Ministack::start_with(&options).unwrap();
    let world = World::of(&ministack).await;
    let control = ministack.control();
    let everything = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["ssm:*", "kms:*"], "Resource": "*"}],
    });
    let rights = [everything];
    let culprit = Person::hired_under(&world.endpoint, "nightshift", &rights);
    let culprit = culprit.await.unwrap();
    plant(&world).await;
    let mut heard = control.changes_under(PATH).await.unwrap().len();
    world.ssmbak(&["seed", PATH, "--do-it"]).await.exits(0);
    let (original, versions) = tree(&world).await;
    assert_eq!(original.len(), COUNT);
    let then = mark().await.to_string();
    make_a_mess(&culprit).await;
    hear(&world, &control, &mut heard).await;
    next_second().await;
    let (mess, _) = tree(&world).await;
    assert_eq!(mess.len(), COUNT - DELETED.len());
    let ask = async |arguments: &[&str]| {
        let arguments = [arguments, &["--output", "json"]].concat();
        world.ssmbak(&arguments).await.exits(0).json()
    };

    // Who and when.
    let rows = ask(&["history", PATH, "-R", "--since", &then]).await;
    assert_eq!(rows.as_array().unwrap().len(), 6, "{rows}");
    assert_eq!(names(&rows), the_six());
    let until = now().to_string();
    for row in rows.as_array().unwrap() {
        let time = row["Time"].as_str().unwrap();
        assert!(time > then.as_str() && time < until.as_str(), "{row}");
        let by = row["ModifiedBy"].as_str().unwrap_or_default();
        if row["Operation"] == "Update" {
            assert!(by.contains("nightshift"), "{row}");
        } else {
            // An event does not tell who deleted.
            assert_eq!((&row["Operation"], by), (&json!("Delete"), ""));
        }
    }

    // What exactly.
    let diff = ask(&["diff", PATH, &then, "-R"]).await;
    assert_eq!(names(&diff), the_six());
    let changes = column(&diff, "Change");
    let count = |change: &str| changes.iter().filter(|told| **told == change).count();
    assert_eq!((count("changed"), count("removed")), (4, 2), "{changes:?}");
    let preview = ask(&["preview", PATH, &then, "-R"]).await;
    assert_eq!(preview.as_array().unwrap().len(), 6);
    assert_eq!(names(&preview), the_six());

    // Back.
    let rows = ask(&["restore", PATH, &then, "-R", "--yes"]).await;
    assert_eq!(names(&rows), the_six());
    assert_eq!(column(&rows, "Outcome"), ["restored"; 6]);
    assert_eq!(tree(&world).await.0, original);
    hear(&world, &control, &mut heard).await;
    next_second().await;

    // The mess again.
    let rows = ask(&["undo", "--yes"]).await;
    assert_eq!(names(&rows), the_six());
    assert_eq!(tree(&world).await.0, mess);
    hear(&world, &control, &mut heard).await;
    next_second().await;

    // And mended.
    let rows = ask(&["undo", "--yes"]).await;
    assert_eq!(names(&rows), the_six());
    let (mended, after) = tree(&world).await;
    assert_eq!(mended, original);
    for (name, version) in &versions {
        if !the_six().contains(name) {
            assert_eq!(after[name], *version, "{name} was written");
        }
    }
    for number in OVERWRITTEN {
        assert_eq!(after[&name(number)], 5);
    }
    for number in DELETED {
        assert_eq!(after[&name(number)], 1);
    }
    // Nobody touched another one in between either: the emulator knows of no other change.
    let changes = control.changes_under(PATH).await.unwrap();
    let later: BTreeSet<&str> = changes[COUNT..].iter().map(|c| &*c.name).collect();
    let six = the_six();
    assert_eq!(later, six.iter().map(String::as_str).collect());
    assert_eq!(changes.len(), COUNT + 4 * 6);

    let runs = ask(&["runs"]).await;
    assert_eq!(column(&runs, "Origin"), ["undo", "undo", "record"]);
    assert_eq!(column(&runs, "Target"), [PATH; 3]);
    let counts = |field: &str| -> Vec<Json> {
        let runs = runs.as_array().unwrap().iter();
        runs.map(|run| run[field].clone()).collect()
    };
    assert_eq!(counts("Restored"), [json!(6), json!(4), json!(6)]);
    assert_eq!(counts("Deleted"), [json!(0), json!(2), json!(0)]);
    assert_eq!(counts("Failed"), [json!(0), json!(0), json!(0)]);
}
