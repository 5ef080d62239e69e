//! `ssmbak show`.

use super::{Lane, World};
use crate::world::{mark, next_second};

const EXACT: &str = " \tlead, {{x}}, é💾 \r\n\n ";

#[tokio::test]
async fn a_pipe_gets_the_exact_bytes_of_any_time() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/show/db");
    world.write(of, EXACT).await;
    let at = &mark().await.to_string();
    world.write(of, "now").await;
    let then = world.ssmbak(&["show", of, at]).await.exits(0);
    assert_eq!(then.stdout, EXACT);
    let now = world.ssmbak(&["show", of]).await.exits(0);
    assert_eq!(now.stdout, "now");
    let bare = of.replacen('/', "", 1);
    let refused = world.ssmbak(&["show", &bare]).await.exits(2);
    assert!(refused.stderr.contains(&format!("hint: write {of}")));
}

#[tokio::test]
async fn a_secret_is_never_stars_in_a_pipe() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/show/secret");
    world.put_secret(of, EXACT, "alias/aws/ssm").await;
    world.tell(of, "Create", world.written(of).await).await;
    let at = &mark().await.to_string();
    world.put_secret(of, "other", "alias/aws/ssm").await;
    for time in [at, "now"] {
        let refused = world.ssmbak(&["show", of, time]).await.exits(2);
        assert_eq!(refused.stdout, "");
        assert!(refused.stderr.contains("hint: show it with --reveal"));
    }
    let shown = world.ssmbak(&["show", of, at, "--reveal"]).await.exits(0);
    assert_eq!(shown.stdout, EXACT);
    let shown = world.ssmbak(&["show", of, "--reveal"]).await.exits(0);
    assert_eq!(shown.stdout, "other");
}

#[tokio::test]
async fn what_did_not_exist_is_4_with_the_nearest_instant() {
    let world = World::on(Lane::Ministack).await;
    let of = &world.own("/show/gone");
    let early = &mark().await.to_string();
    let created = world.write(of, "x").await;
    next_second().await;
    let deleted = world.erase(of).await;
    next_second().await;
    let absent = world.ssmbak(&["show", of]).await.exits(4);
    assert_eq!(absent.stdout, "");
    assert!(absent.stderr.contains("did not exist at"), "{absent:?}");
    let nearest = deleted.plus_millis(-1).to_string();
    assert!(absent.stderr.contains(&nearest), "{absent:?}");
    let unknown = world.ssmbak(&["show", of, early]).await.exits(4);
    let nearest = format!("hint: the nearest known instant is {created}");
    assert!(unknown.stderr.contains(&nearest), "{unknown:?}");
    let path = world.ssmbak(&["show", &world.own("/show/")]).await.exits(2);
    assert!(path.stderr.contains("hint: "), "{path:?}");
}
