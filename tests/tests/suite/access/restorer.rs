//! The restorer writes parameters, adds to the backups, and deletes none.

use std::collections::BTreeMap;
use std::io::Write as _;

use aws_sdk_ssm::types::{ParameterType, ResourceTypeForTagging, Tag};
use serde_json::json;
use ssmbak_tests::people::Person;

use super::{EVENTS, HUSH, KEY, STACK, Scene, Stage, command, ssmbak, table};
use crate::world::{Lane, World, mark, run};

#[tokio::test]
async fn a_restorer_is_refused_nothing_but_the_stack() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/restorer/").await;
    table::judge(stage, &stage.restorer, 1, &scene).await;
}

#[tokio::test]
async fn a_restore_updates_creates_deletes_and_first_captures() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/restored/").await;
    let _alone = EVENTS.write().await;
    // No event tells of these versions: the restore has to capture them before it overwrites.
    stage.control().hold(true).await.unwrap();
    scene.put("name", &format!("{HUSH}, unheard")).await;
    scene
        .put_secret("secret", &format!("{HUSH}, unheard"))
        .await;
    let restore = ["restore", &scene.path, &scene.at, "-R", "--yes"];
    let restore = [&restore[..], &["--output", "json"]].concat();
    let restored = ssmbak(&stage.restorer, &restore).await;
    stage.control().hold(false).await.unwrap();
    stage.control().release(false).await.unwrap();

    let rows = restored.exits(0).json();
    let outcomes = rows.as_array().unwrap().iter();
    let outcomes: Vec<_> = outcomes.map(|r| r["Outcome"].as_str().unwrap()).collect();
    let expected = ["restored", "restored", "deleted", "restored", "restored"];
    assert_eq!(outcomes, expected, "{rows}");
    let lives = [
        ("gone", 1, "gone then"),
        ("name", 5, "name then"),
        ("sealed", 3, "then"),
        ("secret", 4, "then"),
    ];
    let lives = lives.map(|(leaf, version, value)| {
        let value = format!("{HUSH}, {value}");
        (scene.name(leaf), version, value)
    });
    assert_eq!(scene.live().await, lives);
    let tags = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    assert_eq!(scene.tags("name").await, tags);
    let history = ["history", &scene.path, "-R", "--output", "json"];
    let rows = ssmbak(&stage.restorer, &history).await.exits(0).json();
    let first = rows.as_array().unwrap().iter();
    let first = first.filter(|r| r["Source"] == "restore" && r["Operation"] == "Update");
    assert_eq!(first.count(), 2, "{rows}");
    stage.captured().await;
}

#[tokio::test]
async fn a_restorer_is_all_that_another_account_has_to_lend() {
    let stage = Stage::shared().await;
    // Where they come from nobody asks for rights; there only the restorer's policy is held.
    let world = World::emulated(Lane::Ministack, "rights of another account").await;
    let path = world.own("/lent/");
    for leaf in ["new", "there"] {
        world.put(&format!("{path}{leaf}"), HUSH).await;
    }
    world.put_secret(&format!("{path}secret"), HUSH, KEY).await;
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    let at = mark().await.to_string();
    let config = stage.administration().await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    let there = ssm.put_parameter().name("/lent/there").value("before");
    let there = there.r#type(ParameterType::String);
    there.send().await.unwrap();
    stage.captured().await;

    let profile = profile_of(&stage.restorer);
    let environment = [("AWS_CONFIG_FILE", profile.path().to_str().unwrap())];
    let words = ["restore", &path, &at, "--to-profile", "there", "--to-path"];
    let key = format!("{KEY}={KEY}");
    let more = ["/lent/", "--to-stack", STACK, "--on-conflict", "overwrite"];
    let words = [&words[..], &more, &["--key-id", &key]].concat();
    let words = [&words[..], &["--output", "json"]].concat();
    let rows = world
        .ssmbak_with(&environment, &words)
        .await
        .exits(0)
        .json();
    let outcomes = rows.as_array().unwrap().iter().map(|r| &r["Outcome"]);
    assert_eq!(outcomes.collect::<Vec<_>>(), ["restored"; 3], "{rows}");
    stage.captured().await;
    let read = ssm
        .get_parameter()
        .name("/lent/secret")
        .with_decryption(true);
    let read = read.send().await.unwrap().parameter.unwrap();
    assert_eq!(read.value.as_deref(), Some(HUSH));
    let history = ["history", "/lent/there", "--output", "json"];
    let rows = ssmbak(&stage.restorer, &history).await.exits(0).json();
    assert_eq!(rows.as_array().unwrap().len(), 2, "{rows}");
}

