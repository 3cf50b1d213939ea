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
    /// Sets the bounds that the options gave.
    #[must_use]
    pub fn bounds(mut self, warning: Option<f64>, critical: Option<f64>) -> Self {
        self.warning = warning;
        self.critical = critical;
        self
    }
}
