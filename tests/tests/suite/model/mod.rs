//! The promise, end to end: generated operations on the emulator's clock,
//! their events late, repeated and reordered, through the real function; then
//! the real command line, asked about every second in which something changed.

mod lost;

use std::collections::BTreeMap;

use aws_sdk_ssm::types::ParameterType;
use serde_json::Value as Json;
use ssmbak_core::domain::Instant;
use ssmbak_tests::emulator::{Control, Ministack};

use super::world::{World, now};

const OPERATIONS: usize = 200;
const NAMES: [&str; 8] = [
    "/m/a",
    "/m/a/b",
    "/m/ab",
    "/m/a/b/c/d",
    "/m2",
    "rooted",
    "/m/x.y",
    "/m/X_y",
];
const VALUES: [&str; 6] = ["one", " two ", "{{three}}", "é💾", "line\nline\n", "5"];

/// A small generator whose seed is told when a test fails.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // Numerical Recipes' constants; the high bits are the good ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// What a parameter is, as far as the test compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Is {
    value: String,
    kind: String,
    description: Option<String>,
}

type Tree = BTreeMap<String, Is>;

/// The naive model: every state of the tree, by the instant it began.
#[derive(Default)]
struct Model {
    now: Tree,
    states: Vec<(i64, Tree)>,
}

impl Model {
    fn changed(&mut self, ms: i64) {
        self.states.push((ms, self.now.clone()));
    }

    /// The tree at the end of the second that `at` lies in.
    fn at(&self, at: Instant) -> Tree {
        let until = at.second_end().millis();
        let state = self.states.iter().rfind(|(ms, _)| *ms <= until);
        state.map(|(_, tree)| tree.clone()).unwrap_or_default()
    }
}

fn canonical(name: &str) -> String {
    format!("/{}", name.trim_start_matches('/'))
}

/// One operation on both the emulator and the model.
async fn operate(
    world: &World,
    control: &Control,
    dice: &mut Dice,
    model: &mut Model,
    gone: &mut BTreeMap<String, i64>,
) {
    control
        .advance_clock(i64::try_from(dice.roll(900)).unwrap())
        .await
        .unwrap();
    let name = NAMES[dice.roll(NAMES.len())];
    let key = canonical(name);
    if model.now.contains_key(&key) && dice.roll(5) == 0 {
        // What nobody looked at before it was deleted is lost: not the point here.
        let seen = control.changes().await.unwrap();
        let last = seen.iter().rfind(|c| canonical(&c.name) == key).unwrap();
        world.deliver(std::slice::from_ref(&last.event)).await;
        world.delete(name).await;
        model.now.remove(&key);
        gone.insert(key, control.now_ms().await.unwrap());
    } else {
        if let Some(deleted) = gone.remove(&key) {
            // Parameter Store refuses a re-creation within thirty seconds.
            let wait = deleted + 30_000 - control.now_ms().await.unwrap();
            control.advance_clock(wait.max(0)).await.unwrap();
        }
        let is = Is {
            value: VALUES[dice.roll(VALUES.len())].to_owned(),
            kind: ["String", "StringList", "SecureString"][dice.roll(3)].to_owned(),
            description: [None, Some("what it is: (odd)".to_owned())][dice.roll(2)].clone(),
        };
        let put = world
            .ssm
            .put_parameter()
            .name(name)
            .value(&is.value)
            .overwrite(true);
        let put = put.description(is.description.clone().unwrap_or_default());
        let put = put.r#type(ParameterType::from(is.kind.as_str()));
        put.send().await.unwrap();
        model.now.insert(key, is);
    }
    model.changed(control.now_ms().await.unwrap());
}

/// Delivers all events but some in a hundred in random order and batches, a third of them twice;
/// returns how many were lost.
async fn deliver_all(
    world: &World,
    control: &Control,
    dice: &mut Dice,
    lost_percent: usize,
) -> usize {
    let changes = control.changes().await.unwrap();
    let mut events: Vec<Json> = Vec::new();
    let mut lost = 0;
    for change in changes {
        if dice.roll(100) < lost_percent {
            lost += 1;
            continue;
        }
        for _ in 0..=usize::from(dice.roll(3) == 0) {
            let place = dice.roll(events.len() + 1);
            events.insert(place, change.event.clone());
        }
    }
    while !events.is_empty() {
        let size = 1 + dice.roll(10);
        let rest = events.split_off(size.min(events.len()));
        assert_eq!(world.deliver(&events).await, 0);
        events = rest;
    }
    lost
}

