//! 6: the journal alone rebuilds the index, to the same answers.

use aws_sdk_s3::primitives::ByteStream;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value as Json, json};
use ssmbak_core::domain::{Change, Instant, Path, Record, Source, keys};
use ssmbak_core::store::Stores;
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::events::{deletion_call, parameter_event};
use ssmbak_tests::proxy::{Disturbance, Proxy, When};

use super::model::generate;
use super::world::{Answer, Lane, World, mark, name, next_second, now};

const MALLORY: &str = "arn:aws:sts::000000000000:assumed-role/admin/mallory";

/// What a history is asked, and what it answered.
pub(crate) struct Asked {
    pub(crate) path: String,
    instants: Vec<Instant>,
}

impl Asked {
    async fn answers(&self, world: &World) -> Vec<String> {
        let mut answers = Vec::new();
        let mut ask = async |arguments: &[&str]| {
            let answer = world.ssmbak(arguments).await;
            answers.push(format!("{arguments:?} {} {}", answer.code, answer.stdout));
        };
        for at in &self.instants {
            let at = at.to_string();
            let preview = ["preview", &self.path, &at, "-R", "--reveal", "--all"];
            for form in ["json", "csv", "table"] {
                ask(&[&preview[..], &["--output", form]].concat()).await;
            }
        }
        let history = ["history", &self.path, "-R", "--output", "json"];
        ask(&history).await;
        let db = format!("{}db", self.path);
        ask(&["history", &db, "--output", "json"]).await;
        answers
    }
}

/// Everything that can be on record: versions, a secret, a deletion that an
/// event told and one that was only observed, a life after it, a label, a lost
/// value, who asked for a deletion, coverage that a surprise ended, a restore.
pub(crate) async fn story(world: &World) -> Asked {
    let path = world.own("/r/");
    let (db, deep, gone) = (
        &format!("{path}db"),
        &format!("{path}a/b/c/d"),
        &format!("{path}gone"),
    );
    let seed = ["seed", &path, "--do-it"];
    world.put(db, "one").await;
    world.ssmbak(&seed).await.exits(0);
    let mut instants = vec![mark().await];
    world.write(db, " two ").await;
    world.put_secret(deep, "hidden", "alias/aws/ssm").await;
    let written = world.written(deep).await;
    world.tell(deep, "Create", written).await;
    let mut label = parameter_event(db, "LabelParameterVersion", written.millis());
    label["detail"]["label"] = "prod".into();
    label["detail"]["toVersion"] = "2".into();
    assert_eq!(world.deliver(&[label]).await, 0);
    instants.push(mark().await);
    world.write(gone, "x").await;
    instants.push(mark().await);
    next_second().await;
    let erased = world.erase(gone).await;
    // One of the two was not there: who asked for it stands alone.
    let asked = [gone.as_str(), &format!("{path}never")];
    let call = deletion_call(&asked, MALLORY, "203.0.113.7", erased.millis());
    assert_eq!(world.deliver(&[call]).await, 0);
    let lost = now().plus_millis(-3_600_000);
    world.tell(&format!("{path}lost"), "Create", lost).await;
    next_second().await;
    world.write(gone, "again").await;
    instants.push(mark().await);
    // Nobody tells of this one.
    world.delete(deep).await;
    world.ssmbak(&seed).await.exits(0);
    instants.push(mark().await);
    let first = instants[1].to_string();
    let restore = ["restore", &path, &first, "-R", "--yes"];
    // Not all of it can be put back: a value is lost, and a name unknown.
    world.ssmbak(&restore).await.exits(3);
    let restored = world.written(deep).await;
    world.tell(deep, "Create", restored).await;
    instants.push(mark().await);
    Asked { path, instants }
}

fn with(rows: &[Json], scope: &str, start: &str) -> usize {
    let is =
        |row: &&Json| row["scope"] == scope && row["entry"].as_str().unwrap().starts_with(start);
    rows.iter().filter(is).count()
}

/// The lines of standard error.
fn told<'a>(answer: &'a Answer, part: &str) -> Vec<&'a str> {
    answer.stderr.lines().filter(|l| l.contains(part)).collect()
}

