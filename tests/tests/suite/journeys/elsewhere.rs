//! `ssmbak restore`, `preview` and `copy`, somewhere else.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::AtomicBool;

use aws_config::Region;
use aws_sdk_ssm::types::{ParameterTier, ParameterType};
use serde_json::Value as Json;
use ssmbak_core::domain::run::Outcome;
use ssmbak_core::restore::{ApplyOptions, Report, apply_at};
use ssmbak_core::store::Destination;
use ssmbak_core::survey::{SurveyOptions, survey};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::events::tag_event;
use ssmbak_tests::proxy::Proxy;

use super::attributes::{Whole, label, put, seed, tag, tags_of, whole};
use super::stack::create_with;
use super::{Lane, World, column, told};
use crate::world::{Answer, mark, now, run, under};

const OTHER_REGION: &str = "eu-west-1";
const OTHER_ACCOUNT: &str = "222222222222";
const KEY: &str = "11111111-2222-3333-4444-555555555555";

/// What lived under the path at an instant, of every kind.
struct Tree {
    path: String,
    at: String,
    /// By the names below the path.
    then: BTreeMap<&'static str, Whole>,
}

const LEAVES: [&str; 5] = ["changed", "deep/secret", "gone", "list", "plain"];

impl Tree {
    async fn grown(world: &World) -> Self {
        let path = world.own("/app/");
        let of = |leaf: &str| format!("{path}{leaf}");
        let plain = put(world, &of("plain"), "as it is").description("what: it (is)");
        let plain = plain.allowed_pattern("(?s).*");
        plain.send().await.unwrap();
        let list = put(world, &of("list"), "a,b,c").r#type(ParameterType::StringList);
        list.send().await.unwrap();
        let secret = put(world, &of("deep/secret"), " {{hush}}\n").key_id("alias/its-own");
        let secret = secret.r#type(ParameterType::SecureString);
        let secret = secret.overwrite(false).tags(tag("team", "ops & co"));
        secret.tier(ParameterTier::Advanced).send().await.unwrap();
        world.put(&of("changed"), "then").await;
        world.put(&of("gone"), "then").await;
        let call = world.ssm.add_tags_to_resource().resource_id(of("changed"));
        let parameter = aws_sdk_ssm::types::ResourceTypeForTagging::Parameter;
        let call = call.resource_type(parameter).tags(tag("env", "prod"));
        call.send().await.unwrap();
        seed(world, &path).await;
        // No event tells of these, and they are read where they live.
        let call = world.ssm.add_tags_to_resource().resource_id(of("plain"));
        let call = call.resource_type(aws_sdk_ssm::types::ResourceTypeForTagging::Parameter);
        call.tags(tag("late", "yes")).send().await.unwrap();
        let at = mark().await.to_string();
        let mut then = BTreeMap::new();
        for leaf in LEAVES {
            then.insert(leaf, whole(world, &of(leaf)).await);
        }
        world.write(&of("changed"), "now").await;
        world.write(&of("new"), "now").await;
        world.erase(&of("gone")).await;
        Self { path, at, then }
    }

    /// That the tree stands under `path` as it was then, and nothing else.
    async fn stands(&self, there: &World, path: &str) {
        for (leaf, then) in &self.then {
            assert_eq!(
                &whole(there, &format!("{path}{leaf}")).await,
                then,
                "{leaf}"
            );
            assert_eq!(there.version(&format!("{path}{leaf}")).await, 1, "{leaf}");
        }
        assert_eq!(names_under(there, path).await.len(), LEAVES.len());
    }
}

