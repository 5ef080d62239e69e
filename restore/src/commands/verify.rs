//! `ssmbak verify`: whether everything on record agrees with itself and with
//! what lives.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ssmbak_core::domain::{Name, Target};

use super::Context;
use crate::args::VerifyArgs;
use crate::error::{CliError, Exit};
use crate::output::Rows;
use crate::ui::{Progress, tell};
use crate::view::FindingView;
use ssmbak_core::verify::{Finding, Listener, VerifyOptions, VerifyReport, verify};

/// So many disagreements are written together: a table wants more than one.
const PAGE: usize = 50;

/// Compares, tells each disagreement as it is found, and counts.
pub(super) async fn run(context: &Context, args: &VerifyArgs) -> Result<Exit, CliError> {
    let options = VerifyOptions {
        target: Target::parse(&args.path, true)?,
        from: args.from.as_deref().map(Name::parse).transpose()?,
        values: args.values,
        heal: args.heal,
    };
    let stores = context.stores().await?;
    let stop = context.interrupt.hold();
    let heard = Heard {
        bar: context.ui.counter(),
        told: Mutex::new(Output {
            rows: context.ui.rows(),
            page: Vec::new(),
            failed: None,
        }),
        last: Mutex::default(),
    };
    let done = verify(&stores, &options, stop, &heard).await;
    heard.bar.finish_and_clear();
    let output = heard.told.into_inner();
    let mut output = output.unwrap_or_else(PoisonError::into_inner);
    output.write();
    if let Some(error) = output.failed {
        return Err(error.into());
    }
    output.rows.finish::<FindingView>()?;
    let last = heard.last.into_inner();
    let last = last.unwrap_or_else(PoisonError::into_inner);
    let report = match done {
        Ok(report) => report,
        Err(error) => {
            if let Some(last) = last.filter(|place| place.starts_with('/')) {
                tell(&format!("stopped after {last}; go on with --from {last}"));
            }
            return Err(error.into());
        }
    };
    context.ui.note(&closing(&report, args.heal));
    if report.stopped {
        if let Some(at) = &report.go_on_at {
            tell(&format!("stopped; go on with --from {at}"));
        }
        return Ok(Exit::Interrupted);
    }
    Ok(exit(&report))
}

/// Writes what is found and remembers how far it is.
struct Heard {
    bar: Progress,
    told: Mutex<Output>,
    last: Mutex<Option<String>>,
}

struct Output {
    rows: Rows<io::Stdout>,
    page: Vec<FindingView>,
    failed: Option<io::Error>,
}

impl Output {
    fn write(&mut self) {
        let page = std::mem::take(&mut self.page);
        if let Err(error) = self.rows.page(&page) {
            self.failed.get_or_insert(error);
        }
    }
}

impl Listener for Heard {
    fn found(&self, finding: &Finding) {
        let mut output = locked(&self.told);
        output.page.push(FindingView::new(finding));
        if output.page.len() >= PAGE {
            self.bar.suspend(|| output.write());
        }
    }

    fn reached(&self, place: &str) {
        self.bar.inc(1);
        self.bar.set_message(place.to_owned());
        *locked(&self.last) = Some(place.to_owned());
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn exit(report: &VerifyReport) -> Exit {
    if report.findings == report.healed {
        Exit::Done
    } else {
        Exit::Differences
    }
}

fn closing(report: &VerifyReport, heal: bool) -> String {
    let mut facts = vec![
        format!("{} names", report.names),
        format!("{} records", report.records),
        format!("{} journal objects", report.journal),
        format!("{} live parameters", report.live),
    ];
    if report.unpointed > 0 {
        facts.push(format!(
            "{} value versions without a record (harmless)",
            report.unpointed
        ));
    }
    if report.on_their_way > 0 {
        facts.push(format!(
            "{} changes of the last minutes not captured yet",
            report.on_their_way
        ));
    }
    facts.push(match (report.findings, heal) {
        (0, _) if report.stopped => "no disagreement so far".to_owned(),
        (0, _) => "everything agrees".to_owned(),
        (findings, false) => format!("{findings} disagreements"),
        (findings, true) => format!("{findings} disagreements, {} healed", report.healed),
    });
    facts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_healed_is_no_difference_any_more() {
        let mut report = VerifyReport {
            names: 2,
            records: 5,
            journal: 5,
            live: 1,
            ..VerifyReport::default()
        };
        assert_eq!(
            closing(&report, false),
            "2 names, 5 records, 5 journal objects, 1 live parameters, everything agrees"
        );
        assert_eq!(exit(&report), Exit::Done);
        (report.findings, report.healed, report.unpointed) = (2, 1, 3);
        assert!(
            closing(&report, true).ends_with(
                "3 value versions without a record (harmless), 2 disagreements, 1 healed"
            )
        );
        assert_eq!(exit(&report), Exit::Differences);
        report.healed = 2;
        assert_eq!(exit(&report), Exit::Done);
    }
}
