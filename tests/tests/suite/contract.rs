//! What every store must do, unchanged over each emulator, over AWS in memory
//! and over AWS itself.

use std::collections::BTreeMap;

use ssmbak_core::domain::coverage::Interval;
use ssmbak_core::domain::record::{Attributes, Change, Operation, Source, Written};
use ssmbak_core::domain::{
    Coverage, Instant, Path, Pointer, Record, Target, Value, ValueState, keys,
};
use ssmbak_core::history::{History, Span};
use ssmbak_core::store::{ErrorKind, Journalled, Location, PutRequest, Stores};

use super::world::{Lane, World, name, now, under};

/// Where the contract is held up against. It needs no process, so that the
/// simulation is held to all of it.
const LANES: [Lane; 3] = [Lane::Ministack, Lane::Moto, Lane::Simulated];

fn at(ms: i64) -> Instant {
    Instant::from_millis(1_700_000_000_000 + ms)
}

fn version(of: &str, number: u64, ms: i64, pointer: Pointer) -> Record {
    Record {
        name: name(of),
        at: at(ms),
        change: Change::Written(Written {
            version: Some(number),
            creates: number == 1,
            discriminator: String::new(),
            attributes: Attributes {
                parameter_type: "String".into(),
                description: Some("it's, well: (odd) {x}".into()),
                tags: Some(BTreeMap::from([("a".into(), String::new())])),
                ..Attributes::default()
            },
            modified_by: Some("arn:aws:iam::1:user/x".into()),
            value: ValueState::Stored(pointer),
        }),
        source: Source::Event,
        event: None,
        recorded_at: at(ms + 9),
    }
}

fn nowhere() -> Pointer {
    Pointer {
        bucket: "b".into(),
        key: "/k".into(),
        version_id: "1".into(),
    }
}

fn deletion(of: &str, ms: i64) -> Record {
    Record {
        change: Change::Deleted {
            not_before: None,
            parameter_type: None,
        },
        ..version(of, 1, ms, nowhere())
    }
}

#[tokio::test]
async fn a_value_is_kept_byte_for_byte() {
    for lane in LANES {
        let world = World::on(lane).await;
        let bucket = &world.stores.bucket;
        let record = version("/app/x", 1, 0, nowhere());
        let written = record.present().unwrap();
        for text in [" lead\ttrail \n", "{{ssm:x}}", "é 💾 \u{0}", "\r\n", "-"] {
            let value = Value::new(text);
            let pointer = bucket.put_value(&record, written, &value).await.unwrap();
            assert_eq!(bucket.value(&pointer).await.unwrap(), value, "{lane:?}");
        }
        let missing = Pointer {
            key: "/none".into(),
            bucket: bucket.name().into(),
            version_id: "x".into(),
        };
        assert!(bucket.value(&missing).await.is_err());
    }
}

#[tokio::test]
async fn value_objects_carry_the_tags_of_the_original() {
    for lane in LANES {
        let world = World::on(lane).await;
        let record = version("/app/x", 7, 1_234, nowhere());
        let bucket = &world.stores.bucket;
        let written = record.present().unwrap();
        let value = Value::new("v");
        let pointer = bucket.put_value(&record, written, &value).await.unwrap();
        let tagging = world.s3.get_object_tagging().bucket(bucket.name());
        let tagging = tagging.key("/app/x").version_id(pointer.version_id);
        let answer = tagging.send().await.unwrap();
        let tags: BTreeMap<&str, &str> = answer
            .tag_set()
            .iter()
            .map(|t| (t.key(), t.value()))
            .collect();
        let expected = BTreeMap::from([
            ("ssmbakTime", "1700000001"),
            ("ssmbakType", "String"),
            ("ssmbakDescription", "its well: odd x"),
            ("ssmbakVersion", "7"),
        ]);
        assert_eq!(tags, expected, "{lane:?}");
    }
}

#[tokio::test]
async fn the_journal_keeps_the_first_writer_of_a_change() {
    for lane in LANES {
        let world = World::on(lane).await;
        let bucket = &world.stores.bucket;
        let first = version("/app/x", 1, 0, nowhere());
        let second = Record {
            recorded_at: at(99),
            ..version(
                "/app/x",
                1,
                0,
                Pointer {
                    version_id: "2".into(),
                    ..nowhere()
                },
            )
        };
        assert_eq!(
            bucket.put_record(&first).await.unwrap(),
            Journalled::Written
        );
        let answer = bucket.put_record(&second).await.unwrap();
        assert_eq!(answer, Journalled::Existing(Box::new(first)), "{lane:?}");
    }
}

