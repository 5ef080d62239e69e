//! Verify: whether what lives, heads, rows, journal and values agree.
//!
//! Four passes, none of which holds more than a page of history: names in
//! order, each with its rows, its values and what the key shows; the journal
//! day by day; what lives; coverage and runs. What differs is looked at twice:
//! a capture may be under way.

mod cure;
mod days;
mod facts;
mod live;
mod names;
mod versions;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use self::cure::Cure;
use crate::domain::{Instant, Name, Record, Target};
use crate::store::{StoreError, Stores};

/// What differs is looked at again after this long: longer than a capture
/// takes from the journal to the index.
const SECOND_LOOK_AFTER_MS: u64 = 500;

/// How two places disagree. The words are part of the command line's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A version lives that is not on record.
    LiveNotRecorded,
    /// The newest record says that it is there, and it is not.
    GoneNotRecorded,
    /// The head is not the newest record.
    HeadStale,
    /// The journal has a record that the index does not have.
    RowMissing,
    /// The index's record is not the journal's.
    RowDiffers,
    /// A path above the name lacks its copy.
    SlimMissing,
    /// A path above the name has another copy.
    SlimDiffers,
    /// The index has a record that the journal does not have.
    JournalMissing,
    /// An object of the journal cannot be read, or is not what its key says.
    JournalUnreadable,
    /// A record points to a value that is not there.
    ValueMissing,
    /// A value is not what it should be.
    ValueDiffers,
    /// The key of a name shows a value where it should show a deletion, or the
    /// other way round, or an older value.
    KeyShowsWrongObject,
    /// The coverage of a path is not what its facts tell.
    CoverageDiffers,
    /// A run is a fact and not in the index.
    RunMissing,
}

impl Kind {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LiveNotRecorded => "live-not-recorded",
            Self::GoneNotRecorded => "gone-not-recorded",
            Self::HeadStale => "head-stale",
            Self::RowMissing => "row-missing",
            Self::RowDiffers => "row-differs",
            Self::SlimMissing => "slim-missing",
            Self::SlimDiffers => "slim-differs",
            Self::JournalMissing => "journal-missing",
            Self::JournalUnreadable => "journal-unreadable",
            Self::ValueMissing => "value-missing",
            Self::ValueDiffers => "value-differs",
            Self::KeyShowsWrongObject => "key-shows-wrong-object",
            Self::CoverageDiffers => "coverage-differs",
            Self::RunMissing => "run-missing",
        }
    }
}

/// A disagreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: Kind,
    /// The name, the path of a coverage, or the key of an object of which
    /// nobody knows the name.
    pub subject: String,
    /// The version it is about.
    pub version: Option<u64>,
    /// The instant of the record it is about.
    pub time: Option<Instant>,
    /// What is there and what should be. No value.
    pub detail: String,
    /// Whether it was healed; none where that was not asked for.
    pub healed: Option<bool>,
    cure: Cure,
}

impl Finding {
    fn new(kind: Kind, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind,
            subject: subject.into(),
            version: None,
            time: None,
            detail: detail.into(),
            healed: None,
            cure: Cure::None,
        }
    }

    fn of(kind: Kind, record: &Record, detail: impl Into<String>) -> Self {
        Self {
            version: record.present().and_then(|w| w.version),
            time: Some(record.at),
            ..Self::new(kind, record.name.as_str(), detail)
        }
    }

    fn cured_by(self, cure: Cure) -> Self {
        Self { cure, ..self }
    }
}

/// What is to be verified, and how.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// The name or path, with all levels below.
    pub target: Target,
    /// Goes on at this name; the names before it are not looked at.
    pub from: Option<Name>,
    /// Reads every value back.
    pub values: bool,
    /// Puts right what can be.
    pub heal: bool,
}

/// What was looked at, and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Names with a head.
    pub names: usize,
    /// Records of theirs.
    pub records: usize,
    /// Objects of the journal.
    pub journal: usize,
    /// Parameters that live.
    pub live: usize,
    /// Object versions of values that no record points to. They are harmless.
    pub unpointed: usize,
    /// Changes of the last minutes that may be on their way.
    pub on_their_way: usize,
    /// Disagreements.
    pub findings: usize,
    /// Those of them that were healed.
    pub healed: usize,
    /// Objects of the journal that cannot be read.
    pub unreadable: usize,
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// The name to go on from, where it was stopped: what is before it is done.
    pub go_on_at: Option<Name>,
}

/// Hears of disagreements as they are found, and how far it is.
pub trait Listener: Send + Sync {
    /// A disagreement.
    fn found(&self, finding: &Finding);
    /// Everything up to here was looked at: a name, or a day of the journal.
    fn reached(&self, place: &str);
}

/// One verification under way.
struct Verification<'a> {
    stores: &'a Stores,
    options: &'a VerifyOptions,
    stop: &'a AtomicBool,
    listener: &'a dyn Listener,
}

impl Verification<'_> {
    /// Whether it is to end here, and says so in the report.
    fn stops(&self, report: &mut VerifyReport) -> bool {
        report.stopped = self.stop.load(Ordering::SeqCst);
        report.stopped
    }

    /// Heals if that was asked for, counts and tells.
    async fn tell(
        &self,
        findings: Vec<Finding>,
        report: &mut VerifyReport,
    ) -> Result<(), StoreError> {
        for mut finding in findings {
            if self.options.heal && finding.healed.is_none() {
                let healed = finding.cure.apply(self.stores).await;
                finding.healed = Some(healed.unwrap_or_else(|error| {
                    finding.detail = format!("{}; not healed: {error}", finding.detail);
                    false
                }));
            }
            report.findings += 1;
            report.unreadable += usize::from(finding.kind == Kind::JournalUnreadable);
            report.healed += usize::from(finding.healed == Some(true));
            self.listener.found(&finding);
        }
        Ok(())
    }
}

async fn before_the_second_look() {
    tokio::time::sleep(Duration::from_millis(SECOND_LOOK_AFTER_MS)).await;
}

/// Compares everything about the target. Writes nothing, unless it is to heal.
///
/// Once `stop` is set it ends after the names under way and tells where.
pub async fn verify(
    stores: &Stores,
    options: &VerifyOptions,
    stop: &AtomicBool,
    listener: &dyn Listener,
) -> Result<VerifyReport, StoreError> {
    let this = Verification {
        stores,
        options,
        stop,
        listener,
    };
    let mut report = VerifyReport::default();
    names::verify(&this, &mut report).await?;
    if !report.stopped {
        days::verify(&this, &mut report).await?;
    }
    if !report.stopped {
        live::verify(&this, &mut report).await?;
        facts::verify(&this, &mut report).await?;
    }
    Ok(report)
}
