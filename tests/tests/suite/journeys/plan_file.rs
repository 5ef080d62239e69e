//! `ssmbak preview --plan` and `ssmbak restore --plan`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use aws_sdk_ssm::types::{ParameterTier, ParameterType, ResourceTypeForTagging};
use serde_json::{Value as Json, json};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy};
use tempfile::TempDir;

use super::attributes::{labels_of, moved_label, put, seed, tag, tags_of, whole};
use super::preview::changed_tree;
use super::recreate::{NO_WAIT, grown};
use super::{Lane, World, column, keys, told};
use crate::world::{Answer, mark, next_second};

/// A plan of its own.
pub(super) struct PlanFile {
    directory: TempDir,
}

impl PlanFile {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("plan.json")
    }

    pub(super) fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    pub(super) fn json(&self) -> Json {
        serde_json::from_str(&self.text()).unwrap()
    }

    /// `ssmbak preview`, saved.
    pub(super) async fn made(world: &World, preview: &[&str]) -> Self {
        let file = Self::new();
        file.make(world, preview).await.exits(0);
        file
    }

    async fn make(&self, world: &World, preview: &[&str]) -> Answer {
        let path = self.path();
        let plan = ["--plan", path.to_str().unwrap()];
        world.ssmbak(&[&["preview"], preview, &plan].concat()).await
    }

    /// `ssmbak restore` of it, as JSON.
    pub(super) async fn restore(&self, world: &World, more: &[&str]) -> Answer {
        let path = self.path();
        let plan = [
            "restore",
            "--output",
            "json",
            "--plan",
            path.to_str().unwrap(),
        ];
        world.ssmbak_with(&NO_WAIT, &[&plan, more].concat()).await
    }
}

#[tokio::test]
async fn a_parameter_that_has_moved_is_refused_by_name_and_the_others_are_restored() {
    let world = World::on(Lane::Ministack).await;
    let (path, then) = changed_tree(&world).await;
    let at = then.to_string();
    let plan = PlanFile::made(&world, &[&path, &at, "-R"]).await;
    let by_hand = &format!("{path}changed");
    world.put(by_hand, "by hand").await;
    let meanwhile = mark().await.to_string();
    next_second().await;

    let answer = plan.restore(&world, &["--yes"]).await.exits(3);
    let rows = answer.json();
    let outcomes = ["failed", "restored", "restored", "deleted"];
    assert_eq!(column(&rows, "Outcome"), outcomes);
    let why = rows[0]["Reason"].as_str().unwrap();
    assert!(why.starts_with("version 2 of "), "{why}");
    assert!(why.contains(" was planned for, and version 3 of "), "{why}");
    assert!(why.ends_with(" lives now"), "{why}");
    let warnings = told(&answer);
    assert!(
        warnings.contains(&&*format!("warning: {by_hand}: {why}")),
        "{warnings:?}"
    );
    assert!(answer.stderr.contains("--force"), "{}", answer.stderr);
    assert!(
        !answer.stderr.contains("a key or an action"),
        "{}",
        answer.stderr
    );
    let live = async |leaf: &str| world.live(&format!("{path}{leaf}")).await;
    assert_eq!(live("changed").await.as_deref(), Some("by hand"));
    for leaf in ["gone", "same", "deep/changed"] {
        assert_eq!(live(leaf).await.as_deref(), Some("then"), "{leaf}");
    }
    assert_eq!(live("new").await, None);

    // What is done is not done twice; what moved is still refused.
    let again = plan.restore(&world, &["--yes"]).await.exits(3);
    let outcomes = ["failed", "unchanged", "unchanged", "unchanged"];
    assert_eq!(column(&again.json(), "Outcome"), outcomes);

    let forced = plan.restore(&world, &["--force", "--yes"]).await.exits(0);
    let rows = forced.json();
    let outcomes = ["restored", "unchanged", "unchanged", "unchanged"];
    assert_eq!(column(&rows, "Outcome"), outcomes);
    let note = "forced: version 2 is now version 3";
    assert_eq!(rows[0]["Reason"], note);
    let warning = format!("warning: {by_hand}: {note}");
    assert_eq!(told(&forced).iter().filter(|l| **l == warning).count(), 1);
    assert_eq!(live("changed").await.as_deref(), Some("then"));
    // What was written by hand was put on record first.
    let shown = world.ssmbak(&["show", by_hand, &meanwhile]).await.exits(0);
    assert_eq!(shown.stdout, "by hand");

    let done = plan.restore(&world, &[]).await.exits(0);
    assert_eq!(column(&done.json(), "Outcome"), ["unchanged"; 4]);
    assert_eq!(told(&done).last(), Some(&"4 unchanged"));
    let versions = [
        ("changed", 4),
        ("gone", 1),
        ("same", 1),
        ("deep/changed", 3),
    ];
    for (leaf, version) in versions {
        assert_eq!(
            world.version(&format!("{path}{leaf}")).await,
            version,
            "{leaf}"
        );
    }
}