#[tokio::test]
async fn the_index_answers_by_instant() {
    for lane in LANES {
        let world = World::on(lane).await;
        let index = &world.stores.index;
        let of = name("/app/x");
        let (one, gone, two) = (
            version("/app/x", 1, 500, nowhere()),
            deletion("/app/x", 2_999),
            version("/app/x", 1, 40_000, nowhere()),
        );
        for record in [&two, &one, &gone, &one] {
            index.put(record).await.unwrap();
        }
        let until = |ms| index.newest_until(&of, at(ms));
        assert_eq!(until(499).await.unwrap(), None, "{lane:?}");
        assert_eq!(until(500).await.unwrap().as_ref(), Some(&one));
        assert_eq!(until(2_998).await.unwrap().as_ref(), Some(&one));
        assert_eq!(until(2_999).await.unwrap().as_ref(), Some(&gone));
        assert_eq!(index.oldest(&of).await.unwrap().as_ref(), Some(&one));
        let heads = index.heads(&under("/app/")).await.unwrap();
        assert_eq!(heads[&of].record, two);
        let recent = index.recent(&of).await.unwrap();
        assert_eq!(recent.records, [two, gone, one]);
        assert!(recent.complete);
    }
}

#[tokio::test]
async fn app_is_never_app2() {
    for lane in LANES {
        let world = World::on(lane).await;
        let index = &world.stores.index;
        let names = ["/app", "/app/x", "/app/deep/er", "/app2", "/app2/x"];
        for of in names {
            index.put(&version(of, 1, 0, nowhere())).await.unwrap();
        }
        let found = |heads: ssmbak_core::store::Heads| -> Vec<String> {
            heads.keys().map(ToString::to_string).collect()
        };
        let all = index.heads(&under("/app/")).await.unwrap();
        assert_eq!(found(all), ["/app/deep/er", "/app/x"], "{lane:?}");
        let direct = Target::Path {
            path: Path::parse("/app/").unwrap(),
            recursive: false,
        };
        assert_eq!(found(index.heads(&direct).await.unwrap()), ["/app/x"]);
        let one = Target::Name(name("/app"));
        assert_eq!(found(index.heads(&one).await.unwrap()), ["/app"]);
        assert_eq!(index.heads(&under("/")).await.unwrap().len(), 5);
        let (changes, _) = index
            .changes(
                &under("/app/"),
                (Instant::EARLIEST, Instant::LATEST),
                None,
                None,
            )
            .await
            .unwrap();
        let seen: Vec<&str> = changes.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(seen, ["/app/x", "/app/deep/er"]);
    }
}

#[tokio::test]
async fn labels_stand_outside_the_range_of_the_state() {
    for lane in LANES {
        let world = World::on(lane).await;
        let index = &world.stores.index;
        let one = version("/app/x", 1, 0, nowhere());
        let moved = Record {
            at: at(5_999),
            change: Change::Labelled {
                label: "prod".into(),
                from: None,
                to: 1,
            },
            ..one.clone()
        };
        index.put(&moved).await.unwrap();
        index.put(&one).await.unwrap();
        let of = name("/app/x");
        let newest = index.newest_until(&of, Instant::LATEST.plus_millis(-1));
        assert_eq!(newest.await.unwrap(), Some(one), "{lane:?}");
        let labels = index
            .label_and_tag_changes(&of, at(0), at(5_999))
            .await
            .unwrap();
        assert_eq!(labels, [moved]);
        let (changes, _) = index
            .changes(&under("/app/"), (at(0), at(9_000)), None, None)
            .await
            .unwrap();
        assert_eq!(changes[0].operation(), Operation::LabelParameterVersion);
    }
}

#[tokio::test]
async fn the_index_of_another_format_is_refused() {
    use aws_sdk_dynamodb::types::AttributeValue;
    for lane in LANES {
        let world = World::on(lane).await;
        world.stores.check_format().await.unwrap();
        world.stores.index.claim_format().await.unwrap();
        world.stores.index.claim_format().await.unwrap();
        world.stores.check_format().await.unwrap();
        let put = world.dynamodb.put_item().table_name(&world.location.table);
        put.item("scope", AttributeValue::S("@meta".into()))
            .item("entry", AttributeValue::S("format".into()))
            .item("format", AttributeValue::N("3".into()))
            .send()
            .await
            .unwrap();
        let refused = world.stores.check_format().await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Format, "{lane:?}");
        assert!(refused.to_string().contains("format 3"), "{refused}");
    }
}

