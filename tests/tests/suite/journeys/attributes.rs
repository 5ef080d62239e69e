//! `ssmbak restore`: everything beside the value.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssm::operation::put_parameter::builders::PutParameterFluentBuilder;
use aws_sdk_ssm::types::{ParameterTier, ParameterType, ResourceTypeForTagging, Tag};
use serde_json::{Value as Json, json};
use ssmbak_core::domain::{Attributes, Change, Instant, Record, Source, ValueState, Written};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::events::parameter_event;
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy, When};

use super::{Lane, World, column};
use crate::world::{mark, name, next_second};

/// Everything of a live parameter that somebody can set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) value: String,
    pub(super) parameter_type: ParameterType,
    pub(super) description: Option<String>,
    pub(super) key_id: Option<String>,
    pub(super) allowed_pattern: Option<String>,
    pub(super) tier: Option<ParameterTier>,
    pub(super) data_type: Option<String>,
    pub(super) policies: BTreeSet<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) labels: BTreeSet<String>,
}

pub(super) async fn tags_of(world: &World, of: &str) -> BTreeMap<String, String> {
    let list = world.ssm.list_tags_for_resource().resource_id(of);
    let list = list.resource_type(ResourceTypeForTagging::Parameter);
    let answer = list.send().await.unwrap();
    let tags = answer.tag_list().iter();
    tags.map(|t| (t.key().to_owned(), t.value().to_owned()))
        .collect()
}

pub(super) async fn labels_of(world: &World, of: &str) -> Vec<(i64, Vec<String>)> {
    let history = world.ssm.get_parameter_history().name(of);
    let answer = history.send().await.unwrap();
    let versions = answer.parameters().iter();
    versions
        .map(|v| (v.version(), v.labels().to_vec()))
        .collect()
}

pub(super) async fn whole(world: &World, of: &str) -> Whole {
    let history = world.ssm.get_parameter_history().name(of);
    let answer = history.with_decryption(true).send().await.unwrap();
    let newest = answer.parameters().last().unwrap().clone();
    let policies = newest.policies().iter();
    let policy = |text: &str| serde_json::from_str::<Json>(text).unwrap().to_string();
    Whole {
        policies: policies.map(|p| policy(p.policy_text().unwrap())).collect(),
        tags: tags_of(world, of).await,
        labels: newest.labels().iter().cloned().collect(),
        value: newest.value.unwrap(),
        parameter_type: newest.r#type.unwrap(),
        description: newest.description.filter(|d| !d.is_empty()),
        key_id: newest.key_id.filter(|k| !k.is_empty()),
        allowed_pattern: newest.allowed_pattern.filter(|p| !p.is_empty()),
        tier: newest.tier,
        data_type: newest.data_type,
    }
}

pub(super) fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

pub(super) async fn label(world: &World, of: &str, version: i64, labels: &[&str]) {
    let labels = labels.iter().map(|&l| l.to_owned()).collect();
    let call = world.ssm.label_parameter_version().name(of);
    let call = call.parameter_version(version).set_labels(Some(labels));
    call.send().await.unwrap();
}

pub(super) fn put(world: &World, of: &str, value: &str) -> PutParameterFluentBuilder {
    let put = world.ssm.put_parameter().name(of).value(value);
    put.r#type(ParameterType::String).overwrite(true)
}

pub(super) async fn seed(world: &World, path: &str) {
    world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
}

fn expires(timestamp: &str) -> Json {
    json!({"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": timestamp}})
}

fn unchanged_for_days() -> Json {
    let attributes = json!({"After": "20", "Unit": "Days"});
    json!({"Type": "NoChangeNotification", "Version": "1.0", "Attributes": attributes})
}

#[tokio::test]
async fn a_deleted_parameter_comes_back_equal_in_everything_that_can_be_set() {
    let world = World::emulated(Lane::Ministack, "keys of any name").await;
    let (path, of) = (&world.own("/whole/"), &world.own("/whole/db"));
    let policies = json!([expires("2099-01-01T00:00:00.000Z"), unchanged_for_days()]);
    let tags = vec![
        tag("team", "ops & co"),
        tag("env", "prod"),
        tag("empty", ""),
    ];
    let create = world.ssm.put_parameter().name(of).value(" {{v}} ");
    let create = create.r#type(ParameterType::SecureString);
    let create = create.key_id("alias/its-own").description("what: it (is)");
    let create = create
        .allowed_pattern("(?s).*")
        .tier(ParameterTier::Advanced);
    let create = create.policies(policies.to_string()).set_tags(Some(tags));
    create.send().await.unwrap();
    label(&world, of, 1, &["prod", "release_1.2"]).await;
    let before = whole(&world, of).await;
    assert_eq!(
        (
            before.policies.len(),
            before.tags.len(),
            before.labels.len()
        ),
        (2, 3, 2)
    );
    seed(&world, path).await;
    let at = &mark().await.to_string();
    world.erase(of).await;
    next_second().await;

    let restore = ["restore", of, at, "--labels", "--output", "json"];
    let answer = world.ssmbak(&restore).await.exits(0);
    assert_eq!(answer.json()[0]["Reason"], Json::Null);
    assert_eq!(whole(&world, of).await, before);
    let again = world.ssmbak(&restore).await.exits(0);
    assert_eq!(again.json(), json!([]));
}