async fn names_under(world: &World, path: &str) -> Vec<String> {
    let get = world.ssm.get_parameters_by_path().path(path);
    let answer = get.recursive(true).send().await.unwrap();
    let mut names: Vec<String> = answer
        .parameters()
        .iter()
        .map(|p| p.name().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Previews, then restores; both must show the same rows but for the outcome.
async fn previewed(world: &World, environment: &[(&str, &str)], words: &[&str]) -> Json {
    let asked = |command: &'static str| [&[command], words, &["--output", "json"]].concat();
    let preview = world.ssmbak_with(environment, &asked("preview")).await;
    let preview = preview.exits(0).json();
    let restore = world.ssmbak_with(environment, &asked("restore")).await;
    let mut restored = restore.exits(0).json();
    let outcomes = restored.clone();
    for row in restored.as_array_mut().unwrap() {
        let row = row.as_object_mut().unwrap();
        row.remove("Outcome");
        row.remove("Reason");
    }
    assert_eq!(restored, preview);
    outcomes
}

/// The runs on record in a world's table.
async fn runs(world: &World) -> Vec<Json> {
    let is_run = |row: &Json| {
        let entry = row["entry"].as_str().unwrap_or_default();
        row["scope"] == "@meta" && entry.starts_with("run#") && entry.matches('#').count() == 2
    };
    world.rows().await.into_iter().filter(is_run).collect()
}

/// A second emulator with a stack of its own in some region and account.
struct Second {
    ministack: Ministack,
    world: World,
}

impl Second {
    async fn with_stack(region: &'static str, account: &str) -> Self {
        let mut second = Self::bare(region, account).await;
        let options = ["--region", region, "--enforce-tls=false"];
        let created = create_with(&second.world, "ssmbak", &options).await;
        created.exits(0);
        let place = async |verb: &'static str| {
            let told = second.own(&["stack", "ssmbak", verb]).await.exits(0);
            told.stdout.trim().to_owned()
        };
        let (bucket, table) = (place("bucketname").await, place("tablename").await);
        second.world.location.bucket = bucket;
        second.world.location.table = table;
        second
    }

    async fn bare(region: &'static str, account: &str) -> Self {
        let ministack = Ministack::start().unwrap();
        let mut world = World::at(&ministack.endpoint(), account).await;
        let config = world.config.to_builder();
        world.config = config.region(Region::from_static(region)).build();
        world.ssm = aws_sdk_ssm::Client::new(&world.config);
        world.dynamodb = aws_sdk_dynamodb::Client::new(&world.config);
        Self { ministack, world }
    }

    /// The command line of somebody there.
    async fn own(&self, words: &[&str]) -> Answer {
        let mut command = self.world.command(words);
        command.env(
            "AWS_REGION",
            self.world.config.region().unwrap().to_string(),
        );
        command
            .env_remove("SSMBAK_BUCKET")
            .env_remove("SSMBAK_TABLE");
        run(command).await
    }

    /// That the stack there has recorded every one of the tree, and one run.
    async fn recorded(&self, tree: &Tree, path: &str) {
        let patience = std::time::Duration::from_mins(1);
        self.ministack
            .control()
            .wait_until_quiet(patience)
            .await
            .unwrap();
        let history = ["history", path, "-R", "--output", "json"];
        let history = self.own(&history).await.exits(0).json();
        assert_eq!(column(&history, "Operation"), ["Create"; LEAVES.len()]);
        let runs = runs(&self.world).await;
        assert_eq!(runs.len(), 1, "{runs:?}");
        let origin = runs[0]["origin"].clone();
        assert_eq!(origin["kind"], "elsewhere", "{runs:?}");
        assert_eq!(origin["target"], tree.path.as_str());
    }
}

#[tokio::test]
async fn a_tree_comes_back_under_another_path_with_everything_beside_its_values() {
    let world = World::emulated(Lane::Ministack, "keys of any name").await;
    let tree = Tree::grown(&world).await;
    let there = world.own("/staging/");
    world.put(&format!("{there}another"), "stays").await;
    let words = [&tree.path, &tree.at, "-R", "--to-path", &there];
    let rows = previewed(&world, &[], &words).await;
    assert_eq!(column(&rows, "Change"), ["create"; LEAVES.len()]);
    assert_eq!(column(&rows, "Outcome"), ["restored"; LEAVES.len()]);
    let names: Vec<String> = LEAVES.map(|leaf| format!("{there}{leaf}")).into();
    assert_eq!(column(&rows, "Name"), names);
    assert_eq!(
        world.live(&format!("{there}another")).await.unwrap(),
        "stays"
    );
    world.delete(&format!("{there}another")).await;
    tree.stands(&world, &there).await;
    // The source is as it was, nothing of it was written.
    assert_eq!(
        world.live(&format!("{}changed", tree.path)).await.unwrap(),
        "now"
    );
    assert_eq!(world.live(&format!("{}gone", tree.path)).await, None);

    let runs = runs(&world).await;
    assert_eq!(runs.len(), 1);
    let again = world
        .ssmbak(&[&["restore"], &words[..]].concat())
        .await
        .exits(0);
    let summary = "0 to update, 0 to create, 0 to delete, 5 unchanged";
    assert_eq!(told(&again).last(), Some(&summary), "{again:?}");
}

#[tokio::test]
async fn a_tree_is_restored_to_the_store_of_a_second_region() {
    let world = World::emulated(Lane::Ministack, "keys of any name").await;
    let tree = Tree::grown(&world).await;
    let second = Second::with_stack(OTHER_REGION, &world.account).await;
    let endpoint = second.ministack.endpoint();
    let words = [&tree.path, &tree.at, "-R", "--to-region", OTHER_REGION];
    let words = [&words[..], &["--to-endpoint-url", &endpoint]].concat();
    let rows = previewed(&world, &[], &words).await;
    assert_eq!(column(&rows, "Outcome"), ["restored"; LEAVES.len()]);
    tree.stands(&second.world, &tree.path).await;
    second.recorded(&tree, &tree.path).await;
    assert_eq!(runs(&world).await, [Json::Null; 0]);
}

/// A profile of another account, with its own region and endpoint, and one of this one.
fn profiles(second: &Second) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(
        file,
        "[profile other]\naws_access_key_id = {OTHER_ACCOUNT}\naws_secret_access_key = test\n\
         region = {OTHER_REGION}\nendpoint_url = {}\n",
        second.ministack.endpoint()
    )
    .unwrap();
    file
}

