//! The most calls that previews and restores may make, for a path of N names of
//! which C changed since.

use std::collections::BTreeMap;
use std::ops::Range;

use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::events::parameter_event;
use ssmbak_tests::proxy::Proxy;

use super::super::world::{Lane, World, mark, next_second, now};
use super::{at_most, of, with_few_changes, write};

/// How many names there are of each kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Lived at the instant; those that changed since are among them.
    pub(super) lived: usize,
    /// Were deleted before it.
    pub(super) gone: usize,
    /// Were written again since.
    pub(super) updated: usize,
    /// Were deleted since.
    pub(super) deleted: usize,
    /// Were created since.
    pub(super) created: usize,
}

impl Sizes {
    /// Every name under the path.
    pub(super) fn names(self) -> usize {
        self.lived + self.gone + self.created
    }

    /// Those that changed.
    pub(super) fn changed(self) -> usize {
        self.updated + self.deleted + self.created
    }
}

const NOTHING: Sizes = Sizes {
    lived: 50,
    gone: 12,
    updated: 0,
    deleted: 0,
    created: 0,
};
const FEW: Sizes = Sizes {
    lived: 190,
    gone: 25,
    updated: 4,
    deleted: 3,
    created: 3,
};
const HALF: Sizes = Sizes {
    lived: 60,
    gone: 3,
    updated: 17,
    deleted: 8,
    created: 12,
};
const ALL: Sizes = Sizes {
    lived: 70,
    gone: 0,
    updated: 65,
    deleted: 5,
    created: 10,
};

/// A world with a proxy before it.
pub(super) async fn counted() -> (World, Proxy) {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    (world.behind(&proxy), proxy)
}

/// Deletes names and has the function told, ten at a time.
async fn erase(world: &World, numbers: Range<usize>) {
    let mut events = Vec::new();
    for number in numbers {
        world.delete(&of(number)).await;
        events.push(parameter_event(&of(number), "Delete", now().millis()));
    }
    for ten in events.chunks(10) {
        assert_eq!(world.deliver(ten).await, 0);
    }
}

/// Makes them, all captured; returns the instant before the changes.
pub(super) async fn filled(world: &World, sizes: Sizes) -> String {
    let first = sizes.lived + sizes.gone;
    // From then on what has no record did not exist.
    world
        .ssmbak(&["seed", "/budget/", "--do-it"])
        .await
        .exits(0);
    write(world, 0..first, "then").await;
    erase(world, sizes.lived..first).await;
    // Of a deletion only the second is told.
    next_second().await;
    let at = mark().await.to_string();
    write(world, 0..sizes.updated, "now").await;
    erase(world, sizes.updated..sizes.updated + sizes.deleted).await;
    write(world, first..first + sizes.created, "new").await;
    at
}

fn told(counts: &BTreeMap<String, usize>) -> usize {
    counts.values().sum()
}

#[tokio::test]
async fn a_preview_makes_no_more_calls_than_names_and_changes_allow() {
    for sizes in [NOTHING, FEW, HALF, ALL] {
        let (world, proxy) = counted().await;
        let at = filled(&world, sizes).await;
        proxy.reset_calls();
        let preview = ["preview", "/budget/", &at, "-R", "--output", "json"];
        let answer = world.ssmbak(&preview).await.exits(0);
        let (names, changed) = (sizes.names(), sizes.changed());
        assert_eq!(answer.json().as_array().unwrap().len(), changed);
        let (total, counts) = (proxy.total(), proxy.counts());
        println!("{names} names, {changed} changed: {total} calls, {counts:?}");
        assert!(total <= at_most(names, changed), "{sizes:?}: {counts:?}");
        if changed * 20 < names {
            assert!(total <= with_few_changes(names, changed), "{counts:?}");
        }
    }
}

#[tokio::test]
async fn a_restore_makes_no_more_calls_than_its_preview_and_its_writes() {
    for sizes in [FEW, HALF] {
        let (world, proxy) = counted().await;
        let at = filled(&world, sizes).await;
        proxy.reset_calls();
        world
            .ssmbak(&["preview", "/budget/", &at, "-R", "--output", "json"])
            .await
            .exits(0);
        let preview = proxy.counts();
        proxy.reset_calls();
        world
            .ssmbak(&["restore", "/budget/", &at, "-R", "--yes"])
            .await
            .exits(0);
        let mut more = proxy.counts();
        println!("{sizes:?}: {} calls, {more:?}", proxy.total());
        for (operation, calls) in &preview {
            *more.get_mut(operation).unwrap() -= calls;
        }
        more.retain(|_, calls| *calls > 0);
        let tens = sizes.changed().div_ceil(10);
        let expected = [
            ("ssm:PutParameter", sizes.updated + sizes.deleted),
            // Of each ten that are done together, those that are deleted go at once.
            ("ssm:DeleteParameters", tens_with_deletions(sizes)),
            // Before and after each ten, and right before a deletion.
            ("ssm:GetParameters", 2 * tens + tens_with_deletions(sizes)),
            // What a deletion takes away must be on record with its tags.
            ("ssm:ListTagsForResource", sizes.created),
            ("sts:GetCallerIdentity", 1),
            // The run, before and after: a fact, a row for each name, and one for itself.
            ("s3:PutObject", 2),
            (
                "dynamodb:TransactWriteItems",
                2 * (sizes.changed().div_ceil(25) + 1),
            ),
        ];
        let expected = expected.map(|(operation, calls)| (operation.to_owned(), calls));
        assert_eq!(more, BTreeMap::from(expected), "{sizes:?}");
        let whole = told(&preview) + told(&more);
        // A deletion takes two questions of its preview's three; its tags are the third.
        let tags = sizes.created;
        let allowed = at_most(sizes.names(), sizes.changed()) + told(&more) - tags;
        assert!(whole <= allowed, "{whole} > {allowed}");
    }
}

/// Steps go by name, ten together, and what is created since comes last.
fn tens_with_deletions(sizes: Sizes) -> usize {
    let first = (sizes.changed() - sizes.created) / 10;
    sizes.changed().div_ceil(10) - first
}
