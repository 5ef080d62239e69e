//! `ssmbak export`, and `show --metadata`.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value as Json, json};
use ssmbak_core::domain::Instant;

use super::{Lane, World, keys, told};
use crate::world::{mark, next_second, now};

const EXACT: &str = " \tlead, {{x}}, ${y} é💾 \r\n\n 'q' ";
const KEY: &str = "alias/aws/ssm";

/// A tree that was changed after the returned instant.
async fn tree(world: &World) -> (String, Instant) {
    let path = world.own("/app/");
    let of = |leaf: &str| format!("{path}{leaf}");
    let put = world.ssm.put_parameter().name(of("db/url")).value(EXACT);
    let put = put.r#type(aws_sdk_ssm::types::ParameterType::String);
    put.description("the database").send().await.unwrap();
    world.put(&of("gone"), "then").await;
    world.put(&of("same"), "then").await;
    let list = world.ssm.put_parameter().name(of("list")).value("a,b");
    let list = list.r#type(aws_sdk_ssm::types::ParameterType::StringList);
    list.send().await.unwrap();
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    let then = mark().await;
    world.write(&of("db/url"), "now").await;
    world.erase(&of("gone")).await;
    world.write(&of("new"), "now").await;
    (path, then)
}

#[tokio::test]
async fn a_tree_is_exported_as_it_was_complete() {
    let world = World::on(Lane::Ministack).await;
    let (path, then) = tree(&world).await;
    let at = &then.to_string();
    let answer = world.ssmbak(&["export", &path, at, "-R"]).await.exits(0);
    assert_eq!(told(&answer), [&format!("at {at}"), "4 exported"]);
    let file = answer.json();
    assert_eq!(file["ssmbakExport"], 1);
    assert_eq!(
        (&file["Path"], &file["Recursive"]),
        (&json!(path), &json!(true))
    );
    assert_eq!((&file["Time"], &file["Prefix"]), (&json!(at), &Json::Null));
    let parameters = file["Parameters"].as_array().unwrap();
    let name = |leaf: &str| json!(format!("{path}{leaf}"));
    let names: Vec<_> = parameters.iter().map(|p| p["Name"].clone()).collect();
    assert_eq!(
        names,
        [name("db/url"), name("gone"), name("list"), name("same")]
    );
    let url = &parameters[0];
    assert_eq!((&url["Value"], &url["Version"]), (&json!(EXACT), &json!(1)));
    assert_eq!(
        (&url["Type"], &url["Description"]),
        (&json!("String"), &json!("the database"))
    );
    assert_eq!(
        (&url["Tier"], &url["DataType"]),
        (&json!("Standard"), &json!("text"))
    );
    // Those that still live unchanged have their tags too.
    assert_eq!(
        (&parameters[1]["Tags"], &parameters[3]["Tags"]),
        (&json!({}), &json!({}))
    );

    let direct = world.ssmbak(&["export", &path, at, "--strip-prefix"]).await;
    let direct = direct.exits(0).json();
    assert_eq!(direct["Prefix"], json!(path));
    assert_eq!(direct["Parameters"][0]["Name"], "gone");
    assert_eq!(direct["Parameters"].as_array().unwrap().len(), 3);
    let one = &format!("{path}same");
    let one = ["export", one, at, "--strip-prefix", "--format", "tfvars"];
    assert_eq!(
        world.ssmbak(&one).await.exits(0).stdout,
        "same = \"then\"\n"
    );
}