async fn put_object(world: &World, key: &str, body: Vec<u8>) {
    let put = world.s3.put_object().bucket(&world.location.bucket);
    let put = put.key(key).body(ByteStream::from(body));
    put.send().await.unwrap();
}

async fn delete_object(world: &World, key: &str) {
    let delete = world.s3.delete_object().bucket(&world.location.bucket);
    delete.key(key).send().await.unwrap();
}

/// The first object of the journal, and what it holds.
async fn first_object(world: &World) -> (String, Vec<u8>) {
    let list = world.s3.list_objects_v2().bucket(&world.location.bucket);
    let list = list.prefix(keys::JOURNAL_PREFIX).send().await.unwrap();
    let key = list.contents()[0].key().unwrap().to_owned();
    let get = world.s3.get_object().bucket(&world.location.bucket);
    let body = get.key(&key).send().await.unwrap().body;
    (key, body.collect().await.unwrap().to_vec())
}

#[tokio::test]
async fn a_lost_table_is_made_anew_with_the_same_rows_and_answers() {
    for lane in [Lane::Ministack, Lane::Moto] {
        let world = World::on(lane).await;
        let asked = story(&world).await;
        let (rows, answers) = (world.rows().await, asked.answers(&world).await);
        for (scope, start) in [
            ("@meta", "coverage#"),
            ("@meta", "run#"),
            ("@meta", "format"),
            ("@names", "/"),
        ] {
            assert!(
                with(&rows, scope, start) > 0,
                "{lane:?}: no {scope} {start}"
            );
        }
        assert!(
            answers
                .iter()
                .any(|a| a.contains("StillThere") || a.contains("Delete"))
        );

        world.lose_table().await;
        let refused = world.ssmbak(&["rebuild", "--do-it"]).await.exits(1);
        assert!(refused.stderr.contains("--create-table"), "{refused:?}");
        let dry = world.ssmbak(&["rebuild"]).await.exits(0);
        assert_eq!(told(&dry, "does not exist").len(), 1, "{dry:?}");
        let rebuild = ["rebuild", "--create-table", "--do-it"];
        let done = world.ssmbak(&rebuild).await.exits(0);
        assert_eq!(told(&done, "rebuilt: ").len(), 1, "{done:?}");
        assert_eq!(world.rows().await, rows, "{lane:?}");
        assert_eq!(asked.answers(&world).await, answers, "{lane:?}");

        // Over the finished one, and beside it.
        world.ssmbak(&rebuild).await.exits(0);
        assert_eq!(world.rows().await, rows, "{lane:?}");
        let other = format!("{}-2", world.location.table);
        let beside = ["rebuild", "--to-table", &other, "--create-table", "--do-it"];
        world.ssmbak(&beside).await.exits(0);
        assert_eq!(world.rows_of(&other).await, rows, "{lane:?}");
        assert_eq!(world.rows().await, rows, "{lane:?}");
    }
}

#[tokio::test]
async fn a_generated_history_is_rebuilt_to_the_same_rows_and_answers() {
    let generated = generate(40).await;
    let world = &generated.world;
    let instants = generated.changes().into_iter().step_by(10).collect();
    let asked = Asked {
        path: "/".into(),
        instants,
    };
    let (rows, answers) = (world.rows().await, asked.answers(world).await);
    world.empty_table().await;
    world.ssmbak(&["rebuild", "--do-it"]).await.exits(0);
    assert_eq!(world.rows().await, rows);
    assert_eq!(asked.answers(world).await, answers);
}

