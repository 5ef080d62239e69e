//! The bucket that is imported from: what is not the original's, its pages, and
//! what goes wrong with it.

use std::process::Stdio;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::proxy::{ApiError, Disturbance, Proxy};

use super::{LANES, Lane, Move, World, field, hours_ago, plus};
use crate::world::run;

/// On ministack, the command line calling through a proxy.
async fn behind_a_proxy() -> (Move, Proxy) {
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = World::emulated(Lane::Ministack, "the proxy").await;
    (Move::from(world.behind(&proxy)).await, proxy)
}

#[tokio::test]
async fn what_is_not_the_originals_is_left_out_and_told() {
    for lane in LANES {
        let moving = Move::on(lane).await;
        let base = hours_ago(5);
        let own = |leaf: &str| moving.world.own(&format!("/f/{leaf}"));
        let (original, mixed, bare) = (own("original"), own("mixed"), own("bare"));
        moving.store(&original, "x", base).await;
        moving.put(&original, "y", "team=ops").await;
        moving.put(&bare, "z", "").await;
        moving.mark(&bare).await;
        let seconds = base.epoch_seconds();
        let ours = format!("ssmbakTime={seconds}&ssmbakType=String&ssmbakVersion=4");
        moving.put(&mixed, "x", &ours).await;
        moving.store(&mixed, "x", plus(base, 60)).await;
        moving.mark(&mixed).await;
        let answer = moving.import(&["--do-it"]).await.exits(0);
        assert_eq!(
            field(&answer.json(), "Name"),
            [&mixed, &original],
            "{lane:?}"
        );
        assert_eq!(moving.told(&original, base).await, ["0 Create x"]);
        assert_eq!(moving.told(&mixed, base).await, ["60 Create x"]);
        assert!(moving.records(&bare).await.is_empty());
        for told in [
            "\n2 versions left out: they do not have the original's tags\n",
            "\n1 versions left out: this tool wrote them, not the original\n",
            "2 delete markers left out: ",
        ] {
            assert!(answer.stderr.contains(told), "{lane:?}: {}", answer.stderr);
        }
    }
}

#[tokio::test]
async fn the_bucket_that_is_written_to_is_refused() {
    let world = World::on(Lane::Ministack).await;
    let own = &world.location.bucket;
    let import = ["import", "--from-bucket", own, "--do-it"];
    let answer = world.ssmbak(&import).await.exits(2);
    let told = "is the bucket that is written to; an import copies from another one";
    assert!(answer.stderr.contains(told), "{}", answer.stderr);
    let import = ["import", "--from-bucket", "ssmbak-test-nowhere"];
    let answer = world.ssmbak(&import).await.exits(1);
    let hint = "hint: check --from-bucket, --from-region and --from-profile";
    assert!(answer.stderr.contains(hint), "{}", answer.stderr);
}

#[tokio::test]
async fn another_accounts_bucket_is_read_with_that_accounts_profile() {
    let other = World::emulated(Lane::Ministack, "two accounts").await;
    let of = &other.own("/other/x");
    let theirs = Move::from(other).await;
    theirs.store(of, "theirs", hours_ago(5)).await;
    let world = World::emulated(Lane::Ministack, "two accounts").await;
    let home = tempfile::tempdir().unwrap();
    let profiles = home.path().join("credentials");
    let account = &theirs.world.account;
    let profile = format!("[old]\naws_access_key_id={account}\naws_secret_access_key=test\n");
    std::fs::write(&profiles, profile).unwrap();
    let import = async |further: &[&str]| {
        let import = ["import", "--from-bucket", &theirs.old, "--do-it"];
        let mut command = world.command(&[&import[..], further].concat());
        command.env("AWS_SHARED_CREDENTIALS_FILE", &profiles);
        run(command).await
    };
    import(&[]).await.exits(1);
    import(&["--from-profile", "old"]).await.exits(0);
    let index = &world.stores.index;
    let heads = index.heads(&crate::world::under("/")).await.unwrap();
    assert!(heads.keys().any(|name| name.as_str() == of));
}