#[tokio::test]
async fn a_tree_is_restored_to_the_store_of_a_second_account() {
    let world = World::emulated(Lane::Ministack, "keys of any name").await;
    let tree = Tree::grown(&world).await;
    let second = Second::with_stack(OTHER_REGION, OTHER_ACCOUNT).await;
    let file = profiles(&second);
    // The environment names a region and an endpoint; those of the profile come first.
    let environment = [("AWS_CONFIG_FILE", file.path().to_str().unwrap())];
    let words = [&tree.path, &tree.at, "-R", "--to-profile", "other"];
    let words = [&words[..], &["--to-path", "/from-prod/"]].concat();
    let rows = previewed(&world, &environment, &words).await;
    assert_eq!(column(&rows, "Outcome"), ["restored"; LEAVES.len()]);
    tree.stands(&second.world, "/from-prod/").await;
    second.recorded(&tree, "/from-prod/").await;
    let run = runs(&second.world).await.remove(0);
    assert_eq!(run["origin"]["account"], world.account.as_str());
}

#[tokio::test]
async fn what_was_written_in_another_place_is_undone_there_as_it_is_told() {
    let world = World::on(Lane::Ministack).await;
    let name = world.own("/app/db");
    world.put(&name, "wanted").await;
    seed(&world, &world.own("/app/")).await;
    let second = Second::with_stack(OTHER_REGION, OTHER_ACCOUNT).await;
    second.world.put(&name, "there").await;
    let file = profiles(&second);
    let environment = [("AWS_CONFIG_FILE", file.path().to_str().unwrap())];
    let at = mark().await.to_string();
    let words = ["restore", &name, &at, "--to-profile", "other"];
    let words = [&words[..], &["--on-conflict", "overwrite"]].concat();
    let answer = world.ssmbak_with(&environment, &words).await.exits(0);
    assert_eq!(second.world.live(&name).await.as_deref(), Some("wanted"));
    let lines = told(&answer);
    let hint = lines.iter().find(|line| line.starts_with("hint: "));
    let command = hint.unwrap().split('`').nth(1).unwrap();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let words = [&words[..], &["--yes"]].concat();
    world.ssmbak_with(&environment, &words).await.exits(0);
    assert_eq!(second.world.live(&name).await.as_deref(), Some("there"));
    assert_eq!(world.live(&name).await.as_deref(), Some("wanted"));
    // Here there is nothing to be undone.
    world.ssmbak(&["undo", "--yes"]).await.exits(4);
}

