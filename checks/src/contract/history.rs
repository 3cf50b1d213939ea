//! Bounded windows of a check's own measurements.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One earlier value of a measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When it was measured.
    pub at: Timestamp,
    /// The value in the unit of its measurement.
    pub value: f64,
    /// What was measured, where a run measures several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// Earlier values by measurement name, oldest first. Empty in a one-shot audit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History(pub BTreeMap<String, Vec<Point>>);

impl History {
    /// The earlier values of one measurement, oldest first.
    pub fn of(&self, name: &str) -> &[Point] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}
