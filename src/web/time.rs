//! Times as a reader wants them: in the project's zone, with how long ago in words.

use std::fmt;

use askama::filters::HtmlSafe;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::show::Escaped;
use crate::clock::{Clock, last_day};

/// A time in a zone, with the distance from the present.
#[derive(Debug, Clone)]
pub(super) struct When {
    /// As a machine reads it.
    iso: String,
    /// As a reader of the zone does.
    pub(super) local: String,
    /// `3 hours ago`.
    pub(super) ago: String,
}

impl When {
    pub(super) fn new(at: Timestamp, now: Timestamp, zone: &TimeZone) -> Self {
        Self {
            iso: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            local: at.to_zoned_datetime(zone.clone()).strftime("%-d %b %Y, %H:%M %Z").to_string(),
            ago: ago(at, now),
        }
    }

    /// When something is done next: what is due was not done yet, however long ago that is.
    pub(super) fn due(at: Timestamp, now: Timestamp, zone: &TimeZone) -> Self {
        let when = Self::new(at, now, zone);
        if at <= now { Self { ago: "due now".to_owned(), ..when } } else { when }
    }

    /// The end of what holds until then: its last day where it ends with one.
    pub(super) fn end(at: Timestamp, now: Timestamp, zone: &TimeZone) -> Self {
        let when = Self::new(at, now, zone);
        match last_day(at) {
            Some(day) => {
                Self { local: day.strftime("the end of %-d %b %Y UTC").to_string(), ..when }
            }
            None => when,
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { iso, local, ago } = self;
        let (local, ago) = (Escaped(local), Escaped(ago));
        write!(f, "<time datetime=\"{iso}\">{local}</time> <span class=\"soft\">({ago})</span>")
    }
}

impl HtmlSafe for When {}

/// From how many seconds on a machine whose clock is off is told of.
const OFF: u64 = 30;

/// What a reader has to know before the times of a clock that runs faster than the world's, or that is not
/// the machine's own.
pub(super) fn pace(clock: &dyn Clock) -> Option<String> {
    let speed = clock.speed();
    let now = || clock.now().strftime("%-d %b %Y, %H:%M UTC");
    let fast = (speed > 1.0).then(|| {
        format!(
            "This agent's clock runs {speed} times faster than yours, for trials: by it, it is {}. Every \
             time here and in the messages is by that clock.",
            now()
        )
    });
    let ahead = clock.ahead().as_secs();
    let off = (ahead.unsigned_abs() > OFF).then(|| {
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        format!(
            "The clock of this agent's machine is {} {side} that of the store's server. Every time here is \
             by the server: by it, it is {}. Let NTP put the machine right.",
            length(ahead.unsigned_abs()),
            now()
        )
    });
    let said: Vec<String> = fast.into_iter().chain(off).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// The zone of a project; UTC where the machine does not know it.
pub(super) fn zone(name: &str) -> TimeZone {
    crate::schedule::read_zone(name).unwrap_or(TimeZone::UTC)
}

/// How far a time is from the present: `just now`, `5 minutes ago`, `in 2 days`.
fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs();
    if seconds.abs() < 45 {
        return if seconds < 0 { "in a moment" } else { "just now" }.to_owned();
    }
    let length = length(seconds.unsigned_abs());
    if seconds > 0 { format!("{length} ago") } else { format!("in {length}") }
}

/// A length of time in one unit: `45 seconds`, `3 hours`, `12 days`.
pub(super) fn length(seconds: u64) -> String {
    let (size, unit) = match seconds {
        ..90 => (1, "second"),
        90..5_400 => (60, "minute"),
        5_400..129_600 => (3_600, "hour"),
        _ => (86_400, "day"),
    };
    super::show::count((seconds + size / 2) / size, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_runs_faster_is_explained() {
        let from: Timestamp = "2026-07-22T05:00:00Z".parse().unwrap();
        let said = pace(&crate::clock::FastClock::new(from, 4.0)).unwrap();
        assert!(said.contains("runs 4 times faster than yours"), "{said}");
        assert!(said.contains("it is 22 Jul 2026, 05:00 UTC"), "{said}");
        assert_eq!(pace(&crate::clock::SystemClock), None);
    }

    #[tokio::test]
    async fn a_machine_whose_clock_is_off_is_told_of() {
        use crate::clock::{SharedClock, SystemClock};
        let clock = SharedClock::default();
        let asked = tokio::time::Instant::now();
        clock.follow(SystemClock.now() - jiff::SignedDuration::from_secs(300), asked);
        let said = pace(&clock).unwrap();
        assert!(said.contains("is 5 minutes ahead of that of the store's server"), "{said}");
        clock.follow(SystemClock.now() + jiff::SignedDuration::from_secs(20), asked);
        assert_eq!(pace(&clock), None);
    }

    #[test]
    fn a_time_is_read_in_its_zone_and_from_now() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-07-22T08:00:00Z");
        let when = When::new(at("2026-07-22T05:00:00Z"), now, &zone("Europe/Berlin"));
        assert_eq!(
            when.to_string(),
            "<time datetime=\"2026-07-22T05:00:00Z\">22 Jul 2026, 07:00 CEST</time> \
             <span class=\"soft\">(3 hours ago)</span>"
        );
        let due = |text: &str| When::due(at(text), now, &zone("UTC")).ago;
        assert_eq!(due("2026-07-22T07:59:00Z"), "due now");
        assert_eq!(due("2026-07-22T08:05:00Z"), "in 5 minutes");
        let ago = |text: &str| ago(at(text), now);
        assert_eq!(ago("2026-07-22T07:59:30Z"), "just now");
        assert_eq!(ago("2026-07-22T08:00:30Z"), "in a moment");
        assert_eq!(ago("2026-07-22T07:55:00Z"), "5 minutes ago");
        assert_eq!(ago("2026-07-24T08:00:00Z"), "in 2 days");
        assert_eq!(ago("2026-07-22T08:01:00Z"), "in 60 seconds");
        assert_eq!(length(1), "1 second");
    }
}