#[tokio::test]
async fn a_profile_without_credentials_never_writes_with_those_of_the_environment() {
    let world = World::emulated(Lane::Ministack, "a second emulator").await;
    let second = Second::bare(OTHER_REGION, OTHER_ACCOUNT).await;
    let proxy = Proxy::start(&second.ministack.endpoint()).unwrap();
    let path = world.own("/app/");
    world.put(&format!("{path}db"), "v").await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let endpoint = proxy.endpoint();
    write!(
        file,
        "[profile staging]\nregion = {OTHER_REGION}\nendpoint_url = {endpoint}\n"
    )
    .unwrap();
    let file = file.path().to_str().unwrap();
    let copy = async |profile: &'static str, of_environment: &str| {
        let environment = [("AWS_CONFIG_FILE", file), ("AWS_PROFILE", of_environment)];
        let words = ["copy", &path, "-R", "--to-profile", profile, "--yes"];
        world.ssmbak_with(&environment, &words).await
    };
    for of_environment in ["", "staging"] {
        let refused = copy("staging", of_environment).await.exits(1);
        let told = format!("profile staging has no credentials in {file}");
        assert!(refused.stderr.contains(&told), "{refused:?}");
        assert!(refused.stderr.contains("hint: give it some"), "{refused:?}");
        let empty = copy("", of_environment).await.exits(2);
        assert!(empty.stderr.contains("--to-profile is empty"), "{empty:?}");
    }
    // One that is not there is told as such, even where the environment names it.
    let gone = copy("gone", "gone").await.exits(1);
    assert!(gone.stderr.contains("there is no profile gone"), "{gone:?}");
    assert_eq!(proxy.total(), 0);
}

/// A source of three, and a target of which one differs, one is equal, and one is another.
async fn in_conflict(world: &World) -> (String, String) {
    let (from, to) = (world.own("/from/"), world.own("/to/"));
    for leaf in ["differs", "new", "same"] {
        world.put(&format!("{from}{leaf}"), "wanted").await;
    }
    seed(world, &from).await;
    world.put(&format!("{to}differs"), "there").await;
    world.put(&format!("{to}same"), "wanted").await;
    world.put(&format!("{to}other"), "there").await;
    (from, to)
}

#[tokio::test]
async fn a_conflict_holds_everything_back_unless_something_else_is_asked_for() {
    let world = World::on(Lane::Ministack).await;
    let (from, to) = in_conflict(&world).await;
    let at = mark().await.to_string();
    for command in ["preview", "restore"] {
        let words = [command, &from, &at, "--to-path", &to, "--output", "json"];
        let answer = world.ssmbak(&words).await.exits(1);
        assert_eq!(column(&answer.json(), "Change"), ["update", "create"]);
        let lines = told(&answer);
        let conflict =
            format!("warning: {to}differs: it lives there already and differs: version 1");
        assert!(lines.iter().any(|l| l.starts_with(&conflict)), "{lines:?}");
        let error = "error: 1 parameter lives there already and would be overwritten, so nothing is written";
        assert!(lines.contains(&error), "{lines:?}");
        assert!(
            lines.iter().any(|l| l.contains("--on-conflict skip")),
            "{lines:?}"
        );
        assert!(
            lines.contains(&"1 more there, left alone: nothing is deleted"),
            "{lines:?}"
        );
        if command == "restore" {
            assert_eq!(column(&answer.json(), "Outcome"), ["failed", "skipped"]);
        }
    }
    assert_eq!(world.live(&format!("{to}new")).await, None);
    assert_eq!(world.live(&format!("{to}differs")).await.unwrap(), "there");
    assert_eq!(runs(&world).await.len(), 0);
}

#[tokio::test]
async fn conflicts_are_skipped_where_that_is_asked_for() {
    let world = World::on(Lane::Ministack).await;
    let (from, to) = in_conflict(&world).await;
    let at = mark().await.to_string();
    let words = [&*from, &at, "--to-path", &to, "--on-conflict", "skip"];
    let rows = previewed(&world, &[], &words).await;
    assert_eq!(column(&rows, "Outcome"), ["skipped", "restored"]);
    let reason = rows[0]["Reason"].as_str().unwrap();
    assert!(reason.starts_with("left alone: it lives there"), "{reason}");
    assert_eq!(world.live(&format!("{to}new")).await.unwrap(), "wanted");
    assert_eq!(world.version(&format!("{to}differs")).await, 1);
    assert_eq!(world.version(&format!("{to}same")).await, 1);
    assert_eq!(world.version(&format!("{to}other")).await, 1);
}