#[tokio::test]
async fn to_copy_to_where_no_stack_stands_takes_exactly_what_is_documented() {
    let stage = Stage::shared().await;
    let world = World::emulated(Lane::Ministack, "rights of another account").await;
    let path = world.own("/given/");
    world.put(&format!("{path}plain"), HUSH).await;
    let secret = format!("{path}secret");
    world.put_secret(&secret, HUSH, "alias/aws/ssm").await;
    let tagged = world.ssm.add_tags_to_resource().resource_id(&secret);
    let tagged = tagged.tags(Tag::builder().key("a").value("b").build().unwrap());
    let tagged = tagged.resource_type(ResourceTypeForTagging::Parameter);
    tagged.send().await.unwrap();
    let endpoint = stage.ministack.endpoint();
    let needed = [
        "ssm:DescribeParameters",
        "ssm:GetParameters",
        "ssm:PutParameter",
        "ssm:AddTagsToResource",
        "cloudformation:DescribeStacks",
    ];
    // The emulator does not ask for the right to tag where a put brings the tags.
    let asked = needed.iter().filter(|action| !action.contains("Tags"));
    for missing in asked.map(Some).chain([None]) {
        let given = needed.iter().filter(|action| Some(*action) != missing);
        let document = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": given.collect::<Vec<_>>(), "Resource": "*",
        }]});
        let who = missing.map_or("copier".to_owned(), |action| action.replace(':', "-"));
        let person = Person::hired_under(&endpoint, &who, &[document])
            .await
            .unwrap();
        let profile = profile_of(&person);
        let environment = [("AWS_CONFIG_FILE", profile.path().to_str().unwrap())];
        let to = format!("/given/{who}/");
        let words = ["copy", &path, "--to-profile", "there", "--to-path", &to];
        let answer = world.ssmbak_with(&environment, &words).await;
        match missing {
            None => assert_eq!(answer.code, 0, "{answer:?}"),
            Some(action) => {
                assert_ne!(answer.code, 0, "{action}");
                assert!(answer.stderr.contains(action), "{action}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn who_reads_need_not_be_who_writes() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/two-people/").await;
    let profile = profile_of(&stage.restorer);
    let words = [
        "restore",
        &scene.path,
        &scene.at,
        "-R",
        "--to-path",
        "/by-two/",
    ];
    let written = async |more: &[&str]| {
        let mut command = command(&[&words[..], more].concat());
        command.envs(stage.operator.environment());
        command.env("AWS_CONFIG_FILE", profile.path());
        run(command).await
    };
    let refused = written(&[]).await;
    assert_eq!(refused.code, 1, "an operator writes nothing: {refused:?}");
    written(&["--to-profile", "there"]).await.exits(0);
    let there = Scene {
        path: "/by-two/".into(),
        ..scene
    };
    assert_eq!(there.live().await.len(), 4);
    stage.captured().await;
}

/// A configuration in which this person is the profile `there`.
fn profile_of(person: &Person) -> tempfile::NamedTempFile {
    let mut profile = tempfile::NamedTempFile::new().unwrap();
    let of = |wanted: &str| {
        let mut variables = person.environment().into_iter();
        variables.find(|(name, _)| *name == wanted).unwrap().1
    };
    writeln!(
        profile,
        "[profile there]\naws_access_key_id = {}\naws_secret_access_key = {}\nendpoint_url = {}",
        of("AWS_ACCESS_KEY_ID"),
        of("AWS_SECRET_ACCESS_KEY"),
        of("AWS_ENDPOINT_URL"),
    )
    .unwrap();
    profile
}