#[tokio::test]
async fn what_is_missing_is_told_as_missing() {
    for lane in LANES {
        let world = World::on(lane).await;
        let location = Location {
            bucket: "none-such".into(),
            table: "none-such".into(),
        };
        let stores = Stores::new(&world.config, location, now);
        let missing = stores.check_format().await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::Missing, "{lane:?}: {missing}");
        let missing = stores.bucket.check().await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::Missing, "{lane:?}: {missing}");
    }
}

#[tokio::test]
async fn coverage_reads_back() {
    for lane in LANES {
        let world = World::on(lane).await;
        let index = &world.stores.index;
        let path = Path::parse("/app/").unwrap();
        let intervals = vec![
            Interval {
                from: at(0),
                to: Some(at(5)),
                confirmed: at(4),
            },
            Interval {
                from: at(9),
                to: None,
                confirmed: at(9),
            },
        ];
        assert!(
            index
                .put_coverage(&path, &[], &intervals[..1])
                .await
                .unwrap()
        );
        let stale = index.put_coverage(&path, &[], &intervals).await.unwrap();
        assert!(
            !stale,
            "{lane:?}: another writer's coverage was overwritten"
        );
        let fresh = index.put_coverage(&path, &intervals[..1], &intervals);
        assert!(fresh.await.unwrap());
        let expected = Coverage::new([(path, intervals)]);
        assert_eq!(index.coverage().await.unwrap(), expected, "{lane:?}");
    }
}

#[tokio::test]
async fn no_answer_is_cut_at_a_page() {
    // More than 1,000 names, and more than 1 MB of rows, under one path.
    for lane in [Lane::Ministack, Lane::Simulated] {
        let world = World::on(lane).await;
        let index = &world.stores.index;
        let padding = "x".repeat(900);
        for chunk in (0..1_150).collect::<Vec<i64>>().chunks(25) {
            let puts = chunk.iter().map(|n| {
                let mut record = version(&format!("/big/{n:05}"), 1, *n, nowhere());
                if let Change::Written(written) = &mut record.change {
                    written.attributes.description = Some(padding.clone());
                    written.modified_by = Some(padding.clone());
                }
                async move { index.put(&record).await.unwrap() }
            });
            futures_util::future::join_all(puts).await;
        }
        assert_eq!(
            index.heads(&under("/big/")).await.unwrap().len(),
            1_150,
            "{lane:?}"
        );
        let mut pages = 0;
        let mut seen = 0;
        let big = under("/big/");
        let mut history = History::new(&world.stores, &big, &Span::default());
        while let Some(entries) = history.next().await.unwrap() {
            pages += 1;
            seen += entries.len();
        }
        assert_eq!(seen, 1_150, "{lane:?}");
        assert!(pages > 1, "one page is no test of pages: {lane:?}");
    }
}

#[tokio::test]
async fn parameter_store_gives_every_page_and_version() {
    for lane in LANES {
        let world = World::on(lane).await;
        let parameters = &world.stores.parameters;
        let of = world.own("/app/many");
        for number in 0..60 {
            world.put(&of, &format!("{number}")).await;
        }
        let look = parameters.history(&name(&of)).await.unwrap();
        let versions: Vec<u64> = look.retained.unwrap().iter().map(|r| r.version).collect();
        assert_eq!(versions, (1..=60).collect::<Vec<u64>>(), "{lane:?}");
        let none = parameters.history(&name("/none/such")).await.unwrap();
        assert_eq!(none.retained, None);
        for number in 0..55 {
            world.put(&world.own(&format!("/list/{number}")), "x").await;
        }
        let path = format!("{}/", world.own("/list"));
        let live = parameters.list(&under(&path)).await.unwrap();
        assert_eq!(live.len(), 55, "{lane:?}");
        let names: Vec<_> = live.iter().map(|l| l.name.clone()).collect();
        assert_eq!(parameters.values(&names).await.unwrap().len(), 55);
        // One at the root is listed without its slash.
        let root = name(&format!("/{}", world.own("/root").replace('/', "-")));
        world.put(root.as_str(), "x").await;
        let gone = name(&world.own("/list/none"));
        let asked = [&names[..], &[root.clone(), gone]].concat();
        let listed = parameters.list_names(&asked).await.unwrap();
        let mut expected = [&names[..], &[root]].concat();
        expected.sort();
        let listed: Vec<_> = listed.into_iter().map(|l| l.name).collect();
        assert_eq!(listed, expected, "{lane:?}");
    }
}

