//! What is kept of the runs of a flow from look to look: counts by day, and the times between runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::probe::{Run, RunStatus};

/// Beginnings of runs that the usual gap is taken from.
const STARTS: usize = 48;
/// So many gaps have to be seen before one is usual.
const LEAST_GAPS: usize = 5;
/// The longest gap is remembered for this many days.
const GAP_DAYS: i64 = 14;
/// Failed runs of a flow that are kept to recognise their retries.
const FAILURES: usize = 50;

/// What one look hands to the next.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Carry {
    /// The last look that read the whole window.
    pub(super) whole: Timestamp,
    /// The next look reads runs from here on.
    pub(super) next: Timestamp,
    /// The last look.
    pub(super) last: Timestamp,
    /// The oldest run that was seen.
    pub(super) seen_from: Option<Timestamp>,
    /// Older runs are there, and could not be read.
    pub(super) cut: bool,
    /// Flows whose runs could not be read to the end.
    pub(super) flows_cut: Vec<String>,
    /// Runs from `next` on that have been counted.
    pub(super) counted: Vec<String>,
    /// Flows by id.
    pub(super) flows: BTreeMap<String, Past>,
}

/// One day of a flow, in UTC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Day {
    succeeded: u64,
    failed: u64,
    /// The longest time before a run of this day, in seconds.
    gap_s: i64,
}

/// A failed run that nothing has recovered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Failure {
    pub(super) id: String,
    pub(super) at: Timestamp,
}

/// The past of one flow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Past {
    pub(super) active: bool,
    pub(super) off_since: Option<Timestamp>,
    pub(super) definition: Option<String>,
    pub(super) changed: Option<Timestamp>,
    /// By the number of the day since 1970.
    days: BTreeMap<i64, Day>,
    /// The last beginnings, in Unix seconds, oldest first.
    starts: Vec<i64>,
    /// Failed runs, oldest first.
    pub(super) failures: Vec<Failure>,
}

fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}

impl Past {
    /// Forgets all runs, before everything is read again.
    pub(super) fn forget_runs(&mut self) {
        self.days.clear();
        self.starts.clear();
        self.failures.clear();
    }

    /// Takes in runs that have not been counted before; any order.
    pub(super) fn add(&mut self, mut runs: Vec<Run>) {
        runs.sort_by(|a, b| (a.started, &a.id).cmp(&(b.started, &b.id)));
        for run in runs.into_iter().filter(|run| !run.manual) {
            match &run.retry_of {
                // A retry is no work of its own: it recovers the run that it repeats, or changes nothing.
                Some(first) if run.status == RunStatus::Succeeded => self.recover(first),
                Some(_) => {}
                None => self.count(&run),
            }
        }
    }

    fn count(&mut self, run: &Run) {
        let second = run.started.as_second();
        let before = self.starts.last().copied().filter(|before| *before <= second);
        let today = self.days.entry(day(run.started)).or_default();
        today.gap_s = today.gap_s.max(before.map_or(0, |before| second - before));
        match run.status {
            RunStatus::Succeeded => today.succeeded += 1,
            RunStatus::Failed if run.recovered => today.succeeded += 1,
            RunStatus::Failed => {
                today.failed += 1;
                self.failures.push(Failure { id: run.id.clone(), at: run.started });
            }
            RunStatus::Running | RunStatus::Other => {}
        }
        // A run that had not ended is told again when it has.
        if let Err(place) = self.starts.binary_search(&second) {
            self.starts.insert(place, second);
        }
        let over = self.starts.len().saturating_sub(STARTS);
        self.starts.drain(..over);
        let over = self.failures.len().saturating_sub(FAILURES);
        self.failures.drain(..over);
    }

    /// Turns a failed run into one that went well in the end.
    pub(super) fn recover(&mut self, id: &str) {
        let Some(place) = self.failures.iter().position(|failure| failure.id == id) else { return };
        let failure = self.failures.remove(place);
        if let Some(day) = self.days.get_mut(&day(failure.at)) {
            day.failed = day.failed.saturating_sub(1);
            day.succeeded += 1;
        }
    }

    /// Drops what lies before the window.
    pub(super) fn slide(&mut self, since: Timestamp) {
        self.days.retain(|number, _| *number >= day(since));
        self.failures.retain(|failure| failure.at >= since);
    }

    /// Runs that went well, and that failed.
    pub(super) fn sums(&self) -> (u64, u64) {
        self.days.values().fold((0, 0), |(succeeded, failed), day| {
            (succeeded + day.succeeded, failed + day.failed)
        })
    }

    /// When it last began.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.starts.last().and_then(|second| Timestamp::from_second(*second).ok())
    }

    /// The median of the last gaps, in seconds, where enough were seen.
    pub(super) fn median_s(&self) -> Option<i64> {
        let mut gaps: Vec<i64> =
            self.starts.iter().zip(self.starts.iter().skip(1)).map(|(a, b)| b - a).collect();
        gaps.sort_unstable();
        (gaps.len() >= LEAST_GAPS).then(|| gaps.get(gaps.len() / 2).copied()).flatten()
    }

    /// The longest gap of the last two weeks, in seconds.
    pub(super) fn longest_s(&self, now: Timestamp) -> i64 {
        let first = day(now) - GAP_DAYS;
        self.days.range(first..).map(|(_, day)| day.gap_s).max().unwrap_or(0)
    }
}
