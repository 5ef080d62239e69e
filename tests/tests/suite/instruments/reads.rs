//! Reads page, filter, decrypt and tell users as Parameter Store does.

use aws_sdk_ssm::types::{ParameterStringFilter, ParameterType};
use ssmbak_tests::emulator::{Control, Ministack};

use super::{code, put, shared_ssm, ssm};

fn filter(key: &str, option: &str, value: &str) -> ParameterStringFilter {
    let filter = ParameterStringFilter::builder().key(key).option(option);
    filter.values(value).build().unwrap()
}

async fn names(client: &aws_sdk_ssm::Client, wanted: ParameterStringFilter) -> Vec<String> {
    let described = client.describe_parameters().parameter_filters(wanted);
    let described = described.send().await.unwrap();
    let names = described.parameters().iter().filter_map(|row| row.name());
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn descriptions_come_fifty_and_parameters_by_path_ten_a_page() {
    let ssm = shared_ssm("200000000001").await;
    for number in 0..61 {
        put(&ssm, &format!("/page/{number:02}"), "x")
            .send()
            .await
            .unwrap();
    }
    let mut sizes = Vec::new();
    let mut pages = ssm.describe_parameters().into_paginator().send();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().parameters().len());
    }
    assert_eq!(sizes, [50, 11]);
    sizes.clear();
    let mut pages = ssm
        .get_parameters_by_path()
        .path("/page")
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().parameters().len());
    }
    assert_eq!(sizes, [10, 10, 10, 10, 10, 10, 1]);
    let many = (0..11).map(|number| format!("/page/{number:02}")).collect();
    let refused = ssm.get_parameters().set_names(Some(many)).send().await;
    assert_eq!(code(refused), "ValidationException");
}

#[tokio::test]
async fn filters_select_by_name_path_and_type() {
    let ssm = shared_ssm("200000000002").await;
    for name in ["/app", "/app/a", "/app/b/c", "/app2/d", "root"] {
        put(&ssm, name, "x").send().await.unwrap();
    }
    let secret = put(&ssm, "/app/s", "x").r#type(ParameterType::SecureString);
    secret.send().await.unwrap();
    assert_eq!(names(&ssm, filter("Name", "Equals", "/app")).await, ["app"]);
    assert_eq!(
        names(&ssm, filter("Name", "BeginsWith", "/app/")).await,
        ["/app/a", "/app/b/c", "/app/s"]
    );
    assert_eq!(
        names(&ssm, filter("Path", "OneLevel", "/app")).await,
        ["/app/a", "/app/s"]
    );
    assert_eq!(
        names(&ssm, filter("Path", "Recursive", "/app/")).await,
        ["/app/a", "/app/b/c", "/app/s"]
    );
    assert_eq!(
        names(&ssm, filter("Path", "OneLevel", "/")).await,
        ["app", "root"]
    );
    assert_eq!(names(&ssm, filter("Path", "Recursive", "/")).await.len(), 6);
    assert_eq!(
        names(&ssm, filter("Type", "Equals", "SecureString")).await,
        ["/app/s"]
    );
}

#[tokio::test]
async fn every_version_tells_who_and_when_in_milliseconds() {
    let ministack = Ministack::start().unwrap();
    let control = ministack.control();
    let (alice, bob) = (ssm(&ministack, "alice").await, ssm(&ministack, "bob").await);
    control.set_clock(1_700_000_000_123).await.unwrap();
    put(&alice, "/who", "1").send().await.unwrap();
    control.advance_clock(3_600_000).await.unwrap();
    put(&bob, "/who", "2").send().await.unwrap();
    let history = alice
        .get_parameter_history()
        .name("/who")
        .send()
        .await
        .unwrap();
    let told: Vec<_> = history
        .parameters()
        .iter()
        .map(|version| {
            // The SDK makes 1700000000122999906 ns of it, and `to_millis` truncates: so it is rounded.
            let time_ms = (version.last_modified_date().unwrap().as_nanos() + 500_000) / 1_000_000;
            (time_ms, version.last_modified_user().unwrap())
        })
        .collect();
    let user = |name: &str| format!("arn:aws:iam::000000000000:user/{name}");
    assert_eq!(
        told,
        [
            (1_700_000_000_123, user("alice").as_str()),
            (1_700_003_600_123, user("bob").as_str()),
        ]
    );
    let described = alice.describe_parameters().send().await.unwrap();
    assert_eq!(
        described.parameters()[0].last_modified_user(),
        Some(user("bob").as_str())
    );
    assert!(control.free_clock().await.unwrap() > 1_790_000_000_000);
}

#[tokio::test]
async fn a_denied_key_fails_decrypting_reads_only() {
    let ssm = shared_ssm("200000000003").await;
    let control = Ministack::shared().control();
    let secret = |value: &str, key: &str| {
        put(&ssm, "/s", value)
            .r#type(ParameterType::SecureString)
            .key_id(key)
    };
    secret("old", "alias/denied-200000000003")
        .send()
        .await
        .unwrap();
    secret("new", "alias/fine").send().await.unwrap();
    control
        .deny_key("alias/denied-200000000003", true)
        .await
        .unwrap();
    let history = || ssm.get_parameter_history().name("/s");
    let denied = history().with_decryption(true).send().await;
    assert_eq!(code(denied), "AccessDeniedException");
    let undecrypted = history().send().await.unwrap();
    assert_ne!(undecrypted.parameters()[0].value(), Some("old"));
    assert_eq!(
        undecrypted.parameters()[0].key_id(),
        Some("alias/denied-200000000003")
    );
    let new = ssm
        .get_parameter()
        .name("/s")
        .with_decryption(true)
        .send()
        .await
        .unwrap();
    assert_eq!(new.parameter().unwrap().value(), Some("new"));
    let old = ssm
        .get_parameter()
        .name("/s:1")
        .with_decryption(true)
        .send()
        .await;
    assert_eq!(code(old), "AccessDeniedException");
    control
        .deny_key("alias/denied-200000000003", false)
        .await
        .unwrap();
    assert!(history().with_decryption(true).send().await.is_ok());
}

#[tokio::test]
async fn reads_can_be_made_stale() {
    let ssm = shared_ssm("200000000004").await;
    let control: Control = Ministack::shared().control().for_account("200000000004");
    put(&ssm, "/stale", "1").send().await.unwrap();
    control.stale_reads("/stale", 1).await.unwrap();
    let get = || ssm.get_parameter().name("/stale").send();
    assert_eq!(code(get().await), "ParameterNotFound");
    assert_eq!(get().await.unwrap().parameter().unwrap().value(), Some("1"));
}