#[tokio::test]
async fn a_put_clears_what_was_empty_and_deletes_tell_what_was_not_there() {
    for lane in LANES {
        let world = World::on(lane).await;
        let parameters = &world.stores.parameters;
        let of = name(&world.own("/app/x"));
        let with = Attributes {
            parameter_type: "String".into(),
            description: Some("described".into()),
            ..Attributes::default()
        };
        let without = Attributes {
            description: None,
            ..with.clone()
        };
        let value = Value::new(" v ");
        let put = |attributes, overwrite| PutRequest {
            name: &of,
            value: &value,
            attributes,
            overwrite,
            clear_policies: false,
            tags: None,
        };
        assert_eq!(parameters.put(&put(&with, false)).await.unwrap(), 1);
        assert_eq!(parameters.put(&put(&without, true)).await.unwrap(), 2);
        let look = parameters.history(&of).await.unwrap();
        let newest = look.newest().unwrap();
        assert_eq!(newest.attributes.description, None, "{lane:?}");
        assert_eq!(newest.value.read(), Some(&value));
        assert!(parameters.put(&put(&with, false)).await.is_err());
        let names = [of.clone(), name(&world.own("/app/none"))];
        let answer = parameters.delete(&names).await.unwrap();
        assert_eq!(
            (answer.deleted, answer.missing),
            (vec![names[0].clone()], vec![names[1].clone()])
        );
    }
}

#[tokio::test]
async fn tags_are_made_equal() {
    for lane in LANES {
        let world = World::on(lane).await;
        let parameters = &world.stores.parameters;
        let of = world.own("/app/x");
        world.put(&of, "v").await;
        let of = name(&of);
        let tags = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect()
        };
        let (none, one, two) = (
            tags(&[]),
            tags(&[("a", "1"), ("b", "2")]),
            tags(&[("b", "3"), ("c", "")]),
        );
        parameters.set_tags(&of, &none, &one).await.unwrap();
        assert_eq!(
            parameters.tags(&of).await.unwrap(),
            Some(one.clone()),
            "{lane:?}"
        );
        parameters.set_tags(&of, &one, &two).await.unwrap();
        assert_eq!(parameters.tags(&of).await.unwrap(), Some(two));
        assert_eq!(parameters.tags(&name("/none/such")).await.unwrap(), None);
    }
}

#[tokio::test]
async fn changes_of_tags_are_found_among_labels_and_a_large_one_in_its_own_row() {
    for lane in LANES {
        let world = World::on(lane).await;
        let index = &world.stores.index;
        let of = name("/app/tagged");
        let record = |ms: i64, change: Change| Record {
            change,
            ..version(of.as_str(), 1, ms, nowhere())
        };
        let tagged = |ms: i64, value: &str| {
            let tags = BTreeMap::from([("k".to_owned(), value.to_owned())]);
            record(ms, Change::Tagged { tags })
        };
        let (first, large) = (tagged(1_000, "1"), tagged(9_000, &"x".repeat(3_000)));
        index
            .put(&version(of.as_str(), 1, 0, nowhere()))
            .await
            .unwrap();
        index.put(&first).await.unwrap();
        for number in 0..60 {
            let moved = Change::Labelled {
                label: format!("l{number}"),
                from: None,
                to: 1,
            };
            index.put(&record(2_000 + number, moved)).await.unwrap();
        }
        let target = Target::Name(of.clone());
        let head = index.heads(&target).await.unwrap().remove(&of).unwrap();
        assert!(head.labelled, "{lane:?}");
        assert_eq!(head.tags.unwrap().record, first, "{lane:?}");
        index.put(&large).await.unwrap();
        let head = index.heads(&target).await.unwrap().remove(&of).unwrap();
        let newest = head.tags.unwrap();
        assert!(newest.trimmed, "{lane:?}");
        let whole = index.tag_change(&newest).await.unwrap();
        assert_eq!(whole.as_ref(), Some(&large), "{lane:?}");
        // An older one changes no head.
        index.put(&tagged(500, "0")).await.unwrap();
        let head = index.heads(&target).await.unwrap().remove(&of).unwrap();
        assert_eq!(head.tags.unwrap(), newest, "{lane:?}");

        let until = async |ms: i64| index.newest_tags_until(&of, at(ms)).await.unwrap();
        assert_eq!(until(499).await, None, "{lane:?}");
        assert_eq!(until(1_000).await.as_ref(), Some(&first), "{lane:?}");
        // Sixty labels lie in between.
        assert_eq!(until(8_999).await.as_ref(), Some(&first), "{lane:?}");
        assert_eq!(until(9_000).await, whole, "{lane:?}");
        let recent = index.recent_tags(&of).await.unwrap();
        assert_eq!(recent, [large, first, tagged(500, "0")], "{lane:?}");
        // They decide no state.
        let newest = index.newest_until(&of, at(9_000)).await.unwrap().unwrap();
        assert_eq!(newest.at, at(0), "{lane:?}");
    }
}