#[tokio::test]
async fn a_rebuild_survives_a_death_at_any_call() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let asked = story(&world).await;
    let rows = world.rows().await;
    let world = world.behind(&proxy);
    let preview = ["preview", &asked.path, &asked.instants[1].to_string(), "-R"];
    let (mut killed, mut refused) = (0, 0);
    for number in 1..200 {
        world.empty_table().await;
        proxy.reset();
        proxy.disturb(Disturbance::kill().at(number).when(When::AfterWork));
        let first = world.ssmbak(&["rebuild", "--do-it"]).await;
        proxy.reset();
        if first.code == 0 {
            break;
        }
        killed += 1;
        let (left, meanwhile) = (world.rows().await, world.ssmbak(&preview).await);
        if meanwhile.code == 1 && meanwhile.stderr.contains("being rebuilt") {
            refused += 1;
        } else {
            let whole = left == rows;
            assert!(
                left.is_empty() || whole,
                "half an index was asked: {number}"
            );
        }
        world.ssmbak(&["rebuild", "--do-it"]).await.exits(0);
        assert_eq!(world.rows().await, rows, "killed at call {number}");
    }
    println!("killed after each of {killed} calls, refused {refused} times");
    assert!(
        (20..199).contains(&killed) && refused > 10,
        "{killed}, {refused}"
    );
}

#[tokio::test]
async fn what_is_not_finished_is_refused_by_readers_and_captured_into_all_the_same() {
    let world = World::on(Lane::Ministack).await;
    let asked = story(&world).await;
    let (path, db) = (&asked.path, format!("{}db", asked.path));
    world.empty_table().await;
    world.stores.index.begin_rebuild(now()).await.unwrap();
    let refused: [&[&str]; 6] = [
        &["preview", path, "now", "-R"],
        &["restore", path, "now", "-R"],
        &["history", path, "-R"],
        &["show", &db, "2020-01-01"],
        &["seed", path, "--do-it"],
        &["seed", path],
    ];
    for arguments in refused {
        let answer = world.ssmbak(arguments).await.exits(1);
        assert!(answer.stderr.contains("being rebuilt"), "{answer:?}");
        assert!(
            answer.stderr.contains("ssmbak rebuild --do-it"),
            "{answer:?}"
        );
        assert_eq!(answer.stdout, "");
    }
    let task = json!({"task": "reconcile", "path": path});
    let answer = world.function.invoke(&task).await.unwrap();
    let refused = answer.response().unwrap_err().to_string();
    assert!(refused.contains("being rebuilt"), "{refused}");
    world.write(&db, "while it is rebuilt").await;
    let rows = world.rows().await;
    assert!(with(&rows, &db, "2") > 0, "not captured: {rows:?}");
    assert!(rows.iter().any(|r| r["rebuilding"].is_string()), "{rows:?}");

    world.ssmbak(&["rebuild", "--do-it"]).await.exits(0);
    let preview = ["preview", path, "now", "-R", "--output", "json"];
    let answer = world.ssmbak(&preview).await.exits(0);
    assert_eq!(answer.stdout, "[]\n");
    let rows = world.rows().await;
    world.empty_table().await;
    world.ssmbak(&["rebuild", "--do-it"]).await.exits(0);
    assert_eq!(world.rows().await, rows);
}

#[tokio::test]
async fn captures_go_on_while_it_runs_and_nothing_of_them_is_missing() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let path = world.own("/live/");
    let names: Vec<String> = (0..6).map(|n| format!("{path}{n}")).collect();
    for of in &names {
        for value in ["1", "2", "3"] {
            world.write(of, value).await;
        }
    }
    world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
    world.empty_table().await;
    let mut rebuild = world.command(&["rebuild", "--do-it"]);
    rebuild.env("AWS_ENDPOINT_URL", proxy.endpoint());
    proxy.set_latency(std::time::Duration::from_millis(30));
    let writes = async {
        for value in ["4", "5", "6"] {
            for of in &names {
                world.write(of, value).await;
            }
        }
        world.delete(&names[0]).await;
        world.tell(&names[0], "Delete", now()).await;
    };
    let (done, ()) = tokio::join!(super::world::run(rebuild), writes);
    done.exits(0);
    let rows = world.rows().await;
    for of in &names {
        assert!(with(&rows, of, "2") >= 6, "{of}");
    }
    world.empty_table().await;
    world.ssmbak(&["rebuild", "--do-it"]).await.exits(0);
    assert_eq!(world.rows().await, rows);
}

