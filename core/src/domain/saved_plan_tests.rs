use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

const RECORD: &str = "2024-06-14T08:00:00.123Z#v0000000002";
const TAGS: &str = "2024-06-14T09:00:00.999Z#t-0011223344556677";

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn parameter(name: &str, change: SavedChange) -> SavedParameter {
    let live = SavedLive {
        version: 3,
        modified: at("2024-06-16T00:00:00.000Z"),
    };
    let puts_back = change.puts_back();
    SavedParameter {
        name: Name::parse(name).unwrap(),
        change,
        live: Some(live).filter(|_| change != SavedChange::Create),
        deleted: None,
        known_from: None,
        record: puts_back.then(|| RECORD.into()),
        tags_record: None,
        labels: Vec::new(),
        alone: Vec::new(),
        recreate: false,
        inexact: false,
        problem: None,
    }
}

fn plan(parameters: Vec<SavedParameter>) -> SavedPlan {
    SavedPlan {
        made: at("2024-06-16T01:00:00.000Z"),
        bucket: "bucket".into(),
        table: "table".into(),
        target: "/app/".into(),
        recursive: true,
        at: at("2024-06-15T17:56:58.999Z"),
        options: SavedOptions::default(),
        parameters,
    }
}

fn read(plan: &SavedPlan) -> Result<SavedPlan, SavedPlanError> {
    SavedPlan::from_text(plan.to_text().unwrap().as_bytes())
}

/// What is told of a plan with this one parameter.
fn told_of(parameter: SavedParameter) -> String {
    read(&plan(vec![parameter])).unwrap_err().to_string()
}

/// A plan's text with something changed, its checksum made anew.
fn changed(change: impl FnOnce(&mut Json)) -> Vec<u8> {
    let text = plan(vec![parameter("/app/db", SavedChange::Update)])
        .to_text()
        .unwrap();
    let mut json: Json = serde_json::from_str(&text).unwrap();
    change(&mut json);
    serde_json::to_vec_pretty(&json).unwrap()
}

#[test]
fn the_text_is_what_the_documentation_says() {
    let tags = SavedParameter {
        alone: vec![Alone::Tags],
        tags_record: Some(TAGS.into()),
        ..parameter("/app/db", SavedChange::Update)
    };
    let gone = SavedParameter {
        deleted: Some(at("2024-06-15T10:00:00.999Z")),
        ..parameter("/app/new", SavedChange::Delete)
    };
    let text = plan(vec![tags, gone]).to_text().unwrap();
    let expected = json!({
        "ssmbakPlan": 1,
        "sha256": serde_json::from_str::<Json>(&text).unwrap()["sha256"],
        "plan": {
            "made": "2024-06-16T01:00:00.000Z",
            "bucket": "bucket",
            "table": "table",
            "target": "/app/",
            "recursive": true,
            "at": "2024-06-15T17:56:58.999Z",
            "options": {},
            "parameters": [
                {
                    "name": "/app/db",
                    "change": "update",
                    "live": {"version": 3, "modified": "2024-06-16T00:00:00.000Z"},
                    "record": RECORD,
                    "tagsRecord": TAGS,
                    "alone": ["tags"],
                },
                {
                    "name": "/app/new",
                    "change": "delete",
                    "live": {"version": 3, "modified": "2024-06-16T00:00:00.000Z"},
                    "deleted": "2024-06-15T10:00:00.999Z",
                },
            ],
        },
    });
    assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), expected);
    assert!(text.starts_with("{\n  \"ssmbakPlan\": 1,\n"), "{text}");
}

#[test]
fn the_checksum_is_that_of_the_documentation() {
    let gone = parameter("/app/new", SavedChange::Delete);
    let text = plan(vec![gone]).to_text().unwrap();
    let json: Json = serde_json::from_str(&text).unwrap();
    let hashed = concat!(
        "1\n",
        r#"{"made":"2024-06-16T01:00:00.000Z","bucket":"bucket","table":"table","target":"/app/","#,
        r#""recursive":true,"at":"2024-06-15T17:56:58.999Z","options":{},"parameters":["#,
        r#"{"name":"/app/new","change":"delete","#,
        r#""live":{"version":3,"modified":"2024-06-16T00:00:00.000Z"}}]}"#,
    );
    assert_eq!(json["sha256"], sha256_hex(hashed));
}

