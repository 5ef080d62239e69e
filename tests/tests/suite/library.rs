//! The library's front door, as another program would use it.

use ssmbak_core::ParamPath;
use ssmbak_core::domain::Action;
use ssmbak_core::domain::run::Outcome;
use ssmbak_tests::emulator::{Ministack, sdk_config};
use ssmbak_tests::proxy::Proxy;

use super::world::{Lane, World, mark, name, now, under};

#[tokio::test]
async fn a_second_question_asks_aws_nothing_and_restore_does_what_preview_said() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let path = &world.own("/lib/");
    let [kept, changed, gone, later] =
        ["kept", "changed", "gone", "later"].map(|n| format!("{path}{n}"));
    world.ssmbak(&["seed", path, "--do-it"]).await.exits(0);
    for of in [&kept, &changed, &gone] {
        world.write(of, "then").await;
    }
    let at = mark().await;
    world.write(&changed, "now").await;
    world.write(&later, "now").await;
    world.delete(&gone).await;

    let config = sdk_config(&proxy.endpoint(), &world.account).await;
    let library = ParamPath::new(&config, world.location.clone(), under(path), at, now);
    assert_eq!(
        library.names().await.unwrap(),
        [&changed, &gone, &kept].map(|n| name(n))
    );
    let tracked = library.tracked_names().await.unwrap();
    assert_eq!(tracked, [&changed, &gone, &kept, &later].map(|n| name(n)));

    proxy.reset_calls();
    let preview = library.preview().await.unwrap();
    let planned: Vec<_> = preview
        .iter()
        .map(|s| (s.name.to_string(), s.action))
        .collect();
    let expected = [
        (changed.clone(), Action::Update),
        (gone.clone(), Action::Create),
        (later.clone(), Action::Delete),
    ];
    assert_eq!(planned, expected);
    let unchanged = library.preview_one(&name(&kept)).await.unwrap().unwrap();
    assert_eq!(unchanged.action, Action::None);
    let versions = library.versions().await.unwrap();
    assert!(
        versions
            .iter()
            .all(|v| v.version == Some(1) && v.s3_version_id.is_some())
    );
    let one = library.latest_version(&name(&changed)).await.unwrap();
    assert_eq!(one.as_ref(), Some(&versions[0]));
    assert_eq!(library.latest_version(&name(&later)).await.unwrap(), None);
    library.tracked_names().await.unwrap();
    assert_eq!(proxy.total(), 0, "{:?}", proxy.counts());

    let reports = library.restore().await.unwrap();
    let done: Vec<_> = reports
        .iter()
        .map(|r| (r.name.to_string(), r.outcome))
        .collect();
    let expected = [
        (changed.clone(), Outcome::Restored),
        (gone.clone(), Outcome::Restored),
        (later.clone(), Outcome::Deleted),
    ];
    assert_eq!(done, expected);
    for of in [&kept, &changed, &gone] {
        assert_eq!(world.live(of).await.as_deref(), Some("then"));
    }
    assert_eq!(world.live(&later).await, None);
    assert_eq!(world.version(&kept).await, 1);
}