#[tokio::test]
async fn the_records_around_an_instant_are_the_nearest_ones() {
    for lane in LANES {
        let world = World::on(lane).await;
        let index = &world.stores.index;
        let of = "/app/around";
        for number in 1..=5 {
            let record = version(of, number, i64::try_from(number).unwrap(), nowhere());
            index.put(&record).await.unwrap();
        }
        let (before, after) = index.around(&name(of), at(3)).await.unwrap();
        let times = |records: &[Record]| -> Vec<_> { records.iter().map(|r| r.at).collect() };
        assert_eq!(times(&before), [at(2), at(1)], "{lane:?}");
        assert_eq!(times(&after), [at(4), at(5)], "{lane:?}");
    }
}

#[tokio::test]
async fn a_refused_label_is_told_and_the_others_are_put() {
    for lane in LANES {
        let world = World::on(lane).await;
        let of = world.own("/app/labelled");
        world.put(&of, "v").await;
        let labels = ["good".to_owned(), "2bad".to_owned()];
        let parameters = &world.stores.parameters;
        let refused = parameters.label(&name(&of), 1, &labels).await.unwrap();
        assert_eq!(refused, ["2bad"], "{lane:?}");
        let history = parameters.history(&name(&of)).await.unwrap();
        let newest = history.newest().unwrap();
        assert_eq!(newest.attributes.labels, ["good"], "{lane:?}");
    }
}

#[tokio::test]
async fn a_parameter_is_created_with_its_tags() {
    for lane in LANES {
        let world = World::on(lane).await;
        let of = name(&world.own("/app/tagged-at-once"));
        let attributes = Attributes {
            parameter_type: "String".into(),
            ..Attributes::default()
        };
        let pairs = [
            ("a", "1"),
            ("aws:cloudformation:stack-name", "x"),
            ("b", ""),
        ];
        let tags = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let request = PutRequest {
            name: &of,
            value: &Value::new("v"),
            attributes: &attributes,
            overwrite: false,
            clear_policies: false,
            tags: Some(&tags),
        };
        let parameters = &world.stores.parameters;
        assert_eq!(parameters.put(&request).await.unwrap(), 1);
        let own = [("a", "1"), ("b", "")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(
            parameters.tags(&of).await.unwrap(),
            Some(own.into()),
            "{lane:?}"
        );
    }
}

#[tokio::test]
async fn many_records_at_once_leave_the_same_rows_as_one_after_the_other() {
    for lane in LANES {
        let (one, many) = (World::on(lane).await, World::on(lane).await);
        let moved = |ms| Record {
            change: Change::Labelled {
                label: "prod".into(),
                from: None,
                to: 1,
            },
            ..version("/app/x", 1, ms, nowhere())
        };
        let mut records = vec![moved(5_999), moved(8_999), deletion("/app/deep/er", 9_999)];
        for number in 1..40 {
            let ms = i64::try_from(number).unwrap() * 100;
            records.push(version("/app/x", number, ms, nowhere()));
            records.push(version("/app/deep/er", number, ms, nowhere()));
        }
        // The tags of this one are too long for a head.
        let mut long = version("/long", 1, 0, nowhere());
        if let Change::Written(written) = &mut long.change {
            written.attributes.tags = Some(BTreeMap::from([("t".into(), "x".repeat(3_000))]));
        }
        records.push(long);
        for record in &records {
            one.stores.index.put(record).await.unwrap();
        }
        records.reverse();
        let (late, early) = records.split_at(30);
        for some in [late, early, late] {
            many.stores.index.put_all(some).await.unwrap();
        }
        assert_eq!(many.rows().await, one.rows().await, "{lane:?}");
        many.stores.index.put_all(&[]).await.unwrap();
    }
}

#[tokio::test]
async fn an_index_that_is_rebuilt_says_so_until_it_is_finished() {
    for lane in LANES {
        let world = World::on(lane).await;
        let index = &world.stores.index;
        index.claim_format().await.unwrap();
        let claimed = world.rows().await;
        assert_eq!(index.unfinished_rebuild().await.unwrap(), None);
        // Without a rebuild there is nothing to note and nothing to finish.
        index.note_rebuilt("2026/11/20/").await.unwrap();
        index.finish_rebuild().await.unwrap();
        assert_eq!(world.rows().await, claimed, "{lane:?}");
        let begun = index.begin_rebuild(at(0)).await.unwrap();
        assert_eq!((begun.since, begun.up_to), (at(0), None));
        let refused = index.check_format().await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unfinished, "{lane:?}: {refused}");
        index.claim_format().await.unwrap();
        index.note_rebuilt("2026/11/20/").await.unwrap();
        let again = index.begin_rebuild(at(9)).await.unwrap();
        let noted = Some("2026/11/20/".to_owned());
        assert_eq!((again.since, again.up_to), (at(0), noted), "{lane:?}");
        index.finish_rebuild().await.unwrap();
        index.check_format().await.unwrap();
        assert_eq!(world.rows().await, claimed, "{lane:?}");
    }
}