#[tokio::test]
async fn days_that_are_done_are_not_read_again() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    story(&world).await;
    let rows = world.rows().await;
    let stores = &world.stores;
    let days = stores.bucket.days(keys::JOURNAL_PREFIX).await.unwrap().days;
    let index = &stores.index;
    index.begin_rebuild(now()).await.unwrap();
    index.note_rebuilt(days.last().unwrap()).await.unwrap();
    let dry = world.ssmbak(&["rebuild"]).await.exits(0);
    assert_eq!(told(&dry, "done up to 20").len(), 1, "{dry:?}");
    let world = world.behind(&proxy);
    let answer = world.ssmbak(&["rebuild", "--do-it"]).await.exits(0);
    assert_eq!(told(&answer, "rebuilt: 0 records").len(), 1, "{answer:?}");
    assert_eq!(world.rows().await, rows);
    // Once it has finished, nothing is taken for done any more.
    let answer = world.ssmbak(&["rebuild", "--do-it"]).await.exits(0);
    assert_eq!(told(&answer, "rebuilt: 0 records").len(), 0, "{answer:?}");
    assert_eq!(world.rows().await, rows);
}

#[tokio::test]
async fn it_notes_the_days_that_are_done_and_none_with_an_unreadable_object() {
    let world = World::on(Lane::Ministack).await;
    let bucket = &world.stores.bucket;
    let day = |n: i64| Instant::from_millis(1_700_000_000_000 + n * 86_400_000);
    let moved = |n: i64, to: u64| Record {
        name: name("/noted/db"),
        at: day(n),
        change: Change::Labelled {
            label: "prod".into(),
            from: None,
            to,
        },
        source: Source::Event,
        event: None,
        recorded_at: day(n),
    };
    let many: Vec<Record> = (1..=550).map(|to| moved(0, to)).collect();
    let puts = stream::iter(&many).map(|record| bucket.put_record(record));
    let written: Vec<_> = puts.buffer_unordered(16).collect().await;
    assert!(written.into_iter().all(|w| w.is_ok()));
    bucket.put_record(&moved(2, 1)).await.unwrap();
    let unreadable = |n| {
        let dated = day(n).to_datetime().format("%Y/%m/%d");
        format!("{}{dated}/x.json", keys::JOURNAL_PREFIX)
    };
    let up_to = async || {
        let unfinished = world.stores.index.unfinished_rebuild().await.unwrap();
        unfinished.unwrap().up_to
    };
    let rebuild = ["rebuild", "--do-it"];
    for (broken, noted) in [(0, None), (1, Some("_ssmbak/journal/2023/11/14/"))] {
        put_object(&world, &unreadable(broken), b"{}".to_vec()).await;
        world.ssmbak(&rebuild).await.exits(3);
        assert_eq!(up_to().await.as_deref(), noted);
        delete_object(&world, &unreadable(broken)).await;
    }
    let answer = world.ssmbak(&rebuild).await.exits(0);
    assert_eq!(told(&answer, "rebuilt: 1 records").len(), 1, "{answer:?}");
    let rows = world.rows().await;
    assert_eq!(with(&rows, "/noted/db", "+"), 551);
    world.empty_table().await;
    world.ssmbak(&rebuild).await.exits(0);
    assert_eq!(world.rows().await, rows);
}

/// Whether a name that was never there counts as absent.
async fn is_known_absent(world: &World, path: &str, at: Instant) -> bool {
    let coverage = world.stores.index.coverage().await.unwrap();
    coverage.covers(&name(&format!("{path}never")), at)
}

