//! How long things are kept.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::StoreError;

/// The most rows that go in one transaction, so that runs wait for a moment only.
pub(super) const ROWS: i64 = 2_000;
/// Spans, resolved incidents with their changes: a year and a month, for a yearly comparison, or as long
/// as the hourly figures where those are kept for longer.
const PAST_DAYS: i64 = 400;
/// Deliveries that were sent or refused for good.
const DELIVERIES_DAYS: i64 = 90;
/// Jobs and promises that the config no longer has: long enough to notice a slip in the config and take it back
/// without losing the past.
const GONE_DAYS: i64 = 30;
/// Silences that have ended, waivers that have expired, and baselines that another one has replaced.
const MUTED_DAYS: i64 = 400;

/// The times before which things go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub(super) figures: Timestamp,
    pub(super) past: Timestamp,
    pub(super) deliveries: Timestamp,
    pub(super) gone: Timestamp,
    pub(super) muted: Timestamp,
}

impl Before {
    /// What is past its keeping time at `now`; hourly figures are kept for `figures`.
    pub(super) fn at(now: Timestamp, figures: Duration) -> Self {
        let days = |days: i64| {
            now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN)
        };
        let figures = SignedDuration::try_from(figures)
            .ok()
            .and_then(|figures| now.checked_sub(figures).ok())
            .unwrap_or(Timestamp::MIN);
        Self {
            figures,
            past: days(PAST_DAYS).min(figures),
            deliveries: days(DELIVERIES_DAYS),
            gone: days(GONE_DAYS),
            muted: days(MUTED_DAYS),
        }
    }
}

/// How upkeep fares: how many rows went, and the first thing that failed.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    rows: u64,
    failed: Option<StoreError>,
}

impl Upkeep {
    /// Counts what a step did, once or again; whether there may be more of it.
    pub(super) fn goes_on(&mut self, done: Result<u64, StoreError>) -> bool {
        match done {
            Ok(rows) => {
                self.rows += rows;
                rows > 0
            }
            Err(error) => {
                if self.failed.is_none() {
                    self.failed = Some(error);
                }
                false
            }
        }
    }

    /// What became of all steps.
    pub(super) fn end(self) -> Result<u64, StoreError> {
        self.failed.map_or(Ok(self.rows), Err)
    }
}