#[tokio::test]
async fn a_recreated_parameter_has_its_tags_at_once_and_after_a_lost_answer() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let path = &world.own("/tagged/");
    let all = ["at-once", "lost-after", "lost-before"].map(|leaf| format!("{path}{leaf}"));
    for of in &all {
        let create = world.ssm.put_parameter().name(of).value("v");
        let create = create.r#type(ParameterType::String).tags(tag("team", "a"));
        create.send().await.unwrap();
    }
    seed(&world, path).await;
    let at = mark().await.to_string();
    for of in &all {
        world.erase(of).await;
    }
    next_second().await;
    let world = world.behind(&proxy);
    let lost = ApiError::new(500, "InternalServerError", "An error occurred.");
    let lost = Disturbance::answer(lost).on("ssm:PutParameter");
    let cases = [
        (&all[0], None),
        (&all[1], Some(When::AfterWork)),
        (&all[2], Some(When::BeforeWork)),
    ];
    for (of, when) in cases {
        proxy.reset_calls();
        if let Some(when) = when {
            proxy.disturb(lost.clone().when(when));
        }
        world.ssmbak(&["restore", of, &at]).await.exits(0);
        let team = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
        assert_eq!(tags_of(&world, of).await, team, "{when:?}");
        assert_eq!(world.version(of).await, 1, "{when:?}");
        // It is never there without them.
        assert_eq!(proxy.count("ssm:AddTagsToResource"), 0, "{when:?}");
    }
}

#[tokio::test]
async fn what_was_empty_is_cleared_and_an_expiry_that_passed_is_left_out_and_told() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/cleared/");
    let (bare, expired) = (&format!("{path}bare"), &format!("{path}expired"));
    put(&world, bare, "then").send().await.unwrap();
    let soon = "2001-01-01T00:00:00.000Z";
    let before = json!({"Before": "15", "Unit": "Days"});
    let notification =
        json!({"Type": "ExpirationNotification", "Version": "1.0", "Attributes": before});
    let policies = json!([expires(soon), notification, unchanged_for_days()]);
    let advanced = put(&world, expired, "then").tier(ParameterTier::Advanced);
    let advanced = advanced.policies(policies.to_string());
    advanced.send().await.unwrap();
    seed(&world, path).await;
    let at = &mark().await.to_string();
    let all = put(&world, bare, "now")
        .description("d")
        .allowed_pattern("now|then");
    all.send().await.unwrap();
    let more = put(&world, expired, "now").policies(json!([expires(soon)]).to_string());
    more.send().await.unwrap();

    let restore = ["restore", path, at, "--output", "json"];
    let answer = world.ssmbak(&restore).await.exits(0);
    let rows = answer.json();
    assert_eq!(rows[0]["Reason"], Json::Null);
    let told = rows[1]["Reason"].as_str().unwrap();
    assert!(
        told.contains("expiration policy lies in the past"),
        "{told}"
    );
    let bare = whole(&world, bare).await;
    assert_eq!((bare.description, bare.allowed_pattern), (None, None));
    let left = whole(&world, expired).await.policies;
    assert_eq!(left, BTreeSet::from([unchanged_for_days().to_string()]));
    let again = world.ssmbak(&restore).await.exits(0);
    assert_eq!(again.json(), json!([]));
}

#[tokio::test]
async fn policies_go_where_there_were_none() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/policies/db");
    let advanced = || put(&world, of, "same").tier(ParameterTier::Advanced);
    advanced().send().await.unwrap();
    seed(&world, &world.own("/policies/")).await;
    let at = &mark().await.to_string();
    let policies = json!([expires("2099-01-01T00:00:00.000Z")]).to_string();
    advanced().policies(policies).send().await.unwrap();
    world.ssmbak(&["restore", of, at]).await.exits(0);
    assert!(whole(&world, of).await.policies.is_empty());
    assert_eq!(world.version(of).await, 3);
}

