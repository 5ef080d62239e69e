//! With the real original tool: what it stored is imported, and its command
//! line reads what is stored here.

use std::collections::BTreeMap;

use aws_sdk_ssm::types::ParameterType;
use serde_json::Value as Json;
use ssmbak_core::domain::Instant;
use ssmbak_tests::emulator::{Control, Ministack};
use ssmbak_tests::events::batch_of_events;
use ssmbak_tests::original::{Original, Row};

use super::{LANES, Lane, Move, World};
use crate::world::next_second;

/// Name to value and type, of what was present.
type State = BTreeMap<String, (String, String)>;

/// As the original shows it; times are whole seconds in UTC.
async fn original_state(original: &Original, path: &str, at: Instant) -> State {
    let time = at.to_string();
    let (time, _) = time.split_once('.').unwrap();
    let rows = original.preview(path, time).await.unwrap();
    let present = |row: &Row| row.get("Deleted").is_none_or(|deleted| deleted != "True");
    let rows = rows.into_iter().filter(present);
    rows.map(|mut row| {
        let mut cell = |column: &str| row.remove(column).unwrap();
        (cell("Name"), (cell("Value"), cell("Type")))
    })
    .collect()
}

/// As this tool shows it.
async fn our_state(world: &World, path: &str, at: Instant) -> State {
    let at = at.second_end().to_string();
    let preview = ["preview", path, &at, "-R", "--all", "--reveal"];
    let preview = [&preview[..], &["--output", "json"]].concat();
    let answer = world.ssmbak(&preview).await;
    assert!([0, 3].contains(&answer.code), "{answer:?}");
    let rows = answer.json();
    let rows = rows.as_array().unwrap().iter();
    let present = rows.filter(|row| !row["Type"].is_null());
    let text = |row: &Json, field: &str| row[field].as_str().unwrap().to_owned();
    let state = present.map(|row| (text(row, "Name"), (text(row, "Value"), text(row, "Type"))));
    state.collect()
}

/// A tree that changes by the minute while the original works.
struct Lived {
    control: Control,
    original: Original,
    path: String,
    handled: usize,
    seconds: Vec<Instant>,
}

impl Lived {
    /// Lets the original handle what has happened since, after `late_s`; then a
    /// minute goes by.
    async fn handled_after(&mut self, late_s: i64) {
        let changes = self.control.changes_under(&self.path).await.unwrap();
        let new = &changes[self.handled..];
        self.handled = changes.len();
        let last = Instant::from_millis(new.last().unwrap().time_ms);
        self.control.advance_clock(late_s * 1000).await.unwrap();
        let events = new.iter().map(|c| &c.event);
        let batch = batch_of_events(events);
        self.original.handle(&batch).await.unwrap();
        let now = self.control.advance_clock(60_000).await.unwrap();
        self.seconds.push(last);
        self.seconds.push(Instant::from_millis(now - 20_000));
    }
}

