//! What a capture costs: calls, counted one by one, and round trips that wait
//! for one another. Undisturbed, by a function that has captured before.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use ssmbak_tests::events::{batch_of_events, failed_messages};
use ssmbak_tests::runtime_api::Function;

/// Longer than it takes to send what does not wait for one another.
const LATENCY: Duration = Duration::from_millis(400);
/// More records than the first look at a name reads.
const VERY_MANY: usize = 330;

struct Counted {
    world: World,
    proxy: Proxy,
    function: Function,
}

impl Counted {
    /// A function behind a proxy that has captured one name already.
    async fn warm() -> Self {
        let world = World::emulated(Lane::Ministack, "the proxy").await;
        let proxy = Proxy::start(&world.endpoint).unwrap();
        let function = world.function_at(&proxy.endpoint());
        let counted = Self {
            world,
            proxy,
            function,
        };
        counted.world.put("/warm/up", "x").await;
        counted
            .tell(&[counted.world.announcement("/warm/up").await])
            .await;
        counted
    }

    /// The calls that a batch of these events takes.
    async fn tell(&self, events: &[Json]) -> BTreeMap<String, usize> {
        self.proxy.reset_calls();
        let answer = self
            .function
            .invoke(&batch_of_events(events))
            .await
            .unwrap();
        assert_eq!(failed_messages(&answer.response().unwrap()), [""; 0]);
        self.proxy.counts()
    }

    /// Writes a version and returns the calls that its capture takes.
    async fn change(&self, of: &str, value: &str) -> BTreeMap<String, usize> {
        self.world.put(of, value).await;
        self.tell(&[self.world.announcement(of).await]).await
    }

    /// Writes that many versions and has them captured.
    async fn versions(&self, of: &str, many: usize) {
        for version in 0..many {
            self.world.put(of, &version.to_string()).await;
        }
        self.tell(&[self.world.announcement(of).await]).await;
    }

    async fn records(&self, of: &str) -> usize {
        let (index, of) = (&self.world.stores.index, name(of));
        let all = index.between(&of, Instant::EARLIEST, Instant::LATEST);
        all.await.unwrap().len()
    }
}

/// What the capture of one new version takes.
fn of_a_version(history_pages: usize) -> BTreeMap<String, usize> {
    let calls = [
        ("dynamodb:Query", 1),
        ("ssm:GetParameterHistory", history_pages),
        ("ssm:ListTagsForResource", 1),
        ("s3:PutObject", 2),
        ("dynamodb:TransactWriteItems", 1),
    ];
    calls.map(|(call, times)| (call.to_owned(), times)).into()
}

fn total(calls: &BTreeMap<String, usize>) -> usize {
    calls.values().sum()
}

#[tokio::test]
async fn a_new_version_takes_six_calls_and_a_long_history_one_more() {
    let counted = Counted::warm().await;
    for value in ["first", "second"] {
        let calls = counted.change("/app/short", value).await;
        assert_eq!(calls, of_a_version(1));
        assert_eq!(total(&calls), 6);
    }
    counted.versions("/app/long", 60).await;
    let calls = counted.change("/app/long", "last").await;
    assert_eq!(calls, of_a_version(2));
    assert_eq!(total(&calls), 7);
    assert_eq!(counted.records("/app/long").await, 61);
}

#[tokio::test]
async fn more_records_than_one_answer_holds_take_no_further_call() {
    let counted = Counted::warm().await;
    let of = &of(0);
    let born = now();
    counted.versions(of, 55).await;
    let tagged = tag_event(of, &[("team", "a")], now().millis());
    counted.tell(&[tagged]).await;
    age_one(&counted.world, born, of).await;
    let calls = counted.change(of, "new").await;
    assert_eq!(calls, of_a_version(2));
    assert_eq!(counted.records(of).await, VERY_MANY + 56);
    // An event of tags asks for those on record too, and finds this one among them.
    next_second().await;
    let again = tag_event(of, &[("team", "b")], now().millis());
    let calls = counted.tell(std::slice::from_ref(&again)).await;
    assert_eq!(calls["dynamodb:Query"], 2);
    assert_eq!(calls["dynamodb:TransactWriteItems"], 1);
    let calls = counted.tell(&[again]).await;
    assert_eq!(calls.get("dynamodb:TransactWriteItems"), None);
}

/// Adds very many versions of earlier lives.
async fn age_one(world: &World, born: Instant, of: &str) {
    let record = |back: usize| {
        let at = born.plus_millis(-60_000 * i64::try_from(back).unwrap());
        earlier(of, at, (1_000 - back) as u64, back == 1)
    };
    let all: Vec<WriteRequest> = (1..=VERY_MANY)
        .flat_map(|back| rows(&record(back)))
        .collect();
    for batch in all.chunks(25) {
        let write = world.dynamodb.batch_write_item();
        let write = write.request_items(&world.location.table, batch.to_vec());
        let answer = write.send().await.unwrap();
        assert!(answer.unprocessed_items.unwrap_or_default().is_empty());
    }
}

#[tokio::test]
async fn a_deletion_takes_one_call_more_for_its_marker() {
    let counted = Counted::warm().await;
    counted.change("/app/db", "x").await;
    counted.world.delete("/app/db").await;
    let event = parameter_event("/app/db", "Delete", now().millis());
    let calls = counted.tell(&[event]).await;
    // Whether the key shows a value is asked in the place of storing one.
    assert_eq!(calls["s3:DeleteObject"], 1);
    assert_eq!(total(&calls), 7, "{calls:?}");
}

#[tokio::test]
async fn a_batch_of_ten_names_is_four_round_trips_deep() {
    let counted = Counted::warm().await;
    counted.proxy.set_latency(LATENCY);
    let mut depths = Vec::new();
    // A machine that stalls can make them look deeper, never less deep.
    while depths.iter().min() != Some(&4) && depths.len() < 3 {
        let mut events = Vec::new();
        for number in 0..10 {
            let of = of(number);
            counted.world.put(&of, &depths.len().to_string()).await;
            events.push(counted.world.announcement(&of).await);
        }
        let calls = counted.tell(&events).await;
        assert_eq!(total(&calls), 60, "{calls:?}");
        depths.push(counted.proxy.depth());
    }
    assert_eq!(depths.last(), Some(&4), "{depths:?}");
}
