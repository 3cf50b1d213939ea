//! When something is due: every so often, or by five-field cron in a time zone.

use std::str::FromStr as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A five-field cron expression in a time zone. Weekdays are those of Unix: 0 and 7 are Sunday.
#[derive(Debug, Clone)]
pub struct Cron {
    text: String,
    schedule: Box<cron::Schedule>,
    zone: TimeZone,
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.zone == other.zone
    }
}

impl Eq for Cron {}

/// Why a schedule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// No five-field cron.
    #[error(
        "{0:?} is no five-field cron expression; write minute hour day month weekday, such as \"*/10 * * * *\" or \"0 7 * * 1-5\""
    )]
    Cron(String),
    /// It never comes.
    #[error("{0:?} never comes; check day and month")]
    Never(String),
    /// No such time zone.
    #[error("{0:?} is no time zone; write a name such as \"UTC\" or \"Europe/Berlin\"")]
    Zone(String),
}

/// When a job is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// Every so often, shifted by a part of the interval that depends on the project.
    Every(Duration),
    /// At these times.
    Cron(Cron),
}

/// Reads the name of a time zone.
///
/// # Errors
/// There is none of that name.
pub fn read_zone(name: &str) -> Result<TimeZone, ScheduleError> {
    TimeZone::get(name).map_err(|_source| ScheduleError::Zone(name.to_owned()))
}

impl Cron {
    /// Reads a five-field expression.
    ///
    /// # Errors
    /// It is none, or never comes.
    pub fn new(text: &str, zone: TimeZone) -> Result<Self, ScheduleError> {
        let wrong = || ScheduleError::Cron(text.to_owned());
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else { return Err(wrong()) };
        let weekday = unix_weekdays(weekday).ok_or_else(wrong)?;
        let with_seconds = format!("0 {minute} {hour} {day} {month} {weekday}");
        let schedule = cron::Schedule::from_str(&with_seconds).map_err(|_source| wrong())?;
        let cron = Self { text: text.to_owned(), schedule: Box::new(schedule), zone };
        if cron.after(Timestamp::UNIX_EPOCH).is_none() {
            return Err(ScheduleError::Never(text.to_owned()));
        }
        Ok(cron)
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name of the zone in which it is read; empty where it has none.
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or_default()
    }

    /// The first time after `now`. A local time that a change to summer time leaves out comes at the end
    /// of the gap; one that comes twice counts once, the first time.
    pub fn after(&self, now: Timestamp) -> Option<Timestamp> {
        let mut civil = now.to_zoned_datetime(self.zone.clone()).datetime();
        // Local time may stand still for an hour at most; a few steps always lead past it.
        for _ in 0..200 {
            let next = self.schedule.after(&to_chrono(civil)?).next()?;
            civil = from_chrono(&next)?;
            let at = self.zone.to_ambiguous_zoned_datetime(civil).compatible().ok()?.timestamp();
            if at > now {
                return Some(at);
            }
        }
        None
    }

    /// The last time at or before `now`, looking back `span` at most.
    pub fn last_within(&self, now: Timestamp, span: Duration) -> Option<Timestamp> {
        let start = now.checked_sub(jiff::SignedDuration::try_from(span).ok()?).ok()?;
        let mut last = None;
        let mut at = start.checked_sub(jiff::SignedDuration::from_secs(1)).ok()?;
        // A window is shorter than its period many times over; a minute is the shortest period.
        for _ in 0..100_000 {
            match self.after(at) {
                Some(next) if next <= now => {
                    last = Some(next);
                    at = next;
                }
                _ => break,
            }
        }
        last
    }
}

/// The `cron` crate counts weekdays from 1 for Sunday; Unix counts from 0 and takes 7 for Sunday too.
fn unix_weekdays(field: &str) -> Option<String> {
    const NAMES: [&str; 8] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
    let day = |text: &str| -> Option<usize> {
        if let Ok(number) = text.parse::<usize>() {
            return (number <= 7).then_some(number);
        }
        let upper = text.to_ascii_uppercase();
        NAMES.iter().position(|name| *name == upper)
    };
    let name = |day: usize| NAMES.get(day).copied();
    let mut parts = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match (range, range.split_once('-')) {
            ("*" | "?", _) if step == 1 => return (field == range).then(|| "*".to_owned()),
            ("*" | "?", _) => (0, 6),
            (_, Some((from, to))) => (day(from)?, day(to)?),
            // `2/2` counts from Tuesday on to the end of the week.
            (_, None) if part.contains('/') => (day(range)?, 6),
            (_, None) => (day(range)?, day(range)?),
        };
        if from > to {
            return None;
        }
        for day in (from..=to).step_by(step) {
            parts.push(name(day)?);
        }
    }
    Some(parts.join(","))
}

fn to_chrono(civil: DateTime) -> Option<chrono::DateTime<chrono::Utc>> {
    // The crate wants some zone; the local time is read as if it were UTC, and taken back below.
    let seconds = civil.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().as_second();
    chrono::DateTime::from_timestamp(seconds, 0)
}

fn from_chrono(at: &chrono::DateTime<chrono::Utc>) -> Option<DateTime> {
    let at = Timestamp::from_second(at.timestamp()).ok()?;
    Some(at.to_zoned_datetime(TimeZone::UTC).datetime())
}

