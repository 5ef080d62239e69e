//! `ssmbak diff`.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use serde_json::json;
use ssmbak_core::domain::Instant;
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::Proxy;

use super::attributes::tag;
use super::{Lane, World, column, keys, told};
use crate::world::{mark, next_second};

const FIELDS: [&str; 29] = [
    "Name",
    "Change",
    "Changed",
    "OldValue",
    "NewValue",
    "OldVersion",
    "NewVersion",
    "OldModified",
    "NewModified",
    "OldModifiedBy",
    "NewModifiedBy",
    "OldType",
    "NewType",
    "OldDescription",
    "NewDescription",
    "OldTier",
    "NewTier",
    "OldDataType",
    "NewDataType",
    "OldKeyId",
    "NewKeyId",
    "OldAllowedPattern",
    "NewAllowedPattern",
    "OldPolicies",
    "NewPolicies",
    "OldTags",
    "NewTags",
    "OldValueState",
    "NewValueState",
];

const KEY: &str = "alias/aws/ssm";

/// A tree that changed in every way between two instants, and again since.
struct Changed {
    path: String,
    then: Instant,
    later: Instant,
}

async fn changed(world: &World) -> Changed {
    let path = world.own("/app/");
    let of = |leaf: &str| format!("{path}{leaf}");
    let lines = |five: &str| format!("1\n2\n3\n4\n{five}\n6\n7\n8\n9");
    let tell = async |leaf: &str| world.tell_newest(&of(leaf)).await;
    for leaf in ["gone", "plain", "same", "told", "back"] {
        world.put(&of(leaf), "then").await;
    }
    world.put(&of("deep/lines"), &lines("five")).await;
    world.put_secret(&of("secret"), "hush, then", KEY).await;
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    let then = mark().await;
    world.write(&of("plain"), "\u{1b}[2Jnow").await;
    world.write(&of("deep/lines"), &lines("5")).await;
    world.write(&of("new"), "now").await;
    world.write(&of("back"), "there").await;
    world.put_secret(&of("secret"), "hush, now", KEY).await;
    tell("secret").await;
    let described = world.ssm.put_parameter().name(of("told")).value("then");
    let described = described.description("a\ndescription").overwrite(true);
    described.send().await.unwrap();
    tell("told").await;
    world.erase(&of("gone")).await;
    next_second().await;
    let later = mark().await;
    world.write(&of("back"), "then").await;
    world.write(&of("newer"), "now").await;
    Changed { path, then, later }
}

/// The text with what differs from run to run replaced.
fn steady(text: &str, tree: &Changed) -> String {
    text.replace(&tree.path, "/app/")
        .replace(&tree.then.to_string(), "THEN")
        .replace(&tree.later.to_string(), "LATER")
}

