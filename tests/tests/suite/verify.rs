//! `ssmbak verify`: everything that can disagree is found, named and, where
//! that can be, healed.

use std::process::Stdio;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::Value as Json;
use ssmbak_core::domain::{Instant, Pointer, Record, keys};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::Proxy;
use tokio::process::Command;

use super::rebuild::story;
use super::world::{Answer, Lane, World, name, next_second, now};

/// Later, when nothing can be on its way any more.
async fn verify(world: &World, arguments: &[&str]) -> Answer {
    let later = now().plus_millis(600_000).to_string();
    let all = [&["verify", "--output", "json"], arguments].concat();
    world
        .ssmbak_with(&[("SSMBAK_TEST_NOW", &later)], &all)
        .await
}

/// The kinds that were found, each once.
fn kinds(answer: &Answer) -> Vec<String> {
    let rows = answer.json();
    let rows = rows.as_array().unwrap().iter();
    let mut kinds: Vec<String> = rows
        .map(|r| r["Kind"].as_str().unwrap().to_owned())
        .collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

#[tokio::test]
async fn what_was_captured_agrees() {
    for lane in [Lane::Ministack, Lane::Moto] {
        let world = World::on(lane).await;
        let path = story(&world).await.path;
        let all: &[&str] = if lane == Lane::Moto { &[&path] } else { &[] };
        for arguments in [all, &[&path, "--values"], &["/none/such/"]] {
            let answer = verify(&world, arguments).await.exits(0);
            assert_eq!(answer.stdout, "[]\n", "{lane:?}: {answer:?}");
            assert!(answer.stderr.contains("everything agrees"), "{answer:?}");
        }
        let one = verify(&world, &[&format!("{path}db")]).await.exits(0);
        assert!(one.stderr.starts_with("1 names, "), "{one:?}");
    }
}

#[tokio::test]
async fn nothing_is_changed_without_heal() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let path = story(&world).await.path;
    world.put(&format!("{path}unseen"), "x").await;
    let world = world.behind(&proxy);
    verify(&world, &["--values"]).await.exits(5);
    for operation in proxy.counts().keys() {
        let (_, verb) = operation.split_once(':').unwrap();
        let reads = ["Get", "List", "Describe", "Query", "Head"];
        assert!(reads.iter().any(|r| verb.starts_with(r)), "{operation}");
    }
}

/// A name that was written three times, one that was deleted, and coverage.
struct Planted {
    world: World,
    path: String,
    db: String,
    gone: String,
    records: Vec<Record>,
}

impl Planted {
    async fn on(lane: Lane) -> Self {
        let world = World::on(lane).await;
        let path = world.own("/v/");
        let (db, gone) = (format!("{path}a/db"), format!("{path}gone"));
        for value in ["1", "2", "3"] {
            world.write(&db, value).await;
        }
        world.write(&gone, "x").await;
        next_second().await;
        world.erase(&gone).await;
        world.ssmbak(&["seed", &path, "--do-it"]).await.exits(0);
        let index = &world.stores.index;
        let (first, last) = (Instant::EARLIEST, Instant::LATEST);
        let records = index.between(&name(&db), first, last).await.unwrap();
        Self {
            world,
            path,
            db,
            gone,
            records,
        }
    }

    async fn delete_row(&self, scope: &str, entry: &str) {
        let delete = self.world.dynamodb.delete_item();
        let delete = delete.table_name(&self.world.location.table);
        let delete = delete.key("scope", AttributeValue::S(scope.into()));
        let delete = delete.key("entry", AttributeValue::S(entry.into()));
        delete.send().await.unwrap();
    }

    async fn set(&self, scope: &str, entry: &str, field: &str, value: &str) {
        let update = self.world.dynamodb.update_item();
        update
            .table_name(&self.world.location.table)
            .key("scope", AttributeValue::S(scope.into()))
            .key("entry", AttributeValue::S(entry.into()))
            .update_expression("SET #f = :v")
            .expression_attribute_names("#f", field)
            .expression_attribute_values(":v", AttributeValue::S(value.into()))
            .send()
            .await
            .unwrap();
    }