#[tokio::test]
async fn what_is_overwritten_is_on_record_first() {
    let world = World::on(Lane::Ministack).await;
    let (from, to) = in_conflict(&world).await;
    let at = mark().await.to_string();
    let words = [&*from, &at, "--to-path", &to, "--on-conflict", "overwrite"];
    let rows = previewed(&world, &[], &words).await;
    assert_eq!(column(&rows, "Change"), ["update", "create"]);
    assert_eq!(column(&rows, "Outcome"), ["restored", "restored"]);
    assert_eq!(world.live(&format!("{to}differs")).await.unwrap(), "wanted");
    let shown = world.ssmbak(&["show", &format!("{to}differs"), &at]).await;
    assert_eq!(shown.exits(0).stdout, "there");
    let run = runs(&world).await.remove(0);
    assert_eq!(run["target"], to.as_str(), "{run}");
    // What lived before is named there: it can be put back.
    let rows = world.rows().await;
    let entry = format!("{}#{to}differs", run["entry"].as_str().unwrap());
    let row = rows.iter().find(|r| r["entry"] == entry.as_str()).unwrap();
    assert_eq!(row["beforeVersion"], "1", "{row}");
    let before = row["before"].as_str().unwrap();
    let of = format!("{to}differs");
    let kept = |r: &&Json| r["scope"] == of.as_str() && r["entry"] == before;
    assert!(rows.iter().find(kept).is_some(), "{row}");
}

