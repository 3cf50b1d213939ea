//! Spans of time that never overflow: a clock that jumps back makes them zero, and no sum passes the end.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How long it is from `earlier` to `later`; zero where `later` is before.
pub(super) fn since(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or(Duration::ZERO)
}

/// `at` and `span` later; the end of time where that is beyond it.
pub(super) fn after(at: Timestamp, span: Duration) -> Timestamp {
    SignedDuration::try_from(span)
        .ok()
        .and_then(|span| at.checked_add(span).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_saturate_at_both_ends() {
        let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let later = after(noon, Duration::from_secs(90));
        assert_eq!(since(noon, later), Duration::from_secs(90));
        assert_eq!(since(later, noon), Duration::ZERO);
        assert_eq!(after(noon, Duration::MAX), Timestamp::MAX);
        assert_eq!(after(Timestamp::MAX, Duration::from_secs(1)), Timestamp::MAX);
        assert!(since(Timestamp::MIN, Timestamp::MAX) > Duration::from_hours(24 * 365 * 10_000));
    }
}