#[tokio::test]
async fn every_form_tells_the_same_values() {
    let world = World::on(Lane::Ministack).await;
    let (path, then) = tree(&world).await;
    let at = &then.to_string();
    let form = async |form: &str| {
        let words = [
            "export",
            &path,
            at,
            "-R",
            "--strip-prefix",
            "--format",
            form,
        ];
        world.ssmbak(&words).await.exits(0).stdout
    };
    let url = "DB_URL=\" \tlead, {{x}}, \\${y} é💾 \r\n\n 'q' \"\n";
    let rest = "GONE=then\nLIST=a,b\nSAME=then\n";
    assert_eq!(form("dotenv").await, format!("{url}{rest}"));
    insta::assert_snapshot!(form("tfvars").await, @r#"
    db_url = " \tlead, {{x}}, $${y} é💾 \r\n\n 'q' "
    gone = "then"
    list = ["a", "b"]
    same = "then"
    "#);
    let yaml = form("yaml").await;
    let exact = r#"    Value: " \tlead, {{x}}, ${y} é💾 \r\n\n 'q' ""#;
    assert!(yaml.contains(exact), "{yaml}");
    assert!(yaml.contains("  - Name: \"list\"\n    Type: \"StringList\"\n    Value: \"a,b\"\n"));
    let csv = form("csv").await;
    assert!(csv.contains("\nlist,StringList,\"a,b\",1,"), "{csv}");
}

#[tokio::test]
async fn secrets_are_written_only_when_asked_for_and_never_in_part() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/keep/");
    for leaf in ["a", "b", "c", "d", "e"] {
        world
            .put_secret(&format!("{path}{leaf}"), "hush", KEY)
            .await;
    }
    world.put(&format!("{path}plain"), "open").await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out.json");
    let to = file.to_str().unwrap();
    let refused = world
        .ssmbak(&["export", path, "now", "--to", to])
        .await
        .exits(2);
    assert_eq!(refused.stdout, "");
    let error = format!("error: 5 are SecureStrings: {path}a, {path}b, {path}c, 2 more");
    assert!(refused.stderr.contains(&error), "{refused:?}");
    assert!(refused.stderr.contains("--reveal"), "{refused:?}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);

    let words = ["export", path, "now", "--to", to, "--reveal"];
    let written = world.ssmbak(&words).await.exits(0);
    assert_eq!(written.stdout, "");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.matches("\"hush\"").count(), 5, "{text}");
    let again = world.ssmbak(&words).await.exits(2);
    assert!(again.stderr.contains("--overwrite"), "{again:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let mut over = words.to_vec();
    over.extend(["--overwrite", "--format", "dotenv", "--strip-prefix"]);
    world.ssmbak(&over).await.exits(0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, "A=hush\nB=hush\nC=hush\nD=hush\nE=hush\nPLAIN=open\n");
}

#[tokio::test]
async fn what_is_unknown_or_lost_is_told_and_left_out() {
    let world = World::on(Lane::Ministack).await;
    let path = &world.own("/part/");
    let early = &mark().await.to_string();
    world.write(&format!("{path}known"), "x").await;
    let at = &mark().await.to_string();
    world.write(&format!("{path}young"), "x").await;
    let answer = world.ssmbak(&["export", path, at]).await.exits(3);
    assert_eq!(answer.json()["Parameters"].as_array().unwrap().len(), 1);
    assert!(
        answer
            .stderr
            .contains(&format!("warning: {path}young: unknown at {at}"))
    );
    assert!(
        answer.stderr.contains("1 exported, 1 left out"),
        "{answer:?}"
    );
    let nothing = world.ssmbak(&["export", path, early]).await.exits(4);
    assert_eq!(nothing.stdout, "");
    // A value that is no longer in the bucket.
    let objects = world
        .s3
        .list_object_versions()
        .bucket(&world.location.bucket);
    let objects = objects.prefix(format!("{path}known")).send().await.unwrap();
    world.write(&format!("{path}known"), "y").await;
    for version in objects.versions() {
        let delete = world.s3.delete_object().bucket(&world.location.bucket);
        let delete = delete.key(version.key().unwrap());
        delete
            .version_id(version.version_id().unwrap())
            .send()
            .await
            .unwrap();
    }
    let one = &format!("{path}known");
    // As long as Parameter Store retains it, that of one name is known all the same.
    let retained = world.ssmbak(&["export", one, at]).await.exits(0);
    assert_eq!(retained.json()["Parameters"][0]["Value"], "x");
    world.delete(one).await;
    world.tell(one, "Delete", now()).await;
    let gone = world.ssmbak(&["export", one, at]).await.exits(1);
    assert_eq!(gone.stdout, "");
    assert!(gone.stderr.contains("no longer in the bucket"), "{gone:?}");
}

#[tokio::test]
async fn metadata_is_everything_but_the_value_and_needs_no_right_to_it() {
    let world = World::emulated(Lane::Ministack, "keys that can be denied").await;
    let key = &format!("alias/metadata-{}", world.account);
    let of = &world.own("/meta/secret");
    let early = &mark().await.to_string();
    world.put_secret(of, "hush, then", key).await;
    world.tell(of, "Create", world.written(of).await).await;
    let at = &mark().await.to_string();
    world.put_secret(of, "hush, now", key).await;
    world.tell(of, "Update", world.written(of).await).await;
    world.control().deny_key(key, true).await.unwrap();
    for (time, version) in [(at.as_str(), 1), ("now", 2)] {
        let words = ["show", of, time, "--metadata", "--output", "json"];
        let answer = world.ssmbak(&words).await.exits(0);
        assert!(!format!("{answer:?}").contains("hush"), "{answer:?}");
        let facts = answer.json();
        let fields = [
            "Name",
            "Type",
            "Modified",
            "Version",
            "Description",
            "Tier",
            "DataType",
            "KeyId",
            "AllowedPattern",
            "Policies",
            "Labels",
            "Tags",
            "ModifiedBy",
            "ValueState",
            "Exact",
        ];
        assert_eq!(keys(&facts), BTreeSet::from(fields));
        assert_eq!(
            (&facts["Name"], &facts["Version"]),
            (&json!(of), &json!(version))
        );
        assert_eq!(
            (&facts["Type"], &facts["KeyId"]),
            (&json!("SecureString"), &json!(key))
        );
        assert_eq!(
            (&facts["Tags"], &facts["Exact"]),
            (&json!({}), &json!(true))
        );
    }
    world.control().deny_key(key, false).await.unwrap();
    let table = world
        .ssmbak(&["show", of, at, "--metadata"])
        .await
        .exits(0)
        .stdout;
    assert!(table.contains("│ Fact "), "{table}");
    assert!(table.contains("│ Version    ┆ 1 "), "{table}");
    let csv = ["show", of, "--metadata", "--output", "csv"];
    assert_eq!(world.ssmbak(&csv).await.exits(0).stdout.lines().count(), 2);
    world
        .ssmbak(&["show", of, early, "--metadata"])
        .await
        .exits(4);
    world
        .ssmbak(&["show", of, "--metadata", "--reveal"])
        .await
        .exits(2);
    world.erase(of).await;
    next_second().await;
    let absent = world.ssmbak(&["show", of, "--metadata"]).await.exits(4);
    assert!(absent.stderr.contains("it was deleted at"), "{absent:?}");
}