#[tokio::test]
async fn an_unreadable_object_is_named_and_no_half_knowledge_passes_for_all() {
    let world = World::on(Lane::Ministack).await;
    let asked = story(&world).await;
    let covered = *asked.instants.last().unwrap();
    let rows = world.rows().await;
    assert!(is_known_absent(&world, &asked.path, covered).await);
    let (first, body) = first_object(&world).await;
    let hash = first.split('-').nth(1).unwrap();
    let day = &first[..first.rfind('/').unwrap()];
    let other_name = first.replace(hash, &hash.chars().rev().collect::<String>());
    let (text, long) = (
        format!("{day}/000000.000Z-x-x.json"),
        format!("{day}/long.json"),
    );
    let stray = format!("{}notes.txt", keys::JOURNAL_PREFIX);
    let fact = format!("{}2026/11/20/x.json", keys::COVERAGE_FACTS);
    put_object(&world, &other_name, body).await;
    put_object(&world, &text, b"not JSON".to_vec()).await;
    put_object(&world, &long, vec![b' '; 2 << 20]).await;
    put_object(&world, &stray, b"hello".to_vec()).await;
    put_object(&world, &fact, b"{}".to_vec()).await;

    world.empty_table().await;
    let rebuild = ["rebuild", "--do-it", "--output", "json"];
    let answer = world.ssmbak(&rebuild).await.exits(3);
    let shown = answer.json();
    let shown: Vec<&str> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["Object"].as_str().unwrap())
        .collect();
    let mut planted = vec![&other_name, &text, &long, &stray, &fact];
    planted.sort();
    assert_eq!(shown, planted);
    assert!(answer.stderr.contains("5 objects unreadable"), "{answer:?}");
    assert!(answer.stderr.contains("bytes are more than"), "{answer:?}");
    assert!(answer.stderr.contains(&first), "{answer:?}");
    let refused = world.ssmbak(&["history", &asked.path]).await.exits(1);
    assert!(refused.stderr.contains("being rebuilt"), "{refused:?}");
    assert_eq!(with(&world.rows().await, "@meta", "coverage#"), 0);

    let anyway = ["rebuild", "--do-it", "--leave-out-unreadable"];
    world.ssmbak(&anyway).await.exits(3);
    world.ssmbak(&["history", &asked.path]).await.exits(0);
    assert!(!is_known_absent(&world, &asked.path, covered).await);

    for key in planted {
        delete_object(&world, key).await;
    }
    world.ssmbak(&["rebuild", "--do-it"]).await.exits(0);
    assert_eq!(world.rows().await, rows);
    // Over an index that claims to know, nothing may be claimed any more.
    put_object(&world, &text, b"not JSON".to_vec()).await;
    world.ssmbak(&anyway).await.exits(3);
    assert!(!is_known_absent(&world, &asked.path, covered).await);
}