#[tokio::test]
async fn a_bucket_that_the_original_filled_previews_as_there() {
    let ministack = Ministack::start().unwrap();
    let control = ministack.control();
    control.advance_clock(-7_200_000).await.unwrap();
    let moving = Move::from(World::of(&ministack).await).await;
    let (world, path) = (&moving.world, "/app/");
    let original = Original::over(&world.endpoint, &world.account, &moving.old).unwrap();
    let mut lived = Lived {
        control,
        original,
        path: path.into(),
        handled: 0,
        seconds: Vec::new(),
    };
    world.put("/app/a", "=a1=").await;
    world.put("/app/b", "=b1=").await;
    let secret = world.ssm.put_parameter().name("/app/deep/s").value("=s1=");
    let secret = secret.r#type(ParameterType::SecureString);
    secret.description("what: it (is)").send().await.unwrap();
    lived.handled_after(0).await;
    let before = lived.seconds[0].plus_millis(-60_000);
    world.put("/app/a", "=a2=").await;
    lived.handled_after(0).await;
    world.delete("/app/b").await;
    lived.handled_after(0).await;
    world.put("/app/b", "=b2=").await;
    lived.handled_after(0).await;
    // Handled late: both events get the value of then.
    world.put("/app/a", "=a3=").await;
    lived.control.advance_clock(30_000).await.unwrap();
    world.put("/app/a", "=a4=").await;
    lived.handled_after(600).await;
    // Nothing lives any more, so that only the records can tell.
    for of in ["/app/a", "/app/b", "/app/deep/s"] {
        world.delete(of).await;
    }
    let now = lived.control.advance_clock(60_000).await.unwrap();
    let now = Instant::from_millis(now).to_string();

    let import = ["import", "--from-bucket", &moving.old, "-vv"];
    let told = ["--do-it", "--output", "json"];
    let import = [&import[..], &told].concat();
    let present = [("SSMBAK_TEST_NOW", &*now)];
    let answer = world.ssmbak_with(&present, &import).await.exits(0);
    for value in ["=s1=", "=a4=", "=b2="] {
        assert!(!answer.stdout.contains(value) && !answer.stderr.contains(value));
    }
    let summary = format!(
        "{}: 3 parameters, 7 versions and 1 deletions imported, 0 already on record",
        moving.old
    );
    assert!(answer.stderr.contains(&summary), "{answer:?}");
    let mut present = 0;
    for at in &lived.seconds {
        let theirs = original_state(&lived.original, path, *at).await;
        assert_eq!(our_state(world, path, *at).await, theirs, "{at}");
        present += theirs.len();
    }
    assert!(present > 20, "{present}");
    // The original takes what it has not seen yet for absent, and would delete it.
    let earlier = ["preview", path, &before.to_string(), "-R"];
    world.ssmbak(&earlier).await.exits(4);

    let history = ["history", "/app/b", "--output", "json"];
    let history = world.ssmbak(&history).await.exits(0).json();
    assert_eq!(
        super::field(&history, "Operation"),
        ["Create", "Delete", "Create"]
    );
    assert_eq!(super::field(&history, "Source"), ["import"; 3]);
    let rows = history.as_array().unwrap();
    assert!(rows.iter().all(|row| row["Exact"] == false));
    assert_eq!(rows[1]["NotBefore"], rows[2]["Time"]);
    let of_secret = moving.records("/app/deep/s").await;
    let description = of_secret[0]
        .present()
        .unwrap()
        .attributes
        .description
        .as_deref();
    assert_eq!(description, Some("what: it is"));
}

#[tokio::test]
async fn the_originals_command_line_reads_what_is_stored_here() {
    for lane in LANES {
        let world = World::emulated(lane, "the original, pointed at an emulator").await;
        let path = &world.own("/back/");
        let names = ["a", "b", "deep/c"].map(|leaf| format!("{path}{leaf}"));
        let [a, b, c] = &names;
        let bucket = &world.location.bucket;
        let original = Original::over(&world.endpoint, &world.account, bucket).unwrap();
        let mut seconds = Vec::new();
        world.write(a, "one").await;
        world.write(b, "with words").await;
        seconds.push(world.write(c, "x=1").await);
        next_second().await;
        seconds.push(world.write(a, "two").await);
        next_second().await;
        let sizes = if lane == Lane::Ministack {
            seconds.push(world.erase(b).await);
            next_second().await;
            // The original shows what differs from what lives: so nothing does.
            for of in [a, c] {
                world.erase(of).await;
            }
            &[3, 3, 2][..]
        } else {
            // moto does not tell a delete marker's tags as AWS does.
            for of in &names {
                world.put(of, "untold").await;
            }
            &[3, 3]
        };
        let mut seen = Vec::new();
        for at in seconds {
            let theirs = original_state(&original, path, at).await;
            assert_eq!(our_state(&world, path, at).await, theirs, "{lane:?} {at}");
            seen.push(theirs.len());
        }
        assert_eq!(seen, sizes, "{lane:?}");
    }
}
