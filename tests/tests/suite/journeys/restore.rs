//! `ssmbak restore`.

use std::collections::BTreeSet;

use aws_sdk_ssm::types::{ParameterTier, ParameterType, Tag};
use serde_json::Value as Json;

use super::preview::{FIELDS, changed_tree};
use super::{Lane, World, column, keys, told};
use crate::world::{mark, next_second};

#[tokio::test]
async fn a_restore_writes_what_differs_and_nothing_else() {
    let world = World::on(Lane::Ministack).await;
    let (path, then) = changed_tree(&world).await;
    let at = then.to_string();
    let restore = ["restore", &path, &at, "-R", "--yes", "--output", "json"];
    next_second().await;
    let answer = world.ssmbak(&restore).await.exits(0);
    let rows = answer.json();
    let mut fields = BTreeSet::from(FIELDS);
    fields.extend(["Outcome", "Reason"]);
    for row in rows.as_array().unwrap() {
        assert_eq!(keys(row), fields);
        assert_eq!(row["Reason"], Json::Null);
    }
    let outcomes = ["restored", "restored", "restored", "deleted"];
    assert_eq!(column(&rows, "Outcome"), outcomes);
    assert_eq!(told(&answer).last(), Some(&"3 restored, 1 deleted"));
    let live = async |leaf: &str| world.live(&format!("{path}{leaf}")).await;
    for leaf in ["changed", "gone", "same", "deep/changed"] {
        assert_eq!(live(leaf).await.as_deref(), Some("then"), "{leaf}");
    }
    assert_eq!(live("new").await, None);
    let versions = [
        ("changed", 3),
        ("gone", 1),
        ("same", 1),
        ("deep/changed", 3),
    ];
    let written_once = async || {
        for (leaf, version) in versions {
            assert_eq!(world.version(&format!("{path}{leaf}")).await, version);
        }
    };
    written_once().await;

    let answer = world.ssmbak(&restore).await.exits(0);
    assert_eq!(answer.stdout, "[]\n");
    let nothing = "0 to update, 0 to create, 0 to delete, 4 unchanged";
    assert_eq!(told(&answer), [&format!("at {at}"), nothing]);
    written_once().await;
}

#[tokio::test]
async fn a_deletion_that_nobody_agreed_to_is_not_begun() {
    let world = World::on(Lane::Ministack).await;
    let (path, then) = changed_tree(&world).await;
    let at = then.to_string();
    let before = world.rows().await;
    let answer = world.ssmbak(&["restore", &path, &at, "-R"]).await.exits(2);
    assert_eq!(answer.stdout, "");
    assert!(
        answer
            .stderr
            .contains("error: this restore would delete 1 parameter")
    );
    assert!(answer.stderr.contains("hint: "), "{}", answer.stderr);
    assert!(answer.stderr.contains("--yes"), "{}", answer.stderr);
    assert_eq!(world.live(&format!("{path}changed")).await.unwrap(), "now");
    assert_eq!(world.live(&format!("{path}new")).await.unwrap(), "now");
    assert_eq!(world.rows().await, before);
    // Writing alone needs no agreement.
    let one = format!("{path}changed");
    world.ssmbak(&["restore", &one, &at]).await.exits(0);
    assert_eq!(world.live(&one).await.unwrap(), "then");
}

#[tokio::test]
async fn everything_that_can_be_put_back_comes_back_exactly() {
    let world = World::emulated(Lane::Ministack, "keys of any name").await;
    let of = &world.own("/exact/all");
    let value = "  {{x}} \n\té💾 \n";
    let tag = Tag::builder()
        .key("team")
        .value("ops & co")
        .build()
        .unwrap();
    let put = world.ssm.put_parameter().name(of).value(value);
    let put = put.r#type(ParameterType::SecureString).key_id("alias/mine");
    let put = put.description("what: it (is)").allowed_pattern("(?s).*");
    let put = put.tier(ParameterTier::Advanced).tags(tag);
    put.send().await.unwrap();
    let kept = world.own("/exact/kept");
    world.put(&kept, "old").await;
    let path = world.own("/exact/");
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    let at = mark().await.to_string();
    world.erase(of).await;
    world.put_secret(&kept, "new", "alias/other").await;
    next_second().await;
    let restore = ["restore", &path, &at, "--yes"];
    world.ssmbak(&restore).await.exits(0);

    assert_eq!(world.live(of).await.as_deref(), Some(value));
    let described = world.ssm.describe_parameters().send().await.unwrap();
    let named = |name: &str| {
        let mut all = described.parameters().iter();
        all.find(|p| p.name() == Some(name)).unwrap().clone()
    };
    let whole = named(of);
    assert_eq!(whole.r#type(), Some(&ParameterType::SecureString));
    assert_eq!(whole.key_id(), Some("alias/mine"));
    assert_eq!(whole.description(), Some("what: it (is)"));
    assert_eq!(whole.allowed_pattern(), Some("(?s).*"));
    assert_eq!(whole.tier(), Some(&ParameterTier::Advanced));
    let parameter = aws_sdk_ssm::types::ResourceTypeForTagging::Parameter;
    let tags = world.ssm.list_tags_for_resource().resource_id(of);
    let tags = tags.resource_type(parameter).send().await.unwrap();
    assert_eq!(tags.tag_list()[0].value(), "ops & co");
    assert_eq!(named(&kept).r#type(), Some(&ParameterType::String));
    assert_eq!(world.live(&kept).await.as_deref(), Some("old"));
}

#[tokio::test]
async fn what_is_unknown_is_told_and_left_alone() {
    let world = World::on(Lane::Ministack).await;
    let path = world.own("/part/");
    let (known, unknown) = (format!("{path}known"), format!("{path}unknown"));
    world.write(&known, "then").await;
    let at = mark().await.to_string();
    world.write(&known, "now").await;
    world.put(&unknown, "now").await;
    let restore = ["restore", &path, &at, "--yes", "--output", "json"];
    let answer = world.ssmbak(&restore).await.exits(3);
    assert_eq!(column(&answer.json(), "Outcome"), ["restored", "skipped"]);
    assert!(
        answer
            .stderr
            .contains(&format!("warning: {unknown}: unknown at {at}"))
    );
    assert_eq!(world.live(&unknown).await.as_deref(), Some("now"));
    assert_eq!(world.live(&known).await.as_deref(), Some("then"));
}
