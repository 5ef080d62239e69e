//! What a soak tells: a line after each turn, and a table at the end.

use std::io;
use std::time::Instant;

use super::lanes::{Lane, Running};
use crate::histories::Tally;
use crate::sandbox::screen::Screen;

/// What all lanes counted.
#[derive(Debug)]
pub(super) struct Summary {
    seed: u64,
    lanes: Vec<(Lane, Tally)>,
}

impl Summary {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            lanes: Vec::new(),
        }
    }

    /// One line about a lane after its turn.
    pub(super) fn progress(&self, lane: &Running, end: Instant) -> String {
        let left = end.saturating_duration_since(Instant::now()).as_secs();
        let tally = &lane.tally;
        format!(
            "{:<10} {} histories, {} of {} questions right; {} min {} s left of seed {}",
            lane.lane,
            tally.histories,
            tally.right,
            tally.asked,
            left / 60,
            left % 60,
            self.seed
        )
    }

    /// Adds what a lane counted in the end.
    pub(super) fn add(&mut self, lane: Lane, tally: &Tally) {
        self.lanes.push((lane, tally.clone()));
    }

    /// The table.
    pub(super) fn tell(&self, screen: Screen) -> io::Result<()> {
        screen.heading("Summary")?;
        for line in self.lines() {
            screen.line(&line)?;
        }
        Ok(())
    }

    fn lines(&self) -> Vec<String> {
        let mut all = Tally::default();
        let mut lines = vec![row(
            "",
            &[
                "histories",
                "changes",
                "deliveries",
                "lost",
                "crashes",
                "asked",
                "right",
            ]
            .map(str::to_owned),
        )];
        for (lane, tally) in &self.lanes {
            lines.push(row(&lane.to_string(), &counts(tally)));
            all.add(tally);
        }
        lines.push(row("all", &counts(&all)));
        let faults = all.faults.iter();
        let faults: Vec<String> = faults
            .map(|(kind, times)| format!("{kind} {times}"))
            .collect();
        let faults = if faults.is_empty() {
            "none".to_owned()
        } else {
            faults.join(", ")
        };
        lines.push(format!("\nfaults: {faults}"));
        lines.push(format!(
            "largest lag: {:.1} s",
            all.largest_lag.as_secs_f64()
        ));
        let peak = all.peak_memory_kib / 1024;
        lines.push(format!("most memory of a function: {peak} MiB"));
        lines.push(format!("to repeat it: --seed {}", self.seed));
        lines
    }
}

fn counts(tally: &Tally) -> [String; 7] {
    [
        tally.histories,
        tally.changes,
        tally.deliveries,
        tally.lost_events,
        tally.crashes,
        tally.asked,
        tally.right,
    ]
    .map(|count| count.to_string())
}

fn row(first: &str, others: &[String; 7]) -> String {
    let others = others.iter().map(|text| format!("{text:>11}"));
    format!("{first:<10}{}", others.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_count_and_the_seed() {
        let mut tally = Tally {
            histories: 3,
            changes: 40,
            deliveries: 50,
            lost_events: 6,
            crashes: 7,
            peak_memory_kib: 20 * 1024,
            largest_lag: std::time::Duration::from_millis(1_500),
            ..Tally::default()
        };
        tally.answered(true);
        tally.answered(false);
        tally.fault("stale read");
        let mut summary = Summary::new(9);
        summary.add(Lane::Emulator, &tally);
        insta::assert_snapshot!(summary.lines().join("\n"), @r"
                    histories    changes deliveries       lost    crashes      asked      right
        emulator            3         40         50          6          7          2          1
        all                 3         40         50          6          7          2          1

        faults: stale read 1
        largest lag: 1.5 s
        most memory of a function: 20 MiB
        to repeat it: --seed 9
        ");
    }
}
