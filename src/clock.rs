//! The only source of the present time, and of waiting for a later one.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells the time.
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// The present time.
    fn now(&self) -> Timestamp;

    /// Whether it shows what other machines show, and not the time of a trial.
    fn is_true(&self) -> bool {
        false
    }

    /// How long `span` of this clock takes on the machine.
    fn takes(&self, span: Duration) -> Duration {
        span
    }

    /// How many times faster than the machine's it runs.
    fn speed(&self) -> f64 {
        1.0
    }
}

/// Waits for `span` of this clock.
pub async fn pause(clock: &dyn Clock, span: Duration) {
    tokio::time::sleep(clock.takes(span)).await;
}

/// The time to the whole second, as reports write it.
pub fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The time from `from` to `to`; nothing when it is not later.
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// `span` after `at`, or the last time there is.
pub fn later(at: Timestamp, span: Duration) -> Timestamp {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// The last day in UTC of what ends at this time, where it ends with a day: at its last second, or as the
/// next day begins.
pub fn last_day(end: Timestamp) -> Option<Date> {
    let end = TimeZone::UTC.to_datetime(end);
    let (hour, minute, second) = (end.hour(), end.minute(), end.second());
    match (hour, minute, second) {
        (0, 0, 0) => end.date().yesterday().ok(),
        (23, 59, 59) => Some(end.date()),
        _ => None,
    }
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // A clock before 1970 is read as 1970.
        let milliseconds = since.unwrap_or_default().as_millis();
        let milliseconds = i64::try_from(milliseconds).ok();
        milliseconds.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default()
    }

    fn is_true(&self) -> bool {
        true
    }
}

/// A clock that stands still, for replays.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A clock that runs faster than the machine's: for the demo, and for tests of what takes hours.
///
/// Schedules, reminders and retries follow it; time-outs of the network stay real.
#[derive(Debug, Clone, Copy)]
pub struct FastClock {
    from: Timestamp,
    began: Instant,
    speed: f64,
}

impl FastClock {
    /// A clock that shows `from` and then runs `speed` times as fast, 1 at least.
    pub fn new(from: Timestamp, speed: f64) -> Self {
        Self { from, began: Instant::now(), speed: if speed >= 1.0 { speed } else { 1.0 } }
    }

    /// A clock that has run `speed` times as fast since the machine's clock showed `since`, so that a
    /// process that starts again goes on where the last one was.
    pub fn since(since: Timestamp, speed: f64) -> Self {
        let passed = between(since, SystemClock.now());
        let clock = Self::new(since, speed);
        Self { from: later(since, passed.mul_f64(clock.speed)), ..clock }
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        later(self.from, self.began.elapsed().mul_f64(self.speed))
    }

    fn takes(&self, span: Duration) -> Duration {
        span.div_f64(self.speed)
    }

    fn speed(&self) -> f64 {
        self.speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fast_clock_makes_an_hour_of_a_minute() {
        let from: Timestamp = "2026-11-22T07:00:00Z".parse().unwrap();
        let clock = FastClock::new(from, 60.0);
        pause(&clock, Duration::from_secs(3)).await;
        assert!(between(from, clock.now()) >= Duration::from_secs(3));
        let restarted = FastClock::since(later(SystemClock.now(), Duration::ZERO), 60.0);
        assert!(between(SystemClock.now(), restarted.now()) < Duration::from_mins(5));
        assert_eq!(clock.takes(Duration::from_mins(1)), Duration::from_secs(1));
        assert_eq!(between(clock.now(), from), Duration::ZERO);
        assert_eq!(later(Timestamp::MAX, Duration::MAX), Timestamp::MAX);
    }
}