#[tokio::test]
async fn the_journal_is_listed_day_by_day() {
    for lane in LANES {
        let world = World::on(lane).await;
        let bucket = &world.stores.bucket;
        let day_ms = 86_400_000;
        for (number, ms) in [(1, 0), (2, 5), (3, day_ms), (4, 400 * day_ms)] {
            let record = version("/app/x", number, ms, nowhere());
            bucket.put_record(&record).await.unwrap();
        }
        let prefix = "_ssmbak/journal/";
        for stray in ["notes.txt", "2024/x/y", "2024/1/01/z"] {
            let put = world.s3.put_object().bucket(bucket.name());
            let put = put.key(format!("{prefix}{stray}"));
            put.send().await.unwrap();
        }
        let folder = world.s3.put_object().bucket(bucket.name());
        let folder = folder.key(format!("{prefix}2023/")).send();
        folder.await.unwrap();
        let found = bucket.days(prefix).await.unwrap();
        let of = |day: &str| format!("{prefix}{day}");
        let days = ["2023/11/14/", "2023/11/15/", "2024/12/18/"].map(of);
        assert_eq!(found.days, days, "{lane:?}");
        let mut strays = found.strays;
        strays.sort();
        assert_eq!(strays, ["2024/1/", "2024/x/", "notes.txt"].map(of));
        let (page, next) = bucket.list(&days[0], None).await.unwrap();
        assert_eq!((page.len(), next), (2, None), "{lane:?}");
        let first = version("/app/x", 1, 0, nowhere());
        assert_eq!(page[0].key, keys::journal_key(&first));
        let body = bucket.listed(&page[0], page[0].bytes).await.unwrap();
        assert_eq!(body.len() as u64, page[0].bytes);
        let long = bucket
            .listed(&page[0], page[0].bytes - 1)
            .await
            .unwrap_err();
        assert_eq!(long.kind(), ErrorKind::Format, "{lane:?}: {long}");
    }
}

#[tokio::test]
async fn a_table_is_created_protected_and_one_that_is_there_is_left_alone() {
    for lane in LANES {
        let world = World::on(lane).await;
        let location = Location {
            table: format!("{}-new", world.location.table),
            ..world.location.clone()
        };
        let stores = Stores::new(&world.config, location.clone(), now);
        assert!(!stores.index.exists().await.unwrap());
        stores.index.create(None).await.unwrap();
        assert!(stores.index.exists().await.unwrap());
        let described = world.dynamodb.describe_table();
        let described = described.table_name(&location.table).send().await.unwrap();
        let table = described.table.unwrap();
        assert_eq!(table.deletion_protection_enabled, Some(true), "{lane:?}");
        let backups = world.dynamodb.describe_continuous_backups();
        let backups = backups.table_name(&location.table).send().await.unwrap();
        let backups = backups.continuous_backups_description.unwrap();
        let recovery = backups.point_in_time_recovery_description.unwrap();
        let status = recovery.point_in_time_recovery_status.unwrap();
        assert_eq!(status.as_str(), "ENABLED", "{lane:?}");
        let index = &stores.index;
        index
            .put(&version("/app/x", 1, 0, nowhere()))
            .await
            .unwrap();
        index.create(None).await.unwrap();
        assert_eq!(world.rows_of(&location.table).await.len(), 4, "{lane:?}");
    }
}

