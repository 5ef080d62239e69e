//! The real function, over both emulators: what it is told, and what is on
//! record afterwards.

use serde_json::Value as Json;
use ssmbak_core::domain::{Instant, Record};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::events::{batch, failed_messages, message, parameter_event};
use ssmbak_tests::runtime_api::Outcome;

use super::world::{Lane, World, name, now};

const LANES: [Lane; 2] = [Lane::Ministack, Lane::Moto];

/// An hour and a bit: old enough that nothing is waited for.
const LONG_AGO_MS: i64 = 4_000_000;

async fn records(world: &World, of: &str) -> Vec<Record> {
    let (index, name) = (&world.stores.index, name(of));
    let all = index.between(&name, Instant::EARLIEST, Instant::LATEST);
    all.await.unwrap()
}

async fn values(world: &World, of: &str) -> Vec<String> {
    let mut values = Vec::new();
    for record in records(world, of).await {
        if let Some(pointer) = record.present().and_then(|w| w.value.pointer()) {
            let value = world.stores.bucket.value(pointer).await.unwrap();
            values.push(value.expose().to_owned());
        }
    }
    values
}

fn suffixes(records: &[Record]) -> Vec<String> {
    records.iter().map(Record::suffix).collect()
}

#[tokio::test]
async fn two_updates_within_a_second_are_both_kept_with_their_own_values() {
    for lane in LANES {
        let world = World::on(lane).await;
        let of = &world.own("/app/db");
        world.put(of, "one").await;
        world.put(of, " two ").await;
        let event = parameter_event(of, "Update", world.written(of).await.millis());
        assert_eq!(world.deliver(&[event.clone(), event]).await, 0);
        assert_eq!(values(&world, of).await, ["one", " two "], "{lane:?}");
    }
}

#[tokio::test]
async fn the_value_is_that_of_its_version_however_late_the_function_runs() {
    for lane in LANES {
        let world = World::on(lane).await;
        let of = &world.own("/app/db");
        world.put(of, "first").await;
        let early = parameter_event(of, "Create", world.written(of).await.millis());
        world.put(of, "second").await;
        world.put(of, "third").await;
        assert_eq!(world.deliver(std::slice::from_ref(&early)).await, 0);
        assert_eq!(world.deliver(&[early]).await, 0);
        let kept = values(&world, of).await;
        assert_eq!(kept, ["first", "second", "third"], "{lane:?}");
    }
}

#[tokio::test]
async fn a_deletion_processed_hours_late_is_dated_right() {
    for lane in LANES {
        let world = World::on(lane).await;
        let of = &world.own("/app/gone");
        let then = now().millis() - LONG_AGO_MS;
        let event = parameter_event(of, "Delete", then);
        assert_eq!(world.deliver(std::slice::from_ref(&event)).await, 0);
        assert_eq!(world.deliver(&[event]).await, 0);
        let kept = records(&world, of).await;
        assert_eq!(suffixes(&kept), ["x"], "{lane:?}");
        assert_eq!(kept[0].at, Instant::from_millis(then).second_end());
    }
}

#[tokio::test]
async fn a_deletion_marks_the_object_and_keeps_its_versions() {
    for lane in LANES {
        let world = World::on(lane).await;
        let of = &world.own("/app/db");
        world.put(of, "kept").await;
        let event = parameter_event(of, "Create", world.written(of).await.millis());
        world.deliver(&[event]).await;
        assert!(world.stores.bucket.shows_value(&name(of)).await.unwrap());
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        world.delete(of).await;
        let event = parameter_event(of, "Delete", now().millis());
        world.deliver(&[event]).await;
        assert!(!world.stores.bucket.shows_value(&name(of)).await.unwrap());
        assert_eq!(values(&world, of).await, ["kept"], "{lane:?}");
    }
}

