//! The proxy's faults: each kind does what it says, and counts itself.

use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use ssmbak_tests::proxy::{Fault, Faults, Proxy};

use super::proxy::proxied;
use super::{code, put};

/// What a kind of fault leaves behind where it befalls a put: whether it was done, and what came back.
async fn befallen(proxy: &Proxy, ssm: &aws_sdk_ssm::Client, fault: Fault) -> (bool, String) {
    let name = format!("/f/{fault:?}");
    proxy.inject(Faults::at(fault, 1));
    let answer = put(ssm, &name, "1").send().await;
    proxy.calm();
    assert_eq!(proxy.struck(), [(fault, 1)].into(), "{fault:?}");
    let done = ssm.get_parameter().name(&name).send().await.is_ok();
    let told = match answer {
        Ok(_) => "done".to_owned(),
        Err(error) if error.as_service_error().is_some() => code(Err::<(), _>(error)),
        Err(_) => "no answer".to_owned(),
    };
    (done, told)
}

#[tokio::test]
async fn each_fault_is_before_or_after_the_work_as_it_says() {
    let (proxy, config) = proxied("300000000011").await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    let expected = [
        (Fault::Delayed, true, "done"),
        (Fault::Refused, false, "ValidationException"),
        (Fault::Broken, false, "InternalServerError"),
        (Fault::BrokenAfterWork, true, "InternalServerError"),
        (Fault::Unavailable, false, "ServiceUnavailable"),
        (Fault::UnavailableAfterWork, true, "ServiceUnavailable"),
        (Fault::Throttled, false, "ThrottlingException"),
        (Fault::HungUp, false, "no answer"),
        (Fault::HungUpAfterWork, true, "no answer"),
        (Fault::Silent, false, "no answer"),
        (Fault::SilentAfterWork, true, "no answer"),
        (Fault::CutBody, true, "no answer"),
        (Fault::CutDocument, true, "no answer"),
    ];
    for (fault, done, told) in expected {
        let befell = befallen(&proxy, &ssm, fault).await;
        assert_eq!(befell, (done, told.to_owned()), "{fault:?}");
    }
    assert_eq!(expected.len() + 2, Fault::ALL.len(), "and the two of reads");
}

#[tokio::test]
async fn a_silence_lasts_as_long_as_it_should_and_a_delay_ends_in_the_right_answer() {
    let (proxy, config) = proxied("300000000012").await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    let began = Instant::now();
    let silence = Duration::from_millis(200);
    proxy.inject(Faults::at(Fault::Silent, 1).silent_for(silence));
    ssm.describe_parameters().send().await.unwrap_err();
    assert!(began.elapsed() >= silence);
    let began = Instant::now();
    proxy.inject(Faults::at(Fault::Delayed, 1));
    ssm.describe_parameters().send().await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn throttling_has_the_shape_of_each_service() {
    let (proxy, config) = proxied("300000000013").await;
    let throttled = || proxy.inject(Faults::at(Fault::Throttled, 1));
    let s3 = aws_sdk_s3::Client::new(&config);
    throttled();
    assert_eq!(code(s3.list_buckets().send().await), "SlowDown");
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    throttled();
    let exceeded = "ProvisionedThroughputExceededException";
    assert_eq!(code(dynamodb.list_tables().send().await), exceeded);
    throttled();
    let check = aws_sdk_dynamodb::types::Delete::builder().table_name("none");
    let key = aws_sdk_dynamodb::types::AttributeValue::S("k".into());
    let check = check.key("scope", key).build().unwrap();
    let item = aws_sdk_dynamodb::types::TransactWriteItem::builder().delete(check);
    let transact = dynamodb.transact_write_items();
    let transact = transact.transact_items(item.clone().build());
    let answer = transact.transact_items(item.build()).send().await;
    let error = answer.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    ) = error
    else {
        panic!("{error:?}");
    };
    let reasons = cancelled.cancellation_reasons().iter();
    let reasons: Vec<_> = reasons.map(|reason| reason.code().unwrap()).collect();
    assert_eq!(reasons, ["ThrottlingError", "None"]);
}