#[tokio::test]
async fn every_version_and_marker_is_listed_in_order_of_keys() {
    use ssmbak_core::store::{KeptVersion, VersionsFrom};
    for lane in LANES {
        let world = World::on(lane).await;
        let (s3, bucket) = (&world.s3, &world.stores.bucket);
        // More of one key than a page holds, and others before and after it.
        for (key, versions) in [("/k/a", 2), ("/k/b", 1_003), ("/k/b/c", 1), ("/kk", 1)] {
            // One after the other: moto loses one of several that come at once.
            let mut ids = Vec::new();
            for _ in 0..versions {
                let put = s3.put_object().bucket(bucket.name()).key(key);
                ids.push(put.send().await.unwrap().version_id.unwrap());
            }
            if key == "/k/a" {
                let pointer = Pointer {
                    bucket: bucket.name().into(),
                    key: key.into(),
                    version_id: ids[0].clone(),
                };
                assert!(bucket.has_value(&pointer).await.unwrap(), "{lane:?}");
                let none = Pointer {
                    key: "/k/none".into(),
                    ..pointer
                };
                assert!(!bucket.has_value(&none).await.unwrap(), "{lane:?}");
            }
        }
        bucket.put_marker(&name("/k/a")).await.unwrap();
        let mut all: Vec<KeptVersion> = Vec::new();
        let (mut from, mut pages) = (Some(VersionsFrom::default()), 0);
        while let Some(start) = from {
            let (page, next) = bucket.versions("/k/", start).await.unwrap();
            all.extend(page);
            from = next;
            pages += 1;
        }
        assert!(pages > 1, "one page is no test of pages: {lane:?}");
        assert!(all.is_sorted_by_key(|v| &v.key), "{lane:?}");
        let of = |key: &str| all.iter().filter(|v| v.key == key).collect::<Vec<_>>();
        let (a, b) = (of("/k/a"), of("/k/b"));
        assert_eq!((a.len(), b.len(), all.len()), (3, 1_003, 1_007), "{lane:?}");
        let latest = |of: &[&KeptVersion]| -> Vec<bool> {
            let latest = of.iter().filter(|v| v.latest);
            latest.map(|v| v.marker).collect()
        };
        assert_eq!((latest(&a), latest(&b)), (vec![true], vec![false]));
        let mut ids: Vec<&str> = all.iter().map(|v| v.version_id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all.len(), "one was listed twice: {lane:?}");
    }
}