#[tokio::test]
async fn without_a_stack_there_new_parameters_are_written_and_none_is_overwritten() {
    let world = World::emulated(Lane::Ministack, "a second emulator").await;
    let (from, _) = in_conflict(&world).await;
    let at = mark().await.to_string();
    let second = Second::bare(OTHER_REGION, &world.account).await;
    second.world.put(&format!("{from}differs"), "there").await;
    let endpoint = second.ministack.endpoint();
    let words = ["restore", &from, &at, "--to-region", OTHER_REGION];
    let words = [&words[..], &["--to-endpoint-url", &endpoint]].concat();
    let overwrite = [
        &words[..],
        &["--on-conflict", "overwrite", "--output", "json"],
    ]
    .concat();
    let answer = world.ssmbak(&overwrite).await.exits(3);
    let lines = told(&answer);
    let warning = format!("warning: there is no stack ssmbak in {OTHER_REGION}");
    assert!(lines.iter().any(|l| l.starts_with(&warning)), "{lines:?}");
    let outcomes = ["failed", "restored", "restored"];
    assert_eq!(column(&answer.json(), "Outcome"), outcomes);
    let reason = answer.json()[0]["Reason"].clone();
    assert!(
        reason.as_str().unwrap().contains("no stack records it"),
        "{reason}"
    );
    let live = async |leaf: &str| second.world.live(&format!("{from}{leaf}")).await;
    assert_eq!(live("differs").await.unwrap(), "there");
    assert_eq!(live("new").await.unwrap(), "wanted");
    assert_eq!(runs(&world).await.len(), 0, "it is not a run of here");
    // One that is named must be there.
    let named = [&words[..], &["--to-stack", "prod"]].concat();
    let answer = world.ssmbak(&named).await.exits(1);
    assert!(
        answer.stderr.contains("there is no stack prod"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_copy_takes_what_lives_and_no_stack_at_its_source() {
    let ministack = Ministack::start().unwrap();
    let proxy = Proxy::start(&ministack.endpoint()).unwrap();
    let world = World::at(&ministack.endpoint(), OTHER_ACCOUNT).await;
    let tree = Tree::grown(&world).await;
    let second = Second::with_stack(OTHER_REGION, OTHER_ACCOUNT).await;
    let world = world.behind(&proxy);
    let endpoint = second.ministack.endpoint();
    let copy = async |more: &[&str]| {
        let words = ["copy", &tree.path, "-R", "--labels", "--output", "json"];
        let place = ["--to-region", OTHER_REGION, "--to-endpoint-url", &endpoint];
        let mut command = world.command(&[&words[..], &place, more].concat());
        command
            .env_remove("SSMBAK_BUCKET")
            .env_remove("SSMBAK_TABLE");
        run(command).await
    };
    label(&world, &format!("{}plain", tree.path), 1, &["prod"]).await;
    let shown = copy(&["--dry-run"]).await.exits(0).json();
    let names = ["changed", "deep/secret", "list", "new", "plain"];
    let names = names.map(|leaf| format!("{}{leaf}", tree.path));
    assert_eq!(column(&shown, "Name"), names);
    assert_eq!(names_under(&second.world, &tree.path).await, [""; 0]);
    let copied = copy(&[]).await.exits(0).json();
    assert_eq!(column(&copied, "Outcome"), ["restored"; 5]);
    for of in &names {
        assert_eq!(
            whole(&second.world, of).await,
            whole(&world, of).await,
            "{of}"
        );
    }
    assert_eq!(runs(&second.world).await.len(), 1);
    let again = copy(&[]).await.exits(0);
    assert_eq!(again.stdout, "[]\n");
    // A label alone is a difference, too.
    label(&world, &format!("{}list", tree.path), 1, &["blue"]).await;
    let labelled = copy(&["--on-conflict", "overwrite"]).await.exits(0).json();
    assert_eq!(labelled[0]["Alone"], serde_json::json!(["labels"]));
    let list = whole(&second.world, &names[2]).await;
    assert!(list.labels.contains("blue"), "{list:?}");
    // Nothing but Parameter Store, and who is calling, was asked at the source.
    for operation in proxy.counts().keys() {
        let asked = operation.starts_with("ssm:") || operation.starts_with("sts:");
        assert!(asked, "{operation}");
    }
}

#[tokio::test]
async fn a_key_of_elsewhere_is_refused_by_name_until_another_is_given() {
    let world = World::emulated(Lane::Ministack, "keys of any name").await;
    let path = world.own("/keys/");
    world
        .put_secret(&format!("{path}secret"), "hush", KEY)
        .await;
    world.put(&format!("{path}plain"), "x").await;
    seed(&world, &path).await;
    let at = mark().await.to_string();
    let second = Second::with_stack(OTHER_REGION, &world.account).await;
    let endpoint = second.ministack.endpoint();
    let words = [&*path, &at, "--to-region", OTHER_REGION];
    let words = [&words[..], &["--to-endpoint-url", &endpoint]].concat();
    let preview = world
        .ssmbak(&[&["preview"], &words[..]].concat())
        .await
        .exits(3);
    let hint = format!("its KMS key {KEY} is not one of {OTHER_REGION}");
    assert!(preview.stderr.contains(&hint), "{preview:?}");
    assert!(
        preview.stderr.contains(&format!("--key-id {KEY}=KEY")),
        "{preview:?}"
    );
    let key = format!("{KEY}=alias/there");
    let words = [&words[..], &["--key-id", &key]].concat();
    let rows = previewed(&world, &[], &words).await;
    assert_eq!(column(&rows, "Outcome"), ["restored"; 2]);
    let there = whole(&second.world, &format!("{path}secret")).await;
    assert_eq!(
        (there.value.as_str(), there.key_id.as_deref()),
        ("hush", Some("alias/there"))
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anything_is_written() {
    let world = World::on(Lane::Ministack).await;
    let path = world.own("/app/");
    let deep = format!("{path}{}", ["x"; 13].join("/"));
    world.put(&format!("{path}db"), "v").await;
    world.put(&format!("{path}backup/db"), "v").await;
    world.put(&deep, "v").await;
    seed(&world, &path).await;
    let refused = async |words: &[&str], told: &str| {
        let answer = world.ssmbak(words).await.exits(2);
        assert!(answer.stderr.contains(told), "{told}: {answer:?}");
        assert!(answer.stderr.contains("hint: "), "{answer:?}");
        assert_eq!(answer.stdout, "");
    };
    let backup = format!("{path}backup/");
    let deeper = format!("{path}a/b/");
    let name = path.trim_end_matches('/');
    for command in [&["restore", &path, "now"][..], &["copy", &path]] {
        let with = |more: &[&'static str]| [command, more].concat();
        refused(
            &[command, &["--to-path", &path]].concat(),
            "is where it is read from",
        )
        .await;
        refused(
            &[command, &["--to-path", name]].concat(),
            "is the name of one",
        )
        .await;
        refused(
            &with(&["--to-path", "/_ssmbak/x/"]),
            "parameters of its own",
        )
        .await;
        refused(&with(&["--to-stack", "x"]), "nothing says where").await;
        refused(&with(&["--on-conflict", "skip"]), "nothing says where").await;
        let into = [command, &["-R", "--to-path", &backup]].concat();
        refused(&into, "which is read here too").await;
        let down = [command, &["-R", "--to-path", &deeper, "--exclude", "db"]].concat();
        refused(&down, "more than 15 levels").await;
    }
    refused(&["copy", &path], "where to copy to").await;
    let gone = ["copy", &path, "--to-path", "/x/", "--only-deleted"];
    refused(&gone, "what is gone cannot be copied").await;
    let again = ["restore", &path, "now", "--to-path", "/x/", "--recreate"];
    refused(&again, "nothing is deleted somewhere else").await;
    assert_eq!(names_under(&world, &path).await.len(), 3);
    assert_eq!(runs(&world).await.len(), 0);
    // Only one level: no name is read and written.
    let into = ["copy", &path, "--to-path", &backup, "--on-conflict", "skip"];
    world.ssmbak(&into).await.exits(0);
}

#[tokio::test]
async fn tags_are_those_of_then_and_not_what_they_became() {
    let world = World::on(Lane::Ministack).await;
    let of = world.own("/tags/x");
    let create = put(&world, &of, "v")
        .overwrite(false)
        .tags(tag("team", "a"));
    create.send().await.unwrap();
    seed(&world, &world.own("/tags/")).await;
    let at = mark().await;
    let call = world.ssm.add_tags_to_resource().resource_id(&of);
    let parameter = aws_sdk_ssm::types::ResourceTypeForTagging::Parameter;
    let call = call.resource_type(parameter).tags(tag("team", "b"));
    call.send().await.unwrap();
    let tagged = tag_event(&of, &[("team", "b")], now().millis());
    assert_eq!(world.deliver(&[tagged]).await, 0);
    let there = world.own("/tags/y");
    let words = ["restore", &of, &at.to_string(), "--to-path", &there];
    world.ssmbak(&words).await.exits(0);
    let then = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    assert_eq!(tags_of(&world, &there).await, then);
}

#[tokio::test]
async fn whatever_is_planned_nothing_is_overwritten_or_deleted_where_nothing_is_recorded() {
    let world = World::on(Lane::Ministack).await;
    let (path, then) = super::preview::changed_tree(&world).await;
    let options = SurveyOptions::default();
    let plan = survey(&world.stores, &under(&path), then, &options)
        .await
        .unwrap();
    let there = Destination {
        record: None,
        ..Destination::from(&world.stores)
    };
    let (never, options) = (AtomicBool::new(false), ApplyOptions::default());
    let reports = apply_at(&there, &plan, &options, &never, &|_| {})
        .await
        .unwrap();
    let of = |report: &Report| (report.name.to_string(), report.outcome);
    let done = ["changed", "deep/changed", "gone", "new"].map(|leaf| {
        let outcome = match leaf {
            "gone" => Outcome::Restored,
            _ => Outcome::Failed,
        };
        (format!("{path}{leaf}"), outcome)
    });
    assert_eq!(reports.iter().map(of).collect::<Vec<_>>(), done);
    let reason = reports[0].reason.as_deref().unwrap();
    assert!(
        reason.contains("no stack records what happens there"),
        "{reason}"
    );
    assert_eq!(world.live(&format!("{path}changed")).await.unwrap(), "now");
    assert_eq!(world.live(&format!("{path}new")).await.unwrap(), "now");
    assert_eq!(runs(&world).await.len(), 0);
}
