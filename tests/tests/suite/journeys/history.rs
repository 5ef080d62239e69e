//! `ssmbak history`.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use ssmbak_tests::events::parameter_event;

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