#[tokio::test]
async fn what_was_created_or_deleted_meanwhile_has_moved_too() {
    let world = World::on(Lane::Ministack).await;
    let (path, then) = changed_tree(&world).await;
    let at = then.to_string();
    next_second().await;
    let plan = PlanFile::made(&world, &[&path, &at, "-R"]).await;
    world.put(&format!("{path}gone"), "by hand").await;
    world.delete(&format!("{path}changed")).await;
    // Somebody else did what the plan wants.
    world.delete(&format!("{path}new")).await;
    world.put(&format!("{path}deep/changed"), "then").await;
    next_second().await;
    let rows = plan.restore(&world, &["--yes"]).await.exits(3).json();
    let outcomes = ["failed", "unchanged", "failed", "unchanged"];
    assert_eq!(column(&rows, "Outcome"), outcomes);
    let reasons = column(&rows, "Reason");
    assert!(reasons[0].ends_with("nothing lives now"), "{reasons:?}");
    assert!(reasons[2].starts_with("it was planned to be created, and version 1 of"));
    let rows = plan
        .restore(&world, &["--yes", "--force"])
        .await
        .exits(0)
        .json();
    let outcomes = ["restored", "unchanged", "restored", "unchanged"];
    assert_eq!(column(&rows, "Outcome"), outcomes);
    let reasons = column(&rows, "Reason");
    assert_eq!(reasons[0], "forced: version 2 is now deleted");
    assert_eq!(reasons[2], "forced: it did not live, and is now version 1");
    for leaf in ["changed", "gone", "deep/changed"] {
        let live = world.live(&format!("{path}{leaf}")).await;
        assert_eq!(live.as_deref(), Some("then"), "{leaf}");
    }
}

#[tokio::test]
async fn the_file_holds_pointers_and_no_value_and_the_run_says_it_was_planned() {
    let world = World::emulated(Lane::Ministack, "keys of any name").await;
    let path = &world.own("/hush/");
    let (text, secret) = (&format!("{path}text"), &format!("{path}secret"));
    let create = world.ssm.put_parameter().name(text).value("hush-then");
    let create = create
        .r#type(ParameterType::String)
        .description("hush-description");
    create.tags(tag("team", "hush-tag")).send().await.unwrap();
    world
        .put_secret(secret, "hush-secret-then", "alias/k")
        .await;
    seed(&world, path).await;
    let at = &mark().await.to_string();
    world.write(text, "hush-now").await;
    world.put_secret(secret, "hush-secret-now", "alias/k").await;
    let plan = PlanFile::made(&world, &[path, at]).await;
    let mode = plan.path().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!plan.text().contains("hush-"), "{}", plan.text());
    let saved = &plan.json()["plan"];
    assert_eq!(saved["at"], **at);
    assert_eq!(saved["target"], **path);
    assert_eq!(saved["bucket"], *world.location.bucket);
    assert_eq!(saved["table"], *world.location.table);
    let fields = ["change", "live", "name", "record", "tagsRecord"];
    for parameter in saved["parameters"].as_array().unwrap() {
        assert_eq!(keys(parameter), fields.into());
        assert_eq!(parameter["change"], "update");
        assert_eq!(parameter["live"]["version"], 2);
        let record = parameter["record"].as_str().unwrap();
        assert!(record.ends_with("#v0000000001"), "{record}");
    }
    let restored = plan.restore(&world, &[]).await.exits(0);
    assert_eq!(column(&restored.json(), "Value"), ["-", "hush-then"]);
    assert!(!format!("{restored:?}").contains("hush-secret"));
    assert_eq!(
        world.live(secret).await.as_deref(),
        Some("hush-secret-then")
    );
    assert_eq!(tags_of(&world, text).await["team"], "hush-tag");
    let rows = world.rows().await;
    let run = rows.iter().find(|row| row["origin"]["kind"] == "plan");
    let run = run.expect("a run of a plan");
    assert_eq!((&run["at"], &run["target"]), (&json!(at), &json!(path)));
}

