//! What a world is made of.

use ssmbak_core::store::Location;
use ssmbak_tests::runtime_api::Function;
use ssmbak_tests::stores;

use super::{aws, bootstrap};

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

/// A versioned bucket.
pub(super) async fn bucket(s3: &aws_sdk_s3::Client, bucket: &str) {
    aws::refuse_foreign(bucket);
    stores::make_bucket(s3, bucket).await.unwrap();
}

/// An index's table, ready to be used.
pub(crate) async fn table(dynamodb: &aws_sdk_dynamodb::Client, table: &str) {
    aws::refuse_foreign(table);
    stores::make_table(dynamodb, table).await.unwrap();
}