#[tokio::test]
async fn a_newer_format_ends_it() {
    let world = World::on(Lane::Ministack).await;
    story(&world).await;
    let (first, body) = first_object(&world).await;
    let mut newer: Json = serde_json::from_slice(&body).unwrap();
    newer["format"] = 3.into();
    put_object(&world, &first, newer.to_string().into_bytes()).await;
    world.empty_table().await;
    let answer = world.ssmbak(&["rebuild", "--do-it"]).await.exits(1);
    for part in [&*first, "stored in format 3", "records were indexed"] {
        assert!(answer.stderr.contains(part), "{part}: {answer:?}");
    }
    let hidden = name(newer["name"].as_str().unwrap());
    let at: Instant = newer["time"].as_str().unwrap().parse().unwrap();
    let index = &world.stores.index;
    assert!(index.between(&hidden, at, at).await.unwrap().is_empty());
    // Leaving it out is no way: it is not unreadable, only newer.
    let anyway = ["rebuild", "--do-it", "--leave-out-unreadable"];
    world.ssmbak(&anyway).await.exits(1);
    put_object(&world, &first, body).await;
    world.ssmbak(&["rebuild", "--do-it"]).await.exits(0);
    assert_eq!(index.between(&hidden, at, at).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_table_of_a_newer_format_is_left_alone() {
    use aws_sdk_dynamodb::types::AttributeValue;
    let world = World::on(Lane::Ministack).await;
    story(&world).await;
    world.empty_table().await;
    let put = world.dynamodb.put_item().table_name(&world.location.table);
    put.item("scope", AttributeValue::S("@meta".into()))
        .item("entry", AttributeValue::S("format".into()))
        .item("format", AttributeValue::N("3".into()))
        .send()
        .await
        .unwrap();
    let rows = world.rows().await;
    let refused = world.ssmbak(&["rebuild", "--do-it"]).await.exits(1);
    assert!(refused.stderr.contains("format 3"), "{refused:?}");
    assert_eq!(world.rows().await, rows);
}

#[tokio::test]
async fn a_dry_rebuild_writes_nothing() {
    let world = World::on(Lane::Ministack).await;
    story(&world).await;
    world.empty_table().await;
    let stores: &Stores = &world.stores;
    let objects = async || {
        let list = world.s3.list_object_versions();
        let list = list.bucket(stores.bucket.name());
        list.send().await.unwrap().versions().len()
    };
    let before = objects().await;
    let answer = world.ssmbak(&["rebuild"]).await.exits(0);
    assert_eq!(told(&answer, "nothing was written").len(), 1);
    let records = with_prefix(&world, keys::JOURNAL_PREFIX).await;
    let found = format!("{}: {records} records of ", stores.bucket.name());
    assert_eq!(told(&answer, &found).len(), 1, "{answer:?}");
    assert!(world.rows().await.is_empty());
    assert_eq!(objects().await, before);
}

async fn with_prefix(world: &World, prefix: &str) -> usize {
    let list = world.s3.list_objects_v2().bucket(&world.location.bucket);
    list.prefix(prefix).send().await.unwrap().contents().len()
}

#[tokio::test]
async fn coverage_from_before_a_lost_table_is_known_still() {
    let world = World::on(Lane::Ministack).await;
    let path = world.own("/cov/");
    world.put(&format!("{path}a"), "1").await;
    let seed = ["seed", &path, "--do-it"];
    world.ssmbak(&seed).await.exits(0);
    let early = mark().await;
    world.ssmbak(&seed).await.exits(0);
    let between = mark().await;
    // Nobody rebuilt it: coverage begins anew.
    world.empty_table().await;
    world.ssmbak(&seed).await.exits(0);
    let late = mark().await;
    assert!(!is_known_absent(&world, &path, early).await);
    world.ssmbak(&["rebuild", "--do-it"]).await.exits(0);
    assert!(is_known_absent(&world, &path, early).await);
    assert!(!is_known_absent(&world, &path, between).await);
    assert!(is_known_absent(&world, &path, late).await);
    let covered = world.stores.index.coverage().await.unwrap();
    assert_eq!(covered.of(&Path::parse(&path).unwrap()).len(), 2);
}

/// Not part of every run: unoptimised it takes some minutes. Rebuilds from a hundred
/// thousand records and tells what that took.
#[tokio::test]
#[ignore = "a measurement: cargo test --workspace --test suite -- --ignored rebuild::"]
async fn a_hundred_thousand_records_fit_into_200_mib() {
    const RECORDS: usize = 100_000;
    let canned = ssmbak_tests::canned::Canned::start(RECORDS).unwrap();
    let mut command = super::world::bare_command(&["rebuild", "--do-it"]);
    command
        .env("AWS_ENDPOINT_URL", canned.endpoint())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", "us-east-1")
        .env("SSMBAK_BUCKET", "canned")
        .env("SSMBAK_TABLE", "canned")
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let started = std::time::Instant::now();
    let child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id().unwrap());
    let done = child.wait_with_output();
    tokio::pin!(done);
    let mut most_kib = 0;
    let output = loop {
        let pause = tokio::time::sleep(std::time::Duration::from_millis(20));
        tokio::select! {
            output = &mut done => break output.unwrap(),
            () = pause => {
                let text = std::fs::read_to_string(&status).unwrap_or_default();
                let peak = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
                let kib = peak.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok());
                most_kib = most_kib.max(kib.unwrap_or(0));
            }
        }
    };
    let told = String::from_utf8(output.stderr).unwrap();
    println!(
        "{most_kib} KiB at most, {:?}, {} batches: {told}",
        started.elapsed(),
        canned.batches()
    );
    assert!(
        told.contains(&format!("rebuilt: {RECORDS} records")),
        "{told}"
    );
    // Own row, and four paths above it.
    assert!(canned.batches() >= RECORDS * 5 / 25, "{}", canned.batches());
    assert!((1..200 * 1024).contains(&most_kib), "{most_kib} KiB");
}