    async fn put_object(&self, key: &str, body: &[u8]) -> String {
        let put = self.world.s3.put_object();
        let put = put.bucket(&self.world.location.bucket).key(key);
        let put = put.body(ByteStream::from(body.to_vec()));
        put.send().await.unwrap().version_id.unwrap()
    }

    /// Without a version: a marker.
    async fn delete_object(&self, key: &str, version: Option<&str>) {
        let delete = self.world.s3.delete_object();
        let delete = delete.bucket(&self.world.location.bucket).key(key);
        let delete = delete.set_version_id(version.map(str::to_owned));
        delete.send().await.unwrap();
    }

    async fn body(&self, key: &str) -> Vec<u8> {
        let get = self.world.s3.get_object();
        let get = get.bucket(&self.world.location.bucket).key(key);
        let body = get.send().await.unwrap().body.collect().await.unwrap();
        body.to_vec()
    }

    fn pointer(&self, number: usize) -> &Pointer {
        let written = self.records[number].present().unwrap();
        written.value.pointer().unwrap()
    }

    async fn look(&self, arguments: &[&str]) -> Answer {
        verify(&self.world, &[&[&*self.path], arguments].concat()).await
    }

    /// Finds exactly these kinds, heals, and then finds nothing and the rows of
    /// before.
    async fn healed(&self, expected: &[&str], rows: &[Json]) {
        let answer = self.look(&[]).await.exits(5);
        assert_eq!(kinds(&answer), expected, "{answer:?}");
        let healed = self.look(&["--heal"]).await.exits(0);
        assert_eq!(kinds(&healed), expected, "{healed:?}");
        let healed = healed.json();
        assert!(
            healed
                .as_array()
                .unwrap()
                .iter()
                .all(|r| r["Healed"] == true)
        );
        let clean = self.look(&["--values"]).await.exits(0);
        assert_eq!(clean.stdout, "[]\n");
        assert_eq!(self.world.rows().await, rows, "{expected:?}");
    }

