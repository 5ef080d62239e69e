//! Restoring and copying somewhere else: another path, region or account.

use ssmbak_core::domain::elsewhere::{Mapping, MappingError, Refused, Sourced, Terms, is_conflict};
use ssmbak_core::domain::run::Origin;
use ssmbak_core::domain::{Instant, KeyMap, Plan, Selection, Target};
use ssmbak_core::elsewhere::{PlanError, living, plan_there};
use ssmbak_core::store::{Destination, Stores};
use ssmbak_core::survey::{SurveyOptions, survey_selected};

use super::{Context, key_map};
use crate::args::{ElsewhereArgs, HowArgs};
use crate::carry_out::{Consent, Notes, carry_out_at};
use crate::connection::Ends;
use crate::error::{CliError, Exit};
use crate::plan_report as report;
use crate::ui::{hint_to_repeat, tell, warn};

/// What is to be written somewhere else, and on which terms.
pub(super) struct Asked<'a> {
    target: &'a Target,
    selection: Selection,
    labels: bool,
    keys: KeyMap,
    to: &'a ElsewhereArgs,
}

impl<'a> Asked<'a> {
    /// What `how` and `to` ask for of `target`.
    pub(super) fn new(
        target: &'a Target,
        selection: Selection,
        how: &HowArgs,
        to: &'a ElsewhereArgs,
    ) -> Result<Self, CliError> {
        if how.recreate {
            return Err(CliError::Usage {
                message: "--recreate deletes, and nothing is deleted somewhere else".into(),
                hint: "leave --recreate out".into(),
            });
        }
        Ok(Self {
            target,
            selection,
            labels: how.labels,
            keys: key_map(&how.key_id)?,
            to,
        })
    }
}

/// A plan for somewhere else.
pub(super) struct Planned {
    /// What undoes it, where that is not `ssmbak undo` of here.
    undo: Option<String>,
    destination: Destination,
    plan: Plan,
    origin: Origin,
}

/// Plans to write what was at `at`.
pub(super) async fn planned_of_record(
    context: &Context,
    asked: Asked<'_>,
    at: Instant,
    recursive: bool,
) -> Result<Planned, CliError> {
    let mapping = mapping(&asked)?;
    let ends = context.connection.ends(asked.to, context.clock).await?;
    refuse_itself(&mapping, &ends)?;
    let stores = context.stores().await?;
    let options = SurveyOptions {
        values_of_unchanged: true,
        tags_of_unchanged: true,
        labels: asked.labels,
        selection: asked.selection.clone(),
        ..SurveyOptions::default()
    };
    let surveyed = survey_selected(&stores, asked.target, at, &options).await?;
    context.hint_at_path(&stores, asked.target, recursive).await;
    report::something_is_known(&surveyed.plan)?;
    context.tell_left_out(surveyed.left_out, surveyed.plan.steps.is_empty());
    if let Some(imported) = report::imported_there(&surveyed.plan) {
        warn(&imported);
    }
    let sourced = Sourced::of_plan(surveyed.plan);
    planned(context, &asked, &mapping, &ends, Some(&stores), at, sourced).await
}

/// Plans to write what lives.
pub(super) async fn planned_of_living(
    context: &Context,
    asked: Asked<'_>,
) -> Result<Planned, CliError> {
    let mapping = mapping(&asked)?;
    let ends = context.connection.ends(asked.to, context.clock).await?;
    refuse_itself(&mapping, &ends)?;
    let at = (context.clock)();
    let parameters = ends.parameters(context.clock);
    let living = living(&parameters, asked.target, &asked.selection, asked.labels).await?;
    if living.sourced.is_empty() && living.left_out == 0 {
        return Err(CliError::Failed {
            message: format!("nothing lives at {} in {}", asked.target, ends.from),
            hint: Some("check PATH, --region and --profile; -R takes all levels".into()),
        });
    }
    context.tell_left_out(living.left_out, living.sourced.is_empty());
    planned(context, &asked, &mapping, &ends, None, at, living.sourced).await
}

fn mapping(asked: &Asked<'_>) -> Result<Mapping, CliError> {
    let to = asked.to.to_path.as_deref();
    Mapping::new(asked.target, to).map_err(|error: MappingError| CliError::Usage {
        hint: error.hint(),
        message: error.to_string(),
    })
}

/// Before anything is read: what is written must lie elsewhere.
fn refuse_itself(mapping: &Mapping, ends: &Ends) -> Result<(), CliError> {
    if !(ends.are_one() && mapping.keeps_names()) {
        return Ok(());
    }
    Err(CliError::Usage {
        message: format!(
            "{} in {} is where it is read from, too",
            mapping.to(),
            ends.to
        ),
        hint: "name another --to-path, --to-region or --to-profile; without any, `ssmbak restore` \
               puts everything back where it was"
            .into(),
    })
}

