//! Arguments that look like something else.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::Proxy;

use crate::world::{Lane, World, run};

/// Refused as a usage error that names the input, before anything was called.
async fn is_refused(world: &World, words: &[&str], says: &str) {
    let answer = world.ssmbak(words).await;
    let short: Vec<String> = words.iter().map(|w| w.chars().take(40).collect()).collect();
    assert_eq!(answer.code, 2, "{short:?}: {answer:?}");
    assert_eq!(answer.stdout, "", "{short:?}");
    assert!(
        answer.stderr.starts_with("error: "),
        "{short:?}: {answer:?}"
    );
    assert!(
        answer.stderr.contains(says),
        "{short:?}, {says}: {answer:?}"
    );
    assert!(!answer.stderr.contains("panicked"), "{short:?}: {answer:?}");
    assert!(answer.stderr.len() < 3_000, "{short:?}: {answer:?}");
}

#[tokio::test]
async fn a_path_that_is_none_is_named_with_the_way_out_and_nothing_is_called() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy counts").await;
    let world = world.behind(&proxy);
    proxy.reset_calls();
    let long = format!("/{}", "a".repeat(1_011));
    let deep = "/a".repeat(16);
    for (path, says) in [
        ("", "empty"),
        (" ", "the character ' '"),
        ("//", "empty level"),
        ("///", "empty level"),
        ("/a//b", "empty level"),
        ("a/../b", "no leading '/'"),
        ("\u{1b}[2J", "the character '\\u{1b}'"),
        ("/a\u{202e}b", "the character '\\u{202e}'"),
        ("/a\nb", "the character '\\n'"),
        ("/a=b", "the character '='"),
        ("/a*", "the character '*'"),
        ("@file", "the character '@'"),
        (&long, "1012 characters"),
        (&deep, "more than 15 levels"),
    ] {
        for words in [
            &["preview", path, "now"][..],
            &["restore", path, "now", "--yes"],
            &["history", path],
            &["diff", path, "-1h"],
            &["export", path, "now"],
            &["seed", path, "--do-it"],
            &["verify", path],
        ] {
            is_refused(&world, words, says).await;
        }
    }
    for path in ["/", "//", "/a/"] {
        is_refused(&world, &["show", path], "is a path").await;
    }
    assert_eq!(proxy.total(), 0);
}

#[tokio::test]
async fn what_looks_like_an_option_is_one_unless_it_stands_after_two_dashes() {
    let world = World::emulated(Lane::Ministack, "names at the root").await;
    // Taken for an option that there is none of, or for one there is.
    for words in [
        &["preview", "-x", "now"][..],
        &["preview", "--no-such", "now"],
        &["show", "--yes"],
        &["history", "-R"],
        &["restore", "--yes"],
    ] {
        is_refused(&world, words, "").await;
    }
    world.put("/-R", "--yes").await;
    world.put("/--yes", "@file").await;
    world.ssmbak(&["seed", "--do-it"]).await.exits(0);
    for (name, value) in [("-R", "--yes"), ("--yes", "@file")] {
        let whole = format!("/{name}");
        for words in [&["show", &whole][..], &["show", "--", name]] {
            let shown = world.ssmbak(words).await.exits(0);
            assert_eq!(shown.stdout, value, "{words:?}");
        }
    }
    let before = crate::world::mark().await.to_string();
    world.put("/-R", "-").await;
    world
        .ssmbak(&["restore", "--", "-R", &before])
        .await
        .exits(0);
    assert_eq!(world.live("/-R").await.as_deref(), Some("--yes"));
}

#[tokio::test]
async fn what_looks_like_a_way_through_directories_is_a_name_and_comes_back() {
    let world = World::emulated(Lane::Ministack, "names at the root").await;
    let names = ["/..", "/.", "/a/../b", "/a/./b", "/a/b/..", "/b"];
    for name in names {
        world.put(name, &format!("then {name}")).await;
    }
    world.ssmbak(&["seed", "--do-it"]).await.exits(0);
    let at = crate::world::mark().await.to_string();
    for name in names {
        world.put(name, "now").await;
    }
    let shown = world
        .ssmbak(&["preview", "/a/", &at, "-R", "--output", "json"])
        .await;
    let rows = shown.exits(0).json();
    let listed: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["Name"].as_str().unwrap())
        .collect();
    assert_eq!(listed, ["/a/../b", "/a/./b", "/a/b/.."]);
    world
        .ssmbak(&["restore", "/", &at, "-R", "--yes"])
        .await
        .exits(0);
    for name in names {
        assert_eq!(
            world.live(name).await,
            Some(format!("then {name}")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_argument_that_is_no_utf_8_is_a_usage_error() {
    let world = World::on(Lane::Ministack).await;
    let wild = OsStr::from_bytes(b"/a\xff\xfe\x1b[2J");
    for before in [
        &["show"][..],
        &["preview"],
        &["history"],
        &["show", "/a", "now", "--profile"],
    ] {
        let mut command = world.command(before);
        command.arg(wild);
        let output = command.output().await.unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{before:?}: {told}");
        assert!(told.starts_with("error: "), "{told}");
        assert!(!told.contains('\u{1b}'), "{told:?}");
    }
}

#[tokio::test]
async fn a_refused_argument_is_shown_and_not_obeyed() {
    let world = World::on(Lane::Ministack).await;
    let obeyed = "\u{1b}]52;c;eA==\u{7}\u{9b}2J\u{202e}";
    for words in [
        &["no-such", obeyed][..],
        &[obeyed],
        &["preview", "/a", obeyed],
        &["preview", "/a", "now", "--output", obeyed],
        &["stack", obeyed, "status"],
        &["history", "/a", "--since", obeyed],
        &["show", "/a", "now", obeyed],
        &["preview", "/a/", "now", "--include", "{{\u{1b}]52;\u{7}"],
    ] {
        let answer = run(world.command(words)).await;
        assert_eq!(answer.code, 2, "{words:?}: {answer:?}");
        let hidden = answer
            .stderr
            .find(|c: char| c != '\n' && c.is_control() || c == '\u{202e}');
        assert_eq!(hidden, None, "{words:?}: {answer:?}");
    }
}