#[tokio::test]
async fn two_instants_are_compared_like_a_patch_without_secrets() {
    let world = World::on(Lane::Ministack).await;
    let tree = changed(&world).await;
    let (then, later) = (&tree.then.to_string(), &tree.later.to_string());
    let diff = ["diff", &tree.path, then, later, "-R"];
    let answer = world.ssmbak(&diff).await.exits(0);
    insta::assert_snapshot!(steady(&answer.stdout, &tree), @r"
    --- /app/back THEN (version 1)
    +++ /app/back LATER (version 2)
    -then
    +there
    --- /app/deep/lines THEN (version 1)
    +++ /app/deep/lines LATER (version 2)
    @@ -2,7 +2,7 @@
     2
     3
     4
    -five
    +5
     6
     7
     8
    --- /app/gone THEN (version 1)
    +++ (absent) LATER
    -then
    --- (absent) THEN
    +++ /app/new LATER (version 1)
    +now
    --- /app/plain THEN (version 1)
    +++ /app/plain LATER (version 2)
    -then
    +\u{1b}[2Jnow
    --- /app/secret THEN (version 1)
    +++ /app/secret LATER (version 2)
    ~ Value: (secret differs)
    --- /app/told THEN (version 1)
    +++ /app/told LATER (version 2)
    ~ Description: (none) -> a\ndescription
    ");
    let lines = [
        "from THEN to LATER",
        "5 changed, 1 added, 1 removed, 1 unchanged",
    ];
    assert_eq!(
        told(&answer)
            .iter()
            .map(|l| steady(l, &tree))
            .collect::<Vec<_>>(),
        lines
    );
    let mut revealed = diff.to_vec();
    revealed.push("--reveal");
    let shown = world.ssmbak(&revealed).await.exits(0).stdout;
    assert!(shown.contains("-hush, then\n+hush, now\n"), "{shown}");
    let nothing = ["diff", &tree.path, later, later, "-R", "--exit-code"];
    assert_eq!(world.ssmbak(&nothing).await.exits(0).stdout, "");
    let mut counted = diff.to_vec();
    counted.push("--exit-code");
    world.ssmbak(&counted).await.exits(5);
    let direct = ["diff", &tree.path, then, later];
    let direct = world.ssmbak(&direct).await.exits(0).stdout;
    assert!(
        !direct.contains("lines") && direct.contains("plain"),
        "{direct}"
    );
    let swapped = world
        .ssmbak(&["diff", &tree.path, later, then])
        .await
        .exits(2);
    assert!(swapped.stderr.contains("hint: swap them"), "{swapped:?}");
}

#[tokio::test]
async fn a_comparison_with_now_tells_what_a_preview_tells() {
    let world = World::on(Lane::Ministack).await;
    let tree = changed(&world).await;
    let of = |leaf: &str| format!("{}{leaf}", tree.path);
    // Tags alone, told; and what nobody told of.
    let kind = aws_sdk_ssm::types::ResourceTypeForTagging::Parameter;
    let add = world.ssm.add_tags_to_resource().resource_id(of("same"));
    add.resource_type(kind)
        .tags(tag("team", "a"))
        .send()
        .await
        .unwrap();
    let seed = ["seed", &tree.path, "--do-it", "--tags"];
    world.ssmbak(&seed).await.exits(0);
    world.put(&of("plain"), "not on record").await;
    world.put(&of("unrecorded"), "x").await;
    for at in [&tree.then, &tree.later] {
        let at = &at.to_string();
        let form = async |command: &str| {
            let words = [command, &tree.path, at, "-R", "--output", "json"];
            world.ssmbak(&words).await.exits(0).json()
        };
        let (preview, diff) = (form("preview").await, form("diff").await);
        let plan = preview.as_array().unwrap().iter();
        let plan = plan.map(|row| {
            let change = match row["Change"].as_str().unwrap() {
                "create" => "removed",
                "update" => "changed",
                "delete" => "added",
                other => other,
            };
            let alone = row["Alone"] == json!(["tags"]);
            (row["Name"].to_string(), change, alone)
        });
        let found = diff.as_array().unwrap().iter();
        let found = found.map(|row| {
            let alone = row["Changed"] == json!(["Tags"]);
            (
                row["Name"].to_string(),
                row["Change"].as_str().unwrap(),
                alone,
            )
        });
        let found: Vec<_> = found.collect();
        assert!(found.len() >= 4, "{found:?}");
        assert_eq!(plan.collect::<Vec<_>>(), found);
    }
}

fn row<'a>(rows: &'a Json, leaf: &str) -> &'a Json {
    let mut rows = rows.as_array().unwrap().iter();
    rows.find(|row| row["Name"].as_str().unwrap().ends_with(leaf))
        .unwrap()
}

