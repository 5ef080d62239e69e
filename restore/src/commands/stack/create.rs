//! `ssmbak stack NAME create`.

use super::settings::{self, Bucket};
use super::{config, directory_of_executable, show_event, teller};
use crate::args::{CodeArgs, CreateArgs};
use crate::commands::Context;
use crate::connection::Told;
use crate::error::{CliError, Exit};
use crate::ui::warn;
use ssmbak_core::store::Location;
use ssmbak_infra::deploy::adopt::{self, Adopted};
use ssmbak_infra::deploy::settings::Settings;
use ssmbak_infra::deploy::{self, CreateRequest, Operation};
use ssmbak_infra::function_zip::FunctionZip;
use ssmbak_infra::stack::Stack;
use ssmbak_infra::stack_name::StackName;

/// What is wrong with the options or the zip is told before anything is asked of AWS.
pub(super) async fn run(
    context: &Context,
    name: StackName,
    args: &CreateArgs,
) -> Result<Exit, CliError> {
    let settings = Settings {
        encryption: args.encryption.clone(),
        ..args.settings.settings()
    };
    let to_adopt = to_adopt(context, &settings)?;
    if to_adopt.is_none() {
        settings::check(&settings, Bucket::New)?;
    }
    let zip = function_zip(&args.code)?;
    settings::warn_of_compliance(&settings);
    let config = config(context).await?;
    let adopted = match &to_adopt {
        Some(Location { bucket, table }) => {
            let adopted = adopt::inspect(&config, bucket, table).await;
            Some(adopted.map_err(deploy::DeployError::from)?)
        }
        None => None,
    };
    adopted
        .iter()
        .flat_map(|adopted| &adopted.warnings)
        .for_each(|warning| warn(warning));
    let request = CreateRequest {
        settings,
        adopted,
        tags: settings::tags(&args.settings),
        ..CreateRequest::new(name, zip)
    };
    let mut on_step = teller(context, &request.stack, Operation::Create, show_event);
    let created = deploy::create(&config, &request, &mut on_step).await?;
    close(context, &created, request.adopted.as_ref());
    settings::tell_what_expires(&context.ui, &created);
    Ok(Exit::Done)
}

/// Only options adopt: a variable that was set for other commands must not decide where the history
/// of a new stack goes.
fn to_adopt(context: &Context, settings: &Settings) -> Result<Option<Location>, CliError> {
    match context.connection.told() {
        Told::Nothing => Ok(None),
        Told::ByEnvironment => {
            context.ui.note(
                "SSMBAK_BUCKET and SSMBAK_TABLE are ignored, and what a context says: the stack makes a bucket and a table \
                 of its own. To go on with the history in them, give --bucket and --table",
            );
            Ok(None)
        }
        Told::Half(missing) => Err(CliError::Usage {
            message: format!("{missing} is missing: bucket and table are adopted together"),
            hint: "give both, or neither: the stack then makes its own".into(),
        }),
        Told::AsOptions(location) => {
            refuse_what_the_bucket_has(settings)?;
            Ok(Some(location))
        }
    }
}

fn refuse_what_the_bucket_has(settings: &Settings) -> Result<(), CliError> {
    let refused = [
        ("--encryption", settings.encryption.is_some()),
        ("--object-lock-days", settings.object_lock_days.is_some()),
        ("--object-lock-mode", settings.object_lock_mode.is_some()),
        (
            "--expire-superseded-days",
            settings.superseded_days.is_some(),
        ),
        ("--keep-superseded", settings.superseded_kept.is_some()),
    ];
    match refused.iter().find(|(_, is_set)| *is_set) {
        None => Ok(()),
        Some((option, _)) => Err(CliError::Usage {
            message: format!("{option} does not go with --bucket and --table"),
            hint: "an adopted bucket keeps its own encryption, lock and lifecycle".into(),
        }),
    }
}

fn function_zip(code: &CodeArgs) -> Result<FunctionZip, CliError> {
    let directory = directory_of_executable()?;
    let architecture = code.arch.map(Into::into);
    let zip = FunctionZip::locate(code.function_zip.as_deref(), &directory, architecture)?;
    Ok(zip)
}

fn close(context: &Context, created: &Stack, adopted: Option<&Adopted>) {
    let (name, region) = (&created.name, created.region());
    let next = match adopted {
        None => format!("`ssmbak seed --do-it --stack {name}` captures what lives already"),
        Some(adopted) => {
            let (bucket, table) = (&adopted.bucket, &adopted.table);
            context
                .ui
                .note(&format!("adopted: bucket {bucket}, table {table}"));
            format!("`ssmbak seed --do-it --stack {name}` finds what changed meanwhile")
        }
    };
    context
        .ui
        .note(&format!("created {name} in {region}; {next}"));
}
