//! Moto answers the three services whose adapters are checked against it.

use ssmbak_tests::emulator::{Moto, sdk_config};

use super::{code, put};

#[tokio::test]
async fn moto_answers_parameter_store_and_the_stores() {
    let moto = Moto::shared();
    let config = sdk_config(&moto.endpoint(), "test").await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    put(&ssm, "/moto", "1").send().await.unwrap();
    put(&ssm, "/moto", "2").send().await.unwrap();
    let history = ssm
        .get_parameter_history()
        .name("/moto")
        .send()
        .await
        .unwrap();
    assert_eq!(history.parameters().len(), 2);
    let s3 = aws_sdk_s3::Client::new(&config);
    s3.create_bucket().bucket("moto").send().await.unwrap();
    s3.head_bucket().bucket("moto").send().await.unwrap();
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    let missing = dynamodb.describe_table().table_name("moto").send().await;
    assert_eq!(code(missing), "ResourceNotFoundException");
}
