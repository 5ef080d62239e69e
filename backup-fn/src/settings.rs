//! The function's environment.

use std::env;

use ssmbak_core::store::{FunctionEnvironment, Location};

/// What the stack tells the function.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `SSMBAK_BUCKET` and `SSMBAK_TABLE`.
    pub(crate) location: Location,
    /// `SSMBAK_STACK`: the dimension of the metrics. `ssmbak` by default.
    pub(crate) stack: String,
    /// `LOG_LEVEL`: `error`, `warn`, `info` (the default) or `debug`.
    pub(crate) log_level: String,
    /// What Lambda tells of the way to AWS.
    pub(crate) aws: FunctionEnvironment,
}

/// A variable that must be set.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is not set: the stack's template sets it")]
pub(crate) struct MissingVariable(&'static str);

impl Settings {
    pub(crate) fn from_environment() -> Result<Self, MissingVariable> {
        let variable = |name: &'static str| {
            let value = env::var(name).ok().filter(|v| !v.is_empty());
            value.ok_or(MissingVariable(name))
        };
        Ok(Self {
            location: Location {
                bucket: variable("SSMBAK_BUCKET")?,
                table: variable("SSMBAK_TABLE")?,
            },
            stack: variable("SSMBAK_STACK").unwrap_or_else(|_| "ssmbak".into()),
            log_level: variable("LOG_LEVEL").unwrap_or_else(|_| "info".into()),
            aws: FunctionEnvironment {
                region: variable("AWS_REGION").ok(),
                endpoint_url: variable("AWS_ENDPOINT_URL").ok(),
                fips: is_true("AWS_USE_FIPS_ENDPOINT"),
                dual_stack: is_true("AWS_USE_DUALSTACK_ENDPOINT"),
            },
        })
    }
}

fn is_true(name: &str) -> bool {
    env::var(name).is_ok_and(|value| value.eq_ignore_ascii_case("true"))
}
