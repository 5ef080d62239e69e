//! The function: captures what events of Parameter Store tell of.
//!
//! Input is an SQS batch of EventBridge events, answered with the messages
//! that must come again, or a task such as
//! `{"task":"reconcile","path":"/"}`.

mod batch;
mod handler;
mod logging;
mod metrics;
mod settings;

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use ssmbak_core::domain::Instant;
use ssmbak_core::store::{Stores, connect_function};

use crate::handler::Handler;
use crate::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::from_environment()?;
    logging::start(&settings.log_level);
    let config = connect_function(&settings.aws);
    let stores = Stores::new(&config, settings.location, now);
    let handler = Arc::new(Handler::new(stores, settings.stack));
    handler.warm_up().await;
    lambda_runtime::run(service_fn(|event: LambdaEvent<serde_json::Value>| {
        let handler = Arc::clone(&handler);
        let deadline =
            Instant::from_millis(i64::try_from(event.context.deadline).unwrap_or(i64::MAX));
        async move { handler.handle(event.payload, deadline).await }
    }))
    .await
}

fn now() -> Instant {
    chrono::Utc::now().into()
}
