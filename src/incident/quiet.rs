//! The quiet hours of a channel, in the time zone of a project.

use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

use super::Quiet;
use crate::schedule::read_zone;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// When the quiet hours end in which `now` is; nothing where it is in none. An unknown zone is UTC.
pub(super) fn end_of_quiet(quiet: Quiet, zone: &str, now: Timestamp) -> Option<Timestamp> {
    let zone = read_zone(zone).unwrap_or(TimeZone::UTC);
    let local = zone.to_datetime(now);
    let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).ok()?;
    let (from, to) = (quiet.from % DAY, quiet.to.min(DAY));
    let spans_midnight = from >= to;
    let is_quiet = if spans_midnight {
        from != to && (minute >= from || minute < to)
    } else {
        (from..to).contains(&minute)
    };
    if !is_quiet {
        return None;
    }
    let ends_tomorrow = to == DAY || (spans_midnight && minute >= from);
    let day = if ends_tomorrow { local.date().tomorrow().ok()? } else { local.date() };
    let minutes = to % DAY;
    let hour = i8::try_from(minutes / 60).ok()?;
    let time = Time::new(hour, i8::try_from(minutes % 60).ok()?, 0, 0).ok()?;
    instant(&zone, day.to_datetime(time), now)
}

/// The first time after `now` at which a clock on the wall shows `civil`, or would have: a time that the
/// change to summer time leaves out is the moment of the change.
fn instant(zone: &TimeZone, civil: DateTime, now: Timestamp) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    if let AmbiguousOffset::Gap { .. } = ambiguous.offset() {
        let before = ambiguous.earlier().ok()?.checked_sub(24.hours()).ok()?;
        let mut changes = zone.following(before.max(now));
        return changes.next().map(|change| change.timestamp());
    }
    let first = ambiguous.earlier().ok()?;
    let end = if first > now { first } else { ambiguous.later().ok()? };
    (end > now).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(quiet: (u16, u16), zone: &str, now: &str) -> Option<String> {
        let quiet = Quiet { from: quiet.0, to: quiet.1 };
        end_of_quiet(quiet, zone, now.parse().unwrap()).map(|end| end.to_string())
    }

    #[test]
    fn quiet_hours_end_on_the_right_day() {
        let night = (22 * 60, 7 * 60);
        let morning = Some("2026-11-23T07:00:00Z".to_owned());
        assert_eq!(end(night, "UTC", "2026-11-22T21:59:59Z"), None);
        assert_eq!(end(night, "UTC", "2026-11-22T22:00:00Z"), morning);
        assert_eq!(end(night, "UTC", "2026-11-23T06:59:59Z"), morning);
        assert_eq!(end(night, "UTC", "2026-11-23T07:00:00Z"), None);
        let noon = (12 * 60, 13 * 60 + 30);
        assert_eq!(end(noon, "UTC", "2026-11-22T11:59:00Z"), None);
        assert_eq!(
            end(noon, "UTC", "2026-11-22T12:30:00Z"),
            Some("2026-11-22T13:30:00Z".to_owned())
        );
        assert_eq!(end(noon, "UTC", "2026-11-22T13:30:00Z"), None);
        let evening = (20 * 60, 24 * 60);
        assert_eq!(
            end(evening, "UTC", "2026-11-22T20:00:00Z"),
            Some("2026-11-23T00:00:00Z".to_owned())
        );
        assert_eq!(end((300, 300), "UTC", "2026-11-22T05:00:00Z"), None);
        assert_eq!(
            end((0, 24 * 60), "UTC", "2026-11-22T05:00:00Z"),
            Some("2026-11-23T00:00:00Z".into())
        );
    }

    #[test]
    fn they_are_those_of_the_project_and_an_unknown_zone_is_utc() {
        let night = (22 * 60, 7 * 60);
        let end = |zone| end(night, zone, "2026-11-22T21:30:00Z");
        assert_eq!(end("Europe/Berlin"), Some("2026-11-23T06:00:00Z".to_owned()));
        assert_eq!(end("Mars/Phobos"), None);
    }

    #[test]
    fn a_change_of_the_clock_neither_loses_nor_repeats_their_end() {
        // Berlin skips 02:00–03:00 on 2026-03-29 and repeats 02:00–03:00 on 2026-10-25.
        let short = (22 * 60, 2 * 60 + 30);
        assert_eq!(
            end(short, "Europe/Berlin", "2026-03-28T22:00:00Z"),
            Some("2026-03-29T01:00:00Z".to_owned())
        );
        assert_eq!(
            end(short, "Europe/Berlin", "2026-10-24T22:00:00Z"),
            Some("2026-10-25T00:30:00Z".to_owned())
        );
        // The second time that the clock shows 02:10.
        assert_eq!(
            end(short, "Europe/Berlin", "2026-10-25T01:10:00Z"),
            Some("2026-10-25T01:30:00Z".to_owned())
        );
        assert_eq!(
            end((22 * 60, 7 * 60), "Europe/Berlin", "2026-03-28T22:00:00Z"),
            Some("2026-03-29T05:00:00Z".to_owned())
        );
    }

    #[test]
    fn the_ends_of_time_break_nothing() {
        for now in [Timestamp::MIN, Timestamp::MAX] {
            for quiet in [(0, 24 * 60), (22 * 60, 7 * 60), (9_999, 9_999), (1, 65_535)] {
                let end = end_of_quiet(Quiet { from: quiet.0, to: quiet.1 }, "Europe/Berlin", now);
                assert!(end.is_none_or(|end| end > now));
            }
        }
    }
}
