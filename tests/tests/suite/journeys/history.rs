//! `ssmbak history`.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::events::parameter_event;
use ssmbak_tests::proxy::Proxy;

use super::{Lane, World, column, keys, told};
use crate::world::{mark, next_second};

const FIELDS: [&str; 16] = [
    "Name",
    "Time",
    "EventTime",
    "Operation",
    "Type",
    "Version",
    "ModifiedBy",
    "Source",
    "Label",
    "FromVersion",
    "ToVersion",
    "Exact",
    "NotBefore",
    "ValueState",
    "Tags",
    "SourceIp",
];

async fn history(world: &World, arguments: &[&str]) -> Json {
    let mut all = vec!["history", "--output", "json"];
    all.extend(arguments);
    world.ssmbak(&all).await.exits(0).json()
}

#[tokio::test]
async fn every_change_is_listed_newest_first_with_its_own_time() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/h/");
    let (a, b) = (&format!("{path}a"), &format!("{path}deep/b"));
    let created = world.write(a, "1").await;
    world.write(b, "1").await;
    let between = &mark().await.to_string();
    let updated = world.write(a, "2").await;
    let mut label = parameter_event(a, "LabelParameterVersion", updated.millis());
    label["detail"]["label"] = "prod".into();
    label["detail"]["fromVersion"] = "1".into();
    label["detail"]["toVersion"] = "2".into();
    assert_eq!(world.deliver(&[label]).await, 0);
    next_second().await;
    let deleted = world.erase(a).await;

    let all = history(&world, &[path, "-R"]).await;
    for row in all.as_array().unwrap() {
        assert_eq!(keys(row), BTreeSet::from(FIELDS));
    }
    let told = [
        "Delete",
        "LabelParameterVersion",
        "Update",
        "Create",
        "Create",
    ];
    assert_eq!(column(&all, "Operation"), told);
    assert_eq!(column(&all, "Name"), [a, a, a, b, a]);
    let times = column(&all, "Time");
    assert_eq!(times[0], deleted.to_string());
    assert_eq!(
        (times[2], times[4]),
        (&*updated.to_string(), &*created.to_string())
    );
    assert_eq!(all[1]["Label"], "prod");
    assert_eq!(
        (&all[1]["FromVersion"], &all[1]["ToVersion"]),
        (&1.into(), &2.into())
    );
    assert_eq!(
        (&all[0]["Exact"], &all[0]["ModifiedBy"]),
        (&true.into(), &Json::Null)
    );
    assert_eq!(
        (&all[2]["Version"], &all[2]["ValueState"]),
        (&2.into(), &"stored".into())
    );
    assert_eq!(all[2]["EventTime"], updated.second_start().to_string());

    let direct = history(&world, &[path]).await;
    assert_eq!(column(&direct, "Name"), [a; 4]);
    let one = history(&world, &[a]).await;
    assert_eq!(
        column(&one, "Operation"),
        [told[0], told[1], told[2], told[3]]
    );
    let since = history(&world, &[path, "-R", "--since", between]).await;
    assert_eq!(column(&since, "Operation"), told[..3]);
    let until = history(&world, &[path, "-R", "--until", between]).await;
    assert_eq!(column(&until, "Operation"), told[3..]);
    let both = [
        path,
        "-R",
        "--since",
        &created.to_string(),
        "--until",
        &created.to_string(),
    ];
    assert_eq!(column(&history(&world, &both).await, "Name"), [a]);
}

#[tokio::test]
async fn history_needs_no_value_and_an_empty_one_is_no_error() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/h/plain");
    let answer = world.ssmbak(&["history", of]).await.exits(0);
    assert_eq!((answer.stdout.as_str(), told(&answer)), ("", vec![]));
    world.write(of, "a value nobody is to see here").await;
    let answer = world.ssmbak(&["history", of]).await.exits(0);
    let header = answer.stdout.lines().nth(1).unwrap();
    let columns: Vec<&str> = header
        .split('┆')
        .map(|c| c.trim_matches([' ', '│']))
        .collect();
    assert_eq!(
        columns,
        ["Time", "Operation", "Name", "Version", "Type", "By"]
    );
    assert!(!answer.stdout.contains("a value"), "{}", answer.stdout);
    let backwards = ["history", of, "--since", "now", "--until", "-1h"];
    let refused = world.ssmbak(&backwards).await.exits(2);
    assert!(refused.stderr.contains("hint: swap them"), "{refused:?}");
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_a_usage_error() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/h/x");
    let word = ["history", of, "--operation", "update,rename"];
    let refused = world.ssmbak(&word).await.exits(2);
    let words = "it must be one of create, update, delete, stillthere, labelparameterversion, \
                 tags, deletedby or label";
    assert!(refused.stderr.contains(words), "{refused:?}");
    world
        .ssmbak(&["history", of, "--limit", "0"])
        .await
        .exits(2);
    world.ssmbak(&["history", of, "--reveal"]).await.exits(2);
}

