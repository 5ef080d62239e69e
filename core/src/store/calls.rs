//! Tells each call to AWS, for `--debug`: what was called, how long it took and how it ended. Never
//! what was sent or answered: neither is to be told.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_types::region::Region;
use tokio::time::Instant;

/// Headers that hold the id by which AWS finds a request again.
const REQUEST_IDS: [&str; 2] = ["x-amzn-requestid", "x-amz-request-id"];
/// No id is longer; it is of letters, digits and dashes.
const ID_MAX: usize = 80;

/// Tells each call of the client that it is given to, at level `trace`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calls;

/// When a call began.
#[derive(Clone, Copy, Debug)]
struct Began(Instant);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if tracing::enabled!(tracing::Level::TRACE) {
            config.interceptor_state().store_put(Began(Instant::now()));
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Began(began)) = config.load::<Began>() else {
            return Ok(());
        };
        let called = config.load::<Metadata>();
        let response = context.response();
        let id = response.and_then(|response| {
            let mut ids = REQUEST_IDS.iter();
            ids.find_map(|name| response.headers().get(*name))
        });
        tracing::trace!(
            service = called.map(Metadata::service),
            operation = called.map(Metadata::name),
            region = config.load::<Region>().map(Region::as_ref),
            ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            status = response.map(|response| response.status().as_u16()),
            attempts = config
                .load::<RequestAttempts>()
                .map(RequestAttempts::attempts),
            request_id = id.filter(|id| is_id(id)),
            "{}",
            if response.is_some() {
                "answered"
            } else {
                "no answer"
            },
        );
        Ok(())
    }
}

/// What else a header could hold is not told.
fn is_id(text: &str) -> bool {
    text.len() <= ID_MAX && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Makes a client of a service from the configuration that all services share; each of its calls
/// is told to who asks for that, and fails where its answer breaks off.
#[macro_export]
macro_rules! told_client {
    ($service:ident, $config:expr $(, $setting:ident($value:expr))*) => {
        $service::Client::from_conf(
            $service::config::Builder::from($config)
                .interceptor($crate::store::Calls)
                .interceptor($crate::store::WholeDocuments)
                $(.$setting($value))*
                .build(),
        )
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_is_told_as_one() {
        assert!(is_id("5b1f7a52-0d6c-4f0e-a2c5-3b1d2e4f5a6b"));
        assert!(!is_id("a secret value"));
        assert!(!is_id(&"a".repeat(81)));
    }
}
