//! Times of a run's requests, and what can be said of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::probe::AgentFault;

/// Why a run ended before its last request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stop {
    /// The edge challenged the request or asked to slow down.
    Challenged(String),
    /// We could not ask any more.
    Agent(AgentFault),
    /// The requests took more time than one run has.
    Slow,
}

impl Stop {
    /// Why, and the step that unlocks the rest.
    pub(super) fn reason(&self) -> (String, String) {
        match self {
            Self::Challenged(sign) => (
                format!("the edge answered {sign}"),
                "let the address of this machine through at the edge, or lower `samples`"
                    .to_owned(),
            ),
            Self::Agent(fault) => (fault.to_string(), fault.unlock().to_owned()),
            Self::Slow => (
                "the time of the run was over".to_owned(),
                "lower `samples`, or run it from a machine closer to the visitors".to_owned(),
            ),
        }
    }
}

/// What a run of equal requests on a warm connection took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Samples {
    /// How many requests were meant.
    pub(super) planned: usize,
    /// Milliseconds to the first byte of each right answer, sorted.
    pub(super) first_byte: Vec<f64>,
    /// Milliseconds to the last byte of each right answer, sorted.
    pub(super) total: Vec<f64>,
    /// How often each status came.
    pub(super) statuses: BTreeMap<u16, u32>,
    /// How many requests got no answer, or a wrong one.
    pub(super) failed: usize,
    /// The first two faults.
    pub(super) faults: Vec<String>,
    /// Why there are fewer than planned, if so.
    pub(super) stopped: Option<Stop>,
}

impl Samples {
    /// Keeps the times of a right answer.
    pub(super) fn keep(&mut self, first_byte_ms: f64, total_ms: f64) {
        for (list, value) in [(&mut self.first_byte, first_byte_ms), (&mut self.total, total_ms)] {
            let value = (value.max(0.0) * 10.0).round() / 10.0;
            let at = list.partition_point(|known| *known <= value);
            list.insert(at, value);
        }
    }

    /// The least that the p95 of the planned requests can be; the p95 itself when all were made.
    pub(super) fn least_p95(&self, sorted: &[f64]) -> Option<f64> {
        let planned = if self.stopped.is_some() { self.planned } else { sorted.len() };
        least(sorted, planned, 95)
    }

    /// One line of evidence about one of the two lists.
    #[allow(clippy::unused_self, reason = "it reads as the line of these times")]
    pub(super) fn line(&self, what: &str, sorted: &[f64]) -> String {
        let n = sorted.len();
        let at = |percent| least(sorted, n, percent).unwrap_or_default();
        format!(
            "{what} of {n} requests from this machine on a warm connection: p50 {} ms, p95 {} ms, \
             slowest {} ms",
            at(50),
            at(95),
            at(100),
        )
    }

    /// The statuses in one line of evidence.
    pub(super) fn answers(&self) -> String {
        let each = self.statuses.iter().map(|(status, n)| format!("{status} × {n}"));
        let none = self.failed.saturating_sub(self.wrong());
        let none = (none > 0).then(|| format!("none × {none}"));
        format!("answers: {}", each.chain(none).collect::<Vec<_>>().join(", "))
    }

    /// Answers that came and were wrong.
    fn wrong(&self) -> usize {
        let came: u32 = self.statuses.values().sum();
        usize::try_from(came).unwrap_or(usize::MAX).saturating_sub(self.total.len())
    }
}

/// The nearest-rank percentile of `planned` values of which the known ones are sorted, as if each
/// unknown one was the fastest.
fn least(sorted: &[f64], planned: usize, percent: usize) -> Option<f64> {
    let planned = planned.max(sorted.len());
    let rank = planned.saturating_mul(percent).div_ceil(100).max(1);
    let unknown = planned - sorted.len();
    sorted.get(rank.checked_sub(unknown + 1)?).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let twenty: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!(least(&twenty, 20, 50), Some(10.0));
        assert_eq!(least(&twenty, 20, 95), Some(19.0));
        assert_eq!(least(&twenty, 20, 100), Some(20.0));
        assert_eq!(least(&[7.0], 1, 95), Some(7.0));
        assert_eq!(least(&[], 0, 95), None);
    }

    #[test]
    fn requests_that_were_not_made_count_as_fast() {
        assert_eq!(least(&[3000.0], 20, 95), None, "one slow request of twenty proves nothing");
        assert_eq!(least(&[2500.0, 3000.0], 20, 95), Some(2500.0), "two do");
    }

    proptest! {
        #[test]
        fn times_stay_sorted_and_the_least_p95_is_one_of_them(
            times in prop::collection::vec(0.0..1e6f64, 0..20),
            more in 0usize..20,
        ) {
            let mut samples =
                Samples { planned: times.len() + more, stopped: Some(Stop::Slow), ..Samples::default() };
            for time in &times {
                samples.keep(*time, *time);
            }
            prop_assert!(samples.total.is_sorted());
            let least = samples.least_p95(&samples.total);
            prop_assert!(least.is_none_or(|least| samples.total.contains(&least)));
        }
    }
}
