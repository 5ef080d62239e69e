//! Keys of journal and index: time decides their order, no two changes share
//! one, and no prefix catches a neighbour.

use proptest::prelude::*;

use super::{instant, name, record};
use crate::domain::journal::record_at;
use crate::domain::keys::{
    coverage_entry, is_journal_of, journal_instant, journal_key, journal_second, just_after,
    own_entry, own_entry_of, parse_own_entry, parse_path_entry, path_entry, run_entry,
    run_name_entry, run_of_entry,
};
use crate::domain::stored::to_journal;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn keys_sort_as_time(a in record(), b in record()) {
        if a.at < b.at {
            prop_assert!(journal_key(&a) < journal_key(&b));
            prop_assert!(path_entry(&a) < path_entry(&b));
            if a.decides_state() == b.decides_state() {
                prop_assert!(own_entry(&a) < own_entry(&b));
            }
        }
    }

    #[test]
    fn a_range_holds_what_lies_in_it_and_nothing_later(a in record(), at in instant()) {
        prop_assume!(a.decides_state() && at < crate::domain::Instant::LATEST);
        prop_assert_eq!(own_entry(&a) < just_after(at), a.at <= at);
        prop_assert_eq!(path_entry(&a) < just_after(at), a.at <= at);
    }

    #[test]
    fn no_two_changes_share_a_key(a in record(), b in record(), same in 0..8_u8) {
        let mut b = b;
        if same & 1 != 0 { b.name = a.name.clone(); }
        if same & 2 != 0 { b.at = a.at; }
        if same & 4 != 0 { b.change = a.change.clone(); b.event = a.event.clone(); }
        let is_one = (&a.name, a.at, a.suffix()) == (&b.name, b.at, b.suffix());
        prop_assert_eq!(journal_key(&a) == journal_key(&b), is_one);
        prop_assert_eq!(path_entry(&a) == path_entry(&b), is_one);
        prop_assert_eq!((&a.name, own_entry(&a)) == (&b.name, own_entry(&b)), is_one);
    }

    #[test]
    fn every_key_tells_what_it_was_made_from(a in record(), b in name()) {
        let (suffix, own, path) = (a.suffix(), own_entry(&a), path_entry(&a));
        prop_assert_eq!(parse_own_entry(&own), Some((a.at, suffix.as_str())));
        prop_assert_eq!(own_entry_of(a.at, &suffix), own.clone());
        let told = parse_path_entry(&path);
        prop_assert_eq!(told, Some((a.at, a.name.clone(), suffix.as_str())));
        let key = journal_key(&a);
        prop_assert_eq!(journal_instant(&key), Some(a.at));
        prop_assert!(is_journal_of(&key, &a.name));
        prop_assert_eq!(is_journal_of(&key, &b), a.name == b);
    }

    #[test]
    fn a_second_of_the_journal_is_that_second(a in record(), at in instant()) {
        let begins = journal_key(&a).starts_with(&journal_second(at.second_start()));
        prop_assert_eq!(begins, a.at.same_second(at));
    }

    #[test]
    fn a_record_is_read_at_no_key_but_its_own(a in record(), b in record()) {
        let body = to_journal(&a).unwrap();
        prop_assert_eq!(record_at(&journal_key(&a), &body), Ok(a.clone()));
        if journal_key(&a) != journal_key(&b) {
            prop_assert!(record_at(&journal_key(&b), &body).is_err());
        }
    }

    #[test]
    fn rows_of_one_path_or_run_are_of_no_other(
        a in name(), b in name(), at in instant(), other in instant(),
        id in "[a-f0-9-]{1,36}", another in "[a-f0-9-]{1,36}",
    ) {
        for (one, two) in a.paths_above().zip(b.paths_above()) {
            prop_assert_eq!(coverage_entry(&one) == coverage_entry(&two), one == two);
        }
        let run = run_entry(at, &id);
        let of_other = run_name_entry(other, &another, &b);
        let is_one = (at, &id) == (other, &another);
        prop_assert_eq!(of_other.starts_with(&format!("{run}#")), is_one);
        let of_name = run_name_entry(at, &id, &a);
        prop_assert_eq!(run_of_entry(&of_name), Some(&*run));
        prop_assert!(run_of_entry(&coverage_entry(&crate::domain::Path::root())).is_none());
    }

    #[test]
    fn any_text_is_a_key_or_none(text in super::text(), more in any::<String>()) {
        for key in [format!("{text}#{more}"), format!("run#{text}#{more}"),
            format!("_ssmbak/journal/{text}Z-{more}.json"), text, more]
        {
            let _ = (parse_own_entry(&key), parse_path_entry(&key), run_of_entry(&key), journal_instant(&key));
        }
    }
}
