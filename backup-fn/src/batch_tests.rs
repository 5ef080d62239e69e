use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

fn message(id: &str, body: &str) -> SqsMessage {
    let json = serde_json::json!({"messageId": id, "body": body});
    serde_json::from_value(json).unwrap()
}

fn event(id: &str, name: &str, time: &str) -> String {
    serde_json::json!({
        "id": id, "time": time, "detail-type": "Parameter Store Change",
        "detail": {"name": name, "type": "String", "operation": "Update"},
    })
    .to_string()
}

#[test]
fn events_of_one_name_come_in_order_and_rubbish_stands_alone() {
    let batch = Batch::decode(vec![
        message("1", &event("b", "/x", "2026-11-20T10:00:02Z")),
        message("2", "rubbish"),
        message("3", &event("a", "x", "2026-11-20T10:00:01Z")),
        message("4", &event("c", "/y", "2026-11-20T10:00:00Z")),
    ]);
    assert_eq!(batch.unintelligible, ["2"]);
    let x = &batch.names[&Name::parse("/x").unwrap()];
    let ids: Vec<_> = x.iter().map(|d| d.message_id.as_str()).collect();
    assert_eq!(ids, ["3", "1"]);
    assert_eq!(batch.names.len(), 2);
}

#[test]
fn one_message_can_be_about_several_names() {
    let call = serde_json::json!({
        "id": "a", "time": "2026-11-20T10:01:00Z",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventID": "c", "eventTime": "2026-11-20T10:00:00Z",
            "eventName": "DeleteParameters",
            "requestParameters": {"names": ["/x", "y"]},
        },
    });
    let batch = Batch::decode(vec![
        message("1", &call.to_string()),
        message("2", &event("b", "/y", "2026-11-20T10:00:01Z")),
    ]);
    let of = |name: &str| {
        let delivered = &batch.names[&Name::parse(name).unwrap()];
        let ids = delivered.iter().map(|d| d.message_id.as_str());
        ids.collect::<Vec<_>>()
    };
    assert_eq!((of("/x"), of("/y")), (vec!["1"], vec!["1", "2"]));
    assert_eq!(batch.unintelligible, [""; 0]);
}

/// A body of a message: an event, of something that is none, or of nothing.
fn body() -> impl Strategy<Value = Option<String>> {
    let name = prop::sample::select(vec!["/x", "x", "/y/z", "/y", "a b", "", "/", "//"]);
    let time = prop::sample::select(vec![
        "2026-11-20T10:00:01Z",
        "2026-11-20T10:00:00Z",
        "+262143-12-31T23:59:59Z",
        "yesterday",
    ]);
    let event = ("[a-c]{1,3}", name, time).prop_map(|(id, name, time)| event(&id, name, time));
    prop_oneof![
        6 => event.prop_map(Some),
        1 => any::<String>().prop_map(Some),
        1 => "[\\[{]{1,300}".prop_map(Some),
        1 => Just(None),
    ]
}

proptest! {
    #[test]
    fn each_message_is_of_its_names_or_fails_alone(
        bodies in proptest::collection::vec(body(), 0..12), without_id in any::<prop::sample::Index>(),
    ) {
        let lost = without_id.index(bodies.len() + 1);
        let messages = bodies.iter().enumerate().map(|(number, body)| {
            let mut json = serde_json::json!({"body": body});
            if number != lost {
                json["messageId"] = number.to_string().into();
            }
            serde_json::from_value(json).unwrap()
        });
        let batch = Batch::decode(messages.collect());
        for (number, body) in bodies.iter().enumerate() {
            // As if it had come alone: its neighbours change nothing.
            let alone = Events::parse(body.as_deref().unwrap_or_default());
            // Without an id the whole batch comes again.
            let id = if number == lost { String::new() } else { number.to_string() };
            let names = batch.names.iter().filter(|(_, all)| all.iter().any(|d| d.message_id == id));
            let names: Vec<&Name> = names.map(|(name, _)| name).collect();
            if let Ok(events) = alone {
                let expected: Vec<&Name> = events.iter().map(|event| &event.name).collect();
                prop_assert_eq!(names, expected);
            } else {
                prop_assert!(names.is_empty());
                prop_assert!(batch.unintelligible.contains(&id));
            }
        }
        for events in batch.names.values() {
            let times = events.iter().map(|d| (d.event.origin.time, &d.event.origin.id));
            prop_assert!(times.is_sorted());
        }
    }

    #[test]
    fn any_records_are_a_batch_or_refused(records in any_json()) {
        let input = serde_json::json!({"Records": records});
        if let Ok(batch) = serde_json::from_value::<aws_lambda_events::event::sqs::SqsEvent>(input) {
            let count = batch.records.len();
            let batch = Batch::decode(batch.records);
            prop_assert!(batch.unintelligible.len() + batch.names.len() <= count * 10);
        }
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let field = prop::sample::select(vec![
            "messageId",
            "body",
            "attributes",
            "messageAttributes",
            "x",
        ]);
        let fields = proptest::collection::vec((field, inner.clone()), 0..5);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Json::from),
            fields.prop_map(|fields| {
                let fields = fields
                    .into_iter()
                    .map(|(field, json)| (field.to_owned(), json));
                Json::Object(fields.collect())
            }),
        ]
    })
}
