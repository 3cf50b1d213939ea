//! Ranges as the guidelines for monitoring plugins have them: `10`, `10:`, `~:10`, `10:20`, `@10:20`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The longest text of a range.
const CHARS: usize = 80;

/// A range of values, and on which side of it something is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The lower end, which belongs to the range; negative infinity for none.
    start: f64,
    /// The upper end, which belongs to the range; infinity for none.
    end: f64,
    /// Values inside are wrong, and not those outside.
    inside: bool,
}

/// Why a range could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no range; write \"10\" (wrong below 0 and above 10), \"10:\" (below 10), \"~:10\" (above \
     10), \"10:20\" (outside) or \"@10:20\" (inside)"
)]
pub struct RangeError(String);

impl Range {
    /// Whether a value is wrong.
    pub fn alerts(self, value: f64) -> bool {
        (self.start <= value && value <= self.end) == self.inside
    }

    /// The values that are right, in words.
    pub fn right(self) -> String {
        let (start, end) = (self.start, self.end);
        let words = if end == f64::INFINITY {
            format!("{start} and more")
        } else if start == f64::NEG_INFINITY {
            format!("{end} and less")
        } else {
            format!("{start} to {end}")
        };
        if self.inside { format!("anything but {words}") } else { words }
    }

    /// The end of the range that a chart can show as a line.
    pub fn edge(self) -> Option<f64> {
        let (first, second) =
            if self.inside { (self.start, self.end) } else { (self.end, self.start) };
        [first, second].into_iter().find(|edge| edge.is_finite())
    }
}

/// A decimal without exponent, as the guidelines have it.
fn decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| plain).filter(|number: &f64| number.is_finite())
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let error = || RangeError(text.chars().take(CHARS).collect());
        if text.len() > CHARS {
            return Err(error());
        }
        let (inside, rest) = match text.strip_prefix('@') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (start, end) = rest.split_once(':').unwrap_or(("", rest));
        if start.is_empty() && end.is_empty() {
            return Err(error());
        }
        let start = match start {
            "" => 0.0,
            "~" => f64::NEG_INFINITY,
            number => decimal(number).ok_or_else(error)?,
        };
        let end = match end {
            "" => f64::INFINITY,
            number => decimal(number).ok_or_else(error)?,
        };
        if start <= end { Ok(Self { start, end, inside }) } else { Err(error()) }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inside {
            f.write_str("@")?;
        }
        if self.start == f64::NEG_INFINITY {
            f.write_str("~:")?;
        } else if self.start != 0.0 || self.end == f64::INFINITY {
            write!(f, "{}:", self.start)?;
        }
        if self.end == f64::INFINITY { Ok(()) } else { write!(f, "{}", self.end) }
    }
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Range {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Range")
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^@?(~:|[-+]?[0-9.]+:|:)?([-+]?[0-9.]+)?$",
            "description": "a range such as \"10\" (wrong below 0 and above 10), \"10:\" (below 10), \"~:10\" (above 10), \"10:20\" (outside) or \"@10:20\" (inside)",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_of_the_guidelines() {
        for (text, wrong, right) in [
            ("10", &[-0.001, 10.001][..], &[0.0, 5.0, 10.0][..]),
            ("10:", &[9.999, -1.0], &[10.0, 1e12]),
            ("~:10", &[10.001], &[-1e12, 10.0]),
            ("10:20", &[9.99, 20.01], &[10.0, 20.0]),
            ("@10:20", &[10.0, 15.0, 20.0], &[9.99, 20.01]),
            ("@~:0", &[0.0, -5.0], &[0.001]),
            (":10", &[-1.0, 11.0], &[0.0, 10.0]),
            ("0.5:1.5", &[0.4, 1.6], &[0.5, 1.5]),
            ("-5:-1", &[-6.0, 0.0], &[-5.0, -1.0]),
        ] {
            let range: Range = text.parse().unwrap();
            for value in wrong {
                assert!(range.alerts(*value), "{text}: {value} is wrong");
            }
            for value in right {
                assert!(!range.alerts(*value), "{text}: {value} is right");
            }
        }
        for bad in
            ["", "@", ":", "20:10", "a", "1:2:3", "inf", "nan", "1e3", "~", "10:~", "-", "1..2"]
        {
            assert!(bad.parse::<Range>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_right_is_said_in_words() {
        for (text, words) in [
            ("10", "0 to 10"),
            ("10:", "10 and more"),
            ("~:10", "10 and less"),
            ("@1.5:2", "anything but 1.5 to 2"),
            ("@~:0", "anything but 0 and less"),
        ] {
            assert_eq!(text.parse::<Range>().unwrap().right(), words);
        }
    }

    proptest! {
        #[test]
        fn a_range_is_written_as_it_is_read(
            start in proptest::option::of(-1000i32..1000),
            length in proptest::option::of(0i32..1000),
            inside in any::<bool>(),
            value in -3000.0f64..3000.0,
        ) {
            prop_assume!(start.is_some() || length.is_some());
            let from = start.map_or("~".to_owned(), |start| start.to_string());
            let to = length.map_or(String::new(), |length| (start.unwrap_or(0) + length).to_string());
            let text = format!("{}{from}:{to}", if inside { "@" } else { "" });
            let range: Range = text.parse().unwrap();
            let again: Range = range.to_string().parse().unwrap();
            prop_assert_eq!(range, again);
            let opposite: Range = if inside {
                text.trim_start_matches('@').parse().unwrap()
            } else {
                format!("@{text}").parse().unwrap()
            };
            prop_assert_ne!(range.alerts(value), opposite.alerts(value));
        }

        #[test]
        fn no_text_ends_the_program(text in ".{0,90}") {
            if let Ok(range) = text.parse::<Range>() {
                prop_assert!(range.to_string().parse::<Range>().is_ok());
            }
        }
    }
}
