//! The commands, one file each: parse to a request, load through the stores,
//! plan in the domain, render or apply.

mod completions;
mod config;
mod copy;
mod diff;
mod elsewhere;
mod export;
mod history;
mod import;
mod man;
mod preview;
mod rebuild;
mod restore;
mod runs;
pub(crate) mod seed;
mod show;
mod stack;
mod undo;
mod verify;

use ssmbak_core::domain::{Instant, KeyMap, Path, Plan, Target};

use crate::args::{Command, HowArgs};
use crate::connection::Connection;
use crate::error::{CliError, Exit};
use crate::interrupt::Interrupt;
use crate::time::{self, Moment};
use crate::ui::{Ui, warn};
use ssmbak_core::history::{History, Span};
use ssmbak_core::store::{Clock, Stores};
use ssmbak_core::survey::{SurveyOptions, survey_selected};

/// What a survey is to find out for a restore that is asked for like this.
fn survey_options(how: &HowArgs, values_of_unchanged: bool) -> Result<SurveyOptions, CliError> {
    Ok(SurveyOptions {
        values_of_unchanged,
        labels: how.labels,
        recreate: how.recreate,
        keys: key_map(&how.key_id)?,
        ..SurveyOptions::default()
    })
}

/// PATH and TIME, where nothing takes their place.
fn path_and_time<'a>(
    path: Option<&'a str>,
    time: Option<&'a str>,
) -> Result<(&'a str, &'a str), CliError> {
    // The arguments say so too; here no other case is left.
    path.zip(time).ok_or_else(|| CliError::Usage {
        message: "PATH or TIME is missing".into(),
        hint: "write a PATH and a TIME, like /app/ \"2h ago\"".into(),
    })
}

/// The keys that `--key-id` names.
fn key_map(texts: &[String]) -> Result<KeyMap, CliError> {
    KeyMap::parse(texts).map_err(|error| CliError::Usage {
        message: format!("--key-id: {error}"),
        hint: "write --key-id alias/new for all, or --key-id alias/old=alias/new".into(),
    })
}

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    /// The person.
    pub(crate) ui: Ui,
    /// The way to AWS.
    pub(crate) connection: Connection,
    /// The present.
    pub(crate) clock: Clock,
    /// Ctrl-C.
    pub(crate) interrupt: Interrupt,
}

/// Runs a command.
pub(crate) async fn run(context: &Context, command: &Command) -> Result<Exit, CliError> {
    match command {
        Command::Preview(args) => preview::run(context, args).await,
        Command::Restore(args) => restore::run(context, args).await,
        Command::Undo(args) => undo::run(context, args).await,
        Command::Runs(args) => runs::run(context, args).await,
        Command::Copy(args) => copy::run(context, args).await,
        Command::History(args) => history::run(context, args).await,
        Command::Show(args) => show::run(context, args).await,
        Command::Diff(args) => diff::run(context, args).await,
        Command::Export(args) => export::run(context, args).await,
        Command::Seed(args) => seed::run(context, args).await,
        Command::Import(args) => import::run(context, args).await,
        Command::Rebuild(args) => rebuild::run(context, args).await,
        Command::Verify(args) => verify::run(context, args).await,
        Command::Stack(args) => stack::run(context, args).await,
        Command::Config(args) => config::run(context, args).await,
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}

impl Context {
    /// Reads a TIME and tells which instant it is.
    fn instant(&self, text: &str) -> Result<Instant, CliError> {
        let at = self.moment(text)?.last;
        self.ui.note(&format!("at {at}"));
        Ok(at)
    }

    /// Reads a TIME.
    fn moment(&self, text: &str) -> Result<Moment, CliError> {
        Ok(time::parse(text, (self.clock)())?)
    }

    async fn stores(&self) -> Result<Stores, CliError> {
        let _waiting = self.ui.waiting("asking AWS");
        self.connection.stores(self.clock).await
    }

    /// The stores for a survey, which makes sure of the index itself; of the bucket only
    /// where `needs_bucket`.
    async fn stores_to_survey(&self, needs_bucket: bool) -> Result<Stores, CliError> {
        let _waiting = self.ui.waiting("asking AWS");
        self.connection
            .stores_to_survey(self.clock, needs_bucket)
            .await
    }

    /// The stores for what only asks the index: the bucket is not called.
    async fn index_alone(&self) -> Result<Stores, CliError> {
        self.connection.index_alone(self.clock).await
    }

    /// What differs between `at` and now.
    async fn plan(
        &self,
        stores: &Stores,
        target: &Target,
        at: Instant,
        options: &SurveyOptions,
    ) -> Result<Plan, CliError> {
        let waiting = self
            .ui
            .waiting("comparing what lives with what is on record");
        let surveyed = survey_selected(stores, target, at, options).await?;
        drop(waiting);
        self.tell_left_out(surveyed.left_out, surveyed.plan.steps.is_empty());
        Ok(surveyed.plan)
    }

    /// Tells how many parameters a selection left out, if any. One that leaves out
    /// `all` is most likely mistyped.
    fn tell_left_out(&self, left_out: usize, all: bool) {
        match (left_out, all) {
            (0, _) => {}
            (left_out, false) => self.ui.note(&format!("{left_out} left out: not selected")),
            (left_out, true) => warn(&format!("nothing is selected: {left_out} left out")),
        }
    }

    /// Says so where `-R` was given with a name whose path has records: it
    /// changes nothing, and that may not be what was meant. Costs one call.
    async fn hint_at_path(&self, stores: &Stores, target: &Target, recursive: bool) {
        let Target::Name(name) = target else { return };
        let Ok(path) = Path::parse(&format!("{name}/")) else {
            return;
        };
        if !recursive {
            return;
        }
        let below = Target::Path {
            path: path.clone(),
            recursive,
        };
        let one = Span {
            wanted: Some(1),
            ..Span::default()
        };
        // It is only a hint: where it cannot be had, nothing is lost.
        let first = History::new(stores, &below, &one).next().await;
        if matches!(first, Ok(Some(_))) {
            self.ui.note_lines(&format!(
                "\nhint: {name} is one parameter and -R changes nothing; for what lies under it \
                 write {path}"
            ));
        }
    }
}
