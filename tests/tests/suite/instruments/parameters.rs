//! Writes have the semantics of Parameter Store.

use aws_sdk_ssm::types::{ParameterHistory, ParameterTier, ParameterType, Tag};

use super::{code, put, shared_ssm};

#[tokio::test]
async fn a_root_name_is_one_parameter_with_and_without_its_slash() {
    let ssm = shared_ssm("100000000001").await;
    put(&ssm, "/foo", "one").send().await.unwrap();
    let version = put(&ssm, "foo", "two").send().await.unwrap().version();
    assert_eq!(version, 2);
    for asked in ["foo", "/foo"] {
        let answer = ssm.get_parameter().name(asked).send().await.unwrap();
        let parameter = answer.parameter().unwrap();
        assert_eq!(parameter.name(), Some(asked));
        assert_eq!(parameter.value(), Some("two"));
        assert!(parameter.arn().unwrap().ends_with(":parameter/foo"));
    }
    let listed = ssm.describe_parameters().send().await.unwrap();
    let names: Vec<_> = listed.parameters().iter().map(|row| row.name()).collect();
    assert_eq!(names, [Some("foo")]);
    ssm.delete_parameter().name("/foo").send().await.unwrap();
    let gone = ssm.get_parameter().name("foo").send().await;
    assert_eq!(code(gone), "ParameterNotFound");
}

#[tokio::test]
async fn names_that_aws_refuses_are_refused() {
    let ssm = shared_ssm("100000000002").await;
    for name in [
        "a/b", "/a/", "/a//b", "/a b", "awsfoo", "/ssm/foo", "ssmfoo",
    ] {
        let refused = put(&ssm, name, "x").send().await;
        assert_eq!(code(refused), "ValidationException", "{name}");
    }
    let deep = "/x".repeat(16);
    let refused = put(&ssm, &deep, "x").send().await;
    assert_eq!(code(refused), "HierarchyLevelLimitExceededException");
    let read = ssm.get_parameter().name("a/b").send().await;
    assert_eq!(code(read), "ValidationException");
}

#[tokio::test]
async fn an_overwrite_keeps_what_it_omits_and_empty_text_clears() {
    let ssm = shared_ssm("100000000003").await;
    let policies = r#"[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2099-01-01T00:00:00Z"}}]"#;
    put(&ssm, "/keep", "1")
        .description("told")
        .allowed_pattern("[0-9]+")
        .tier(ParameterTier::Advanced)
        .policies(policies)
        .send()
        .await
        .unwrap();
    put(&ssm, "/keep", "2").send().await.unwrap();
    put(&ssm, "/keep", "3")
        .description("")
        .allowed_pattern("")
        .send()
        .await
        .unwrap();
    put(&ssm, "/keep", "4")
        .policies("[{}]")
        .send()
        .await
        .unwrap();
    let history = ssm
        .get_parameter_history()
        .name("/keep")
        .send()
        .await
        .unwrap();
    let versions = history.parameters();
    assert_eq!(versions[1].description(), Some("told"));
    assert_eq!(versions[1].allowed_pattern(), Some("[0-9]+"));
    assert_eq!(versions[1].tier(), Some(&ParameterTier::Advanced));
    let policy = &versions[2].policies()[0];
    assert_eq!(policy.policy_type(), Some("Expiration"));
    assert_eq!(policy.policy_status(), Some("Pending"));
    assert!(policy.policy_text().unwrap().contains("2099-01-01"));
    assert_eq!(versions[2].description(), None);
    assert_eq!(versions[2].allowed_pattern(), None);
    assert!(versions[3].policies().is_empty());
}