#[tokio::test]
async fn a_stale_read_shows_what_was_before_the_change_or_that_nothing_was_there() {
    let (proxy, config) = proxied("300000000014").await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    let history = async || {
        let answer = ssm.get_parameter_history().name("/stale").send().await;
        answer.map(|answer| answer.parameters().len())
    };
    proxy.inject(Faults::at(Fault::Stale, 1));
    assert_eq!(code(history().await), "ParameterNotFound", "nobody made it");
    assert!(proxy.struck().is_empty(), "and that is the truth");
    put(&ssm, "/stale", "1").send().await.unwrap();
    proxy.inject(Faults::at(Fault::Stale, 1));
    assert_eq!(code(history().await), "ParameterNotFound");
    assert_eq!(history().await.unwrap(), 1);
    put(&ssm, "/stale", "2").send().await.unwrap();
    assert_eq!(history().await.unwrap(), 2);
    // The newest answer is what is true now, so the one before it is told.
    proxy.inject(Faults::at(Fault::Stale, 1).lasting());
    assert_eq!(history().await.unwrap(), 1);
    assert_eq!(history().await.unwrap(), 1);
    assert_eq!(proxy.struck(), [(Fault::Stale, 2)].into());
    proxy.inject(Faults::at(Fault::Stale, 1));
    let values = ssm.get_parameters().names("/stale").send().await.unwrap();
    assert!(values.parameters().is_empty());
    assert_eq!(values.invalid_parameters(), ["/stale"]);
}

#[tokio::test]
async fn behind_an_empty_page_lies_what_was_asked_for() {
    let (proxy, config) = proxied("300000000015").await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    put(&ssm, "/page/a", "1").send().await.unwrap();
    proxy.inject(Faults::at(Fault::EmptyPage, 1));
    let first = ssm.describe_parameters().send().await.unwrap();
    assert!(first.parameters().is_empty());
    let token = first.next_token().unwrap();
    let next = ssm.describe_parameters().next_token(token).send().await;
    assert_eq!(next.unwrap().parameters().len(), 1);
    let bucket = "pages-300000000015";
    let s3 = aws_sdk_s3::Client::new(&config);
    s3.create_bucket().bucket(bucket).send().await.unwrap();
    let body = ByteStream::from_static(b"x");
    let put = s3.put_object().bucket(bucket).key("k").body(body);
    put.send().await.unwrap();
    proxy.inject(Faults::at(Fault::EmptyPage, 1));
    let list = || s3.list_objects_v2().bucket(bucket);
    let first = list().send().await.unwrap();
    assert!(first.contents().is_empty());
    let token = first.next_continuation_token().unwrap();
    let next = list().continuation_token(token).send().await.unwrap();
    assert_eq!(next.contents().len(), 1);
    proxy.inject(Faults::at(Fault::EmptyPage, 1));
    let list = || s3.list_object_versions().bucket(bucket);
    let first = list().send().await.unwrap();
    assert!(first.versions().is_empty() && first.is_truncated().unwrap());
    let next = list().key_marker(first.next_key_marker().unwrap());
    let next = next.send().await.unwrap();
    assert_eq!(next.versions().len(), 1);
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    proxy.inject(Faults::at(Fault::EmptyPage, 1));
    let page = dynamodb.scan().table_name("none").send().await.unwrap();
    let key = page.last_evaluated_key().unwrap();
    assert!(key.contains_key("scope") && key.contains_key("entry"));
    // What was asked for was a table that is not there.
    let next = dynamodb.scan().table_name("none");
    let next = next.set_exclusive_start_key(Some(key.clone()));
    let refused = code(next.send().await);
    assert_eq!(refused, "ResourceNotFoundException");
}

#[tokio::test]
async fn the_same_seed_strikes_the_same_calls() {
    let (proxy, config) = proxied("300000000016").await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    let struck = async |seed: u64| {
        proxy.inject(Faults::random(seed, 300).silent_for(Duration::ZERO));
        for number in 0..40 {
            let name = format!("/random/{number}");
            put(&ssm, &name, "x").send().await.ok();
            ssm.get_parameter_history().name(&name).send().await.ok();
        }
        proxy.struck()
    };
    let first = struck(1).await;
    assert!(first.len() > 5, "{first:?}");
    let (again, other) = (struck(1).await, struck(2).await);
    // What is stale depends on what was there, which the first run has changed.
    let without = |struck: &std::collections::BTreeMap<Fault, usize>| {
        let mut struck = struck.clone();
        struck.remove(&Fault::Stale);
        struck
    };
    assert_eq!(without(&first), without(&again));
    assert_ne!(without(&first), without(&other));
}
