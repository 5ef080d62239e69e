use proptest::prelude::*;

use super::*;
use crate::domain::record::{Attributes, Pointer, Source, Written};
use crate::domain::{Name, Value};

const BEFORE: i64 = 1_000;
const RUN: i64 = 20_000;
/// Later than clocks may differ.
const SINCE: i64 = 60_000;

fn at(ms: i64) -> Instant {
    Instant::from_millis(ms)
}

fn tags(team: &str) -> Tags {
    Tags::from([("team".into(), team.into()), ("aws:x".into(), team.into())])
}

/// A run that ended, but for its names.
fn run() -> Run {
    let (started, at) = (at(RUN - 100), at(BEFORE));
    let text = format!(
        r#"{{"format":1,"id":"a-run","started":"{started}","phase":"finished",
            "target":"/app/","recursive":true,"at":"{at}","names":[]}}"#
    );
    Run {
        finished: Some(self::at(RUN + 100)),
        ..serde_json::from_str(&text).unwrap()
    }
}

/// A parameter of a run that is still planned.
fn planned(change: &str, before: Option<u64>) -> RunName {
    let text = format!(r#"{{"name":"/app/db","change":"{change}"}}"#);
    RunName {
        before: before.map(|v| format!("{}#v{v:010}", at(BEFORE))),
        before_version: before,
        ..serde_json::from_str(&text).unwrap()
    }
}

fn ended(change: &str, before: Option<u64>, outcome: Outcome, written: Option<u64>) -> RunName {
    RunName {
        outcome: Some(outcome),
        written_version: written,
        written_at: written.map(|_| at(RUN)),
        ..planned(change, before)
    }
}

fn lives(version: u64, ms: i64) -> Live {
    Live {
        name: Name::parse("/app/db").unwrap(),
        version,
        modified: at(ms),
        modified_by: None,
        attributes: Attributes::default(),
    }
}

fn looked_at(live: Live, tags: Option<Tags>) -> LiveParameter {
    LiveParameter {
        live,
        recorded: None,
        value: Some(Value::new("now")),
        tags,
        labels: None,
    }
}

fn version(version: u64, at: Instant) -> Left {
    let at = Some(at);
    Left::Version { version, at }
}

#[test]
fn what_a_run_wrote_or_deleted_is_told_by_its_outcome() {
    use Outcome::{Deleted, Failed, Restored, Skipped, Unchanged};
    let wrote = |outcome| told(&ended("update", Some(3), outcome, Some(4)));
    assert_eq!(wrote(Restored), Told::Left(version(4, at(RUN))));
    assert_eq!(wrote(Failed), Told::Left(version(4, at(RUN))));
    let deleted = ended("delete", Some(3), Deleted, None);
    assert_eq!(told(&deleted), Told::Left(Left::Nothing));
    for outcome in [Failed, Skipped, Unchanged] {
        let name = ended("update", Some(3), outcome, None);
        assert_eq!(told(&name), Told::Untouched, "{outcome:?}");
    }
    assert_eq!(told(&planned("update", Some(3))), Told::Unsure);
}

#[test]
fn a_recreation_that_failed_may_have_deleted() {
    let name = RunName {
        recreated: true,
        ..ended("update", Some(3), Outcome::Failed, None)
    };
    assert_eq!(told(&name), Told::Unsure);
    assert_eq!(guess(&name, None), Guess::Left(Left::Nothing));
    assert_eq!(guess(&name, Some(&lives(3, BEFORE))), Guess::Untouched);
}

#[test]
fn a_failure_whose_answer_was_lost_may_have_been_done() {
    let lost = |change, before| RunName {
        unsure: true,
        ..ended(change, before, Outcome::Failed, None)
    };
    let update = lost("update", Some(3));
    assert_eq!(told(&update), Told::Unsure);
    assert_eq!(guess(&update, Some(&lives(3, BEFORE))), Guess::Untouched);
    let written = Guess::IfSame(version(4, at(RUN)));
    assert_eq!(guess(&update, Some(&lives(4, RUN))), written);
    let delete = lost("delete", Some(3));
    assert_eq!(told(&delete), Told::Unsure);
    assert_eq!(guess(&delete, None), Guess::Left(Left::Nothing));
    let text = serde_json::to_string(&update).unwrap();
    assert_eq!(serde_json::from_str::<RunName>(&text).unwrap(), update);
}

#[test]
fn tags_alone_are_taken_back_and_labels_alone_are_not() {
    let alone = |what: &[&str], outcome| {
        told(&RunName {
            alone: what.iter().map(|&w| w.into()).collect(),
            ..ended("update", Some(3), outcome, None)
        })
    };
    for outcome in [Outcome::Restored, Outcome::Failed] {
        assert_eq!(alone(&["tags"], outcome), Told::Left(Left::Tagged));
        let both = alone(&["tags", "labels"], outcome);
        assert_eq!(both, Told::Left(Left::Tagged));
        assert_eq!(alone(&["labels"], outcome), Told::Untouched);
    }
}

#[test]
fn a_run_that_died_is_found_out_about_from_what_lives() {
    let of = |change: &str, before, live: Option<(u64, i64)>| {
        let live = live.map(|(version, ms)| lives(version, ms));
        guess(&planned(change, before), live.as_ref())
    };
    let wrote = |v| Guess::IfSame(version(v, at(RUN)));
    assert_eq!(of("update", Some(3), Some((3, BEFORE))), Guess::Untouched);
    assert_eq!(of("update", Some(3), Some((4, RUN))), wrote(4));
    assert_eq!(of("create", None, None), Guess::Untouched);
    assert_eq!(of("create", None, Some((1, RUN))), wrote(1));
    assert_eq!(of("delete", Some(3), Some((3, BEFORE))), Guess::Untouched);
    assert_eq!(of("delete", Some(3), None), Guess::Left(Left::Nothing));
    for moved in [
        of("update", Some(3), Some((5, SINCE))),
        of("update", Some(3), None),
        of("create", None, Some((2, SINCE))),
        of("delete", Some(3), Some((4, SINCE))),
        // The same number, of a younger parameter.
        of("update", Some(3), Some((3, SINCE))),
        of("delete", Some(3), Some((3, SINCE))),
    ] {
        assert!(matches!(moved, Guess::Moved(..)), "{moved:?}");
    }
}

#[test]
fn what_changed_since_is_told_with_both_versions() {
    let name = ended("update", Some(3), Outcome::Restored, Some(4));
    let left = version(4, at(RUN));
    let with = |live: Option<Live>| {
        let live = live.map(|live| looked_at(live, None));
        moved(&run(), &name, &left, live.as_ref())
    };
    assert_eq!(with(Some(lives(4, RUN))), None);
    let told = with(Some(lives(5, SINCE))).unwrap();
    assert_eq!(told, "version 5 lives, and the run had written version 4");
    let told = with(None).unwrap();
    assert_eq!(told, "it was deleted, and the run had written version 4");
    // Deleted, and created and written to again.
    let again = with(Some(lives(4, SINCE))).unwrap();
    assert!(again.contains("another version 4"), "{again}");
    let live = looked_at(lives(4, SINCE), None);
    let told = moved(&run(), &name, &Left::Nothing, Some(&live)).unwrap();
    assert_eq!(told, "version 4 lives, and the run had deleted it");
    assert_eq!(moved(&run(), &name, &Left::Nothing, None), None);
}

#[test]
fn a_version_that_was_not_read_back_is_the_runs_if_it_is_of_its_time() {
    let name = ended("create", None, Outcome::Restored, Some(1));
    let left = Left::Version {
        version: 1,
        at: None,
    };
    let with = |run: &Run, ms| {
        let live = looked_at(lives(1, ms), None);
        moved(run, &name, &left, Some(&live))
    };
    let (started, ended) = (RUN - 100, RUN + 100);
    for ms in [started - CLOCKS_MS, RUN, ended + CLOCKS_MS] {
        assert_eq!(with(&run(), ms), None, "{ms}");
    }
    for ms in [started - CLOCKS_MS - 1, ended + CLOCKS_MS + 1] {
        let told = with(&run(), ms).unwrap();
        assert!(told.contains("another version 1"), "{told}");
    }
    let endless = Run {
        finished: None,
        ..run()
    };
    assert!(with(&endless, RUN).is_some());
}

#[test]
fn what_somebody_did_between_the_look_and_the_write_is_not_dropped() {
    let with = |name: &RunName| {
        let Told::Left(left) = told(name) else {
            panic!("{name:?}");
        };
        let written = name.written_version.unwrap();
        moved(
            &run(),
            name,
            &left,
            Some(&looked_at(lives(written, RUN), None)),
        )
    };
    let wrote = |written| ended("update", Some(5), Outcome::Failed, Some(written));
    assert_eq!(with(&wrote(6)), None);
    let told = with(&wrote(7)).unwrap();
    assert!(told.starts_with("somebody wrote version 6 at the same moment"));
    let told = with(&wrote(1)).unwrap();
    assert!(told.starts_with("somebody deleted it at the same moment"));
    let recreated = RunName {
        recreated: true,
        ..wrote(1)
    };
    assert_eq!(with(&recreated), None);
    let created = ended("create", None, Outcome::Restored, Some(1));
    assert_eq!(with(&created), None);
}

#[test]
fn what_an_undo_deleted_to_create_it_again_is_created() {
    let wrote = ended("update", Some(3), Outcome::Restored, Some(4));
    let left = version(4, at(RUN));
    let under_way = or_under_way(&wrote, left.clone(), false);
    assert_eq!(under_way, Left::UnderWay);
    assert_eq!(moved(&run(), &wrote, &under_way, None), None);
    let live = looked_at(lives(1, SINCE), None);
    assert!(moved(&run(), &wrote, &under_way, Some(&live)).is_some());
    // It comes back with tags.
    let version_3 = recorded(Some(tags("first")));
    let on_record = OnRecord {
        version: Some(&version_3),
        tags: None,
    };
    let state = state_before(&wrote, &under_way, on_record);
    let found = state.found().unwrap();
    assert_eq!(found.attributes.tags, Some(tags("first")));

    assert_eq!(or_under_way(&wrote, left.clone(), true), left);
    let created = ended("create", None, Outcome::Restored, Some(4));
    assert_eq!(or_under_way(&created, left.clone(), false), left);
}

#[test]
fn tags_that_changed_since_are_not_overwritten() {
    let name = RunName {
        alone: vec!["tags".into()],
        before_tags: Some(tags("before")),
        after_tags: Some(tags("after")),
        ..ended("update", Some(3), Outcome::Restored, None)
    };
    let with = |team: &str| {
        let live = looked_at(lives(3, BEFORE), Some(tags(team)));
        moved(&run(), &name, &Left::Tagged, Some(&live))
    };
    assert_eq!(with("after"), None);
    assert_eq!(with("before"), None);
    assert!(with("since").is_some());
    let newer = looked_at(lives(4, SINCE), Some(tags("after")));
    assert!(moved(&run(), &name, &Left::Tagged, Some(&newer)).is_some());
}

fn recorded(tags: Option<Tags>) -> Record {
    let written = Written {
        version: Some(3),
        creates: false,
        discriminator: String::new(),
        attributes: Attributes {
            parameter_type: "String".into(),
            tags,
            ..Attributes::default()
        },
        modified_by: None,
        value: ValueState::Stored(Pointer {
            bucket: "b".into(),
            key: "/app/db".into(),
            version_id: "v".into(),
        }),
    };
    record(BEFORE, Change::Written(written))
}

fn record(ms: i64, change: Change) -> Record {
    Record {
        name: Name::parse("/app/db").unwrap(),
        at: at(ms),
        change,
        source: Source::Event,
        event: None,
        recorded_at: at(ms),
    }
}

#[test]
fn a_parameter_gets_the_tags_that_the_run_took() {
    let version_3 = recorded(Some(tags("first")));
    let later = record(
        BEFORE + 1,
        Change::Tagged {
            tags: tags("later"),
        },
    );
    let on_record = OnRecord {
        version: Some(&version_3),
        tags: Some(&later),
    };
    let of = |name: &RunName, left: &Left| {
        let state = state_before(name, left, on_record);
        state.found().unwrap().attributes.tags.clone()
    };
    let wrote = ended("update", Some(3), Outcome::Restored, Some(4));
    // The run left its tags alone, and so does this.
    assert_eq!(of(&wrote, &version(4, at(RUN))), None);
    let retagged = RunName {
        before_tags: Some(tags("before")),
        ..wrote
    };
    assert_eq!(of(&retagged, &version(4, at(RUN))), Some(tags("before")));
    assert_eq!(of(&retagged, &Left::Tagged), Some(tags("before")));
    // A deletion takes all tags; so does a run that did not tell which it took.
    let deleted = ended("delete", Some(3), Outcome::Deleted, None);
    assert_eq!(of(&deleted, &Left::Nothing), Some(tags("later")));
    assert_eq!(of(&deleted, &Left::Tagged), Some(tags("later")));
    let alone = OnRecord {
        tags: None,
        ..on_record
    };
    let state = state_before(&deleted, &Left::Nothing, alone);
    let found = state.found().unwrap();
    assert_eq!(found.attributes.tags, Some(tags("first")));
    assert!(matches!(found.value, FoundValue::Stored(_)));
}

#[test]
fn what_is_not_on_record_is_unknown_and_what_the_run_created_was_absent() {
    let nothing = OnRecord::default();
    let left = version(4, at(RUN));
    let known = state_before(&planned("update", Some(3)), &left, nothing);
    assert_eq!(known, State::Unknown { known_from: None });
    let created = state_before(&planned("create", None), &left, nothing);
    assert_eq!(created, State::Absent { since: None });
}

#[test]
fn labels_stay_and_it_is_told_where_they_were() {
    let name = RunName {
        labels: vec!["prod".into()],
        ..ended("update", Some(3), Outcome::Restored, Some(4))
    };
    let move_to = |ms, from, to| {
        let label = "prod".into();
        record(ms, Change::Labelled { label, from, to })
    };
    let told = |moves: &[Record]| labels_left_on(&name, moves).join("");
    let moves = [move_to(SINCE, Some(6), 4), move_to(RUN, Some(2), 4)];
    assert!(told(&moves).ends_with("on version 4; before the run it was on version 2"));
    assert!(told(&[]).ends_with("not on record"));
    let dead = RunName {
        labels: vec!["prod".into()],
        ..planned("update", Some(3))
    };
    assert_eq!(labels_left_on(&dead, &[]), Vec::<String>::new());
    assert_eq!(labels_left_on(&dead, &moves).len(), 1);
}

/// What a parameter is: nothing, or a version of an instant.
type World = Option<(u64, i64)>;

proptest! {
    /// Whatever a run did and wherever it died: what it left is found, and what
    /// somebody else left is never taken for it.
    #[test]
    fn nothing_but_what_the_run_left_is_undone(
        before in prop::option::of(1_u64..4),
        deletes: bool,
        came_to_it: bool,
        told_it: bool,
        read_back: bool,
        since in prop::collection::vec(any::<bool>(), 0..3),
    ) {
        let change = match before {
            Some(_) if deletes => "delete",
            Some(_) => "update",
            None => "create",
        };
        let start: World = before.map(|v| (v, BEFORE));
        let done: World = match change {
            "delete" => None,
            _ => Some((before.unwrap_or(0) + 1, RUN)),
        };
        let left = if came_to_it { done } else { start };
        let mut world = left;
        let mut ms = SINCE;
        for deletes in &since {
            ms += 1;
            world = match world {
                Some(_) if *deletes => None,
                Some((version, _)) => Some((version + 1, ms)),
                None => Some((1, ms)),
            };
        }
        let mut name = match (told_it, came_to_it, change) {
            (false, _, _) => planned(change, before),
            (true, false, _) => ended(change, before, Outcome::Skipped, None),
            (true, true, "delete") => ended(change, before, Outcome::Deleted, None),
            (true, true, _) => {
                ended(change, before, Outcome::Restored, done.map(|(version, _)| version))
            }
        };
        name.written_at = name.written_at.filter(|_| read_back);
        let live = world.map(|(version, ms)| lives(version, ms));
        let as_left = world == left;
        match told(&name) {
            Told::Untouched => prop_assert!(told_it && !came_to_it),
            Told::Left(left) => {
                let live = live.map(|live| looked_at(live, None));
                prop_assert_eq!(moved(&run(), &name, &left, live.as_ref()).is_none(), as_left);
            }
            Told::Unsure => match guess(&name, live.as_ref()) {
                Guess::Untouched => prop_assert_eq!(world, start),
                Guess::Left(_) => prop_assert_eq!(world, None),
                // What it holds is compared before it counts.
                Guess::IfSame(left) => {
                    prop_assert_ne!(world, start);
                    prop_assert_eq!(Some(left), world.map(|(v, ms)| version(v, at(ms))));
                }
                Guess::Moved(..) => prop_assert!(!as_left && world != start),
            },
        }
    }
}