async fn planned(
    context: &Context,
    asked: &Asked<'_>,
    mapping: &Mapping,
    ends: &Ends,
    here: Option<&Stores>,
    at: Instant,
    sourced: Vec<Sourced>,
) -> Result<Planned, CliError> {
    let (connection, clock) = (&context.connection, context.clock);
    let destination = connection.destination(ends, asked.to, here, clock).await?;
    let (from, to) = (&ends.from, &ends.to);
    context.ui.note(&format!(
        "from {} in {from} to {} in {to}",
        mapping.from(),
        mapping.to()
    ));
    if destination.record.is_none() {
        warn(&format!(
            "there is no stack {} in {to}: nothing of this is recorded there, it cannot be undone, \
             and nothing is overwritten",
            connection.stack_there(asked.to)
        ));
    }
    let terms = Terms {
        from,
        to,
        keys: &asked.keys,
        on_conflict: asked.to.conflicts(),
        recorded: destination.record.is_some(),
    };
    let options = SurveyOptions {
        labels: asked.labels,
        keys: asked.keys.clone(),
        ..SurveyOptions::default()
    };
    let there = plan_there(&destination, mapping, at, sourced, &options, &terms).await;
    let there = there.map_err(|error| match error {
        PlanError::Store(error) => error.into(),
        PlanError::Refused(refused) => refusal(&refused),
    })?;
    if there.others > 0 {
        context.ui.note(&format!(
            "{} more there, left alone: nothing is deleted",
            there.others
        ));
    }
    let is_another = !ends.are_one() && destination.record.is_some();
    Ok(Planned {
        undo: is_another.then(|| undo_there(connection.stack_there(asked.to), asked.to, ends)),
        destination,
        plan: there.plan,
        origin: Origin::Elsewhere {
            target: mapping.from().to_string(),
            region: Some(from.region.clone()),
            account: from.account.clone(),
        },
    })
}

/// The command that undoes it: in another place, the one of here would undo
/// another run.
fn undo_there(stack: &str, asked: &ElsewhereArgs, ends: &Ends) -> String {
    let mut words = vec!["ssmbak undo".to_owned()];
    let given = |option: &Option<String>| option.clone().filter(|text| !text.is_empty());
    words.extend(given(&asked.to_profile).map(|name| format!("--profile {name}")));
    words.push(format!("--region {}", ends.to.region));
    let endpoint = ends.to.endpoint_url.as_ref();
    let endpoint = endpoint.filter(|_| ends.to.endpoint_url != ends.from.endpoint_url);
    words.extend(endpoint.map(|url| format!("--endpoint-url {url}")));
    words.push(format!("--stack {stack}"));
    words.join(" ")
}

fn refusal(refused: &[Refused]) -> CliError {
    let each = refused.iter().map(|one| format!("\n  {one}"));
    CliError::Usage {
        message: format!(
            "these cannot be written there under their new names:{}",
            each.collect::<String>()
        ),
        hint: "choose another --to-path, or leave them out with --exclude".into(),
    }
}

/// Shows the plan and changes nothing.
pub(super) fn preview(
    context: &Context,
    planned: &Planned,
    all: bool,
    reveal: bool,
    exit_code: bool,
) -> Result<Exit, CliError> {
    let plan = &planned.plan;
    context.ui.show(&report::preview_rows(plan, all, reveal))?;
    for warning in report::warnings(plan) {
        warn(&warning);
    }
    if report::can_be_mended(plan) {
        hint_to_repeat();
    }
    context.ui.note(&report::summary(plan));
    refuse_conflicts(plan)?;
    Ok(report::preview_exit(plan, exit_code))
}

/// Does what the preview shows.
pub(super) async fn write(
    context: &Context,
    planned: &Planned,
    yes: bool,
    reveal: bool,
) -> Result<Exit, CliError> {
    let consent = Consent {
        yes,
        reveal,
        recreate: false,
    };
    let (to, plan) = (&planned.destination, &planned.plan);
    let exit = carry_out_at(
        context,
        to,
        plan,
        planned.origin.clone(),
        &consent,
        &Notes::new(),
    )
    .await?;
    refuse_conflicts(plan)?;
    if let Some(undo) = planned.undo.as_ref().filter(|_| report::can_be_done(plan)) {
        tell(&format!(
            "\nhint: this run is on record there, not here; what undoes it is `{undo}`"
        ));
    }
    Ok(exit)
}

/// Each of them has been told by then.
fn refuse_conflicts(plan: &Plan) -> Result<(), CliError> {
    let conflicts = plan.steps.iter().filter(|s| is_conflict(s)).count();
    if conflicts == 0 {
        return Ok(());
    }
    let live = if conflicts == 1 {
        "1 parameter lives".to_owned()
    } else {
        format!("{conflicts} parameters live")
    };
    Err(CliError::Failed {
        message: format!("{live} there already and would be overwritten, so nothing is written"),
        hint: Some(
            "--on-conflict skip leaves them alone and writes the rest; --on-conflict overwrite \
             writes over them, what lives there being recorded first; --to-path leads elsewhere"
                .into(),
        ),
    })
}
