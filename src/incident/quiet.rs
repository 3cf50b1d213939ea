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
