//! From the options to the stores.

mod elsewhere;

pub(crate) use self::elsewhere::Ends;

use aws_config::SdkConfig;

use crate::config::{Environment, Settings, Text};
use crate::error::CliError;
use ssmbak_core::store::{
    Clock, ConnectOptions, ErrorKind, Identity, Location, Profiles, SourceBucket, StoreError,
    Stores, connect,
};
use ssmbak_infra::{lookup, stack_name::StackName};

/// What is known of the way to AWS, and of where the records are.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    settings: Settings,
    /// Whether the environment has credentials.
    has_credentials: bool,
}

/// What was said of bucket and table, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing.
    Nothing,
    /// Something, by the environment or a context alone.
    ByEnvironment,
    /// One of them as an option: the one that is missing.
    Half(&'static str),
    /// Both as options.
    AsOptions(Location),
}

impl Connection {
    /// The connection that the settings describe.
    pub(crate) fn new(settings: Settings, environment: &Environment) -> Self {
        Self {
            settings,
            has_credentials: environment.has_credentials(),
        }
    }

    /// What is set.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether the environment has credentials.
    pub(crate) fn has_credentials(&self) -> bool {
        self.has_credentials
    }

    /// The same with another stack, as if it had been named.
    pub(crate) fn with_stack(&self, stack: &str) -> Self {
        let mut other = self.clone();
        other.settings.stack = Some(crate::config::Set {
            value: stack.to_owned(),
            source: crate::config::Source::Default,
        });
        other
    }

    /// What was said of bucket and table. An option that is empty counts as not given.
    pub(crate) fn told(&self) -> Told {
        let flag = |set: &Text| {
            let set = set.as_ref().filter(|set| set.is_flag());
            set.map(|set| set.value.clone())
        };
        let Settings { bucket, table, .. } = &self.settings;
        match (flag(bucket), flag(table)) {
            (Some(bucket), Some(table)) => Told::AsOptions(Location { bucket, table }),
            (Some(_), None) => Told::Half("--table"),
            (None, Some(_)) => Told::Half("--bucket"),
            (None, None) if bucket.is_some() || table.is_some() => Told::ByEnvironment,
            (None, None) => Told::Nothing,
        }
    }

    fn options(&self) -> ConnectOptions {
        let value = |set: &Text| set.as_ref().map(|set| set.value.clone());
        let Settings {
            profile,
            region,
            endpoint_url,
            ..
        } = &self.settings;
        let is_flag = profile.as_ref().is_some_and(crate::config::Set::is_flag);
        ConnectOptions {
            profile: value(profile),
            environment_first: !is_flag,
            profile_only: false,
            region: value(region),
            // The SDK reads it too, and those for one service alone, which come first.
            endpoint_url: value(&endpoint_url.clone().filter(|set| !set.is_variable())),
        }
    }

    /// Loads the configuration. Without a region nothing can be reached, and
    /// the SDK would only say so call by call. Where the context names an
    /// account, the caller has to be of it: nothing else is asked before.
    pub(crate) async fn config(&self) -> Result<SdkConfig, CliError> {
        let config = self.config_of(&self.options()).await?;
        if let Some(expected) = &self.settings.account {
            let caller = Identity::new(&config).caller().await;
            let own = value(&self.settings.profile);
            let caller = caller.map_err(|error| CliError::from(error).of_profile(own))?;
            if caller.account != expected.value {
                return Err(CliError::Failed {
                    message: format!(
                        "the caller is of account {}, and {} is for account {}: nothing was done",
                        caller.account, expected.source, expected.value
                    ),
                    hint: Some(format!(
                        "the caller is {}: choose other credentials, or another --context",
                        caller.arn
                    )),
                });
            }
        }
        Ok(config)
    }

    async fn config_of(&self, options: &ConnectOptions) -> Result<SdkConfig, CliError> {
        self.check_profile(options).await?;
        let config = connect(options).await;
        if config.region().is_none() {
            return Err(CliError::Failed {
                message: "no AWS region is set".into(),
                hint: Some("set one with --region, AWS_REGION or in the profile".into()),
            });
        }
        Ok(config)
    }

