//! How long things are kept.

use jiff::{SignedDuration, Timestamp};

/// Hourly figures of measurements: a quarter, so that a month can be compared with the one before.
const FIGURES_DAYS: i64 = 90;
/// Spans, resolved incidents with their changes: a year and a month, for a yearly comparison.
const PAST_DAYS: i64 = 400;
/// Deliveries that were sent or refused for good.
const DELIVERIES_DAYS: i64 = 90;
/// Jobs that the config no longer has: long enough to notice a slip in the config and take it back
/// without losing the past.
const GONE_DAYS: i64 = 30;
/// Silences that have ended and waivers that have expired.
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
    /// What is past its keeping time at `now`.
    pub(super) fn at(now: Timestamp) -> Self {
        let days = |days: i64| {
            now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN)
        };
        Self {
            figures: days(FIGURES_DAYS),
            past: days(PAST_DAYS),
            deliveries: days(DELIVERIES_DAYS),
            gone: days(GONE_DAYS),
            muted: days(MUTED_DAYS),
        }
    }
}
