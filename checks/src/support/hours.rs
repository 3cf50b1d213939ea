//! Business hours: the age of a request, reckoned in the hours in which somebody is there.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// No request is reckoned further back than so many days.
const DAYS: i64 = 400;
/// The minutes of a day.
const DAY: u32 = 24 * 60;
const WEEK: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

/// Hours of some days of the week, written `"Mon-Fri 09:00-17:00"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHours {
    /// The first and the last day, counted from Monday.
    days: (usize, usize),
    /// Minutes after midnight.
    from: u32,
    to: u32,
}

/// A time zone by its name in the IANA database, such as `"Europe/Berlin"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(String);

impl Default for Zone {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

impl OpenHours {
    fn on(&self, day: Weekday) -> bool {
        let place = WEEK.iter().position(|(_, known)| *known == day).unwrap_or_default();
        let (first, last) = self.days;
        if first <= last {
            (first..=last).contains(&place)
        } else {
            place >= first || place <= last
        }
    }
}

/// The seconds from `since` to `now` that lie within business hours; all of them where there are none.
/// Hours that overlap count once for each.
pub(super) fn age(since: Timestamp, now: Timestamp, hours: &[OpenHours], zone: &Zone) -> f64 {
    let whole = seconds(now) - seconds(since);
    if hours.is_empty() || whole <= 0.0 {
        return whole.max(0.0);
    }
    let zone = TimeZone::get(&zone.0).unwrap_or(TimeZone::UTC);
    let date = |at: Timestamp| at.to_zoned_datetime(zone.clone()).datetime().date();
    let (first, last) = (date(since), date(now));
    let earliest = last.checked_sub(DAYS.days()).unwrap_or(last);
    let mut day = first.max(earliest);
    let mut spent = 0.0;
    while day <= last {
        for span in hours.iter().filter(|span| span.on(day.weekday())) {
            let at = |minutes: u32| {
                let start = day.at(0, 0, 0, 0).checked_add(i64::from(minutes).minutes()).ok()?;
                Some(start.to_zoned_datetime(zone.clone()).ok()?.timestamp())
            };
            if let (Some(from), Some(to)) = (at(span.from), at(span.to)) {
                let (from, to) = (from.max(since), to.min(now));
                spent += (seconds(to) - seconds(from)).max(0.0);
            }
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    spent
}

fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

impl fmt::Display for OpenHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |place: usize| WEEK.get(place).map_or("", |(name, _)| *name);
        let (first, last) = self.days;
        f.write_str(name(first))?;
        if first != last {
            write!(f, "-{}", name(last))?;
        }
        let clock = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        write!(f, " {}-{}", clock(self.from), clock(self.to))
    }
}

impl FromStr for OpenHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (days, times) = text.trim().split_once(' ')?;
            let (first, last) = days.split_once('-').unwrap_or((days, days));
            let place = |day: &str| WEEK.iter().position(|(name, _)| *name == day);
            let (from, to) = times.trim().split_once('-')?;
            let (from, to) = (minutes(from)?, minutes(to)?);
            (from < to).then_some(Self { days: (place(first)?, place(last)?), from, to })
        };
        read().ok_or_else(|| {
            format!("{text:?} are no business hours; write them as \"Mon-Fri 09:00-17:00\"")
        })
    }
}

/// `09:30` as minutes after midnight, `24:00` included.
fn minutes(text: &str) -> Option<u32> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour.checked_mul(60)?.checked_add(minute)?;
    (minute < 60 && all <= DAY).then_some(all)
}

impl Serialize for OpenHours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OpenHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for OpenHours {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("OpenHours")
    }
    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": "hours such as \"Mon-Fri 09:00-17:00\""})
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        TimeZone::get(&name).map_err(|_error| {
            D::Error::custom(format!(
                "{name:?} is no time zone; write one such as \"Europe/Berlin\""
            ))
        })?;
        Ok(Self(name))
    }
}

impl JsonSchema for Zone {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Zone")
    }
    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": "a time zone such as \"Europe/Berlin\""})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(texts: &[&str]) -> Vec<OpenHours> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn age_h(since: &str, now: &str, texts: &[&str], zone: &str) -> f64 {
        let zone = Zone(zone.to_owned());
        age(since.parse().unwrap(), now.parse().unwrap(), &hours(texts), &zone) / 3600.0
    }

    #[test]
    fn hours_are_written_as_they_are_read_and_nonsense_is_refused() {
        for text in ["Mon-Fri 09:00-17:00", "Sat 10:00-14:30", "Sun-Tue 00:00-24:00"] {
            assert_eq!(text.parse::<OpenHours>().unwrap().to_string(), text);
        }
        for bad in ["", "Mon", "Mon 9-17", "Mon 17:00-09:00", "Foo 09:00-17:00", "Mon 09:00-24:01"]
        {
            assert!(bad.parse::<OpenHours>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Zone>("\"Europe/Berlin\"").is_ok());
        assert!(serde_json::from_str::<Zone>("\"Atlantis\"").is_err());
    }

    #[test]
    fn a_weekend_and_a_night_do_not_age_a_request() {
        let week = ["Mon-Fri 09:00-17:00"];
        // From Friday 16:00 to Monday 10:00 somebody is there for two hours.
        let weekend = age_h("2026-11-20T16:00:00Z", "2026-11-23T10:00:00Z", &week, "UTC");
        assert!((weekend - 2.0).abs() < 1e-9, "{weekend}");
        let around = age_h("2026-11-20T16:00:00Z", "2026-11-23T10:00:00Z", &[], "UTC");
        assert!((around - 66.0).abs() < 1e-9, "{around}");
        // Ten in the morning in Berlin is nine in UTC.
        let berlin = age_h("2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z", &week, "Europe/Berlin");
        assert!((berlin - 1.0).abs() < 1e-9, "{berlin}");
        let future = age_h("2026-11-23T10:00:00Z", "2026-11-23T09:00:00Z", &week, "UTC");
        assert!(future.abs() < 1e-9);
        let over =
            age_h("2026-11-21T12:00:00Z", "2026-11-23T12:00:00Z", &["Sun-Mon 00:00-24:00"], "UTC");
        assert!((over - 36.0).abs() < 1e-9, "{over}");
    }
}
