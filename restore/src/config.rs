//! What is set, and by whom: flags, then the environment, then a context of the configuration
//! file, then the AWS profile, then the defaults.

mod environment;
mod file;

use std::fmt;
use std::path::PathBuf;

pub(crate) use self::environment::Environment;
pub(crate) use self::file::{ConfigFile, Context, Place};

use clap::ValueEnum as _;

use crate::args::{Format, Global};
use crate::error::CliError;

/// The stack that is meant where none is named.
pub(crate) const DEFAULT_STACK: &str = "ssmbak";

/// Who set something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An option.
    Flag(&'static str),
    /// A variable of the environment.
    Variable(&'static str),
    /// A context of the configuration file.
    Context {
        /// Its name.
        name: String,
        /// The file.
        file: PathBuf,
    },
    /// The configuration file, outside of its contexts.
    File(PathBuf),
    /// A profile of the AWS configuration.
    Profile(String),
    /// What is looked up by the name of the stack.
    Lookup,
    /// Nobody.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::Context { name, file } => write!(f, "context {name} ({})", file.display()),
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Profile(name) => write!(f, "profile {name}"),
            Self::Lookup => f.write_str("looked up by stack"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Source {
    /// How far below the options it is.
    fn layer(&self) -> u8 {
        match self {
            Self::Flag(_) => 0,
            Self::Variable(_) => 1,
            Self::Context { .. } => 2,
            Self::File(_) | Self::Profile(_) | Self::Lookup | Self::Default => 3,
        }
    }
}

/// Something that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set<T> {
    /// To what.
    pub(crate) value: T,
    /// By whom.
    pub(crate) source: Source,
}

impl<T> Set<T> {
    /// Whether an option said so.
    pub(crate) fn is_flag(&self) -> bool {
        matches!(self.source, Source::Flag(_))
    }

    /// Whether the environment said so.
    pub(crate) fn is_variable(&self) -> bool {
        matches!(self.source, Source::Variable(_))
    }

    /// Whether a context said so.
    pub(crate) fn is_of_context(&self) -> bool {
        matches!(self.source, Source::Context { .. })
    }
}

/// A text that may be set.
pub(crate) type Text = Option<Set<String>>;

/// Everything that can be set, but for what the AWS profile adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The configuration file, whether it is there or not; none where there is no place for it.
    pub(crate) place: Option<Place>,
    /// The context.
    pub(crate) context: Text,
    /// The profile of the AWS configuration.
    pub(crate) profile: Text,
    /// The region.
    pub(crate) region: Text,
    /// An endpoint in place of AWS's own.
    pub(crate) endpoint_url: Text,
    /// The stack; the default one where none is named.
    pub(crate) stack: Text,
    /// The bucket.
    pub(crate) bucket: Text,
    /// The table.
    pub(crate) table: Text,
    /// The form of the output; a table where none is named.
    pub(crate) output: Option<Set<Format>>,
    /// Why nothing is coloured; none where a terminal gets colours.
    pub(crate) no_color: Option<Source>,
    /// The only account that may be called.
    pub(crate) account: Text,
    /// What is set and does not count, to be told.
    pub(crate) warnings: Vec<String>,
}

impl Settings {
    /// What the file at its place says, below flags and environment.
    ///
    /// # Errors
    /// The file cannot be read or understood, was asked for and is not there, or lacks the context.
    pub(crate) fn load(global: &Global, environment: &Environment) -> Result<Self, CliError> {
        let place = Place::of(environment);
        let file = place.as_ref().map(Place::read).transpose()?.flatten();
        let mut settings = Self::resolve(global, environment, place.as_ref(), file.as_ref())?;
        settings.place = place;
        Ok(settings)
    }

    /// What is set without any file: for commands that ask AWS nothing.
    pub(crate) fn without_file(global: &Global, environment: &Environment) -> Self {
        Self::layered(global, environment, None)
    }

    /// Puts the layers on each other. An empty option, variable or key counts as not given.
    fn resolve(
        global: &Global,
        environment: &Environment,
        place: Option<&Place>,
        file: Option<&ConfigFile>,
    ) -> Result<Self, CliError> {
        let asked = flag("--context", global.context.as_ref())
            .or_else(|| environment.set(&["SSMBAK_CONTEXT"]));
        let path = place.map(|place| place.path.clone()).unwrap_or_default();
        let chosen = asked.or_else(|| {
            let default = file?.default_context.clone();
            let source = Source::File(path.clone());
            filled(default).map(|value| Set { value, source })
        });
        let Some(chosen) = chosen else {
            return Ok(Self::layered(global, environment, None));
        };
        let found = file.and_then(|file| file.contexts.get(&chosen.value));
        let Some(context) = found else {
            return Err(file::unknown_context(&chosen, place, file));
        };
        let source = Source::Context {
            name: chosen.value.clone(),
            file: path,
        };
        let mut settings = Self::layered(global, environment, Some((context, &source)));
        settings.context = Some(chosen);
        Ok(settings)
    }

    fn layered(
        global: &Global,
        environment: &Environment,
        context: Option<(&Context, &Source)>,
    ) -> Self {
        let said = |key: fn(&Context) -> &Option<String>| -> Text {
            let (context, source) = context?;
            let source = source.clone();
            filled(key(context).clone()).map(|value| Set { value, source })
        };
        let layers = |option, given: &Option<String>, variables: &[&'static str], key| -> Text {
            flag(option, given.as_ref())
                .or_else(|| environment.set(variables))
                .or_else(|| said(key))
        };
        let stack = layers("--stack", &global.stack, &["SSMBAK_STACK"], |c| &c.stack);
        // Whoever names another stack does not mean the bucket and table that are set below.
        let lowest = stack.as_ref().map_or(u8::MAX, |set| set.source.layer());
        let mut overruled = Vec::new();
        let mut kept = |what: &str, set: Text| {
            let set = set?;
            if set.source.layer() <= lowest {
                return Some(set);
            }
            overruled.push(if set.is_variable() {
                set.source.to_string()
            } else {
                format!("{what} of {}", set.source)
            });
            None
        };
        let bucket = layers("--bucket", &global.bucket, &["SSMBAK_BUCKET"], |c| {
            &c.bucket
        });
        let table = layers("--table", &global.table, &["SSMBAK_TABLE"], |c| &c.table);
        let (bucket, table) = (kept("bucket", bucket), kept("table", table));
        let mut settings = Self {
            profile: layers("--profile", &global.profile, &["AWS_PROFILE"], |c| {
                &c.profile
            }),
            region: layers(
                "--region",
                &global.region,
                &["AWS_REGION", "AWS_DEFAULT_REGION"],
                |c| &c.region,
            ),
            endpoint_url: layers(
                "--endpoint-url",
                &global.endpoint_url,
                &["AWS_ENDPOINT_URL"],
                |c| &c.endpoint_url,
            ),
            bucket,
            table,
            stack,
            output: output(global, said(|c| &c.output)),
            no_color: no_color(global, environment),
            account: said(|c| &c.account),
            ..Self::default()
        };
        settings.warnings = environment_comes_first(&settings, environment)
            .into_iter()
            .chain(stack_comes_first(&settings, &overruled))
            .collect();
        settings
    }

    /// Refuses a bucket and a table that two layers name: they may be of two stacks.
    pub(crate) fn refuse_mixed(&self) -> Result<(), CliError> {
        let (Some(bucket), Some(table)) = (&self.bucket, &self.table) else {
            return Ok(());
        };
        if bucket.source.layer() == table.source.layer() {
            return Ok(());
        }
        Err(CliError::Usage {
            message: format!(
                "the bucket is set by {} and the table by {}: they may be of two stacks",
                bucket.source, table.source
            ),
            hint: "set both in one place, such as --bucket and --table; or give --stack, which \
                   finds them"
                .into(),
        })
    }

    /// The form of the output.
    pub(crate) fn format(&self) -> Format {
        self.output
            .as_ref()
            .map(|set| set.value)
            .unwrap_or_default()
    }

    /// The stack.
    pub(crate) fn stack_name(&self) -> &str {
        self.stack
            .as_ref()
            .map_or(DEFAULT_STACK, |set| set.value.as_str())
    }
}

fn output(global: &Global, of_context: Text) -> Option<Set<Format>> {
    let given = global.output.map(|value| Set {
        value,
        source: Source::Flag("--output"),
    });
    given.or_else(|| {
        // One that is none has been refused with its line.
        let Set { value, source } = of_context?;
        let value = Format::from_str(&value, false).ok()?;
        Some(Set { value, source })
    })
}

fn no_color(global: &Global, environment: &Environment) -> Option<Source> {
    let flag = global.no_color.then_some(Source::Flag("--no-color"));
    flag.or_else(|| environment.set(&["NO_COLOR"]).map(|set| set.source))
}

/// The profile of a context is below the environment, and so below the credentials in it.
fn environment_comes_first(settings: &Settings, environment: &Environment) -> Option<String> {
    let profile = settings
        .profile
        .as_ref()
        .filter(|set| set.is_of_context())?;
    environment.set(&["AWS_ACCESS_KEY_ID"])?;
    let (name, source) = (&profile.value, &profile.source);
    Some(format!(
        "the credentials are those of the environment (AWS_ACCESS_KEY_ID), not those of profile \
         {name} of {source}: unset AWS_ACCESS_KEY_ID, or give --profile {name}"
    ))
}

/// Bucket and table below the one who names the stack are of another one, perhaps.
fn stack_comes_first(settings: &Settings, overruled: &[String]) -> Option<String> {
    let stack = settings.stack.as_ref()?;
    let (first, more) = overruled.split_first()?;
    let them = more
        .iter()
        .fold(first.clone(), |all, one| format!("{all} and {one}"));
    Some(format!(
        "not used: {them}, since {} names the stack {}; --bucket and --table would count",
        stack.source, stack.value
    ))
}

fn flag(option: &'static str, given: Option<&String>) -> Text {
    filled(given.cloned()).map(|value| Set {
        value,
        source: Source::Flag(option),
    })
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "config_hostile_tests.rs"]
mod hostile_tests;