#[tokio::test]
async fn rows_have_exactly_the_documented_fields_and_no_secret() {
    let world = World::on(Lane::Ministack).await;
    let tree = changed(&world).await;
    let (then, later) = (&tree.then.to_string(), &tree.later.to_string());
    let form = async |form: &str, more: &[&str]| {
        let mut words = vec!["diff", &tree.path, then, later, "-R", "--output", form];
        words.extend(more);
        world.ssmbak(&words).await.exits(0)
    };
    let rows = form("json", &[]).await.json();
    for row in rows.as_array().unwrap() {
        assert_eq!(keys(row), BTreeSet::from(FIELDS));
    }
    let plain = row(&rows, "/plain");
    assert_eq!(
        (&plain["Change"], &plain["Changed"]),
        (&json!("changed"), &json!(["Value"]))
    );
    assert_eq!(
        (&plain["OldValue"], &plain["NewValue"]),
        (&json!("then"), &json!("\u{1b}[2Jnow"))
    );
    assert_eq!(
        (&plain["OldVersion"], &plain["NewVersion"]),
        (&json!(1), &json!(2))
    );
    let described = row(&rows, "/told");
    assert_eq!(described["Changed"], json!(["Description"]));
    assert_eq!(
        (&described["OldValue"], &described["OldDescription"]),
        (&Json::Null, &Json::Null)
    );
    assert_eq!(described["NewDescription"], "a\ndescription");
    let (new, gone) = (row(&rows, "/new"), row(&rows, "/gone"));
    assert_eq!(
        (&new["OldValue"], &new["NewValue"]),
        (&Json::Null, &json!("now"))
    );
    assert_eq!(
        (&gone["OldValue"], &gone["NewType"]),
        (&json!("then"), &Json::Null)
    );
    assert_eq!(gone["Change"], "removed");
    let secret = row(&rows, "/secret");
    assert_eq!(secret["Changed"], json!(["Value"]));
    assert_eq!(
        (&secret["OldValue"], &secret["NewValue"]),
        (&Json::Null, &Json::Null)
    );
    let revealed = form("json", &["--reveal"]).await.json();
    assert_eq!(row(&revealed, "/secret")["NewValue"], "hush, now");
    let lines = form("jsonl", &[]).await.stdout;
    let lines: Vec<Json> = lines
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(Json::Array(lines), rows);
    let csv = form("csv", &[]).await.stdout;
    assert_eq!(
        csv.lines().next().unwrap().split(',').collect::<Vec<_>>(),
        FIELDS
    );
}

#[tokio::test]
async fn what_is_unknown_at_either_instant_is_told_and_is_no_difference() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/half/");
    world.write(&format!("{path}known"), "then").await;
    let then = &mark().await.to_string();
    world.write(&format!("{path}known"), "later").await;
    // Before its first record nobody knows: nothing covers the path.
    world.write(&format!("{path}young"), "x").await;
    let later = &mark().await.to_string();
    for to in [later, "now"] {
        let words = ["diff", path, then, to, "--output", "json", "--exit-code"];
        let answer = world.ssmbak(&words).await.exits(3);
        assert_eq!(column(&answer.json(), "Change"), ["changed", "unknown"]);
        let warning = format!("warning: {path}young: unknown at {then}; known from ");
        assert!(answer.stderr.contains(&warning), "{answer:?}");
        assert!(
            answer
                .stderr
                .contains("0 added, 0 removed, 0 unchanged, 1 unknown")
        );
        let text = world
            .ssmbak(&["diff", path, then, to])
            .await
            .exits(3)
            .stdout;
        assert!(
            text.contains(&format!("? {path}young unknown at {then}\n")),
            "{text}"
        );
    }
    let nothing = ["diff", path, "2020-01-01", then];
    let nothing = world.ssmbak(&nothing).await.exits(4);
    assert!(
        nothing
            .stderr
            .contains("hint: the nearest known instant is"),
        "{nothing:?}"
    );
}

#[tokio::test]
async fn two_instants_cost_one_listing_and_what_changed() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy")
        .await
        .behind(&proxy);
    let path = &world.own("/cost/");
    for number in 0..30 {
        world.put(&format!("{path}{number:02}"), "then").await;
    }
    world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
    let then = &mark().await.to_string();
    for number in [3, 4] {
        world.write(&format!("{path}{number:02}"), "later").await;
    }
    let later = &mark().await.to_string();
    for number in [4, 5] {
        world.write(&format!("{path}{number:02}"), "now").await;
    }
    proxy.reset_calls();
    let answer = world.ssmbak(&["diff", path, then, later]).await.exits(0);
    assert_eq!(answer.stdout.matches("+++").count(), 2, "{answer:?}");
    let counts = proxy.counts();
    let count = |operation: &str| counts.get(operation).copied().unwrap_or_default();
    assert_eq!(count("ssm:DescribeParameters"), 1, "{counts:?}");
    // Heads and coverage; of 3 one, of 4 two, of 5 one that serves for both.
    assert_eq!(count("dynamodb:Query"), 2 + 1 + 2 + 1, "{counts:?}");
    assert_eq!(count("s3:GetObject"), 3, "{counts:?}");
    assert_eq!(count("ssm:GetParameters"), 1, "{counts:?}");
    assert_eq!(count("ssm:GetParameterHistory"), 0, "{counts:?}");
    assert_eq!(count("ssm:ListTagsForResource"), 0, "{counts:?}");
}