#[tokio::test]
async fn a_plan_that_deletes_asks_for_yes() {
    let world = World::on(Lane::Ministack).await;
    let (path, then) = changed_tree(&world).await;
    let new = &format!("{path}new");
    let plan = PlanFile::made(&world, &[new, &then.to_string()]).await;
    let before = world.rows().await;
    let answer = plan.restore(&world, &[]).await.exits(2);
    assert!(
        answer.stderr.contains("would delete 1 parameter"),
        "{}",
        answer.stderr
    );
    assert_eq!(world.rows().await, before);
    assert!(world.live(new).await.is_some());
    // One that is refused is not deleted, so nobody needs to agree to the rest.
    let plan = PlanFile::made(&world, &[&path, &then.to_string()]).await;
    world.put(new, "by hand").await;
    next_second().await;
    let rows = plan.restore(&world, &[]).await.exits(3).json();
    let outcomes = ["restored", "restored", "failed"];
    assert_eq!(column(&rows, "Outcome"), outcomes);
    plan.restore(&world, &["--force"]).await.exits(2);
    assert_eq!(world.live(new).await.as_deref(), Some("by hand"));
    plan.restore(&world, &["--force", "--yes"]).await.exits(0);
    assert_eq!(world.live(new).await, None);
}

#[tokio::test]
async fn labels_are_put_back_as_planned() {
    let world = World::on(Lane::Ministack).await;
    let (whole, alone) = (&world.own("/labels/whole"), &world.own("/labels/alone"));
    let at = &moved_label(&world, whole).await.to_string();
    let plan = PlanFile::made(&world, &[whole, at, "--labels"]).await;
    plan.restore(&world, &[]).await.exits(0);
    let none = Vec::<String>::new;
    let moved = [(1, none()), (2, none()), (3, vec!["prod".to_owned()])];
    assert_eq!(labels_of(&world, whole).await, moved);
    let again = plan.restore(&world, &[]).await.exits(0);
    assert_eq!(column(&again.json(), "Outcome"), ["unchanged"]);

    let at = &moved_label(&world, alone).await.to_string();
    world.write(alone, "then").await;
    let plan = PlanFile::made(&world, &[alone, at, "--labels"]).await;
    let parameter = &plan.json()["plan"]["parameters"][0];
    assert_eq!(parameter["alone"], json!(["labels"]));
    assert_eq!(parameter["labels"], json!(["prod"]));
    plan.restore(&world, &[]).await.exits(0);
    assert_eq!(
        labels_of(&world, alone).await[2],
        (3, vec!["prod".to_owned()])
    );
}