#[tokio::test]
async fn filters_pick_and_a_limit_cuts() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/f/");
    let (a, b) = (&format!("{path}a"), &format!("{path}b"));
    world.write(a, "1").await;
    world.write(b, "1").await;
    world.write(a, "2").await;
    let column_of = async |arguments: &[&str]| {
        let rows = history(&world, arguments).await;
        column(&rows, "Operation").join(" ")
    };
    assert_eq!(column_of(&[path, "--limit", "2"]).await, "Update Create");
    assert_eq!(column_of(&[a, "--limit", "1"]).await, "Update");
    let create = [path, "--operation", "Create", "--limit", "1"];
    assert_eq!(column_of(&create).await, "Create");
    assert_eq!(column_of(&[path, "--operation", "tags"]).await, "");
    let all = history(&world, &[path]).await;
    let by = all[0]["ModifiedBy"].as_str().unwrap().to_uppercase();
    assert_eq!(history(&world, &[path, "--by", &by]).await, all);
    assert_eq!(column_of(&[path, "--by", "not-among-them"]).await, "");
}

#[tokio::test]
async fn with_values_each_version_tells_what_it_changed() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/v/");
    let (a, secret) = (&format!("{path}a"), &format!("{path}secret"));
    world.write(a, "one").await;
    world.write(a, "two").await;
    let put = world.ssm.put_parameter().name(a).value("two");
    let put = put.overwrite(true).description("told");
    put.allowed_pattern("t.*").send().await.unwrap();
    world.tell_newest(a).await;
    for value in ["hush-1", "hush-1", "hush-2"] {
        world.put_secret(secret, value, "alias/aws/ssm").await;
        world.tell_newest(secret).await;
    }
    next_second().await;
    world.erase(a).await;
    next_second().await;
    world.write(a, "anew").await;
    for whose in [&[a.as_str()][..], &[path, "-R", "--until", "now"]] {
        let rows = history(&world, &[whose, &["--values"]].concat()).await;
        let rows = rows.as_array().unwrap();
        let of = rows.iter().filter(|row| row["Name"] == **a);
        let told: Vec<Json> = of
            .map(|row| json!([row["Changed"], row["PreviousValue"], row["Value"]]))
            .collect();
        let expected = json!([
            [null, null, "anew"],
            [null, null, null],
            [["Description", "AllowedPattern"], "two", "two"],
            [["Value"], "one", "two"],
            [null, null, "one"],
        ]);
        assert_eq!(Json::from(told), expected, "{whose:?}");
    }
    let masked = history(&world, &[secret, "--values"]).await;
    let rows = masked.as_array().unwrap();
    let changed: Vec<&Json> = rows.iter().map(|r| &r["Changed"]).collect();
    assert_eq!(json!(changed), json!([["Value"], [], null]));
    assert!(!masked.to_string().contains("hush"), "{masked}");
    for form in ["table", "csv", "jsonl"] {
        let masked = ["history", path, "-R", "--values", "--output", form];
        let masked = world.ssmbak(&masked).await.exits(0);
        assert!(!masked.stdout.contains("hush"), "{masked:?}");
        assert!(masked.stdout.contains("anew"), "{masked:?}");
    }
    let table = world.ssmbak(&["history", a, "--values"]).await.exits(0);
    assert!(table.stdout.contains("one -> two"), "{table:?}");
    let revealed = history(&world, &[secret, "--values", "--reveal"]).await;
    let shown = (&revealed[0]["PreviousValue"], &revealed[0]["Value"]);
    assert_eq!(shown, (&"hush-1".into(), &"hush-2".into()));
}

#[tokio::test]
async fn a_value_that_is_gone_is_null_and_no_failure() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/v/expired");
    world.write(of, "one").await;
    world.write(of, "two").await;
    let bucket = &world.location.bucket;
    let list = world.s3.list_object_versions().bucket(bucket);
    let listed = list.prefix(of).send().await.unwrap();
    let mut older = listed.versions().iter();
    let oldest = older.find(|v| v.is_latest() == Some(false)).unwrap();
    let delete = world.s3.delete_object().bucket(bucket).key(of);
    let delete = delete.version_id(oldest.version_id().unwrap());
    delete.send().await.unwrap();
    let rows = history(&world, &[of, "--values"]).await;
    // Nobody knows that it was the same.
    assert_eq!(rows[0]["Changed"], json!(["Value"]));
    let values = (&rows[0]["Value"], &rows[1]["Value"]);
    assert_eq!(values, (&"two".into(), &Json::Null));
    let table = world.ssmbak(&["history", of, "--values"]).await.exits(0);
    assert!(table.stdout.contains("(lost) -> two"), "{table:?}");
}

#[tokio::test]
async fn without_values_nothing_but_the_index_is_called() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let world = world.behind(&proxy);
    let of = &world.own("/calls/a");
    world.write(of, "one").await;
    proxy.reset_calls();
    let bucket = ["--bucket", &world.location.bucket];
    let table = ["--table", &world.location.table];
    let history = [&["history", of][..], &bucket, &table].concat();
    world.ssmbak(&history).await.exits(0);
    let counts = proxy.counts();
    let calls: BTreeSet<&str> = counts.keys().map(String::as_str).collect();
    assert_eq!(
        calls,
        BTreeSet::from(["dynamodb:GetItem", "dynamodb:Query"])
    );
}