#[tokio::test]
async fn the_index_is_read_row_by_row() {
    use ssmbak_core::domain::stored::StoredRecord;
    use ssmbak_core::store::{AuditRow, head_field};
    for lane in LANES {
        let world = World::on(lane).await;
        let index = &world.stores.index;
        let x = version("/app/x", 1, 0, nowhere());
        let moved = Record {
            at: at(5_999),
            change: Change::Labelled {
                label: "prod".into(),
                from: None,
                to: 1,
            },
            ..x.clone()
        };
        let (gone, other) = (deletion("/app/y", 7_999), version("/app2", 1, 3, nowhere()));
        for record in [&x, &moved, &gone, &other] {
            index.put(record).await.unwrap();
        }
        let of = x.name.clone();
        let (rows, next) = index.own_rows(&of, None).await.unwrap();
        assert!(next.is_none());
        let records: Vec<Record> = rows.iter().filter_map(AuditRow::record).collect();
        assert_eq!(records, [moved.clone(), x.clone()], "{lane:?}");
        assert_eq!(rows[0].entry, keys::own_entry(&moved));
        let heads = async |target: &str, from: Option<&str>| -> Vec<String> {
            let from = from.map(name);
            let (rows, _) = index
                .head_rows(&under(target), from.as_ref(), None)
                .await
                .unwrap();
            rows.iter().map(|r| r.name.to_string()).collect()
        };
        assert_eq!(heads("/", None).await, ["/app/x", "/app/y", "/app2"]);
        assert_eq!(heads("/app/", None).await, ["/app/x", "/app/y"]);
        assert_eq!(heads("/app/", Some("/app/xx")).await, ["/app/y"]);
        assert_eq!(heads("/app/", Some("/a")).await, ["/app/x", "/app/y"]);
        assert_eq!(heads("/app/", Some("/b")).await, [""; 0]);
        let head = index.head_row(&of).await.unwrap().unwrap();
        for record in [&x, &moved] {
            let (entry, held) = head.kind(head_field(record).unwrap()).unwrap();
            let stored = StoredRecord::from(record);
            assert_eq!((entry, held), (&*record.entry(), Some(&stored)));
        }
        assert_eq!(head.kind("tagHead"), None);
        let app = Path::parse("/app/").unwrap();
        let slim = index.row_of(&x, Some(&app)).await.unwrap().unwrap();
        assert_eq!(slim.stored, Some(StoredRecord::from(&x).slim()), "{lane:?}");
        let own = index.row_of(&x, None).await.unwrap().unwrap();
        assert_eq!(own.record(), Some(x.clone()));
        assert_eq!(
            index
                .row_of(&version("/no", 1, 0, nowhere()), None)
                .await
                .unwrap(),
            None
        );
        assert!(index.has_row("/app/x", &keys::own_entry(&x)).await.unwrap());
        assert!(!index.has_row("/app/x", "2").await.unwrap());
        let (entries, _) = index.all_entries(at(3), at(6_000), None).await.unwrap();
        let expected = [keys::path_entry(&other), keys::path_entry(&moved)];
        assert_eq!(entries, expected, "{lane:?}");
    }
}

#[tokio::test]
async fn a_plan_never_replaces_the_outcome_of_its_run() {
    use ssmbak_core::domain::run::{Origin, Outcome, Phase, Run, RunName};
    for lane in LANES {
        let world = World::on(lane).await;
        let index = &world.stores.index;
        let planned = Run {
            format: 1,
            id: "a-run".into(),
            started: at(0),
            finished: None,
            phase: Phase::Planned,
            by: None,
            target: "/app/".into(),
            recursive: true,
            at: at(-9),
            origin: Origin::Record,
            counts: None,
            names: (0..30)
                .map(|n| RunName {
                    name: name(&format!("/app/{n}")),
                    change: "create".into(),
                    before: None,
                    before_version: None,
                    before_tags: None,
                    after_tags: None,
                    restored: None,
                    pointer: None,
                    written_version: None,
                    written_at: None,
                    outcome: None,
                    unsure: false,
                    reason: None,
                    alone: Vec::new(),
                    labels: Vec::new(),
                    recreated: false,
                })
                .collect(),
        };
        index.put_run_if_new(&planned).await.unwrap();
        assert_eq!(world.rows().await.len(), 31, "{lane:?}");
        let mut finished = Run {
            phase: Phase::Finished,
            finished: Some(at(5)),
            ..planned.clone()
        };
        for name in &mut finished.names {
            name.outcome = Some(Outcome::Restored);
        }
        index.put_run(&finished).await.unwrap();
        let rows = world.rows().await;
        index.put_run_if_new(&planned).await.unwrap();
        assert_eq!(world.rows().await, rows, "{lane:?}");
        // The rows without names are found, newest first, past those with.
        let later = Run {
            id: "later".into(),
            started: at(1),
            origin: Origin::Undo {
                run: "a-run".into(),
            },
            ..finished.clone()
        };
        index.put_run(&later).await.unwrap();
        let head = Run::summary;
        assert_eq!(head(&later).counts.unwrap().restored, 30);
        let newest = index.run_before(None).await.unwrap();
        assert_eq!(newest.as_ref(), Some(&head(&later)), "{lane:?}");
        let before = index.run_before(newest.as_ref()).await.unwrap();
        assert_eq!(before.as_ref(), Some(&head(&finished)), "{lane:?}");
        assert_eq!(index.run_before(before.as_ref()).await.unwrap(), None);
        for (start, found) in [
            ("a-ru", vec![head(&finished)]),
            ("", vec![head(&later), head(&finished)]),
            ("later", vec![head(&later)]),
            ("run", vec![]),
        ] {
            assert_eq!(index.runs_of(start).await.unwrap(), found, "{start}");
        }
        let mut names = finished.names.clone();
        names.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(index.run_names(&finished).await.unwrap(), names, "{lane:?}");
    }
}
