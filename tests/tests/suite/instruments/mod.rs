//! The instruments themselves: what everything else is judged through must be right first.

mod binaries;
mod canned;
mod delivery;
mod faults;
mod moto;
mod parameters;
mod pipeline;
mod proxy;
mod reads;
pub(crate) mod rights;
mod runtime;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssm::operation::put_parameter::builders::PutParameterFluentBuilder;
use aws_sdk_ssm::types::ParameterType;
use ssmbak_tests::emulator::{Ministack, sdk_config};

/// A client of the shared emulator whose parameters no other test sees: `account` has twelve digits.
async fn shared_ssm(account: &str) -> aws_sdk_ssm::Client {
    ssm(Ministack::shared(), account).await
}

async fn ssm(ministack: &Ministack, access_key: &str) -> aws_sdk_ssm::Client {
    aws_sdk_ssm::Client::new(&sdk_config(&ministack.endpoint(), access_key).await)
}

/// A put of a String, overwriting.
fn put(client: &aws_sdk_ssm::Client, name: &str, value: &str) -> PutParameterFluentBuilder {
    let put = client.put_parameter().name(name).value(value);
    put.r#type(ParameterType::String).overwrite(true)
}

/// The code of the error that AWS answered.
fn code<T, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> String {
    let Err(error) = result else {
        return "no error".to_owned();
    };
    error.code().unwrap_or("no code").to_owned()
}