#[tokio::test]
async fn every_page_of_the_bucket_is_read() {
    let moving = Move::on(Lane::Ministack).await;
    let base = hours_ago(9);
    // A page holds 1,000: the second name goes on in the next.
    let versions: usize = 700;
    let names = ["a", "b"].map(|leaf| moving.world.own(&format!("/p/{leaf}")));
    for of in &names {
        let stored = (0..versions).map(|n| {
            let at = plus(base, i64::try_from(n).unwrap());
            moving.store(of, "x", at)
        });
        let stored = stream::iter(stored).buffer_unordered(16);
        assert_eq!(stored.count().await, versions);
    }
    let rows = moving.import(&[]).await.exits(0).json();
    assert_eq!(field(&rows, "Name"), names);
    for row in rows.as_array().unwrap() {
        assert_eq!(row["Versions"], versions);
        assert_eq!(row["From"], base.to_string());
        assert_eq!(row["To"], plus(base, 699).to_string());
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_read_is_its_names_failure_and_the_next_import_completes_it() {
    let (moving, proxy) = behind_a_proxy().await;
    let base = hours_ago(5);
    let names = ["a", "b"].map(|leaf| moving.world.own(&format!("/d/{leaf}")));
    for of in &names {
        moving.store(of, "one", base).await;
        moving.store(of, "two", plus(base, 60)).await;
    }
    let denied = ApiError::new(403, "AccessDenied", "no");
    proxy.disturb(Disturbance::answer(denied).on("s3:GetObject"));
    let answer = moving.import(&["--do-it"]).await.exits(3);
    assert!(answer.stderr.contains("AccessDenied"), "{}", answer.stderr);
    let rows = answer.json();
    let failed = rows.as_array().unwrap().iter();
    assert_eq!(failed.filter(|r| !r["Failure"].is_null()).count(), 1);
    let answer = moving.import(&["--do-it"]).await.exits(0);
    assert_eq!(answer.json().as_array().unwrap().len(), 1);
    for of in &names {
        let told = moving.told(of, base).await;
        assert_eq!(told.len(), 2, "{told:?}");
    }
}

#[tokio::test]
async fn throttling_slows_an_import_and_never_fails_it() {
    let (moving, proxy) = behind_a_proxy().await;
    let base = hours_ago(5);
    let of = &moving.world.own("/t/x");
    for number in 0..6 {
        moving.store(of, "x", plus(base, number)).await;
    }
    for operation in [
        "s3:GetObjectTagging",
        "s3:GetObject",
        "s3:ListObjectVersions",
    ] {
        proxy.throttle(operation, 5.0, 1);
    }
    moving.import(&["--do-it"]).await.exits(0);
    assert_eq!(moving.records(of).await.len(), 6);
    let throttled = |call: &ssmbak_tests::proxy::Call| call.disturbed;
    assert!(proxy.calls().iter().any(throttled));
}

#[tokio::test]
async fn an_interrupted_import_ends_between_names_and_is_gone_on_with() {
    let (moving, proxy) = behind_a_proxy().await;
    let base = hours_ago(5);
    let names: Vec<_> = (0..24)
        .map(|n| moving.world.own(&format!("/c/{n:02}")))
        .collect();
    for of in &names {
        moving.store(of, "one", base).await;
        moving.store(of, "two", plus(base, 60)).await;
    }
    proxy.set_latency(Duration::from_millis(40));
    let import = ["import", "--from-bucket", &moving.old, "--do-it"];
    let mut command = moving.world.command(&import);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let process = child.id().unwrap();
    while proxy.count("dynamodb:TransactWriteItems") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut interrupt = tokio::process::Command::new("/bin/sh");
    interrupt.args(["-c", r#"kill -INT "$1""#, "sh", &process.to_string()]);
    assert!(interrupt.status().await.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(130));
    proxy.reset();
    let mut whole = 0;
    for of in &names {
        let records = moving.records(of).await.len();
        assert!([0, 2].contains(&records), "{of}: {records}");
        whole += usize::from(records == 2);
    }
    assert!((1..24).contains(&whole), "{whole}");
    run(moving.world.command(&import)).await.exits(0);
    for of in &names {
        assert_eq!(moving.records(of).await.len(), 2);
    }
}
