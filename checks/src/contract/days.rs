//! How far away a day is, in the days of a calendar.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `today`, `in 1 day`, `in 12 days`, or `past`: the days between the dates that a reader sees, in UTC, whatever
/// the hour.
pub fn in_days(at: Timestamp, now: Timestamp) -> String {
    let date = |time| TimeZone::UTC.to_datetime(time).date();
    match date(at).since(date(now)).map_or(0, |span| span.get_days()) {
        ..0 => "past".to_owned(),
        0 => "today".to_owned(),
        1 => "in 1 day".to_owned(),
        days => format!("in {days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_date_to_date() {
        let told = |at: &str| in_days(at.parse().unwrap(), "2026-11-30T12:00:00Z".parse().unwrap());
        assert_eq!(told("2026-12-10T00:00:00Z"), "in 10 days", "nine days and a half");
        assert_eq!(told("2026-12-10T23:59:59Z"), "in 10 days");
        assert_eq!(told("2026-12-01T00:00:00Z"), "in 1 day");
        assert_eq!(told("2026-11-30T23:00:00Z"), "today");
        assert_eq!(told("2026-11-30T01:00:00Z"), "today");
        assert_eq!(told("2026-11-29T23:59:59Z"), "past");
    }
}
