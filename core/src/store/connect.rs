//! How AWS is reached: one HTTP client, one TLS stack.

use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// What a person may say of the way to AWS. What is not said comes from the
/// environment, then from the profile, as everywhere in AWS's tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectOptions {
    /// A profile of the AWS configuration files.
    pub profile: Option<String>,
    /// Credentials of the environment come before those of the profile. Else
    /// a profile that is named comes first.
    pub environment_first: bool,
    /// The profile's credentials alone count: where it has none there are none. Not together with
    /// [`Self::environment_first`].
    pub profile_only: bool,
    /// A region, such as `eu-west-1`.
    pub region: Option<String>,
    /// An endpoint in place of AWS's own, for emulators.
    pub endpoint_url: Option<String>,
}

/// Loads the configuration. Sends nothing but what finding a region takes;
/// credentials are looked for on the first call. Those of a profile that is
/// named come before the environment's, or are the only ones, as the options say.
pub async fn connect(options: &ConnectOptions) -> SdkConfig {
    let http = http_client();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http.clone())
        .retry_config(retries())
        .timeout_config(timeouts());
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let config = loader.load().await;
    let named = options.profile.as_ref();
    let Some(profile) = named.filter(|_| !options.environment_first) else {
        return config;
    };
    let region = config.region().cloned();
    let credentials = credentials_of(profile, options.profile_only, region, http).await;
    let builder = config.into_builder();
    builder.credentials_provider(credentials).build()
}

/// Credentials of a profile; of the environment and the rest only where the
/// profile has none and they may count. Left to itself the SDK asks the
/// environment first.
async fn credentials_of(
    profile: &str,
    alone: bool,
    region: Option<Region>,
    http: SharedHttpClient,
) -> SharedCredentialsProvider {
    let config = ProviderConfig::default()
        .with_http_client(http)
        .with_region(region);
    let own = ProfileFileCredentialsProvider::builder().profile_name(profile);
    let own = own.configure(&config).build();
    if alone {
        return SharedCredentialsProvider::new(own);
    }
    let others = DefaultCredentialsChain::builder().profile_name(profile);
    let others = others.configure(config).build().await;
    let chain = CredentialsProviderChain::first_try("Profile", own).or_else("Default", others);
    SharedCredentialsProvider::new(chain)
}

/// One TLS stack for everything.
pub(super) fn http_client() -> SharedHttpClient {
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}

pub(super) fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(5)
}

pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(30))
        .build()
}