#[test]
fn every_change_of_the_content_is_found() {
    let edits: [fn(&mut Json); 5] = [
        |j| j["plan"]["parameters"][0]["record"] = "2024-06-14T08:00:00.123Z#v0000000001".into(),
        |j| j["plan"]["parameters"][0]["name"] = "/app/other".into(),
        |j| j["plan"]["parameters"][0]["live"]["version"] = 4.into(),
        |j| j["plan"]["at"] = "2024-06-15T17:56:57.999Z".into(),
        |j| j["plan"]["parameters"] = json!([]),
    ];
    for edit in edits {
        assert_eq!(
            SavedPlan::from_text(&changed(edit)),
            Err(SavedPlanError::Changed)
        );
    }
    // How it is laid out is no content.
    assert!(SavedPlan::from_text(&changed(|_| {})).is_ok());
}

#[test]
fn another_form_is_told_before_anything_else() {
    let newer = changed(|j| {
        *j = json!({"ssmbakPlan": 2, "whatever": true});
    });
    assert_eq!(SavedPlan::from_text(&newer), Err(SavedPlanError::Newer(2)));
    let none = changed(|j| *j = json!({"Parameters": []}));
    assert_eq!(SavedPlan::from_text(&none), Err(SavedPlanError::NoPlan));
    let zero = changed(|j| j["ssmbakPlan"] = 0.into());
    assert_eq!(SavedPlan::from_text(&zero), Err(SavedPlanError::NoForm(0)));
}

#[test]
fn every_cut_is_refused() {
    let text = plan(vec![parameter("/app/db", SavedChange::Update)])
        .to_text()
        .unwrap();
    for end in 0..text.len() - 2 {
        let cut = SavedPlan::from_text(&text.as_bytes()[..end]);
        assert!(matches!(cut, Err(SavedPlanError::CutOff { .. })), "{end}");
    }
}

