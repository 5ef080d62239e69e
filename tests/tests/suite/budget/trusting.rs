//! `--trust-index`: what it saves, and that it finds the same where everything
//! has been captured.

use super::super::world::World;
use super::plans::{Sizes, counted, filled};
use super::{of, write};

const MANY: Sizes = Sizes {
    lived: 120,
    gone: 10,
    updated: 45,
    deleted: 20,
    created: 15,
};
const FEW: Sizes = Sizes {
    lived: 150,
    gone: 20,
    updated: 2,
    deleted: 1,
    created: 1,
};

async fn preview(world: &World, at: &str, options: &[&str]) -> String {
    let preview = ["preview", "/budget/", at, "-R", "--output", "json"];
    let answer = world.ssmbak(&[&preview[..], options].concat()).await;
    answer.exits(0).stdout
}

#[tokio::test]
async fn trusting_the_index_finds_the_same_without_a_listing() {
    for sizes in [MANY, FEW] {
        let (world, proxy) = counted().await;
        let at = filled(&world, sizes).await;
        let whole = preview(&world, &at, &[]).await;
        proxy.reset_calls();
        let trusting = preview(&world, &at, &["--trust-index"]).await;
        assert_eq!(trusting, whole);
        assert_eq!(whole.matches("\"Name\"").count(), sizes.changed());
        let (total, counts) = (proxy.total(), proxy.counts());
        println!("{sizes:?}: {total} calls, {counts:?}");
        let most = sizes.names().div_ceil(200) + 3 * sizes.changed() + 10;
        assert!(total <= most, "{sizes:?}: {counts:?}");
        // Only those that changed are asked about, 25 a call.
        assert_eq!(
            counts["ssm:DescribeParameters"],
            sizes.changed().div_ceil(25)
        );
        // The tags on record are those that it had: nobody asks.
        assert_eq!(counts.get("ssm:ListTagsForResource"), None);
        let diff = ["diff", "/budget/", &at, "-R", "--output", "json"];
        let whole = world.ssmbak(&diff).await.exits(0).stdout;
        let trusting = [&diff[..], &["--trust-index"]].concat();
        assert_eq!(world.ssmbak(&trusting).await.exits(0).stdout, whole);
    }
}

#[tokio::test]
async fn what_was_not_captured_is_left_alone() {
    let (world, _proxy) = counted().await;
    let sizes = Sizes {
        lived: 6,
        gone: 1,
        updated: 1,
        deleted: 1,
        created: 1,
    };
    let at = filled(&world, sizes).await;
    // Nobody tells of these: a name that is new, one that lived, one that was gone, one
    // that was created since.
    let unseen = ["/budget/new", &of(4), &of(6), &of(7)];
    for name in unseen {
        world.put(name, "unseen").await;
    }
    let restore = ["restore", "/budget/", &at, "-R", "--trust-index"];
    let rows = world
        .ssmbak(&[&restore[..], &["--yes", "--output", "json"]].concat())
        .await
        .exits(0)
        .json();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert_eq!(world.live(&of(0)).await.as_deref(), Some("then"));
    assert_eq!(world.live(&of(1)).await.as_deref(), Some("then"));
    // It is looked at before it is deleted, and so is put on record.
    assert_eq!(world.live(&of(7)).await, None);
    for name in &unseen[..3] {
        assert_eq!(world.live(name).await.as_deref(), Some("unseen"), "{name}");
    }
    // Once it is told, it is seen.
    write(&world, 4..5, "unseen").await;
    let seen = preview(&world, &at, &["--trust-index"]).await;
    assert_eq!(seen.matches("\"Name\"").count(), 1, "{seen}");
}
