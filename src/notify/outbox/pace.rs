//! How long after a failed try the next one comes, and when it is the last.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

/// Waits after the first failures, in seconds; after them every [`EVERY`].
const WAITS: [u64; 6] = [5, 15, 30, 60, 120, 300];
/// See [`WAITS`].
const EVERY: Duration = Duration::from_mins(10);
/// A wait is longer or shorter by up to this part of it, so that many deliveries that failed together do
/// not come back together.
const JITTER: f64 = 0.2;
/// A day of trying: no delivery is given up sooner.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Nor after fewer tries than this, however old the message is: an agent that was off for a weekend still
/// tries for hours, and one that is asked to wait an hour each time for a day.
const TRIES: u32 = 24;
/// After this many failures in a row the fallback is told while the channel itself goes on trying.
const PATIENCE: u32 = 4;

/// The wait after the failure of try number `attempt`, which is the same for the same delivery.
pub(super) fn wait(delivery: &str, attempt: u32, asked: Option<Duration>) -> Duration {
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = WAITS.get(index).map_or(EVERY, |seconds| Duration::from_secs(*seconds));
    let digest =
        Sha256::new().chain_update(delivery).chain_update(attempt.to_be_bytes()).finalize();
    let chance = f64::from(digest.first().copied().unwrap_or_default()) / 255.0;
    let wait = wait.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance);
    asked.map_or(wait, |asked| asked.max(wait))
}

/// Whether try number `attempt` of a message that was begun at `begun` was the last.
pub(super) fn is_last(attempt: u32, begun: Timestamp, now: Timestamp) -> bool {
    attempt >= TRIES && now.duration_since(begun) >= DAY
}

/// Whether the fallback is told of a message that a channel has not taken yet.
pub(super) const fn is_too_long(attempt: u32) -> bool {
    attempt >= PATIENCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_ten_minutes_and_are_never_the_same_for_two_deliveries() {
        let mut before = Duration::ZERO;
        for (attempt, seconds) in (1..).zip([5, 15, 30, 60, 120, 300, 600, 600, 600]) {
            let wait = wait("dlv_a", attempt, None).as_secs_f64();
            let seconds = f64::from(seconds);
            assert!((0.8 * seconds..=1.2 * seconds).contains(&wait), "{attempt}: {wait}");
            before += Duration::from_secs_f64(wait);
        }
        assert!(before > Duration::from_mins(30));
        assert_ne!(wait("dlv_a", 3, None), wait("dlv_b", 3, None));
        assert_eq!(wait("dlv_a", 3, None), wait("dlv_a", 3, None));
        let hour = Some(Duration::from_hours(1));
        assert_eq!(wait("dlv_a", 1, hour), Duration::from_hours(1));
        assert!(wait("dlv_a", 9, Some(Duration::ZERO)) > Duration::from_mins(7));
    }

    #[test]
    fn a_day_of_trying_is_the_end_and_a_weekend_of_silence_is_not() {
        let begun: Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
        let later = |hours| begun + SignedDuration::from_hours(hours);
        assert!(!is_last(150, begun, later(23)));
        assert!(is_last(150, begun, later(24)));
        assert!(!is_last(3, begun, later(72)));
        // A clock that went back ends nothing.
        assert!(!is_last(200, begun, later(-5)));
        assert!(!is_too_long(3) && is_too_long(4));
    }
}