#[test]
fn a_wrong_shape_is_told_with_its_place_and_nothing_of_what_stands_there() {
    let edits: [fn(&mut Json); 6] = [
        |j| j["hunter2"] = "hunter2".into(),
        |j| j["plan"]["parameters"][0]["value"] = "hunter2".into(),
        |j| j["plan"]["recursive"] = "hunter2".into(),
        |j| j["plan"]["parameters"][0]["change"] = "hunter2".into(),
        |j| j["plan"]["parameters"][0]["live"]["version"] = (-1).into(),
        |j| j["plan"]["parameters"][0]["name"] = "/hunter2 hunter2".into(),
    ];
    for edit in edits {
        let error = SavedPlan::from_text(&changed(edit)).unwrap_err();
        assert!(matches!(error, SavedPlanError::Shape { .. }), "{error:?}");
        let told = error.to_string();
        assert!(told.starts_with("line "), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    let no_json = SavedPlan::from_text(b"name,value\n").unwrap_err();
    assert_eq!(no_json.to_string(), "line 1, column 2: this is no JSON");
}

#[test]
fn names_that_cannot_be_meant_are_refused_by_name() {
    let update = |name| parameter(name, SavedChange::Update);
    let twice = read(&plan(vec![update("/app/db"), update("/app/db")]));
    let told = twice.unwrap_err().to_string();
    assert_eq!(told, "parameter 2, /app/db: it is there twice");
    let told = told_of(update("/other/db"));
    assert_eq!(told, "parameter 1, /other/db: it does not lie in `target`");
    let own = SavedPlan {
        target: "/".into(),
        ..plan(vec![update("/_ssmbak/prod/bucketname")])
    };
    let told = read(&own).unwrap_err().to_string();
    assert!(told.contains("ssmbak's own"), "{told}");
    let level = SavedPlan {
        recursive: false,
        ..plan(vec![update("/app/deep/db")])
    };
    assert!(read(&level).unwrap_err().to_string().contains("`target`"));
    let nowhere = SavedPlan {
        target: "a//b".into(),
        ..plan(Vec::new())
    };
    assert!(matches!(read(&nowhere), Err(SavedPlanError::Target(_))));
}

#[test]
fn a_parameter_that_contradicts_itself_is_refused() {
    let base = |change| parameter("/app/db", change);
    let live = base(SavedChange::Update).live;
    let cases = [
        (
            SavedParameter {
                live,
                ..base(SavedChange::Create)
            },
            "`live`",
        ),
        (
            SavedParameter {
                live: None,
                ..base(SavedChange::Update)
            },
            "`live`",
        ),
        (
            SavedParameter {
                live: None,
                ..base(SavedChange::Delete)
            },
            "`live`",
        ),
        (
            SavedParameter {
                record: None,
                ..base(SavedChange::Update)
            },
            "no `record`",
        ),
        (
            SavedParameter {
                record: Some(RECORD.into()),
                ..base(SavedChange::Delete)
            },
            "nothing is put back",
        ),
        (
            SavedParameter {
                recreate: true,
                ..base(SavedChange::Update)
            },
            "was not asked for",
        ),
        (
            SavedParameter {
                labels: vec!["l".into()],
                ..base(SavedChange::Update)
            },
            "`labels`",
        ),
        (
            SavedParameter {
                tags_record: Some("2024-06-14T08:00:00.123Z#v0000000001".into()),
                ..base(SavedChange::Update)
            },
            "`tagsRecord`",
        ),
    ];
    for (parameter, says) in cases {
        let told = told_of(parameter);
        assert!(told.contains(says), "{says}: {told}");
    }
    for record in [
        "",
        "x",
        "+2024-06-14T08:00:00.123Z#v0000000002",
        TAGS,
        "2024-06-14T08:00:00.123Z#x",
        "2024-06-14T08:00:00Z#v0000000002",
        "2024-06-14T08:00:00.123Z#v2",
        "2024-06-14T08:00:00.123Z#v000000000é",
    ] {
        let told = told_of(SavedParameter {
            record: Some(record.into()),
            ..base(SavedChange::Update)
        });
        assert!(told.contains("no version's record"), "{record}: {told}");
    }
}

#[test]
fn what_is_too_long_is_not_parsed() {
    let length = usize::try_from(LONGEST).unwrap() + 1;
    let long = vec![b' '; length];
    assert_eq!(SavedPlan::from_text(&long), Err(SavedPlanError::TooLong));
}

fn any_instant() -> impl Strategy<Value = Instant> {
    (0_i64..4_000_000_000_000).prop_map(Instant::from_millis)
}

fn any_parameter() -> impl Strategy<Value = SavedParameter> {
    let change = prop_oneof![
        Just(SavedChange::Create),
        Just(SavedChange::Update),
        Just(SavedChange::Delete),
        Just(SavedChange::Unknown),
    ];
    let alone = prop_oneof![
        Just(vec![]),
        Just(vec![Alone::Tags]),
        Just(vec![Alone::Tags, Alone::Labels]),
    ];
    let of = (any_instant(), any_instant(), 1_u64..100, any::<u32>());
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let texts = (prop::collection::vec("[a-z]{1,9}", 0..3), ".{0,40}");
    (change, alone, of, flags, texts).prop_map(|(change, alone, of, flags, texts)| {
        let (modified, other, version, hash) = of;
        let (recreate, inexact, tagged) = flags;
        let puts_back = change.puts_back();
        let live = SavedLive { version, modified };
        SavedParameter {
            name: Name::parse("/app/x").unwrap(),
            change,
            live: Some(live).filter(|_| change != SavedChange::Create),
            deleted: (change == SavedChange::Delete && tagged).then_some(other),
            known_from: (change == SavedChange::Unknown && tagged).then_some(other),
            record: puts_back.then(|| format!("{other}#v{version:010}")),
            tags_record: (puts_back && tagged).then(|| format!("{modified}#t-{hash:016x}")),
            labels: texts.0.into_iter().filter(|_| puts_back).collect(),
            alone: alone.into_iter().filter(|_| puts_back).collect(),
            recreate: recreate && puts_back,
            inexact,
            problem: Some(texts.1).filter(|_| recreate),
        }
    })
}

proptest! {
    #[test]
    fn a_saved_plan_is_read_back_as_it_was(
        parameters in prop::collection::vec(any_parameter(), 0..6),
        at in any_instant(),
        keys in prop::collection::btree_map("[a-z]{1,5}", "[a-z]{1,5}", 0..3),
    ) {
        let numbered = parameters.into_iter().enumerate().map(|(number, parameter)| {
            let name = Name::parse(&format!("/app/{number}")).unwrap();
            SavedParameter { name, ..parameter }
        });
        let keys = keys.into_iter().map(|(old, new)| format!("{old}={new}"));
        let saved = SavedPlan {
            at,
            options: SavedOptions { labels: true, recreate: true, keys: keys.collect() },
            ..plan(numbered.collect())
        };
        prop_assert_eq!(read(&saved), Ok(saved));
    }
}