impl Schedule {
    /// The first due time after `now`; `phase` between 0 and 1 shifts intervals, so that projects do not
    /// all run at once and the checks of one project share what they fetch.
    pub fn after(&self, now: Timestamp, phase: f64) -> Timestamp {
        match self {
            Self::Every(interval) => {
                let step = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
                #[allow(
                    clippy::cast_possible_truncation,
                    reason = "a part of an interval, far below 2^53 milliseconds"
                )]
                let shift = (phase * step as f64) as i64;
                let now_ms = now.as_millisecond();
                let turns = (now_ms - shift).div_euclid(step) + 1;
                let next = turns.saturating_mul(step).saturating_add(shift);
                Timestamp::from_millisecond(next).unwrap_or(Timestamp::MAX)
            }
            Self::Cron(cron) => cron.after(now).unwrap_or(Timestamp::MAX),
        }
    }

    /// The shortest time between two due times, for the check's `min_interval`.
    pub fn shortest(&self) -> Duration {
        match self {
            Self::Every(interval) => *interval,
            Self::Cron(cron) => {
                let mut shortest = Duration::MAX;
                let mut at = Timestamp::UNIX_EPOCH;
                for _ in 0..64 {
                    let Some(next) = cron.after(at) else { break };
                    if at != Timestamp::UNIX_EPOCH {
                        let gap = Duration::try_from(next.duration_since(at)).unwrap_or_default();
                        shortest = shortest.min(gap);
                    }
                    at = next;
                }
                shortest
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn cron(text: &str, zone: &str) -> Cron {
        Cron::new(text, read_zone(zone).unwrap()).unwrap()
    }

    fn nexts(cron: &Cron, from: &str, count: usize) -> Vec<String> {
        let mut now = at(from);
        let mut all = Vec::new();
        for _ in 0..count {
            now = cron.after(now).unwrap();
            all.push(now.to_string());
        }
        all
    }

    #[test]
    fn weekdays_are_those_of_unix_and_not_those_of_the_crate() {
        // 2026-11-22 is a Sunday.
        for sunday in ["0 7 * * 0", "0 7 * * 7", "0 7 * * sun", "0 7 * * SUN"] {
            assert_eq!(
                nexts(&cron(sunday, "UTC"), "2026-11-20T00:00:00Z", 1),
                ["2026-11-22T07:00:00Z"]
            );
        }
        let workdays = cron("30 6 * * 1-5", "UTC");
        assert_eq!(
            nexts(&workdays, "2026-11-20T07:00:00Z", 2),
            ["2026-11-23T06:30:00Z", "2026-11-24T06:30:00Z"]
        );
        assert_eq!(
            nexts(&cron("0 0 * * 2,4", "UTC"), "2026-11-22T00:00:00Z", 2),
            ["2026-11-24T00:00:00Z", "2026-11-26T00:00:00Z"]
        );
        assert_eq!(
            nexts(&cron("0 0 * * 5-7", "UTC"), "2026-11-19T00:00:00Z", 4),
            [
                "2026-11-20T00:00:00Z",
                "2026-11-21T00:00:00Z",
                "2026-11-22T00:00:00Z",
                "2026-11-27T00:00:00Z"
            ]
        );
    }

    #[test]
    fn what_is_no_five_field_cron_is_an_error_that_says_what_to_write() {
        for bad in [
            "",
            "* * * *",
            "* * * * * *",
            "61 * * * *",
            "* * * * 8",
            "* * * * 5-1",
            "@daily",
            "a b c d e",
            "* * * * */0",
        ] {
            let error = Cron::new(bad, TimeZone::UTC).unwrap_err();
            assert!(error.to_string().contains("*/10 * * * *"), "{bad}: {error}");
        }
        let error = Cron::new("0 0 30 2 *", TimeZone::UTC).unwrap_err();
        assert!(error.to_string().contains("never comes"), "{error}");
        assert!(read_zone("Mars/Phobos").is_err());
    }

    #[test]
    fn a_time_that_summer_time_leaves_out_comes_at_the_end_of_the_gap_and_one_that_comes_twice_once()
     {
        // Berlin skips 02:00–03:00 on 2026-03-29 and repeats 02:00–03:00 on 2026-10-25.
        let nightly = cron("30 2 * * *", "Europe/Berlin");
        assert_eq!(
            nexts(&nightly, "2026-03-28T12:00:00Z", 2),
            ["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]
        );
        assert_eq!(
            nexts(&nightly, "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
    }

    #[test]
    fn intervals_keep_their_phase_whatever_the_moment() {
        let every = Schedule::Every(Duration::from_mins(5));
        let first = every.after(at("2026-11-22T07:01:00Z"), 0.5);
        assert_eq!(first, at("2026-11-22T07:02:30Z"));
        assert_eq!(every.after(first, 0.5), at("2026-11-22T07:07:30Z"));
        assert_eq!(every.after(at("2026-11-22T07:02:31Z"), 0.5), at("2026-11-22T07:07:30Z"));
        assert_eq!(every.shortest(), Duration::from_mins(5));
        let cron = Schedule::Cron(cron("0,7 * * * *", "UTC"));
        assert_eq!(cron.shortest(), Duration::from_mins(7));
    }

    #[test]
    fn the_last_start_of_a_window_is_found_within_its_length() {
        let nightly = cron("0 2 * * *", "UTC");
        let hours = Duration::from_hours(3);
        assert_eq!(
            nightly.last_within(at("2026-11-22T04:59:00Z"), hours),
            Some(at("2026-11-22T02:00:00Z"))
        );
        assert_eq!(nightly.last_within(at("2026-11-22T05:30:00Z"), hours), None);
    }
}