/// A parameter whose label `prod` moved from version 1 to version 2, as a first
/// level of its own; returns the instant before.
pub(super) async fn moved_label(world: &World, of: &str) -> Instant {
    world.write(of, "then").await;
    label(world, of, 1, &["prod"]).await;
    let tell = async |from: &str, to: &str| {
        let now = crate::world::now();
        let mut event = parameter_event(of, "LabelParameterVersion", now.millis());
        event["detail"]["label"] = "prod".into();
        event["detail"]["fromVersion"] = from.into();
        event["detail"]["toVersion"] = to.into();
        assert_eq!(world.deliver(&[event]).await, 0);
    };
    tell("", "1").await;
    // Labels stand at the end of their second.
    next_second().await;
    let at = mark().await;
    world.write(of, "now").await;
    label(world, of, 2, &["prod"]).await;
    tell("1", "2").await;
    at
}

#[tokio::test]
async fn labels_come_back_onto_the_new_version_only_if_asked_for() {
    let world = World::on(Lane::Ministack).await;
    let (plain, labelled) = (&world.own("/labels/plain"), &world.own("/labels/labelled"));
    let at = &moved_label(&world, plain).await.to_string();
    world.ssmbak(&["restore", plain, at]).await.exits(0);
    let none = Vec::<String>::new;
    let prod = || vec!["prod".to_owned()];
    let stays = [(1, none()), (2, prod()), (3, none())];
    assert_eq!(labels_of(&world, plain).await, stays);

    let at = &moved_label(&world, labelled).await.to_string();
    let preview = ["preview", labelled, at, "--labels", "--output", "json"];
    let row = &world.ssmbak(&preview).await.exits(0).json()[0];
    assert_eq!(
        (&row["Change"], &row["Labels"]),
        (&json!("update"), &json!(["prod"]))
    );
    let restore = ["restore", labelled, at, "--labels", "--output", "json"];
    world.ssmbak(&restore).await.exits(0);
    let moved = [(1, none()), (2, none()), (3, prod())];
    assert_eq!(labels_of(&world, labelled).await, moved);
    assert_eq!(world.ssmbak(&restore).await.exits(0).json(), json!([]));
}

#[tokio::test]
async fn labels_alone_take_no_new_version() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/alone/");
    let (same, equal) = (&format!("{path}same"), &format!("{path}equal"));
    let at = &moved_label(&world, equal).await.to_string();
    world.write(equal, "then").await;
    world.put(same, "then").await;
    label(&world, same, 1, &["a", "b"]).await;
    seed(&world, path).await;
    let at_same = &mark().await.to_string();
    let take = world.ssm.unlabel_parameter_version().name(same);
    let take = take.parameter_version(1).labels("b");
    take.send().await.unwrap();
    for (of, at, version) in [(equal, at, 3), (same, at_same, 1)] {
        let preview = ["preview", of, at, "--output", "json"];
        let without = world.ssmbak(&preview).await.exits(0);
        assert_eq!(without.json(), json!([]), "{of}");
        let restore = ["restore", of, at, "--labels", "--output", "json"];
        let answer = world.ssmbak(&restore).await.exits(0);
        assert_eq!(column(&answer.json(), "Outcome"), ["restored"], "{of}");
        assert_eq!(column(&answer.json(), "Value"), ["then"], "{of}");
        assert_eq!(world.version(of).await, version, "{of}");
    }
    assert_eq!(labels_of(&world, equal).await[2].1, ["prod"]);
    assert_eq!(
        whole(&world, same).await.labels,
        ["a", "b"].map(String::from).into()
    );
    // The run says so.
    let rows = world.rows().await;
    let of_run = rows.iter().find(|row| {
        let run = row["entry"].as_str().is_some_and(|e| e.starts_with("run#"));
        run && row["name"] == **same && row["outcome"] == "restored"
    });
    let of_run = of_run.unwrap();
    assert_eq!(
        (&of_run["alone"], &of_run["labels"]),
        (&json!(["labels"]), &json!(["b"]))
    );
}

#[tokio::test]
async fn a_type_changes_back_with_the_pattern_of_then() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/types/");
    let (text, secret, list) = (
        ParameterType::String,
        ParameterType::SecureString,
        ParameterType::StringList,
    );
    let moves = [
        ("a", &text, &secret),
        ("b", &secret, &text),
        ("c", &list, &secret),
        ("d", &secret, &list),
        ("e", &text, &list),
        ("f", &list, &text),
    ];
    let written = async |leaf: &str, kind: &ParameterType, value: &str, pattern: &str| {
        let of = format!("{path}{leaf}");
        let put = put(&world, &of, value).r#type(kind.clone());
        put.allowed_pattern(pattern).send().await.unwrap();
        whole(&world, &of).await
    };
    let mut then = BTreeMap::new();
    for (leaf, before, _) in moves {
        then.insert(leaf, written(leaf, before, "x,y", "[x-z,]*").await);
    }
    // What lives has a pattern that the value of then does not match.
    then.insert("g", written("g", &text, "letters", "").await);
    seed(&world, path).await;
    let at = &mark().await.to_string();
    for (leaf, _, after) in moves {
        written(leaf, after, "1,2", "[0-9,]*").await;
    }
    written("g", &text, "12", "[0-9]*").await;
    world.ssmbak(&["restore", path, at]).await.exits(0);
    for (leaf, then) in then {
        assert_eq!(
            whole(&world, &format!("{path}{leaf}")).await,
            then,
            "{leaf}"
        );
    }
}

