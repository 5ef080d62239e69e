//! From the options to the stores.

use aws_config::SdkConfig;

use crate::args::{Flags, Global};
use crate::error::CliError;
use ssmbak_core::store::{
    Clock, ConnectOptions, ErrorKind, Location, SourceBucket, Stores, connect,
};
use ssmbak_infra::{lookup, stack_name::StackName};

/// The stack that is meant where none is named.
pub(crate) const DEFAULT_STACK: &str = "ssmbak";

/// What is known of the way to AWS, and of where the records are.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    connect: ConnectOptions,
    stack: String,
    bucket: Option<String>,
    table: Option<String>,
    flags: Flags,
}

/// What was said of bucket and table, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing.
    Nothing,
    /// Something, by the environment alone.
    ByEnvironment,
    /// One of them as an option: the one that is missing.
    Half(&'static str),
    /// Both as options.
    AsOptions(Location),
}

impl Connection {
    /// The connection that the options describe. An empty option or variable
    /// counts as none.
    pub(crate) fn new(global: &Global) -> Self {
        let given = |option: &Option<String>| option.clone().filter(|text| !text.is_empty());
        Self {
            connect: ConnectOptions {
                profile: given(&global.profile),
                region: given(&global.region),
                endpoint_url: given(&global.endpoint_url),
            },
            stack: given(&global.stack).unwrap_or_else(|| DEFAULT_STACK.into()),
            bucket: given(&global.bucket),
            table: given(&global.table),
            flags: global.flags,
        }
    }

    /// What was said of bucket and table. An option that is empty counts as not given.
    pub(crate) fn told(&self) -> Told {
        let flag = |is_flag: bool, value: &Option<String>| value.clone().filter(|_| is_flag);
        let bucket = flag(self.flags.bucket, &self.bucket);
        let table = flag(self.flags.table, &self.table);
        match (bucket, table) {
            (Some(bucket), Some(table)) => Told::AsOptions(Location { bucket, table }),
            (Some(_), None) => Told::Half("--table"),
            (None, Some(_)) => Told::Half("--bucket"),
            (None, None) if self.bucket.is_some() || self.table.is_some() => Told::ByEnvironment,
            (None, None) => Told::Nothing,
        }
    }

    /// Loads the configuration. Without a region nothing can be reached, and
    /// the SDK would only say so call by call.
    pub(crate) async fn config(&self) -> Result<SdkConfig, CliError> {
        self.config_of(&self.connect).await
    }

    async fn config_of(&self, options: &ConnectOptions) -> Result<SdkConfig, CliError> {
        let config = connect(options).await;
        if config.region().is_none() {
            return Err(CliError::Failed {
                message: "no AWS region is set".into(),
                hint: Some("set one with --region, AWS_REGION or in the profile".into()),
            });
        }
        Ok(config)
    }

    /// The stores: bucket and table as given, else those of the stack. Refuses
    /// an index of another format.
    pub(crate) async fn stores(&self, clock: Clock) -> Result<Stores, CliError> {
        let config = self.config().await?;
        let location = self.location(&config).await?;
        let stores = Stores::new(&config, location, clock);
        // A stack's own bucket is there; one that a person names may not be. Who may not list it
        // may still read the index, or the bucket: the call that is refused for it says so.
        let bucket = async {
            match &self.bucket {
                Some(_) => stores.bucket.check().await.or_else(|error| {
                    if error.kind() == ErrorKind::AccessDenied {
                        Ok(())
                    } else {
                        Err(error)
                    }
                }),
                None => Ok(()),
            }
        };
        tokio::try_join!(stores.check_format(), bucket)?;
        Ok(stores)
    }

    /// The bucket `name`, reached with another profile or region where they are
    /// given, else as everything else.
    pub(crate) async fn source_bucket(
        &self,
        name: &str,
        profile: Option<&str>,
        region: Option<&str>,
    ) -> Result<SourceBucket, CliError> {
        let given = |option: Option<&str>| option.filter(|t| !t.is_empty()).map(str::to_owned);
        let options = ConnectOptions {
            profile: given(profile).or_else(|| self.connect.profile.clone()),
            region: given(region).or_else(|| self.connect.region.clone()),
            ..self.connect.clone()
        };
        let config = self.config_of(&options).await?;
        Ok(SourceBucket::new(&config, name.to_owned()))
    }

    /// The stores with another table, or one that may not exist yet: whatever
    /// it holds.
    pub(crate) async fn stores_to_rebuild(
        &self,
        clock: Clock,
        table: Option<&str>,
    ) -> Result<Stores, CliError> {
        let config = self.config().await?;
        let known = Self {
            table: table.map(str::to_owned).or_else(|| self.table.clone()),
            ..self.clone()
        };
        let location = known.location(&config).await?;
        let stores = Stores::new(&config, location, clock);
        stores.bucket.check().await?;
        Ok(stores)
    }

    async fn location(&self, config: &SdkConfig) -> Result<Location, CliError> {
        if let (Some(bucket), Some(table)) = (&self.bucket, &self.table) {
            return Ok(Location {
                bucket: bucket.clone(),
                table: table.clone(),
            });
        }
        let stack: StackName = self.stack.parse()?;
        let found = lookup::find(config, &stack).await?;
        Ok(Location {
            bucket: self.bucket.clone().unwrap_or(found.bucket),
            table: self.table.clone().unwrap_or(found.table),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;

    fn told(line: &[&str]) -> Told {
        let words = std::iter::once("ssmbak").chain(line.iter().copied());
        let matches = Cli::command().try_get_matches_from(words).unwrap();
        Connection::new(&Cli::from_matches(&matches).unwrap().global).told()
    }

    #[test]
    fn bucket_and_table_are_told_as_options_wherever_those_stand() {
        let create = ["stack", "prod", "create"];
        let both = ["--bucket", "b", "--table", "t"];
        let location = Told::AsOptions(Location {
            bucket: "b".into(),
            table: "t".into(),
        });
        assert_eq!(told(&[&create[..], &both].concat()), location);
        assert_eq!(told(&[&both[..], &create].concat()), location);
        let half = |option, missing| {
            let line = [&create[..], &[option, "x"]].concat();
            assert_eq!(told(&line), Told::Half(missing));
        };
        half("--bucket", "--table");
        half("--table", "--bucket");
        assert_eq!(told(&create), Told::Nothing);
    }

    #[test]
    fn what_only_the_environment_tells_is_known_as_that() {
        let connection = Connection::new(&Global {
            bucket: Some("b".into()),
            table: Some("t".into()),
            ..Global::default()
        });
        assert_eq!(connection.told(), Told::ByEnvironment);
    }

    #[test]
    fn an_empty_option_counts_as_none() {
        let connection = Connection::new(&Global {
            stack: Some(String::new()),
            bucket: Some(String::new()),
            table: Some("t".into()),
            ..Global::default()
        });
        assert_eq!(connection.stack, "ssmbak");
        assert_eq!(
            (connection.bucket, connection.table),
            (None, Some("t".into()))
        );
    }
}