    /// A profile that is named has to be there: credentials from elsewhere in
    /// its place could be of another account.
    async fn check_profile(&self, options: &ConnectOptions) -> Result<(), CliError> {
        let Some(name) = &options.profile else {
            return Ok(());
        };
        let by_variable = self
            .settings
            .profile
            .as_ref()
            .is_some_and(|set| set.value == *name && !set.is_flag() && !set.is_of_context());
        if options.environment_first && by_variable && self.has_credentials {
            // Its credentials do not count. It is not looked at, here as in AWS's own tools.
            return Ok(());
        }
        let profiles = Profiles::read(Some(name)).await;
        let profiles = profiles.map_err(|told| CliError::Failed {
            message: format!("the AWS configuration cannot be read: {told}"),
            hint: Some("mend ~/.aws/config and ~/.aws/credentials (or AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE)".into()),
        })?;
        if let Some(says) = profiles.get(name) {
            if options.profile_only && says.credentials.is_none() {
                return Err(CliError::Failed {
                    message: format!("profile {name} has no credentials in {}", aws_files()),
                    hint: Some(format!(
                        "give it some (aws configure sso --profile {name}), or name another \
                         profile: those of the environment could be of another account"
                    )),
                });
            }
            if says.second_factor {
                crate::ui::warn(&format!(
                    "profile {name} has mfa_serial, and nobody is asked for the code here: where the \
                     role needs it, get a session first with the AWS command line: \
                     eval \"$(aws configure export-credentials --profile {name} --format env)\""
                ));
            }
            return Ok(());
        }
        let known = profiles.names().join(", ");
        Err(CliError::Failed {
            message: format!("there is no profile {name} in {}", aws_files()),
            hint: Some(if known.is_empty() {
                format!("make it: aws configure sso --profile {name}")
            } else {
                format!("the profiles there are: {known}")
            }),
        })
    }

    /// The stores: bucket and table as given, else those of the stack. Refuses
    /// an index of another format.
    pub(crate) async fn stores(&self, clock: Clock) -> Result<Stores, CliError> {
        let stores = self.unchecked(clock).await?;
        tokio::try_join!(stores.check_format(), self.check_bucket(&stores))?;
        Ok(stores)
    }

    /// As [`Self::stores`], for a survey, which makes sure of the index itself. The bucket
    /// is called only where `needs_bucket`.
    pub(crate) async fn stores_to_survey(
        &self,
        clock: Clock,
        needs_bucket: bool,
    ) -> Result<Stores, CliError> {
        let stores = self.unchecked(clock).await?;
        if needs_bucket {
            self.check_bucket(&stores).await?;
        }
        Ok(stores)
    }

    /// Makes sure that a bucket which a person names is there.
    async fn check_bucket(&self, stores: &Stores) -> Result<(), StoreError> {
        // A stack's own bucket is there; one that a person names may not be. Who may not list it
        // may still read the index, or the bucket: the call that is refused for it says so.
        match &self.settings.bucket {
            Some(_) => stores.bucket.check().await.or_else(|error| {
                if error.kind() == ErrorKind::AccessDenied {
                    Ok(())
                } else {
                    Err(error)
                }
            }),
            None => Ok(()),
        }
    }

    /// As [`Self::stores`], for what only asks the index: the bucket is not
    /// called.
    pub(crate) async fn index_alone(&self, clock: Clock) -> Result<Stores, CliError> {
        let stores = self.unchecked(clock).await?;
        stores.check_format().await?;
        Ok(stores)
    }

