//! A bucket and a table as the template makes them, and rows of the table to look at.

use std::collections::HashMap;
use std::io;
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

use crate::emulator::REGION;

/// A client of S3: an emulator has no host name for each bucket.
pub fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    let path_style = config.endpoint_url().is_some();
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(path_style);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// Makes a versioned bucket in the region of `s3`. In a real account one that is there already is an error.
pub async fn make_bucket(s3: &aws_sdk_s3::Client, bucket: &str) -> io::Result<()> {
    let region = s3
        .config()
        .region()
        .map_or(REGION, |region| region.as_ref());
    let elsewhere = (region != REGION).then(|| {
        let place = BucketLocationConstraint::from(region);
        let place = CreateBucketConfiguration::builder().location_constraint(place);
        place.build()
    });
    let create = s3.create_bucket().bucket(bucket);
    let create = create.set_create_bucket_configuration(elsewhere);
    create.send().await.map_err(io::Error::other)?;
    let versioning = VersioningConfiguration::builder()
        .status(BucketVersioningStatus::Enabled)
        .build();
    let put = s3.put_bucket_versioning().bucket(bucket);
    let put = put.versioning_configuration(versioning).send();
    put.await.map(drop).map_err(io::Error::other)
}

/// Makes an index's table, and waits until it is ready to be used.
pub async fn make_table(dynamodb: &aws_sdk_dynamodb::Client, table: &str) -> io::Result<()> {
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
            .attribute_definitions(definition.build().map_err(io::Error::other)?)
            .key_schema(key.build().map_err(io::Error::other)?);
    }
    create.send().await.map_err(io::Error::other)?;
    loop {
        let described = dynamodb.describe_table().table_name(table).send().await;
        let described = described.map_err(io::Error::other)?.table;
        if described.is_some_and(|table| table.table_status == Some(TableStatus::Active)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A row as JSON: texts for numbers, too. What no row holds is an error.
#[allow(clippy::implicit_hasher, reason = "the SDK's rows have this one")]
pub fn row_as_json(item: &HashMap<String, AttributeValue>) -> io::Result<Json> {
    let fields = item.iter();
    let fields = fields.map(|(field, value)| Ok((field.clone(), value_as_json(value)?)));
    fields.collect::<io::Result<_>>().map(Json::Object)
}

fn value_as_json(value: &AttributeValue) -> io::Result<Json> {
    let text = value.as_s().or_else(|_| value.as_n());
    if let Ok(text) = text {
        Ok(text.as_str().into())
    } else if let Ok(list) = value.as_l() {
        list.iter().map(value_as_json).collect()
    } else if let Ok(fields) = value.as_m() {
        row_as_json(fields)
    } else if let Ok(flag) = value.as_bool() {
        Ok((*flag).into())
    } else if value.is_null() {
        Ok(Json::Null)
    } else {
        Err(io::Error::other(format!("no row holds {value:?}")))
    }
}
