//! `ssmbak-stack NAME VERB`: `ssmbak stack` with the original's options and
//! closing lines.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use ssmbak_infra::stack::{self, Stack};
use ssmbak_infra::stack_name::StackName;

use crate::args::{Cli, Command};
use crate::commands::{self, Context};
use crate::error::{CliError, Exit};
use crate::output::printable;
use crate::ui::{tell, write_text};

/// What the program is called.
pub(super) const NAME: &str = "ssmbak-stack";

/// Does what the arguments ask for.
pub(super) fn run(arguments: Vec<OsString>) -> ExitCode {
    let asked = match parse(arguments) {
        Ok(asked) => asked,
        Err(error) if is_unknown_verb(&error) => return unknown_verb(),
        Err(error) => return crate::refused(&error),
    };
    crate::run_to_end(&asked.cli.global, true, async |context| {
        answer(context, &asked).await
    })
}

/// What was asked for, as `ssmbak stack` understands it.
struct Asked {
    cli: Cli,
    verb: String,
}

/// Reads the original's arguments as those of `ssmbak stack`.
fn parse(arguments: Vec<OsString>) -> Result<Asked, clap::Error> {
    let color = crate::color_choice(&arguments);
    let command = super::with_short_options(Cli::command())
        .color(color)
        .mut_subcommand("stack", |stack| {
            stack.override_usage("ssmbak-stack <NAME> <VERB> [-r <REGION>] [-v] [OPTIONS]")
        });
    let own = ["ssmbak", "stack"].map(OsString::from);
    let translated = own.into_iter().chain(arguments.into_iter().skip(1));
    let matches = command.try_get_matches_from(translated)?;
    Ok(Asked {
        verb: verb(&matches).unwrap_or_default(),
        cli: Cli::from_arg_matches(&matches)?,
    })
}

fn verb(matches: &ArgMatches) -> Option<String> {
    let stack = matches.subcommand_matches("stack")?;
    stack.subcommand_name().map(str::to_owned)
}

/// Whether it is the verb that is not understood, and not an option.
fn is_unknown_verb(error: &clap::Error) -> bool {
    let of_no_option = || {
        let argument = error.get(ContextKind::InvalidArg);
        argument.is_some_and(|argument| !argument.to_string().starts_with('-'))
    };
    error.kind() == ErrorKind::InvalidSubcommand
        || error.kind() == ErrorKind::UnknownArgument && of_no_option()
}

/// The original says so on its output, and ends as if all were well.
fn unknown_verb() -> ExitCode {
    // Where that cannot be written there is nobody to tell.
    let _ = write_text("Not a command.\n");
    tell(&format!(
        "\nhint: the commands of the original are create, update, bucketname, lambdaname, region and \
         status; `{NAME} --help` has them all"
    ));
    Exit::Usage.into()
}

async fn answer(context: &Context, asked: &Asked) -> Result<Exit, CliError> {
    // The original's status is one word, whatever ours has to tell.
    if asked.verb == "status" {
        let status = describe(context, &asked.cli).await?.status;
        return write_text(format!("{}\n", printable(&status)));
    }
    let exit = commands::run(context, &asked.cli.command).await?;
    if asked.verb == "create" && exit == Exit::Done {
        let created = describe(context, &asked.cli).await?;
        return write_text(closing(created.function()?, created.bucket()?));
    }
    Ok(exit)
}

async fn describe(context: &Context, cli: &Cli) -> Result<Stack, CliError> {
    let Command::Stack(args) = &cli.command else {
        return Err(CliError::Failed {
            message: format!("`{NAME}` was read as another command"),
            hint: None,
        });
    };
    let name: StackName = args.name.parse()?;
    let config = context.connection.config().await?;
    Ok(stack::describe(&config, &name).await?)
}

/// What the original says of a stack that it has created.
fn closing(function: &str, bucket: &str) -> String {
    format!(
        "\nLambda: {function}\nBucket: {bucket}\nCloudwatch log group: /aws/lambda/{function}\n\n\
         ssmbak-all will back up all ssm params if provided --do-it, list if not\n\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Asked, clap::Error> {
        let words = line.split_whitespace().map(OsString::from);
        parse(std::iter::once(NAME.into()).chain(words).collect())
    }

    #[test]
    fn name_verb_region_and_verbosity_may_stand_in_any_order() {
        for line in [
            "prod bucketname -r eu-west-1 -v",
            "-r eu-west-1 -v prod bucketname",
            "prod --region eu-west-1 bucketname --verbose",
            "prod -reu-west-1 -v bucketname",
        ] {
            let asked = read(line).unwrap();
            assert_eq!(asked.verb, "bucketname", "{line}");
            assert_eq!(asked.cli.global.region.as_deref(), Some("eu-west-1"));
            assert_eq!(asked.cli.global.verbose, 1, "{line}");
            assert!(matches!(asked.cli.command, Command::Stack(args) if args.name == "prod"));
        }
    }

    #[test]
    fn the_verbs_and_options_of_ours_are_passed_on() {
        for verb in ["create", "delete", "status", "resources", "template"] {
            assert_eq!(read(&format!("prod {verb}")).unwrap().verb, verb);
        }
        let asked = read("prod create --function-zip f.zip --endpoint-url http://a");
        let asked = asked.unwrap();
        assert_eq!(asked.verb, "create");
        assert_eq!(asked.cli.global.endpoint_url.as_deref(), Some("http://a"));
    }

    #[test]
    fn only_an_unknown_verb_is_not_a_command() {
        let unknown = |line: &str| is_unknown_verb(&read(line).err().unwrap());
        assert!(unknown("prod explode"));
        assert!(unknown("prod explode -r eu-west-1"));
        for line in [
            "",
            "prod",
            "--help",
            "prod create --arch sparc",
            "prod create --nonsense",
            "prod status --output xml",
        ] {
            assert!(!unknown(line), "{line}");
        }
    }

    #[test]
    fn the_closing_lines_are_those_of_the_original() {
        assert_eq!(
            closing("fn-1", "bucket-1"),
            "\nLambda: fn-1\nBucket: bucket-1\nCloudwatch log group: /aws/lambda/fn-1\n\n\
             ssmbak-all will back up all ssm params if provided --do-it, list if not\n\n"
        );
    }
}
