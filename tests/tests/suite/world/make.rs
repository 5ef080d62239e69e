//! What a world is made of.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType, TableStatus,
};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    VersioningConfiguration,
};
use serde_json::Value as Json;
use ssmbak_core::store::Location;
use ssmbak_tests::emulator::REGION;
use ssmbak_tests::runtime_api::Function;

use super::{aws, bootstrap};

/// An emulator has no host name for each bucket.
pub(super) fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    let path_style = config.endpoint_url().is_some();
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(path_style);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// The real function over `location`; without an endpoint it calls AWS.
pub(super) fn function(endpoint: &str, account: &str, location: &Location) -> Function {
    let function = Function::new(bootstrap(), endpoint).unwrap();
    let function = if endpoint.is_empty() {
        let real = [
            "AWS_ENDPOINT_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
        ];
        let bare = real.into_iter().fold(function, Function::env_remove);
        let environment = aws::environment().into_iter();
        environment.fold(bare, |function, (name, value)| function.env(&name, &value))
    } else {
        function.env("AWS_ACCESS_KEY_ID", account)
    };
    function
        .env("SSMBAK_BUCKET", &location.bucket)
        .env("SSMBAK_TABLE", &location.table)
        .env("SSMBAK_STACK", "test")
}

/// A versioned bucket. In a real account one that is there already is an error.
pub(super) async fn bucket(s3: &aws_sdk_s3::Client, config: &SdkConfig, bucket: &str) {
    aws::refuse_foreign(bucket);
    let region = config.region().map_or(REGION, |region| region.as_ref());
    let elsewhere = (region != REGION).then(|| {
        let place = BucketLocationConstraint::from(region);
        let place = CreateBucketConfiguration::builder().location_constraint(place);
        place.build()
    });
    let create = s3.create_bucket().bucket(bucket);
    let create = create.set_create_bucket_configuration(elsewhere);
    create.send().await.unwrap();
    let versioning = VersioningConfiguration::builder()
        .status(BucketVersioningStatus::Enabled)
        .build();
    let put = s3.put_bucket_versioning().bucket(bucket);
    let put = put.versioning_configuration(versioning);
    put.send().await.unwrap();
}

/// An index's table, ready to be used.
pub(crate) async fn table(dynamodb: &aws_sdk_dynamodb::Client, table: &str) {
    aws::refuse_foreign(table);
    let mut create = dynamodb
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest);
    for (attribute, kind) in [("scope", KeyType::Hash), ("entry", KeyType::Range)] {
        let definition = AttributeDefinition::builder()
            .attribute_name(attribute)
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder()
            .attribute_name(attribute)
            .key_type(kind);
        create = create
            .attribute_definitions(definition.build().unwrap())
            .key_schema(key.build().unwrap());
    }
    create.send().await.unwrap();
    loop {
        let described = dynamodb.describe_table().table_name(table);
        let described = described.send().await.unwrap().table.unwrap();
        if described.table_status() == Some(&TableStatus::Active) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A row as JSON: texts for numbers, too.
pub(super) fn as_json(item: &HashMap<String, AttributeValue>) -> Json {
    let fields = item.iter();
    let fields = fields.map(|(field, value)| (field.clone(), value_as_json(value)));
    Json::Object(fields.collect())
}

fn value_as_json(value: &AttributeValue) -> Json {
    let text = value.as_s().or_else(|_| value.as_n());
    if let Ok(text) = text {
        text.as_str().into()
    } else if let Ok(list) = value.as_l() {
        list.iter().map(value_as_json).collect()
    } else if let Ok(fields) = value.as_m() {
        as_json(fields)
    } else if let Ok(flag) = value.as_bool() {
        (*flag).into()
    } else {
        assert!(value.is_null(), "no row holds {value:?}");
        Json::Null
    }
}
