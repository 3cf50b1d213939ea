//! A number that a question gives, with its unit, and the thresholds it is held against.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::range::Range;
use crate::contract::{Measurement, MeasurementSpec, Severity, Unit};

/// The unit of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ValueUnit {
    /// A number of things.
    #[default]
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A part of one: 0.02 is two per cent.
    Ratio,
}

impl ValueUnit {
    /// What stands behind a number in a sentence.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Count | Self::Ratio => "",
            Self::Seconds => " s",
            Self::Bytes => " bytes",
        }
    }
}

/// One measurement for each unit, because the name of a metric ends in its unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct ByUnit(pub [MeasurementSpec; 4]);

impl ByUnit {
    /// The measurement of a number of this unit.
    pub(super) const fn of(&self, unit: ValueUnit) -> &MeasurementSpec {
        let [count, seconds, bytes, ratio] = &self.0;
        match unit {
            ValueUnit::Count => count,
            ValueUnit::Seconds => seconds,
            ValueUnit::Bytes => bytes,
            ValueUnit::Ratio => ratio,
        }
    }
}

/// A measurement of a question.
pub(super) const fn measured(
    name: &'static str,
    metric: &'static str,
    unit: Unit,
    help: &'static str,
) -> MeasurementSpec {
    MeasurementSpec { name, metric, unit, help, label: Some("question"), window: Duration::ZERO }
}

/// What is wrong with a number, and by which range.
pub(super) fn wrong(
    value: f64,
    warning: Option<Range>,
    critical: Option<Range>,
) -> Option<(Severity, Range)> {
    let alerts = |range: &Range| range.alerts(value);
    let critical = critical.filter(alerts).map(|range| (Severity::Critical, range));
    critical.or_else(|| warning.filter(alerts).map(|range| (Severity::Warning, range)))
}

/// The measured number with the ends of its ranges.
pub(super) fn measurement(
    specs: &ByUnit,
    unit: ValueUnit,
    subject: &str,
    value: f64,
    bounds: (Option<Range>, Option<Range>),
) -> Measurement {
    let edge = |range: Option<Range>| range.and_then(Range::edge);
    specs.of(unit).value(Some(subject), value).bounds(edge(bounds.0), edge(bounds.1))
}

/// A number from text: a decimal, or `true` and `false` in the words that databases and JSON have.
pub(super) fn number(text: &str) -> Option<f64> {
    match text.trim() {
        "t" | "true" => Some(1.0),
        "f" | "false" => Some(0.0),
        text => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}
