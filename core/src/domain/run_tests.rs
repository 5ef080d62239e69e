use super::*;

#[test]
fn a_run_is_meant_by_four_characters_or_last() {
    assert_eq!(WhichRun::parse("last"), Ok(WhichRun::Last));
    let id = WhichRun::Id("5b0c".into());
    assert_eq!(WhichRun::parse("5B0C"), Ok(id));
    for short in ["", "5b0", "las"] {
        assert_eq!(WhichRun::parse(short), Err(WhichRunError(short.into())));
    }
    assert_eq!(short_id("5b0c2f7e-93a1-4a57-8a43-7a5f0f1d2c11"), "5b0c2f7e");
}

fn run(phase: Phase, outcomes: &[Option<Outcome>]) -> Run {
    let names = outcomes.iter().enumerate().map(|(number, outcome)| {
        let name = format!(r#"{{"name":"/n/{number}","change":"update"}}"#);
        RunName {
            outcome: *outcome,
            ..serde_json::from_str(&name).unwrap()
        }
    });
    Run {
        format: 1,
        id: "5b0c2f7e".into(),
        started: Instant::EARLIEST,
        finished: None,
        phase,
        by: None,
        target: "/n/".into(),
        recursive: true,
        at: Instant::EARLIEST,
        origin: Origin::Record,
        counts: None,
        names: names.collect(),
    }
}

#[test]
fn the_row_of_a_run_counts_its_names_once_they_have_all_ended() {
    use Outcome::{Deleted, Failed, Restored, Skipped};
    let outcomes = [Restored, Restored, Deleted, Skipped, Failed, Failed].map(Some);
    let row = run(Phase::Finished, &outcomes).summary();
    assert!(row.names.is_empty());
    let counts = Counts {
        restored: 2,
        deleted: 1,
        unchanged: 0,
        skipped: 1,
        failed: 2,
    };
    assert_eq!(row.counts, Some(counts));
    assert_eq!(run(Phase::Planned, &[None]).summary().counts, None);
}

#[test]
fn a_run_of_an_older_program_is_read() {
    let text = r#"{"format":1,"id":"5b0c2f7e","started":"2026-11-20T12:00:00.250Z",
        "phase":"planned","target":"/app/","recursive":true,"at":"2026-11-20T10:23:30.999Z",
        "names":[{"name":"/app/db","change":"update","beforeVersion":3}]}"#;
    let run: Run = serde_json::from_str(text).unwrap();
    assert_eq!(run.origin, Origin::Record);
    let name = &run.names[0];
    assert_eq!((name.before_version, &name.before_tags), (Some(3), &None));
    // What it did not write this program does not write either.
    let again = serde_json::to_string(&run).unwrap();
    assert!(
        !again.contains("origin") && !again.contains("Tags"),
        "{again}"
    );
}
