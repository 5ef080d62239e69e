//! That the generator makes what it says, and makes it again.

use std::collections::BTreeSet;

use ssmbak_core::domain::Instant;

use super::*;
use crate::histories::{Change, Script, Step, What};

const HISTORIES: u64 = 400;

fn scripts() -> impl Iterator<Item = (History, Script)> {
    (0..HISTORIES).map(|seed| {
        let history = History::from_seed(seed);
        let script = Script::of(&history, Instant::from_millis(1_700_000_000_000));
        (history, script)
    })
}

#[test]
fn a_seed_gives_the_same_history_again() {
    assert_eq!(History::from_seed(7), History::from_seed(7));
    assert_ne!(History::from_seed(7), History::from_seed(8));
}

#[test]
fn parameter_store_would_accept_every_change() {
    for (_, script) in scripts() {
        let mut last = Instant::EARLIEST;
        let mut lives = std::collections::BTreeMap::new();
        for change in &script.changes {
            assert!(change.at > last, "two changes at {last}");
            last = change.at;
            match &change.what {
                What::Written(version) if version.number == 1 => {
                    let before: Option<(u64, Instant)> =
                        lives.insert(change.name.clone(), (1, last));
                    let again = before.is_none_or(|(number, deleted)| {
                        number == 0 && change.at.millis() - deleted.millis() >= 30_000
                    });
                    assert!(again, "{:?} is created too soon", change.name);
                }
                What::Written(version) => {
                    let before = lives.insert(change.name.clone(), (version.number, last));
                    assert_eq!(before.unwrap().0, version.number - 1);
                }
                What::Deleted => {
                    let before = lives.insert(change.name.clone(), (0, last));
                    assert!(before.unwrap().0 > 0);
                }
                What::Labelled { to, .. } => assert!(lives[&change.name].0 >= *to),
                What::Tagged(_) => assert!(lives[&change.name].0 > 0),
            }
        }
    }
}

#[test]
fn every_kind_of_trouble_is_among_them() {
    let mut kinds = BTreeSet::new();
    for (history, script) in scripts() {
        let mut note = |kind: &'static str, there: bool| {
            if there {
                kinds.insert(kind);
            }
        };
        let whats = |f: fn(&What) -> bool| script.changes.iter().any(|c| f(&c.what));
        note("deleted", whats(|w| *w == What::Deleted));
        note("labelled", whats(|w| matches!(w, What::Labelled { .. })));
        note(
            "moved",
            whats(|w| matches!(w, What::Labelled { from: Some(_), .. })),
        );
        note("tagged", whats(|w| matches!(w, What::Tagged(_))));
        note(
            "over a hundred",
            whats(|w| matches!(w, What::Written(v) if v.number > 100)),
        );
        note(
            "advanced",
            whats(|w| matches!(w, What::Written(v) if v.tier == Tier::Advanced)),
        );
        let creations = script
            .changes
            .iter()
            .filter(|c| matches!(&c.what, What::Written(v) if v.number == 1));
        let names: BTreeSet<_> = creations.clone().map(|c| &c.name).collect();
        note("created again", names.len() < creations.count());
        let pairs = script.changes.windows(2);
        note(
            "in one second",
            pairs
                .clone()
                .any(|p| p[0].name == p[1].name && p[0].at.same_second(p[1].at)),
        );
        note(
            "deleted in the second of a write",
            script.changes.windows(2).any(|p| {
                p[0].name == p[1].name && p[1].what == What::Deleted && p[0].at.same_second(p[1].at)
            }),
        );
        note(
            "before coverage",
            matches!(script.steps[0].1, Step::Operate(_)),
        );
        let value = |what: &What| match what {
            What::Written(version) => Some(version.value.clone()),
            What::Deleted | What::Labelled { .. } | What::Tagged(_) => None,
        };
        let same = |p: &[Change]| p[0].name == p[1].name && value(&p[0].what) == value(&p[1].what);
        note(
            "the same value again",
            pairs
                .clone()
                .any(|p| value(&p[0].what).is_some() && same(p)),
        );
        let batches = script.steps.iter().filter_map(|(_, step)| match step {
            Step::Deliver(batches) => Some(batches),
            Step::Operate(_) | Step::Reconcile => None,
        });
        let told: Vec<_> = batches.clone().flatten().flat_map(|b| &b.changes).collect();
        let once: BTreeSet<_> = told.iter().collect();
        note("repeated", once.len() < told.len());
        note("reordered", told.windows(2).any(|p| p[0] > p[1]));
        note("lost", history.fates.iter().any(|f| f.lost));
        note("at once", batches.clone().any(|step| step.len() == 2));
        note(
            "full batch",
            batches.clone().flatten().any(|b| b.changes.len() == 10),
        );
        note("stale", batches.flatten().any(|b| !b.stale.is_empty()));
        note(
            "reconciled between",
            script
                .steps
                .iter()
                .filter(|s| s.1 == Step::Reconcile)
                .count()
                > 2,
        );
    }
    assert_eq!(kinds.len(), 18, "{kinds:?}");
}
