//! `ssmbak-all`: `ssmbak seed` with the original's options and closing lines.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::OsString;
use std::iter;
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _, Parser};
use futures_util::{StreamExt as _, stream};
use ssmbak_core::capture::capture_listed;
use ssmbak_core::domain::state::is_recorded_as;
use ssmbak_core::domain::{Instant, Live, Name, Path, Source, Target};
use ssmbak_core::store::{Heads, Stores};
use ssmbak_infra::stack;

use super::prefix::{Prefix, Scope};
use crate::args::Global;
use crate::commands::{Context, seed};
use crate::config::DEFAULT_STACK;
use crate::connection::Connection;
use crate::error::{CliError, Exit};
use crate::ui::{hint_to_repeat, warn, write_text};
use crate::view::SeedView;

/// What the program is called.
pub(super) const NAME: &str = "ssmbak-all";
/// How many names are captured at once.
const NAMES_AT_ONCE: usize = 8;

/// Back up every parameter, or those whose names begin with a prefix; changes
/// no parameter.
///
/// This is `ssmbak seed` with the options of the original tool: each version that
/// Parameter Store still retains and that is not on record yet is captured.
#[derive(Debug, Parser)]
#[command(name = NAME, version, max_term_width = 80)]
struct AllArgs {
    /// Only names that begin so; several: -p /this /that
    #[arg(short, long, num_args = 1.., value_name = "PREFIX")]
    prefix: Vec<String>,
    /// Back up; without it, only list what would be
    #[arg(long)]
    do_it: bool,
    /// Options that every command takes.
    #[command(flatten)]
    global: Global,
}

/// The arguments.
pub(super) fn command(color: ColorChoice) -> clap::Command {
    super::with_short_options(AllArgs::command()).color(color)
}

/// Does what the arguments ask for.
pub(super) fn run(arguments: Vec<OsString>) -> ExitCode {
    match parse(arguments) {
        Ok(args) => crate::run_to_end(&args.global, true, async |context| {
            answer(context, &args).await
        }),
        Err(error) => crate::refused(&error),
    }
}

fn parse(arguments: Vec<OsString>) -> Result<AllArgs, clap::Error> {
    let command = command(crate::color_choice(&arguments));
    AllArgs::from_arg_matches(&command.try_get_matches_from(arguments)?)
}

async fn answer(context: &Context, args: &AllArgs) -> Result<Exit, CliError> {
    let prefixes = args.prefix.iter().map(|text| Prefix::parse(text));
    let prefixes = prefixes.collect::<Result<Vec<_>, _>>()?;
    let connection = connection(context).await?;
    let stores = connection.stores(context.clock).await?;
    let found = find(&stores, &prefixes).await?;
    let mut rows = Vec::new();
    for path in found.scope.paths() {
        let (under, report) = seed::seed_path(context, &stores, path, args.do_it).await?;
        rows.extend(under);
        context.ui.note(&seed::summary(path, &report, args.do_it));
    }
    let names = found.new.into_iter();
    if args.do_it {
        let captures = stream::iter(names).map(|(name, since)| captured(&stores, name, since));
        let captures = captures.buffer_unordered(NAMES_AT_ONCE);
        rows.extend(captures.collect::<Vec<_>>().await);
    } else {
        rows.extend(names.map(|(name, _)| SeedView {
            name,
            versions: None,
            failure: None,
        }));
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    end(context, &rows, args.do_it)
}

/// The way to the records. The original knows one stack in a region, whatever
/// it is called: where none is named and there is only one, that one is meant.
async fn connection(context: &Context) -> Result<Connection, CliError> {
    let settings = context.connection.settings();
    if settings.stack.is_some() || settings.bucket.is_some() && settings.table.is_some() {
        return Ok(context.connection.clone());
    }
    let config = context.connection.config().await?;
    let known = stack::known(&config).await;
    let [only] = known.as_slice() else {
        return Ok(context.connection.clone());
    };
    if only != DEFAULT_STACK {
        context.ui.note(&format!("the stack is {only}"));
    }
    Ok(context.connection.with_stack(only))
}

/// What is to be looked at, and which names of it are not on record as they live, with the time of
/// their newest version.
#[derive(Default)]
struct Found {
    scope: Scope,
    new: Vec<(Name, Instant)>,
}

/// Looks for what begins with one of `prefixes`; without any it is everything.
async fn find(stores: &Stores, prefixes: &[Prefix]) -> Result<Found, CliError> {
    let mut found = Found::default();
    if prefixes.is_empty() {
        Prefix::Path(Path::root()).add_to(&mut found.scope, iter::empty());
    }
    let mut listed: BTreeMap<Path, (Vec<Live>, Heads)> = BTreeMap::new();
    for prefix in prefixes {
        let Some(path) = prefix.looks_at() else {
            prefix.add_to(&mut found.scope, iter::empty());
            continue;
        };
        let (live, heads) = match listed.entry(path) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(place) => {
                let listing = list(stores, place.key()).await?;
                place.insert(listing)
            }
        };
        // A path whose last parameter is gone still has a deletion to tell.
        let recorded = heads.values().map(|head| &head.record);
        let recorded = recorded.filter(|record| record.present().is_some());
        let live = live.iter().map(|live| &live.name);
        let known = live.chain(recorded.map(|record| &record.name));
        prefix.add_to(&mut found.scope, known);
    }
    let wanted = found.scope.names();
    let new = listed.values().flat_map(|(live, heads)| {
        let head = |live: &Live| heads.get(&live.name).map(|head| &head.record);
        live.iter()
            .filter(move |live| !is_recorded_as(live, head(live)))
    });
    let new: BTreeMap<_, _> = new.map(|live| (&live.name, live.modified)).collect();
    found.new = wanted
        .into_iter()
        .filter_map(|name| Some((name.clone(), *new.get(name)?)))
        .collect();
    Ok(found)
}

