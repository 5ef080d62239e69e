//! 4 and 10: deletions keep their own time, and a whole second is taken whole.

use ssmbak_core::domain::Instant;
use ssmbak_tests::emulator::Ministack;

use crate::world::{World, now};

#[tokio::test]
async fn a_whole_second_holds_its_writes_and_then_its_deletion() {
    let ministack = Ministack::start().unwrap();
    let control = ministack.control();
    control.hold(true).await.unwrap();
    let world = World::of(&ministack).await;
    let second = now().plus_millis(-3_600_000).second_start();
    let at = |ms: i64| second.plus_millis(ms);
    for (ms, value) in [(-31_000, "old"), (100, "one"), (900, "two")] {
        control.set_clock(at(ms).millis()).await.unwrap();
        world.put("/s/x", value).await;
    }
    control.set_clock(at(950).millis()).await.unwrap();
    let seen = control.changes().await.unwrap();
    world.deliver_changes(&seen).await;
    world.delete("/s/x").await;
    control.set_clock(at(40_000).millis()).await.unwrap();
    world.put("/s/x", "again").await;
    // The deletion is processed an hour after it happened.
    let changes = control.changes().await.unwrap();
    world.deliver_changes(&changes[3..]).await;
    let whole = |instant: Instant| instant.to_string().replace(".000Z", "");
    let shown = async |time: &str| {
        let answer = world.ssmbak(&["show", "/s/x", time]).await;
        (answer.code, answer.stdout)
    };
    let value = |text: &str| (0, text.to_owned());
    let absent = (4, String::new());
    assert_eq!(shown(&whole(at(-1_000))).await, value("old"));
    assert_eq!(shown(&whole(at(0))).await, absent);
    for (ms, text) in [(99, "old"), (100, "one"), (899, "one"), (998, "two")] {
        assert_eq!(shown(&at(ms).to_string()).await, value(text), "{ms}");
    }
    assert_eq!(shown(&whole(at(39_000))).await, absent);
    assert_eq!(shown(&whole(at(40_000))).await, value("again"));
    let history = ["history", "/s/x", "--output", "json"];
    let history = world.ssmbak(&history).await.exits(0).json();
    assert_eq!(history[1]["Operation"], "Delete");
    assert_eq!(history[1]["Time"], at(999).to_string());
}
