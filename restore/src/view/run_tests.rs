use serde_json::json;

use super::*;
use crate::output::{Rows, TableStyle};

const ID: &str = "5b0c2f7e-93a1-4a57-8a43-7a5f0f1d2c11";

fn run(more: &serde_json::Value) -> Run {
    let mut run = json!({
        "format": 1, "id": ID, "started": "2026-11-20T12:00:00.250Z",
        "finished": "2026-11-20T12:00:01.400Z", "phase": "finished",
        "by": "arn:aws:iam::1:user/ann", "target": "/app/", "recursive": true,
        "at": "2026-11-20T10:23:30.999Z", "names": [],
    });
    let fields = run.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    serde_json::from_value(run).unwrap()
}

fn counts(restored: usize, failed: usize) -> Counts {
    Counts {
        restored,
        failed,
        ..Counts::default()
    }
}

#[test]
fn a_run_has_the_fields_of_the_contract() {
    let view = RunView::new(&run(&json!({})), Some(counts(4, 1)));
    assert_eq!(
        serde_json::to_value(&view).unwrap(),
        json!({
            "Run": ID, "Started": "2026-11-20T12:00:00.250Z",
            "Finished": "2026-11-20T12:00:01.400Z", "By": "arn:aws:iam::1:user/ann",
            "Target": "/app/", "Recursive": true, "At": "2026-11-20T10:23:30.999Z",
            "Origin": "record", "Of": null, "Restored": 4, "Deleted": 0, "Unchanged": 0,
            "Skipped": 0, "Failed": 1,
        })
    );
    let fields = serde_json::to_value(&view).unwrap();
    let fields = fields.as_object().unwrap().keys();
    let mut named = RunView::FIELDS.to_vec();
    named.sort_unstable();
    assert!(fields.eq(named));
}

#[test]
fn every_origin_is_told() {
    let of = |origin: serde_json::Value| {
        let view = RunView::new(&run(&json!({ "origin": origin })), None);
        (view.origin, view.of.clone(), view.what())
    };
    let at = "2026-11-20T10:23:30.999Z";
    assert_eq!(
        of(json!({"kind": "undo", "run": ID})),
        ("undo", Some(ID.into()), "undo of 5b0c2f7e".into())
    );
    let plan = ("plan", None, format!("by a plan, as at {at}"));
    assert_eq!(of(json!({"kind": "plan"})), plan);
    let file = ("file", None, "from a file".into());
    assert_eq!(of(json!({"kind": "file"})), file);
    assert_eq!(
        of(json!({"kind": "elsewhere", "target": "/prod/"})),
        (
            "elsewhere",
            Some("/prod/".into()),
            format!("from /prod/ as at {at}")
        )
    );
}

#[test]
fn a_table_tells_what_became_of_a_run_or_that_it_has_not_told() {
    let died = run(&json!({"phase": "planned", "finished": null}));
    let views = [
        RunView::new(&run(&json!({})), Some(counts(4, 1))),
        RunView::new(&died, None),
    ];
    let mut out = Vec::new();
    let style = TableStyle {
        color: false,
        width: None,
    };
    let mut rows = Rows::new(&mut out, crate::args::Format::Table, style);
    rows.page(&views).unwrap();
    rows.finish::<RunView>().unwrap();
    let table = String::from_utf8(out).unwrap();
    for part in [
        "5b0c2f7e",
        "/app/ -R",
        "4 restored, 1 failed",
        "not finished",
    ] {
        assert!(table.contains(part), "{part} in\n{table}");
    }
    assert_eq!(
        views[0].sentence(),
        "run 5b0c2f7e of 2026-11-20T12:00:00.250Z by arn:aws:iam::1:user/ann: /app/ -R, as at \
         2026-11-20T10:23:30.999Z"
    );
}

#[test]
fn a_parameter_of_a_run_has_the_fields_of_the_contract() {
    let name = json!({"name": "/app/db", "change": "update", "beforeVersion": 3,
        "writtenVersion": 4, "outcome": "restored", "recreated": true});
    let name: RunName = serde_json::from_value(name).unwrap();
    let view = RunNameView::from(&name);
    let cells = view.cells().len();
    assert_eq!(cells, RunNameView::COLUMNS.len());
    assert_eq!(
        serde_json::to_value(&view).unwrap(),
        json!({
            "Name": "/app/db", "Change": "update", "Before": 3, "Written": 4,
            "Outcome": "restored", "Reason": null, "Alone": null, "Recreated": true,
        })
    );
}
