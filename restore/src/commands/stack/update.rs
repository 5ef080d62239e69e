//! `ssmbak stack NAME update`.

use super::settings::{self, Bucket};
use super::{config, directory_of_executable, show_event, show_event_on_stderr, teller};
use crate::args::{CodeArgs, UpdateArgs};
use crate::commands::Context;
use crate::error::{CliError, Exit};
use crate::view::StackChangeView;
use ssmbak_infra::deploy::changes::ResourceChange;
use ssmbak_infra::deploy::{self, Code, Operation, Update, UpdateRequest};
use ssmbak_infra::event::StackEvent;
use ssmbak_infra::function_zip::FunctionZip;
use ssmbak_infra::stack_name::StackName;
use ssmbak_infra::template::ARCHITECTURE;

/// Shows what would change, and does it once somebody has agreed.
pub(super) async fn run(
    context: &Context,
    name: StackName,
    args: &UpdateArgs,
) -> Result<Exit, CliError> {
    let settings = args.settings.settings();
    settings::check(&settings, Bucket::Present)?;
    let code = code(&args.code)?;
    settings::warn_of_compliance(&settings);
    let config = config(context).await?;
    let request = UpdateRequest {
        settings,
        tags: settings::tags(&args.settings),
        ..UpdateRequest::new(name, code)
    };
    let update = deploy::update(&config, &request).await?;
    tell_code(context, &update);
    let rows: Vec<_> = update.changes().iter().map(row).collect();
    context.ui.show(&rows)?;
    if update.is_nothing() {
        context.ui.note("nothing to change");
        return Ok(Exit::Done);
    }
    if args.dry_run {
        update.discard(&config).await?;
        context.ui.note("nothing was changed: a dry run");
        return Ok(Exit::Done);
    }
    if let Err(error) = agree(context, &update, args.yes).await {
        update.discard(&config).await?;
        return Err(error);
    }
    // A program that reads the rows reads no events between them.
    let show: fn(&StackEvent) = if context.ui.shows_tables() {
        show_event
    } else {
        show_event_on_stderr
    };
    let mut on_step = teller(context, &request.stack, Operation::Update, show);
    let updated = update.apply(&config, &mut on_step).await?;
    context.ui.note(&format!("updated {}", updated.name));
    settings::tell_what_expires(&context.ui, &updated);
    Ok(Exit::Done)
}

/// A zip that is named is read before anything is asked of AWS; whether one beside the executable
/// is for the right processor, only the stack can tell.
fn code(args: &CodeArgs) -> Result<Code, CliError> {
    let architecture = args.arch.map(Into::into);
    Ok(match &args.function_zip {
        Some(path) => Code::Given(FunctionZip::read(path, architecture)?),
        None => Code::Beside {
            directory: directory_of_executable()?,
            architecture,
        },
    })
}

fn tell_code(context: &Context, update: &Update) {
    let Some(zip) = update.zip() else {
        let note = "no zip was given and none lies beside ssmbak: the function's code stays";
        return context.ui.note(note);
    };
    let (path, now) = (zip.path().display(), zip.architecture().as_str());
    context.ui.note(&format!("the function's code: {path}"));
    let before = update.before().parameters.get(ARCHITECTURE);
    if let Some(before) = before.filter(|before| *before != now) {
        let note = format!("the function's processor changes from {before} to {now}");
        context.ui.note(&note);
    }
}

async fn agree(context: &Context, update: &Update, yes: bool) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    if context.ui.can_ask() {
        return if context.ui.ask("Go on?").await? {
            Ok(())
        } else {
            Err(CliError::Declined)
        };
    }
    if !update.takes_away() {
        return Ok(());
    }
    let gone = update.changes().iter().filter(|c| c.takes_away());
    let gone: Vec<_> = gone.map(|change| change.logical_id.as_str()).collect();
    Err(CliError::Usage {
        message: format!(
            "this update would remove or replace {}, and there is no terminal to ask on",
            gone.join(", ")
        ),
        hint: "look at it with --dry-run, then pass --yes".into(),
    })
}

fn row(change: &ResourceChange) -> StackChangeView {
    StackChangeView {
        action: change.action.clone(),
        logical_id: change.logical_id.clone(),
        resource_type: change.resource_type.clone(),
        replacement: change.replacement.clone(),
        changes: change.properties.clone(),
        takes_away: change.takes_away(),
    }
}