fn text(json: &Json) -> Option<String> {
    json.as_str().map(str::to_owned)
}

/// What lives, with a preview applied to it.
fn applied(live: &Tree, preview: &[Json]) -> Tree {
    let mut tree = live.clone();
    for step in preview {
        let name = text(&step["Name"]).unwrap();
        match step["Change"].as_str().unwrap() {
            "delete" => {
                assert_eq!(step["Deleted"], true);
                tree.remove(&name);
            }
            "create" | "update" => {
                let is = Is {
                    value: text(&step["Value"]).unwrap(),
                    kind: text(&step["Type"]).unwrap(),
                    description: text(&step["Description"]),
                };
                tree.insert(name, is);
            }
            other => panic!("{name}: {other}"),
        }
    }
    tree
}

/// The dice of this run: the seed is told, and can be given.
fn dice() -> Dice {
    let seed = std::env::var("SSMBAK_TEST_SEED").map_or(20_261_120, |s| s.parse().unwrap());
    println!("SSMBAK_TEST_SEED={seed}");
    Dice(seed)
}

/// Two hours ago on the emulator's clock: coverage begins, then operations, and no event is
/// delivered by itself.
async fn happened(ministack: &Ministack, dice: &mut Dice, operations: usize) -> (World, Model) {
    let control = ministack.control();
    control.hold(true).await.unwrap();
    let start = now().plus_millis(-7_200_000).second_start();
    control.set_clock(start.millis()).await.unwrap();
    let world = World::of(ministack).await;
    let clock = [("SSMBAK_TEST_NOW", &*start.plus_millis(-5_000).to_string())];
    world
        .ssmbak_with(&clock, &["seed", "/", "--do-it"])
        .await
        .exits(0);
    let (mut model, mut gone) = (Model::default(), BTreeMap::new());
    for _ in 0..operations {
        operate(&world, &control, dice, &mut model, &mut gone).await;
    }
    (world, model)
}

/// A generated history, all of it captured.
pub(crate) struct Generated {
    model: Model,
    pub(crate) world: World,
    _ministack: Ministack,
}

impl Generated {
    /// The instants at which something changed.
    pub(crate) fn changes(&self) -> Vec<Instant> {
        let states = self.model.states.iter();
        states.map(|(ms, _)| Instant::from_millis(*ms)).collect()
    }
}

/// Generates operations on an emulator of its own and has them captured, late,
/// repeated and reordered.
pub(crate) async fn generate(operations: usize) -> Generated {
    let mut dice = dice();
    let ministack = Ministack::start().unwrap();
    let (world, model) = happened(&ministack, &mut dice, operations).await;
    deliver_all(&world, &ministack.control(), &mut dice, 0).await;
    Generated {
        model,
        world,
        _ministack: ministack,
    }
}

#[tokio::test]
async fn every_second_is_answered_right() {
    let generated = generate(OPERATIONS).await;
    let (model, world) = (&generated.model, &generated.world);
    let mut seconds: Vec<Instant> = model
        .states
        .iter()
        .flat_map(|(ms, _)| [-1_000, 0, 1_000].map(|d| Instant::from_millis(ms + d).second_start()))
        .collect();
    seconds.sort();
    seconds.dedup();
    let mut right = 0;
    for second in &seconds {
        let asked = second.to_string().replace(".000Z", "");
        let arguments = [
            "preview", "/", &asked, "-R", "--output", "json", "--reveal", "-q",
        ];
        let answer = world.ssmbak(&arguments).await.exits(0);
        let preview = answer.json().as_array().unwrap().clone();
        assert_eq!(
            applied(&model.now, &preview),
            model.at(*second),
            "at {asked}"
        );
        right += 1;
    }
    println!("{right} of {} seconds right", seconds.len());
    assert!(right > 100, "too few seconds to speak of a test");
}
