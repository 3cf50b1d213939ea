//! The only source of the present time, and of waiting for a later one.

use std::sync::{Arc, Mutex, PoisonError};
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

    /// How far the machine's own clock is ahead of that of the server which this one follows; zero where it
    /// follows none.
    fn ahead(&self) -> SignedDuration {
        SignedDuration::ZERO
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

/// A clock that agents on several machines share: the machine's own, until it is told what a server shows, and
/// the server's from then on.
///
/// Between two answers of the server it runs by what has passed, so that nothing changes when the machine's
/// clock is set.
#[derive(Debug, Default)]
pub struct SharedClock(Mutex<Option<Shown>>);

/// What a clock showed at a moment.
#[derive(Debug, Clone, Copy)]
struct Shown {
    time: Timestamp,
    at: Instant,
    is_followed: bool,
}

impl Shown {
    fn later_at(&self, moment: Instant) -> Timestamp {
        later(self.time, moment.saturating_duration_since(self.at))
    }
}

impl SharedClock {
    /// A clock that shows this time now.
    pub fn showing(time: Timestamp) -> Self {
        Self(Mutex::new(Some(Shown { time, at: Instant::now(), is_followed: false })))
    }

    /// Follows a server that showed `time` at some moment since it was `asked`. What differs by no more than
    /// that can be wrong changes nothing, so that the time does not jump about.
    pub fn follow(&self, time: Timestamp, asked: Instant) {
        let half = asked.elapsed() / 2;
        let new = Shown { time, at: asked + half, is_followed: true };
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stays = shown.filter(|shown| shown.is_followed).is_some_and(|shown| {
            let apart = new.time.duration_since(shown.later_at(new.at));
            apart.unsigned_abs() <= half
        });
        if !stays {
            *shown = Some(new);
        }
    }

    fn shown(&self) -> Option<Shown> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        self.shown().map_or_else(|| SystemClock.now(), |shown| shown.later_at(Instant::now()))
    }

    fn is_true(&self) -> bool {
        true
    }

    fn ahead(&self) -> SignedDuration {
        match self.shown().filter(|shown| shown.is_followed) {
            Some(shown) => SystemClock.now().duration_since(shown.later_at(Instant::now())),
            None => SignedDuration::ZERO,
        }
    }
}

/// A clock that runs faster than the machine's: for the demo, and for tests of what takes hours.
///
/// Schedules, reminders and retries follow it; time-outs of the network stay real.
#[derive(Debug, Clone)]
pub struct FastClock {
    machine: Arc<SharedClock>,
    /// When both show the same.
    since: Timestamp,
    speed: f64,
}

impl FastClock {
    /// A clock that shows `from` and then runs `speed` times as fast, 1 at least.
    pub fn new(from: Timestamp, speed: f64) -> Self {
        Self::on(Arc::new(SharedClock::showing(from)), from, speed)
    }

    /// A clock that has run `speed` times as fast since the machine's clock showed `since`, so that a
    /// process that starts again goes on where the last one was.
    pub fn since(since: Timestamp, speed: f64) -> Self {
        Self::on(Arc::new(SharedClock::showing(SystemClock.now())), since, speed)
    }

    /// The same, on a clock that others share.
    pub fn on(machine: Arc<SharedClock>, since: Timestamp, speed: f64) -> Self {
        let speed = if speed >= 1.0 { speed } else { 1.0 };
        Self { machine, since, speed }
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        let passed = self.machine.now().duration_since(self.since).as_secs_f64() * self.speed;
        let passed = SignedDuration::try_from_secs_f64(passed).unwrap_or(SignedDuration::MAX);
        self.since.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    fn takes(&self, span: Duration) -> Duration {
        span.div_f64(self.speed)
    }

    fn speed(&self) -> f64 {
        self.speed
    }

    fn ahead(&self) -> SignedDuration {
        self.machine.ahead()
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

    #[tokio::test]
    async fn a_shared_clock_shows_what_the_server_does_and_does_not_jump_about() {
        let shared = Arc::new(SharedClock::default());
        assert_eq!((shared.ahead(), shared.is_true()), (SignedDuration::ZERO, true));
        let fast = FastClock::on(Arc::clone(&shared), SystemClock.now(), 60.0);
        let five = SignedDuration::from_mins(5);
        let asked = Instant::now();
        shared.follow(SystemClock.now() - five, asked);
        let off = shared.ahead() - five;
        assert!(off.unsigned_abs() < Duration::from_secs(1), "{off:?}");
        assert!(fast.ahead().as_mins() >= 4, "a fast one is on it");
        assert!(fast.now() < SystemClock.now() - five * 59, "and what it shows goes with it");
        let before = shared.shown().unwrap().time;
        // An answer that took long may be that wrong.
        let long_ago = asked.checked_sub(Duration::from_secs(40)).unwrap_or(asked);
        shared.follow(SystemClock.now() - five - SignedDuration::from_secs(10), long_ago);
        assert_eq!(shared.shown().unwrap().time, before);
        shared.follow(SystemClock.now() + five, Instant::now());
        assert!(shared.ahead().as_mins() <= -4, "{:?}", shared.ahead());
    }
}