#[tokio::test]
async fn values_that_aws_refuses_are_refused() {
    let ssm = shared_ssm("100000000004").await;
    let refused = put(&ssm, "/big", &"x".repeat(4097)).send().await;
    assert_eq!(code(refused), "ValidationException");
    put(&ssm, "/big", &"x".repeat(4096)).send().await.unwrap();
    let advanced = put(&ssm, "/big", &"x".repeat(8192)).tier(ParameterTier::Advanced);
    advanced.send().await.unwrap();
    let back = put(&ssm, "/big", "x")
        .tier(ParameterTier::Standard)
        .send()
        .await;
    assert_eq!(code(back), "ValidationException");
    let empty = put(&ssm, "/empty", "").send().await;
    assert_eq!(code(empty), "ValidationException");
    let mismatch = put(&ssm, "/digits", "abc")
        .allowed_pattern("^[0-9]+$")
        .send()
        .await;
    assert_eq!(code(mismatch), "ParameterPatternMismatchException");
    let tagged =
        put(&ssm, "/tagged", "x").tags(Tag::builder().key("a").value("b").build().unwrap());
    assert_eq!(code(tagged.send().await), "ValidationException");
    let keyed = put(&ssm, "/keyed", "x").key_id("alias/mine").send().await;
    assert_eq!(code(keyed), "ValidationException");
    let again = ssm
        .put_parameter()
        .name("/big")
        .value("x")
        .r#type(ParameterType::String);
    assert_eq!(code(again.send().await), "ParameterAlreadyExists");
}

#[tokio::test]
async fn a_hundred_versions_are_kept_and_a_labelled_oldest_one_blocks_the_next() {
    let ssm = shared_ssm("100000000005").await;
    for number in 1..=101 {
        put(&ssm, "/many", &number.to_string())
            .send()
            .await
            .unwrap();
    }
    let mut pages = ssm
        .get_parameter_history()
        .name("/many")
        .into_paginator()
        .send();
    let mut sizes = Vec::new();
    let mut versions = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.parameters().len());
        versions.extend(page.parameters().iter().map(ParameterHistory::version));
    }
    assert_eq!(sizes, [50, 50]);
    assert_eq!(versions, (2..=101).collect::<Vec<i64>>());
    let label = ssm
        .label_parameter_version()
        .name("/many")
        .parameter_version(2)
        .labels("first");
    label.send().await.unwrap();
    let blocked = put(&ssm, "/many", "102").send().await;
    assert_eq!(code(blocked), "ParameterMaxVersionLimitExceeded");
}

#[tokio::test]
async fn a_recreated_parameter_starts_at_version_one_without_history_labels_or_tags() {
    let ssm = shared_ssm("100000000006").await;
    let tag = Tag::builder().key("team").value("a").build().unwrap();
    let create = ssm
        .put_parameter()
        .name("/again")
        .value("1")
        .r#type(ParameterType::String);
    create.tags(tag).send().await.unwrap();
    put(&ssm, "/again", "2").send().await.unwrap();
    let tags = || {
        let list = ssm.list_tags_for_resource();
        list.resource_type(aws_sdk_ssm::types::ResourceTypeForTagging::Parameter)
            .resource_id("/again")
    };
    assert_eq!(tags().send().await.unwrap().tag_list()[0].value(), "a");
    ssm.delete_parameter().name("/again").send().await.unwrap();
    assert_eq!(code(tags().send().await), "InvalidResourceId");
    put(&ssm, "/again", "3").send().await.unwrap();
    let history = ssm
        .get_parameter_history()
        .name("/again")
        .send()
        .await
        .unwrap();
    assert_eq!(history.parameters().len(), 1);
    assert_eq!(history.parameters()[0].version(), 1);
    assert!(tags().send().await.unwrap().tag_list().is_empty());
}

#[tokio::test]
async fn a_label_is_on_one_version_only() {
    let ssm = shared_ssm("100000000007").await;
    put(&ssm, "/l", "1").send().await.unwrap();
    put(&ssm, "/l", "2").send().await.unwrap();
    let label = || ssm.label_parameter_version().name("/l");
    label()
        .parameter_version(1)
        .labels("live")
        .send()
        .await
        .unwrap();
    let answer = label().labels("live").labels("2bad").send().await.unwrap();
    assert_eq!(answer.parameter_version(), 2);
    assert_eq!(answer.invalid_labels(), ["2bad"]);
    let history = ssm.get_parameter_history().name("/l").send().await.unwrap();
    assert!(history.parameters()[0].labels().is_empty());
    assert_eq!(history.parameters()[1].labels(), ["live"]);
    let by_label = ssm.get_parameter().name("/l:live").send().await.unwrap();
    assert_eq!(by_label.parameter().unwrap().value(), Some("2"));
    let unlabel = ssm
        .unlabel_parameter_version()
        .name("/l")
        .parameter_version(2)
        .labels("live");
    assert_eq!(unlabel.send().await.unwrap().removed_labels(), ["live"]);
}