#[tokio::test]
async fn secrets_are_put_under_the_key_of_then_or_the_one_that_takes_its_place() {
    let world = World::emulated(Lane::Ministack, "keys of any name").await;
    let path = &world.own("/keys/");
    let of = |leaf: &str| format!("{path}{leaf}");
    let keys = [
        ("a", "alias/one"),
        ("b", "alias/two"),
        ("c", "alias/aws/ssm"),
    ];
    for (leaf, key) in keys {
        world.put_secret(&of(leaf), "then", key).await;
    }
    world.put(&of("text"), "then").await;
    seed(&world, path).await;
    let at = &mark().await.to_string();
    let change = async || {
        for (leaf, _) in keys {
            world.put_secret(&of(leaf), "now", "alias/other").await;
        }
        world.put(&of("text"), "now").await;
    };
    let restored = async |more: &[&str]| {
        change().await;
        let mut restore = vec!["restore", path, at, "--output", "json"];
        restore.extend(more);
        world.ssmbak(&restore).await.exits(0);
        let again = world.ssmbak(&restore).await.exits(0);
        assert_eq!(again.json(), json!([]), "{more:?}");
        assert_eq!(world.live(&of("text")).await.as_deref(), Some("then"));
        let mut keys = Vec::new();
        for leaf in ["a", "b", "c"] {
            assert_eq!(world.live(&of(leaf)).await.as_deref(), Some("then"));
            keys.push(whole(&world, &of(leaf)).await.key_id.unwrap());
        }
        keys
    };
    assert_eq!(
        restored(&[]).await,
        ["alias/one", "alias/two", "alias/aws/ssm"]
    );
    let all = restored(&["--key-id", "alias/new"]).await;
    assert_eq!(all, ["alias/new"; 3]);
    let some = [
        "--key-id",
        "alias/one=alias/new",
        "--key-id",
        "alias/two=alias/2",
    ];
    assert_eq!(
        restored(&some).await,
        ["alias/new", "alias/2", "alias/aws/ssm"]
    );
    let refused = ["preview", path, at, "--key-id", "alias/one="];
    world.ssmbak(&refused).await.exits(2);
}

/// Puts a version on record whose value is lost.
async fn lose(world: &World, of: &str, at: Instant) {
    let record = Record {
        name: name(of),
        at: at.second_start(),
        change: Change::Written(Written {
            version: None,
            creates: false,
            discriminator: "0e3c8a4e".into(),
            attributes: Attributes {
                parameter_type: "String".into(),
                ..Attributes::default()
            },
            modified_by: None,
            value: ValueState::Lost,
        }),
        source: Source::Event,
        event: None,
        recorded_at: at,
    };
    world.stores.bucket.put_record(&record).await.unwrap();
    world.stores.index.put(&record).await.unwrap();
}

#[tokio::test]
async fn a_lost_value_fails_alone_and_the_nearest_instants_are_named() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/lost/");
    let (fine, lost) = (&format!("{path}fine"), &format!("{path}lost"));
    world.write(fine, "then").await;
    let before = world.write(lost, "before").await;
    next_second().await;
    lose(&world, lost, mark().await).await;
    let at = &mark().await.to_string();
    next_second().await;
    let after = world.write(lost, "after").await;
    world.write(lost, "later").await;
    world.write(fine, "now").await;
    let restore = ["restore", path, at, "--output", "json"];
    let answer = world.ssmbak(&restore).await.exits(3);
    let rows = answer.json();
    assert_eq!(column(&rows, "Outcome"), ["restored", "failed"]);
    let reason = rows[1]["Reason"].as_str().unwrap();
    let nearest = format!("; the nearest instants with a value: {before} and {after}");
    assert!(reason.ends_with(&nearest), "{reason}");
    assert!(answer.stderr.contains(&nearest), "{}", answer.stderr);
    for (at, value) in [(before, "before"), (after, "after")] {
        let at = &at.to_string();
        let shown = world.ssmbak(&["show", lost, at]).await.exits(0);
        assert_eq!(shown.stdout, value);
    }
}
