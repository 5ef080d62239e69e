//! How the function reaches AWS: with what Lambda puts into its environment,
//! and nothing else.
//!
//! The chain that looks for profiles, roles and metadata services is left out:
//! none of them is there, and it is a tenth of the binary.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;

use super::connect::{http_client, retries, timeouts};

/// What the function's environment says of the way to AWS. Its credentials the
/// SDK reads itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionEnvironment {
    /// `AWS_REGION`.
    pub region: Option<String>,
    /// `AWS_ENDPOINT_URL`: an endpoint in place of AWS's own, for emulators.
    pub endpoint_url: Option<String>,
    /// `AWS_USE_FIPS_ENDPOINT`.
    pub fips: bool,
    /// `AWS_USE_DUALSTACK_ENDPOINT`.
    pub dual_stack: bool,
}

/// The configuration of the function. Sends nothing.
pub fn connect_function(environment: &FunctionEnvironment) -> SdkConfig {
    let credentials = EnvironmentVariableCredentialsProvider::new();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http_client())
        .retry_config(retries())
        .timeout_config(timeouts())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(environment.region.clone().map(Region::new));
    config.set_endpoint_url(environment.endpoint_url.clone());
    if environment.fips {
        config.set_use_fips(Some(true));
    }
    if environment.dual_stack {
        config.set_use_dual_stack(Some(true));
    }
    config.build()
}
