//! Flows of an automation service by rule: each runs at equal times, and fails every so many runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

/// How long a run takes, and how long after it a retry begins, in seconds.
pub(super) const TAKES_S: i64 = 2;
const RETRY_S: i64 = 60;

/// Flows by any name.
pub(super) type Flows = BTreeMap<String, Flow>;

/// One flow.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flow {
    /// The vendor's id.
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default = "yes")]
    pub(super) active: bool,
    #[serde(default)]
    pub(super) archived: bool,
    /// Seconds between two runs; it never runs where it is 0.
    #[serde(default)]
    pub(super) every_s: i64,
    /// One of so many runs fails; none where it is 0.
    #[serde(default)]
    pub(super) fails_every: i64,
    /// A run that failed is tried again and then goes well.
    #[serde(default)]
    pub(super) retried: bool,
    /// It began its last run this long before the world began; it goes on where it is 0.
    #[serde(default)]
    pub(super) stopped_s: i64,
    /// A timer starts it, and the vendor says how often.
    #[serde(default)]
    pub(super) timer: bool,
    /// It was last edited so many days before the world began.
    #[serde(default = "edited")]
    pub(super) edited_days: i64,
    /// What it does, by any word; another word is another definition.
    #[serde(default)]
    pub(super) does: String,
    /// Runs that went well are not kept.
    #[serde(default)]
    pub(super) forgets: bool,
}

const fn yes() -> bool {
    true
}

const fn edited() -> i64 {
    60
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) flow: usize,
    pub(super) started: i64,
    pub(super) failed: bool,
    /// The beginning of the run that this one repeats.
    pub(super) repeats: Option<i64>,
    /// The beginning of the run that recovered it.
    pub(super) recovered_at: Option<i64>,
}

impl Flow {
    pub(super) fn updated(&self, start: Timestamp) -> String {
        let second = start.as_second() - self.edited_days * 86_400;
        iso(second)
    }

    fn has_failed(&self, number: i64) -> bool {
        self.fails_every > 0 && number.rem_euclid(self.fails_every) == 0
    }

    /// Its runs that began before a time, newest first, at most so many, and none before `from`.
    fn before(&self, index: usize, below: i64, from: i64, most: usize) -> Vec<Made> {
        let mut all = Vec::new();
        if self.every_s <= 0 {
            return all;
        }
        // Each flow has a second of its own, so that no two runs begin at once.
        let own = i64::try_from(index).unwrap_or(0) % self.every_s;
        let mut number = (below - own).div_euclid(self.every_s);
        while all.len() < most {
            let started = number * self.every_s + own;
            if started < from {
                break;
            }
            let failed = self.has_failed(number);
            let again = started + RETRY_S;
            if failed && self.retried && again < below {
                let run = Made {
                    flow: index,
                    started: again,
                    failed: false,
                    repeats: Some(started),
                    recovered_at: None,
                };
                all.push(run);
            }
            if started < below && (failed || !self.forgets) {
                let recovered_at = (failed && self.retried).then_some(again);
                all.push(Made { flow: index, started, failed, repeats: None, recovered_at });
            }
            number -= 1;
        }
        all.sort_by_key(|run| std::cmp::Reverse(run.started));
        all
    }
}

/// The runs of some flows that began before `below`, newest first: those that have ended, of the last so
/// many days.
pub(super) fn runs(
    flows: &Flows,
    only: Option<&str>,
    (start, now): (Timestamp, Timestamp),
    days: i64,
    below: i64,
    most: usize,
) -> Vec<Made> {
    let (start, now) = (start.as_second(), now.as_second());
    let mut all = Vec::new();
    for (index, flow) in flows.values().enumerate() {
        if only.is_some_and(|only| only != flow.id) {
            continue;
        }
        let mut below = below.min(now - TAKES_S + 1);
        if flow.stopped_s > 0 {
            below = below.min(start - flow.stopped_s + 1);
        }
        all.extend(flow.before(index, below, now - days * 86_400, most));
    }
    all.sort_by_key(|run| std::cmp::Reverse((run.started, run.flow)));
    all.truncate(most);
    all
}

/// `2026-11-23T08:00:01.000Z`.
pub(super) fn iso(second: i64) -> String {
    let at = Timestamp::from_second(second).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
