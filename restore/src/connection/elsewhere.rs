//! From the options to another place.

use aws_config::SdkConfig;
use ssmbak_core::domain::elsewhere::Place;
use ssmbak_core::store::{
    Clock, ConnectOptions, Destination, Location, Parameters, ProfileSays, Profiles, Stores,
};
use ssmbak_infra::lookup::{self, LookupError};
use ssmbak_infra::stack_name::StackName;

use super::Connection;
use crate::args::ElsewhereArgs;
use crate::error::CliError;

/// Where parameters are read, and where they are written.
#[derive(Clone, Debug)]
pub(crate) struct Ends {
    from_config: SdkConfig,
    to_config: SdkConfig,
    /// Where they are read.
    pub(crate) from: Place,
    /// Where they are written.
    pub(crate) to: Place,
}

impl Ends {
    /// Whether both are one.
    pub(crate) fn are_one(&self) -> bool {
        self.from == self.to
    }

    /// Parameter Store, where they are read.
    pub(crate) fn parameters(&self, clock: Clock) -> Parameters {
        Destination::new(&self.from_config, None, clock).parameters
    }
}

impl Connection {
    /// Both ends. What is not said of the other is as here; with a profile of its
    /// own what that says comes first, whatever the environment says, and its
    /// credentials are the only ones.
    ///
    /// Two accounts may hide behind one region, so who is calling is asked at both
    /// ends where they may differ.
    pub(crate) async fn ends(&self, to: &ElsewhereArgs, clock: Clock) -> Result<Ends, CliError> {
        let given = |option: &Option<String>| option.clone().filter(|text| !text.is_empty());
        let from_config = self.config().await?;
        let mut from = place(&from_config);
        if !to.another_place() {
            return Ok(Ends {
                to_config: from_config.clone(),
                from_config,
                to: from.clone(),
                from,
            });
        }
        let profile = given(&to.to_profile);
        let said = match &profile {
            // One that is not there is told where it is asked for its credentials.
            Some(profile) => {
                let profiles = Profiles::read(Some(profile)).await.ok();
                profiles
                    .and_then(|all| all.get(profile))
                    .unwrap_or_default()
            }
            None => ProfileSays::default(),
        };
        let here = from.clone();
        let region = given(&to.to_region).or(said.region);
        let endpoint_url = given(&to.to_endpoint_url).or(said.endpoint_url);
        let own = self.options();
        let options = ConnectOptions {
            environment_first: profile.is_none() && own.environment_first,
            // Another account's would write there.
            profile_only: profile.is_some(),
            profile: profile.or(own.profile),
            region: region.or(Some(here.region)),
            endpoint_url: endpoint_url.or(here.endpoint_url),
        };
        let to_config = self.config_of(&options).await?;
        let mut to = place(&to_config);
        let account = async |config: &SdkConfig, profile: Option<&str>| {
            let caller = Destination::new(config, None, clock).identity;
            let account = caller.account().await.map(Some);
            account.map_err(|error| CliError::from(error).of_profile(profile))
        };
        let own = self.options().profile;
        (from.account, to.account) = tokio::try_join!(
            account(&from_config, own.as_deref()),
            account(&to_config, options.profile.as_deref())
        )?;
        Ok(Ends {
            from_config,
            to_config,
            from,
            to,
        })
    }

    /// Where they are written, with its records: those of `here` where that is
    /// the same place and no other stack is named. None are no error, unless a
    /// stack is named that is not there.
    pub(crate) async fn destination(
        &self,
        ends: &Ends,
        to: &ElsewhereArgs,
        here: Option<&Stores>,
        clock: Clock,
    ) -> Result<Destination, CliError> {
        let named = to.to_stack.as_ref().filter(|name| !name.is_empty());
        if let (true, None, Some(stores)) = (ends.are_one(), named, here) {
            // Who writes may be another than who reads.
            let location = Location {
                bucket: stores.bucket.name().to_owned(),
                table: stores.index.table().to_owned(),
            };
            return Ok(Destination::new(&ends.to_config, Some(location), clock));
        }
        let location = if ends.are_one() && named.is_none() {
            none_if_unknown(self.place(&ends.to_config).await)?
        } else {
            let stack: StackName = named
                .map_or(self.settings.stack_name(), String::as_str)
                .parse()?;
            let found = lookup::find(&ends.to_config, &stack).await;
            let found = found.map(|found| Location {
                bucket: found.bucket,
                table: found.table,
            });
            match named {
                Some(_) => Some(found?),
                None => none_if_unknown(found.map_err(CliError::from))?,
            }
        };
        let destination = Destination::new(&ends.to_config, location, clock);
        if let Some(record) = &destination.record {
            record.check_format().await?;
        }
        Ok(destination)
    }

    /// The name of the stack that records what is written there.
    pub(crate) fn stack_there<'a>(&'a self, to: &'a ElsewhereArgs) -> &'a str {
        let own = self.settings.stack_name();
        to.to_stack.as_deref().unwrap_or(own)
    }
}

/// That a stack may not be looked for does not mean that there is none.
fn none_if_unknown(found: Result<Location, CliError>) -> Result<Option<Location>, CliError> {
    match found {
        Ok(location) => Ok(Some(location)),
        Err(CliError::Lookup(error)) if matches!(*error, LookupError::UnknownStack { .. }) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn place(config: &SdkConfig) -> Place {
    Place {
        region: config.region().map_or(String::new(), ToString::to_string),
        account: None,
        endpoint_url: config.endpoint_url().map(str::to_owned),
    }
}
