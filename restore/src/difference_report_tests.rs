use std::collections::BTreeMap;

use ssmbak_core::domain::differences::difference;
use ssmbak_core::domain::plan::{Nearest, Problem};
use ssmbak_core::domain::state::FoundValue;
use ssmbak_core::domain::{Target, Value};

use super::*;
use crate::fixtures as given;
use crate::view::DifferenceView;

fn found(kind: &str, version: u64) -> Found {
    let State::Present(found) = given::present(kind) else {
        unreachable!("it is present");
    };
    let modified = found.modified.plus_millis(i64::try_from(version).unwrap());
    // Each has a place of its own.
    let mut pointer = given::pointer();
    pointer.version_id = version.to_string();
    Found {
        version: Some(version),
        modified,
        value: FoundValue::Stored(pointer),
        ..found
    }
}

fn side(found: Found, value: &str) -> Side {
    Side {
        value: Some(Value::new(value)),
        ..Side::of(State::Present(found))
    }
}

fn differing(name: &str, old: Side, new: Side) -> Difference {
    difference(given::name(name), old, new, Instant::EARLIEST).unwrap()
}

fn comparison(differences: Vec<Difference>, unchanged: usize) -> Comparison {
    Comparison {
        target: Target::parse("/app/", true).unwrap(),
        from: given::at("2024-06-15T00:00:00.000Z"),
        to: None,
        differences,
        doubtful: Vec::new(),
        unchanged,
        nothing_known: None,
    }
}

fn unknown() -> Difference {
    let known_from = Some(given::at("2024-07-01T00:00:00.000Z"));
    let old = Side::of(State::Unknown { known_from });
    differing("/app/u", old, side(found("String", 1), "x"))
}

#[test]
fn a_secret_is_equal_or_different_and_nothing_of_it_is_shown() {
    let text = |old: &str, new: &str, reveal| {
        let one = differing(
            "/app/s",
            side(found(old, 1), "hush1"),
            side(found(new, 2), "hush2"),
        );
        let view = DifferenceView::new(&one, reveal);
        let json = serde_json::to_string(&view).unwrap();
        patch(&comparison(vec![one], 0), reveal, false) + &json
    };
    let secret = "SecureString";
    // A value that was open before may be the secret still.
    for (old, new) in [(secret, secret), ("String", secret), (secret, "String")] {
        let told = text(old, new, false);
        assert!(told.contains("~ Value: (secret differs)\n"), "{told}");
        assert!(
            told.contains("\"Value\"") && !told.contains("hush"),
            "{told}"
        );
        assert!(text(old, new, true).contains("-hush1\n+hush2\n"));
    }
    let added = differing(
        "/app/s",
        Side::of(State::Absent { since: None }),
        side(found(secret, 1), "hush"),
    );
    let told = patch(&comparison(vec![added.clone()], 0), false, false);
    assert!(told.ends_with("\n+(secret)\n"), "{told}");
    let view = DifferenceView::new(&added, false);
    assert!(!serde_json::to_string(&view).unwrap().contains("hush"));
}

#[test]
fn every_field_that_differs_has_its_line_and_every_tag() {
    let mut old = found("String", 1);
    old.attributes.tags = Some(BTreeMap::from([
        ("a".into(), "1".into()),
        ("b".into(), "2".into()),
        ("c".into(), "3".into()),
    ]));
    let mut new = found("StringList", 2);
    new.attributes.description = None;
    new.attributes.allowed_pattern = Some(".*".into());
    new.attributes.policies = vec![r#"{"Type":"NoChangeNotification"}"#.into()];
    new.attributes.tags = Some(BTreeMap::from([
        ("a".into(), "1".into()),
        ("b".into(), "3".into()),
        ("d".into(), "4".into()),
    ]));
    let one = differing("/app/a", side(old, "x"), side(new, "x"));
    let expected = "\
--- /app/a 2024-06-15T00:00:00.000Z (version 1)
+++ /app/a now (version 2)
~ Type: String -> StringList
~ Description: d -> (none)
~ AllowedPattern: (none) -> .*
~ Policies: (none) -> {\"Type\":\"NoChangeNotification\"}
~ Tags.b: 2 -> 3
~ Tags.c: 3 -> (none)
~ Tags.d: (none) -> 4
";
    assert_eq!(patch(&comparison(vec![one], 0), false, false), expected);
}

#[test]
fn a_value_that_cannot_be_had_is_told_and_makes_the_comparison_partial() {
    let mut lost = found("String", 1);
    lost.value = FoundValue::Lost;
    let old = Side {
        problem: Some(Problem::Lost(Nearest::default())),
        ..Side::of(State::Present(lost))
    };
    let one = differing("/app/l", old, side(found("String", 2), "x"));
    let told = comparison(vec![one], 1);
    let text = patch(&told, false, false);
    assert!(text.ends_with("\n-(value cannot be had)\n+x\n"), "{text}");
    let warning = "/app/l: at 2024-06-15T00:00:00.000Z: the value of that version was lost";
    assert!(
        warnings(&told)[0].starts_with(warning),
        "{:?}",
        warnings(&told)
    );
    assert_eq!(exit(&told, true), Exit::Partly);
}

#[test]
fn what_may_have_been_deleted_is_told() {
    let inexact = Found {
        inexact: true,
        ..found("String", 1)
    };
    let one = differing("/app/i", side(inexact, "x"), side(found("String", 2), "y"));
    let expected =
        "/app/i: may have been deleted already at 2024-06-15T00:00:00.000Z; taken as present";
    assert_eq!(warnings(&comparison(vec![one], 0)), [expected]);
}

#[test]
fn the_exit_code_tells_unknown_before_different() {
    let changed = || {
        differing(
            "/app/a",
            side(found("String", 1), "x"),
            side(found("String", 2), "y"),
        )
    };
    let codes = [
        (comparison(vec![], 3), false, Exit::Done),
        (comparison(vec![], 3), true, Exit::Done),
        (comparison(vec![changed()], 0), false, Exit::Done),
        (comparison(vec![changed()], 0), true, Exit::Differences),
        (
            comparison(vec![changed(), unknown()], 0),
            true,
            Exit::Partly,
        ),
        (comparison(vec![unknown()], 1), false, Exit::Partly),
    ];
    for (comparison, asked, code) in codes {
        assert_eq!(exit(&comparison, asked), code, "{comparison:?}");
    }
    let mut doubtful = comparison(vec![], 2);
    let problem = Problem::LiveUnreadable("denied".into());
    doubtful.doubtful = vec![(given::name("/app/d"), problem)];
    assert_eq!(exit(&doubtful, false), Exit::Partly);
    assert_eq!(
        warnings(&doubtful),
        ["/app/d: its live value cannot be read: denied"]
    );
}

#[test]
fn the_summary_counts_each_kind_and_unknown_only_where_there_is_one() {
    let removed = differing(
        "/app/r",
        side(found("String", 1), "x"),
        Side::of(State::Absent { since: None }),
    );
    let told = summary(&comparison(vec![removed.clone()], 40));
    assert_eq!(told, "0 changed, 0 added, 1 removed, 40 unchanged");
    let told = summary(&comparison(vec![removed, unknown()], 0));
    assert_eq!(
        told,
        "0 changed, 0 added, 1 removed, 0 unchanged, 1 unknown"
    );
}
