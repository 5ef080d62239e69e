//! Facts of coverage: what a path's facts say together is never more than one of
//! them said, whoever wrote them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{edited, edits, instant, name};
use crate::domain::coverage::Interval;
use crate::domain::coverage::facts::{Link, common, in_order, joined, lives};
use crate::domain::journal::coverage_at;
use crate::domain::keys::coverage_fact_key;
use crate::domain::stored::{CoverageFact, FIRST_FORMAT, to_fact};
use crate::domain::{Instant, Path};

/// Instants of which the next are likely to meet.
fn near() -> impl Strategy<Value = Instant> {
    (0..40_i64).prop_map(Instant::from_millis)
}

/// Any interval, one that ends before it begins included.
fn interval() -> impl Strategy<Value = Interval> {
    let far = (instant(), prop::option::of(instant()), instant());
    let near = (near(), prop::option::of(near()), near());
    prop_oneof![1 => far, 4 => near].prop_map(|(from, to, confirmed)| Interval {
        from,
        to,
        confirmed,
    })
}

/// What a path was covered by before and after, of few so that chains, rivals and
/// circles come about.
fn histories() -> impl Strategy<Value = Vec<(i64, Vec<Interval>, Vec<Interval>)>> {
    vec(vec(interval(), 0..3), 1..4).prop_flat_map(|states| {
        let one_of = prop::sample::select(states);
        vec((0..6_i64, one_of.clone(), one_of), 0..9)
    })
}

fn claims(intervals: &[Interval], at: Instant) -> bool {
    let open_at = |i: &Interval| i.from <= at && i.to.is_none_or(|to| at <= to);
    intervals.iter().any(open_at)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn together_facts_claim_nothing_that_none_of_them_claimed(facts in histories(), at in near()) {
        let mut links: Vec<Link> = facts
            .iter()
            .zip(0..)
            .map(|((finished, before, after), place)| {
                Link::new(format!("{place}"), Instant::from_millis(*finished), before, after)
            })
            .collect();
        in_order(&mut links);
        prop_assert!(links.is_sorted_by_key(|link| link.finished));
        let of = |place: usize| &facts[links[place].key.parse::<usize>().unwrap()].2;
        let ended: Vec<Vec<Interval>> = lives(&links)
            .iter()
            .map(|life| common(&life.iter().map(|&place| of(place).clone()).collect::<Vec<_>>()))
            .collect();
        prop_assert!(ended.len() <= facts.len());
        let told = joined(&ended);
        if claims(&told, at) {
            prop_assert!(facts.iter().any(|(_, _, after)| claims(after, at)), "{:?}", told);
        }
    }

    #[test]
    fn what_several_claim_is_claimed_by_each(several in vec(vec(interval(), 0..4), 0..4), at in near()) {
        if claims(&common(&several), at) {
            prop_assert!(several.iter().all(|one| claims(one, at)));
        }
    }

    #[test]
    fn a_fact_is_read_at_its_own_key_only(
        (path, other) in (name(), name()), finished in instant(),
        before in vec(interval(), 0..3), intervals in vec(interval(), 0..3), edits in edits(),
    ) {
        let path_of = |name: &crate::domain::Name| Path::parse(&format!("{name}/")).unwrap();
        let (path, other) = (path_of(&path), path_of(&other));
        let fact = CoverageFact { format: FIRST_FORMAT, path: path.clone(), finished, before, intervals };
        let key = coverage_fact_key(&path, finished, "0123");
        let body = to_fact(&fact).unwrap();
        if other != path {
            prop_assert!(coverage_at(&coverage_fact_key(&other, finished, "0123"), &body).is_err());
        }
        for end in 0..body.len() {
            prop_assert!(coverage_at(&key, &body[..end]).is_err());
        }
        if let Ok(read) = coverage_at(&key, &edited(&body, &edits)) {
            prop_assert_eq!((&read.path, read.finished), (&path, finished));
        }
        prop_assert_eq!(coverage_at(&key, &body), Ok(fact));
    }
}
