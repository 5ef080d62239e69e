//! `--include`, `--exclude`, `--type` and `--only-deleted`.

use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::Proxy;

use super::preview::changed_tree;
use super::{Lane, World, column, told};
use crate::world::mark;

#[tokio::test]
async fn a_selection_holds_for_writes_and_deletions_alike() {
    let world = World::on(Lane::Ministack).await;
    let (path, then) = changed_tree(&world).await;
    let at = then.to_string();
    let selected = async |more: &[&str]| {
        let words = ["preview", &path, &at, "-R", "--output", "json"];
        let answer = world.ssmbak(&[&words[..], more].concat()).await.exits(0);
        let rows = answer.json();
        let leaf = |name: &str| name.strip_prefix(&path).unwrap().to_owned();
        let rows: Vec<String> = column(&rows, "Name").into_iter().map(leaf).collect();
        (rows, answer.stderr)
    };
    let (rows, told) = selected(&["--include", "changed"]).await;
    assert_eq!(rows, ["changed", "deep/changed"]);
    assert!(told.contains("3 left out: not selected"), "{told}");
    let (rows, _) = selected(&["--exclude", "deep/*", "--exclude", "new"]).await;
    assert_eq!(rows, ["changed", "gone"]);
    let (rows, told) = selected(&["--only-deleted"]).await;
    assert_eq!(rows, ["gone"]);
    assert!(
        told.contains("0 to update, 1 to create, 0 to delete"),
        "{told}"
    );
    let (rows, told) = selected(&["--type", "SecureString"]).await;
    assert_eq!(rows, [""; 0]);
    assert!(told.contains("nothing is selected"), "{told}");
    let (rows, told) = selected(&["--include", "nothing"]).await;
    assert_eq!(rows, [""; 0]);
    assert!(
        told.contains("5 left out") && told.contains("nothing is selected"),
        "{told}"
    );

    // The one that did not exist is to be deleted, and is not selected: no agreement is needed.
    let restore = ["restore", &path, &at, "-R", "--exclude", "new"];
    let answer = world.ssmbak(&restore).await.exits(0);
    assert_eq!(told_last(&answer), "3 restored");
    assert_eq!(world.live(&format!("{path}new")).await.unwrap(), "now");
    assert_eq!(world.live(&format!("{path}gone")).await.unwrap(), "then");
    let restore = ["restore", &path, &at, "-R", "--include", "new", "--yes"];
    world.ssmbak(&restore).await.exits(0);
    assert_eq!(world.live(&format!("{path}new")).await, None);
}

fn told_last(answer: &crate::world::Answer) -> &str {
    told(answer).last().copied().unwrap_or_default()
}

#[tokio::test]
async fn the_type_of_then_selects() {
    let world = World::on(Lane::Ministack).await;
    let path = world.own("/typed/");
    let (secret, plain) = (format!("{path}secret"), format!("{path}plain"));
    world.put_secret(&secret, "then", "alias/aws/ssm").await;
    world.put(&plain, "then").await;
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    let at = mark().await.to_string();
    world.write(&secret, "no secret any more").await;
    world.write(&plain, "now").await;
    let of = async |kind: &str| {
        let words = ["preview", &path, &at, "--type", kind, "--output", "json"];
        let rows = world.ssmbak(&words).await.exits(0).json();
        let names = column(&rows, "Name").into_iter();
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of("securestring").await, [secret]);
    assert_eq!(of("String").await, [plain]);
    assert_eq!(of("StringList").await, [""; 0]);
}

#[tokio::test]
async fn what_is_left_out_by_its_name_costs_nothing_beyond_the_listings() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let path = world.own("/cost/");
    for number in 0..20 {
        world.put(&format!("{path}{number:02}"), "then").await;
    }
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    let at = mark().await.to_string();
    for number in 0..20 {
        // On record from here on only by a look: each of them would take one.
        world.put(&format!("{path}{number:02}"), "now").await;
    }
    let world = world.behind(&proxy);
    let calls = async |more: &[&str]| {
        proxy.reset_calls();
        let words = ["preview", &path, &at, "--output", "json"];
        world.ssmbak(&[&words[..], more].concat()).await.exits(0);
        proxy.counts()
    };
    let nothing = calls(&["--include", "none"]).await;
    let one = calls(&["--include", "07"]).await;
    let all = calls(&[]).await;
    for (of, looks) in [(&nothing, 0), (&one, 1), (&all, 20)] {
        let count = |operation: &str| of.get(operation).copied().unwrap_or_default();
        assert_eq!(count("ssm:GetParameterHistory"), looks, "{of:?}");
        assert_eq!(count("dynamodb:Query"), 2, "{of:?}");
        assert_eq!(count("ssm:DescribeParameters"), 1, "{of:?}");
    }
    assert_eq!(nothing.get("ssm:GetParameters"), None, "{nothing:?}");
    let excluded = calls(&["--exclude", "*", "--include", "07"]).await;
    assert_eq!(excluded, nothing);
    let deleted = calls(&["--only-deleted"]).await;
    assert_eq!(deleted, nothing);
}

#[tokio::test]
async fn a_pattern_that_is_none_is_wrong_usage() {
    let world = World::on(Lane::Ministack).await;
    for option in ["--include", "--exclude"] {
        let words = ["preview", "/app/", "now", option, "a["];
        let answer = world.ssmbak(&words).await.exits(2);
        let error = format!("error: {option} \"a[\": ");
        assert!(answer.stderr.starts_with(&error), "{answer:?}");
        assert!(answer.stderr.contains("hint: "), "{answer:?}");
    }
}
