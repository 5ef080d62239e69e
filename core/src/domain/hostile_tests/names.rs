//! Names, paths and instants from anywhere.

use proptest::prelude::*;

use super::text;
use crate::domain::{Instant, Name, Path, Target};

const LONGEST: usize = 1_011;

#[test]
fn the_longest_name_and_the_deepest_are_names_and_one_more_is_none() {
    let longest = format!("/{}", "a".repeat(LONGEST - 1));
    assert!(Name::parse(&longest).is_ok());
    let told = Name::parse(&format!("{longest}a")).unwrap_err();
    assert!(told.to_string().contains("1012 characters"), "{told}");
    let deepest = "/a".repeat(15);
    assert!(Name::parse(&deepest).is_ok());
    assert!(Path::parse(&format!("{}/", "/a".repeat(14))).is_ok());
    let told = Name::parse(&format!("{deepest}/a")).unwrap_err();
    assert!(told.to_string().contains("more than 15 levels"), "{told}");
}

#[test]
fn what_only_looks_like_a_way_through_directories_is_a_name() {
    // Parameter Store has no directories: `..` is a level like any other.
    for text in ["/..", "/a/../b", "/.", "/-R", "/--yes"] {
        assert_eq!(Name::parse(text).unwrap().as_str(), text);
    }
    let path = Path::parse("/a/").unwrap();
    assert!(path.contains(&Name::parse("/a/../b").unwrap()));
    assert!(
        !Path::parse("/b/")
            .unwrap()
            .contains(&Name::parse("/a/../b").unwrap())
    );
}

#[test]
fn the_ends_of_all_numbers_are_instants() {
    for secs in [i64::MIN, -1, 0, 253_402_300_800, i64::MAX] {
        for nanos in [0, 999_999_999, u32::MAX] {
            let at = Instant::from_float_parts(secs, nanos);
            assert!((Instant::EARLIEST..=Instant::LATEST).contains(&at));
            assert_eq!(at.to_string().parse::<Instant>(), Ok(at));
        }
    }
    assert_eq!(
        Instant::from_float_parts(i64::MAX, 999_999_999),
        Instant::LATEST
    );
    for ms in [i64::MIN, -1, i64::MAX] {
        let at = Instant::LATEST.plus_millis(ms).plus_millis(i64::MIN);
        assert_eq!(at, Instant::EARLIEST);
    }
}

#[test]
fn years_beyond_four_digits_and_before_1970_are_refused_by_their_text() {
    for text in [
        "0000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "+12345-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999Z",
        "9999-12-31T23:59:60Z",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    ] {
        let refused = text.parse::<Instant>().unwrap_err();
        assert!(refused.to_string().contains(text), "{refused}");
    }
    let leap: Instant = "2016-12-31T23:59:60Z".parse().unwrap();
    assert_eq!(leap.to_string(), "2017-01-01T00:00:00.000Z");
}

proptest! {
    #[test]
    fn what_is_a_name_is_one_for_good(text in prop_oneof![text(), "/{0,2}[a./-]{0,20}", "[/ab]{0,40}"]) {
        match Name::parse(&text) {
            Ok(name) => {
                prop_assert!(name.as_str().starts_with('/') && !name.as_str().ends_with('/'));
                prop_assert!(!name.as_str().contains("//"));
                prop_assert!(name.as_str().bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'#'));
                prop_assert!(name.as_str().len() <= LONGEST + 1);
                prop_assert_eq!(Name::parse(name.as_str()), Ok(name.clone()));
                let above: Vec<Path> = name.paths_above().collect();
                prop_assert!(above.len() <= 15 && above.iter().all(|path| path.contains(&name)));
                prop_assert_eq!(above.last(), Some(&Path::root()));
            }
            Err(error) => prop_assert!(error.to_string().len() < 1_000 && !error.hint().is_empty()),
        }
    }

    #[test]
    fn a_target_is_what_its_text_says(text in prop_oneof![text(), "[/ab.-]{0,12}"], recursive: bool) {
        if let Ok(target) = Target::parse(&text, recursive) {
            prop_assert_eq!(target.as_str().ends_with('/'), text.ends_with('/'));
            prop_assert_eq!(Target::parse(target.as_str(), recursive), Ok(target));
        }
    }

    #[test]
    fn any_text_is_an_instant_or_none(text in prop_oneof![text(), "[-+0-9TZ:.]{0,32}"]) {
        if let Ok(at) = text.parse::<Instant>() {
            prop_assert_eq!(at.to_string().parse(), Ok(at));
        }
    }
}