    /// Finds exactly these kinds, and cannot heal them.
    async fn incurable(&self, arguments: &[&str], expected: &[&str]) {
        for heal in [&[][..], &["--heal"]] {
            let answer = self.look(&[arguments, heal].concat()).await.exits(5);
            assert_eq!(kinds(&answer), expected, "{answer:?}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_in_the_index_is_found_and_healed() {
    for lane in [Lane::Ministack, Lane::Moto] {
        let p = Planted::on(lane).await;
        let rows = p.world.rows().await;
        let (first, newest) = (&p.records[0], &p.records[2]);
        let a = &format!("{}a/", p.path);

        p.delete_row(&p.db, &keys::own_entry(first)).await;
        p.healed(&["row-missing"], &rows).await;
        p.delete_row(&p.db, &keys::own_entry(newest)).await;
        p.healed(&["row-missing"], &rows).await;
        // Without it the version before it must not be put back to its key.
        let deletion = p.world.stores.index.recent(&name(&p.gone)).await.unwrap();
        let deletion = keys::own_entry(&deletion.records[0]);
        p.delete_row(&p.gone, &deletion).await;
        p.healed(&["row-missing"], &rows).await;
        p.set(&p.db, &keys::own_entry(first), "tier", "Advanced")
            .await;
        p.healed(&["row-differs"], &rows).await;
        p.set(&p.db, &keys::own_entry(newest), "time", "nonsense")
            .await;
        p.healed(&["row-differs"], &rows).await;
        p.delete_row(a, &keys::path_entry(first)).await;
        p.healed(&["slim-missing"], &rows).await;
        p.delete_row("/", &keys::path_entry(first)).await;
        p.healed(&["slim-missing"], &rows).await;
        p.set(a, &keys::path_entry(first), "modifiedBy", "nobody")
            .await;
        p.healed(&["slim-differs"], &rows).await;
        p.set(
            "@names",
            &p.db,
            "head",
            "2000-01-01T00:00:00.000Z#v0000000001",
        )
        .await;
        p.healed(&["head-stale"], &rows).await;
        p.delete_row("@names", &p.db).await;
        p.healed(&["head-stale"], &rows).await;
        p.delete_row("@meta", &format!("coverage#{}", p.path)).await;
        p.healed(&["coverage-differs"], &rows).await;
        // All at once.
        p.delete_row("@names", &p.gone).await;
        p.delete_row(&p.db, &keys::own_entry(newest)).await;
        p.delete_row(a, &keys::path_entry(first)).await;
        p.healed(&["head-stale", "row-missing", "slim-missing"], &rows)
            .await;

        let nowhere = "2999-01-01T00:00:00.000Z#v0000000009";
        p.set("@names", &p.db, "head", nowhere).await;
        p.incurable(&[], &["head-stale"]).await;
    }
}

#[tokio::test]
async fn what_is_wrong_in_the_bucket_is_found_and_healed_where_it_can_be() {
    for lane in [Lane::Ministack, Lane::Moto] {
        let p = Planted::on(lane).await;
        let rows = p.world.rows().await;
        let key = keys::journal_key(&p.records[0]);
        let body = p.body(&key).await;
        p.delete_object(&key, None).await;
        p.healed(&["journal-missing"], &rows).await;
        assert_eq!(p.body(&key).await, body, "{lane:?}");

        p.delete_object(&p.db, None).await;
        p.healed(&["key-shows-wrong-object"], &rows).await;
        assert_eq!(p.body(&p.db).await, b"3");
        p.put_object(&p.gone, b"still here").await;
        p.healed(&["key-shows-wrong-object"], &rows).await;

        p.put_object(&key, b"not JSON").await;
        p.incurable(&[], &["journal-unreadable"]).await;
        p.put_object(&key, &p.body(&keys::journal_key(&p.records[1])).await)
            .await;
        p.incurable(&[], &["journal-unreadable"]).await;
        p.put_object(&key, &body).await;
        let stray = format!("{}x.json", keys::JOURNAL_PREFIX);
        p.put_object(&stray, b"{}").await;
        p.incurable(&[], &["journal-unreadable"]).await;
        p.delete_object(&stray, None).await;
        p.look(&[]).await.exits(0);

        // A journal entry without its value would tell of nothing.
        p.delete_object(&p.db, Some(&p.pointer(0).version_id)).await;
        p.incurable(&[], &["value-missing"]).await;
        p.delete_object(&key, None).await;
        p.incurable(&[], &["journal-missing", "value-missing"])
            .await;
        assert_eq!(p.world.rows().await, rows, "{lane:?}");
    }
}

#[tokio::test]
async fn a_value_that_is_not_what_it_should_be_is_found_by_reading_it() {
    let p = Planted::on(Lane::Ministack).await;
    let newest = &p.records[2];
    let key = keys::journal_key(newest);
    for wrong in [&b"another"[..], &[0xff, 0xfe], &[b'x'; 9_000]] {
        let version = p.put_object(&p.db, wrong).await;
        let mut told: Json = serde_json::from_slice(&p.body(&key).await).unwrap();
        told["pointer"]["versionId"] = version.into();
        p.put_object(&key, told.to_string().as_bytes()).await;
        p.world.ssmbak(&["rebuild", "--do-it"]).await.exits(0);
        p.look(&[]).await.exits(0);
        p.incurable(&["--values"], &["value-differs"]).await;
        let answer = p.look(&["--values"]).await;
        assert!(!answer.stdout.contains("another"), "{answer:?}");
    }
}

#[tokio::test]
async fn what_no_event_told_is_found_and_captured() {
    let p = Planted::on(Lane::Ministack).await;
    p.world.put(&p.db, "4").await;
    let answer = p.look(&[]).await.exits(5);
    assert_eq!(kinds(&answer), ["live-not-recorded"]);
    assert_eq!(
        (&answer.json()[0]["Name"], &answer.json()[0]["Version"]),
        (&p.db.as_str().into(), &4.into())
    );
    // A change of the last minutes may be on its way.
    let early = p.world.ssmbak(&["verify", &p.path]).await.exits(0);
    assert!(
        early.stderr.contains("1 changes of the last minutes"),
        "{early:?}"
    );
    p.look(&["--heal"]).await.exits(0);
    p.look(&["--values"]).await.exits(0);

    p.world.delete(&p.db).await;
    let answer = p.look(&[]).await.exits(5);
    assert_eq!(kinds(&answer), ["gone-not-recorded"]);
    verify(&p.world, &[&p.db, "--heal"]).await.exits(5);
    p.look(&["--heal"]).await.exits(0);
    p.look(&[]).await.exits(0);
    next_second().await;
    p.world.put(&p.db, "5").await;
    verify(&p.world, &[&p.db]).await.exits(5);
    verify(&p.world, &[&p.db, "--heal"]).await.exits(0);
    p.look(&["--values"]).await.exits(0);
}

#[tokio::test]
async fn a_run_that_is_missing_is_found_and_healed() {
    let world = World::on(Lane::Ministack).await;
    story(&world).await;
    let rows = world.rows().await;
    let is_run = |row: &&Json| row["entry"].as_str().unwrap().starts_with("run#");
    let runs: Vec<String> = rows
        .iter()
        .filter(is_run)
        .map(|r| r["entry"].as_str().unwrap().to_owned())
        .collect();
    assert!(runs.len() > 1);
    let delete = async |entry: &str| {
        let delete = world
            .dynamodb
            .delete_item()
            .table_name(&world.location.table);
        let delete = delete.key("scope", AttributeValue::S("@meta".into()));
        let delete = delete.key("entry", AttributeValue::S(entry.into()));
        delete.send().await.unwrap();
    };
    for run in &runs {
        delete(run).await;
    }
    let answer = verify(&world, &[]).await.exits(5);
    assert_eq!(kinds(&answer), ["run-missing"]);
    verify(&world, &["--heal"]).await.exits(0);
    assert_eq!(world.rows().await, rows);
}

#[tokio::test]
async fn it_goes_on_from_a_name_and_counts_values_without_a_record() {
    let p = Planted::on(Lane::Ministack).await;
    let first = &p.records[0];
    p.delete_row(&format!("{}a/", p.path), &keys::path_entry(first))
        .await;
    p.look(&[]).await.exits(5);
    let rest = p.look(&["--from", &p.gone]).await.exits(0);
    assert!(rest.stderr.starts_with("1 names, 2 records, "), "{rest:?}");
    p.put_object(&format!("{}b/nobody", p.path), b"x").await;
    p.put_object(&p.gone, b"x").await;
    p.delete_object(&p.gone, None).await;
    let answer = p.look(&["--heal"]).await.exits(0);
    let told = "2 value versions without a record (harmless)";
    assert!(answer.stderr.contains(told), "{answer:?}");
    for (arguments, code) in [(&["--from", "a/b"][..], 2), (&["a/b"], 2)] {
        verify(&p.world, arguments).await.exits(code);
    }
    let rows = p.world.rows().await;
    p.world.stores.index.begin_rebuild(now()).await.unwrap();
    let refused = p.look(&[]).await.exits(1);
    assert!(refused.stderr.contains("being rebuilt"), "{refused:?}");
    p.world.stores.index.finish_rebuild().await.unwrap();
    let without_format = |rows: Vec<Json>| -> Vec<Json> {
        rows.into_iter()
            .filter(|r| r["entry"] != "format")
            .collect()
    };
    assert_eq!(without_format(p.world.rows().await), without_format(rows));
}

#[tokio::test]
async fn interrupted_it_tells_where_to_go_on() {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    let path = world.own("/i/");
    for number in 0..40 {
        world.write(&format!("{path}{number:02}"), "x").await;
    }
    proxy.set_latency(Duration::from_millis(20));
    let world = world.behind(&proxy);
    let mut command = world.command(&["verify", &path]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let id = child.id().unwrap().to_string();
    while proxy.count("s3:GetObject") < 10 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut kill = Command::new("/bin/sh");
    kill.args(["-c", "kill -INT \"$1\"", "sh", &id]);
    assert!(kill.status().await.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{told}");
    let from = told.lines().find_map(|l| l.split_once("--from "));
    let (_, from) = from.unwrap_or_else(|| panic!("{told}"));
    let done: usize = from.strip_prefix(&*path).unwrap().parse().unwrap();
    assert!((1..40).contains(&done), "{told}");
    let rest = world
        .ssmbak(&["verify", &path, "--from", from])
        .await
        .exits(0);
    let left = format!("{} names, ", 40 - done);
    assert!(rest.stderr.starts_with(&left), "{rest:?}");
}
