//! How changes are announced: late, repeated, reordered, lost, in batches, to
//! two functions at once, and read about stale.

use ssmbak_core::domain::{Instant, Name};

use super::generate::History;
use super::model::Change;

/// Events that are further apart than this do not share a batch.
const BATCH_WINDOW_MS: i64 = 30_000;

/// What becomes of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// It never arrives.
    pub lost: bool,
    /// How long after the change it arrives; more than once where there are more.
    pub delays_ms: Vec<i64>,
    /// The look that it leads to does not see the newest change of the name yet.
    pub stale: bool,
}

/// What one invocation of a function is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Indexes of the changes whose events it holds, one to ten.
    pub changes: Vec<usize>,
    /// Names whose next look does not see their newest change.
    pub stale: Vec<Name>,
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Do the change of this index.
    Operate(usize),
    /// Tell one function, or two functions at the same time.
    Deliver(Vec<Batch>),
    /// Reconcile everything; the first one is the seeding that begins coverage.
    Reconcile,
}

impl Step {
    /// What comes first of what is done in the same millisecond.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Operate(_) => 0,
            Self::Deliver(_) => 1,
            Self::Reconcile => 2,
        }
    }
}

/// The deliveries of all events since coverage began; before, nobody listened.
///
/// Looks are made at the end of a second: one in the middle of a second may see
/// one version and miss another that is written and gone before the next look.
/// The event's time cannot tell the two apart (`docs/decisions.md`).
pub(super) fn deliveries(
    history: &History,
    changes: &[Change],
    begins: Instant,
) -> Vec<(Instant, Step)> {
    let mut arrivals = Vec::new();
    for (index, change) in changes.iter().enumerate().filter(|(_, c)| c.at > begins) {
        let fate = history.fate(index);
        if fate.lost {
            continue;
        }
        for delay in &fate.delays_ms {
            arrivals.push((
                change.at.plus_millis(*delay).second_end(),
                index,
                fate.stale,
            ));
        }
    }
    arrivals.sort_by_key(|(at, index, _)| (*at, *index));
    let mut batches = in_batches(history, changes, &arrivals)
        .into_iter()
        .peekable();
    let mut steps = Vec::new();
    while let Some((at, batch)) = batches.next() {
        let mut step = (at, vec![batch]);
        if history.at_once(steps.len())
            && let Some((later, other)) = batches.next_if(|(next, _)| near(at, *next))
        {
            step.0 = later;
            step.1.push(other);
        }
        steps.push((step.0, Step::Deliver(step.1)));
    }
    steps
}

fn in_batches(
    history: &History,
    changes: &[Change],
    arrivals: &[(Instant, usize, bool)],
) -> Vec<(Instant, Batch)> {
    let mut batches: Vec<(Instant, Batch)> = Vec::new();
    let mut begun = Instant::EARLIEST;
    for (at, index, stale) in arrivals {
        let room = history.batch_size(batches.len());
        let last = batches.last_mut();
        let fits = last.filter(|(_, batch)| batch.changes.len() < room && near(begun, *at));
        let (when, batch) = if let Some(fits) = fits {
            fits
        } else {
            begun = *at;
            batches.push((*at, Batch::default()));
            let Some(new) = batches.last_mut() else {
                continue;
            };
            new
        };
        *when = *at;
        batch.changes.push(*index);
        if *stale {
            batch.stale.push(changes[*index].name.clone());
        }
    }
    batches
}

fn near(one: Instant, other: Instant) -> bool {
    other.millis() - one.millis() <= BATCH_WINDOW_MS
}
