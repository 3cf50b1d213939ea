//! Counts by the hour that are carried from run to run, so that each hour is read once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::probe::{Charge, EventFilter, PaymentEvent, Payments, Period, ProbeError};

/// What is counted in one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) all: u64,
    pub(super) failed: u64,
}

/// Where the counts come from.
pub(super) enum Source<'a> {
    /// Tries to take money; what is pending counts once it is decided.
    Charges(&'a dyn Payments),
    /// Events of these types; of every type where none is named.
    Events(&'a dyn Payments, &'a [String]),
}

/// Counts of whole hours since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// The hours from the first to before the second are read in full.
    span: Option<(i64, i64)>,
    counts: BTreeMap<i64, Counts>,
}

/// The hour of a time.
pub(super) fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3600)
}

/// When an hour begins.
pub(super) fn begin(hour: i64) -> Timestamp {
    Timestamp::from_second(hour.saturating_mul(3600)).unwrap_or_default()
}

/// The most types that one question may name.
const TYPES: usize = 20;

impl Source<'_> {
    /// Adds up the hours from `first` to before `end`; the hour from which on nothing is missing.
    async fn read(
        &self,
        (first, end): (i64, i64),
        counts: &mut BTreeMap<i64, Counts>,
    ) -> Result<i64, ProbeError> {
        let period = Period { since: begin(first), until: Some(begin(end)) };
        let mut oldest = None;
        let mut add = |at: Timestamp, counted: bool, failed: bool| {
            oldest = Some(hour(at));
            if counted {
                let counts = counts.entry(hour(at)).or_default();
                counts.all += 1;
                counts.failed += u64::from(failed);
            }
        };
        let walked = match self {
            Self::Charges(payments) => {
                let mut visit = |charge: Charge| {
                    let failed = charge.status == "failed";
                    add(charge.created, failed || charge.status == "succeeded", failed);
                };
                payments.charges(period, &mut visit).await?
            }
            Self::Events(payments, types) => {
                let few = types.len() <= TYPES && !types.iter().any(|kind| kind == "*");
                let filter = EventFilter {
                    period,
                    types: if few { types.to_vec() } else { Vec::new() },
                    undelivered: false,
                };
                let mut visit = |event: PaymentEvent| {
                    add(event.created, few || is_named(&event.kind, types), false);
                };
                payments.events(filter, &mut visit).await?
            }
        };
        let Some(oldest) = oldest.filter(|_| walked.cut) else { return Ok(first) };
        // The hour in which the walk ended is incomplete.
        counts.retain(|hour, _| *hour < first || *hour > oldest || *hour >= end);
        Ok(oldest + 1)
    }
}

/// Whether an event type is one of those that a destination takes.
pub(super) fn is_named(kind: &str, types: &[String]) -> bool {
    types.iter().any(|named| match named.strip_suffix('*') {
        Some(start) => kind.starts_with(start),
        None => kind == named,
    })
}

impl Hours {
    /// Reads what is missing of the hours from `oldest` to before `end`, the newest first. The hours from
    /// that of `now` on are read again next time, because they are not over.
    pub(super) async fn fill(
        &mut self,
        source: &Source<'_>,
        (oldest, end): (i64, i64),
        now: Timestamp,
    ) -> Result<(), ProbeError> {
        let known = self.span.filter(|(from, to)| *from < *to && *to > oldest && *from < end);
        let (mut from, to) = known.map_or((oldest, oldest), |(from, to)| (from.max(oldest), to));
        self.counts.retain(|hour, _| *hour >= from && *hour < to);
        if to < end {
            let complete = source.read((to, end), &mut self.counts).await?;
            if complete > to {
                // There is a gap: what lies before it is of no use.
                from = complete;
                self.counts.retain(|hour, _| *hour >= from);
                self.keep(from, end, now);
                return Ok(());
            }
        }
        if known.is_some() && from > oldest {
            from = source.read((oldest, from), &mut self.counts).await?;
        }
        self.keep(from, end, now);
        Ok(())
    }

    fn keep(&mut self, from: i64, end: i64, now: Timestamp) {
        let to = end.min(hour(now));
        self.span = (from <= to).then_some((from, to));
    }

    /// The sum of the hours from one on.
    pub(super) fn since(&self, first: i64) -> Counts {
        let mut sum = Counts::default();
        for counts in self.counts.range(first..).map(|(_, counts)| counts) {
            sum.all += counts.all;
            sum.failed += counts.failed;
        }
        sum
    }

    /// The first hour that is read in full.
    pub(super) fn first(&self) -> Option<i64> {
        self.span.map(|(from, _)| from)
    }
}