#[tokio::test]
async fn tags_alone_are_put_back_from_the_record_that_tells_them() {
    let world = World::on(Lane::Ministack).await;
    let (path, of) = (&world.own("/tags/"), &world.own("/tags/db"));
    let create = world.ssm.put_parameter().name(of).value("v");
    let create = create
        .r#type(ParameterType::String)
        .tags(tag("team", "first"));
    create.send().await.unwrap();
    let retag = async |value: &str| {
        let add = world.ssm.add_tags_to_resource().resource_id(of);
        let add = add.resource_type(ResourceTypeForTagging::Parameter);
        add.tags(tag("team", value)).send().await.unwrap();
        world
            .ssmbak(&["seed", path, "--tags", "--do-it"])
            .await
            .exits(0);
    };
    seed(&world, path).await;
    let first = mark().await.to_string();
    retag("second").await;
    let second = mark().await.to_string();
    retag("third").await;
    // The first are told by the version, the second by a change of tags.
    for (at, value, suffix) in [
        (&second, "second", "#t-"),
        (&first, "first", "#v0000000001"),
    ] {
        let plan = PlanFile::made(&world, &[of, at]).await;
        let parameter = &plan.json()["plan"]["parameters"][0];
        assert_eq!(parameter["alone"], json!(["tags"]));
        let told = parameter["tagsRecord"].as_str().unwrap();
        assert!(told.contains(suffix), "{told}");
        assert!(!plan.text().contains(value), "{}", plan.text());
        let rows = plan.restore(&world, &[]).await.exits(0).json();
        assert_eq!(rows[0]["Alone"], json!(["tags"]));
        assert_eq!(rows[0]["Outcome"], "restored");
        assert_eq!(tags_of(&world, of).await["team"], value);
        let again = plan.restore(&world, &[]).await.exits(0);
        assert_eq!(column(&again.json(), "Outcome"), ["unchanged"]);
        world
            .ssmbak(&["seed", path, "--tags", "--do-it"])
            .await
            .exits(0);
    }
    assert_eq!(world.version(of).await, 1);
}

#[tokio::test]
async fn keys_and_recreation_are_those_of_the_plan() {
    let world = World::emulated(Lane::Ministack, "keys of any name").await;
    let secret = &world.own("/how/secret");
    world.put_secret(secret, "then", "alias/old").await;
    seed(&world, &world.own("/how/")).await;
    let at = &mark().await.to_string();
    world.put_secret(secret, "now", "alias/old").await;
    let key = ["--key-id", "alias/old=alias/new"];
    let plan = PlanFile::made(&world, &[&[&**secret, &**at], &key[..]].concat()).await;
    plan.restore(&world, &[]).await.exits(0);
    let now = whole(&world, secret).await;
    assert_eq!(
        (now.value.as_str(), now.key_id.as_deref()),
        ("then", Some("alias/new"))
    );

    let of = &world.own("/how/grown");
    let at = &grown(&world, of).await;
    let plan = PlanFile::made(&world, &[of, at, "--recreate"]).await;
    plan.restore(&world, &[]).await.exits(2);
    plan.restore(&world, &["--yes"]).await.exits(0);
    let now = whole(&world, of).await;
    assert_eq!(
        (now.value.as_str(), now.tier),
        ("small", Some(ParameterTier::Standard))
    );
    assert_eq!(now.tags["team"], "a");
}

#[tokio::test]
async fn a_creation_that_failed_is_finished_by_the_same_plan() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let of = &world.own("/fails/ever");
    let at = &grown(&world, of).await;
    let world = world.behind(&proxy);
    let plan = PlanFile::made(&world, &[of, at, "--recreate"]).await;
    let refused = ApiError::new(400, "ValidationException", "Not just now.");
    let refused = Disturbance::answer(refused).on("ssm:PutParameter");
    proxy.disturb(refused.times(usize::MAX));
    plan.restore(&world, &["--yes"]).await.exits(1);
    assert_eq!(world.live(of).await, None);
    proxy.reset();
    next_second().await;
    plan.restore(&world, &["--yes"]).await.exits(0);
    assert_eq!(world.live(of).await.as_deref(), Some("small"));
}