    async fn unchecked(&self, clock: Clock) -> Result<Stores, CliError> {
        self.settings.refuse_mixed()?;
        let config = self.config().await?;
        let location = self.place(&config).await?;
        Ok(Stores::new(&config, location, clock))
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
        let own = self.options();
        // With a profile of its own it may be of another account than the context's.
        let config = if given(profile).is_some() {
            let options = ConnectOptions {
                profile: given(profile),
                environment_first: false,
                profile_only: true,
                region: given(region).or(own.region),
                endpoint_url: own.endpoint_url,
            };
            self.config_of(&options).await?
        } else {
            let config = self.config().await?;
            match given(region) {
                Some(region) => {
                    let region = Some(region);
                    self.config_of(&ConnectOptions { region, ..own }).await?
                }
                None => config,
            }
        };
        Ok(SourceBucket::new(&config, name.to_owned()))
    }

    /// The stores with another table, or one that may not exist yet: whatever
    /// it holds.
    pub(crate) async fn stores_to_rebuild(
        &self,
        clock: Clock,
        table: Option<&str>,
    ) -> Result<Stores, CliError> {
        if table.is_none() {
            self.settings.refuse_mixed()?;
        }
        let config = self.config().await?;
        let own = value(&self.settings.table);
        let location = self
            .location(&config, table.or(own).map(str::to_owned))
            .await?;
        let stores = Stores::new(&config, location, clock);
        stores.bucket.check().await?;
        Ok(stores)
    }

    /// Where the records are, and how that was found.
    async fn location(
        &self,
        config: &SdkConfig,
        table: Option<String>,
    ) -> Result<Location, CliError> {
        let bucket = value(&self.settings.bucket).map(str::to_owned);
        if let (Some(bucket), Some(table)) = (&bucket, &table) {
            return Ok(Location {
                bucket: bucket.clone(),
                table: table.clone(),
            });
        }
        let stack: StackName = self.settings.stack_name().parse()?;
        let found = lookup::find(config, &stack).await?;
        Ok(Location {
            bucket: bucket.unwrap_or(found.bucket),
            table: table.unwrap_or(found.table),
        })
    }

    /// Bucket and table as they are set, else those of the stack.
    pub(crate) async fn place(&self, config: &SdkConfig) -> Result<Location, CliError> {
        self.settings.refuse_mixed()?;
        let table = value(&self.settings.table).map(str::to_owned);
        self.location(config, table).await
    }
}

fn value(set: &Text) -> Option<&str> {
    set.as_ref().map(|set| set.value.as_str())
}

/// The AWS configuration files, as they are named.
fn aws_files() -> String {
    let file = |variable, usual: &str| {
        let named = std::env::var(variable).ok().filter(|path| !path.is_empty());
        named.unwrap_or_else(|| usual.to_owned())
    };
    let config = file("AWS_CONFIG_FILE", "~/.aws/config");
    let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
    format!("{config} or {credentials}")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Cli;

    fn connection(line: &[&str], environment: &[(&str, &str)]) -> Connection {
        let words = std::iter::once("ssmbak").chain(line.iter().copied());
        let global = Cli::try_parse_from(words).unwrap().global;
        let environment = Environment::from(|name| {
            let found = environment.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let settings = Settings::without_file(&global, &environment);
        Connection::new(settings, &environment)
    }

    fn told(line: &[&str]) -> Told {
        connection(line, &[]).told()
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
        let environment = [("SSMBAK_BUCKET", "b"), ("SSMBAK_TABLE", "t")];
        let told = |line| connection(line, &environment).told();
        assert_eq!(told(&["man"]), Told::ByEnvironment);
        let half = ["man", "--bucket", "x"];
        assert_eq!(told(&half), Told::Half("--table"));
    }

    #[test]
    fn only_a_profile_given_as_an_option_comes_before_the_environments_credentials() {
        let of = |line: &[&str], environment: &[(&str, &str)]| {
            let options = connection(line, environment).options();
            (options.profile, options.environment_first)
        };
        let prod = Some("prod".to_owned());
        assert_eq!(
            of(&["man", "--profile", "prod"], &[]),
            (prod.clone(), false)
        );
        assert_eq!(of(&["man"], &[("AWS_PROFILE", "prod")]), (prod, true));
        assert_eq!(of(&["man"], &[]), (None, true));
    }
}