async fn list(stores: &Stores, path: &Path) -> Result<(Vec<Live>, Heads), CliError> {
    let target = Target::Path {
        path: path.clone(),
        recursive: true,
    };
    let listing = tokio::try_join!(stores.parameters.list(&target), stores.index.heads(&target));
    Ok(listing?)
}

async fn captured(stores: &Stores, name: Name, since: Instant) -> SeedView {
    let (versions, failure) = match capture_listed(stores, &name, since, Source::Seed).await {
        Ok(captured) if captured.sealed > 0 => (
            captured.records.len(),
            Some(format!(
                "{} versions cannot be read while their KMS key is disabled",
                captured.sealed
            )),
        ),
        Ok(captured) => (captured.records.len(), None),
        Err(error) => (0, Some(error.to_string())),
    };
    SeedView {
        name,
        versions: Some(versions),
        failure,
    }
}

/// Shows what was found, and says how it ended. The original's last line is
/// only said where it is true.
fn end(context: &Context, rows: &[SeedView], did_it: bool) -> Result<Exit, CliError> {
    context.ui.show(rows)?;
    let failed: Vec<_> = rows.iter().filter(|row| row.failure.is_some()).collect();
    for row in &failed {
        let why = row.failure.as_deref().unwrap_or_default();
        warn(&format!("{}: {why}", row.name));
    }
    if !failed.is_empty() {
        hint_to_repeat();
        return Ok(if failed.len() < rows.len() {
            Exit::Partly
        } else {
            Exit::Failed
        });
    }
    write_text(closing(did_it))
}

/// The original's last line.
fn closing(did_it: bool) -> &'static str {
    if did_it {
        "\nAbove was backed-up.\n"
    } else {
        "\nThat's what would have been backed-up. --do-it to actually perform.\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<AllArgs, clap::Error> {
        let words = line.split_whitespace().map(OsString::from);
        parse(iter::once(NAME.into()).chain(words).collect())
    }

    #[test]
    fn the_arguments_are_consistent() {
        command(ColorChoice::Auto).debug_assert();
    }

    #[test]
    fn the_arguments_of_the_original_are_understood() {
        let args = read("-r eu-west-1 -b backups -p /this /that --do-it -v").unwrap();
        assert_eq!(args.global.region.as_deref(), Some("eu-west-1"));
        assert_eq!(args.global.bucket.as_deref(), Some("backups"));
        assert_eq!(args.prefix, ["/this", "/that"]);
        assert!(args.do_it && args.global.verbose == 1);
        let args = read("--prefix /this --region eu-west-1 --bucket b -p /that").unwrap();
        assert_eq!(args.prefix, ["/this", "/that"]);
        assert!(!args.do_it);
    }

    #[test]
    fn without_arguments_nothing_is_done() {
        let args = read("").unwrap();
        assert!(!args.do_it && args.prefix.is_empty());
    }

    #[test]
    fn a_prefix_without_its_option_is_refused() {
        for line in ["/this", "-p", "--doit", "--do-it /this"] {
            assert_eq!(read(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn the_closing_lines_are_those_of_the_original() {
        assert_eq!(
            closing(false),
            "\nThat's what would have been backed-up. --do-it to actually perform.\n"
        );
        assert_eq!(closing(true), "\nAbove was backed-up.\n");
    }
}
