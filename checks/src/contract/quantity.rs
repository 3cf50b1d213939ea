//! Options whose unit stands in the value: `"24h"`, `"300ms"`, `"2%"`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Why a value with a unit could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a number followed by a unit of time.
    #[error(
        "{0:?} is no duration; write a number and a unit, such as \"300ms\", \"90s\", \"15m\", \"24h\" or \"30d\""
    )]
    Age(String),
    /// Not a number between 0 and 100 followed by a per cent sign.
    #[error(
        "{0:?} is no percentage; write a number from 0 to 100 and a per cent sign, such as \"2%\""
    )]
    Ratio(String),
}

/// A length of time written as `"300ms"`, `"90s"`, `"15m"`, `"24h"` or `"30d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age(pub Duration);

impl Age {
    /// So many milliseconds.
    pub const fn millis(n: u64) -> Self {
        Self(Duration::from_millis(n))
    }
    /// So many seconds.
    pub const fn secs(n: u64) -> Self {
        Self(Duration::from_secs(n))
    }
    /// So many minutes.
    pub const fn minutes(n: u64) -> Self {
        Self(Duration::from_secs(n * 60))
    }
    /// So many hours.
    pub const fn hours(n: u64) -> Self {
        Self(Duration::from_secs(n * 3600))
    }
    /// So many days of 24 hours.
    pub const fn days(n: u64) -> Self {
        Self(Duration::from_secs(n * 86_400))
    }
    /// The length in seconds.
    pub fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }
    /// The length in whole seconds, signed, for arithmetic with timestamps.
    pub fn whole_seconds(self) -> i64 {
        i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX)
    }
    /// This long before `now`, to the whole second; the first time there is where that is earlier.
    pub fn before(self, now: Timestamp) -> Timestamp {
        let span = SignedDuration::from_secs(self.whole_seconds());
        now.checked_sub(span).unwrap_or(Timestamp::MIN)
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
            // Days read best from two on: "24h" is how the thresholds are written.
            if ms >= size && ms.is_multiple_of(size) && (unit != "d" || ms > size) {
                return write!(f, "{}{unit}", ms / size);
            }
        }
        write!(f, "{ms}ms")
    }
}

impl FromStr for Age {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || QuantityError::Age(text.to_owned());
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
        let (number, unit) = text.split_at(split);
        let number: u64 = number.parse().map_err(|_source| error())?;
        let factor = match unit.trim() {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(error()),
        };
        number.checked_mul(factor).map(Self::millis).ok_or_else(error)
    }
}

/// A part of one, written as `"2%"`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Ratio(pub f64);

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded to hide binary fractions: 0.0075 * 100 is 0.75 and not 0.7500000000000001.
        write!(f, "{}%", (self.0 * 1e8).round() / 1e6)
    }
}

impl FromStr for Ratio {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || QuantityError::Ratio(text.to_owned());
        let number = text.strip_suffix('%').ok_or_else(error)?.trim();
        let number: f64 = number.parse().map_err(|_source| error())?;
        if (0.0..=100.0).contains(&number) { Ok(Self(number / 100.0)) } else { Err(error()) }
    }
}

macro_rules! as_text {
    ($type:ty, $name:literal, $pattern:literal, $description:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'_, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
            fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": $pattern, "description": $description})
            }
        }
    };
}
as_text!(
    Age,
    "Age",
    "^[0-9]{1,9} *(ms|s|m|h|d)$",
    "a duration such as \"300ms\", \"90s\", \"15m\", \"24h\" or \"30d\""
);
as_text!(Ratio, "Ratio", "^[0-9]+(\\.[0-9]+)? *%$", "a percentage such as \"2%\"");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in ["300ms", "90s", "15m", "24h", "30d", "1500ms", "0ms"] {
            assert_eq!(text.parse::<Age>().unwrap().to_string(), text);
        }
        for bad in
            ["", "24", "h", "-1h", "1 week", "99999999999999999999d", "18446744073709551615d"]
        {
            assert!(bad.parse::<Age>().is_err(), "{bad}");
        }
    }

    #[test]
    fn percentages_are_written_as_they_are_read() {
        for text in ["2%", "0.75%", "98%", "100%"] {
            assert_eq!(text.parse::<Ratio>().unwrap().to_string(), text);
        }
        for bad in ["2", "%", "101%", "-1%", "NaN%"] {
            assert!(bad.parse::<Ratio>().is_err(), "{bad}");
        }
    }
}