#[tokio::test]
async fn a_recreation_that_was_not_planned_and_was_killed_is_finished_by_the_same_plan() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let of = &world.own("/full/db");
    world.write(of, "then").await;
    let at = &mark().await.to_string();
    world.write(of, "now").await;
    let world = world.behind(&proxy);
    let plan = PlanFile::made(&world, &[of, at, "--recreate"]).await;
    let planned = &plan.json()["plan"]["parameters"][0];
    assert_eq!(planned["recreate"], Json::Null);
    let full = ApiError::new(400, "ParameterMaxVersionLimitExceeded", "Full.");
    proxy.disturb(Disturbance::answer(full).on("ssm:PutParameter"));
    proxy.disturb(Disturbance::kill().on("ssm:PutParameter").at(2));
    assert_eq!(plan.restore(&world, &["--yes"]).await.code, -1);
    proxy.reset();
    assert_eq!(world.live(of).await, None);
    next_second().await;
    plan.restore(&world, &["--yes"]).await.exits(0);
    assert_eq!(world.live(of).await.as_deref(), Some("then"));
}

#[tokio::test]
async fn what_is_not_on_record_is_captured_to_be_pointed_at() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let path = &world.own("/untold/");
    let (a, b) = (&format!("{path}a"), &format!("{path}b"));
    world.put(a, "then").await;
    world.put(b, "then").await;
    let at = &mark().await.to_string();
    put(&world, a, "now").send().await.unwrap();
    put(&world, b, "now").send().await.unwrap();
    let world = world.behind(&proxy);
    // The value of the second cannot be kept.
    let denied = ApiError::new(403, "AccessDenied", "Access Denied");
    let denied = Disturbance::answer(denied).on("s3:PutObject");
    proxy.disturb(denied.times(usize::MAX));
    let plan = PlanFile::new();
    let answer = plan
        .make(&world, &[path, at, "--output", "json"])
        .await
        .exits(1);
    for of in [a, b] {
        let warning = format!(
            "warning: {of}: its stored value cannot be read: that version is not on record yet, and could not be captured: "
        );
        assert!(answer.stderr.contains(&warning), "{}", answer.stderr);
    }
    proxy.reset();
    let rows = plan.restore(&world, &[]).await.exits(1).json();
    assert_eq!(column(&rows, "Outcome"), ["failed"; 2]);
    let why = column(&rows, "Reason")[0];
    assert!(
        why.starts_with("it could not be done when this was planned: "),
        "{why}"
    );
    assert_eq!(world.version(a).await, 2);

    let plan = PlanFile::made(&world, &[path, at]).await;
    assert_eq!(world.version(a).await, 2);
    let rows = plan.restore(&world, &[]).await.exits(0).json();
    assert_eq!(column(&rows, "Outcome"), ["restored"; 2]);
    for of in [a, b] {
        assert_eq!(world.live(of).await.as_deref(), Some("then"));
    }
}

#[tokio::test]
async fn what_is_unknown_stays_unknown_in_a_plan() {
    let world = World::on(Lane::Ministack).await;
    let path = world.own("/part/");
    let (known, unknown) = (format!("{path}known"), format!("{path}unknown"));
    world.write(&known, "then").await;
    let at = mark().await.to_string();
    world.write(&known, "now").await;
    world.put(&unknown, "now").await;
    let plan = PlanFile::new();
    plan.make(&world, &[&path, &at]).await.exits(3);
    let answer = plan.restore(&world, &[]).await.exits(3);
    assert_eq!(column(&answer.json(), "Outcome"), ["restored", "skipped"]);
    let warning = format!("warning: {unknown}: unknown at {at}; known from ");
    assert!(answer.stderr.contains(&warning), "{}", answer.stderr);
    assert_eq!(world.live(&unknown).await.as_deref(), Some("now"));
}

#[tokio::test]
async fn a_plan_with_nothing_to_do_says_so() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/same/db");
    world.write(of, "then").await;
    let plan = PlanFile::made(&world, &[of, &mark().await.to_string()]).await;
    let answer = plan.restore(&world, &[]).await.exits(0);
    assert_eq!(answer.json(), json!([]));
    assert_eq!(told(&answer).last(), Some(&"nothing to do"));
}