#[tokio::test]
async fn a_young_event_is_retried_and_an_old_one_is_lost_not_forgotten() {
    for lane in LANES {
        let world = World::on(lane).await;
        let of = &world.own("/app/flash");
        let young = parameter_event(of, "Create", now().millis());
        assert_eq!(world.deliver(&[young]).await, 1);
        assert!(records(&world, of).await.is_empty());
        let old = parameter_event(of, "Create", now().millis() - LONG_AGO_MS);
        assert_eq!(world.deliver(std::slice::from_ref(&old)).await, 0);
        assert_eq!(world.deliver(&[old]).await, 0);
        let kept = records(&world, of).await;
        assert_eq!(kept.len(), 1, "{lane:?}");
        assert!(kept[0].suffix().starts_with("v0000000000-"));
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_understood_fails_alone() {
    let world = World::emulated(Lane::Ministack, "names of its own choice").await;
    world.put("/app/db", "one").await;
    let good = parameter_event("/app/db", "Create", world.written("/app/db").await.millis());
    let mut nothing = parameter_event("/app/ami", "Update", now().millis());
    nothing["detail"]["exception"] = "the image does not exist".into();
    let rubbish = message("{\"detail\":");
    let expected = rubbish["messageId"].as_str().unwrap().to_owned();
    let messages = [
        rubbish,
        message(&good.to_string()),
        message(&nothing.to_string()),
    ];
    let answer = world.function.invoke(&batch(messages)).await.unwrap();
    assert_eq!(failed_messages(&answer.response().unwrap()), [expected]);
    assert_eq!(values(&world, "/app/db").await, ["one"]);
    assert!(records(&world, "/app/ami").await.is_empty());
}

#[tokio::test]
async fn late_repeated_and_reordered_events_give_the_same_index() {
    let ministack = Ministack::start().unwrap();
    let control = ministack.control();
    control.hold(true).await.unwrap();
    control
        .set_clock(now().millis() - LONG_AGO_MS)
        .await
        .unwrap();
    let worlds = [World::of(&ministack).await, World::of(&ministack).await];
    for round in 0..4 {
        for key in ["/app/a", "/app/b", "root"] {
            worlds[0].put(key, &format!("{key} {round}")).await;
            control.advance_clock(700).await.unwrap();
        }
        if round == 1 {
            worlds[0].delete("/app/b").await;
            control.advance_clock(31_000).await.unwrap();
        }
    }
    let mut events: Vec<Json> = control
        .changes()
        .await
        .unwrap()
        .into_iter()
        .map(|c| c.event)
        .collect();
    for event in &events {
        assert_eq!(worlds[0].deliver(std::slice::from_ref(event)).await, 0);
    }
    // The other table: backwards, each twice, in batches of four.
    events.reverse();
    for some in events.chunks(4) {
        let twice: Vec<Json> = some.iter().chain(some).cloned().collect();
        assert_eq!(worlds[1].deliver(&twice).await, 0);
    }
    for of in ["/app/a", "/app/b", "/root"] {
        let (one, other) = (records(&worlds[0], of).await, records(&worlds[1], of).await);
        let seen = |records: &[Record]| -> Vec<(Instant, String)> {
            let visible = records
                .iter()
                .filter(|r| r.suffix() != "xo" && r.suffix() != "y");
            visible.map(|r| (r.at, r.suffix())).collect()
        };
        assert_eq!(seen(&one), seen(&other));
        assert_eq!(values(&worlds[0], of).await, values(&worlds[1], of).await);
    }
}

#[tokio::test]
async fn everything_parameter_store_tells_is_in_the_record() {
    use aws_sdk_ssm::types::{ParameterTier, ParameterType, Tag};
    let world = World::emulated(Lane::Ministack, "a key of its own choice").await;
    let policy = r#"[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"20","Unit":"Days"}}]"#;
    let tag = Tag::builder()
        .key("team")
        .value("ops & co")
        .build()
        .unwrap();
    let put = world
        .ssm
        .put_parameter()
        .name("/app/full")
        .value("{{x}} \n é ");
    put.r#type(ParameterType::SecureString)
        .description("what: it (is)")
        .allowed_pattern("(?s).*")
        .tier(ParameterTier::Advanced)
        .key_id("alias/mine")
        .policies(policy)
        .tags(tag)
        .send()
        .await
        .unwrap();
    let label = world.ssm.label_parameter_version().name("/app/full");
    label.labels("prod").send().await.unwrap();
    let event = parameter_event(
        "/app/full",
        "Create",
        world.written("/app/full").await.millis(),
    );
    world.deliver(&[event]).await;
    let kept = records(&world, "/app/full").await;
    let written = kept[0].present().unwrap();
    let has = &written.attributes;
    assert_eq!(has.parameter_type, "SecureString");
    assert_eq!(has.description.as_deref(), Some("what: it (is)"));
    assert_eq!(has.allowed_pattern.as_deref(), Some("(?s).*"));
    assert_eq!(has.tier.as_deref(), Some("Advanced"));
    assert_eq!(has.key_id.as_deref(), Some("alias/mine"));
    assert_eq!(has.policies.len(), 1);
    assert_eq!(has.data_type.as_deref(), Some("text"));
    assert_eq!(has.labels, ["prod"]);
    assert_eq!(has.tags.as_ref().unwrap()["team"], "ops & co");
    assert!(
        written
            .modified_by
            .as_ref()
            .unwrap()
            .contains(&world.account)
    );
    assert_eq!(values(&world, "/app/full").await, ["{{x}} \n é "]);
}

/// Whoever deployed the function asks whether it works before anything is entrusted to it.
#[tokio::test]
async fn a_check_tells_the_version_or_what_cannot_be_reached() {
    for lane in LANES {
        let world = World::on(lane).await;
        let check = serde_json::json!({"task": "check"});
        let answer = world.function.invoke(&check).await.unwrap();
        let answer = answer.response().unwrap();
        assert_eq!(answer["version"], env!("CARGO_PKG_VERSION"), "{lane:?}");

        let bucket = &world.location.bucket;
        let gone = world.s3.delete_bucket().bucket(bucket).send().await;
        gone.unwrap();
        let answer = world.function.invoke(&check).await.unwrap();
        let Outcome::Error(why) = answer.outcome else {
            panic!("{answer:?}");
        };
        let why = why.to_string();
        assert!(why.contains(bucket.as_str()), "{lane:?}: {why}");
    }
}
