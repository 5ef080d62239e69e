//! How AWS is reached: one HTTP client, one TLS stack.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// What a person may say of the way to AWS. What is not said comes from the
/// environment, then from the profile, as everywhere in AWS's tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectOptions {
    /// A profile of the AWS configuration files.
    pub profile: Option<String>,
    /// A region, such as `eu-west-1`.
    pub region: Option<String>,
    /// An endpoint in place of AWS's own, for emulators.
    pub endpoint_url: Option<String>,
}

/// Loads the configuration. Sends nothing but what finding a region takes;
/// credentials are looked for on the first call.
pub async fn connect(options: &ConnectOptions) -> SdkConfig {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(30))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(5))
        .timeout_config(timeouts);
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}
