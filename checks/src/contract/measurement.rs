//! Measurements: numbers with a unit, exported as metrics.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The unit of a measurement; also the suffix of its metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds, a duration.
    Seconds,
    /// Unix seconds, a point in time.
    TimestampSeconds,
    /// Bytes.
    Bytes,
    /// A part of one: 0.02 is two per cent.
    Ratio,
    /// A number of things.
    Count,
    /// A score between 0 and 100.
    Score,
}

/// One number that a check measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasurementSpec {
    /// Kebab-case name, unique within the check.
    pub name: &'static str,
    /// Full name of the metric, with its unit.
    pub metric: &'static str,
    /// The unit of the value.
    pub unit: Unit,
    /// One sentence for the HELP line.
    pub help: &'static str,
    /// The label that tells several values of one run apart, such as `host`; bounded in number.
    pub label: Option<&'static str>,
    /// How far back the check itself reads this measurement as history; zero for most, whose earlier
    /// values are kept as hourly figures only.
    pub window: Duration,
}

impl MeasurementSpec {
    /// A value of this kind, of `subject` where the spec has a label.
    pub fn value(&self, subject: Option<&str>, value: f64) -> Measurement {
        Measurement {
            name: self.name.to_owned(),
            value,
            unit: self.unit,
            subject: subject.map(str::to_owned),
            warning: None,
            critical: None,
        }
    }
}

/// Parts of one that are good where they are high.
const FALLING: [&str; 1] = ["success"];

/// One measured value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The name of its [`MeasurementSpec`].
    pub name: String,
    /// The value in `unit`.
    pub value: f64,
    /// The unit of the value.
    pub unit: Unit,
    /// What was measured, where a run measures several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The bound past which it is a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<f64>,
    /// The bound past which it is critical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<f64>,
}

impl Measurement {
    /// Whether it is a finding below its bounds and not above them: a deadline comes near, a score or a part that
    /// should succeed falls, and of two bounds the critical one is the lower.
    pub fn falls(&self) -> bool {
        match (self.warning, self.critical) {
            (Some(warning), Some(critical)) if critical < warning => true,
            (Some(warning), Some(critical)) if warning < critical => false,
            _ => {
                matches!(self.unit, Unit::TimestampSeconds | Unit::Score)
                    || FALLING.contains(&self.name.as_str())
            }
        }
    }

    /// Sets the bounds that the options gave.
    #[must_use]
    pub fn bounds(mut self, warning: Option<f64>, critical: Option<f64>) -> Self {
        self.warning = warning;
        self.critical = critical;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_a_score_and_a_lower_critical_bound_are_worse_when_they_fall() {
        let falls = |name: &str, unit, warning, critical| {
            let (name, subject) = (name.to_owned(), None);
            Measurement { name, value: 1.0, unit, subject, warning, critical }.falls()
        };
        assert!(falls("not-after", Unit::TimestampSeconds, Some(18.0), Some(7.0)));
        assert!(falls("signature-expires-at", Unit::TimestampSeconds, Some(3.0), None));
        assert!(falls("performance", Unit::Score, None, Some(50.0)));
        assert!(falls("key-bits", Unit::Count, Some(2048.0), Some(1024.0)));
        assert!(falls("success", Unit::Ratio, None, Some(0.98)));
        assert!(!falls("p95", Unit::Seconds, Some(0.3), Some(2.0)));
        assert!(!falls("lookups", Unit::Count, None, Some(10.0)));
        assert!(!falls("failure-rate", Unit::Ratio, Some(0.02), None));
    }
}
